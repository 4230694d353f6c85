"""A right that was withdrawn by mistake is given back while no machine of its station works: it is free, and waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from joined_world import POLL, VOTING, World, held, right, synced, world_of
from noted_world import lifted
from test_decided_since import died, findings, finds, numbers
from test_lists_since import here
from test_one_person import X, Y
from test_one_person_overlaps import minutes
from test_paper_and_withdrawals import ask, duplicate, settled
from test_pollbook_envelopes import close, leave, resolved, stands
from test_put_back_lost import marked
from test_returns import back, mistaken, outcome
from test_void_packages import asks, works_on

from dauys.pollbook.centre.take import cursor
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.sync import TO_TELL
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.serving import service
from dauys.pollbook.settling import homeward
from dauys.pollbook.wire.package import Enrolment

pytestmark = pytest.mark.database

FREE = ("returned/A-1", 1, 2)


@pytest.fixture
def enveloped(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 4, "B-1": 3}) as made:
        made.at(9)
        yield made


def given_back(world: World, serial: int = 1, station: str = "A-1") -> None:
    """X is dead by mistake, before his station has any machine."""
    number = died(world, (station, serial))
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    assert back(world, number) == outcome(returned=1, free=1)


@pytest.mark.parametrize("void", [False, True])
def test_his_station_never_gets_a_machine(enveloped: World, void: bool) -> None:
    """His envelope counts as those of his neighbours; B-1 is given him as they are."""
    world = enveloped
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    given_back(world, 7, "A/2")
    given_back(world, 8, "A/2")
    if void:
        world.packed("A/2")
        assert packing_out.lose(world.connection, POLL, "A/2")[1] == "void"
        minutes(world, a, b)
    assert asks(b, 7)
    leave(world, b, 1, right(8))
    leave(world, b, 2, right(9))
    synced(b)
    close(world, a, b)
    world.at(21)
    minutes(world, a, b)
    assert resolved(world, final=True) == 2
    assert [line[1:3] for line in stands(world)] == [(True, "P.065")] * 2 and findings(world) == []


@pytest.mark.parametrize("replaced", ["no", "packed", "begun"])
def test_his_machine_is_lost_and_found(enveloped: World, replaced: str) -> None:
    world = enveloped
    a, b, c = world.start("A-1"), world.start("B-1"), world.start("A/2")
    number = died(world, ("A-1", 1))
    synced(a, b, c)
    assert settled(world).withdrawn == 1
    packing_out.lose(world.connection, POLL, "A-1")
    mistaken(world, number)
    assert back(world, number) == outcome(returned=1, free=1) and held(world, X) == FREE
    if replaced == "packed":
        world.packed("A-1")
    new = world.start("A-1") if replaced == "begun" else None
    if new is not None:
        new.link.once()
        assert here(new, X), "the machine that begins is given him at once"
    leave(world, b, 1, X)
    leave(world, b, 2, right(2))
    synced(b)
    close(world, a, b, c, *([new] if new else ()))
    world.at(21)
    if replaced == "packed":
        assert packing_out.lose(world.connection, POLL, "A-1")[1] == "void"
    resolved(world, final=True)
    assert [line[1:3] for line in stands(world)] == [(True, "P.065")] * 2
    assert numbers(world) == findings(world) == []


@pytest.mark.parametrize("asks_for_him", ["nobody", "A-1", "B-1"])
def test_his_machine_works_on(world: World, asks_for_him: str) -> None:
    """A-1/1 was declared lost by a slip. Its next package has him on no list; by himself he goes home, unless B-1 asked before."""
    a, b = world.start("A-1"), world.start("B-1")
    number = died(world, ("A-1", 1))
    synced(a, b)
    assert settled(world).withdrawn == 1
    packing_out.lose(world.connection, POLL, "A-1")
    mistaken(world, number)
    world.packed("A-1")
    assert back(world, number).free == 1
    there = asks_for_him == "B-1"
    if there:
        assert asks(b, 1) and held(world, X) == ("station/B-1/1", 2, 0)
    works_on(world, "A-1")
    if asks_for_him == "A-1":  # before the next minute
        assert asks(a, 1)
    minutes(world, a, b)
    assert here(a, X) is not there and here(b, X) is there
    assert (b if there else a).keep.book.came[X].why == ("move" if there else "returned")
    assert numbers(world) == findings(world) == []


def test_withdrawn_again_before_anybody_has_him(world: World) -> None:
    given_back(world)
    assert held(world, X) == FREE
    died(world, ("A-1", 1))
    assert settled(world).withdrawn == 1 and held(world, X) == ("withdrawn", 2, 0)
    a = world.start("A-1")
    minutes(world, a)
    assert not here(a, X) and numbers(world) == findings(world) == []


def test_withdrawn_again_while_he_is_sent_home(world: World) -> None:
    """Who has read that he is with nobody waits for the commission, which takes him back in that moment."""
    given_back(world)
    died(world, ("A-1", 1))
    assert settled(world).withdrawn == 1
    assert homeward.send(world.connection, POLL, "A-1", X, 1, world.now) == "held"
    assert held(world, X) == ("withdrawn", 2, 0)


def test_a_machine_that_enrols_again_begins_nothing(world: World) -> None:
    """Its answer was lost, or somebody has stolen the bytes of its enrolment, and sends them again and again."""
    a = world.start("A-1")
    number = died(world, ("A-1", 1))
    synced(a)
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    packing_out.lose(world.connection, POLL, "A-1")
    assert back(world, number).free == 1
    packing_out.not_lost(world.connection, POLL, "A-1", world.now, "anna")
    service.enrol(world.connection, Enrolment.from_bytes((a.keep.kept(TO_TELL) or "").encode()), world.now)
    assert held(world, X) == FREE
    minutes(world, a)
    assert here(a, X)


def test_a_machine_that_begins_is_given_its_own_voters_alone(world: World) -> None:
    given_back(world)
    given_back(world, 7, "A/2")
    a = world.start("A-1")
    synced(a)
    assert here(a, X) and held(world, right(7)) == ("returned/A/2", 1, 2)
    b = world.start("B-1")
    assert asks(b, 7)
    assert (a.keep.book.came[X].why, b.keep.book.came[right(7)].why) == ("returned", "move")


def test_nobody_goes_home_after_the_hour_of_closing(world: World) -> None:
    a = world.start("A-1")
    number = died(world, ("A-1", 1))
    synced(a)
    assert settled(world).withdrawn == 1
    packing_out.lose(world.connection, POLL, "A-1")
    mistaken(world, number)
    assert back(world, number).free == 1
    packing_out.not_lost(world.connection, POLL, "A-1", world.at(20, 1), "anna")
    minutes(world, a)
    assert not here(a, X) and held(world, X) == FREE
    world.at(19, 59)
    minutes(world, a)
    assert here(a, X)


@pytest.mark.parametrize("gone", ["lost", "walked away"])
def test_a_request_that_nobody_makes_any_more(world: World, gone: str) -> None:
    """It keeps X from his own station for ten minutes, not for ever."""
    b = world.start("B-1")
    synced(b)
    given_back(world)
    finds(b, 1)
    b.link.wire.question("ask", {"request": "q", "entitlement": str(X)})
    if gone == "lost":
        packing_out.lose(world.connection, POLL, "B-1")
    a = world.start("A-1")
    synced(a)
    assert not here(a, X)
    world.at(9, 20)
    minutes(world, a)
    assert here(a, X)


@pytest.mark.parametrize("before", [False, True])
def test_a_certificate_of_before_the_request_calls_nothing_off(
    connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """X is dead; A-1 gave him a certificate before it heard that, B-1 is given him by it. The commission still wants it."""
    monkeypatch.setitem(VOTING, "certificate", {"on": True, "until": "18:00", "cite": "Pilot 3"})
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as world:
        world.at(9)
        a, b = world.start("A-1"), world.start("B-1")
        synced(a, b)
        if before:
            marked(world)
            synced(a, b)
            lifted(world)
        died(world, ("A-1", 1))
        a.do(acts.do_certificate, X, number="AC-1", officer="member1", at=world.now - timedelta(days=1))
        a.link.once()
        assert held(world, X)[0] == "certificate"
        b.link.wire.question("ask", {"request": "q", "entitlement": str(X)})
        b.link.once()
        assert here(b, X)
        settled(world)
        minutes(world, a, b)
        assert held(world, X)[0] == "withdrawn" and not here(b, X)


def test_who_may_have_been_given_to_a_lost_machine_is_on_nobodys_way(world: World) -> None:
    """X is dead by mistake, A-1 let him go. The centre is put back, B-1 is given up unheard: he may be there."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    number = died(world, ("A-1", 1))
    a.link.once()
    a.link.once()  # hears, lets go
    marked(world)
    packing_out.lose(world.connection, POLL, "B-1")
    synced(a)
    lifted(world)
    mistaken(world, number)
    assert back(world, number) == outcome(kept=1)
    assert homeward.on_their_way(cursor(world.connection), POLL, world.now) == []
    minutes(world, a)
    assert held(world, X) == ("station/A-1/1", 0, 2) and not here(a, X)
    synced(b, b)  # its disk is found: he is not there
    minutes(world, a)
    assert here(a, X) and numbers(world) == findings(world) == []


@pytest.mark.parametrize("begun", [False, True])
def test_of_one_person_who_is_given_back_twice_by_one_decision_one_right_is(world: World, begun: bool) -> None:
    """1 goes by two pairs, for 2 and for 10; these are taken for dead by mistake."""
    if begun:
        synced(world.start("A-1"), world.start("B-1"))
    for stays in (2, 10):
        ask(world, duplicate(world, goes=1, stays=stays))
    number = died(world, ("A-1", 2), ("B-1", 10))
    minutes(world, *world.stations.values())
    assert [held(world, right(serial))[0] for serial in (1, 2, 10)] == ["withdrawn"] * 3
    mistaken(world, number)
    assert back(world, number) == outcome(returned=1, free=not begun, may_not=1)
    a, b = (world.stations.get(station) or world.start(station) for station in ("A-1", "B-1"))
    minutes(world, a, b)
    assert [here(a, right(2)), here(b, Y)].count(True) == 1
    assert numbers(world) == findings(world) == []
