"""A country of three stations on its worst day: what can happen at them and on their wires, one step after the other, by a die?

Real stores, packages, routes, journal and SQL. A step that the centre or a machine refuses is a step, too. Who lives here, and what
truly happened, is in `storm_people`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

import joined_world
from joined_world import POLL, Machine, World, right
from noted_world import Noted
from storm_people import HOME, VOTERS, Ballot, Ballots
from test_decided_since import finds, wants

from dauys.errors import DauysError
from dauys.pollbook.machine import acts
from dauys.pollbook.packing.packages import Packed

T = TypeVar("T")

SERIAL = {right(serial): serial for serial in HOME}
RESTS = 30
"""Exchanges after which a machine has nothing more to say or to hear."""

Fate = Literal["kept", "copied", "gone"]
"""What becomes of the journal when the database is put back: it stays, it is put back as well, or it is gone."""

What = Literal["added", "unadded", "died", "lives", "paired", "unpaired"]
Decision = tuple[What, int]
"""Of the commission, about the voter with this serial number; or about this one of `PAIRS`, one person or two."""


@dataclass(slots=True)
class Decided:
    """What the commission decided, one after the other, as far as its database knows."""

    made: list[Decision] = field(default_factory=list)
    sets: dict[Decision, int] = field(default_factory=dict)
    """By decision that is in force, its change set: who has died, and which pairs are one person."""
    called_off: list[int] = field(default_factory=list)
    """The sets of those that are not in force any more."""
    unasked: list[Decision] = field(default_factory=list)
    """Those in force by which the rights are not asked back yet: `dauys roll withdraw` comes later."""


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
        self.ballots = Ballots()
        """What truly happened."""
        self.knocking: list[Machine] = []
        """Machines that the centre did not take yet, for its books are not whole."""
        self.packages: dict[str, Packed] = {}
        """By station, those that somebody may enrol with: mostly nobody has."""
        self.decided = Decided()
        self.forgotten: list[Decision] = []
        """What was decided since a copy that was put back, and is to be decided again."""
        self.added_again: set[int] = set()
        """Whose addition was forgotten so."""
        self.asked = 0
        self.seen: Counter[str] = Counter()
        self.story: list[str] = []

    def step(self, name: str) -> None:
        """One, a second after the last one; what is refused is in the story as well."""
        self.world.clock[0] += timedelta(seconds=1)
        try:
            done = getattr(self, name)()
            self.seen[name] += 1
        except NotNow:
            return
        except DauysError as error:
            done = f"refused: {str(error)[:100]}"
            self.seen["refused"] += 1
        self.story.append(f"{name.replace('_', ' ')} {done}".rstrip())
        self.nobody_votes_twice()

    def nobody_votes_twice(self) -> None:
        """Looked at after every step."""
        raise NotImplementedError

    # At a station

    def use(self) -> str:
        machine = self._machine()
        who = self._one_of(here(machine))
        self.hand_out_a_ballot(machine, who)
        return said(machine, who)

    def undo(self) -> str:
        machine = self._machine()
        ballot = self._one_of(self.ballots.standing(machine.keep.log.holder, by_hand=False))
        self.take_back_a_ballot(machine, ballot)
        return said(machine, right(ballot.serial))

    def certificate(self) -> str:
        machine, day_before = self._machine(), self.world.now - timedelta(days=1)
        who = self._one_of(here(machine))
        machine.do(acts.do_certificate, who, number="C", officer="member1", at=day_before)
        return said(machine, who)

    def certificate_back(self) -> str:
        machine = self._machine()
        who = self._one_of(machine.keep.book.certificates)
        machine.do(acts.do_certificate_back, who, reason="wrong", officer="member1", at=self.world.now)
        return said(machine, who)

    def find(self) -> str:
        machine, who = self._stranger()
        return f"{said(machine, who)}: {finds(machine, SERIAL[who]).get('holder', 'is not known')}"

    def ask(self) -> str:
        machine, who = self._stranger()
        self._wants(machine, who)
        return said(machine, who)

    def move(self) -> str:
        """A voter stands where his right is not; everybody is heard, and mostly he gets it. He may use it, heard or not."""
        return self._moves(*self._stranger())

    def _moves(self, machine: Machine, who: UUID) -> str:
        self._wants(machine, who)
        others = [one for one in self._heard() if one is not machine]
        self.dice.shuffle(others)
        for one in (*others, machine, machine):
            self._exchange(one)
        if who not in here(machine):
            return f"{said(machine, who)}: not given"
        if self.dice.random() < 0.4:
            return f"{said(machine, who)}: given"
        self.hand_out_a_ballot(machine, who)
        if self.dice.random() < 0.3:
            return f"{said(machine, who)}: used, not sent"
        self._exchange(machine)
        return f"{said(machine, who)}: used"

    # On the wire

    def sync(self) -> str:
        machine = self._one_of(self._heard())
        self._exchange(machine)
        return said(machine)

    def sync_all(self) -> str:
        for machine in self._heard():
            self._exchange(machine)
        return ""

    def lose_an_answer(self) -> str:
        machine = self._one_of(self._heard())
        self.world.wires.lose = True
        machine.link.once()
        self.world.wires.lose = False
        self.is_looked_at(machine)
        return said(machine)

    def fall_silent(self) -> str:
        if len(self.silent) >= 3:
            raise NotNow
        machine = self._one_of(self._heard())
        self.silent.add(machine.keep.log.holder)
        return said(machine)

    def be_heard_again(self) -> str:
        by_hand = {one.at for one in self.ballots.standing(by_hand=True)}
        holder = self._one_of(sorted(self.silent - by_hand))
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

    def hand_out_a_ballot(self, machine: Machine, who: UUID, channel: str = "polling-day", **more: Any) -> None:
        """Once the machine has it on its disk, and not before."""
        event = machine.check_in(who, self.world.now, channel, **more)
        self.ballots.note(SERIAL[who], machine.keep.log.holder, event)

    def take_back_a_ballot(self, machine: Machine, ballot: Ballot) -> None:
        machine.do(acts.do_undo, ballot.n, reason="wrong", officer="member1", at=self.world.now)
        ballot.back = True

    def is_looked_at(self, machine: Machine) -> None:
        """After each exchange: whether something happened at the machine by itself."""

    def _one_of(self, some: Iterable[T]) -> T:
        if not (found := list(some)):
            raise NotNow
        return self.dice.choice(found)

    def _heard(self) -> list[Machine]:
        return [machine for holder, machine in self.machines.items() if holder not in self.silent]

    def _machine(self) -> Machine:
        """A station's that is heard."""
        return self._one_of(one for one in self._heard() if one.keep.log.station in VOTERS)

    def _station(self) -> str:
        return self._one_of(VOTERS)

    def _stranger(self) -> tuple[Machine, UUID]:
        """A voter who stands where his right is not, as far as that machine knows."""
        machine = self._machine()
        places = machine.keep.book.places
        return machine, self._one_of(one for one in SERIAL if one not in places or places[one].standing == "away")

    def _wants(self, machine: Machine, who: UUID) -> None:
        self.asked += 1
        if "any-station" not in joined_world.VOTING:  # then the page offers it to few
            said = finds(machine, SERIAL[who])
            if said.get("line") is None or (said["holder"] == machine.keep.log.holder and not said["let_go"]):
                return
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

    def all_heard(self) -> None:
        """Until nobody has anything new to say."""
        before = [-1]
        while before != (heads := [machine.keep.book.head.n for machine in self.machines.values()]):
            before = heads
            for machine in self.machines.values():
                self._exchange(machine)

    def _exchange(self, machine: Machine) -> None:
        for _ in range(RESTS):
            more = machine.link.once()
            self.is_looked_at(machine)
            if not more:
                return
        raise AssertionError(f"{said(machine)} never comes to rest")

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


def said(machine: Machine, who: UUID | None = None) -> str:
    """For the story: the machine, and the voter by his serial number."""
    return machine.keep.log.holder.removeprefix("station/") + ("" if who is None else f" {SERIAL[who]}")
