"""Does the officer to whom a certificate is shown read which number must stand on it?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from joined_world import VOTING, World, world_of

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_tablet import Tablet
from station_world import manned

from dauys.pollbook.machine import acts
from dauys.pollbook.station import door as station_door

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "certificate", {"on": True, "until": "18:00", "cite": "Pilot 1"})
    with world_of(connection, tmp_path, {"A-1": 2, "B-1": 1}) as made:
        yield made


def test_the_number_stands_beside_the_voter(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    home, away = world.start("A-1"), world.start("B-1")
    who = home.voters[0]
    number = home.keep.book.voters[who].iin
    eve = world.at(9) - timedelta(days=1)
    home.do(acts.do_certificate, who, number="C-100", officer="member1", at=eve)
    home.link.once()
    tablet = Tablet(manned(away.keep, away.link, lambda: world.now), "member1")
    page = tablet.post("/elsewhere", iin=number).text
    assert "an absentee certificate" in page and "must bear the number C-100" in page


def test_taken_back_after_it_was_used_elsewhere_the_own_station_reads_where(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    home, away = world.start("A-1"), world.start("B-1")
    who = home.voters[0]
    eve = world.at(9) - timedelta(days=1)
    home.do(acts.do_certificate, who, number="C-100", officer="member1", at=eve)
    home.link.once()
    away.link.wire.question("ask", {"request": "shown", "entitlement": str(who)})
    away.link.once()
    away.check_in(who, world.at(10))
    while away.link.once():
        continue
    tablet = Tablet(manned(home.keep, home.link, lambda: world.now), "member1")
    home.link.once()
    world.at(11)
    waits = tablet.post("/certificate-back", who=str(who), reason="wrong person picked").headers["location"]
    page = tablet.client.get(waits).text
    assert "already received a ballot: " in page and "B-1" in page and "envelope" not in page
