"""The audit tells a right's story by the lists as they were made: withdrawn, given back, a machine lost, a package made again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from joined_world import POLL, VAULT, Machine, World, iin_of, synced, world_of
from noted_world import lifted
from test_decided_since import add, finds, wants
from test_paper_and_withdrawals import ask, duplicate, right, settled, typed_by_two, typing
from test_put_back import asks
from test_put_back_lost import lost, marked
from test_returns import back, mistaken

from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 2, "B-1": 1}) as made:
        yield made


def again(world: World) -> Machine:
    """The station's next machine, in a folder of its own."""
    folder = world.folder / "again"
    folder.mkdir()
    return replace(world, folder=folder).start("A-1")


def honest(world: World, machine: Machine) -> None:
    machine.link.once()
    machine.check_in(right(1), world.at(10))
    machine.link.once()
    assert not alarms(world.connection, POLL)
    assert [one.text for _, some in audit_poll(world.connection, POLL) for one in some] == []


@pytest.mark.parametrize("listed", [True, False], ids=["withdrawn from a list", "withdrawn before any"])
def test_a_right_given_back_to_the_next_machine_is_no_finding(world: World, listed: bool) -> None:
    number = duplicate(world, goes=1, stays=3)
    machine = world.start("A-1") if listed else None
    ask(world, number)
    if machine is not None:
        machine.link.once()
        machine.link.once()
    assert settled(world).withdrawn == 1
    if machine is None:
        world.start("A-1")  # its list has him as somebody who is not here
    packing_out.lose(world.connection, POLL, "A-1")
    second = again(world)
    mistaken(world, number)
    assert back(world, number).returned == 1
    honest(world, second)


def test_a_right_given_back_to_the_first_machine_is_no_finding(world: World) -> None:
    number = duplicate(world, goes=1, stays=3)
    ask(world, number)
    assert settled(world).withdrawn == 1
    machine = world.start("A-1")
    mistaken(world, number)
    assert back(world, number).returned == 1
    honest(world, machine)


def test_a_machine_that_uses_what_was_withdrawn_before_its_list_is_found(world: World) -> None:
    ask(world, duplicate(world, goes=1, stays=3))
    assert settled(world).withdrawn == 1
    machine = world.start("A-1")
    head = machine.keep.book.head
    body = {"entitlement": str(right(1)), "channel": "polling-day", "officer": "member1", "salt": "00" * 10}
    forged = Event(head.n + 1, world.at(10).isoformat(), "check-in", body, head.hash)
    machine.link.once()
    world.connection.execute(  # as if the centre had taken it without a word
        sa.text(
            "INSERT INTO pollbook_event (log, n, kind, entitlement, at, body) "
            "SELECT id, :n, 'check-in', :who, :at, :body FROM pollbook_log WHERE poll = :poll"
        ),
        {"n": forged.n, "who": right(1), "at": world.now, "body": forged.to_bytes(), "poll": POLL},
    )
    assert [one.check for _, some in audit_poll(world.connection, POLL) for one in some] == ["P.101"]


@pytest.mark.parametrize("first_lost", [False, True])
def test_who_was_added_and_left_over_on_a_found_list_is_no_finding(world: World, first_lost: bool) -> None:
    """He stands on the list of a machine that is lost, found and closed: the next one is given his right (`found-log`)."""
    if first_lost:
        world.start("A-1")
        packing_out.lose(world.connection, POLL, "A-1")
        world.at(9, 5)
    add(world, 50)
    a = world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    b = world.start("A-1")
    world.at(20)
    a.do(acts.do_close, officer="chair", at=world.now)
    synced(a)
    world.at(19)
    wants(b, 50, "q")
    synced(b)
    b.check_in(right(50), world.now)
    synced(b)
    assert right(50) in a.voters
    assert [one.text for _, some in audit_poll(world.connection, POLL) for one in some] == []


def test_who_was_added_after_the_list_is_looked_at_with_the_others(world: World) -> None:
    machine = world.start("A-1")
    synced(machine)
    ((before, _),) = audit_poll(world.connection, POLL)
    add(world, 50)
    finds(machine, 50)
    synced(machine)
    machine.check_in(right(50), world.at(10))
    synced(machine)
    assert [*audit_poll(world.connection, POLL)] == [(before + 1, [])]


def burnt_and_replaced(world: World) -> Machine:
    """Put back once, long ago; A-1 checks voter 1 in, unsent, and burns. Its next machine works until the evening."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    marked(world)
    synced(a, b)
    lifted(world)
    a.check_in(right(1), world.at(9))
    lost(world, "A-1")
    second = again(world)
    synced(second)
    return second


def found(world: World) -> list[str]:
    return [one.check for _, some in audit_poll(world.connection, POLL) for one in some]


def test_what_is_typed_from_paper_was_its_machines(world: World) -> None:
    second = burnt_and_replaced(world)
    lines = typed_by_two(world.folder, f"{iin_of(1)},member1")
    by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    second.do(acts.do_close, officer="chair", at=world.at(21))
    synced(second)
    assert found(world) == []


def test_a_closed_list_hides_no_breach_of_the_centres(world: World) -> None:
    """The centre gives on what the burnt machine holds."""
    second, b = burnt_and_replaced(world), world.stations["B-1"]
    asks(b, right(2), "q")
    world.connection.execute(sa.text("UPDATE entitlement SET state = 2 WHERE id = :who"), {"who": right(2)})
    synced(b, b)
    b.check_in(right(2), world.at(10))
    second.do(acts.do_close, officer="chair", at=world.at(21))
    synced(b, second)
    assert found(world) == ["P.105"]
