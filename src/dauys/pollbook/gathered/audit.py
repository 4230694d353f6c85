"""Was the guarantee kept, over all logs that the centre has? The audit of `pollbook.rules.audit`, a part of the rights at a time.

Of the centre it takes the logs as they were signed, and on whose list a right began; neither its custody nor its alarms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.mark import ever
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import Event, LogId
from dauys.pollbook.rules.audit import Finding, audit
from dauys.pollbook.rules.holders import UNLISTED
from dauys.store.engine import Connection

HOLDS = ("check-in", "release", "certificate")
"""Events of whoever holds the right that they name."""

AT_ONCE = 400_000
"""Events that are held in memory at once, about."""


def audit_poll(connection: Connection, poll: str, at_once: int = AT_ONCE) -> Iterator[tuple[int, list[Finding]]]:
    """How many rights were looked at, and what is wrong with them: part by part, until all of the poll's were.

    One of `Finding.check` P.101, P.102, P.103, P.105; P.102 also for a right that an envelope and a check-in used.
    """
    cur = cursor(connection)
    row = cur.execute("SELECT coalesce(sum(n), 0) AS events FROM pollbook_log WHERE poll = %s", (poll,)).fetchone()
    parts = min(256, 1 + (int(row.events) if row else 0) // at_once)
    for part in range(parts):
        logs = _logs(cur, poll, part, parts)
        findings = audit(logs, _begun(cur, poll, part, parts, logs)) + _beside_envelopes(cur, poll, logs)
        yield len(_rights(cur, poll, part, parts, logs)), sorted(findings, key=lambda one: (one.check, one.entitlement))


_PART = "get_byte(uuid_send({}), 0) %% %(parts)s = %(part)s"


def _logs(cur: Cursor, poll: str, part: int, parts: int) -> dict[LogId, list[Event]]:
    """Of each log the events that name these rights, and those that name none."""
    logs: dict[LogId, list[Event]] = {}
    rows = cur.execute(
        "SELECT l.station, l.generation, v.body FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log "  # noqa: S608
        f"WHERE l.poll = %(poll)s AND (v.kind IN ('undo', 'close') OR {_PART.format('v.entitlement')}) ORDER BY v.log, v.n",
        {"poll": poll, "part": part, "parts": parts},
    )
    for row in rows:
        logs.setdefault(LogId(poll, row.station, row.generation), []).append(Event.from_bytes(bytes(row.body)))
    for row in cur.execute("SELECT station, generation FROM pollbook_log WHERE poll = %s", (poll,)):
        logs.setdefault(LogId(poll, row.station, row.generation), [])
    return logs


def _rights(cur: Cursor, poll: str, part: int, parts: int, logs: dict[LogId, list[Event]]) -> set[UUID]:
    """All rights of this part: those of the frozen roll, those added since, and those that a log names besides."""
    where = {"poll": poll, "part": part, "parts": parts}
    rows = cur.execute(f"SELECT id FROM entitlement WHERE poll = %(poll)s AND {_PART.format('id')}", where)  # noqa: S608
    named = {event.entitlement for events in logs.values() for event in events if event.entitlement is not None}
    return named.union(row.id for row in rows)


def _begun(cur: Cursor, poll: str, part: int, parts: int, logs: dict[LogId, list[Event]]) -> dict[UUID, LogId]:
    """On whose list each of these rights began, in epoch 0.

    Left out is what was given to a log because it was added after its list was made, or was asked for or back while it was on no
    list yet (`ahead`: no list of its station was made): it begins with the grant. So does what was withdrawn before that list,
    which has it as somebody who is not here; given back it comes by a grant.
    """
    where = {"poll": poll, "part": part, "parts": parts}
    named: dict[UUID, list[tuple[LogId, Event]]] = {}
    for log, events in logs.items():
        for event in events:
            if event.entitlement is not None:
                named.setdefault(event.entitlement, []).append((log, event))
    asked = (
        "SELECT entitlement FROM pollbook_request WHERE poll = %(poll)s AND granted AND starts_with(holder, %(unlisted)s) "  # noqa: S608
        f"AND {_PART.format('entitlement')}"
    )
    unlisted = {row.entitlement for row in cur.execute(asked, where | {"unlisted": UNLISTED})}
    homes: dict[UUID, LogId] = {}
    stations: dict[UUID, str] = {}
    back = ever(cur, poll)
    late = cur.execute("SELECT station, generation FROM pollbook_late_list WHERE poll = %(poll)s", where)
    forgotten = {LogId(poll, row.station, row.generation) for row in late}
    for row in cur.execute(
        f"SELECT id, home, addition, {_LISTED} AS listed, EXISTS (SELECT FROM pollbook_grant g "  # noqa: S608 - texts of ours
        "WHERE g.poll = e.poll AND g.entitlement = e.id AND g.why IN ('addition', 'ahead')) AS given "
        f"FROM entitlement e WHERE poll = %(poll)s AND {_PART.format('id')}",
        where,
    ):
        told = named.get(row.id, ())
        if row.addition >= 0:  # otherwise it is known by a grant alone, and not at which station its voter is at home
            stations[row.id] = row.home
        if row.given:
            continue
        if row.id not in unlisted or all(event.kind != "receive" for _, event in told):
            home = LogId(poll, row.home, _first(row, told, back))
            if not (back and _came(told, home, home in forgotten)):
                homes[row.id] = home
    for who, told in named.items() if forgotten else ():
        if who not in homes and (its_list := _on_a_list(told, stations.get(who), forgotten)) is not None:
            homes[who] = its_list
    for row in cur.execute(
        "SELECT w.entitlement, w.station, p.made IS NULL AS unknown FROM roll_withdrawal w LEFT JOIN pollbook_package p "  # noqa: S608
        "ON p.poll = w.poll AND p.station = w.station AND p.generation = 1 "
        "WHERE w.poll = %(poll)s AND w.n IS NOT NULL AND split_part(w.request, '/', 3) = '0' "
        f"AND (p.made IS NULL OR w.decided <= p.made) AND {_PART.format('w.entitlement')}",
        where,
    ):
        its = [event for log, event in named.get(row.entitlement, ()) if log == LogId(poll, row.station, 1)]
        first = next((event.kind for event in its if event.kind in (*HOLDS, "receive")), "receive")
        if row.unknown and first != "receive":  # its package is forgotten, and its list had it
            continue
        if not any(event.kind == "release" and event.body["epoch"] == 0 for event in its):
            homes.pop(row.entitlement, None)
    return homes


def _first(row: Any, named: Sequence[tuple[LogId, Event]], back: bool) -> int:
    """The generation whose list a right began on: the first, unless it was added when the first machine was lost already, or was
    in doubt when the first list was made (`put_back.restored.make_list`): `back`, the centre was put back from a copy.

    A log had it on its list that names it before any `receive` of its own; what is typed from paper, its machine's. An envelope
    names a right that its log does not hold. Where none does, an added one was on the first list that was made since.
    """
    if not (row.addition or back):
        return 1
    begins: dict[LogId, str] = {}
    for log, event in named:
        if log.station == row.home and event.kind in (*HOLDS, "receive"):
            begins.setdefault(log.paper_of or log, event.kind)
    return min((log.generation for log, kind in begins.items() if kind != "receive"), default=row.listed or 1)


_LISTED = """CASE WHEN addition > 0 THEN coalesce((
SELECT min(p.generation) FROM pollbook_package p
JOIN roll_addition a ON a.poll = p.poll AND a.station = p.station AND p.made >= a.at
WHERE p.poll = e.poll AND p.station = e.home AND a.n = e.addition), (
SELECT min(t.generation) FROM pollbook_late_list t WHERE t.poll = e.poll AND t.station = e.home)) END"""
"""Of a right that was added: the generation of the first list that was made since. Where it was added again, and none was, of the
first of which the centre knew nothing when it was put back from a copy."""


def _on_a_list(named: Sequence[tuple[LogId, Event]], home: str | None, forgotten: set[LogId]) -> LogId | None:
    """The first of these logs of its station (None: nobody knows which) that names a right before it received it: nobody knows
    its list, so it was on that, whatever became of the right afterwards (`put_back.added_again`)."""
    first: dict[LogId, str] = {}
    for log, event in named:
        if log in forgotten and home in (None, log.station) and event.kind in (*HOLDS, "receive"):
            first.setdefault(log, event.kind)
    return min((log for log, kind in first.items() if kind != "receive"), key=lambda log: log.generation, default=None)


def _came(named: Sequence[tuple[LogId, Event]], home: LogId, forgotten: bool) -> bool:
    """Whether a log that names a right received it before all: it was given back, and the withdrawal of before is forgotten. Or
    a later machine of its station did, from the commission, and the first one, whose list was `forgotten`, names it nowhere."""
    first: dict[LogId, Event] = {}
    for log, event in named:
        if log.station == home.station and event.kind in (*HOLDS, "receive"):
            first.setdefault(log, event)
    if home in first:
        return first[home].kind == "receive"
    given_back = (event.kind == "receive" and event.body["grant"]["why"] == "returned" for event in first.values())
    return forgotten and any(given_back)


def _beside_envelopes(cur: Cursor, poll: str, logs: dict[LogId, list[Event]]) -> list[Finding]:
    """Rights that an envelope used, and a check-in that stands."""
    counted = {
        row.entitlement
        for row in cur.execute("SELECT entitlement FROM pollbook_envelope WHERE poll = %s AND counts", (poll,))
    }
    findings = []
    for log, events in logs.items() if counted else ():
        undone = {event.body["of"] for event in events if event.kind == "undo"}
        findings += [
            Finding("P.102", event.entitlement, f"used by an envelope, and at {log.holder}, event {event.n}")
            for event in events
            if event.kind == "check-in" and event.entitlement is not None and event.n not in undone
            if event.entitlement in counted
        ]
    return findings
