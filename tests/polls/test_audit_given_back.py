"""Does the audit see what the centre gives to a station's next machine though the first one holds it, and nothing else?"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from joined_world import POLL, Machine, World, held, right, synced
from noted_world import Noted, lifted, opened, put_back, said_by_a_person
from test_decided_since import died, findings, numbers
from test_lists_since import here
from test_one_person_overlaps import minutes
from test_paper_and_withdrawals import settled
from test_put_back import asks
from test_put_back_lost import marked
from test_returns import back, mistaken

from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out

pytestmark = pytest.mark.database

WHO = right(2)


def counts_as_let_go(world: World) -> None:
    """A fault of the centre."""
    world.connection.execute(sa.text("UPDATE entitlement SET state = 2 WHERE id = :who"), {"who": WHO})


def second_machine(noted: Noted, *, forgotten: bool) -> Machine:
    """A-1's first machine holds the right and burns. Put back once, before; its list was made in between, or was there."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    if not forgotten:
        opened(noted, "A-1", "a")
    noted.hold()
    copy = world.connection.begin_nested()
    if forgotten:
        opened(noted, "A-1", "a")
    put_back(noted, copy)
    if not noted.hold():
        marked(world)
    synced(world.stations["a"], b)
    lifted(world)
    noted.lose("A-1")
    world.at(9, 30)
    return opened(noted, "A-1", "a2")


def test_what_is_given_back_while_the_first_machine_holds_it(noted: Noted) -> None:
    world = noted.world
    a2 = second_machine(noted, forgotten=False)
    number = died(world, ("A-1", 2))
    counts_as_let_go(world)
    settled(world)
    mistaken(world, number)
    assert back(world, number).returned == 1
    synced(a2)
    assert here(a2, WHO)
    a2.check_in(WHO, world.at(10))
    synced(a2)
    assert findings(world) == ["P.105"]


@pytest.mark.parametrize("forgotten", [True, False])
def test_what_moves_while_the_first_machine_holds_it(noted: Noted, forgotten: bool) -> None:
    """Only what the commission gave back may have been on no list."""
    world = noted.world
    a2 = second_machine(noted, forgotten=forgotten)
    counts_as_let_go(world)
    asks(a2, WHO, "q")
    synced(a2, a2)
    assert here(a2, WHO)
    a2.check_in(WHO, world.at(10))
    synced(a2)
    assert findings(world) == ["P.105"]


def test_who_was_left_over_in_a_found_log_whose_package_is_forgotten(noted: Noted) -> None:
    """Checked in and undone at a machine of since the copy, which burns; he is dead; the disk is found, and its list closed."""
    world = noted.world
    noted.hold()
    copy = world.connection.begin_nested()
    a = opened(noted, "A-1", "a")
    event = a.check_in(WHO, world.now)
    a.do(acts.do_undo, event.n, reason="wrong", officer="member1", at=world.now)
    put_back(noted, copy)
    noted.path.unlink()
    noted.again()
    said_by_a_person(world)
    packing_out.lose(world.connection, POLL, "A-1", 1)
    lifted(world, "each was telephoned")
    died(world, ("A-1", 2))
    a.do(acts.do_close, officer="chair", at=world.at(20))
    synced(a)
    world.at(19)
    minutes(world, a)
    assert held(world, WHO)[0] == "withdrawn"
    assert numbers(world) == findings(world) == []
