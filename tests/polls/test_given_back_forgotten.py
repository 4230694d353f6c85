"""What was given back to nobody, and the centre is put back from a copy: is anybody given it twice, or nobody any more?"""

from __future__ import annotations

import json

import pytest
from joined_world import POLL, applied, held, right, rows, synced
from noted_world import Noted, lifted, opened, put_back, put_back_and_lifted
from test_at_home_alone import journal_gone
from test_at_home_alone import lifted as lifted_with
from test_decided_since import add, died, findings, finds, numbers
from test_given_back_free import FREE, given_back
from test_lists_since import here
from test_one_person import X
from test_one_person_overlaps import minutes
from test_paper_and_withdrawals import settled
from test_returns import back, mistaken, outcome
from test_void_packages import asks

from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.settling.withdrawals import Settled
from dauys.record import log

pytestmark = pytest.mark.database


def test_the_copy_is_of_when_he_was_with_nobody(noted: Noted) -> None:
    """A-1's machine began since, was given him, and shows it; B-1 is not."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    given_back(world)
    noted.hold()
    copy = world.connection.begin_nested()
    a = opened(noted, "A-1", "a")
    assert here(a, X)
    put_back_and_lifted(noted, copy, a, b)
    assert held(world, X) == ("station/A-1/1", 2, 0)
    minutes(world, a, b)
    assert not here(b, X) and numbers(world) == findings(world) == []


def test_the_copy_is_of_when_he_was_withdrawn(noted: Noted) -> None:
    """He was given back since, B-1 was given him, and burnt unheard. Given back again he is in doubt, until B-1's disk is found."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    number = died(world, ("A/2", 7))
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    noted.hold()
    copy = world.connection.begin_nested()
    assert back(world, number).free == 1
    assert asks(b, 7)
    b.check_in(right(7), world.at(9, 5))
    put_back(noted, copy)
    noted.hold()
    noted.lose("B-1")
    synced(a)
    lifted(world)
    assert back(world, number) == outcome(returned=1, free=1)
    c = opened(noted, "A/2", "c")
    minutes(world, a, c)
    assert not here(c, right(7)) and held(world, right(7)) == ("returned/A/2", 1, 2)
    synced(b)
    minutes(world, a, c)
    assert held(world, right(7))[0] == "station/B-1/1" and numbers(world) == findings(world) == []


def test_two_copies_without_a_journal(noted: Noted) -> None:
    """He is with nobody: the copy. A-1/1, known by its number alone, is said never to have been; B-1 is given him, he votes, B-1
    burns; the copy is put back again. A grant to A-1/1 that the copy had would let him vote a second time."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    given_back(world)
    noted.hold()
    copy = world.connection.begin_nested()
    journal_gone(noted)
    packing_out.lose(world.connection, POLL, "A-1", 1)
    synced(b)
    lifted_with(noted, "again")
    packing_out.not_lost(world.connection, POLL, "A-1", world.now, "anna", "boris")
    assert asks(b, 1)
    b.check_in(X, world.at(9, 5))
    copy.rollback()
    journal_gone(noted)
    packing_out.lose(world.connection, POLL, "B-1", 1)
    lifted_with(noted, "again")
    new = opened(noted, "A-1", "a1")
    minutes(world, new)
    assert not here(new, X) and held(world, X) == FREE
    synced(b)
    assert numbers(world) == findings(world) == []


def test_a_forgotten_decision(noted: Noted) -> None:
    """A-1/1 let X go for the commission, which has forgotten why; A-1/1 is lost by then. No line of a withdrawal says that X waits."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    died(world, ("A-1", 1))
    synced(a, b)
    assert settled(world).withdrawn == 1
    put_back_and_lifted(noted, copy, a, b)
    noted.lose("A-1")
    lets = int(applied(world.connection, rows({"A-1": 1}, 1), world.now))
    assert back(world, lets) == outcome(returned=1, free=1) and held(world, X) == ("returned/A-1", 0, 2)
    assert here(opened(noted, "A-1", "a2"), X)


def test_given_back_to_nobody_and_given_to_another_station_all_forgotten(noted: Noted) -> None:
    """The copy is of when he was asked back, and the roll still says that he is dead: that holds, until people say otherwise again."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    number = died(world, ("A-1", 1))
    noted.hold()
    copy = world.connection.begin_nested()
    synced(a)
    assert settled(world).withdrawn == 1
    noted.lose("A-1")
    mistaken(world, number)
    assert back(world, number).free == 1 and asks(b, 1)
    put_back_and_lifted(noted, copy, a, b)
    minutes(world, a, b)
    assert held(world, X) == ("withdrawn", 3, 0) and not here(b, X)
    mistaken(world, number)
    assert back(world, number) == outcome(returned=1, free=1)
    assert asks(b, 1) and numbers(world) == findings(world) == []


@pytest.mark.parametrize("serial", [1, 50])
def test_a_new_decision_about_whom_a_forgotten_list_has_as_nobodys(noted: Noted, serial: int) -> None:
    """A-1's package, of since the copy, was made when he was with nobody. Now he is truly dead. His machine cannot let go whom it
    has not: it says so, and he is withdrawn; nor is he given to it when he comes before that."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    if serial == 50:
        add(world, 50)
    noted.hold()
    copy = world.connection.begin_nested()
    given_back(world, serial)
    package = noted.package("A-1")
    put_back_and_lifted(noted, copy, b)
    a = noted.machine(package, "a")
    synced(a)
    assert held(world, right(serial)) == ("station/A-1/1", 0, 0) and not here(a, right(serial))
    died(world, ("A-1", serial))
    assert finds(a, serial)["why"] is not None and not here(a, right(serial))
    minutes(world, a, b)
    assert held(world, right(serial)) == ("withdrawn", 1, 0)
    assert settled(world).waiting == 0 and numbers(world) == findings(world) == []


@pytest.mark.parametrize("listed", ["withdrawn", "nobody's"])
def test_a_new_decision_waits_for_who_may_have_been_given_him(noted: Noted, listed: str) -> None:
    """Since the copy he was withdrawn, given back, and A/2 was given him, which burnt. A-1's list knows the half of it. Now he is dead:
    nothing is noted before A/2's disk is found, and then it is A/2 that is asked."""
    world = noted.world
    b, other = opened(noted, "B-1", "b"), opened(noted, "A/2", "o")
    noted.hold()
    copy = world.connection.begin_nested()
    number = died(world, ("A-1", 1))
    assert settled(world).withdrawn == 1
    package = noted.package("A-1") if listed == "withdrawn" else None
    mistaken(world, number)
    assert back(world, number).free == 1
    package = package or noted.package("A-1")
    assert asks(other, 1)
    put_back(noted, copy)
    noted.hold()
    synced(b)
    noted.lose("A/2")
    lifted(world)
    a = noted.machine(package, "a")
    synced(a)
    died(world, ("A-1", 1))
    minutes(world, a, b)
    assert settled(world) == Settled(0, 0, 0, 1) and held(world, X)[0] == "withdrawn"
    other.do(acts.do_close, officer="chair", at=world.at(20, 30))
    world.at(19)
    synced(other)
    minutes(world, a, b)
    assert held(world, X) == ("withdrawn", 3, 0) and finds(b, 1)["why"]["check"] == "P.056"
    entries = [json.loads(data)["id"] for _, data in log.read(world.connection, POLL)]
    assert [name for name in entries if name.startswith(("with", "rest"))] == ["withdrawals/A-1/1"]
    assert numbers(world) == findings(world) == []


def test_what_was_given_back_since_the_copy_ends_no_newer_decision(noted: Noted) -> None:
    """Since the copy he was withdrawn and given back to A-1, which burnt. Now he is truly dead; then its disk is found."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    number = died(world, ("A-1", 1))
    synced(a)
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    assert back(world, number) == outcome(returned=1)
    synced(a)
    put_back(noted, copy)
    noted.hold()
    noted.lose("A-1")
    synced(b)
    lifted(world)
    world.at(9, 30)
    died(world, ("A-1", 1))
    a.do(acts.do_close, officer="chair", at=world.at(20, 30))
    world.at(19)
    synced(a)
    minutes(world, a, b)
    assert held(world, X) == ("withdrawn", 3, 0) and numbers(world) == findings(world) == []
