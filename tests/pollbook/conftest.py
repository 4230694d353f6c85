"""A station that is open, for the tests of its pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from station_tablet import Tablet
from station_town import Town, town_of
from station_world import Clock, FakeCentre, enrolled, person, station_of

from dauys.pollbook.station import door as station_door
from dauys.pollbook.station.visit import Station


@pytest.fixture(scope="module")
def cheap_pins() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(station_door, "COST", 1 << 4)
        yield


@pytest.fixture(scope="module")
def centre() -> FakeCentre:
    return FakeCentre({"1": [person(n) for n in range(1, 41)], "2": [person(n) for n in range(101, 111)]})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def station(cheap_pins: None, tmp_path: Path, centre: FakeCentre, clock: Clock) -> Iterator[Station]:
    """An open station with everything on; each test has a centre that knows nothing yet."""
    fresh = FakeCentre(centre.lists, centre.channels)
    made = station_of(enrolled(fresh, tmp_path, "1"), fresh, clock)
    assert Tablet(made, "c1").post("/day", what="open").status_code == 303
    yield made
    made.keep.close()


@pytest.fixture
def town(cheap_pins: None, tmp_path: Path) -> Iterator[Town]:
    """Two open stations and their centre."""
    town = town_of(tmp_path)
    yield town
    town.here.keep.close()
    town.there.keep.close()
