"""Somebody is on the roll twice. Does he vote twice, whatever was decided before, and whatever is forgotten?"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from joined_world import Machine, World, held, iin_of, right, synced
from noted_world import Noted, lifted, opened, put_back
from test_decided_since import add, died, findings, numbers
from test_lists_since import here
from test_paper_and_withdrawals import ask, duplicate, settled
from test_returns import back, mistaken

pytestmark = pytest.mark.database

X, Y, Z = right(1), right(10), right(2)


@pytest.fixture
def voted(world: World) -> World:
    """X has voted."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    return world


def one_person(world: World) -> int:
    """It is decided that X and Y are one person, and that Y stays."""
    number = duplicate(world, goes=1, stays=10)
    ask(world, number)
    return number


def y_is_gone(world: World) -> bool:
    """Whether Y's right is withdrawn in place of that of X, which stays used."""
    for _ in range(3):
        synced(world.stations["A-1"], world.stations["B-1"])
        settled(world)
    assert held(world, X)[2] == 1 and findings(world) == []
    return held(world, Y)[0] == "withdrawn" and not here(world.stations["B-1"], Y)


def test_who_is_found_one_person_again(voted: World) -> None:
    number = one_person(voted)
    mistaken(voted, number)
    assert back(voted, number).kept == 1
    voted.connection.execute(sa.text("DELETE FROM roll_pair"))  # `duplicate` enters it again
    one_person(voted)
    assert y_is_gone(voted)


def test_who_was_taken_for_dead_before(voted: World) -> None:
    died(voted, ("A-1", 1))
    one_person(voted)
    assert y_is_gone(voted)


def test_who_is_asked_for_as_dead_and_found_used_later(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    died(world, ("A-1", 1))
    a.check_in(X, world.now)
    one_person(world)
    assert y_is_gone(world)


def test_who_is_on_the_roll_three_times(voted: World) -> None:
    ask(voted, duplicate(voted, goes=1, stays=2))
    one_person(voted)
    assert y_is_gone(voted) and held(voted, Z)[0] == "withdrawn"


def test_of_three_whichever_is_decided_first(world: World) -> None:
    """X is asked for, and nobody knows yet whether he voted."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    ask(world, duplicate(world, goes=1, stays=2))
    one_person(world)
    a.check_in(X, world.now)
    synced(a, b)
    assert y_is_gone(world) and held(world, Z)[0] == "withdrawn"


def test_both_used_raises_one_alarm_however_often_it_is_decided(voted: World) -> None:
    voted.stations["B-1"].check_in(Y, voted.now)
    synced(voted.stations["B-1"])
    number = one_person(voted)
    again = ask(voted, number)
    assert numbers(voted) == ["P.109"] and (again.used, again.before) == (0, 1)


def withdrawn_for_an_addition(noted: Noted) -> tuple[sa.NestedTransaction, Machine, Machine]:
    """Since the copy, which is the first of what is returned: 50 is added at B-1, votes, and is 1, whose right is withdrawn."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    add(world, 50, station="B-1")
    number = duplicate(world, goes=50, stays=1)
    b.link.wire.question("find", {"iin": iin_of(50), "n": b.keep.book.head.n})
    synced(b)
    b.check_in(right(50), world.now)
    synced(b)
    ask(world, number)
    synced(a, b)
    settled(world)
    return copy, a, b


@pytest.mark.parametrize("heard", [True, False])
def test_whose_twin_is_not_in_the_books_is_given_nothing_back(noted: Noted, heard: bool) -> None:
    world, y = noted.world, right(1)
    copy, a, b = withdrawn_for_an_addition(noted)
    assert held(world, y)[0] == "withdrawn"
    put_back(noted, copy)
    noted.hold()
    if not heard:
        noted.lose("B-1")
    synced(a, b) if heard else synced(a)
    lifted(world)
    assert held(world, y) == ("station/A-1/1", 0, 2)
    number = duplicate(world, goes=50, stays=1)
    assert back(world, number).may_not == 1
    synced(a, a)
    assert not here(a, y)
