"""Can a right be used twice by machines that open packages while the wire is cut? Real stores, real packages, a centre in memory.

The commission makes packages, makes them again, voids them, gives machines up for lost and withdraws rights that no list
has; anybody enrols any package that ever was, on as many machines as he likes, and types on them what he likes; and whoever is
on the wire plays any answer that the centre ever gave back to any machine. After each step the truth is counted from the disks
alone. That the search can fail is tried by breaking the rules, one at a time.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pollbook_sample import MORNING, who
from station_world import ADDRESS, Clock, FakeCentre, person

from dauys.errors import DauysError
from dauys.pollbook.log import words
from dauys.pollbook.log.events import LogError, LogId
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.enrolling import enrol, open_station
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.custody import Custody, CustodyError
from dauys.pollbook.rules.grants import Answer
from dauys.pollbook.rules.holders import WITHDRAWN

STATION, VOTERS, MACHINES = "1", 2, 3
CLOCK = Clock()
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
REFUSALS = (acts.Refused, CustodyError, LogError)


class Enrolling:
    """One station of a poll, its packages, and every machine that somebody enrolled with one of them.

    `played`: which of the answers that were caught so far everybody hears, whatever he sends; None: the centre's own.
    """

    def __init__(self, folder: Path, fault: str) -> None:
        self.folder, self.fault = folder, fault
        self.centre = FakeCentre({STATION: [person(n) for n in range(VOTERS)]})
        self.lines = self.centre.lists[STATION]
        self.packages: list[tuple[Path, str]] = []
        self.machines: list[tuple[Keep, Link]] = []
        self.tap = 0
        self.caught: list[bytes] = []
        self.played: int | None = None

    # The commission

    def make(self) -> None:
        """As `packing.packages.pack`: the next generation once the last one is lost, otherwise in place of the one before."""
        logs = self.centre.centre.logs
        if any(not known.lost for known in logs.values()):
            return
        log = LogId(self.centre.centre.poll, STATION, len(logs) + 1)
        lines = []
        for line in self.lines:
            has = self.centre.centre.custody[line.entitlement]
            away = "" if (has.holder, has.state) == (log.holder, "unused") else has.holder
            lines.append(replace(line, epoch=has.epoch, away=away))
        self.centre.lists = {STATION: lines}
        file, code = self.centre.package(self.folder, STATION, log.generation)
        self.packages.append((file.rename(self.folder / f"made{len(self.packages)}"), code))

    def lose(self) -> None:
        """As `packing.packages.lose`: a package that nobody told of is void; otherwise the machine is given up."""
        logs = self.centre.centre.logs
        unenrolled = [log for log in self.centre.proofs if log not in logs]
        for log in unenrolled:
            del self.centre.proofs[log]
        if not unenrolled and logs:
            newest = max(logs, key=lambda log: log.generation)
            self.centre.centre = custody.declare_lost(self.centre.centre, newest)

    def withdraw(self, number: int) -> None:
        """As `moves._nobody_can`: at once, while no log and no package has the right on its list."""
        if not self.centre.centre.logs and not self.centre.proofs:
            held = {**self.centre.centre.custody, who(number): Custody(WITHDRAWN, 1)}
            self.centre.centre = replace(self.centre.centre, custody=held)

    # Whoever has a package, and an officer at a machine

    def enrol(self, number: int) -> None:
        if not self.packages or len(self.machines) == MACHINES:
            return
        file, code = self.packages[number % len(self.packages)]
        keep = enrol(file, code, self.folder / f"machine{len(self.machines)}", ADDRESS)
        keep.book.told = keep.book.told or self.fault == UNTOLD
        self.machines.append((keep, self.link(keep)))

    def again(self, at: int, number: int) -> None:
        """The command once more, with any package, into the folder of a machine that is there."""
        keep, _ = self.machines[at]
        file, code = self.packages[number % len(self.packages)]
        keep.close()
        with suppress(DauysError):
            enrol(file, code, self.folder / f"machine{at}", ADDRESS).close()
        keep = open_station(self.folder / f"machine{at}")
        keep.book.told = keep.book.told or self.fault == UNTOLD
        self.machines[at] = keep, self.link(keep)

    def link(self, keep: Keep) -> Link:
        return Link(connect(keep, CLOCK, httpx.MockTransport(self.wire)), CLOCK)

    def wire(self, request: httpx.Request) -> httpx.Response:
        """The centre's answer, which somebody writes down; or one that was written down, and the centre hears nothing."""
        asked = request.url.path.endswith("/sync")
        if self.played is not None and self.caught:
            return httpx.Response(200, content=self.caught[self.played % len(self.caught)] if asked else b"")
        response = self.centre.transport.handle_request(request)
        if asked and response.is_success:
            self.caught.append(response.read())
        return response

    def check_in(self, at: int, number: int) -> None:
        """With the wire or without; the chair opens where that may be."""
        keep, _ = self.machines[at]
        self.tap += 1
        with suppress(*REFUSALS), keep.acting() as book:
            if not book.opened:
                keep.append(acts.do_open(book, "c1", MORNING))
            salt = self.tap.to_bytes(10, "big")
            keep.append(acts.do_check_in(book, who(number), officer="m1", salt=salt, at=MORNING))
            return
        here = keep.book.places[who(number)].standing == "here"
        assert not (keep.book.told and not keep.book.stopped and here), "a known station works with the wire cut"

    # The truth

    def check(self) -> None:
        used: Counter[UUID] = Counter()
        begun: Counter[LogId] = Counter()
        for keep, _ in self.machines:
            if keep.book.head.n:
                begun[keep.log] += 1
            used.update(one.entitlement for one in keep.book.check_ins.values() if not one.undone)
        assert max(used.values(), default=0) <= 1, "a right was used twice"
        assert max(begun.values(), default=0) <= 1, "one log has two histories"
        for one in used:
            assert self.centre.centre.custody[one].holder != WITHDRAWN, "a withdrawn right was used"

    def end(self) -> None:
        """The wire is up everywhere: what any machine has done the centre counts, without an alarm."""
        self.centre.cut = self.centre.forget = False
        self.played = None
        for keep, link in self.machines:
            while link.once():
                continue
            assert keep.book.told != bool(keep.book.stopped), "known, or stopped"
        self.check()
        assert not self.centre.centre.alarms
        sent = {one for one, uses in self.centre.centre.uses.items() if uses}
        assert sent == {one for keep, _ in self.machines for one in keep.book.used_by}

    def step(self, what: str, at: int, number: int) -> None:
        if what in ("sync", "check in", "again") and at >= len(self.machines):
            return
        match what:
            case "make":
                self.make()
            case "lose":
                self.lose()
            case "withdraw":
                self.withdraw(number)
            case "enrol":
                self.enrol(number)
            case "again":
                self.again(at, number)
            case "sync":
                self.machines[at][1].once()
            case "check in":
                self.check_in(at, number)
            case "cut" | "join":
                self.centre.cut = what == "cut"
            case "forget" | "hear":
                self.centre.forget = what == "forget"
            case "play" | "let go":
                self.played = number if what == "play" else None
        self.check()


UNTOLD = "a station opens before the centre has answered it"
ANYBODYS = "a station takes an answer to another machine of its log"
TRUE = Answer.from_bytes


def _whoever_it_names(data: bytes, log: LogId, station: bytes, request: bytes, centre: bytes) -> Answer:
    """As before answers named a key, and what they answer: it is enough that the centre signed it, for this log."""
    return TRUE(data, log, base64.b64decode(json.loads(data)["key"]), request, centre)


@contextmanager
def enrolling(fault: str = "") -> Iterator[Enrolling]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, pytest.MonkeyPatch.context() as patch:
        if fault == ANYBODYS:
            patch.setattr(Answer, "from_bytes", _whoever_it_names)
            patch.setattr(words, "must_answer", lambda of, request: None)
        world = Enrolling(Path(folder), fault)
        try:
            yield world
        finally:
            for keep, _ in world.machines:
                keep.close()


NAMES = ("make", "make", "enrol", "enrol", "sync", "sync", "sync", "check in", "check in", "check in", "lose", "withdraw",
         "again", "cut", "join", "forget", "hear", "play", "let go")  # fmt: skip
ON_THE_DAY = ("sync", "check in", "play", "let go")


def steps_of(names: tuple[str, ...]) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    one = st.tuples(st.sampled_from(names), st.integers(0, MACHINES - 1), st.integers(0, VOTERS - 1))
    return st.lists(one, min_size=6, max_size=20)


@given(steps_of(NAMES))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_package_gives_two_machines_one_right(steps: list[tuple[str, int, int]]) -> None:
    with enrolling() as world:
        world.make()
        for what, at, number in steps:
            world.step(what, at, number)
        world.end()


@pytest.mark.parametrize(
    "fault, before, names", [(UNTOLD, ["cut"], NAMES), (ANYBODYS, ["enrol", "enrol", "sync", "play"], ON_THE_DAY)]
)
def test_the_search_finds_a_broken_rule(fault: str, before: list[str], names: tuple[str, ...]) -> None:
    @given(steps_of(names))
    @settings(max_examples=80, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              report_multiple_bugs=False)  # fmt: skip
    def search(steps: list[tuple[str, int, int]]) -> None:
        with enrolling(fault) as world:
            world.make()
            for what in before:
                world.step(what, 0, 0)
            for what, at, number in steps:
                world.step(what, at, number)

    with pytest.raises(AssertionError, match=r"twice|two histories|withdrawn"):
        search()


TWICE = {
    "made again": ["make"],
    "voided and made": ["lose", "make"],
    "the same twice": [],
    "voided and withdrawn": ["lose", "withdraw"],
}


@pytest.mark.parametrize("between", TWICE.values(), ids=TWICE.keys())
def test_a_machine_that_was_enrolled_offline_never_uses_what_another_has(between: list[str]) -> None:
    """The reviewer's ways: the first machine opens its package with the wire cut, the second one is the centre's."""
    with enrolling() as world:
        world.make()
        world.centre.cut = True
        world.enrol(0)
        world.check_in(0, 0)
        world.centre.cut = False
        for what in between:
            world.step(what, 0, 0)
        world.enrol(len(world.packages) - 1)
        for what, at in (("sync", 1), ("check in", 1), ("check in", 0), ("sync", 0), ("check in", 0)):
            world.step(what, at, 0)
        first, second = (keep.book for keep, _ in world.machines)
        withdrawn = "withdraw" in between
        assert (first.head.n, bool(first.stopped)) == (0, True)
        assert bool(second.check_ins) != withdrawn
        world.end()
