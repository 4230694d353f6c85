"""Does the query that makes turnout reports out of the logs count what a log's own sums count, at any moment?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from centre_mirror import right
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pollbook_sample import MORNING, POLL, key, who

from dauys.pollbook.centre import take as centre
from dauys.pollbook.centre.packages import note_package
from dauys.pollbook.gathered.sums import reports_at, sums_of_events
from dauys.pollbook.log.events import Event, Head, LogId, sign_batch
from dauys.pollbook.rules.sums import together
from dauys.record import log as record
from dauys.store.engine import Connection

pytestmark = pytest.mark.database

FIRST, SECOND = LogId(POLL, "1", 1), LogId(POLL, "1", 2)
LOGS = (FIRST, FIRST.paper, SECOND)
"""A machine that is lost, its paper, and the one that came after it."""
LISTED = {FIRST: 4, FIRST.paper: 0, SECOND: 2}

Step = tuple[str, int, int, int]
"""What is written: which of the logs, a right or an event of that log, and the minute."""

steps = st.lists(
    st.tuples(
        st.sampled_from(["check-in"] * 4 + ["undo"] * 3 + ["release", "certificate", "receive"]),
        st.sampled_from([0, 0, 1, 2]), st.integers(1, 5), st.integers(0, 9),
    ),
    max_size=14,
)  # fmt: skip


def body_of(kind: str, number: int) -> dict[str, object]:
    right: dict[str, object] = {"entitlement": str(who(number))}
    match kind:
        case "check-in":
            return right | {"channel": "polling-day", "officer": "m1", "salt": "0" * 20}
        case "undo":
            return {"of": number, "reason": "wrong person", "officer": "m1"}
        case "release":
            return right | {"epoch": 0, "request": "r"}
        case "certificate":
            return right | {"epoch": 0, "number": "7", "officer": "c1"}
    return right | {"epoch": 1, "grant": {"why": "move", "request": "r", "sig": "A" * 86 + "=="}}


@pytest.fixture
def station(connection: Connection) -> Connection:
    record.open_log(connection, POLL, "dauys/test")
    for number in range(1, 6):
        right(connection, who(number), "1")
    for number, log in enumerate(LOGS, 1):
        if log.paper_of is None:
            note_package(connection, log, b"", MORNING, LISTED[log])
        centre.enrol(connection, log, key(number).public_key().public_bytes_raw(), MORNING)
        if log == FIRST:
            centre.declare_lost(connection, log)
    return connection


@example(some=[("check-in", 0, 1, 5), ("undo", 0, 1, 2)], minute=3)  # by then its clock was set back
@example(some=[("check-in", 2, 1, 2), ("undo", 2, 1, 5)], minute=3)
@example(
    some=[("check-in", 0, 1, 0), ("undo", 0, 1, 1), ("undo", 0, 1, 0)], minute=0
)  # the second one undoes nothing (P.104)
@example(
    some=[("check-in", 0, 1, 0), ("check-in", 0, 1, 0), ("check-in", 1, 1, 0), ("undo", 0, 1, 0)], minute=0
)  # and paper
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=steps, minute=st.integers(0, 9))
def test_what_was_handed_out_by_an_hour_is_what_the_log_says(
    station: Connection, some: list[Step], minute: int
) -> None:
    """Whatever the logs hold, in whatever order their clocks went."""
    before = station.begin_nested()
    try:
        query_and_logs_agree(station, some, MORNING + timedelta(minutes=minute))
    finally:
        before.rollback()


def that_count(events: Iterable[Event]) -> Iterator[Event]:
    """Without undos of what does not stand, in the order of the log: they are alarms (P.104) and undo nothing, at any hour."""
    standing: set[object] = set()
    for one in events:
        if one.kind == "undo" and one.body["of"] not in standing:
            continue
        if one.kind == "undo":
            standing.remove(one.body["of"])
        if one.kind == "check-in":
            standing.add(one.n)
        yield one


def query_and_logs_agree(station: Connection, some: list[Step], moment: datetime) -> None:
    several = []
    for number, log in enumerate(LOGS, 1):
        head, events = Head.before(log), []
        for kind, place, n, at in some:
            if LOGS[place] == log:
                clock = (MORNING + timedelta(minutes=at)).isoformat()
                events.append(Event(head.n + 1, clock, kind, body_of(kind, n), head.hash))
                head = events[-1].head
        centre.take(station, sign_batch(log, 1, events, head.hash, key(number)), MORNING)
        by_then = ((one.kind, one.n, dict(one.body)) for one in that_count(events) if one.at <= moment.isoformat())
        several.append(sums_of_events(LISTED[log], by_then, paper=log.paper_of is not None))
    station.execute(sa.text("UPDATE pollbook_log SET whole = :at WHERE poll = :poll"), {"at": moment, "poll": POLL})
    wanted = together(several)
    assert reports_at(station, POLL, moment, ()).ready == [("1", wanted.eligible, wanted.received)]
