"""A machine whose package the centre has forgotten: its turnout is reported, and stops nothing else."""

from __future__ import annotations

from datetime import time

import pytest
import sqlalchemy as sa
from joined_world import KEYS, POLL, Machine, right, synced
from noted_world import Noted, lifted, opened, put_back, put_back_without_journal
from test_decided_since import add, died, finds, wants
from test_lists_since import here
from test_one_person_overlaps import minutes
from test_paper_and_withdrawals import settled
from test_returns import back, mistaken

from dauys.pollbook.gathered.sums import reports_at, sums_at
from dauys.pollbook.machine import acts
from dauys.pollbook.settling.asked import state
from dauys.polls.pollbook_join import report, reported, tend

pytestmark = pytest.mark.database


def forgotten_packages(noted: Noted) -> None:
    """A-1 and B-1 began since the copy, which is back, without the journal: they are known by their own word, their packages not."""
    world = noted.world
    noted.hold()
    copy = world.connection.begin_nested()
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    put_back_without_journal(noted, copy)
    synced(a, b)
    lifted(world, "telephoned", packages="good")
    wants(b, 1, "q1")
    synced(a, b)
    b.check_in(right(1), world.at(9, 30))
    a.check_in(right(2), world.now)
    synced(a, b)
    world.at(10, 5)
    synced(a, b)


def test_a_machine_whose_package_is_forgotten_reports_its_turnout(noted: Noted) -> None:
    """Who left its list was taken off a list of nobody, and the hour of the whole poll was refused (F.014)."""
    forgotten_packages(noted)
    world = noted.world
    report(world.connection, world.poll, world.now)
    assert set(reported(world.connection, POLL, "10:00")) >= {"A-1", "B-1"}
    query = sa.text(
        "SELECT station, eligible, received FROM turnout WHERE poll = :poll AND at = '10:00' ORDER BY station"
    )
    assert [tuple(row) for row in world.connection.execute(query, {"poll": POLL})] == [("A-1", 5, 1), ("B-1", 5, 1)]


def test_it_does_not_stop_what_is_withdrawn_each_minute(noted: Noted) -> None:
    """What withdraws, gives back, and raises P.109 is a transaction of its own."""
    forgotten_packages(noted)
    world = noted.world
    died(world, ("A-1", 3))
    synced(world.stations["a"])
    faults = list(tend(noted.engine, lambda _: KEYS.commission, world.now))
    assert (faults, state(world.connection, POLL).withdrawn) == ([], 1)


def without_its_package(noted: Noted, copy: sa.NestedTransaction, *machines: Machine) -> None:
    """The copy is back, of before A-1's package, of which no journal tells; the machines are heard, and the mark is lifted."""
    put_back(noted, copy)
    noted.hold()
    noted.world.connection.exec_driver_sql("DELETE FROM pollbook_package WHERE station = 'A-1'")
    synced(*machines)
    lifted(noted.world)


@pytest.mark.parametrize("known", ["the first", "neither"])
def test_a_station_of_two_machines_has_its_voters_once(noted: Noted, known: str) -> None:
    """A-1/1 is given up, A-1/2 begins after it, since the copy; A-1/1 before the copy, or since as well."""
    world = noted.world
    noted.hold()
    a = opened(noted, "A-1", "a") if known == "the first" else None
    copy = world.connection.begin_nested()
    a = a or opened(noted, "A-1", "a")
    a.check_in(right(1), world.now)
    synced(a)
    noted.lose("A-1")
    a2 = opened(noted, "A-1", "a2")
    put_back_without_journal(noted, copy)
    synced(a2, a, a2)
    lifted(world, "telephoned", packages="good")
    found = sums_at(world.connection, POLL, "A-1")
    assert found is not None and (found.sums.listed, found.sums.received) == (6, 1)
    world.at(10, 5)
    synced(a2)
    assert [
        row for row in reports_at(world.connection, POLL, world.poll.moment(time(10)), ()).ready if row[0] == "A-1"
    ] == [("A-1", 6, 1)]


def test_who_was_added_or_went_elsewhere_is_on_no_forgotten_list(noted: Noted) -> None:
    """1 went to B-1 ahead of A-1's list, 50 was added after it was made."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    wants(b, 1, "q1")
    synced(b)
    a = opened(noted, "A-1", "a")
    add(world, 50)
    finds(a, 50)
    synced(a)
    before = sums_at(world.connection, POLL, "A-1")
    without_its_package(noted, copy, a, b)
    assert before is not None and (before.sums.listed, before.sums.eligible) == (5, 6)
    assert sums_at(world.connection, POLL, "A-1") == before


@pytest.mark.parametrize("what", ["given back", "withdrawn", "added, and withdrawn"])
def test_who_was_withdrawn_before_a_forgotten_list_was_not_on_it(noted: Noted, what: str) -> None:
    world = noted.world
    b = opened(noted, "B-1", "b")
    if what == "added, and withdrawn":
        add(world, 50)
    number = died(world, ("A-1", 50 if what == "added, and withdrawn" else 1))
    assert settled(world).withdrawn == 1
    if what == "given back":
        mistaken(world, number)
        assert back(world, number).free == 1
    noted.hold()
    copy = world.connection.begin_nested()
    a = opened(noted, "A-1", "a")
    wants(b, 2, "q2")
    synced(a, b)
    before = sums_at(world.connection, POLL, "A-1")
    without_its_package(noted, copy, a, b)
    synced(a, b)
    assert before is not None and before.sums.listed == (6 if what == "added, and withdrawn" else 5)
    assert sums_at(world.connection, POLL, "A-1") == before
    if what == "given back":  # he comes home, and goes elsewhere
        minutes(world, a, b)
        assert here(a, right(1))
        wants(b, 1, "q1")
        synced(a, b)
    a.do(acts.do_close, officer="chair", at=world.at(20, 1))
    synced(a, b)
    after = sums_at(world.connection, POLL, "A-1")
    assert after is not None and after.sums.listed == before.sums.listed and "returned" not in after.sums.came


@pytest.mark.parametrize("then", ["given on", "withdrawn"])
def test_who_was_left_over_in_a_forgotten_list_was_on_it(noted: Noted, then: str) -> None:
    """A-1 is lost, found, and closed before the others, whose stations are further west: what it has left over goes on."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    a = opened(noted, "A-1", "a")
    without_its_package(noted, copy, a, b)
    a.do(acts.do_close, officer="chair", at=world.at(20, 1))
    world.at(19, 30)
    synced(a, b)
    if then == "given on":
        wants(b, 1, "q1")
        synced(b, b)
        assert here(b, right(1))
    else:
        died(world, ("A-1", 1))
        assert settled(world).withdrawn == 1
    found = sums_at(world.connection, POLL, "A-1")
    assert found is not None and found.sums.listed == 6
