"""Another poll of the same day and the same roll, beside the one of the storm: does either disturb the other?

Its stations are always heard; what is decided about the roll is asked for in both polls, and both are put back with one database.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from joined_world import KEYS, STATIONS, VAULT, Machine, World, iin_of, synced
from storm_oracle import Polling
from storm_people import HOME, Ballots
from storm_remote import Remote
from storm_world import Decision, NotNow, here

from dauys.errors import DauysError
from dauys.pollbook.centre.mark import mark, standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.put_back import restored
from dauys.pollbook.settling import additions
from dauys.pollbook.settling.withdrawals import withdraw_added, withdraw_set
from dauys.polls.keys import Keys
from dauys.polls.opening import open_poll
from dauys.polls.pollbook_join import give_back, seal, withdraw
from dauys.record.note import SigningKey
from dauys.registers.poll import Station
from dauys.roll.freeze import add_set, freeze

NAME = "test/second"
THEIRS = Keys(SigningKey.from_seed(f"dauys/{NAME}", bytes(32)), KEYS.commission, None)


def right_there(serial: int) -> UUID:
    return UUID(bytes=VAULT.entitlement(NAME, VAULT.voter(iin_of(serial))))


NUMBER = {right_there(serial): serial for serial in HOME}


class Other:
    """The other poll: its stations, and what truly happens there."""

    def __init__(self, first: World) -> None:
        before = first.now - timedelta(days=20)
        poll = replace(first.poll, id=NAME)
        open_poll(first.connection, poll, [Station(name, area, 2) for name, area in STATIONS.items()], THEIRS, before)
        freeze(first.connection, VAULT, poll, KEYS.commission, before, processes=0)
        folder = first.folder / "second"
        folder.mkdir()
        self.world = World(first.connection, folder, poll, first.wires, first.clock, dice=first.dice)
        self.ballots, self.asked = Ballots(), 0
        for station in ("A-1", "B-1"):
            self.world.start(station)
        self.heard()

    def heard(self) -> None:
        """Until nobody has anything new to say."""
        before = [-1]
        while before != (heads := [machine.keep.book.head.n for machine in self.world.stations.values()]):
            before = heads
            synced(*self.world.stations.values())

    def wants(self, machine: Machine, serial: int) -> None:
        self.asked += 1
        who = right_there(serial)
        place = machine.keep.book.places.get(who)
        asked = {"iin": iin_of(serial), "n": machine.keep.book.head.n}
        try:
            machine.link.wire.question("find", asked | ({} if place is None else {"epoch": place.epoch}))
            machine.link.wire.question("ask", {"request": f"ask-{self.asked}", "entitlement": str(who)})
        except DauysError as error:
            if "P.050" not in str(error):  # it is given to this very machine
                raise

    def hand_out(self, machine: Machine, serial: int) -> None:
        event = machine.check_in(right_there(serial), self.world.now)
        self.ballots.note(serial, machine.keep.log.holder, event)

    def settles(self) -> int:
        """What is done each minute; how many rights were withdrawn."""
        self.heard()
        with self.world.connection.begin_nested():
            seal(self.world.connection, NAME, KEYS.commission, self.world.now)
        with self.world.connection.begin_nested():
            return withdraw(self.world.connection, self.world.poll, KEYS.commission, self.world.now).withdrawn

    def is_put_back(self) -> None:
        """Its machines are heard at once, and the mark is lifted."""
        with self.world.connection.begin_nested():
            mark(cursor(self.world.connection), NAME, "anna says so", self.world.now, again=True)
        self.heard()
        with self.world.connection.begin_nested():
            if standing(cursor(self.world.connection), NAME) is not None:
                restored.lift(
                    self.world.connection, NAME, "anna", self.world.now, "both were telephoned", blind=True, packages="good"
                )  # fmt: skip

    def add(self, number: int) -> None:
        add_set(
            self.world.connection, VAULT, self.world.poll, number, "forgotten", KEYS.commission, self.world.now, additions
        )  # fmt: skip
        self.give_back(number)

    def unadd(self, number: int) -> None:
        withdraw_added(self.world.connection, VAULT, self.world.poll, number, "wrong", "vera", self.world.now)

    def withdraw(self, number: int) -> None:
        withdraw_set(self.world.connection, VAULT, self.world.poll, number, "why", "vera", self.world.now)

    def give_back(self, number: int) -> int:
        """How many rights that were."""
        connection, poll = self.world.connection, self.world.poll
        return give_back(connection, poll, number, "back", "vera", KEYS.commission, self.world.now).returned

    def polling(self) -> Polling:
        return Polling(
            self.world.connection, self.world.poll, lambda: self.world.now, self.ballots, right_there,
            self.world.stations.values, self.world.stations.get, self.wants, self.heard, self.hand_out,
        )  # fmt: skip


class Second(Remote):
    """The country, with another poll in some worlds."""

    there: Other | None = None

    def second_begins(self) -> None:
        self.there = Other(self.world)

    # Steps

    def second_use(self) -> str:
        there, machine = self._there()
        who = self._one_of(here(machine))
        there.hand_out(machine, NUMBER[who])
        if self.dice.random() < 0.5:
            synced(machine)
        return f"{machine.keep.log.station} {NUMBER[who]}"

    def second_undo(self) -> str:
        there, machine = self._there()
        ballot = self._one_of(there.ballots.standing(machine.keep.log.holder))
        self.take_back_a_ballot(machine, ballot)
        return f"{machine.keep.log.station} {ballot.serial}"

    def second_move(self) -> str:
        there, machine = self._there()
        places = machine.keep.book.places
        who = self._one_of(one for one in NUMBER if one not in places or places[one].standing == "away")
        there.wants(machine, NUMBER[who])
        there.heard()
        return f"{machine.keep.log.station} {NUMBER[who]}: {'given' if who in here(machine) else 'not given'}"

    def second_settles(self) -> str:
        there, _ = self._there()
        return str(there.settles())

    # With what happens in the storm's own poll

    def put_back(self) -> str:
        said = super().put_back()
        if self.there is not None:
            self.there.is_put_back()
        return said

    def ask_later(self) -> str:
        before = list(self.decided.unasked)
        said = super().ask_later()
        if self.there is not None:
            for one in before:
                if one not in self.decided.unasked:
                    self.there.withdraw(self.decided.sets[one])
        return said

    def give_back(self) -> int:
        there = [] if self.there is None else [self.there.give_back(number) for number in self._sets_to_give_back()]
        return super().give_back() + sum(there)

    def _decide(self, one: Decision) -> str:
        called_off = len(self.decided.called_off)
        said = super()._decide(one)
        if self.there is not None:
            with self.world.connection.begin_nested():
                self._decide_there(self.there, one, self.decided.called_off[called_off:])
        return said

    def _decide_there(self, there: Other, one: Decision, called_off: list[int]) -> None:
        what, _ = one
        if what == "added":
            there.add(self.decided.sets[one])
        elif what in ("died", "paired"):
            if one not in self.decided.unasked:
                there.withdraw(self.decided.sets[one])
        else:
            for number in called_off:
                if what == "unadded":
                    there.unadd(number)
                elif self.dice.random() < 0.6:
                    there.give_back(number)

    def _there(self) -> tuple[Other, Machine]:
        if self.there is None:
            raise NotNow
        return self.there, self._one_of(self.there.world.stations.values())
