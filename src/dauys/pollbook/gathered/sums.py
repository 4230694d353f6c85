"""What do the stations' logs, as the centre has them, say about each station: its sums, and how it was at a moment?

The same numbers as `book_sums.sums_of` takes out of the station's own book; a test holds the two against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import CHANNEL_LOGS, PAPER
from dauys.pollbook.rules.grants import LEFT_OVER
from dauys.pollbook.rules.holders import CERTIFICATE, UNLISTED
from dauys.pollbook.rules.sums import Counting, Sums, together
from dauys.pollbook.settling.envelopes import counted
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class StationSums:
    """A station's sums over its logs. `sealed`: check-ins in the record; None while some events are not in it yet."""

    sums: Sums
    sealed: int | None


def sums_at(connection: Connection, poll: str, station: str) -> StationSums | None:
    """The sums of a station as far as the centre was told; None where it has no log."""
    cur = cursor(connection)
    logs = cur.execute(
        f"SELECT l.id, l.generation, l.n, l.sealed, l.sealed_used, {_LISTED} AS listed FROM pollbook_log l "  # noqa: S608
        "LEFT JOIN pollbook_package p USING (poll, station, generation) WHERE l.poll = %s AND l.station = %s "
        "ORDER BY l.generation",
        (poll, station),
    ).fetchall()
    if not logs:
        return None
    several = []
    for log in logs:
        rows = cur.execute(_TOLD, (log.id,))
        told = ((row.kind, row.n, json.loads(row.body)["body"]) for row in rows)
        several.append(sums_of_events(log.listed, told, paper=log.generation > PAPER, later=log.generation > 1))
    sealed = sum(log.sealed_used for log in logs) if all(log.sealed == log.n for log in logs) else None
    sums = several[0] if len(several) == 1 else together(several)
    if sums.envelopes:  # a ballot in an envelope that counts was handed out, too; one that is resolved waits no more
        counts, resolved = counted(connection, poll, station)
        received, envelopes, enclosed = sums.received + counts, sums.envelopes - resolved, sums.enclosed - counts
        sums = replace(sums, received=received, envelopes=envelopes, enclosed=enclosed)
        sealed = None if sealed is None else sealed + counts
    return StationSums(sums, sealed)


_TOLD = """SELECT kind, n, body FROM pollbook_event v WHERE log = %s AND NOT (kind = 'envelope-undo' AND EXISTS (
SELECT FROM pollbook_alarm a WHERE a.log = v.log AND a.n = v.n AND a.number = 'P.104')) ORDER BY n"""
"""An envelope that is resolved stays so, whatever a lost machine that is found takes back."""


def sums_of_events(
    listed: int, events: Iterable[tuple[str, int, dict[str, Any]]], paper: bool = False, later: bool = False
) -> Sums:
    """The sums of a log: kind, number and body of its events, in order. `listed` rights were here when it began.

    `paper`: a lost machine's, typed in. It has no end of its own, and its rights stand on the machine's list already. `later`:
    of a station that has lost a machine. Who comes from that one's log, where he was left over, stands in it already.
    """
    here, undone, closed = listed, 0, paper
    lying: dict[int, str] = {}
    came: dict[str, str] = {}
    left: dict[str, str] = {}
    standing: dict[int, tuple[str, str]] = {}
    mobile: set[str] = set()
    ballots: dict[int, tuple[str, int, str]] = {}
    for kind, n, body in events:
        match kind:
            case "check-in":
                standing[n] = body["officer"], body["channel"]
            case "undo":
                undone += standing.pop(body["of"], None) is not None
            case "receive" if later and body["grant"]["why"] == LEFT_OVER:
                pass
            case "receive" if not paper:
                here += 1
                if left.pop(body["entitlement"], None) is None:
                    came[body["entitlement"]] = body["grant"]["why"]
            case "release" | "certificate":
                here -= 1
                if came.pop(body["entitlement"], None) is None:
                    left[body["entitlement"]] = CERTIFICATE if kind == "certificate" else "moved"
            case "mobile-request":
                mobile.add(body["entitlement"])
            case "ballots":
                if "undoes" in body:
                    ballots.pop(body["undoes"], None)
                else:
                    ballots[n] = body["what"], body["count"], body.get("member", "")
            case "envelope":
                lying[n] = body["officer"]
            case "envelope-undo":
                lying.pop(body["of"], None)
            case "close":
                closed = True
    return Counting(
        listed, here, came.values(), left.values(), standing.values(), undone, ballots.values(), lying.values(), len(mobile),
        closed,
    ).sums()  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reports:
    """Ballots handed out by an hour, by the stations' own clocks, of those whose logs reach past it; and who is missing.

    `ready`: a station, how many voters are on its list, how many ballots it handed out.
    """

    ready: Sequence[tuple[str, int, int]]
    waiting: Sequence[str]


_STATIONS = """
SELECT l.station, bool_or(NOT l.lost AND l.generation <= %(paper)s)
  AND bool_and(l.lost OR l.closed OR l.generation > %(paper)s OR coalesce(l.whole >= %(at)s, false) OR EXISTS (
    SELECT FROM pollbook_event e WHERE e.log = l.id AND e.n = l.n AND e.at > %(at)s)) AS ready
FROM pollbook_log l WHERE l.poll = %(poll)s AND l.station <> ALL(%(told)s) GROUP BY l.station ORDER BY l.station
"""

_LISTED = f"""coalesce(p.voters, CASE WHEN l.generation <= {PAPER} AND NOT EXISTS (
    SELECT FROM pollbook_log o LEFT JOIN pollbook_package q USING (poll, station, generation)
    WHERE (o.poll, o.station) = (l.poll, l.station) AND o.generation < l.generation AND q.voters IS NULL)
  THEN greatest(0, (SELECT count(*) FROM entitlement e WHERE e.poll = l.poll AND e.home = l.station AND NOT EXISTS (
    SELECT FROM pollbook_grant g WHERE g.poll = e.poll AND g.entitlement = e.id AND g.why IN ('addition', 'ahead'))
    AND (e.epoch = 0 OR e.epoch = 1 AND starts_with(e.holder, 'envelope/')
        OR EXISTS (SELECT FROM pollbook_grant g WHERE g.poll = e.poll AND g.entitlement = e.id AND g.epoch = 1)
        OR EXISTS (SELECT FROM roll_withdrawal w JOIN pollbook_request r ON r.poll = w.poll AND r.id = w.request
            WHERE w.poll = e.poll AND w.entitlement = e.id AND r.epoch = 0 AND r.granted
            AND NOT starts_with(r.holder, '{UNLISTED}') AND w.decided > (SELECT min(coalesce(q.made, t.since)) FROM pollbook_log o
                LEFT JOIN pollbook_package q USING (poll, station, generation)
                LEFT JOIN pollbook_late_list t USING (poll, station, generation) WHERE (o.poll, o.station) = (l.poll, l.station)))
        OR EXISTS (SELECT FROM pollbook_log o JOIN pollbook_event v ON v.log = o.id AND v.entitlement = e.id
            WHERE (o.poll, o.station) = (l.poll, l.station) AND v.kind IN ('check-in', 'release', 'certificate')
            AND o.generation <= {PAPER} AND NOT EXISTS (
            SELECT FROM pollbook_event b WHERE b.log = v.log AND b.entitlement = e.id AND b.kind = 'receive' AND b.n < v.n)))) - (
    SELECT coalesce(sum(q.voters), 0) FROM pollbook_log o JOIN pollbook_package q USING (poll, station, generation)
    WHERE (o.poll, o.station) = (l.poll, l.station))) ELSE 0 END)"""  # noqa: S608 - a number of ours
"""Of a log `l` and its package `p`: how many voters were on its list. Where the centre was put back from a copy, and has
forgotten the package, it is whoever is on the roll of its station, was not given elsewhere ahead of it, or to it afterwards, nor
withdrawn before it, and is on none of its other lists. What was on a list stays in epoch 0, is named by its log, or is left over
in it: given on, or withdrawn since the station's first list was made; since a forgotten one came to light, where that was the
first. A newer mark says nothing of it: the copy that it is about had the list as forgotten, and the withdrawal, as they are.
Who was added since, or was in doubt then, may be on it, for all that is known here, until its machine asks for him."""

_BY_HOUR = f"""
SELECT l.station, greatest(0, sum({_LISTED}) + sum(e.came)) AS eligible, sum(e.received) AS received FROM pollbook_log l
LEFT JOIN pollbook_package p USING (poll, station, generation) CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE v.kind = 'receive' AND l.generation <= %(paper)s AND NOT (l.generation > 1
                AND convert_from(v.body, 'UTF8')::jsonb #>> '{{body,grant,why}}' = '{LEFT_OVER}'))
            - count(*) FILTER (WHERE v.kind IN ('release', 'certificate')) AS came,
        count(*) FILTER (WHERE v.kind = 'check-in') - count(*) FILTER (WHERE v.kind = 'undo' AND NOT EXISTS (
            SELECT FROM pollbook_alarm a WHERE a.log = v.log AND a.n = v.n AND a.number = 'P.104') AND (
            SELECT c.at FROM pollbook_event c WHERE c.log = v.log
            AND c.n = (convert_from(v.body, 'UTF8')::jsonb -> 'body' ->> 'of')::int) <= %(at)s) AS received
    FROM pollbook_event v WHERE v.log = l.id AND v.at <= %(at)s) e
WHERE l.poll = %(poll)s AND l.station = ANY(%(ready)s) GROUP BY l.station ORDER BY l.station
"""  # noqa: S608 - a text of ours
"""As `sums_of_events` counts the events until then. A clock that was set back may date an undo before its check-in, and what went
before what came: that is no reason to refuse the hour of every station."""


def reports_at(connection: Connection, poll: str, at: datetime, told: Sequence[str]) -> Reports:
    """What the stations with a log, but those in `told`, can report for a moment.

    A station is ready when its log goes past that moment, is closed, or when it said afterwards that there is no more.
    """
    ready, waiting = reaching(connection, poll, at, told)
    asked = {"poll": poll, "at": at, "ready": ready, "paper": PAPER}
    found = cursor(connection).execute(_BY_HOUR, asked) if ready else ()
    return Reports([(row.station, int(row.eligible), int(row.received)) for row in found], waiting)


def reaching(connection: Connection, poll: str, at: datetime, told: Sequence[str]) -> tuple[list[str], list[str]]:
    """The stations with a log whose log reaches past a moment, and the others; without those in `told`."""
    others = [*told, *CHANNEL_LOGS]  # a channel hands out no ballots that a station's turnout counts
    asked = {"poll": poll, "at": at, "told": others, "paper": PAPER}
    rows = cursor(connection).execute(_STATIONS, asked).fetchall()
    return [row.station for row in rows if row.ready], [row.station for row in rows if not row.ready]
