"""A lost machine is found and closed: whom it had left over stands on its list, and is no second voter at the next machine."""

from __future__ import annotations

from datetime import time

import pytest
from joined_world import POLL, Machine, World, right, synced
from test_decided_since import wants
from test_lists_since import here

from dauys.pollbook.gathered.sums import reports_at, sums_at
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out

pytestmark = pytest.mark.database


def left_over(world: World) -> tuple[Machine, Machine]:
    """Voter 1 stands on the list of A-1's first machine; the second one is given his right. And B-1."""
    first, b = world.start("A-1"), world.start("B-1")
    packing_out.lose(world.connection, POLL, "A-1")
    second = world.start("A-1")
    first.do(acts.do_close, officer="chair", at=world.at(20, 1))
    world.at(19)
    synced(first, b)
    wants(second, 1, "q1")
    synced(second, second)
    assert here(second, right(1))
    return second, b


def eligible(world: World) -> dict[str, int]:
    """By the sums; the hour's report says the same."""
    found = {station: sums_at(world.connection, POLL, station) for station in ("A-1", "B-1")}
    sums = {station: one.sums.eligible for station, one in found.items() if one is not None}
    world.at(20, 5)
    synced(*world.stations.values())
    ready = reports_at(world.connection, POLL, world.poll.moment(time(20)), ()).ready
    world.at(19)
    assert {station: voters for station, voters, _ in ready} == sums
    return sums


def test_he_is_counted_once(world: World) -> None:
    second, _ = left_over(world)
    assert eligible(world) == {"A-1": 6, "B-1": 4}
    second.check_in(right(1), world.now)
    synced(second)
    found = sums_at(world.connection, POLL, "A-1")
    assert found is not None and (found.sums.received, found.sums.listed, found.sums.came) == (1, 6, {})


def test_he_goes_on(world: World) -> None:
    second, b = left_over(world)
    wants(b, 1, "q2")
    synced(second, b, second, b)
    assert here(b, right(1)) and eligible(world) == {"A-1": 5, "B-1": 5}
    wants(second, 1, "q3")
    synced(b, second, b, second)
    assert here(second, right(1)) and eligible(world) == {"A-1": 6, "B-1": 4}
