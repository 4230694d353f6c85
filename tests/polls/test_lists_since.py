"""Lists that are made while a machine is unread, or were made since the copy from which the centre was put back."""

from __future__ import annotations

from uuid import UUID

import pytest
from joined_world import POLL, Machine, World, held, iin_of, right, synced
from noted_world import Noted, lifted, opened
from test_decided_since import add, asked, died, findings, finds, lift, put_back, wants
from test_door_slips import at_table
from test_paper_and_withdrawals import settled
from test_put_back import IIN, RIGHTS, asks, custody, numbers
from test_put_back_lost import lost, marked
from test_returns import back, mistaken

from dauys.pollbook.centre.take import cursor
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back.doubts import in_doubt

pytestmark = pytest.mark.database

WHO = RIGHTS[0]
"""A voter of A-1."""


def given_up(world: World, *heard: Machine) -> None:
    """The centre was put back from a copy; B-1 is given up unheard, the others are heard, and the mark is lifted."""
    marked(world)
    lost(world, "B-1")
    synced(*heard)
    lifted(world)


def here(machine: Machine, who: UUID) -> bool:
    return who in machine.keep.book.places and machine.keep.book.places[who].standing == "here"


def test_a_second_list_takes_nothing_from_the_first_machine(world: World) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    given_up(world, a, c)
    a.check_in(WHO, world.at(9, 5))  # not sent: its wire is cut, and then it burns
    lost(world, "A-1")
    second = world.start("A-1")
    assert custody(world, WHO)[0] == "station/A-1/1"
    synced(b, b)  # its disk is found: nothing is in doubt any more
    second.link.wire.question("find", {"iin": IIN[WHO]})
    synced(second, second)
    assert not here(second, WHO)
    synced(a)  # found, too
    assert custody(world, WHO) == ("station/A-1/1", 0, 1) and numbers(world) == []


def test_a_package_that_was_here_before_is_made_again_with_its_whole_list(world: World) -> None:
    b, c = world.start("B-1"), world.start("A/2")
    world.packed("A-1")
    synced(b, c)
    given_up(world, c)
    a = world.start("A-1")
    assert len(a.voters) == 6


def test_a_package_that_was_here_before_and_is_void_leaves_nobody_in_doubt(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    world.packed("A/2")
    synced(a, b)
    given_up(world, a)
    assert packing_out.lose(world.connection, POLL, "A/2")[1] == "void"
    add(world, 50, station="A/2")  # he may have been added, and given to B-1, since the copy
    c = world.start("A/2")
    assert len(c.voters) == 3 and right(50) not in c.voters and held(world, right(50))[0] == "roll/A/2"


def test_a_station_that_never_had_a_list_gives_nobody_while_a_machine_is_unread(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    given_up(world, a)
    assert in_doubt(cursor(world.connection), POLL) == {"A/2": 3}
    assert (world.packed("A/2").doubts, a.keep.log.generation) == (3, 1)
    c = world.start("A/2")
    assert len(c.voters) == 0
    synced(b, b)
    c.link.wire.question("find", {"iin": IIN[RIGHTS[6]]})
    synced(c, c)
    assert here(c, RIGHTS[6])


def test_who_is_on_a_list_that_was_made_again_since_the_copy_is_not_free(noted: Noted) -> None:
    world = noted.world
    b = opened(noted, "B-1", "b")
    noted.package("A-1")
    add(world, 50)
    noted.hold()
    copy = world.connection.begin_nested()
    a = opened(noted, "A-1", "a")  # by a second package, which has him on its list
    copy.rollback()
    noted.again()
    assert "A-1/1 package" in noted.hold()
    assert held(world, right(50))[0] == "station/A-1/1"
    synced(a, b)
    assert lifted(world) == 0
    wants(b, 50, "q")
    b.link.once()
    assert not here(b, right(50))
    a.check_in(right(50), world.at(10))
    synced(a, b)
    assert held(world, right(50)) == ("station/A-1/1", 0, 1) and numbers(world) == []


def test_a_list_of_since_the_copy_that_is_made_again_has_nobody_who_is_in_doubt(noted: Noted) -> None:
    world = noted.world
    _, b, c = opened(noted, "A-1", "a"), opened(noted, "B-1", "b"), opened(noted, "A/2", "c")
    noted.lose("A-1")
    add(world, 50)
    noted.hold()
    copy = world.connection.begin_nested()
    wants(b, 50, "q")
    synced(b, b)
    b.check_in(right(50), world.at(9, 5))
    synced(b)
    noted.package("A-1")
    noted.hold()
    copy.rollback()
    noted.again()
    assert noted.hold() != ""
    noted.lose("B-1")
    synced(c)
    lifted(world)
    second = opened(noted, "A-1", "a2")
    assert not here(second, right(50)) and held(world, right(50))[0] == "roll/A-1"
    synced(b, b)
    assert held(world, right(50)) == ("station/B-1/1", 1, 1) and "P.102" not in numbers(world)


def test_who_is_away_on_a_list_of_since_the_copy_comes_to_his_own_station_that_asks(world: World) -> None:
    b = world.start("B-1")
    synced(b)
    copy = world.connection.begin_nested()
    asks(b, WHO, "q1")
    world.wires.lose = True
    b.link.once()  # granted ahead of A-1's list; the answer is lost
    world.wires.lose = False
    a = world.start("A-1")
    assert custody(world, WHO)[:2] == ("station/B-1/1", 1) and not here(a, WHO)
    put_back(world, copy)
    synced(a, b)
    lift(world)
    assert custody(world, WHO) == ("station/A-1/1", 0, 0)  # for all that the centre knows
    said = a.link.wire.question("find", asked(a, WHO, IIN[WHO]))
    assert said["holder"] == "station/A-1/1"
    synced(a, b)
    assert here(a, WHO) and not here(b, WHO)
    a.check_in(WHO, world.now)
    synced(a)
    assert custody(world, WHO) == ("station/A-1/1", 2, 1) and numbers(world) == findings(world) == []


def test_what_a_machine_has_just_let_go_is_not_given_back_to_it(world: World) -> None:
    b = world.start("B-1")
    copy = world.connection.begin_nested()
    a = world.start("A-1")
    put_back(world, copy)
    synced(a, b)
    lift(world)
    asks(b, WHO, "q1")
    a.link.once()  # it hears of that, and lets go: unsent
    a.link.wire.question("find", asked(a, WHO, IIN[WHO]))
    assert custody(world, WHO) == ("station/A-1/1", 0, 0)
    synced(a, b)
    assert here(b, WHO) and numbers(world) == []


@pytest.mark.parametrize("burnt", [False, True])
def test_after_a_mark_that_cost_nothing_additions_go_on_as_before(world: World, burnt: bool) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    if burnt:
        lost(world, "A-1")
        a = world.start("A-1")
    marked(world)
    synced(a, b)
    assert lifted(world) == 0
    add(world, 50, 51)
    assert held(world, right(50)) == ("roll/A-1", 0, 0)
    finds(a, 50)
    wants(b, 51, "q")
    synced(a, b, a, b)
    assert here(a, right(50)) and here(b, right(51))


def test_who_is_added_again_early_is_held_by_the_list_that_has_him(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    lost(world, "A-1")
    copy = world.connection.begin_nested()
    add(world, 50, 51)
    second = world.start("A-1")
    assert here(second, right(50))
    put_back(world, copy)
    synced(second)
    add(world, 50, 51)
    assert held(world, right(50))[0] == "station/A-1/2"
    synced(second, b)
    lift(world)
    second.check_in(right(50), world.now)
    wants(b, 51, "q")
    synced(b, second, b, second, b)
    assert here(b, right(51)) and numbers(world) == findings(world) == []


@pytest.mark.parametrize("back", [False, True])
def test_what_was_let_go_for_the_commission_nobody_else_is_given(world: World, back: bool) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    copy = world.connection.begin_nested()
    number = died(world, ("A-1", 1))
    if not back:
        asks(c, right(1), "q1")
    a.link.once()
    if back:
        synced(a)
        assert settled(world).withdrawn == 1
        put_back(world, copy)
        synced(a, b, c)
        lift(world)
        asks(c, right(1), "q2")
    synced(a, c, c)
    assert not here(c, right(1)) and custody(world, right(1))[0] == "station/A-1/1"
    if back:  # it is done again
        number = died(world, ("A-1", 1))
    assert number and settled(world).withdrawn == 1 and held(world, right(1))[0] == "withdrawn"


def test_a_machine_that_began_since_with_a_package_of_before_has_no_late_list(noted: Noted) -> None:
    world = noted.world
    package, b = noted.package("A-1"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    a = noted.machine(package, "a")
    copy.rollback()
    noted.again()
    assert "A-1/1 key" in noted.hold()
    synced(a, b)
    lifted(world)
    add(world, 50)
    assert held(world, right(50))[0] == "roll/A-1"


def test_what_is_called_off_now_is_not_asked_for_again(world: World) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    marked(world)
    synced(a, b)
    lifted(world)
    number = died(world, ("A-1", 1))
    a.link.once()  # it hears of that, and lets go: unsent
    mistaken(world, number)
    assert back(world, number).kept == 1
    synced(a)
    assert settled(world).withdrawn == 0
    synced(a)
    assert here(a, right(1))


def test_a_package_of_since_the_copy_is_good_while_a_machine_is_unread(noted: Noted) -> None:
    world = noted.world
    b, c = opened(noted, "B-1", "b"), opened(noted, "A/2", "c")
    noted.hold()
    copy = world.connection.begin_nested()
    asks(b, WHO, "q1")
    synced(b, b)
    b.check_in(WHO, world.at(9, 5))
    synced(b)
    package = noted.package("A-1")  # in which he is away
    copy.rollback()
    noted.again()
    assert noted.hold() != ""
    noted.lose("B-1")
    synced(c)
    lifted(world)
    a = noted.machine(package, "a")
    assert len(a.voters) == 5 and not here(a, WHO)
    finds(a, 1)
    synced(a)
    assert not here(a, WHO)  # nor is he given the right


def test_who_is_away_as_withdrawn_is_not_given_his_right_by_asking(world: World) -> None:
    b = world.start("B-1")
    synced(b)
    number = died(world, ("A-1", 1))
    copy = world.connection.begin_nested()
    assert settled(world).withdrawn == 1
    a = world.start("A-1")
    put_back(world, copy)
    synced(a, b)
    lift(world)
    assert at_table(world, a).post("/elsewhere", iin=iin_of(1)).status_code in (200, 303)
    synced(a)
    assert number and not here(a, right(1)) and held(world, right(1)) == ("withdrawn", 1, 0)  # as its list says


def test_a_machine_that_is_found_makes_no_late_list(noted: Noted) -> None:
    world = noted.world
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    a.check_in(WHO, world.at(9, 5))
    synced(a)
    noted.hold()
    copy.rollback()
    noted.again()
    assert noted.hold() != ""
    noted.lose("A-1")
    synced(b)
    lifted(world)
    second = opened(noted, "A-1", "a2")
    add(world, 50)
    synced(a)  # found
    finds(second, 50)
    synced(second)
    assert here(second, right(50)) and numbers(world) == []


def test_what_waits_for_a_lost_machine_is_said_to_whoever_asks(world: World) -> None:
    """At any station: the page offers an envelope then, and no waiting."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    given_up(world, a)

    def why(who: UUID) -> str:
        said = a.link.wire.question("find", {"iin": IIN[who]})
        return str((said["why"] or {}).get("check", ""))

    assert why(RIGHTS[9]) == "P.034"  # on B-1's list
    assert why(RIGHTS[6]) == "P.034"  # of a station without a list: B-1 may have been given it
    synced(b, b)  # its disk is found, and its list is not closed
    assert (why(RIGHTS[9]), why(RIGHTS[6])) == ("P.034", "")
