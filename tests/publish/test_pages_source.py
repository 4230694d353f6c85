"""Do the pages read from the database what stands there?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sample_poll import Sample, SiteClient, referendum

from dauys.errors import DauysError
from dauys.polls.keys import new_keys
from dauys.polls.opening import open_poll
from dauys.publish.source import DatabaseSource, StationRow
from dauys.record import log
from dauys.record.entry import Entry
from dauys.web.app import create_app

pytestmark = pytest.mark.database
POLL = "test/pages-source"


@pytest.fixture(scope="module")
def sample(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A poll in the database, with the protocols of a sample."""
    sample = Sample(replace(referendum(), id=POLL), counted=60, quarantined=10, per_area=5)
    keys = new_keys(sample.poll_, tmp_path_factory.mktemp("keys"))
    insert = sa.text(
        "INSERT INTO protocol (poll, contest, station, version, state, values, checks, seq) "
        "VALUES (:poll, 'q1', :station, 0, :state, CAST(:values AS jsonb), :checks, 3)"
    )
    with engine.begin() as connection:
        open_poll(connection, sample.poll_, sample.stations_, keys, datetime(2022, 6, 5, 1, tzinfo=UTC))
        log.sign_checkpoint(connection, POLL, keys.log)
        for station, held in sample.held["q1"].items():
            state = "quarantined" if held.quarantined else "accepted"
            row = {"values": json.dumps(held.values), "checks": list(held.checks), "state": state, "station": station}
            connection.execute(insert, row | {"poll": POLL})
    return sample


def shown(rows: Sequence[StationRow]) -> list[StationRow]:
    """Without the entries' places: those of the sample are not the ones of any record."""
    return [replace(row, protocols=tuple(replace(p, seq=0, version=0) for p in row.protocols)) for row in rows]


def test_lists_are_those_of_the_database(engine: sa.Engine, sample: Sample) -> None:
    source = DatabaseSource(engine)
    assert POLL in [poll.id for poll in source.polls()]
    for area in ("KZ11", "KZ71"):
        assert shown(source.stations(POLL, area, 0, 100)) == shown(sample.stations(POLL, area, 0, 100))
    assert shown(source.stations(POLL, "KZ11", 2, 2)) == shown(sample.stations(POLL, "KZ11", 2, 2))
    assert shown(source.quarantine(POLL, 0, 100)) == shown(sample.quarantine(POLL, 0, 100))
    assert shown(source.quarantine(POLL, 1, 2)) == shown(sample.quarantine(POLL, 1, 2))
    assert source.corrections(POLL) == []
    with pytest.raises(DauysError, match="no poll"):
        source.poll("test/none")


def test_the_pages_say_what_the_sample_says(engine: sa.Engine, sample: Sample, tmp_path: Path) -> None:
    with SiteClient(create_app(engine, maps=tmp_path)) as client:
        [made] = client.get(f"/en/polls/{POLL}.json").json()["contests"]
        expected = sample.standing(POLL).contests[0]
        assert made["totals"] == dict(expected.totals) and made["covers"] == expected.covers
        assert made["stations"]["quarantined"] == expected.quarantined > 0
        for part in ("", "areas", "areas/KZ11", "turnout", "quarantine", "checks", "record", "downloads"):
            assert client.get(f"/kk/polls/{POLL}/{part}").status_code == 200
        record = client.get(f"/en/polls/{POLL}/record.json").json()
        assert record["checkpoints"][0]["signers"] == [f"dauys/{POLL}"]


def test_what_is_annulled_says_so_in_the_list_and_on_the_page_of_the_territory(
    engine: sa.Engine, sample: Sample, tmp_path: Path
) -> None:
    """One whole territory votes again; in another one the first station is void for good."""
    at, body = "2022-06-07T10:00:00+06:00", {"contest": "q1", "reason": "fraud", "cite": "Const. 2"}
    places = ({"area": "KZ11", "repeat": True}, {"station": "KZ15-0000", "repeat": False})
    entries = [
        Entry(POLL, "annulment", f"annulment/q1/{place.get('area') or place.get('station')}", at, "court", body | place)
        for place in places
    ]
    with engine.begin() as connection:
        log.append(connection, POLL, entries)
    source = DatabaseSource(engine)
    whole = [row.protocols[0].state for row in source.stations(POLL, "KZ11", 0, 100)]
    assert whole == ["repeat-pending"] * 5
    first, *others = source.stations(POLL, "KZ15", 0, 100)
    assert (first.id, first.protocols[0].state) == ("KZ15-0000", "annulled")
    assert {p.state for row in others for p in row.protocols} <= {"accepted", "quarantined"}
    with SiteClient(create_app(engine, maps=tmp_path)) as client:
        assert 'data-repeat="5"' in client.get(f"/ru/polls/{POLL}/areas/KZ11").text
        text = client.get(f"/ru/polls/{POLL}/areas/KZ15").text
        assert 'data-annulled="1"' in text and text.count('data-state="annulled"') == 1
        assert "(статья 2 Конституции РК)" in client.get(f"/ru/polls/{POLL}/quarantine").text
