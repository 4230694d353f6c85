"""A world whose packages, enrolments and losses stand in a journal beside the keys, as at a running centre."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import sqlalchemy as sa
from joined_world import POLL, Machine, OneConnection, World, synced

from dauys.pollbook.centre.mark import Mark, mark, standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back import restored
from dauys.pollbook.put_back.doubts import in_doubt
from dauys.pollbook.put_back.journal import Journal


class Noted:
    """A world whose packages, enrolments and losses stand in a journal."""

    def __init__(self, world: World, path: Path) -> None:
        self.world, self.path = world, path
        self.engine = cast(sa.Engine, OneConnection(world.connection))
        self.journal = Journal(path)

    def again(self) -> None:
        """Another process."""
        self.journal = Journal(self.path)

    def package(self, station: str) -> packing_out.Packed:
        with self.journal.acting(self.engine, POLL, station, self.world.now):
            return self.world.packed(station)

    def machine(self, packed: packing_out.Packed, where: str) -> Machine:
        ((one, package, _),) = packing_out.write(self.world.folder, [packed])
        keep = enrol(package, one.code, self.world.folder / where, "http://centre")
        with self.journal.acting(self.engine, POLL, packed.log.station, self.world.now):
            machine = Machine(keep, self.world.link(keep), self.world.dice)
            machine.link.once()
        self.world.stations[where] = machine
        return machine

    def lose(self, station: str, *, vouched: bool = False) -> None:
        """`vouched`: as the command does, by what the journal says of itself."""
        with self.journal.acting(self.engine, POLL, station, self.world.now) as connection:
            every = vouched and self.journal.vouches(connection, POLL)
            packing_out.lose(connection, POLL, station, every=every)

    def not_lost(self, station: str) -> None:
        with self.journal.acting(self.engine, POLL, station, self.world.now) as connection:
            packing_out.not_lost(connection, POLL, station, self.world.now, "anna")

    def hold(self) -> str:
        return self.journal.hold(self.world.connection, POLL, self.world.now)

    @property
    def mark(self) -> Mark | None:
        return standing(cursor(self.world.connection), POLL)

    def logs(self) -> list[tuple[str, int, bool]]:
        query = sa.text("SELECT station, generation, lost FROM pollbook_log WHERE poll = :poll ORDER BY 1, 2")
        return [tuple(row) for row in self.world.connection.execute(query, {"poll": POLL})]  # type: ignore[misc]


def opened(noted: Noted, station: str, where: str) -> Machine:
    machine = noted.machine(noted.package(station), where)
    machine.do(acts.do_open, officer="chair", at=noted.world.now)
    synced(machine)
    return machine


def put_back(noted: Noted, copy: sa.NestedTransaction) -> None:
    """The copy is in the database's place; the journal stays."""
    noted.hold()
    copy.rollback()
    noted.again()


def put_back_and_lifted(noted: Noted, copy: sa.NestedTransaction, *heard: Machine) -> int:
    """The copy is back, which the journal sees; these machines are heard, and the mark is lifted; how many rights stay in doubt."""
    put_back(noted, copy)
    assert noted.hold()
    synced(*heard)
    return lifted(noted.world)


def put_back_without_journal(noted: Noted, copy: sa.NestedTransaction) -> None:
    """The copy is back and the journal is gone: a person says so."""
    copy.rollback()
    noted.path.unlink()
    noted.again()
    noted.hold()
    said_by_a_person(noted.world)


def said_by_a_person(world: World) -> None:
    """That the database was put back; the journal did not see it."""
    mark(cursor(world.connection), POLL, "anna", world.at(9, 5), again=True, blind=True)


def lifted(world: World, word: str = "", packages: str = "good") -> int:
    """The mark is lifted; how many rights stay in doubt."""
    restored.lift(world.connection, POLL, "anna", world.now, word, packages=packages)
    return sum(in_doubt(cursor(world.connection), POLL).values())
