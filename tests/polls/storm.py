"""Is each right used at most once, and none lost, whatever happens to the stations and to the centre, and however often it is put back?

python tests/polls/storm.py 0 300      # the first seed, and the one after the last; prints how many worlds and steps there were
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import sqlalchemy as sa

sys.path.extend(str(folder) for folder in Path(__file__).parents[:2])
import joined_world
from joined_world import POLL, Machine, World, held, right, world_of
from noted_world import Noted
from storm_commission import Commission
from storm_world import ADDED, HOME, PAIRS, SERIAL, VOTERS, Fate, NotNow, here, joined

from dauys.errors import DauysError
from dauys.pollbook.centre.predicates import MISSED, USED
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.machine import acts
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.settling.one_person import TWICE
from dauys.store import embedded
from dauys.store.engine import Connection, open_store

Rights = dict[UUID, tuple[str, int, int]]
"""Who holds each right by the centre, its epoch and its state."""

FATES: tuple[Fate, ...] = ("kept", "gone", "kept", "copied")
CERTIFICATE = {"on": True, "until": "18:00", "cite": "P"}
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None

BEFORE = {
    "make_a_package": 4, "start": 4, "move": 4, "add": 3, "use": 2, "declare_lost": 2, "sync_all": 2, "die": 1, "settle": 1,
    "certificate": 1, "undo": 1, "void_a_package": 1, "not_lost": 1, "pair": 1,
}  # fmt: skip
"""Until the copy is made: how often each step."""

SINCE = BEFORE | {
    "make_a_package": 3, "start": 3, "move": 8, "use": 3, "undo": 2, "settle": 2, "live": 1, "certificate_back": 1,
    "lose_an_answer": 2, "hold": 1, "knock": 1, "unpair": 1,
}  # fmt: skip
"""Between the copy and the death of the centre's disk: all of this is forgotten."""

MARKED = {
    "start": 3, "use": 2, "knock": 1, "undo": 1, "certificate": 1, "lose_an_answer": 1, "void_a_package": 1, "declare_lost": 1,
    "settle": 1, "restart": 1,
}  # fmt: skip
"""While nothing is given: machines begin, or not yet, and stations go on."""

AFTER = SINCE | {
    "move": 12, "sync_all": 3, "add": 2, "decide_again": 2, "be_heard_again": 1, "fall_silent": 1, "lift": 2, "restart": 1,
    "knock": 3, "find": 2, "ask": 2, "sync": 2, "give_back_again": 1,
}  # fmt: skip
"""When it was put back, and mostly the mark is lifted."""


class Storm(Commission):
    """The country, the story of what was done in it, and what must hold."""

    def __init__(self, world: World, noted: Noted, seed: int) -> None:
        super().__init__(world, noted, random.Random(seed), FATES[seed % len(FATES)])
        self.seed = seed
        self.story: list[str] = []

    def run(self) -> None:
        self.some(self.dice.randint(3, 14), BEFORE)
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            self.step("copy_is_made")
            self.some(self.dice.randint(4, 16), SINCE)
            self.goes_back()
            self.some(self.dice.randint(6, 20), AFTER)
        self.everything_ends()

    def some(self, number: int, weights: Mapping[str, int]) -> None:
        for name in self.dice.choices(list(weights), list(weights.values()), k=number):
            self.step(name)

    def goes_back(self) -> None:
        """The disk dies; some machines are not heard and mostly given up, the others are heard, and the mark is lifted if it can be."""
        self.step("put_back")
        self.some(self.dice.randint(0, 4), MARKED)
        for holder in self.machines:
            if self.dice.random() < 0.3:
                self.silent.add(holder)
        for name in ("give_up", "sync_all", "sync_all", "lift"):
            if name != "give_up" or self.dice.random() < 0.8:
                self.step(name)

    def step(self, name: str) -> None:
        """One, a second after the last one; what is refused is in the story as well."""
        self.world.clock[0] += timedelta(seconds=1)
        try:
            done = getattr(self, name)()
        except NotNow:
            return
        except DauysError as error:
            done = f"refused: {str(error)[:100]}"
        self.seen[name] += 1
        self.story.append(f"{name.replace('_', ' ')} {done}".rstrip())
        self.nobody_votes_twice()

    # What must hold

    def nobody_votes_twice(self) -> None:
        """After every step, over all disks, heard or not."""
        used = Counter(who for machine in self.machines.values() for who in machine.keep.book.used_by)
        self.holds(max(used.values(), default=0) <= 1, "used twice", _serials(used))
        able = Counter(who for machine in self.machines.values() for who in _may_be_used(machine))
        self.holds(max(able.values(), default=0) <= 1, "can be used at two places", _serials(able))

    def everything_ends(self) -> None:
        """Every disk is found and heard, what was decided is decided again, and who has not voted votes."""
        self.silent.clear()
        self.all_heard()
        for _ in range(5):
            if self.noted.mark is not None:
                self.step("lift")
                self.all_heard()
        self.holds(self.noted.mark is None, "the mark is never lifted")
        for _ in range(len(self.forgotten)):
            self.step("decide_again")
        self.is_settled()
        self.holds(not self.forgotten, "what was decided cannot be decided again", self.forgotten)
        missed = cursor(self.world.connection).execute(
            f"SELECT holder FROM pollbook_log l WHERE poll = %s AND {MISSED}", (POLL,)
        )
        self.holds(missed.rowcount == 0, "a machine that was heard leaves rights in doubt", missed.fetchall())
        self.centre_counts()
        self.everybody_votes()
        self.is_settled()
        self.centre_counts()

    def is_settled(self) -> None:
        """A right is asked for, used; then the other one of the same person is asked for, let go, withdrawn."""
        for _ in range(3):
            self.step("settle")
            self.all_heard()

    def centre_counts(self) -> None:
        """The centre has every event, counts what stands on the disks, and blames nobody."""
        used: Counter[UUID] = Counter()
        for holder, machine in self.machines.items():
            self.holds(not machine.keep.book.stopped, "an honest machine is stopped", holder)
            self.holds(
                machine.link.waiting == 0, "events are lost on their way", f"{holder}: {machine.link.status.fault}"
            )
            used.update(_standing(machine))
        self.holds(max(used.values(), default=0) <= 1, "used twice", _serials(used))
        for who, (_, _, state) in self._rights().items():
            self.holds((state == USED) == (used[who] == 1), "the centre counts otherwise", SERIAL[who])
        self.nobody_is_two(used)
        self.holds(not (blamed := list(self._blamed())), "a false alarm", blamed)
        told = [one for _, found in audit_poll(self.world.connection, POLL) for one in found]
        self.holds(not told, "the audit finds what did not happen", [one.text for one in told])

    def nobody_is_two(self, used: Counter[UUID]) -> None:
        """Where somebody used both rights whom the commission takes for one person, it hears of it."""
        told = {serial for number, serial in self._alarms() if number == TWICE}
        for person in joined(self._in_force("paired")):
            uses = sum(used[right(one)] for one in person)
            if uses > 1:
                self.seen["one person used two rights"] += 1
                self.holds(len(told & person) >= uses - 1, "one person voted twice", person)

    def everybody_votes(self) -> None:
        """No right is lost: who is on the roll, was not withdrawn and has not voted is given his right at his own station.

        So is he whose other right was withdrawn: nobody loses both, unless he is dead.
        What a machine that is lost still holds comes to others when it is found and its list is closed.
        """
        for station in VOTERS:
            if self._working(station) is None:
                self.packages.pop(station, None)
                said = self.begin(station)
                self.holds(self._working(station) is not None, "a station cannot begin", said)
        lost = "SELECT holder FROM pollbook_log WHERE poll = :poll AND lost AND NOT closed"
        self.world.at(20)
        for holder in self.world.connection.scalars(sa.text(lost), {"poll": POLL}).all():
            self.machines[holder].do(acts.do_close, officer="chair", at=self.world.now)
        self.all_heard()
        self.world.at(19)
        self.is_settled()
        self.step("give_back_again")
        self.all_heard()
        waiting: dict[UUID, Machine] = {}
        rights = self._rights()
        for who, (holder, _, state) in rights.items():
            machine = self._working(HOME[SERIAL[who]])
            votes = self._may_vote(SERIAL[who], rights) or (holder != WITHDRAWN and not self._is_asked_back(who))
            if machine is not None and state != USED and votes:
                waiting[who] = machine
        refused: dict[UUID, DauysError] = {}
        for who, machine in waiting.items():
            if who not in here(machine):
                try:
                    self._wants(machine, who)
                except DauysError as error:
                    refused[who] = error
        self.all_heard()
        for who, machine in waiting.items():
            self.holds(
                who in here(machine), "a right is lost", f"{SERIAL[who]}: {held(self.world, who)} {refused.get(who)}"
            )
            machine.check_in(who, self.world.now)
        self.all_heard()

    # What that is made of

    def holds(self, kept: bool, what: str, where: Any = "") -> None:
        if not kept:
            raise AssertionError("\n".join((f"seed {self.seed}: {what}: {where}", *self._books())))

    def all_heard(self) -> None:
        """Until nobody has anything new to say."""
        before = [-1]
        while before != (heads := [machine.keep.book.head.n for machine in self.machines.values()]):
            before = heads
            for machine in self.machines.values():
                self._exchange(machine)

    def told(self) -> Iterator[str]:
        """The story, and what each machine wrote."""
        yield from (f"seed {self.seed}", *self.story)
        for holder, machine in self.machines.items():
            for event in machine.keep.events():
                serial = "" if event.entitlement is None else SERIAL[event.entitlement]
                yield f"{holder} {event.n}: {event.kind} {serial} {event.body.get('epoch', '')}".rstrip()

    def _books(self) -> Iterator[str]:
        """What the centre has."""
        yield f"alarms: {[(one.number, one.station, one.n, one.text) for one in alarms(self.world.connection, POLL)]}"
        yield from (f"{SERIAL[who]}: {found}" for who, found in self._rights().items())

    def _blamed(self) -> Iterator[tuple[str, int]]:
        """The alarms that honest machines do not raise, and whose right each is of.

        P.120 is true: the centre was put back. When logs are read again, a check-in that was undone may come after its right moved on
        (P.101, P.102), and a voter who was added may be added again after his log was heard (P.101, P.103). Who used two rights,
        though he may have undone one or be two people by now, did (P.109).
        """
        twice = {serial for person in joined(PAIRS) if sum(map(self._has_voted, person)) > 1 for serial in person}
        for number, serial in self._alarms():
            true = {"P.120": True, "P.101": True, "P.102": True, "P.103": serial in ADDED, TWICE: serial in twice}
            if not true.get(number):
                yield number, serial

    def _alarms(self) -> list[tuple[str, int]]:
        rows = cursor(self.world.connection).execute(
            "SELECT number, entitlement FROM pollbook_alarm WHERE poll = %s", (POLL,)
        )
        return [(row.number, SERIAL.get(row.entitlement, 0)) for row in rows]

    def _has_voted(self, serial: int) -> bool:
        """Whether there is a check-in, be it undone."""
        events = (event for machine in self.machines.values() for event in machine.keep.events())
        return any(event.kind == "check-in" and event.entitlement == right(serial) for event in events)

    def _may_vote(self, serial: int, rights: Rights) -> bool:
        """Whether by no decision that is in force his right is withdrawn, or may be in the place of one that was used."""
        twins = [PAIRS[stays] for stays in self._in_force("paired")]
        person = next((some for some in joined(self._in_force("paired")) if serial in some), {serial})
        instead = any(rights[right(one)][2] == USED for one in person - {serial})
        return ("died", serial) not in self.decided.sets and serial not in twins and not instead

    def _rights(self) -> Rights:
        query = sa.text("SELECT id, holder, epoch, state FROM entitlement WHERE poll = :poll ORDER BY home, id")
        return {
            row.id: (row.holder, row.epoch, row.state) for row in self.world.connection.execute(query, {"poll": POLL})
        }

    def _working(self, station: str) -> Machine | None:
        """The machine of a station that is not lost."""
        query = sa.text("SELECT holder FROM pollbook_log WHERE poll = :poll AND station = :station AND NOT lost")
        holder = self.world.connection.scalar(query, {"poll": POLL, "station": station})
        return self.machines.get(holder or "")

    def _is_asked_back(self, who: UUID) -> bool:
        query = (
            "SELECT FROM roll_withdrawal WHERE poll = %s AND entitlement = %s AND outcome NOT IN ('returned', 'kept')"
        )
        return cursor(self.world.connection).execute(query, (POLL, who)).rowcount > 0


def _standing(machine: Machine) -> Counter[UUID]:
    """The check-ins that stand, by the events alone."""
    events = list(machine.keep.events())
    undone = {event.body["of"] for event in events if event.kind == "undo"}
    return Counter(
        event.entitlement for event in events if event.kind == "check-in" and event.n not in undone if event.entitlement
    )


def _may_be_used(machine: Machine) -> list[UUID]:
    """The rights that were used there or can be."""
    places = machine.keep.book.places.items()
    return [
        who
        for who, place in places
        if place.standing == "used" or (place.standing == "here" and not machine.keep.book.closed)
    ]


def _serials(rights: Counter[UUID]) -> list[int]:
    return [SERIAL[who] for who, times in rights.items() if times > 1]


def storm(connection: Connection, folder: Path, seed: int) -> Counter[str]:
    """One world, in a transaction that the caller undoes; what was seen in it. Raises AssertionError with its story."""
    with patch.dict(joined_world.VOTING, certificate=CERTIFICATE), world_of(connection, folder, VOTERS) as world:
        world.at(9)
        noted = Noted(world, folder / "keys" / "pollbook.journal")
        noted.hold()
        one = Storm(world, noted, seed)
        try:
            one.run()
        except Exception as error:
            error.add_note("\n".join(one.told()))
            raise
        return one.seen


def storms(engine: sa.Engine, seeds: Iterable[int]) -> Iterator[Counter[str]]:
    """World after world, each undone."""
    for seed in seeds:
        with (
            engine.connect() as connection,
            connection.begin() as all_of_it,
            tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        ):
            yield storm(connection, Path(folder), seed)
            all_of_it.rollback()


if __name__ == "__main__":
    first, last = (int(text) for text in (*sys.argv[1:], *("0", "100")[len(sys.argv) - 1 :]))
    begun, seen = time.perf_counter(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="dauys", dir=MEMORY) as store:
        engine = open_store(Path(store))
        try:
            for found in storms(engine, range(first, last)):
                seen += found
        finally:
            engine.dispose()
            embedded.stop(Path(store))
    steps = sum(times for name, times in seen.items() if hasattr(Commission, name))
    took = time.perf_counter() - begun
    print(f"{last - first:,} worlds, {steps:,} steps in {took:.0f} s: no right used twice, none lost, no false alarm")
    for name, times in sorted(seen.items()):
        print(f"{times:>9,}  {name.replace('_', ' ')}")
