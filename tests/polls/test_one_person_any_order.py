"""Somebody is on the roll several times. Whatever is decided, added, used and taken back, in whatever order: does he vote twice?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from joined_world import KEYS, VAULT, Machine, World, applied, held, iin_of, right, rows, synced
from test_decided_since import add, died, findings, finds, numbers
from test_lists_since import here
from test_one_person import X, Y, Z, one_person
from test_one_person_overlaps import minutes
from test_paper_and_withdrawals import ask, duplicate, reader, settled, typed_by_two, typing
from test_returns import back, mistaken

from dauys.cli.roll_rights import asking_back, withdrawn_by
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand
from dauys.pollbook.settling import additions
from dauys.pollbook.settling.asked import state
from dauys.pollbook.settling.one_person import note_pairs
from dauys.pollbook.settling.withdrawals import withdraw_added
from dauys.polls.declaring import declare
from dauys.roll.effects import ASKED, WITHDRAWN, carry, effect
from dauys.roll.freeze import add_set, total

pytestmark = pytest.mark.database
W = right(11)


def voted(world: World) -> tuple[Machine, Machine]:
    """X has voted."""
    a, b = world.start("A-1"), world.start("B-1")
    a.check_in(X, world.now)
    synced(a, b)
    return a, b


def undone(machine: Machine, n: int, world: World) -> None:
    machine.do(acts.do_undo, n, reason="wrong line", officer="member1", at=world.at(9, 30))


def added(world: World, number: int) -> None:
    add_set(world.connection, VAULT, world.poll, number, "forgotten", KEYS.commission, world.now, additions)


def is_one(world: World, machine: Machine, who: UUID) -> None:
    """Nobody hands out a ballot to him: his other right was used."""
    minutes(world, *world.stations.values())
    assert not here(machine, who) and held(world, who)[0] == "withdrawn"
    assert numbers(world) == findings(world) == []


def test_of_a_chain_of_three_one_votes(world: World) -> None:
    """X goes for Y, then Y goes for W: none of the pairs has X and W."""
    _, b = voted(world)
    ask(world, duplicate(world, goes=1, stays=10))
    ask(world, duplicate(world, goes=10, stays=11))
    is_one(world, b, W)
    assert held(world, Y)[0] == "withdrawn"


def test_of_a_chain_the_middle_one_voted(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    b.check_in(Y, world.now)
    synced(a, b)
    ask(world, duplicate(world, goes=1, stays=10))
    ask(world, duplicate(world, goes=10, stays=11))
    is_one(world, b, W)
    assert held(world, X)[0] == "withdrawn"


def test_who_lives_after_all_and_is_the_end_of_a_chain(world: World) -> None:
    """W was withdrawn as dead by mistake; given back it would be the right of somebody who has voted."""
    _, b = voted(world)
    dead = died(world, ("B-1", 11))
    minutes(world, *world.stations.values())
    mistaken(world, dead)
    ask(world, duplicate(world, goes=1, stays=10))
    ask(world, duplicate(world, goes=10, stays=11))
    assert back(world, dead).may_not == 1
    is_one(world, b, W)


def test_two_who_go_for_one_and_both_voted_are_an_alarm(world: World) -> None:
    a, b = voted(world)
    a.check_in(Z, world.now)
    synced(a)
    ask(world, duplicate(world, goes=1, stays=10))
    ask(world, duplicate(world, goes=2, stays=10))
    minutes(world, a, b)
    assert numbers(world) == ["P.109"] and held(world, Y)[0] == "withdrawn"


def test_a_third_use_is_a_second_alarm(world: World) -> None:
    a, b = voted(world)
    b.check_in(Y, world.now)
    synced(b)
    ask(world, duplicate(world, goes=1, stays=10))
    assert numbers(world) == ["P.109"]
    ask(world, duplicate(world, goes=11, stays=10))
    world.wires.cut = True
    b.check_in(W, world.now)
    world.wires.cut = False
    minutes(world, a, b)
    assert numbers(world) == ["P.109", "P.109"] and state(world.connection, world.poll.id).twice == 2


@pytest.mark.parametrize("before", [lambda world: died(world, ("A-1", 1)), one_person], ids=["dead", "another pair"])
@pytest.mark.parametrize("over", [True, False], ids=["rolled back", "in force"])
def test_who_is_added_after_it_was_decided(world: World, before: Callable[[World], int], over: bool) -> None:
    """X was asked for by another set, and found used; then he is one person with 50, who is added only later."""
    a, b = voted(world)
    number = before(world)
    if over:
        mistaken(world, number)
        back(world, number)
        minutes(world, a, b)
    ask(world, duplicate(world, goes=1, stays=50))
    add(world, 50, station="B-1")
    finds(b, 50)
    is_one(world, b, right(50))


def test_who_was_let_vote_by_a_set_that_is_rolled_back(world: World) -> None:
    """50 is X (50 goes); a set lets him vote after all, and adds him; he votes; the set is rolled back, and he is X again."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    ask(world, duplicate(world, goes=50, stays=1))
    number = int(applied(world.connection, rows({"B-1": 1}, 50), world.now))
    added(world, number)
    finds(b, 50)
    synced(b)
    b.check_in(right(50), world.now)
    synced(b)
    mistaken(world, number)
    withdraw_added(world.connection, VAULT, world.poll, number, "wrong", "vera", world.now)
    is_one(world, a, X)


def test_a_pair_of_before_the_freeze_holds_again(world: World) -> None:
    """X was let vote by a set over his pair, and that set is rolled back: `roll withdraw --set` of it is enough."""
    _, b = voted(world)
    duplicate(world, goes=1, stays=10)
    lets = int(applied(world.connection, rows({"A-1": 1}, 1), world.now))
    mistaken(world, lets)
    assert ask(world, lets).used == 1
    is_one(world, b, Y)


@pytest.mark.parametrize("backed", [True, False])
def test_both_uses_are_taken_back_one_after_the_other(world: World, backed: bool) -> None:
    """Y was found used as dead by mistake; X has voted, too, and is Y. Y's use is taken back, then X's: Y votes, by itself."""
    a, b = voted(world)
    event = b.check_in(Y, world.now)
    synced(b)
    dead = died(world, ("B-1", 10))
    mistaken(world, dead)
    if backed:
        back(world, dead)
    one_person(world)
    minutes(world, a, b)
    undone(b, event.n, world)
    minutes(world, a, b)
    assert held(world, Y)[0] == "withdrawn"
    undone(a, a.keep.book.used_by[X], world)
    minutes(world, a, b)
    assert held(world, X)[0] == "withdrawn" and here(b, Y)


@pytest.mark.parametrize("looked", [True, False])
def test_a_use_that_is_taken_back_does_not_free_who_stays(world: World, looked: bool) -> None:
    """Y was found used, as dead, which he is not; X, who has voted, is Y. Then Y's use is taken back."""
    a, b = world.start("A-1"), world.start("B-1")
    event = b.check_in(Y, world.now)
    a.check_in(X, world.now)
    synced(a, b)
    mistaken(world, died(world, ("B-1", 10)))
    if looked:
        one_person(world)
        minutes(world, a, b)
        assert numbers(world) == ["P.109"]
    undone(b, event.n, world)
    synced(b)
    if not looked:
        one_person(world)
    minutes(world, a, b)
    assert not here(b, Y) and numbers(world) == ["P.109"] * looked
    assert state(world.connection, world.poll.id).twice == 0


@pytest.mark.parametrize("then", ["an addition", "the set again", "he is taken for dead"])
def test_two_people_after_all_by_another_set(world: World, then: str) -> None:
    """X voted, Y went in his place; a set lets X vote: they are two, and Y's right is given back for good."""
    a, b = voted(world)
    number = one_person(world)
    minutes(world, a, b)
    lets = int(applied(world.connection, rows({"A-1": 1}, 1), world.now))
    assert back(world, lets).returned == 1
    minutes(world, a, b)
    match then:
        case "an addition":
            add(world, 50)
        case "the set again":
            ask(world, number)
        case _:
            died(world, ("A-1", 1))
    minutes(world, a, b)
    assert here(b, Y)


@pytest.mark.parametrize("heard", [True, False])
def test_a_pair_that_holds_no_more_keeps_nothing(world: World, heard: bool) -> None:
    """Z and Y were two people after all, and Z votes. Then X is Y: X's use is taken back, and Y votes."""
    a, b = world.start("A-1"), world.start("B-1")
    event = a.check_in(X, world.now)
    synced(a, b)
    wrong = duplicate(world, goes=2, stays=10)
    ask(world, wrong)
    mistaken(world, wrong)
    back(world, wrong)
    a.check_in(Z, world.now)
    minutes(world, a, b)
    ask(world, duplicate(world, goes=1, stays=10))
    if heard:
        minutes(world, a, b)
        assert held(world, Y)[0] == "withdrawn"
    undone(a, event.n, world)
    minutes(world, a, b)
    assert held(world, X)[0] == "withdrawn" and here(b, Y)


def test_two_people_after_all_are_no_alarm_that_stands(world: World) -> None:
    a, b = voted(world)
    event = b.check_in(Y, world.now)
    synced(b)
    number = one_person(world)
    minutes(world, a, b)
    assert state(world.connection, world.poll.id).twice == 1
    mistaken(world, number)
    back(world, number)
    minutes(world, a, b)
    assert state(world.connection, world.poll.id).twice == 0 and numbers(world) == [
        "P.109"
    ]  # it was raised, and is kept
    undone(b, event.n, world)
    minutes(world, a, b)
    assert here(b, Y)


@pytest.mark.parametrize("lost", [True, False])
def test_who_lives_after_all_gets_his_right_when_the_other_one_is_gone(world: World, lost: bool) -> None:
    """Y was withdrawn as dead by mistake. X, who goes, is on a machine that burnt; or has voted, and that is taken back."""
    a, b = world.start("A-1"), world.start("B-1")
    event = None if lost else a.check_in(X, world.now)
    synced(a, b)
    dead = died(world, ("B-1", 10))
    minutes(world, a, b)
    if lost:
        packing_out.lose(world.connection, world.poll.id, "A-1")
    one_person(world)
    mistaken(world, dead)
    found = back(world, dead)
    assert (found.returned, found.may_not) == ((1, 0) if lost else (0, 1))
    if event is not None:
        undone(a, event.n, world)
        synced(a)
    minutes(world, b) if lost else minutes(world, a, b)
    assert here(b, Y)


def test_a_pair_counts_whatever_a_later_set_says(world: World) -> None:
    """X died by a set after the pair's: the pair's is carried out, says that X was asked for, and Y goes in his place."""
    _, b = voted(world)
    pair = duplicate(world, goes=1, stays=10)
    died(world, ("A-1", 1))
    assert ask(world, pair).before == 1
    is_one(world, b, Y)


def test_the_roll_back_of_a_pair_says_where_rights_are_to_be_given_back(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    number = one_person(world)
    minutes(world, a, b)
    mistaken(world, number)
    assert withdrawn_by(world.connection, number) == [world.poll.id]


def test_who_was_added_again_by_a_set_that_is_rolled_back(world: World) -> None:
    """50 is added, that set is rolled back, another one adds him again and gives his right back; and is rolled back, too."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    for _ in range(2):
        number = int(applied(world.connection, rows({"B-1": 1}, 50), world.now))
        added(world, number)
        back(world, number)
        finds(b, 50)
        minutes(world, a, b)
        mistaken(world, number)  # `dauys roll rollback`, and what it does by itself in each poll:
        withdraw_added(world.connection, VAULT, world.poll, number, "wrong", "vera", world.now)
        minutes(world, a, b)
        assert not here(b, right(50)) and held(world, right(50))[0] == "withdrawn"


def test_a_claim_of_who_has_voted_as_somebody_else(world: World) -> None:
    """X has voted, and is 50, who claims to be missing and is added: his page does not say that he votes there."""
    a, b = voted(world)
    ask(world, duplicate(world, goes=1, stays=50))
    number = int(applied(world.connection, rows({"B-1": 1}, 50), world.now))
    said = carry(
        world.connection, VAULT, world.poll, number, "claim 7", "vera", KEYS.commission, world.now, additions,
        asking_back(lambda: VAULT),
    )  # fmt: skip
    assert said.what in (ASKED, WITHDRAWN)
    minutes(world, a, b)
    assert effect(world.connection, VAULT, world.poll, number, world.now).what == WITHDRAWN


def test_the_older_pairs_of_a_poll_are_those_in_force(world: World) -> None:
    """A pair that was decided again has the newer set, also in the books of a centre that noted the older one (0037)."""
    a, b = voted(world)
    number = one_person(world)
    mistaken(world, number)
    back(world, number)
    minutes(world, a, b)
    again = duplicate(world, goes=1, stays=10)
    ask(world, again)
    settled(world)
    assert set(world.connection.scalars(sa.text("SELECT set_id FROM roll_one_person"))) == {again}


def test_a_withdrawn_right_that_a_burnt_machines_paper_names(world: World, tmp_path: Path) -> None:
    """Y's right was withdrawn in the place of X's; then his station's machine burns, and its paper says that Y voted."""
    a, b = voted(world)
    one_person(world)
    minutes(world, a, b)
    packing_out.lose(world.connection, world.poll.id, "B-1")
    line = typed_by_two(tmp_path, f"{iin_of(10)},member1")
    by_hand.type_in(world.connection, VAULT, line, typing(world, "B-1"), world.dice.randbytes)
    minutes(world, a)
    assert "P.109" in numbers(world) and state(world.connection, world.poll.id).twice == 1
    assert reader(world).total == total(world.connection, world.poll.id)


def test_a_stray_check_in_is_a_use(world: World) -> None:
    """Nothing but a check-in beside its log says that X voted."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    world.connection.execute(
        sa.text("INSERT INTO pollbook_stray SELECT poll, :who, id, 1, false FROM pollbook_log WHERE station = 'A-1'"),
        {"who": X},
    )
    ask(world, duplicate(world, goes=1, stays=10))
    for _ in range(3):
        synced(b)
        settled(world)
    assert held(world, Y)[0] == "withdrawn"


def test_the_same_use_is_one_alarm_for_good(world: World) -> None:
    """Decided, taken back, and decided again: the alarm of a use is there already."""
    a, b = voted(world)
    b.check_in(Y, world.now)
    synced(b)
    mistaken(world, one_person(world))
    minutes(world, a, b)
    one_person(world)
    minutes(world, a, b)
    assert numbers(world) == ["P.109"] and state(world.connection, world.poll.id).twice == 1


def test_in_a_closed_poll_nobody_is_asked_for(world: World) -> None:
    a, b = voted(world)
    ask(world, duplicate(world, goes=1, stays=50))
    declare(world.connection, world.poll, KEYS, "final", world.at(23), close=True)
    number = duplicate(world, goes=1, stays=10)
    world.connection.execute(
        sa.text("INSERT INTO roll_decided VALUES (:poll, :set, 'twice on the roll', 'vera')"),
        {"poll": world.poll.id, "set": number},
    )
    note_pairs(cursor(world.connection), VAULT, world.poll.id)
    minutes(world, a, b)
    assert here(b, Y) and state(world.connection, world.poll.id).asked == 0
