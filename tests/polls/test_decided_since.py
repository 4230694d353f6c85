"""What the commission decided since the copy from which the centre was put back: no row of it stops the work, no right is lost."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from joined_world import KEYS, POLL, VAULT, Machine, World, applied, held, iin_of, right, rows, synced
from test_paper_and_withdrawals import ask, duplicate, reader, settled
from test_returns import back, mistaken, outcome

from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back import restored
from dauys.pollbook.put_back.doubts import in_doubt
from dauys.pollbook.settling import additions
from dauys.pollbook.settling.asked import State, state
from dauys.pollbook.settling.returns import BEFORE
from dauys.pollbook.settling.withdrawals import Settled
from dauys.record import log
from dauys.roll.freeze import Added, add_set, proof
from dauys.roll.story import story

pytestmark = pytest.mark.database


def put_back(world: World, copy: sa.NestedTransaction) -> None:
    copy.rollback()
    with world.connection.begin_nested():
        mark(cursor(world.connection), POLL, "anna says so", world.now)


def lift(world: World) -> int:
    restored.lift(world.connection, POLL, "anna", world.now)
    return sum(in_doubt(cursor(world.connection), POLL).values())


def numbers(world: World) -> list[str]:
    return [one.number for one in alarms(world.connection, POLL)]


def findings(world: World) -> list[str]:
    return [one.check for _, found in audit_poll(world.connection, POLL) for one in found]


def changes(world: World) -> list[tuple[str, int]]:
    """The entries about withdrawals: of which kind, and how many rights."""
    entries = [json.loads(data) for _, data in log.read(world.connection, POLL)]
    return [(one["kind"], one["body"]["count"]) for one in entries if one["kind"] in ("withdrawals", "restorations")]


def died(world: World, *homes: tuple[str, int]) -> int:
    """A set by which these voters have died; their rights are asked back."""
    died = {"status": "died", "since": "2022-06-01", "source": "x"}
    people = [row | died for station, serial in homes for row in rows({station: 1}, serial)]
    number = int(applied(world.connection, people, world.now))
    ask(world, number, "died")
    return number


def test_rights_given_back_since_the_copy_are_given_back_once(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    number = died(world, ("A-1", 1), ("A-1", 2), ("B-1", 10))
    synced(a, b)
    assert settled(world).withdrawn == 3
    copy = world.connection.begin_nested()
    mistaken(world, number)
    assert back(world, number).returned == 3
    synced(a)
    a.check_in(right(2), world.now)
    synced(a)
    put_back(world, copy)
    synced(a, b)  # B-1 had not heard of it
    assert lift(world) == 0
    mistaken(world, number)  # done again, as docs/running.md says
    assert back(world, number) == outcome(returned=3)
    synced(b)
    assert [held(world, right(serial)) for serial in (1, 2, 10)] == [
        ("station/A-1/1", 2, 0), ("station/A-1/1", 2, 1), ("station/B-1/1", 2, 0)
    ]  # fmt: skip
    assert b.keep.book.places[right(10)].standing == "here"
    assert changes(world) == [("withdrawals", 2), ("withdrawals", 1), ("restorations", 2), ("restorations", 1)]
    assert reader(world).total == 13 and state(world.connection, POLL).returned == 3
    assert numbers(world) == findings(world) == []


def test_the_record_says_that_they_were_given_back_though_nobody_repeats_it(world: World) -> None:
    a = world.start("A-1")
    number = died(world, ("A-1", 1), ("A-1", 2))
    synced(a)
    assert settled(world).withdrawn == 2
    copy = world.connection.begin_nested()
    mistaken(world, number)
    assert back(world, number).returned == 2
    synced(a)
    a.check_in(right(2), world.now)
    synced(a)
    put_back(world, copy)
    synced(a)
    settled(world)
    assert changes(world) == [("withdrawals", 2)]  # while the mark stands all waits
    lift(world)
    world.at(21)  # too late to give anything back: that was not
    assert settled(world) == settled(world) == Settled(0, 0, 0, 0)
    assert changes(world) == [("withdrawals", 2), ("restorations", 2)]
    assert dict(story(world.connection, world.poll)[-1].reasons) == {BEFORE: 2}
    assert state(world.connection, POLL) == State(0, 0, 0, 0, returned=2)
    assert reader(world).total == 13 and numbers(world) == findings(world) == []


def test_who_was_withdrawn_and_given_back_since_is_not_asked_any_more(world: World) -> None:
    a = world.start("A-1")
    synced(a)
    number = died(world, ("A-1", 1))
    copy = world.connection.begin_nested()
    synced(a)
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    assert back(world, number).returned == 1
    synced(a)
    put_back(world, copy)
    synced(a)
    lift(world)
    for _ in range(2):
        settled(world)
        synced(a)
    assert held(world, right(1)) == ("station/A-1/1", 2, 0)
    assert state(world.connection, POLL) == State(0, 0, 0, 0, kept=1)
    assert changes(world) == [] and numbers(world) == findings(world) == []


def test_one_of_a_pair_that_was_given_back_stops_nothing(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    number = duplicate(world, goes=1, stays=10)
    event = a.check_in(right(1), world.now)  # a wrong line was tapped
    synced(a)
    ask(world, number)
    synced(a, b)
    settled(world)
    assert held(world, right(10))[0] == "withdrawn"  # in its place
    copy = world.connection.begin_nested()
    a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.at(9, 30))
    for _ in range(3):
        synced(a, b)
        settled(world)
    assert (held(world, right(1))[0], held(world, right(10))) == ("withdrawn", ("station/B-1/1", 2, 0))
    synced(b)
    put_back(world, copy)
    synced(a, b)
    lift(world)
    died(world, ("A-1", 2))  # and another one waits behind it
    for _ in range(3):
        settled(world)
        synced(a, b)
    assert (held(world, right(1))[0], held(world, right(2))[0]) == ("withdrawn", "withdrawn")
    assert held(world, right(10)) == ("station/B-1/1", 2, 0)
    assert state(world.connection, POLL) == State(0, 2, 0, 0, returned=1)
    assert reader(world).total == 11 and numbers(world) == findings(world) == []


def add(world: World, *serials: int, station: str = "A-1") -> Added:
    people = [row for serial in serials for row in rows({station: 1}, serial)]
    number = applied(world.connection, people, world.now)
    return add_set(world.connection, VAULT, world.poll, number, "forgotten", KEYS.commission, world.now, additions)


def asked(machine: Machine, who: UUID, iin: str) -> dict[str, Any]:
    """As the page "From elsewhere" asks (`station.elsewhere`)."""
    place = machine.keep.book.places.get(who)
    return {"iin": iin, "n": machine.keep.book.head.n} | ({} if place is None else {"epoch": place.epoch})


def finds(machine: Machine, serial: int) -> dict[str, object]:
    return dict(machine.link.wire.question("find", asked(machine, right(serial), iin_of(serial))))


def wants(machine: Machine, serial: int, request: str) -> None:
    finds(machine, serial)
    machine.link.wire.question("ask", {"request": request, "entitlement": str(right(serial))})


def test_whoever_was_added_since_has_his_right_where_the_logs_say(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    copy = world.connection.begin_nested()
    add(world, 50, 51, 52, 53)
    for serial in (50, 51, 52):
        finds(a, serial)
    synced(a)
    a.check_in(right(50), world.now)
    wants(b, 52, "q")
    synced(a, b, a, b)
    b.check_in(right(52), world.now)
    synced(b)
    there = [held(world, right(serial)) for serial in (50, 51, 52, 53)]
    assert there == [("station/A-1/1", 1, 1), ("station/A-1/1", 1, 0), ("station/B-1/1", 2, 1), ("roll/A-1", 0, 0)]
    put_back(world, copy)
    synced(b)
    assert held(world, right(52)) == there[2] and findings(world) == []  # of whom nobody else has said anything yet
    synced(a)
    lift(world)
    assert numbers(world) == [] and not finds(a, 51)["found"]
    assert proof(world.connection, VAULT, POLL, UUID(bytes=VAULT.voter(iin_of(51)))) is None
    found = add(world, 50, 51, 52, 53)
    assert (found.added, found.on_list, found.total) == (4, 0, 17)
    assert [held(world, right(serial)) for serial in (50, 51, 52)] == there[:3]
    assert add(world, 50, 51, 52, 53).on_list == 4
    a.check_in(right(51), world.at(10))
    finds(a, 53)
    synced(a)
    a.check_in(right(53), world.now)
    synced(a)
    assert [held(world, right(serial))[1:] for serial in (50, 51, 52, 53)] == [(1, 1), (1, 1), (2, 1), (1, 1)]
    assert reader(world).total == 17 and numbers(world) == findings(world) == []


def test_a_right_that_was_added_and_let_go_since_moves_on(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    copy = world.connection.begin_nested()
    add(world, 50)
    finds(a, 50)
    synced(a)
    wants(b, 50, "q")
    a.link.once()
    a.link.once()  # lets it go; B-1 hears nothing of it
    put_back(world, copy)
    synced(a, b)
    lift(world)
    add(world, 50)
    assert held(world, right(50)) == ("station/A-1/1", 1, 2)
    wants(b, 50, "q2")
    synced(b)
    b.check_in(right(50), world.now)
    synced(b)
    assert held(world, right(50)) == ("station/B-1/1", 2, 1) and numbers(world) == findings(world) == []


@pytest.mark.parametrize("early", [True, False])
def test_who_was_added_onto_a_list_that_was_made_since_does_not_vote_twice(world: World, early: bool) -> None:
    b = world.start("B-1")
    copy = world.connection.begin_nested()
    add(world, 50, 51, 52)
    a = world.start("A-1")  # they stand on its list
    a.check_in(right(52), world.now)
    put_back(world, copy)
    if early:
        add(world, 50, 51, 52)
    synced(a, b)
    lift(world)
    assert add(world, 50, 51, 52).on_list == 3 * early
    assert [held(world, right(serial)) for serial in (50, 51, 52)] == [
        ("station/A-1/1", 0, 0), ("station/A-1/1", 0, 0), ("station/A-1/1", 0, 1)
    ]  # fmt: skip
    wants(b, 50, "q")
    b.link.once()
    assert right(50) not in b.keep.book.places
    a.check_in(right(51), world.now)
    synced(a, b, a, b)
    b.check_in(right(50), world.now)  # A-1 had let it go
    synced(b)
    assert [held(world, right(serial)) for serial in (50, 51)] == [("station/B-1/1", 1, 1), ("station/A-1/1", 0, 1)]
    # of 52: nothing had shown that he was on the roll
    assert numbers(world) == ([] if early else ["P.101"]) and findings(world) == []


def test_a_machine_that_does_not_have_him_on_its_list_is_given_who_is_added_again(world: World) -> None:
    b = world.start("B-1")
    copy = world.connection.begin_nested()
    a = world.start("A-1")
    add(world, 50)
    put_back(world, copy)
    synced(a, b)
    lift(world)
    add(world, 50)
    assert held(world, right(50)) == ("station/A-1/1", 0, 0)  # for all that the centre knows
    finds(b, 50)
    assert held(world, right(50))[0] == "station/A-1/1"
    finds(a, 50)
    synced(a)
    a.check_in(right(50), world.now)
    synced(a)
    assert held(world, right(50)) == ("station/A-1/1", 1, 1) and numbers(world) == findings(world) == []


def test_who_was_added_since_and_used_his_right_on_a_machine_that_is_lost_does_not_vote_again(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    copy = world.connection.begin_nested()
    add(world, 50)
    finds(a, 50)
    synced(a)
    a.check_in(right(50), world.now)
    synced(a)
    put_back(world, copy)
    packing_out.lose(world.connection, POLL, "A-1")
    synced(b)
    lift(world)
    add(world, 50)
    second = world.start("A-1")
    finds(second, 50)
    wants(b, 50, "q")
    synced(second, b, second, b)
    assert all(right(50) not in machine.voters and _not_here(machine, right(50)) for machine in (second, b))
    synced(a)  # its disk is found
    assert held(world, right(50)) == ("station/A-1/1", 1, 1) and numbers(world) == findings(world) == []


def _not_here(machine: Machine, who: UUID) -> bool:
    place = machine.keep.book.places.get(who)
    return place is None or place.standing == "away"
