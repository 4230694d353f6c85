"""Several lists of one station were made since the copy from which the centre was put back: who is added again is on one of them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from joined_world import POLL, Machine, held, right, synced
from noted_world import Noted, lifted, opened, put_back
from test_decided_since import add, died, findings, finds, numbers, wants
from test_lists_since import here
from test_paper_and_withdrawals import settled
from test_put_back import RIGHTS, asks

from dauys.pollbook.machine import acts
from dauys.pollbook.packing.packages import Packed
from dauys.pollbook.put_back.journal import Journal

pytestmark = pytest.mark.database

WHO = right(50)
"""Added since the copy, when the first machine was lost already: he is on the list of the second one."""


OTHERWISE = {"with a certificate": ("station/B-1/1", "certificate"), "given back": ("station/A-1/2", "returned")}
"""To whom a right comes in epoch 2, and why."""


def two_lists(noted: Noted) -> tuple[Machine, Packed, Machine]:
    """A-1's first machine and its second package, both of since the copy, which is back; and B-1."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    world.at(9, 1)
    a = opened(noted, "A-1", "a")
    noted.lose("A-1")
    world.at(9, 2)
    add(world, 50)
    world.at(9, 3)
    package = noted.package("A-1")
    put_back(noted, copy)
    return a, package, b


def added_again(noted: Noted, *heard: Machine) -> None:
    assert noted.hold()
    synced(*heard)
    noted.world.at(9, 10)
    lifted(noted.world)
    add(noted.world, 50)
    assert held(noted.world, WHO) == ("station/A-1/1", 0, 0)


def second(noted: Noted, package: Packed) -> Machine:
    machine = noted.machine(package, "a2")
    machine.do(acts.do_open, officer="chair", at=noted.world.now)
    synced(machine)
    return machine


def closed(noted: Noted, machine: Machine) -> None:
    machine.do(acts.do_close, officer="chair", at=noted.world.at(20, 1))
    synced(machine)
    noted.world.at(19, 50)


@pytest.mark.parametrize("used", [True, False])
def test_what_is_left_over_on_the_first_list_may_stand_on_the_second(noted: Noted, used: bool) -> None:
    """The second machine's wire is cut; the first one is found, and closes. B-1's voter waits, and is given what was not used."""
    world = noted.world
    a, package, b = two_lists(noted)
    added_again(noted, a, b)
    a2 = second(noted, package)
    assert WHO in a2.voters and WHO not in a.voters
    world.at(19, 55)
    wants(b, 50, "q")
    world.wires.cut = True
    if used:
        a2.check_in(WHO, world.now)
    world.wires.cut = False
    closed(noted, a)
    assert held(world, WHO) == ("station/A-1/2", 0, 0)
    synced(b, b)
    assert not here(b, WHO)
    synced(a2, b)
    assert here(b, WHO) is not used
    assert held(world, WHO) == (("station/A-1/2", 0, 1) if used else ("station/B-1/1", 1, 0))
    assert numbers(world) == findings(world) == []


def test_a_second_machine_that_does_not_have_him_is_given_what_the_first_one_left(noted: Noted) -> None:
    world = noted.world
    a, package, b = two_lists(noted)
    added_again(noted, a, b)
    a2 = second(noted, package)
    world.at(9, 20)
    add(world, 51)  # for the first time: nobody here knows on which list he is
    assert held(world, right(51)) == ("station/A-1/1", 0, 0)
    closed(noted, a)
    finds(a2, 51)
    synced(a2)
    a2.check_in(right(51), world.now)
    synced(a2)
    assert held(world, right(51)) == ("station/A-1/2", 1, 1) and numbers(world) == findings(world) == []


def test_who_is_on_the_second_list_votes_where_the_first_machine_burnt(noted: Noted) -> None:
    """Its package is still on its way when the copy is back: the addition that is repeated makes it good."""
    world = noted.world
    _, package, b = two_lists(noted)
    added_again(noted, b)
    a2 = second(noted, package)
    assert a2.keep.book.told
    event = a2.check_in(WHO, world.at(9, 20))
    synced(a2)
    a2.do(acts.do_undo, event.n, reason="wrong", officer="member1", at=world.now)
    synced(a2)
    assert held(world, WHO) == ("station/A-1/2", 0, 0)
    a2.check_in(WHO, world.at(9, 21))
    closed(noted, a2)
    assert held(world, WHO) == ("station/A-1/2", 0, 1)
    assert numbers(world) == findings(world) == []


@pytest.mark.parametrize("moved", ["by a move", "with a certificate", "given back"])
def test_who_never_was_on_a_second_list_makes_it_no_less_good(noted: Noted, moved: str) -> None:
    """Since the copy a voter's right left A-1's first machine, which burnt; 50 was added; the second package has him."""
    world, who = noted.world, RIGHTS[1]
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    if moved == "by a move":
        asks(b, who, "q1")
        synced(b, a, b)
        assert here(b, who)
    noted.lose("A-1")
    add(world, 50)
    package = noted.package("A-1")
    put_back(noted, copy)
    assert noted.hold()
    synced(b)
    world.at(9, 10)
    lifted(world)
    add(world, 50)
    if moved != "by a move":
        world.connection.execute(
            sa.text(
                "INSERT INTO pollbook_grant (poll, request, entitlement, epoch, receiver, why, at) "
                "VALUES (:poll, 'q', :who, 2, :to, :why, :at)"
            ),
            {"poll": POLL, "who": who, "at": world.now} | dict(zip(("to", "why"), OTHERWISE[moved], strict=True)),
        )
    assert second(noted, package).keep.book.told
    assert held(world, WHO) == ("station/A-1/2", 0, 0)


def test_two_packages_of_one_number_and_a_machine_that_began_with_the_first(noted: Noted) -> None:
    """Two machines serve one database, each with its journal: on one of them A-1's package is made before anybody knew."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    other = Journal(noted.path.with_name("other.journal"))
    other.hold(world.connection, POLL, world.now)
    noted.hold()
    copy = world.connection.begin_nested()
    world.at(9, 2)
    add(world, 50)
    a = opened(noted, "A-1", "a")
    assert WHO in a.voters
    put_back(noted, copy)
    with other.acting(noted.engine, POLL, "A-1", world.at(9, 5)):
        world.packed("A-1")
    assert noted.hold()
    other.hold(world.connection, POLL, world.now)
    synced(a, b)
    lifted(world)
    add(world, 50)
    assert held(world, WHO) == ("station/A-1/1", 0, 0)
    wants(b, 50, "q")
    synced(b, a, b)
    assert here(b, WHO) and not here(a, WHO)
    b.check_in(WHO, world.at(10))
    synced(a, b)
    assert numbers(world) == findings(world) == []


@pytest.mark.parametrize("who", ["the commission", "another station"])
def test_who_asked_the_earlier_machine_asks_the_one_that_has_him(noted: Noted, who: str) -> None:
    """He was asked for while A-1/1, which burnt, held him; A-1/2 checks him in, and takes that back: now A-1/2 is asked."""
    world = noted.world
    _, package, b = two_lists(noted)
    added_again(noted, b)
    a2 = second(noted, package)
    world.at(9, 20)
    if who == "the commission":
        died(world, ("A-1", 50))
    else:
        wants(b, 50, "q")
    event = a2.check_in(WHO, world.now)
    a2.do(acts.do_undo, event.n, reason="wrong line", officer="member1", at=world.now)
    synced(a2)
    for minute in range(21, 24):
        world.at(9, minute)
        settled(world)
        synced(a2, b)
    assert held(world, WHO)[0] == "withdrawn" if who == "the commission" else here(b, WHO)
