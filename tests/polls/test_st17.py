"""Scenes that the longer storm came to: each is a fault of the code as it stands, described in the report."""

from __future__ import annotations

import pytest
from joined_world import KEYS, POLL, right, synced
from noted_world import Noted, opened
from test_decided_since import died, wants
from test_lists_unknown import said_by_a_person
from test_put_back_lost import lifted

from dauys.pollbook.settling.asked import state
from dauys.polls.pollbook_join import report, reported, tend

pytestmark = pytest.mark.database


def forgotten_packages(noted: Noted) -> None:
    """A-1 and B-1 began since the copy, which is back, without the journal: they are known by their own word, their packages not."""
    world = noted.world
    noted.hold()
    copy = world.connection.begin_nested()
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    copy.rollback()
    noted.path.unlink()
    noted.again()
    noted.hold()
    said_by_a_person(world)
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
    """Seed 9: who left its list is taken off a list of nobody, and the hour of the whole poll is refused (F.014)."""
    forgotten_packages(noted)
    world = noted.world
    report(world.connection, world.poll, world.now)
    assert set(reported(world.connection, POLL, "10:00")) >= {"A-1", "B-1"}


def test_it_does_not_stop_what_is_withdrawn_each_minute(noted: Noted) -> None:
    """The same transaction withdraws, gives back, and raises P.109: from the first hour of reports on nothing of it is done."""
    forgotten_packages(noted)
    world = noted.world
    died(world, ("A-1", 3))
    synced(world.stations["a"])
    faults = list(tend(noted.engine, lambda _: KEYS.commission, world.now))
    assert (faults, state(world.connection, POLL).withdrawn) == ([], 1)
