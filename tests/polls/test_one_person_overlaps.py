"""Somebody is on the roll twice, or three times, and dead, and alive: what of decisions that overlap?"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from joined_world import POLL, Machine, World, applied, held, iin_of, right, rows, synced
from noted_world import Noted, opened, put_back_and_lifted
from test_decided_since import add, died, findings, finds, numbers
from test_decisions_forgotten import withdrawn_ahead
from test_lists_since import here
from test_one_person import X, Y, Z, one_person, withdrawn_for_an_addition
from test_paper_and_withdrawals import ask, duplicate, settled
from test_returns import back, mistaken

from dauys.pollbook.machine import acts
from dauys.pollbook.settling.asked import state

pytestmark = pytest.mark.database


def minutes(world: World, *machines: Machine) -> None:
    for _ in range(4):
        synced(*machines)
        settled(world)


def test_whose_other_entry_was_asked_for_as_dead_and_is_found_used(world: World) -> None:
    """X used; Y, who stays, is asked for as dead and used, too, which nobody has heard yet."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    died(world, ("B-1", 10))
    b.check_in(Y, world.now)
    one_person(world)
    minutes(world, a, b)
    assert numbers(world) == ["P.109"]


def test_whose_other_entry_lives_after_all(world: World) -> None:
    """X used; Y, who stays, is asked for as dead, and lives: he is still X, who has voted."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    number = died(world, ("B-1", 10))
    one_person(world)
    mistaken(world, number)
    back(world, number)
    minutes(world, a, b)
    assert not here(b, Y)


def test_whose_other_entry_was_withdrawn_as_dead_and_lives_after_all(world: World) -> None:
    """The same, let go and withdrawn before."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    number = died(world, ("B-1", 10))
    minutes(world, a, b)
    one_person(world)
    mistaken(world, number)
    back(world, number)
    minutes(world, a, b)
    assert not here(b, Y)


def test_who_is_asked_for_in_the_usual_order(world: World) -> None:
    """X and Y are one person; Y is dead; X is found used; Y lives after all: he votes twice, and nobody hears of it."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    a.check_in(X, world.now)
    one_person(world)
    number = died(world, ("B-1", 10))
    synced(a)
    settled(world)
    mistaken(world, number)
    back(world, number)
    minutes(world, a, b)
    if here(b, Y):
        b.check_in(Y, world.now)
    minutes(world, a, b)
    assert held(world, Y)[2] != 1 or (numbers(world), findings(world)) == (["P.109"], [])


def test_who_is_two_people_after_all_and_one_is_dead(world: World) -> None:
    """X is dead, and asked for; then one person with Y, and then not: X is found used, and Y keeps his right."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    died(world, ("A-1", 1))
    a.check_in(X, world.now)
    number = one_person(world)
    mistaken(world, number)
    back(world, number)
    minutes(world, a, b)
    assert here(b, Y)


def test_who_was_given_his_right_back_and_used_it_is_one_alarm(world: World) -> None:
    """Two people after all, and Y has his right again; he votes, and is X once more: his line of before counts no second time."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    number = one_person(world)
    minutes(world, a, b)
    mistaken(world, number)
    assert back(world, number).returned == 1
    synced(b)
    b.check_in(Y, world.now)
    synced(b)
    ask(world, duplicate(world, goes=10, stays=1))
    minutes(world, a, b)
    assert numbers(world) == ["P.109"] and state(world.connection, POLL).twice == 1


def test_of_three_one_is_another_person_after_all(world: World) -> None:
    """X used, so Y and Z are withdrawn in his place; then Z is somebody else, and Y is X as before."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    one_person(world)
    number = duplicate(world, goes=1, stays=2)
    ask(world, number)
    minutes(world, a, b)
    assert held(world, Z)[0] == "withdrawn"
    mistaken(world, number)
    back(world, number)
    minutes(world, a, b)
    assert here(a, Z) and not here(b, Y)


def test_whose_use_is_taken_back_when_a_list_has_his_other_right_as_withdrawn(noted: Noted) -> None:
    """Y is asked for in the place of X. Since the copy: withdrawn, and B-1's list made without it. Then X is undone."""
    world = noted.world
    a = opened(noted, "A-1", "a")
    event = a.check_in(X, world.now)
    synced(a)
    one_person(world)
    noted.hold()
    copy = world.connection.begin_nested()
    assert settled(world).withdrawn == 1
    b = opened(noted, "B-1", "b")
    put_back_and_lifted(noted, copy, a, b)
    finds(b, 10)
    synced(b)
    a.do(acts.do_undo, event.n, reason="wrong", officer="member1", at=world.now)
    minutes(world, a, b)
    assert held(world, X)[0] == "withdrawn" and here(b, Y)


def test_a_pair_is_not_forgotten_when_he_dies(world: World) -> None:
    """Both sets are approved first: X's entry is by then what the last one says, and the first one's pair counts all the same."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    pairs = [duplicate(world, goes=1, stays=serial) for serial in (2, 10)]
    died(world, ("A-1", 1))
    for number in pairs:
        ask(world, number)
    minutes(world, a, b)
    assert held(world, Z)[0] == held(world, Y)[0] == "withdrawn"


def test_a_use_that_is_taken_back_frees_both_and_binds_both_again(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    event = a.check_in(X, world.now)
    synced(a, b)
    for serial in (11, 10):
        ask(world, duplicate(world, goes=1, stays=serial))
    a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.at(9, 30))
    a.link.once()
    settled(world)
    a.check_in(X, world.now)  # before it hears that X is asked back
    minutes(world, a, b)
    assert held(world, Y)[0] == held(world, right(11))[0] == "withdrawn" and numbers(world) == []


def test_a_use_that_was_taken_back_raises_no_alarm(world: World) -> None:
    """X was found used, as dead; undone, which the minute has not looked at; Y has voted. Then they are one person."""
    a, b = world.start("A-1"), world.start("B-1")
    event = a.check_in(X, world.now)
    synced(a, b)
    mistaken(world, died(world, ("A-1", 1)))
    b.check_in(Y, world.now)
    a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.at(9, 30))
    synced(a, b)
    one_person(world)
    minutes(world, a, b)
    assert numbers(world) == [] and state(world.connection, POLL).twice == 0


def test_who_is_another_person_gets_his_back_while_another_pair_holds(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    number = duplicate(world, goes=1, stays=11)
    ask(world, number)
    minutes(world, a, b)
    assert held(world, right(11))[0] == "withdrawn"
    mistaken(world, number)
    one_person(world)
    assert back(world, number).returned == 1


def test_who_is_added_after_the_other_entry_was_used(world: World) -> None:
    """X and 50 are one person; 50 is not on the list yet. X is used; then 50 is added."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    ask(world, duplicate(world, goes=1, stays=50))
    add(world, 50, station="B-1")
    b.link.wire.question("find", {"iin": iin_of(50), "n": b.keep.book.head.n})
    minutes(world, a, b)
    assert not here(b, right(50)) and held(world, right(50))[0] == "withdrawn"
    assert numbers(world) == [] and findings(world) == []


def test_the_first_reason_stays(world: World) -> None:
    synced(world.start("A-1"), world.start("B-1"))
    number = one_person(world)
    ask(world, number, "another reason")
    reasons = world.connection.scalars(
        sa.text(
            "SELECT reason FROM roll_withdrawal UNION SELECT reason FROM roll_one_person UNION SELECT reason FROM roll_decided"
        )
    )
    assert "another reason" not in set(reasons)


@pytest.mark.parametrize("before", [True, False])
def test_who_was_left_out_of_the_frozen_roll_is_nobodys_twin(noted: Noted, before: bool) -> None:
    """60 was found to be one person with 1, and has no right here. 1's withdrawal is forgotten; he lives."""
    world = noted.world
    number = duplicate(world, goes=60, stays=1)
    if before:
        frozen = "UPDATE roll_set SET decided = (SELECT min(at) FROM roll_freeze) - interval '1 hour' WHERE id = :id"
        world.connection.execute(sa.text(frozen), {"id": number})
    withdrawn_ahead(noted).link.show_withdrawn(X)
    assert held(world, X) == ("withdrawn", 1, 0)
    found = back(world, int(applied(world.connection, rows({"A-1": 1}, 1), world.now)))
    assert (found.returned, found.may_not) == ((1, 0) if before else (0, 1))


def test_whose_twin_is_not_in_the_books_is_given_nothing_back_by_another_set(noted: Noted) -> None:
    """As test_whose_twin_is_not_in_the_books_is_given_nothing_back; then Y is taken for dead, and that is taken back."""
    world, y = noted.world, right(1)
    copy, a, b = withdrawn_for_an_addition(noted)
    put_back_and_lifted(noted, copy, a, b)
    number = duplicate(world, goes=50, stays=1)
    assert back(world, number).may_not == 1
    dead = died(world, ("A-1", 1))
    synced(a, b)
    settled(world)
    mistaken(world, dead)
    assert back(world, dead).may_not == 1
    minutes(world, a, b)
    assert not here(a, y)
