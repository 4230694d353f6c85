"""A centre in memory that answers over HTTP as the real one does, and stations enrolled with it.

Its custody is the pure `custody.Centre`, and what it answers to questions is said by `visitors`, as at the real one: test_centre
holds the database against the former, test_station_centre both against each other. Its persons are the lines of the packages.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from pollbook_sample import CENTRE, MORNING, POLL, all_on, package, voter

from dauys.pollbook.log.events import Batch, LogError, LogId
from dauys.pollbook.log.words import digest
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.machine.syncing import Syncing
from dauys.pollbook.rules import custody, decided, forgotten
from dauys.pollbook.rules.channels import Channels, NotAllowed
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError
from dauys.pollbook.rules.grants import Answer
from dauys.pollbook.serving import visitors
from dauys.pollbook.serving.visitors import Asked
from dauys.pollbook.station.door import Door
from dauys.pollbook.station.visit import Station
from dauys.pollbook.wire.package import Enrolment, Voter, new_code, proof_key, proves, seal
from dauys.pollbook.wire.questions import Question
from dauys.pollbook.wire.replies import Reply
from dauys.roll.iin import check_digit

ADDRESS = "http://centre.test"
PIN = "271828"
SALT = b"s" * 16


def iin(number: int, born: str = "900101") -> str:
    """The valid IIN of the voter `number`."""
    for serial in range(number * 2 + 1, 10_000):
        first = f"{born}5{serial:04}" if born < "3" else f"{born}3{serial:04}"
        if (digit := check_digit([int(char) for char in first])) is not None:
            return f"{first}{digit}"
    raise AssertionError


def person(number: int, **changes: Any) -> Voter:
    """Voter `number` with an IIN that is one."""
    return voter(number, **({"iin": iin(number), "address": f"Абай көшесі, {number}"} | changes))


class FakeCentre:
    """The centre's HTTP, as a function of path and body. `cut` makes it unreachable; `forget` loses its answers."""

    def __init__(self, lists: Mapping[str, list[Voter]], channels: Channels | None = None, trial: bool = False) -> None:
        self.channels = channels or all_on()
        self.trial = trial
        self.packed = 0
        self.lists = lists
        self.home = {line.entitlement: (station, line) for station, lines in lists.items() for line in lines}
        self.centre = Centre(POLL, {one: Custody(f"station/{home}/1", 0) for one, (home, _) in self.home.items()})
        self.proofs: dict[LogId, bytes] = {}
        self.cut = False
        self.forget = False
        self.stopped = ""
        self.key = CENTRE
        self.heard: list[str] = []
        self.asked: set[bytes] = set()
        self.lock = threading.Lock()

    def package(self, folder: Path, station: str, generation: int = 1) -> tuple[Path, str]:
        """The package of a station as a file, and its code. Made again, the one before is void."""
        self.packed += 1
        code = new_code(f"{station}.{self.packed}".encode().ljust(16, b"."))
        made = package(station, self.lists[station], generation=generation, channels=self.channels, trial=self.trial)
        self.proofs[made.log] = proof_key(code, SALT, made.log)
        path = folder / f"{station}.package"
        path.write_bytes(seal(made, code, CENTRE, SALT, b"n" * 12))
        return path, code

    def handle(self, path: str, body: bytes) -> tuple[int, bytes]:
        with self.lock:
            self.heard.append(path)
            try:
                status, said = 200, self._answer(path.removeprefix("/api/pollbook"), body)
            except (CustodyError, LogError) as error:
                message = error.words
                status, said = 409, Reply.refusing(self._log(body), body, message, error.check).to_bytes(self.key)
        return (503, b"") if self.forget else (status, said)

    def _answer(self, path: str, body: bytes) -> bytes:
        if path == "/enrol":
            asked = Enrolment.from_bytes(body)
            if not proves(asked, self.proofs.get(asked.log, b"")):
                raise CustodyError("not with the code of this package", "P.019")
            self.centre = custody.enrol(self.centre, asked.log, asked.key)
            return b""
        if path == "/sync":
            return self._sync(Batch.from_bytes(body), digest(body))
        if path == "/shown":
            said = Answer.of_centre(body, self.key.public_key().public_bytes_raw())
            self.centre = forgotten.shown(self.centre, said.log, said.key, said.acknowledged.n, "once")
            return Reply.to(said.log, body, {"forgotten": self.centre.books.marked}).to_bytes(self.key)
        question = Question.from_bytes(body)
        assert question.good(self.centre.logs[question.log].key)
        if self.centre.logs[question.log].lost and question.what != "envelope":
            raise LogError("this machine was declared lost: it may send its log", "P.078")
        if question.sig in self.asked:
            raise LogError("this question was asked before", "P.007")
        self.asked.add(question.sig)
        return Reply.to(question.log, body, self._question(question)).to_bytes(self.key)

    def _log(self, body: bytes) -> LogId:
        """Of which log's machine it is, whatever it sent."""
        value = json.loads(body)
        return LogId(value["poll"], value["station"], value["generation"])

    def _sync(self, batch: Batch, of: str) -> bytes:
        taken = custody.take(self.centre, batch)
        self.centre = taken.centre
        for request in list(self.centre.requests.values()):
            if request.to == batch.log.holder:
                with suppress(CustodyError):
                    self.centre, _ = custody.grant(self.centre, request.id, batch.log)
        given = tuple(one.signed(CENTRE) for one in custody.granted_to(self.centre, batch.log))
        asked = custody.asked_of(self.centre, batch.log)
        lease = MORNING + timedelta(hours=9)
        stopped = taken.stopped or self.stopped
        answer = Answer(
            batch.log,
            self.centre.logs[batch.log].key,
            of,
            taken.acknowledged,
            taken.send_from,
            stopped,
            lease,
            asked,
            given,
        )
        return answer.to_bytes(self.key)

    def _question(self, question: Question) -> dict[str, Any]:
        body = question.body
        match question.what:
            case "find":
                found = next((one for one in self.home.values() if one[1].iin == body["iin"]), None)
                if found is None or body.get("born", found[1].born) != found[1].born:
                    return {"found": False}
                home, line = found
                with suppress(CustodyError):  # whatever he is: the rule of custody says to whom this gives a right
                    name = f"addition/{line.entitlement}"
                    self.centre, _ = decided.add(self.centre, name, line.entitlement, question.log)
                has = self.centre.custody[line.entitlement]
                used, address = has.state == "used", f"town {home}"
                line = replace(line, epoch=has.epoch, away=has.holder)
                asked, let_go = self._asked(line.entitlement), has.state == "released"
                asked = replace(asked, left=asked.left or let_go, gone=decided.is_gone(self.centre, line.entitlement))
                said = visitors.found(
                    question.log, asked, self.channels, MORNING, used=used, address=address, line=line
                )
                return said if said["line"] is None else said | {"let_go": let_go}
            case "call-off":
                before, one = self.centre.requests, UUID(body["entitlement"])
                self.centre = custody.unask(self.centre, one, question.log)
                ours = any((r.entitlement, r.to) == (one, question.log.holder) for r in before.values())
                return {"off": not ours or before != self.centre.requests, "heard": False}
            case "envelope":
                named = next((line for _, line in self.home.values() if line.iin == body["iin"]), None)
                return {"entitlement": None if named is None else str(named.entitlement)}
            case _:
                who = UUID(body["entitlement"])
                asked = self._asked(who)
                try:
                    visitors.must_be_allowed(question.log, asked, self.channels)
                except NotAllowed as error:
                    raise CustodyError(error.message, error.check) from None
                paper = visitors.paper_replaces(question.log, asked, self.channels, MORNING)
                self.centre = custody.ask(self.centre, body["request"], who, question.log, paper=paper)
                return {"request": body["request"]}

    def _asked(self, who: UUID) -> Asked:
        holder = self.centre.custody[who].holder
        return Asked(self.home[who][0], holder, left=self.centre.over(holder))

    def add(self, station: str, line: Voter) -> None:
        """The commission adds a voter to the roll of a station whose list is made."""
        self.home[line.entitlement] = (station, line)
        self.centre = decided.enter(self.centre, line.entitlement, station)

    @property
    def transport(self) -> httpx.MockTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            if self.cut:
                raise httpx.ConnectError("cut", request=request)
            status, said = self.handle(request.url.path, request.content)
            return httpx.Response(status, content=said)

        return httpx.MockTransport(answer)

    def serve(self) -> ThreadingHTTPServer:
        """The same on a free port of loopback, for stations that are processes."""
        centre = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if centre.cut:
                    self.connection.close()
                    return
                status, said = centre.handle(self.path, body)
                self.send_response(status)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def enrolled(centre: FakeCentre, folder: Path, name: str, tell: bool = True) -> Keep:
    """A station's store, enrolled; the centre knows it, unless `tell` is false."""
    file, code = centre.package(folder, name)
    keep = enrol(file, code, folder / name, ADDRESS)
    if tell:
        wire = connect(keep, Clock(), centre.transport)
        wire.tell()
        wire.close()
    return keep


def station_of(keep: Keep, centre: FakeCentre, clock: Clock) -> Station:
    """A station whose syncing is done by hand: `station.syncing.link.once()`; every officer has `PIN`."""
    return manned(keep, Link(connect(keep, clock, centre.transport), clock), clock)


def manned(keep: Keep, link: Link, clock: Callable[[], datetime]) -> Station:
    """A station with its officers, whose way to the centre is this one."""
    station = Station(keep, Door(keep, clock), Syncing(link), clock)
    for officer in keep.package.officers:
        first = station.door.first_pin(officer.id)
        session = station.door.sign_in(officer.id, first)
        station.door.choose(session, PIN, PIN)
        station.door.sign_out(session)
    return station
