"""A package with which nobody enrolled is void, and the machine before it works on: who was given to that package is given on."""

from __future__ import annotations

import json

import pytest
from joined_world import POLL, Machine, World, held, right, synced
from noted_world import Noted, lifted, opened, put_back, put_back_and_lifted, put_back_without_journal
from test_decided_since import add, findings, finds, numbers
from test_lists_since import here
from test_one_person import X, Y, one_person
from test_one_person_overlaps import minutes

from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.record import log

pytestmark = pytest.mark.database
WHO = right(50)


def asks(machine: Machine, serial: int) -> bool:
    """He stands there, and the officer asks for his right; whether it comes."""
    said = finds(machine, serial)
    assert said["why"] is None, said["why"]
    synced(machine)
    if not here(machine, right(serial)):
        machine.link.wire.question(
            "ask", {"request": f"q/{machine.keep.log}/{serial}", "entitlement": str(right(serial))}
        )
        synced(machine, machine)
    return here(machine, right(serial))


def works_on(world: World, station: str) -> None:
    """The next machine's package is void, and that this one was declared lost is taken back."""
    assert packing_out.lose(world.connection, POLL, station)[1] == "void"
    assert packing_out.not_lost(world.connection, POLL, station, world.now, "anna")[1] == "works"


def test_who_was_on_a_void_package_when_the_copy_is_back(noted: Noted) -> None:
    """A-1/1 is declared lost by a slip, 50 is added, its next package made: the copy. That is void, and A-1/1 works on."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.lose("A-1")
    add(world, 50)
    noted.package("A-1")
    assert held(world, WHO)[0] == "station/A-1/2"
    noted.hold()
    copy = world.connection.begin_nested()
    noted.lose("A-1")
    assert held(world, WHO)[0] == "roll/A-1"
    noted.not_lost("A-1")
    put_back(noted, copy)
    assert noted.hold()
    assert held(world, WHO)[0] == "roll/A-1", "the journal says that the package is void"
    synced(a, b)
    lifted(world)
    assert noted.logs() == [("A-1", 1, False), ("B-1", 1, False)] and asks(a, 50)


def test_a_twin_whose_right_is_with_a_void_package(world: World) -> None:
    """Y withdrawn in the place of X, who voted; B-1/1 is lost by a slip and package 2 made; X's use is taken back: Y is given back, by
    the minute's work, once B-1/1 works on."""
    a, b = world.start("A-1"), world.start("B-1")
    event = a.check_in(X, world.now)
    synced(a, b)
    one_person(world)
    minutes(world, a, b)
    assert held(world, Y)[0] == "withdrawn"
    packing_out.lose(world.connection, POLL, "B-1")
    world.packed("B-1")
    a.do(acts.do_undo, event.n, reason="wrong line", officer="member1", at=world.at(9, 30))
    minutes(world, a)
    assert held(world, Y)[0] == "returned/B-1", "it waits for a machine that works, or for who asks"
    assert [json.loads(data)["id"] for _, data in log.read(world.connection, POLL)][-1] == "restorations/B-1/1"
    works_on(world, "B-1")
    minutes(world, a, b)
    assert here(b, Y) and not here(a, X) and findings(world) == []


def late_list(noted: Noted) -> tuple[Machine, Machine]:
    """Since the copy A-1/1 is declared lost by a slip, 50 added, package 2 made. Put back, the journal vouches, all heard, 50 added
    again."""
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    noted.lose("A-1")
    add(world, 50)
    noted.package("A-1")
    put_back_and_lifted(noted, copy, a, b)
    add(world, 50)
    return a, b


def test_who_was_on_a_late_list_that_is_void_while_the_first_machine_works(noted: Noted) -> None:
    """Package 2, with which nobody enrolled, as the journal knows, is void; A-1/1 works on."""
    a, _ = late_list(noted)
    noted.lose("A-1", vouched=True)
    noted.not_lost("A-1")
    assert asks(a, 50)


def test_who_was_on_a_late_list_that_is_void_where_no_journal_vouches(noted: Noted) -> None:
    """50 was added, and package 2 made, in the copy; a machine enrolled with it since, and is not heard: nobody knows of it. The
    package, said to be good, is made void: 50 is given to nobody else."""
    world = noted.world
    opened(noted, "A-1", "a")
    b = opened(noted, "B-1", "b")
    noted.lose("A-1")
    add(world, 50)
    noted.package("A-1")
    noted.hold()
    copy = world.connection.begin_nested()
    machine = opened(noted, "A-1", "a2")
    put_back_without_journal(noted, copy)
    synced(b)
    lifted(world, "telephoned", packages="good")
    noted.lose("A-1", vouched=True)
    assert not asks(b, 50)
    machine.check_in(WHO, world.now)
    synced(machine)
    assert held(world, WHO)[2] == 1 and numbers(world) == ["P.120"], "the word was wrong: another machine was enrolled"


def test_the_journal_says_it_of_a_late_list_while_the_first_machine_works(noted: Noted) -> None:
    """As before, and between the void and 50's vote a second copy, of while package 2 was on its way, is put back."""
    world, (a, b) = noted.world, late_list(noted)
    noted.hold()
    copy = world.connection.begin_nested()
    noted.lose("A-1", vouched=True)
    noted.not_lost("A-1")
    put_back_and_lifted(noted, copy, a, b)
    assert asks(a, 50)
