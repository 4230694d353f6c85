"""Does the record of corrected turnout reports replay to what the database holds, and is each planted fault found?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from dauys.errors import BadInput
from dauys.polls.declaring import declare
from dauys.polls.keys import Keys, new_keys
from dauys.polls.opening import open_poll
from dauys.polls.replay import Fault, Replay
from dauys.polls.standing import _cache, standing, station_view
from dauys.publish.bundle import write_bundle
from dauys.publish.verify import verify
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.record.tiles import folder_fetch
from dauys.registers.poll import Poll
from dauys.registers.poll_file import read_poll, read_stations
from dauys.stations.batch import one
from dauys.stations.intake import receive
from dauys.stations.turnout import Reports, correct_report, report_turnout

pytestmark = pytest.mark.database
FILE = read_poll(Path(__file__).parents[1] / "end_to_end/small/poll.yaml")
assert FILE.stations is not None
STATIONS = read_stations(FILE.stations)
AT = FILE.poll.closing()
HOURS = [f"{at:%H:%M}" for at in FILE.poll.reports] or ["10:00", "12:00", "18:00"]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return new_keys(FILE.poll, tmp_path / "keys")


@pytest.fixture
def opened(connection: sa.Connection, keys: Keys) -> Iterator[tuple[sa.Connection, Poll]]:
    open_poll(connection, FILE.poll, STATIONS, keys, AT - timedelta(hours=20))
    log.sign_checkpoint(connection, FILE.poll.id, keys.log)
    yield connection, FILE.poll


def report(connection: sa.Connection, poll: Poll, station: str, hour: str, received: int) -> None:
    told = Reports(hour, [station], np.array([1000], np.int64), np.array([received], np.int64))
    report_turnout(connection, poll, told, by="import", at=AT)


def amend(
    connection: sa.Connection, poll: Poll, keys: Keys, station: str, hour: str, received: int, **rest: Any
) -> Any:
    after = {"eligible": 1000, "received": received}
    terms: dict[str, Any] = {
        "reason": "misheard on the telephone",
        "by": "account/aigul",
        "at": AT,
        "seal": keys.commission,
    }
    return correct_report(connection, poll, station=station, hour=hour, after=after, **(terms | rest))


def faults_of(entries: list[Entry]) -> list[Fault]:
    replay = Replay()
    for seq, entry in enumerate(entries):
        replay.apply(seq, entry)
    replay.check_identities()
    return replay.faults


def record_of(connection: sa.Connection, poll: Poll) -> list[Entry]:
    return [Entry.from_bytes(data) for _, data in log.read(connection, poll.id)]


@pytest.mark.parametrize("seed", range(4))
def test_reports_corrections_and_protocols_replay_without_a_fault(
    opened: tuple[sa.Connection, Poll], keys: Keys, seed: int
) -> None:
    """Whether a protocol is held back by F.110 depends on the report that is in force when it comes in."""
    connection, poll = opened
    random, held = Random(seed), 0
    told: dict[str, dict[str, int]] = {}
    for station in random.sample(STATIONS, 12):
        hours = told.setdefault(station.id, {})
        for hour in HOURS:
            if random.random() < 0.8:
                hours[hour] = random.randrange(5, 900)
                report(connection, poll, station.id, hour, hours[hour])
        for hour in list(hours) * random.randrange(3):
            hours[hour] += random.choice((-3, 4))
            amend(connection, poll, keys, station.id, hour, hours[hour])
        received = (hours[max(hours)] if hours else 100) + random.choice((-1, 0, 1))
        values = {"eligible": 1000, "received": received, "participated": received, "yes": received, "no": 0,
                  "invalid": 0, "not_counted": 0}  # fmt: skip
        (receipt,) = receive(connection, poll, one("charter", station.id, values), by="import", at=AT)
        assert ("F.110" in receipt.checks) == (bool(hours) and received < hours[max(hours)])
        held += "F.110" in receipt.checks
    assert held
    assert faults_of(record_of(connection, poll)) == []
    _cache.clear()  # of a test before this one, whose record had as many entries and was undone
    for point in standing(connection, poll.id).turnout:
        here = [hours[point.at] for hours in told.values() if point.at in hours]
        assert (point.stations, point.received) == (len(here), sum(here))


def test_a_bundle_with_corrected_reports_is_verified_after_the_poll_was_closed(
    opened: tuple[sa.Connection, Poll], keys: Keys, tmp_path: Path
) -> None:
    connection, poll = opened
    station = STATIONS[0].id
    report(connection, poll, station, HOURS[0], 300)
    declare(connection, poll, keys, "final", AT, close=True)
    with pytest.raises(BadInput) as caught:
        report(connection, poll, STATIONS[1].id, HOURS[0], 300)
    assert caught.value.check == "F.024"
    report(connection, poll, station, HOURS[0], 300)  # sent again: it is there
    first = amend(connection, poll, keys, station, HOURS[0], 30)
    assert amend(connection, poll, keys, station, HOURS[0], 30).seq == first.seq
    shown = station_view(connection, poll.id, station)
    assert shown.turnout == ((HOURS[0], 1000, 30),) and [seq for seq, _ in shown.corrected] == [first.seq]
    assert station_view(connection, poll.id, STATIONS[1].id).corrected == ()
    declare(connection, poll, keys, "final-2", AT, close=True)
    folder = write_bundle(connection, poll.id, keys, tmp_path / "bundle")
    assert [(check.id, check.found) for check in verify(folder_fetch(folder)) if not check.ok] == []


Change = Callable[[Entry], Entry]


def body(**changes: Any) -> Change:
    return lambda entry: replace(entry, body={**entry.body, **changes})


@pytest.mark.parametrize(
    ("change", "signed", "checks"),
    [
        (body(of=1), True, ["V.09"]),
        (body(before={"eligible": 1000, "received": 301}), True, ["V.09"]),
        (body(reason=" "), True, ["V.09"]),
        (body(station=STATIONS[1].id), True, ["V.05", "V.09"]),
        (body(time="23:59"), True, ["V.05", "V.09"]),
        (body(after={"eligible": 1000}), True, ["V.05"]),
        (body(after={"eligible": 1000, "received": -1}), True, ["V.05"]),
        (body(after={"eligible": 1000, "received": 200, "yes": 1}), True, ["V.05"]),
        (body(extra=1), True, ["V.05"]),
        (lambda entry: replace(entry, sig=None), False, ["V.06"]),
        (body(after={"eligible": 1000, "received": 200}), False, ["V.06"]),  # a digit, under the old signature
    ],
)
def test_each_planted_fault_is_found(
    opened: tuple[sa.Connection, Poll], keys: Keys, change: Change, signed: bool, checks: list[str]
) -> None:
    connection, poll = opened
    report(connection, poll, STATIONS[0].id, HOURS[0], 300)
    amend(connection, poll, keys, STATIONS[0].id, HOURS[0], 30)
    entries = record_of(connection, poll)
    assert faults_of(entries) == []
    changed = change(entries[-1])
    entries[-1] = sign_entry(replace(changed, sig=None), keys.commission) if signed else changed
    assert [fault.check for fault in faults_of(entries)] == checks


def test_the_correction_that_is_left_out_is_missed_by_the_protocol_that_followed_it(
    opened: tuple[sa.Connection, Poll], keys: Keys
) -> None:
    connection, poll = opened
    station = STATIONS[0].id
    report(connection, poll, station, HOURS[0], 300)
    amend(connection, poll, keys, station, HOURS[0], 30)
    values = {"eligible": 1000, "received": 40, "participated": 40, "yes": 40, "no": 0, "invalid": 0, "not_counted": 0}
    (receipt,) = receive(connection, poll, one("charter", station, values), by="import", at=datetime.now().astimezone())
    assert "F.110" not in receipt.checks
    entries = record_of(connection, poll)
    assert faults_of(entries) == []
    del entries[-2]
    assert [fault.check for fault in faults_of(entries)] == ["V.08"]
