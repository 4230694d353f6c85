"""Where the law lets nobody vote at another station, as in 2022: his own station's machine takes whoever it has on its list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from joined_world import POLL, VOTING, Machine, World, held, right, synced, world_of
from noted_world import Noted, opened, put_back
from test_decided_since import add, died, findings, finds
from test_lists_since import here
from test_one_person import X
from test_one_person_overlaps import minutes
from test_returns import back, mistaken

from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back import restored

pytestmark = pytest.mark.database
WHO = right(50)


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.delitem(VOTING, "any-station")
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as made:
        made.at(9)
        yield made


def stands_there(world: World, machine: Machine) -> None:
    """X's officer asks for him, as the page offers; some minutes pass."""
    assert finds(machine, 1)["line"] is not None
    machine.link.wire.question("ask", {"request": "q", "entitlement": str(X)})
    minutes(world, machine)


def test_who_was_let_go_for_nobody_stands_at_his_stations_next_machine(world: World) -> None:
    """X is taken for dead by mistake; A-1/1 lets him go and burns before it says so. The mistake is undone, A-1/2 works, the disk
    is found; X stands there before the centre's next minute."""
    a = world.start("A-1")
    synced(a)
    number = died(world, ("A-1", 1))
    a.link.once()  # hears, lets go
    packing_out.lose(world.connection, POLL, "A-1")
    mistaken(world, number)
    assert back(world, number).kept == 1
    new = world.start("A-1")
    synced(a)
    stands_there(world, new)
    assert here(new, X) and findings(world) == []


def test_who_was_let_go_for_nobody_stands_at_the_machine_that_let_him_go(world: World) -> None:
    """The mistake is undone while the release is on its way."""
    a = world.start("A-1")
    synced(a)
    number = died(world, ("A-1", 1))
    a.link.once()  # hears, lets go
    mistaken(world, number)
    assert back(world, number).kept == 1
    a.link.once()  # says so
    stands_there(world, a)
    assert here(a, X) and findings(world) == []


def journal_gone(noted: Noted) -> None:
    noted.path.unlink()
    noted.again()
    mark(cursor(noted.world.connection), POLL, "anna says so", noted.world.now, blind=True)
    noted.hold()


def lifted(noted: Noted, packages: str) -> None:
    """The books are said to be whole; of packages on their way a person says that they are `again` to be made, or good."""
    at = noted.world.at(9, 30)
    word = "telephoned" if packages else ""
    restored.lift(noted.world.connection, POLL, "anna", at, word, blind=bool(packages), packages=packages)


def votes_twice(noted: Noted) -> bool:
    """A-1 gets its next package and 50, who has voted, stands there: whether he is handed a second ballot."""
    machine = opened(noted, "A-1", "a2")
    if WHO not in machine.voters:
        finds(machine, 50)
        synced(machine)
    return here(machine, WHO)


@pytest.mark.parametrize("packages", ["", "again", "good"])
def test_who_was_added_voted_at_the_machine_that_worked_again(noted: Noted, packages: str) -> None:
    """A-1/1 is declared lost by a slip, 50 is added, package 2 made: the copy. Package 2 is void, A-1/1 works on, 50 votes there,
    it burns. The copy is back, with the journal or without."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.lose("A-1")
    add(world, 50)
    noted.package("A-1")
    noted.hold()
    copy = world.connection.begin_nested()
    noted.lose("A-1")
    noted.not_lost("A-1")
    finds(a, 50)
    synced(a)
    a.check_in(WHO, world.at(9, 5))
    synced(a)
    noted.lose("A-1")  # it burns
    if packages:
        copy.rollback()
        journal_gone(noted)
    else:
        put_back(noted, copy)
        assert noted.hold()
    synced(b)
    lifted(noted, packages)
    assert not votes_twice(noted)
    synced(a)
    assert held(world, WHO)[2] == 1 and findings(world) == []


@pytest.mark.parametrize("added", ["before the copy", "since"])
@pytest.mark.parametrize("packages", ["", "again"])
def test_who_was_added_voted_at_the_machine_whose_successors_package_is_made_again(
    noted: Noted, added: str, packages: str
) -> None:
    """50 was added, given to A-1/1, and voted there; it burns; package 2 is made, which has him as away. The copy is back."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    if added == "before the copy":
        add(world, 50)
    noted.hold()
    copy = world.connection.begin_nested()
    if added == "since":
        add(world, 50)
    finds(a, 50)
    synced(a)
    a.check_in(WHO, world.at(9, 5))
    synced(a)
    noted.lose("A-1")
    noted.package("A-1")
    if packages:
        copy.rollback()
        journal_gone(noted)
        packing_out.lose(world.connection, POLL, "A-1")
    else:
        put_back(noted, copy)
        assert noted.hold()
    synced(b)
    lifted(noted, packages)
    if added == "since":
        add(world, 50)
    assert not votes_twice(noted)
    synced(a)
    assert held(world, WHO)[2] == 1 and findings(world) == []
