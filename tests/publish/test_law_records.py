"""Which event does a served record say to have happened? From the database, and where polls have other names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sample_poll import Sample, reader, referendum
from test_law_pages import EVENT, milestones

from dauys.errors import BadInput
from dauys.polls.keys import new_keys
from dauys.polls.opening import open_poll
from dauys.publish.law_source import pack_law, served_law
from dauys.publish.recorded_facts import commencement
from dauys.publish.source import DatabaseSource
from dauys.record import log
from dauys.record.entry import Entry

POLL = "test/law-records"


@pytest.mark.database
def test_the_milestones_of_a_record_come_from_the_database(engine: sa.Engine, tmp_path: Path) -> None:
    poll = replace(referendum(), id=POLL)
    keys = new_keys(poll, tmp_path)
    with engine.begin() as connection:
        open_poll(connection, poll, Sample(poll, per_area=1).stations_, keys, datetime(2022, 6, 5, 1, tzinfo=UTC))
    source = DatabaseSource(engine)
    assert source.milestones(POLL) == []
    found = commencement(poll, source.milestones(POLL))
    assert found and (found.state, found.fact) == ("open", None)
    at, contests = "2022-06-08T10:00:00+06:00", [{"contest": "q1", "decision": {"outcome": "adopted"}}]
    with engine.begin() as connection:
        because = log.size(connection, POLL) + 1
        body = {"event": EVENT, "day": "2022-06-08", "cite": "art. 33", "because": because}
        entries = [
            Entry(POLL, "closing", "closing", at, "commission", {}),
            Entry(POLL, "declaration", "declaration/final", at, "commission", {"contests": contests}),
            Entry(POLL, "publication", f"publication/{EVENT}", at, "commission", body),
        ]
        log.append(connection, POLL, entries)
    found = commencement(poll, source.milestones(POLL))
    assert found and found.fact and (found.state, found.entry) == ("published", because + 1)
    assert (found.fact.event, found.fact.at) == (EVENT, date(2022, 6, 8))
    assert found.fact.source == f"{POLL}, entry {because + 1}: art. 33"


def test_a_drill_with_the_rules_of_the_pack_decides_nothing() -> None:
    drill = Sample(replace(referendum(), id="drill/2022-referendum"), milestones_=milestones("rejected"))
    assert served_law("kz", drill) is pack_law("kz")
    with reader(drill) as reading:
        assert reading.get("/en/law/kz.json").json()["records"] == []


def test_a_poll_that_sets_nothing_off_decides_nothing() -> None:
    plain = replace(referendum(), publishes=None)
    assert commencement(plain, milestones("adopted")) is None
    assert served_law("kz", Sample(plain, milestones_=milestones("adopted"))) is pack_law("kz")


@pytest.mark.parametrize("wrong", [{"because": 39}, {"day": "8 June"}, {"cite": None}])
def test_a_publication_that_is_malformed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="entry 41"):
        commencement(referendum(), milestones("adopted", **wrong))
