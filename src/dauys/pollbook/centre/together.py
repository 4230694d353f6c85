"""How does the centre take what many stations send at once? Whatever waits goes into one transaction, set by set.

Thousands of check-ins a second come in batches of few. The plain case, by far the most frequent, is taken for all logs
together: a batch that continues its log and holds check-ins only, each of a right that nobody else in the group names. It
costs five statements and one commit for the group. Everything else goes through `centre.take`, in the same transaction. The
outcome of each batch is what `centre.take` would have said; a test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeGuard
from uuid import UUID

from dauys.pollbook.centre import take as centre
from dauys.pollbook.centre.predicates import STRAY, UNUSED
from dauys.pollbook.centre.take import Cursor, Outcome, Row, cursor
from dauys.pollbook.log.events import CHANNEL_LOGS, Event, Head, LogError, LogId, verify_batch
from dauys.pollbook.rules.custody import Alarm
from dauys.pollbook.rules.known import HEARD, Heard
from dauys.pollbook.wire.received import CheckIns, Sent
from dauys.roll.binary import CLOSING, OPENING
from dauys.store.engine import Connection

MOST = 256
"""Batches in one transaction."""

MOST_EVENTS = 1000
"""Events in one transaction, but for a batch that alone has more: nobody waits long for those of others."""


def take_together(
    connection: Connection, batches: Sequence[Sent], at: datetime, centre_of: Callable[[str], bytes] = lambda _: b""
) -> list[Outcome | LogError]:  # fmt: skip
    """The outcome of each batch, in order; a LogError (P.003, P.004) where it was refused and nothing of it stored.

    `centre_of`: the centre's public key for a poll (`centre.take`).
    """
    cur = cursor(connection)
    # with the numbers of a group at hand, or with the statistics of a young table, reading all of it can look cheaper than
    # its index: a plan that is made once, for few rows, never does that
    cur.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    rows = _rows(cur, {batch.log for batch in batches})
    outcomes: dict[int, Outcome | LogError] = {}
    plain: list[_Plain] = []
    named: set[bytes] = set()
    logs: set[LogId] = set()
    for place, batch in enumerate(batches):
        row = rows.get(batch.log)
        first_of_its_log = batch.log not in logs
        logs.add(batch.log)
        if row is None or not first_of_its_log or not _continues(batch, row) or not named.isdisjoint(batch.rights):
            continue
        key = bytes(row.key)
        try:
            verify_batch(batch, key)
        except LogError as error:
            outcomes[place] = error
            continue
        named.update(batch.rights)
        plain.append(
            (place, batch, Row(row.id, batch.log, key, row.n, row.head, False, row.check_ins, machine=_machine(row)))
        )
    if plain:
        outcomes |= _take_plain(cur, plain, at)
    for place, batch in enumerate(batches):
        if place not in outcomes:
            try:
                whole = batch.batch() if isinstance(batch, CheckIns) else batch
                outcomes[place] = centre.take(connection, whole, at, centre_of(batch.log.poll))
            except LogError as error:  # raised before anything of the batch is written
                outcomes[place] = error
    return [outcomes[place] for place in range(len(batches))]


_Plain = tuple[int, CheckIns, Row]
"""A batch that continues its log: its place in the group, and the row of its log."""


def _rows(cur: Cursor, logs: Iterable[LogId]) -> Mapping[LogId, Any]:
    """The logs of the batches, locked in one order."""
    several = list(logs)
    found = cur.execute(
        "SELECT id, poll, station, generation, key, n, head, closed, stopped, check_ins, sound, lost "
        "FROM pollbook_log WHERE (poll, station, generation) IN (SELECT * FROM unnest(%s::text[], %s::text[], %s::int[])) "
        "ORDER BY id FOR UPDATE",
        ([log.poll for log in several], [log.station for log in several], [log.generation for log in several]),
        prepare=True,
    )
    return {LogId(row.poll, row.station, row.generation): row for row in found}


def _machine(row: Any) -> Heard:
    plain = row.sound and not row.lost  # all of them, nearly always
    return HEARD if plain else Heard(row.sound, row.lost)


def _continues(batch: Sent, row: Any) -> TypeGuard[CheckIns]:
    return (
        isinstance(batch, CheckIns)
        and bool(row.key)
        and batch.log.paper_of is None
        and not row.closed
        and not row.stopped
        and batch.first == row.n + 1
        and batch.prev == row.head
    )


def _take_plain(cur: Cursor, plain: Sequence[_Plain], at: datetime) -> dict[int, Outcome | LogError]:
    with cur.copy("COPY pollbook_event (log, n, kind, entitlement, at, body) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(OPENING)
        for _, batch, row in plain:
            copy.write(batch.rows(row.id))
        copy.write(CLOSING)
    _note(cur, plain, at)
    alarms: dict[int, list[Alarm]] = {}
    if _use(cur, plain) < sum(len(batch.events) for _, batch, _ in plain):
        for row, event, who in _strays(cur, plain):
            alarms.setdefault(row.id, []).extend(centre.stray(cur, row, event, who, at))
    return {
        place: Outcome(Head(batch.last, batch.head), row.key, alarms=tuple(alarms.get(row.id, ())), machine=row.machine)
        for place, batch, row in plain
    }


def _use(cur: Cursor, plain: Sequence[_Plain]) -> int:
    """Marks the rights as used where their log holds them unused; how many there were."""
    return cur.execute(
        "UPDATE entitlement e SET state = 1, used = l.first + r.place - 1 "  # noqa: S608 - a text of ours
        "FROM unnest(%b::text[], %b::text[], %b::int[], %b::text[]) AS l (poll, holder, first, rights), "
        "unnest(string_to_array(l.rights, ',')::uuid[]) WITH ORDINALITY AS r (id, place) "
        f"WHERE e.poll = l.poll AND e.id = r.id AND e.holder = l.holder AND e.state = {UNUSED} AND NOT {STRAY}",
        (
            [batch.log.poll for _, batch, _ in plain], [batch.log.holder for _, batch, _ in plain],
            [batch.first for _, batch, _ in plain], [batch.named for _, batch, _ in plain],
        ),
        prepare=True,
    ).rowcount  # fmt: skip


def _note(cur: Cursor, plain: Sequence[_Plain], at: datetime) -> None:
    """How far the logs go now."""
    cur.execute(
        "UPDATE pollbook_log l SET n = u.n, head = u.head, check_ins = l.check_ins + u.more, heard = %s "
        "FROM unnest(%s::int[], %s::int[], %s::text[], %s::int[]) AS u (id, n, head, more) WHERE l.id = u.id",
        (
            at, [row.id for _, _, row in plain], [batch.last for _, batch, _ in plain],
            [batch.head for _, batch, _ in plain], [len(batch.events) for _, batch, _ in plain],
        ),
        prepare=True,
    )  # fmt: skip


def _strays(cur: Cursor, plain: Sequence[_Plain]) -> list[tuple[Row, Event, UUID]]:
    """The check-ins that were not their log's to make."""
    found = cur.execute(
        "SELECT v.log, v.n, v.entitlement FROM unnest(%s::int[], %s::int[]) AS u (log, first), pollbook_event v, pollbook_log l "
        "WHERE v.log = u.log AND v.n >= u.first AND l.id = u.log AND NOT EXISTS (SELECT FROM entitlement e "
        "WHERE e.poll = l.poll AND e.id = v.entitlement AND e.holder = l.holder AND e.state = 1 AND e.used = v.n) "
        "ORDER BY v.log, v.n",
        ([row.id for _, _, row in plain], [batch.first for _, batch, _ in plain]),
    ).fetchall()
    theirs = {
        row.id: (row, batch.first, batch.batch().events)
        for _, batch, row in plain
        if row.id in {one.log for one in found}
    }
    strays = []
    for one in found:
        row, first, events = theirs[one.log]
        strays.append((row, events[one.n - first], one.entitlement))
    return strays


def stirred(connection: Connection, logs: Sequence[LogId]) -> set[tuple[str, str]]:
    """Which of these holders (poll, holder) may have something to hear: a right asked for, asked of them, or given to them.

    Nobody has while the books of a poll are not whole (`pollbook.centre.mark`). Here no request ends: `moves.asked_of` and
    `moves.may_receive` look who still asks."""
    rows = cursor(connection).execute(
        "SELECT u.poll, u.holder FROM unnest(%s::text[], %s::text[]) AS u (poll, holder) "
        "WHERE NOT EXISTS (SELECT FROM pollbook_restored m WHERE m.poll = u.poll AND m.lifted IS NULL) AND ("
        "EXISTS (SELECT FROM pollbook_request r WHERE r.poll = u.poll AND r.asker = u.holder AND NOT r.granted) "
        "OR EXISTS (SELECT FROM pollbook_grant g WHERE g.poll = u.poll AND g.receiver = u.holder AND NOT g.taken) "
        "OR EXISTS (SELECT FROM pollbook_request r JOIN entitlement e ON e.poll = r.poll AND e.id = r.entitlement "
        "AND e.epoch = r.epoch WHERE r.poll = u.poll AND r.holder = u.holder AND NOT r.granted "
        "AND e.holder = u.holder AND (e.state = 0 OR e.state = 1 AND split_part(u.holder, '/', 1) = ANY(%s))))",
        ([log.poll for log in logs], [log.holder for log in logs], list(CHANNEL_LOGS)),
        prepare=True,
    )
    return {(row.poll, row.holder) for row in rows}
