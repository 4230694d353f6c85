"""Does an adopted result set the law in motion, and a rejected one nothing?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from dauys.law.facts import Fact, load_facts
from dauys.law.rulebook import load_book
from dauys.law.snapshot import rules_on
from dauys.law.texts import load_text
from dauys.polls.declaring import declare
from dauys.polls.keys import Keys, new_keys
from dauys.polls.opening import open_poll
from dauys.polls.replay import Replay
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION, Poll
from dauys.registers.poll_file import find_poll, read_poll, read_stations
from dauys.stations.batch import Batch
from dauys.stations.intake import receive

SMALL = read_poll(Path(__file__).parents[1] / "end_to_end/small/poll.yaml")
assert SMALL.stations is not None
STATIONS = read_stations(SMALL.stations)
PUBLISHES = read_poll(find_poll("kz/2022-referendum")).poll.publishes
assert PUBLISHES is not None
POLL: Poll = replace(SMALL.poll, id="test/publication", contests=SMALL.poll.contests[:1], publishes=PUBLISHES)

pytestmark = pytest.mark.database


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return new_keys(POLL, tmp_path)


def vote(connection: sa.Connection, keys: Keys, yes: int, no: int, *, close: bool = True) -> Replay:
    """Opens the poll, lets every station say the same, declares, and reads the record back."""
    at = POLL.closing()
    open_poll(connection, POLL, STATIONS, keys, at - timedelta(hours=20))
    one = {
        "eligible": 100,
        "received": yes + no,
        "participated": yes + no,
        "yes": yes,
        "no": no,
        "invalid": 0,
        "not_counted": 0,
    }
    columns = {name: np.full(len(STATIONS), value, np.int64) for name, value in one.items()}
    receive(connection, POLL, Batch("charter", [s.id for s in STATIONS], columns), by="import", at=at)
    declare(connection, POLL, keys, "final", at + timedelta(hours=9), close=close)
    declare(connection, POLL, keys, "final", at + timedelta(hours=10), close=close)
    replay = Replay()
    for seq, data in log.read(connection, POLL.id):
        replay.apply(seq, Entry.from_bytes(data))
    assert replay.faults == []
    return replay


def published(connection: sa.Connection) -> list[Fact]:
    """The facts that the record holds."""
    entries = [entry for _, entry in log.of_kind(connection, POLL.id, "publication")]
    return [Fact(e.body["event"], date.fromisoformat(e.body["day"]), f"record of {POLL.id}: {e.id}") for e in entries]


def law_of(facts: list[Fact], day: str) -> tuple[object, str]:
    """A rule and a provision on a day, where the referendum's fact comes from the record alone."""
    assert PUBLISHES is not None
    known = load_facts("kz").without(PUBLISHES.event)
    for fact in facts:
        known = known.with_(fact)
    on = date.fromisoformat(day)
    snapshot = rules_on(load_book("kz", load_facts("kz")), on, known, {"regions": 17, "territories": 17})
    text = load_text("kz", "constitution").on(on, known, "en")
    return snapshot.get("akim.region.candidates"), "\n".join(provision.text for provision in text.walk())


def test_an_adopted_result_commences_the_law(connection: sa.Connection, keys: Keys) -> None:
    vote(connection, keys, 60, 20)
    (fact,) = published(connection)
    assert (fact.event, fact.at) == ("referendum-2022.published", date(2022, 6, 8))
    assert law_of([fact], "2022-06-08") != law_of([fact], "2022-06-07")


@pytest.mark.parametrize(("yes", "no"), [(20, 60), (30, 30), (20, 10)])
def test_a_result_that_is_not_adopted_commences_nothing(
    connection: sa.Connection, keys: Keys, yes: int, no: int
) -> None:
    """Rejected, exactly half, too few took part: no Fact, and the law of 8 June is that of 7 June, for good."""
    vote(connection, keys, yes, no)
    assert published(connection) == []
    before = law_of([], "2022-06-07")[1]
    assert law_of([], "2022-06-08")[1] == before
    assert law_of([], "2022-12-31")[1] == before


def test_nothing_is_published_before_the_poll_is_closed(connection: sa.Connection, keys: Keys) -> None:
    vote(connection, keys, 60, 20, close=False)
    assert published(connection) == []


def test_a_publication_without_an_adopted_result_is_found(connection: sa.Connection, keys: Keys) -> None:
    replay = vote(connection, keys, 20, 60)
    assert PUBLISHES is not None
    seq = log.size(connection, POLL.id)
    body = {**PUBLISHES.to_json(), "because": seq - 1}
    forged = Entry(
        POLL.id, "publication", f"publication/{PUBLISHES.event}", "2022-06-08T10:00:00+06:00", COMMISSION, body
    )
    replay.apply(seq, sign_entry(forged, keys.commission))
    assert [fault.check for fault in replay.faults] == ["V.11"]
