"""Somebody is on the roll several times, and the centre was put back from a copy: what of additions that it has forgotten?"""

from __future__ import annotations

import pytest
from joined_world import POLL, World, applied, held, iin_of, right, rows, synced
from noted_world import Noted, lifted, opened, put_back_and_lifted
from test_decided_since import add, died, finds, wants
from test_lists_since import here
from test_one_person import X
from test_one_person_any_order import added, voted
from test_one_person_overlaps import minutes
from test_paper_and_withdrawals import ask, duplicate, reader
from test_put_back_lost import marked
from test_returns import back, mistaken

from dauys.pollbook.settling.asked import state

pytestmark = pytest.mark.database


def test_whose_addition_is_forgotten_and_who_voted(noted: Noted) -> None:
    """50 was added since the copy, and voted; the centre is put back. He is found to be 1 before he is added again."""
    world, x, y = noted.world, right(50), right(1)
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    add(world, 50, station="B-1")
    b.link.wire.question("find", {"iin": iin_of(50), "n": b.keep.book.head.n})
    synced(b)
    b.check_in(x, world.now)
    synced(b)
    put_back_and_lifted(noted, copy, a, b)
    again = int(applied(world.connection, rows({"B-1": 1}, 50), world.now))
    ask(world, duplicate(world, goes=50, stays=1))
    added(world, again)
    minutes(world, a, b)
    assert not here(a, y) and held(world, y)[0] == "withdrawn"


def test_a_pair_with_an_entry_of_another_polls_station_keeps_nobodys_right(noted: Noted) -> None:
    """The centre was put back once; 70, whose station is not of this poll, never had a right here that could be forgotten."""
    world = noted.world
    a = opened(noted, "A-1", "a")
    noted.hold()
    copy = world.connection.begin_nested()
    b = opened(noted, "B-1", "b")
    put_back_and_lifted(noted, copy, a, b)
    ask(world, duplicate(world, goes=70, stays=1, station="Z-9"))
    dead = died(world, ("A-1", 1))
    minutes(world, a)
    mistaken(world, dead)
    assert back(world, dead).returned == 1


def test_who_is_added_again_at_another_station_has_the_commitment_of_that_one(noted: Noted) -> None:
    """50 was added at B-1 since the copy, and went to A-1, which is all that the centre hears; he is added again."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    add(world, 50, station="B-1")
    finds(b, 50)
    synced(a, b)
    wants(a, 50, "q")
    for _ in range(3):
        synced(b, a)
    put_back_and_lifted(noted, copy, a, b)
    a.check_in(X, world.now)
    synced(a)
    ask(world, duplicate(world, goes=1, stays=50))
    minutes(world, a, b)
    added(world, int(applied(world.connection, rows({"B-1": 1}, 50), world.now)))
    minutes(world, a, b)
    assert held(world, right(50))[0] == "withdrawn"
    assert reader(world).eligible == {"A-1": 6, "A/2": 3, "B-1": 4}


def test_the_end_of_a_chain_was_let_go_since_the_copy(noted: Noted) -> None:
    """1 goes for 10, 10 goes for 7: in the copy. Since then 1 voted, and 7 was let go in its place. The copy is back; 1 and 10 are two
    people after all. The set that was wrong gives 7 back, too, once 10 is gone: no pair of its own names him, the other one does."""
    world, who = noted.world, right(7)
    a, b, c = opened(noted, "A-1", "a"), opened(noted, "B-1", "b"), opened(noted, "A/2", "c")
    first, second = duplicate(world, goes=1, stays=10), duplicate(world, goes=10, stays=7)
    a.check_in(X, world.now)  # not sent yet
    ask(world, first)
    ask(world, second)
    noted.hold()
    copy = world.connection.begin_nested()
    synced(a)
    minutes(world, c)
    put_back_and_lifted(noted, copy, a, b, c)
    mistaken(world, first)
    assert back(world, first).may_not == 1, "10 can still be used"
    minutes(world, a, b, c)
    assert not here(c, who) and back(world, first).returned == 1
    minutes(world, c)
    assert here(c, who)


def test_while_the_books_are_not_whole_nobody_is_asked_for(world: World) -> None:
    """X has voted, and is 50, who is added while the mark stands: he is asked for once it is lifted."""
    a, b = voted(world)
    ask(world, duplicate(world, goes=1, stays=50))
    marked(world)
    add(world, 50, station="B-1")
    assert held(world, right(50)) == ("roll/B-1", 0, 0) and state(world.connection, POLL).asked == 0
    synced(a, b)
    lifted(world)
    minutes(world, a, b)
    assert held(world, right(50))[0] == "withdrawn"
