"""How does the storm's day end? Every disk is found and heard, what was forgotten is decided again, and the truth comes out.

Then who has not voted votes, and what the centre says is reckoned against what truly happened, in both polls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from joined_world import POLL, Machine, right
from storm_oracle import Polling, Reckoning, everybody_votes
from storm_people import HOME, PAIRS, PERSONS, VOTERS, everybody, joined, votes_of
from storm_second import Second
from storm_world import SERIAL

from dauys.pollbook.centre.predicates import MISSED
from dauys.pollbook.centre.take import cursor

SETTLES = 8
"""Minutes after which nothing changes any more."""


class Ending(Second):
    """The country, and what must hold in it."""

    seed: int

    # After every step

    def nobody_votes_twice(self) -> None:
        """Over all disks, heard or not: each has what truly happened there, and each right is at one place at most."""
        uses = self.ballots.uses()
        self.holds(max(uses.values(), default=0) <= 1, "used twice", _several(uses))
        able: Counter[int] = Counter()
        for holder, machine in self.machines.items():
            truly = {one.serial for one in self.ballots.standing(holder, by_hand=False)}
            noted = {SERIAL[who] for who in machine.keep.book.used_by}
            self.holds(noted == truly, "what was acknowledged is lost", f"{holder}: {noted} for {truly}")
            able.update(SERIAL[who] for who in _may_be_used(machine))
        self.holds(max(able.values(), default=0) <= 1, "can be used at two places", _several(able))

    # When the day is over

    def everything_ends(self) -> None:
        by_hand = dict.fromkeys(one.at for one in self.ballots.standing(by_hand=True))
        left = self.sheets_are_typed(by_hand)  # before their disks are found
        self.silent.clear()
        self.boxes_are_back()
        self.all_heard()
        for _ in range(5):
            if self.noted.mark is not None:
                self.step("lift")
                self.all_heard()
        self.holds(self.noted.mark is None, "the mark is never lifted")
        for _ in range(len(self.forgotten)):
            self.step("decide_again")
        for _ in range(len(self.decided.unasked)):
            self.step("ask_later")
        self.step("decided_otherwise")
        left = self.sheets_are_typed(left)
        self.holds(not left, "sheets that nobody can type", left)
        self.is_settled()
        self.hours_are_compared()
        self.is_settled()
        self.holds(not self.forgotten, "what was decided cannot be decided again", self.forgotten)
        missed = cursor(self.world.connection).execute(
            f"SELECT holder FROM pollbook_log l WHERE poll = %s AND {MISSED}", (POLL,)
        )
        self.holds(missed.rowcount == 0, "a machine that was heard leaves rights in doubt", missed.fetchall())
        self.is_reckoned()
        self.stations_begin()
        if self.dice.random() < 0.5:  # before the truth comes out, by what the commission takes for true
            self.what_was_withdrawn_by_mistake_is_given_back()
            self.all_vote(Counter())
        self.the_truth_comes_out()
        self.what_was_withdrawn_by_mistake_is_given_back()
        self.holds(sorted(map(sorted, self.persons())) == sorted(map(sorted, PERSONS)), "not the truth", self.persons())
        self.some_ballots_are_taken_back()
        self.all_heard()
        self.is_settled()
        enveloped = Counter(one.serial for one in self.ballots.envelopes())
        at_home = self.all_vote(enveloped)
        self.hours_are_compared()
        self.is_reckoned()
        self.lists_close()
        counted, final = self.envelopes_are_resolved()
        self.seen["envelopes"] += sum(enveloped.values())
        self.seen["envelopes that count"] += len(counted)
        lost = [one for one in at_home if enveloped[one] == 1 and one not in counted]
        self.holds(final or not lost, "an envelope that counts does not", lost)
        self.is_reckoned(counted)
        self.hold_all(self._reckoning(self.polling()).turnout(), "the turnout")

    def stations_begin(self) -> None:
        """Each has a machine that works; what a lost one still holds comes to others when its list is closed."""
        for station in VOTERS:
            if self._working(station) is None:
                self.packages.pop(station, None)
                told = self.begin(station)
                self.holds(self._working(station) is not None, "a station cannot begin", told)
        if self.there is not None and "A/2" not in self.there.world.stations:
            self.there.world.start("A/2")
        lost = "SELECT holder FROM pollbook_log WHERE poll = :poll AND lost AND NOT closed"
        self.world.at(20)
        for holder in self.world.connection.scalars(sa.text(lost), {"poll": POLL}).all():
            self.close(self.machines[holder])
        self.all_heard()
        self.world.at(19)
        self.is_settled()

    def what_was_withdrawn_by_mistake_is_given_back(self) -> None:
        self.is_settled()
        while given := self.give_back():
            self.story.append(f"given back {given}")
            self.is_settled()

    def is_settled(self) -> None:
        """A right is asked for, used; then the other one of the same person is asked for, let go, withdrawn."""
        before = self._stands()
        for _ in range(SETTLES):
            self.step("settle")
            self.step("second_settles")
            self.all_heard()
            if before == (before := self._stands()):
                return
        raise AssertionError(f"seed {self.seed}: the minute's work never comes to rest")

    def all_vote(self, enveloped: Counter[int]) -> list[int]:
        """Everybody who may, in both polls; who stays at home, for his envelope to count."""
        at_home: list[int] = []

        def stays(serial: int) -> bool:
            if serial in enveloped and self.dice.random() < 0.6:
                at_home.append(serial)
            return serial in at_home

        goes = {PAIRS[one][1] for one in self._in_force("paired")}
        may = [
            one for one in HOME if self._is_added(one) and ("died", one) not in self.decided.sets and one not in goes
        ]
        people = everybody(self.persons(), HOME)
        self.hold_all(everybody_votes(self.polling(), people, may, stays), "in the poll")
        if self.there is not None:
            self.hold_all(everybody_votes(self.there.polling(), people, may, lambda _: False), "in the other poll")
        self.is_settled()
        return at_home

    def is_reckoned(self, counted: Iterable[int] = ()) -> None:
        """The centre has every event, and says what truly happened."""
        for holder, machine in self.machines.items():
            self.holds(not machine.keep.book.stopped, "an honest machine is stopped", holder)
            fault = machine.link.status.fault
            self.holds(machine.link.waiting == 0, "events are lost on their way", f"{holder}: {fault}")
        both = {"in the poll": self._reckoning(self.polling(), counted)}
        if self.there is not None:
            both["in the other poll"] = self._reckoning(self.there.polling())
        for where, one in both.items():
            self.hold_all(one.faults(), where)
            self.seen.update(one.documented)
            votes = dict(votes_of(map(tuple, one.persons), one.polling.ballots.uses())).values()
            self.seen[f"one person voted twice {where}"] += max(votes, default=0) > 1

    # What that is made of

    def polling(self) -> Polling:
        return Polling(
            self.world.connection, self.world.poll, lambda: self.world.now, self.ballots, right, self.machines.values,
            self._working, lambda machine, one: self._wants(machine, right(one)), self.all_heard,
            lambda machine, one: self.hand_out_a_ballot(machine, right(one)),
        )  # fmt: skip

    def _reckoning(self, polling: Polling, counted: Iterable[int] = ()) -> Reckoning:
        return Reckoning(polling, self.persons(), joined(PAIRS), self.added_again, list(counted))

    def hold_all(self, faults: Iterator[str], where: str) -> None:
        told = list(faults)
        self.holds(not told, where, "; ".join(told))

    def holds(self, kept: bool, what: str, where: Any = "") -> None:
        if not kept:
            raise AssertionError(f"seed {self.seed}: {what}: {where}")

    def told(self) -> Iterator[str]:
        """The story, what each machine wrote, and what the centre has."""
        yield from (f"seed {self.seed}", *self.story)
        for holder, machine in self.machines.items():
            for event in machine.keep.events():
                serial = "" if event.entitlement is None else SERIAL[event.entitlement]
                yield f"{holder} {event.n}: {event.kind} {serial} {event.body.get('epoch', '')}".rstrip()
        rights = sa.text("SELECT id, holder, epoch, state FROM entitlement WHERE poll = :poll ORDER BY home, id")
        for row in self.world.connection.execute(rights, {"poll": POLL}):
            yield f"{SERIAL[row.id]}: {row.holder} {row.epoch} {row.state}"
        raised = sa.text("SELECT number, entitlement, text FROM pollbook_alarm WHERE poll = :poll ORDER BY id")
        for row in self.world.connection.execute(raised, {"poll": POLL}):
            yield f"{row.number} {SERIAL.get(row.entitlement, '')} {row.text}"

    def _stands(self) -> object:
        """What the minute's work changes."""
        heads = [machine.keep.book.head for machine in self._everywhere()]
        rows = "SELECT poll, entitlement, outcome, alarmed FROM roll_withdrawal ORDER BY 1, 2, 3, 4"
        return heads, self.world.connection.execute(sa.text(rows)).all()

    def _everywhere(self) -> list[Machine]:
        there = [] if self.there is None else list(self.there.world.stations.values())
        return [*self.machines.values(), *there]

    def _working(self, station: str) -> Machine | None:
        """The machine of a station that is not lost."""
        query = sa.text(
            "SELECT holder FROM pollbook_log WHERE poll = :poll AND station = :station AND NOT lost AND generation < 500"
        )
        holder = self.world.connection.scalar(query, {"poll": POLL, "station": station})
        return self.machines.get(holder or "")


def _may_be_used(machine: Machine) -> list[UUID]:
    """The rights that were used there or can be."""
    places = machine.keep.book.places.items()
    return [
        who
        for who, place in places
        if place.standing == "used" or (place.standing == "here" and not machine.keep.book.closed)
    ]


def _several(times: Counter[int]) -> list[int]:
    return [one for one, many in times.items() if many > 1]
