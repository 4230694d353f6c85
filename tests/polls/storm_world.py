"""A country of three stations on its worst day: what can happen at them and on their wires, one step after the other, by a die?

Real stores, packages, routes, journal and SQL. A step that the centre or a machine refuses is a step, too. What the commission
does is in `storm_commission`; in which order the steps come, and what must hold, in `storm`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeVar
from uuid import UUID

from joined_world import POLL, Machine, World, right
from noted_world import Noted
from test_decided_since import finds, wants

from dauys.errors import DauysError
from dauys.pollbook.machine import acts
from dauys.pollbook.packing.packages import Packed

T = TypeVar("T")

VOTERS = {"A-1": 2, "A/2": 2, "B-1": 2}
"""The stations, and how many the frozen roll has of each: serial numbers 1 to 6."""

ADDED = {50: "A-1", 51: "A-1", 52: "B-1", 53: "A/2"}
"""Who may be added to the roll later, and his station."""

PAIRS = {5: 1, 3: 5, 6: 52, 50: 4}
"""Who may be found to be on the roll twice: by whose entry would stay, whose would go. One is on it three times: 1, 5 and 3."""


def joined(stays: Iterable[int]) -> list[set[int]]:
    """Who is one person by these pairs."""
    found: list[set[int]] = []
    for one in stays:
        same = {one, PAIRS[one]}
        found = [*(some for some in found if not some & same), same.union(*(some for some in found if some & same))]
    return found


HOME = dict(enumerate((station for station, count in VOTERS.items() for _ in range(count)), 1)) | ADDED
SERIAL = {right(serial): serial for serial in HOME}
RESTS = 30
"""Exchanges after which a machine has nothing more to say or to hear."""

Fate = Literal["kept", "copied", "gone"]
"""What becomes of the journal when the database is put back: it stays, it is put back as well, or it is gone."""

What = Literal["added", "died", "lives", "paired", "unpaired"]
Decision = tuple[What, int]
"""Of the commission, about the voter with this serial number: of a pair, one person or two, about him whose entry stays."""


@dataclass(slots=True)
class Decided:
    """What the commission decided, one after the other, as far as its database knows."""

    made: list[Decision] = field(default_factory=list)
    sets: dict[Decision, int] = field(default_factory=dict)
    """By decision that is in force, its change set: who has died, and which pairs are one person."""
    called_off: list[int] = field(default_factory=list)
    """The sets of those that are not in force any more."""


class NotNow(Exception):
    """There is nothing to do this step with."""


class Country:
    """The centre, its journal, every machine that ever began, and what people do with them: each method is a step.

    A step returns what it did, for the story. `seen` counts the steps, and the situations that a storm is to come to.
    """

    def __init__(self, world: World, noted: Noted, dice: random.Random, fate: Fate) -> None:
        self.world, self.noted, self.dice, self.fate = world, noted, dice, fate
        self.machines: dict[str, Machine] = {}
        """By the holder that each is, in the order in which they began."""
        self.silent: set[str] = set()
        """Those of them whose wire is cut, or that burnt."""
        self.knocking: list[Machine] = []
        """Machines that the centre did not take yet, for its books are not whole."""
        self.packages: dict[str, Packed] = {}
        """By station, those that somebody may enrol with: mostly nobody has."""
        self.decided = Decided()
        self.forgotten: list[Decision] = []
        """What was decided since a copy that was put back, and is to be decided again."""
        self.asked = 0
        self.seen: Counter[str] = Counter()

    # At a station

    def use(self) -> str:
        machine = self._machine()
        who = self._one_of(here(machine))
        machine.check_in(who, self.world.now)
        return _said(machine, who)

    def undo(self) -> str:
        machine = self._machine()
        who = self._one_of(machine.keep.book.used_by)
        machine.do(acts.do_undo, machine.keep.book.used_by[who], reason="wrong", officer="member1", at=self.world.now)
        return _said(machine, who)

    def certificate(self) -> str:
        machine, day_before = self._machine(), self.world.now - timedelta(days=1)
        who = self._one_of(here(machine))
        machine.do(acts.do_certificate, who, number="C", officer="member1", at=day_before)
        return _said(machine, who)

    def certificate_back(self) -> str:
        machine = self._machine()
        who = self._one_of(machine.keep.book.certificates)
        machine.do(acts.do_certificate_back, who, reason="wrong", officer="member1", at=self.world.now)
        return _said(machine, who)

    def find(self) -> str:
        machine, who = self._stranger()
        return f"{_said(machine, who)}: {finds(machine, SERIAL[who]).get('holder', 'is not known')}"

    def ask(self) -> str:
        machine, who = self._stranger()
        self._wants(machine, who)
        return _said(machine, who)

    def move(self) -> str:
        """A voter stands where his right is not; everybody is heard, and mostly he gets it. He may use it, heard or not."""
        machine, who = self._stranger()
        self._wants(machine, who)
        others = [one for one in self._heard() if one is not machine]
        self.dice.shuffle(others)
        for one in (*others, machine, machine):
            self._exchange(one)
        if who not in here(machine):
            return f"{_said(machine, who)}: not given"
        if self.dice.random() < 0.4:
            return f"{_said(machine, who)}: given"
        machine.check_in(who, self.world.now)
        if self.dice.random() < 0.3:
            return f"{_said(machine, who)}: used, not sent"
        self._exchange(machine)
        return f"{_said(machine, who)}: used"

    # On the wire

    def sync(self) -> str:
        machine = self._machine()
        self._exchange(machine)
        return _said(machine)

    def sync_all(self) -> str:
        for machine in self._heard():
            self._exchange(machine)
        return ""

    def lose_an_answer(self) -> str:
        machine = self._machine()
        self.world.wires.lose = True
        machine.link.once()
        self.world.wires.lose = False
        return _said(machine)

    def fall_silent(self) -> str:
        if len(self.silent) >= 3:
            raise NotNow
        machine = self._machine()
        self.silent.add(machine.keep.log.holder)
        return _said(machine)

    def be_heard_again(self) -> str:
        holder = self._one_of(sorted(self.silent))
        self.silent.remove(holder)
        return holder

    def knock(self) -> str:
        """A machine whose enrolment waits for the centre's books tries again, as its thread does."""
        machine = self._one_of(self.knocking)
        with self.noted.journal.acting(self.noted.engine, POLL, machine.keep.log.station, self.world.now):
            machine.link.once()
        self.knocking.remove(machine)
        return self._begins(machine)

    # What the steps are made of

    def _one_of(self, some: Iterable[T]) -> T:
        if not (found := list(some)):
            raise NotNow
        return self.dice.choice(found)

    def _heard(self) -> list[Machine]:
        return [machine for holder, machine in self.machines.items() if holder not in self.silent]

    def _machine(self) -> Machine:
        return self._one_of(self._heard())

    def _station(self) -> str:
        return self._one_of(VOTERS)

    def _stranger(self) -> tuple[Machine, UUID]:
        """A voter who stands where his right is not, as far as that machine knows."""
        machine = self._machine()
        places = machine.keep.book.places
        return machine, self._one_of(one for one in SERIAL if one not in places or places[one].standing == "away")

    def _wants(self, machine: Machine, who: UUID) -> None:
        self.asked += 1
        try:
            wants(machine, SERIAL[who], f"ask-{self.asked}")
        except DauysError as error:
            if "P.050" not in str(error):  # it is given to this very machine, which has not heard it yet
                raise

    def begin(self, station: str) -> str:
        """A machine enrols with the package that is on its way to the station; where there is none, one is made."""
        if station not in self.packages:
            self.noted.hold()
            self.packages[station] = self.noted.package(station)
        machine = self.noted.machine(self.packages[station], f"machine{len(self.world.stations)}")
        if self.dice.random() < 0.85:  # otherwise somebody has a copy of the file
            del self.packages[station]
        return self._begins(machine)

    def _exchange(self, machine: Machine) -> None:
        for _ in range(RESTS):
            if not machine.link.once():
                return
        raise AssertionError(f"{_said(machine)} never comes to rest")

    def _begins(self, machine: Machine) -> str:
        holder = machine.keep.log.holder
        if not machine.keep.book.told:
            if not machine.keep.book.stopped:
                self.knocking.append(machine)
            return f"{holder}: not answered ({machine.link.status.fault[:60]})"
        assert holder not in self.machines, f"two machines are {holder}"
        machine.do(acts.do_open, officer="chair", at=self.world.now)
        self.machines[holder] = machine
        return holder


def here(machine: Machine) -> list[UUID]:
    return [who for who, place in machine.keep.book.places.items() if place.standing == "here"]


def _said(machine: Machine, who: UUID | None = None) -> str:
    """For the story: the machine, and the voter by his serial number."""
    return machine.keep.log.holder.removeprefix("station/") + ("" if who is None else f" {SERIAL[who]}")
