"""Does the audit raise nothing about what was honest, where the centre has forgotten why?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from joined_world import applied, held, right, rows, synced
from noted_world import Noted, lifted, opened, put_back, put_back_and_lifted
from test_decided_since import add, died, findings, finds, numbers, wants
from test_decisions_forgotten import withdrawn_ahead
from test_lists_since import here
from test_paper_and_withdrawals import settled
from test_put_back_lost import marked
from test_returns import back, mistaken
from test_void_packages import asks

from dauys.pollbook.machine import acts
from dauys.pollbook.rules.places import Standing

pytestmark = pytest.mark.database


@pytest.mark.parametrize("repeated", ["by the next set", "withdrawn again first"])
def test_what_the_first_list_knew_as_withdrawn_comes_back_to_the_next_machine(noted: Noted, repeated: str) -> None:
    a, world = withdrawn_ahead(noted), noted.world
    a.link.show_withdrawn(right(1))
    assert held(world, right(1)) == ("withdrawn", 1, 0)
    if repeated == "withdrawn again first":
        number = died(world, ("A-1", 1))
        settled(world)
        mistaken(world, number)
    else:
        number = int(applied(world.connection, rows({"A-1": 1}, 1), world.now))
    noted.lose("A-1")
    second = opened(noted, "A-1", "a2")
    assert back(world, number).returned == 1
    synced(second)
    assert here(second, right(1))
    second.check_in(right(1), world.at(10))
    synced(second)
    assert numbers(world) == [] and findings(world) == []


@pytest.mark.parametrize("journal", [True, False])
def test_who_is_added_again_was_left_over_on_a_second_list(noted: Noted, journal: bool) -> None:
    world = noted.world
    opened(noted, "A-1", "a")
    b = opened(noted, "B-1", "b")
    noted.lose("A-1")
    noted.hold()
    copy = world.connection.begin_nested()
    world.at(9, 5)
    add(world, 50)
    world.at(9, 6)
    second = opened(noted, "A-1", "a2")
    put_back(noted, copy)
    noted.hold()
    if not journal:
        marked(world)
    synced(b, second)
    world.at(9, 10)
    lifted(world)
    add(world, 50)
    assert held(world, right(50)) == ("station/A-1/2", 0, 0)
    second.do(acts.do_close, officer="chair", at=world.at(20))
    synced(second)
    world.at(19)
    wants(b, 50, "q")
    synced(b, b)
    assert here(b, right(50))
    b.check_in(right(50), world.now)
    synced(b)
    assert numbers(world) == [] and findings(world) == []


def test_who_used_and_undid_an_addition_that_the_next_machine_is_given(noted: Noted) -> None:
    """50 is on A-1/1's list, of since the copy, as A-1/2's is: nobody here knows on which. A-1/2 has not; it asks, and is given him."""
    world = noted.world
    noted.hold()
    copy = world.connection.begin_nested()
    world.at(9, 5)
    add(world, 50)
    first = opened(noted, "A-1", "a")
    event = first.check_in(right(50), world.at(9, 6))
    first.do(acts.do_undo, event.n, reason="wrong line", officer="member1", at=world.at(9, 7))
    noted.lose("A-1")
    second = opened(noted, "A-1", "a2")
    put_back(noted, copy)
    noted.hold()
    add(world, 50)
    first.do(acts.do_close, officer="chair", at=world.at(20))
    synced(first, second)
    world.at(9, 30)
    lifted(world)
    assert held(world, right(50)) == ("station/A-1/2", 0, 0)
    finds(second, 50)
    synced(second)
    assert here(second, right(50))
    second.check_in(right(50), world.at(10))
    synced(second)
    assert numbers(world) == [] and findings(world) == []


def test_a_list_that_nobody_knows_has_its_own_voters_alone(noted: Noted) -> None:
    """A-1, whose list is of since the copy, uses a right of A/2 that B-1 was given ahead of any list: that is A-1's doing."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    a = opened(noted, "A-1", "a")
    put_back_and_lifted(noted, copy, a, b)
    assert asks(b, 7)
    some = next(iter(a.keep.book.places.values()))
    a.keep.book.places[right(7)] = replace(some, standing=Standing.HERE, epoch=0)
    a.check_in(right(7), world.now)
    synced(a, b)
    assert numbers(world) == findings(world) == ["P.101"]


@pytest.mark.parametrize("again", [False, True])
def test_whose_addition_is_forgotten_was_on_the_list_that_is(noted: Noted, again: bool) -> None:
    """50 was added since the copy, was on A-1's list, and went to B-1, which is heard first: nobody did wrong."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    add(world, 50)
    a = opened(noted, "A-1", "a")
    wants(b, 50, "q")
    synced(a, b, a, b)
    b.check_in(right(50), world.now)
    put_back_and_lifted(noted, copy, b, a)
    if again:
        add(world, 50)
    synced(b, a)
    assert numbers(world) == findings(world) == []
