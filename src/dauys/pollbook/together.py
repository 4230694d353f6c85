"""How does the centre take what many stations send at once? Whatever waits goes into one transaction, set by set.

Thousands of check-ins a second come in batches of few. The plain case, by far the most frequent, is taken for all logs
together: a batch that continues its log and holds check-ins only, each of a right that nobody else in the group names. It
costs four statements and one commit for the group. Everything else goes through `centre.take`, in the same transaction. The
outcome of each batch is what `centre.take` would have said; a test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from dauys.pollbook import centre
from dauys.pollbook.centre import Cursor, Outcome, Row, cursor
from dauys.pollbook.custody import Alarm
from dauys.pollbook.log import Batch, Event, Head, LogError, LogId, verify_batch
from dauys.roll.binary import CLOSING, OPENING, cell, fields, whole
from dauys.store.engine import Connection

MOST = 256
"""Batches in one transaction."""


def take_together(connection: Connection, batches: Sequence[Batch], at: datetime) -> list[Outcome | LogError]:
    """The outcome of each batch, in order; a LogError (P.003, P.004) where it was refused and nothing of it stored."""
    cur = cursor(connection)
    rows = _rows(cur, batches)
    outcomes: dict[int, Outcome | LogError] = {}
    plain: dict[int, Row] = {}
    named: set[tuple[str, UUID]] = set()
    logs: set[LogId] = set()
    for place, batch in enumerate(batches):
        row = rows.get(batch.log)
        first_of_its_log = batch.log not in logs
        logs.add(batch.log)
        if row is None or not first_of_its_log or not _is_plain(batch, row):
            continue
        rights = {(batch.log.poll, event.entitlement) for event in batch.events if event.entitlement is not None}
        if len(rights) < len(batch.events) or rights & named:
            continue
        try:
            verify_batch(batch, bytes(row.key))
        except LogError as error:
            outcomes[place] = error
            continue
        named |= rights
        plain[place] = Row(row.id, batch.log, row.n, row.head, False, row.check_ins)
    if plain:
        outcomes |= _take_plain(cur, batches, plain, at)
    for place, batch in enumerate(batches):
        if place not in outcomes:
            try:
                outcomes[place] = centre.take(connection, batch, at)
            except LogError as error:  # raised before anything of the batch is written
                outcomes[place] = error
    return [outcomes[place] for place in range(len(batches))]


def _rows(cur: Cursor, batches: Sequence[Batch]) -> Mapping[LogId, Any]:
    """The logs of the batches, locked in one order."""
    logs = {batch.log for batch in batches}
    found = cur.execute(
        "SELECT id, poll, station, generation, key, n, head, closed, stopped, check_ins FROM pollbook_log "
        "WHERE (poll, station, generation) IN (SELECT * FROM unnest(%s::text[], %s::text[], %s::int[])) "
        "ORDER BY id FOR UPDATE",
        ([log.poll for log in logs], [log.station for log in logs], [log.generation for log in logs]),
        prepare=True,
    )
    return {LogId(row.poll, row.station, row.generation): row for row in found}


def _is_plain(batch: Batch, row: Any) -> bool:
    events = batch.events
    return (
        bool(events)
        and not row.closed
        and not row.stopped
        and batch.first == row.n + 1
        and events[0].prev == row.head
        and all(event.kind == "check-in" for event in events)
    )


def _take_plain(
    cur: Cursor, batches: Sequence[Batch], plain: Mapping[int, Row], at: datetime
) -> dict[int, Outcome | LogError]:
    with cur.copy("COPY pollbook_event (log, n, kind, entitlement, at, body) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(OPENING)
        for place, row in plain.items():
            copy.write(b"".join(_packed(row.id, batches[place].events)))
        copy.write(CLOSING)
    alarms: dict[int, list[Alarm]] = {}
    for row, event in _use(cur, batches, plain):
        assert event.entitlement is not None
        alarms.setdefault(row.id, []).extend(centre.stray(cur, row, event, event.entitlement, at))
    for place, row in plain.items():
        last = batches[place].events[-1].head
        row.n, row.head, row.check_ins = last.n, last.hash, row.check_ins + len(batches[place].events)
    changed = list(plain.values())
    cur.execute(
        "UPDATE pollbook_log l SET n = u.n, head = u.head, check_ins = u.check_ins, heard = %s "
        "FROM unnest(%s::int[], %s::int[], %s::text[], %s::int[]) AS u (id, n, head, check_ins) WHERE l.id = u.id",
        (
            at, [row.id for row in changed], [row.n for row in changed], [row.head for row in changed],
            [row.check_ins for row in changed],
        ),
        prepare=True,
    )  # fmt: skip
    return {place: Outcome(Head(row.n, row.head), alarms=tuple(alarms.get(row.id, ()))) for place, row in plain.items()}


def _packed(log: int, events: Sequence[Event]) -> Iterator[bytes]:
    """Rows of check-ins in PostgreSQL's binary form."""
    begin, kind = fields(6) + whole(log, 4), cell(b"check-in")
    for event in events:
        assert event.entitlement is not None
        moment = (datetime.fromisoformat(event.at) - _TIME_ZERO) // _TICK
        who = cell(event.entitlement.bytes)
        yield b"".join((begin, whole(event.n, 4), kind, who, whole(moment), cell(event.to_bytes())))


_TIME_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
"""What PostgreSQL's binary timestamptz counts."""


def _use(cur: Cursor, batches: Sequence[Batch], plain: Mapping[int, Row]) -> list[tuple[Row, Event]]:
    """Marks the rights as used where their log holds them unused; returns the check-ins that were not theirs to make."""
    logs = {row.id: place for place, row in plain.items()}
    since = ([row.id for row in plain.values()], [batches[place].first for place in plain])
    used = cur.execute(
        "UPDATE entitlement e SET state = 1, used = v.n "
        "FROM unnest(%s::int[], %s::int[]) AS u (log, first), pollbook_event v, pollbook_log l "
        "WHERE v.log = u.log AND v.n >= u.first AND l.id = u.log "
        "AND e.poll = l.poll AND e.id = v.entitlement AND e.holder = l.holder AND e.state = 0",
        since,
        prepare=True,
    ).rowcount
    if used == sum(len(batches[place].events) for place in plain):
        return []
    strays = cur.execute(
        "SELECT v.log, v.n FROM unnest(%s::int[], %s::int[]) AS u (log, first), pollbook_event v, pollbook_log l "
        "WHERE v.log = u.log AND v.n >= u.first AND l.id = u.log AND NOT EXISTS (SELECT FROM entitlement e "
        "WHERE e.poll = l.poll AND e.id = v.entitlement AND e.holder = l.holder AND e.state = 1 AND e.used = v.n) "
        "ORDER BY v.log, v.n",
        since,
    ).fetchall()
    found = []
    for one in strays:
        place = logs[one.log]
        found.append((plain[place], batches[place].events[one.n - batches[place].first]))
    return found


def stirred(connection: Connection, logs: Sequence[LogId]) -> set[tuple[str, str]]:
    """Which of these holders (poll, holder) have something to hear: a right asked for, asked of them, or given to them."""
    rows = cursor(connection).execute(
        "WITH u (poll, holder) AS (SELECT * FROM unnest(%s::text[], %s::text[])) "
        "SELECT u.poll, u.holder FROM u JOIN pollbook_request r ON r.poll = u.poll AND r.asker = u.holder AND NOT r.granted "
        "UNION SELECT u.poll, u.holder FROM u JOIN pollbook_grant g ON g.poll = u.poll AND g.receiver = u.holder AND NOT g.taken "
        "UNION SELECT u.poll, u.holder FROM pollbook_request r JOIN entitlement e ON e.poll = r.poll AND e.id = r.entitlement "
        "JOIN u ON u.poll = e.poll AND u.holder = e.holder WHERE NOT r.granted",
        ([log.poll for log in logs], [log.holder for log in logs]),
        prepare=True,
    )
    return {(row.poll, row.holder) for row in rows}
