"""How is it at every station now? What the centre last heard of each log, for the commission's page and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dauys.pollbook.centre import Cursor, cursor
from dauys.pollbook.log import PAPER
from dauys.pollbook.service import LEASE
from dauys.store.engine import Connection

SILENT = timedelta(minutes=15)
"""A station that is not closed and was not heard for so long stands among those to call."""


@dataclass(frozen=True, slots=True)
class State:
    """One log. `lease`: until when it may check in unheard; `hour`: check-ins of the last 60 minutes by its own clock;
    `queue`: how many wait, and since when that is known; `waiting`: events not yet sealed."""

    station: str
    generation: int
    heard: datetime | None
    lease: datetime | None
    events: int
    check_ins: int
    hour: int
    queue: tuple[int, datetime] | None
    closed: bool
    lost: bool
    stopped: str
    waiting: int
    alarms: int

    @property
    def paper(self) -> bool:
        """Whether it is a lost machine's paper, typed in at the centre."""
        return self.generation > PAPER

    def calls(self, at: datetime) -> bool:
        """Whether somebody should ring this station up."""
        silent = not (self.closed or self.lost or self.paper) and (self.heard is None or at - self.heard > SILENT)
        return silent or bool(self.stopped) or self.alarms > 0

    def to_json(self, at: datetime) -> dict[str, Any]:
        queue = None if self.queue is None else {"count": self.queue[0], "at": self.queue[1].isoformat()}
        return {
            "station": self.station,
            "generation": self.generation,
            "heard": None if self.heard is None else self.heard.isoformat(),
            "lease": None if self.lease is None else self.lease.isoformat(),
            "events": self.events,
            "check_ins": self.check_ins,
            "last_hour": self.hour,
            "queue": queue,
            "closed": self.closed,
            "lost": self.lost,
            "paper": self.paper,
            "stopped": self.stopped,
            "unsealed": self.waiting,
            "alarms": self.alarms,
            "call": self.calls(at),
        }


@dataclass(frozen=True, slots=True)
class Whole:
    """All stations together. `hours`: check-ins by hour of the day in UTC, undone ones included."""

    stations: int
    packages: int
    logs: int
    closed: int
    check_ins: int
    sealed: int
    alarms: int

    def to_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


def whole(connection: Connection, poll: str) -> Whole:
    """The poll in numbers."""
    row = cursor(connection).execute(
        "SELECT (SELECT count(*) FROM station WHERE poll = %(poll)s) AS stations, "
        "(SELECT count(*) FROM pollbook_package WHERE poll = %(poll)s) AS packages, count(*) AS logs, "
        "count(*) FILTER (WHERE closed) AS closed, coalesce(sum(check_ins), 0) AS check_ins, "
        "coalesce(sum(sealed_used), 0) AS sealed, (SELECT count(*) FROM pollbook_alarm WHERE poll = %(poll)s) AS alarms "
        "FROM pollbook_log WHERE poll = %(poll)s",
        {"poll": poll},
    ).fetchone()  # fmt: skip
    assert row is not None
    return Whole(*(int(value) for value in row))


def states(
    connection: Connection, poll: str, at: datetime, start: int = 0, limit: int | None = None
) -> list[State]:  # fmt: skip
    """Every log of a poll, those that somebody should look at first; `limit` of them from the `start`-th on."""
    cur = cursor(connection)
    rows = cur.execute(
        "SELECT l.*, coalesce(a.alarms, 0) AS alarms FROM pollbook_log l "
        "LEFT JOIN (SELECT log, count(*) AS alarms FROM pollbook_alarm WHERE poll = %(poll)s GROUP BY log) a ON a.log = l.id "
        "WHERE l.poll = %(poll)s ORDER BY (l.stopped <> '' OR a.alarms IS NOT NULL) DESC, "
        "(NOT l.closed AND NOT l.lost AND l.generation <= 500 AND coalesce(l.heard, '-infinity') < %(since)s) DESC, "
        "l.station, l.generation "
        "OFFSET %(start)s LIMIT %(limit)s",
        {"poll": poll, "since": at - SILENT, "start": start, "limit": limit},
    ).fetchall()
    ids = [row.id for row in rows]
    hours, queues = _last_hour(cur, ids, at), _queues(cur, ids)
    return [
        State(
            row.station, row.generation, row.heard, row.heard and row.heard + LEASE, row.n, row.check_ins,
            hours.get(row.id, 0), queues.get(row.id), row.closed, row.lost, row.stopped, row.n - row.sealed, row.alarms,
        )
        for row in rows
    ]  # fmt: skip


def _last_hour(cur: Cursor, logs: Sequence[int], at: datetime) -> dict[int, int]:
    rows = cur.execute(
        "SELECT log, count(*) AS check_ins FROM pollbook_event WHERE log = ANY(%s) AND at > %s AND at <= %s "
        "AND kind = 'check-in' GROUP BY log",
        (list(logs), at - timedelta(hours=1), at),
    )
    return {row.log: row.check_ins for row in rows}


def _queues(cur: Cursor, logs: Sequence[int]) -> Mapping[int, tuple[int, datetime]]:
    rows = cur.execute(
        "SELECT DISTINCT ON (log) log, at, body FROM pollbook_event WHERE log = ANY(%s) AND kind = 'queue' ORDER BY log, n DESC",
        (list(logs),),
    )
    return {row.log: (int(json.loads(row.body)["body"]["count"]), row.at) for row in rows}


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm as it is kept. It names a station and an event, never a voter."""

    number: str
    station: str
    generation: int
    n: int
    text: str
    at: datetime

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"at": self.at.isoformat()}


def alarms(connection: Connection, poll: str, limit: int = 100) -> list[Raised]:
    """The newest alarms of a poll."""
    rows = cursor(connection).execute(
        "SELECT a.number, l.station, l.generation, a.n, a.text, a.at FROM pollbook_alarm a JOIN pollbook_log l ON l.id = a.log "
        "WHERE a.poll = %s ORDER BY a.id DESC LIMIT %s",
        (poll, limit),
    )
    return [Raised(*row) for row in rows]
