"""What do the commission and its centre do in the storm? Packages, losses, copies of the database, and the marks of `restored`."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import sqlalchemy as sa
from joined_world import POLL
from storm_world import Country, Decided, NotNow
from test_put_back_lost import missed

from dauys.errors import DauysError
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back import restored
from dauys.pollbook.put_back.doubts import in_doubt

WORD = "each station was telephoned"


@dataclass(frozen=True, slots=True)
class Copy:
    """What there was when the database was copied."""

    database: sa.NestedTransaction
    journal: bytes
    decided: Decided


class Commission(Country):
    """The country, and the steps of those who govern it. Each command first holds the whole journal against the database."""

    copy: Copy | None = None

    # About packages and machines

    def make_a_package(self) -> str:
        station = self._station()
        self.noted.hold()
        self.packages[station] = self.noted.package(station)
        return str(self.packages[station].log.holder)

    def start(self) -> str:
        return self.begin(self._station())

    def declare_lost(self) -> str:
        """The newest machine of a station: mostly one that is silent, now and then the wrong one."""
        station = self._station()
        newest = self._one_of([one for one in self.machines if one.startswith(f"station/{station}/")][-1:])
        if newest not in self.silent and self.dice.random() < 0.6:
            raise NotNow
        return f"{station}: {self._lose(station)}"

    def void_a_package(self) -> str:
        station = self._one_of(self.packages)
        said = self._lose(station)
        del self.packages[station]
        return f"{station}: {said}"

    def not_lost(self) -> str:
        station = self._station()
        if any(self.machines[one.at].keep.log.station == station for one in self.ballots.standing(by_hand=True)):
            raise NotNow  # somebody was handed a ballot by hand: nobody says that nobody was
        self.noted.hold()
        with self.noted.journal.acting(self.noted.engine, POLL, station, self.world.now) as connection:
            return f"{station}: {packing_out.not_lost(connection, POLL, station, self.world.now, 'anna')[1]}"

    # The centre's disk

    def copy_is_made(self) -> str:
        self.noted.hold()
        kept = self.noted.path.read_bytes()
        self.copy = Copy(self.world.connection.begin_nested(), kept, deepcopy(self.decided))
        return ""

    def put_back(self) -> str:
        """The copy takes the place of the database, the centre starts, and what the journal does not see a person says."""
        if (copy := self.copy) is None:
            raise NotNow
        self.copy = None
        self.seen["put back with a package on its way"] += bool(self.packages)
        copy.database.rollback()
        self.forgotten = self.decided.made[len(copy.decided.made) :] + self.forgotten
        self.added_again |= {serial for what, serial in self.forgotten if what == "added"}
        self.decided = copy.decided
        if self.fate == "gone":
            self.noted.path.unlink()
        elif self.fate == "copied":
            self.noted.path.write_bytes(copy.journal)
        self.noted.again()
        with self.world.connection.begin_nested():
            restored.begins(self.world.connection, POLL)
        found = self.noted.hold()
        if not found or self.dice.random() < 0.2:
            with self.world.connection.begin_nested():
                mark(cursor(self.world.connection), POLL, "anna says so", self.world.now, again=True, blind=not found)
        self.seen[f"put back, the journal is {self.fate}"] += 1
        self._late_lists()
        return f"({found or 'somebody says so'})"

    def give_up(self) -> str:
        """Every silent machine is declared lost, by its number: the commission asks each station which it had."""
        said = []
        for holder in [one for one in self.machines if one in self.silent]:
            machine = self.machines[holder]
            self.seen["burnt with what it had not sent"] += machine.link.waiting > 0
            try:
                said.append(f"{holder} {self._lose(machine.keep.log.station, machine.keep.log.generation)}")
            except DauysError as error:
                said.append(f"{holder} refused: {error}")
        return ", ".join(said)

    def restart(self) -> str:
        self.noted.again()
        with self.world.connection.begin_nested():
            restored.begins(self.world.connection, POLL)
        return ""

    def hold(self) -> str:
        return self.noted.hold()

    def lift(self) -> str:
        """Somebody says that the books are whole; where no journal vouches for it, only when he knows of every machine."""
        if (found := self.noted.mark) is None:
            raise NotNow
        self.noted.hold()
        vouched = self.noted.journal.vouches(self.world.connection, POLL) and not found.blind
        known = self.world.connection.scalars(
            sa.text("SELECT holder FROM pollbook_log WHERE poll = :poll"), {"poll": POLL}
        )
        if self.machines.keys() - set(known):
            assert not vouched, "the journal vouches for machines that it does not know"
            raise NotNow
        with self.world.connection.begin_nested():
            again = not vouched and self.dice.random() < 0.3
            packages = "again" if again else "good"
            restored.lift(
                self.world.connection, POLL, "anna", self.world.now, WORD, blind=not vouched, packages=packages
            )
            self.seen["lifted, packages are made again"] += again and bool(self.packages)
            doubts = sum(in_doubt(cursor(self.world.connection), POLL).values())
        self.seen["given up unheard"] += bool(missed(self.world))
        self._late_lists()
        return f"{doubts} in doubt"

    def say_put_back(self) -> str:
        """Somebody says so, though it was not."""
        with self.world.connection.begin_nested():
            mark(cursor(self.world.connection), POLL, "anna says so", self.world.now, again=True)
        return ""

    # What the steps are made of

    def _lose(self, station: str, generation: int | None = None) -> str:
        """As `dauys pollbook lost`."""
        self.noted.hold()
        with self.noted.journal.acting(self.noted.engine, POLL, station, self.world.now) as connection:
            every = self.noted.journal.vouches(connection, POLL)
            return packing_out.lose(connection, POLL, station, generation, every=every)[1]

    def _late_lists(self) -> None:
        late = self.world.connection.scalar(
            sa.text("SELECT count(*) FROM pollbook_late_list WHERE poll = :p"), {"p": POLL}
        )
        self.seen["a list was made since the copy"] += bool(late)
