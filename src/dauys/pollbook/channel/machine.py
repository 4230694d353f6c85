"""What does the electronic channel's machine do for the voting system? Its store, its way to the centre, and who waits.

As a station's, its log is its own and every answer is on the disk before it is given. A voter's right comes to it as it
comes to another station: asked for, let go by who holds it, granted by the centre.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from dauys import own_file
from dauys.errors import BadInput
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import channel_acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.answers import clock_of
from dauys.pollbook.machine.book import Book
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.machine.sync import CentreRefused, Unreached
from dauys.pollbook.machine.syncing import Syncing
from dauys.pollbook.rules.custody import Standing
from dauys.pollbook.rules.grants import LASTS
from dauys.pollbook.sealed.commitment import code_of
from dauys.pollbook.wire.package import Voter
from dauys.roll.iin import is_iin

Model = dict[str, Any]

BEARER = "voting-system.token"
"""In the folder of the channel's machine."""


@dataclass
class Channel:
    """The machine at work. `trial`: its clock is not the machine's."""

    keep: Keep
    syncing: Syncing
    clock: Callable[[], datetime]
    trial: bool = False
    asked: dict[UUID, datetime] = field(default_factory=dict)
    """Whose rights were asked for, and when: their voters wait."""
    _lines: dict[str, UUID] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._lines = {voter.iin: voter.entitlement for voter in self.keep.book.voters.values()}
        self.syncing.impatient = self._impatient

    def begin(self) -> Model:
        """Opens the channel, once."""
        if not self.keep.book.opened:
            self._act(lambda book: channel_acts.do_begin(book, self.clock()))
        return self.state()

    def end(self) -> Model:
        """Closes the channel for good."""
        if not self.keep.book.closed:
            self._act(lambda book: channel_acts.do_end(book, self.clock()))
        return self.state()

    def find(self, iin: str, born: str) -> Model:
        """Whether the right of this person is here, or when it may be. Raises Refused, CentreRefused, BadInput P.047, P.048.

        A number and a day of birth that do not belong together are nobody: P.020, as for who is on no roll. The centre compares
        them before it says anything.
        """
        if not is_iin(iin):
            raise BadInput("this is no IIN: twelve digits, the last one checks the others", check="P.048")
        if not _is_day(born):
            raise BadInput("a date is needed here", field="born", expected="YYYY-MM-DD", check="P.047")
        channel_acts.must_take(self.keep.book, self.clock())
        with self._lock:
            who = self._lines.get(iin)
        if who is not None and self.keep.book.voters[who].born == born and (here := self._here(who)) is not None:
            return here
        return self._ask(iin, born)  # with another day, too: a quicker no would tell who has been here

    def ask(self, who: UUID) -> Model:
        """The same for somebody of whom the channel has heard before."""
        channel_acts.must_take(self.keep.book, self.clock())
        voter = self.keep.book.voters.get(who)
        if voter is None:
            raise _nobody()
        return self._here(who) or self._ask(voter.iin, voter.born)

    def use(self, who: UUID, salt: bytes) -> Model:
        """Uses the right up: the electronic ballot was taken. Again with the same salt it is the same ballot."""
        try:
            n = self._act(lambda book: channel_acts.do_use(book, who, salt=salt, at=self.clock())).n
        except Refused as error:
            if not error.facts.get("same_tap"):
                raise
            n = int(error.facts["n"])
        return {"entitlement": str(who), "event": n, "code": code_of(salt, who)}

    def take_back(self, who: UUID, reason: str) -> Model:
        """The voting system has no such ballot after all."""
        event = self._act(lambda book: channel_acts.do_take_back(book, who, reason=reason, at=self.clock()))
        return {"entitlement": str(who), "event": event.n}

    def struck(self) -> Model:
        """The ballots that paper replaced and that are not taken out yet: each by its voter's right and the salt it came with."""
        waiting = [
            {"event": one.n, "entitlement": str(one.entitlement), "salt": one.salt.hex(), "at": one.at}
            for one in self.keep.book.struck.values()
            if not one.out
        ]
        return {"struck": waiting}

    def struck_out(self, of: int) -> Model:
        """That ballot is taken out of the electronic box; again it changes nothing."""
        known = self.keep.book.struck.get(of)
        if known is None or not known.out:
            self._act(lambda book: channel_acts.do_struck_out(book, of, self.clock()))
        return self.struck()

    def state(self) -> Model:
        """The channel in numbers."""
        book = self.keep.book
        struck = list(book.struck.values())
        here = sum(place.standing is Standing.HERE for place in book.places.values())
        status = self.syncing.link.status
        return {
            "poll": book.log.poll,
            "opened": book.opened or None,
            "closed": book.closed or None,
            "stopped": book.stopped,
            "told": book.told,
            "used": len(book.used_by),
            "unused": here,
            "struck": len(struck),
            "to_take_out": sum(not one.out for one in struck),
            "waiting_voters": len(self.waiting_for()),
            "unsent": self.syncing.link.waiting,
            "heard": None if status.heard is None else status.heard.isoformat(),
            "cut": None if status.cut is None else status.cut.isoformat(),
            "taking_until": channel_acts.taking_ends(book).isoformat(),
        }

    def page(self) -> Model:
        """What the page for people shows: numbers, never a voter."""
        book, status = self.keep.book, self.syncing.link.status
        said = self.state()
        times = {
            name: clock_of(book, said[name] or "") for name in ("opened", "closed", "heard", "cut", "taking_until")
        }
        return {
            "channel": said | times,
            "poll": book.package.names,
            "pack": book.log.poll.partition("/")[0],
            "paper": book.package.channels["paper-beats-electronic"],
            "remote": book.package.channels["remote"],
            "to_take_out": [
                {"n": one.n, "clock": clock_of(book, one.at)} for one in book.struck.values() if not one.out
            ],
            "trial": self.clock() if self.trial or book.package.trial else None,
            "check": status.check,
            "known": catalogue().get(status.check),
        }

    def waiting_for(self) -> list[UUID]:
        """Whose right was asked for and is not here yet."""
        places = self.keep.book.places
        return [who for who in list(self.asked) if who not in places or places[who].standing is Standing.AWAY]

    def _impatient(self) -> bool:
        """Whether the machine asks the centre often: as long as a request of its own asks."""
        at = self.clock()
        return any(abs(at - self.asked[who]) < LASTS for who in self.waiting_for())

    def _ask(self, iin: str, born: str) -> Model:
        """Asks the centre where the right is, and for it to come; a right that nobody else can use comes at once."""
        wire = self.syncing.link.wire
        try:
            found = wire.question("find", {"iin": iin, "born": born})
        except Unreached:
            return {"state": "waiting", "holder": {"kind": "centre"}}
        if not found.get("found") or (isinstance(found.get("line"), dict) and found["line"].get("born") != born):
            raise _nobody()
        holder = _holder(found)
        if found.get("used"):
            raise Refused("the voter has voted already", "P.021", facts={"holder": holder})
        if not isinstance(found.get("line"), dict):
            why = found.get("why") or {}
            message, cite = str(why.get("message", "")), str(why.get("cite", ""))
            raise Refused(message, str(why.get("check", "")), cite, {"holder": holder})
        line = Voter.from_json(found["line"])
        who = line.entitlement
        self._keep_line(replace(line, number=0, away=str(found["holder"])))
        self.asked[who] = self.clock()
        if found["holder"] != self.keep.log.holder or found.get("let_go"):  # asking twice in one epoch is asking once
            try:
                wire.question("ask", {"request": f"{self.keep.log.holder}/{who}/{line.epoch}", "entitlement": str(who)})
            except Unreached:
                return {"state": "waiting", "holder": {"kind": "centre"}}
            except CentreRefused as error:
                raise Refused(error.message, error.check, facts={"holder": holder}) from None
        self.syncing.link.once()
        return self._here(who) or {"state": "waiting", "entitlement": str(who), "holder": holder}

    def _here(self, who: UUID) -> Model | None:
        """`granted` where the right is here unused; None where it is not here. Raises Refused P.021 where it was used."""
        place = self.keep.book.places.get(who)
        if place is None or place.standing is Standing.AWAY:
            return None
        if place.standing is Standing.USED:
            raise Refused("the voter has voted electronically already", "P.021", facts={"holder": {"kind": "remote"}})
        self.asked.pop(who, None)
        return {"state": "granted", "entitlement": str(who)}

    def _keep_line(self, voter: Voter) -> None:
        """Before his right comes, so that whatever is lost on the way, the grant finds him."""
        if voter.entitlement not in self.keep.book.voters:
            self.keep.add_voter(voter)
        with self._lock:
            self._lines[voter.iin] = voter.entitlement

    def _act(self, decide: Callable[[Book], Event]) -> Event:
        """Decides, stores durably, and only then returns; the centre is told in the background."""
        with self.keep.acting() as book:
            event = self.keep.append(decide(book))
        self.syncing.poke()
        return event


def token_of(folder: Path, *, make: bool = False) -> str:
    """The token of the voting system, made at enrolment: a file for its owner alone. Raises BadInput P.071."""
    path = folder / BEARER
    if make and not path.exists():
        own_file.write(path, f"{secrets.token_urlsafe(32)}\n".encode())
    try:
        token = path.read_text("ascii").strip()
    except (OSError, ValueError):
        token = ""
    if len(token) < 32:
        message = (
            "the token of the voting system is not in the folder; enrol with the same package again: that makes one"
        )
        raise BadInput(message, file=path, check="P.071")
    return token


def _holder(found: Model) -> Model:
    """Who holds the right: a station by its id, with its address where the centre knows it; or the channel, a certificate, ..."""
    kind, _, rest = str(found.get("holder", "")).partition("/")
    if kind != "station":
        return {"kind": kind if kind in ("remote", "certificate", "withdrawn") else "centre"}
    station = rest.rpartition("/")[0]
    address = str(found.get("home_address", "")) if station == found.get("home") else ""
    return {"kind": kind, "id": station, "address": address}


def _nobody() -> Refused:
    return Refused("nobody with this IIN and day of birth is on the roll of this poll", "P.020")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
