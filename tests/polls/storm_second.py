"""Another poll of the same day and the same roll, beside the one of the storm: does either disturb the other?

Two stations, which are always heard; what is decided about the roll is asked for in both polls.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from joined_world import KEYS, STATIONS, VAULT, Machine, World, iin_of, synced
from storm_oracle import Polling
from storm_people import HOME, Ballots
from storm_remote import Remote
from storm_world import Decision, here

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


class Second(Remote):
    """The storm, and the other poll."""

    there: World
    there_ballots: Ballots

    def second_begins(self) -> None:
        world = self.world
        before = world.now - timedelta(days=20)
        poll = replace(world.poll, id=NAME)
        open_poll(world.connection, poll, [Station(name, area, 2) for name, area in STATIONS.items()], THEIRS, before)
        freeze(world.connection, VAULT, poll, KEYS.commission, before, processes=0)
        folder = world.folder / "second"
        folder.mkdir()
        self.there_ballots = Ballots()
        self.there = World(world.connection, folder, poll, world.wires, world.clock, dice=world.dice)
        for station in ("A-1", "B-1"):
            self.there.start(station)
        self.second_heard()

    # Steps

    def second_use(self) -> str:
        machine = self._there()
        who = self._one_of(here(machine))
        self._hand_out_there(machine, who)
        if self.dice.random() < 0.5:
            synced(machine)
        return f"{machine.keep.log.station} {NUMBER[who]}"

    def second_undo(self) -> str:
        machine = self._there()
        ballot = self._one_of(self.there_ballots.standing(machine.keep.log.holder))
        self.take_back_a_ballot(machine, ballot)
        return f"{machine.keep.log.station} {ballot.serial}"

    def second_move(self) -> str:
        machine = self._there()
        places = machine.keep.book.places
        who = self._one_of(one for one in NUMBER if one not in places or places[one].standing == "away")
        self._wants_there(machine, who)
        self.second_heard()
        return f"{machine.keep.log.station} {NUMBER[who]}: {'given' if who in here(machine) else 'not given'}"

    def second_settles(self) -> str:
        self.second_heard()
        with self.world.connection.begin_nested():
            seal(self.world.connection, NAME, KEYS.commission, self.world.now)
        with self.world.connection.begin_nested():
            return str(withdraw(self.world.connection, self.there.poll, KEYS.commission, self.world.now).withdrawn)

    def put_back(self) -> str:
        said = super().put_back()
        with self.world.connection.begin_nested():
            mark(cursor(self.world.connection), NAME, "anna says so", self.world.now, again=True)
        self.second_heard()
        with self.world.connection.begin_nested():
            if standing(cursor(self.world.connection), NAME) is not None:
                restored.lift(
                    self.world.connection,
                    NAME,
                    "anna",
                    self.world.now,
                    "both were telephoned",
                    blind=True,
                    packages="good",
                )
        return said

    def ask_later(self) -> str:
        before = list(self.decided.unasked)
        said = super().ask_later()
        for one in before:
            if one not in self.decided.unasked:
                self._withdraw_there(self.decided.sets[one])
        return said

    def give_back_again(self) -> str:
        said = super().give_back_again()
        for number in (*self.decided.called_off, *self._pairs_in_force()):
            self._back_there(number)
        return said

    def _decide(self, one: Decision) -> str:
        called_off = len(self.decided.called_off)
        said = super()._decide(one)
        what, _ = one
        with self.world.connection.begin_nested():
            if what == "added":
                number = self.decided.sets[one]
                add_set(
                    self.world.connection, VAULT, self.there.poll, number, "forgotten", KEYS.commission, self.world.now, additions
                )  # fmt: skip
                self._back_there(number)
            elif what in ("died", "paired"):
                if one not in self.decided.unasked:
                    self._withdraw_there(self.decided.sets[one])
            else:
                for number in self.decided.called_off[called_off:]:
                    if what == "unadded":
                        withdraw_added(
                            self.world.connection, VAULT, self.there.poll, number, "wrong", "vera", self.world.now
                        )
                        self._withdraw_there(number)
                    elif self.dice.random() < 0.6:
                        self._back_there(number)
        return said

    # At the end

    def second_polling(self) -> Polling:
        return Polling(
            self.world.connection, self.there.poll, lambda: self.world.now, self.there_ballots, right_there,
            self.there.stations.values, self.there.stations.get, lambda machine, one: self._wants_there(machine, right_there(one)),
            self.second_heard, lambda machine, one: self._hand_out_there(machine, right_there(one)),
        )  # fmt: skip

    # What that is made of

    def _there(self) -> Machine:
        return self._one_of(self.there.stations.values())

    def _hand_out_there(self, machine: Machine, who: UUID) -> None:
        event = machine.check_in(who, self.world.now)
        self.there_ballots.note(NUMBER[who], machine.keep.log.holder, event)

    def second_heard(self) -> None:
        before = [-1]
        while before != (heads := [machine.keep.book.head.n for machine in self.there.stations.values()]):
            before = heads
            synced(*self.there.stations.values())

    def _wants_there(self, machine: Machine, who: UUID) -> None:
        self.asked += 1
        place = machine.keep.book.places.get(who)
        asked = {"iin": iin_of(NUMBER[who]), "n": machine.keep.book.head.n}
        try:
            machine.link.wire.question("find", asked | ({} if place is None else {"epoch": place.epoch}))
            machine.link.wire.question("ask", {"request": f"ask-{self.asked}", "entitlement": str(who)})
        except DauysError as error:
            if "P.050" not in str(error):
                raise

    def _withdraw_there(self, number: int) -> None:
        withdraw_set(self.world.connection, VAULT, self.there.poll, number, "why", "vera", self.world.now)

    def _back_there(self, number: int) -> None:
        give_back(self.world.connection, self.there.poll, number, "back", "vera", KEYS.commission, self.world.now)
