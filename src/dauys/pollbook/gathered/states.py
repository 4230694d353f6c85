"""How is it at every station now? What the centre last heard of each log, and of whom it heard nothing, for the commission."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dauys.pollbook.centre.predicates import STRAY, USED
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import CHANNEL_LOGS, PAPER
from dauys.pollbook.rules.grants import LEASE, SILENT
from dauys.store.engine import Connection

STEPS = ("none", "package", "enrolled", "open", "closed", "stopped", "lost", "paper")
"""How far a station's machine is: without a package, with one that nobody enrolled with, enrolled, opened by its chair,
closed; then a log with two histories, a machine that was lost, and a lost machine's paper, typed in at the centre."""


@dataclass(frozen=True, slots=True)
class State:
    """One log, or a station without one (`generation` 0, or that of its package).

    `lease`: until when it may check in unheard; `hour`: check-ins of the last 60 minutes by its own clock;
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
    area: str = ""
    step: str = "open"

    @property
    def paper(self) -> bool:
        """Whether it is a lost machine's paper, typed in at the centre."""
        return self.generation > PAPER

    def calls(self, at: datetime) -> bool:
        """Whether somebody should ring this station up."""
        silent = self.heard is not None and at - self.heard > SILENT and self.step in ("enrolled", "open")
        return silent or bool(self.stopped) or self.alarms > 0

    def to_json(self, at: datetime) -> dict[str, Any]:
        queue = None if self.queue is None else {"count": self.queue[0], "at": self.queue[1].isoformat()}
        return {
            "station": self.station,
            "area": self.area,
            "generation": self.generation,
            "step": self.step,
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


_ALARMS = (
    "FROM pollbook_alarm a JOIN pollbook_log l ON l.id = a.log "
    "CROSS JOIN LATERAL (SELECT a.poll, a.entitlement) AS e (poll, id) WHERE a.poll = %(poll)s"
)
_SETTLED = f"(a.number IN ('P.101', 'P.102', 'P.108') AND NOT {STRAY})"
"""Of an alarm `a` and its right `e`: see `Raised`."""


@dataclass(frozen=True, slots=True)
class Whole:
    """All stations together. `check_ins` and `sealed` are those of electronic channels, too; `electronic` are these alone;
    `settled` of the alarms are (`Raised`)."""

    stations: int
    packages: int
    logs: int
    closed: int
    check_ins: int
    sealed: int
    electronic: int
    alarms: int
    settled: int

    def to_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


def whole(connection: Connection, poll: str) -> Whole:
    """The poll in numbers."""
    row = cursor(connection).execute(
        "SELECT (SELECT count(*) FROM station WHERE poll = %(poll)s) AS stations, "  # noqa: S608 - texts of ours
        "(SELECT count(*) FROM pollbook_package WHERE poll = %(poll)s AND station <> ALL(%(channels)s)) AS packages, "
        "count(*) FILTER (WHERE station <> ALL(%(channels)s)) AS logs, "
        "count(*) FILTER (WHERE closed AND station <> ALL(%(channels)s)) AS closed, "
        "coalesce(sum(check_ins), 0) AS check_ins, coalesce(sum(sealed_used), 0) AS sealed, "
        "coalesce(sum(check_ins) FILTER (WHERE station = ANY(%(channels)s)), 0) AS electronic, "
        "(SELECT count(*) FROM pollbook_alarm WHERE poll = %(poll)s) AS alarms, "
        f"(SELECT count(*) {_ALARMS} AND {_SETTLED}) AS settled "
        "FROM pollbook_log WHERE poll = %(poll)s",
        {"poll": poll, "channels": list(CHANNEL_LOGS)},
    ).fetchone()  # fmt: skip
    assert row is not None
    return Whole(*(int(value) for value in row))


@dataclass(frozen=True, slots=True)
class Look:
    """Which stations are asked for: of an area, at a step, with these letters in their number; empty: any."""

    area: str = ""
    step: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of stations. `steps`: how many stations of the whole poll are at each step, by their newest machine; `found`: lines
    that fit what was asked for."""

    rows: Sequence[State]
    found: int
    steps: Mapping[str, int]


_STEP = (
    f"CASE WHEN l.id IS NULL THEN 'package' WHEN l.generation > {PAPER} THEN 'paper' WHEN l.stopped <> '' THEN 'stopped' "
    "WHEN l.lost THEN 'lost' WHEN l.closed THEN 'closed' "
    "WHEN EXISTS (SELECT FROM pollbook_event e WHERE e.log = l.id AND e.kind = 'open') THEN 'open' ELSE 'enrolled' END"
)
"""The step of a machine with a package, by its log `l`, if it has one."""

_LISTED = f"""
WITH machine AS (
    SELECT station, generation FROM pollbook_log WHERE poll = %(poll)s
    UNION SELECT station, generation FROM pollbook_package WHERE poll = %(poll)s
), raised AS (SELECT log, count(*) AS alarms FROM pollbook_alarm WHERE poll = %(poll)s GROUP BY log), line AS MATERIALIZED (
    SELECT s.id AS station, s.area, coalesce(m.generation, 0) AS generation, l.id, l.heard, coalesce(l.n, 0) AS n,
        coalesce(l.check_ins, 0) AS check_ins, coalesce(l.closed, false) AS closed, coalesce(l.lost, false) AS lost,
        coalesce(l.stopped, '') AS stopped, coalesce(l.n - l.sealed, 0) AS waiting, coalesce(a.alarms, 0) AS alarms,
        CASE WHEN m.generation IS NULL THEN 'none' ELSE {_STEP} END AS step,
        row_number() OVER (PARTITION BY s.id ORDER BY m.generation > {PAPER}, m.generation DESC) = 1 AS newest
    FROM station s LEFT JOIN machine m ON m.station = s.id
    LEFT JOIN pollbook_log l ON (l.poll, l.station, l.generation) = (s.poll, m.station, m.generation)
    LEFT JOIN raised a ON a.log = l.id WHERE s.poll = %(poll)s
), fits AS (
    SELECT *, stopped <> '' OR alarms > 0 AS wrong, step IN ('enrolled', 'open') AND heard < %(since)s AS silent FROM line
    WHERE (%(area)s = '' OR area = %(area)s) AND (%(step)s = '' OR step = %(step)s)
    AND (%(number)s = '' OR strpos(lower(station), lower(%(number)s)) > 0)
), page AS (SELECT * FROM fits ORDER BY wrong DESC, silent DESC, station, generation OFFSET %(start)s LIMIT %(limit)s)
SELECT t.steps, f.found, p.* FROM
    (SELECT coalesce(json_object_agg(step, many), '{{}}') AS steps FROM
        (SELECT step, count(*) AS many FROM line WHERE newest GROUP BY step) AS each) AS t
    CROSS JOIN (SELECT count(*) AS found FROM fits) AS f LEFT JOIN page p ON true
    ORDER BY p.wrong DESC, p.silent DESC, p.station, p.generation
"""  # noqa: S608 - a number of ours


def listed(
    connection: Connection, poll: str, at: datetime, look: Look, start: int = 0, limit: int | None = None
) -> Listed:
    """The stations of a poll, those to look at first; one whose machine was lost stands there for each of its machines."""
    cur = cursor(connection)
    asked = {"area": look.area, "step": look.step, "number": look.number}
    page = {"poll": poll, "since": at - SILENT, "start": start, "limit": limit}
    rows = cur.execute(_LISTED, asked | page).fetchall()
    ids = [row.id for row in rows if row.id is not None]
    hours, queues = _last_hour(cur, ids, at), _queues(cur, ids)
    found = [
        State(
            row.station, row.generation, row.heard, row.heard and row.heard + LEASE, row.n, row.check_ins,
            hours.get(row.id, 0), queues.get(row.id), row.closed, row.lost, row.stopped, row.waiting, row.alarms, row.area,
            row.step,
        )
        for row in rows if row.station is not None
    ]  # fmt: skip
    steps = rows[0].steps
    return Listed(found, rows[0].found, {step: steps[step] for step in STEPS if step in steps})


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A machine of the electronic channel: as a station, and how many ballots paper struck, and of how many of them the voting
    system said that they are taken out."""

    state: State
    struck: int
    taken_out: int

    def to_json(self, at: datetime) -> dict[str, Any]:
        return self.state.to_json(at) | {"struck": self.struck, "taken_out": self.taken_out}


_CHANNELS = f"""
SELECT coalesce(l.station, p.station) AS station, coalesce(l.generation, p.generation) AS generation, l.id, l.heard,
    coalesce(l.n, 0) AS n, coalesce(l.check_ins, 0) AS check_ins, coalesce(l.closed, false) AS closed,
    coalesce(l.lost, false) AS lost, coalesce(l.stopped, '') AS stopped, coalesce(l.n - l.sealed, 0) AS waiting,
    (SELECT count(*) FROM pollbook_alarm a WHERE a.log = l.id) AS alarms,
    (SELECT count(*) FROM pollbook_event e WHERE e.log = l.id AND e.kind = 'struck-out') AS taken_out,
    (SELECT count(*) FROM pollbook_event e WHERE e.log = l.id AND e.kind = 'undo'
        AND (convert_from(e.body, 'UTF8')::jsonb -> 'body') ? 'request') AS struck,
    {_STEP} AS step
FROM (SELECT * FROM pollbook_log WHERE poll = %(poll)s AND station = ANY(%(channels)s)) l
FULL JOIN (SELECT * FROM pollbook_package WHERE poll = %(poll)s AND station = ANY(%(channels)s)) p
    ON (l.station, l.generation) = (p.station, p.generation) ORDER BY 1, 2
"""  # noqa: S608 - a text of ours


def channel_states(connection: Connection, poll: str, at: datetime) -> list[ChannelState]:
    """The machines of the electronic channel, in order; none where it has no package."""
    cur = cursor(connection)
    rows = cur.execute(_CHANNELS, {"poll": poll, "channels": list(CHANNEL_LOGS)}).fetchall()
    hours = _last_hour(cur, [row.id for row in rows if row.id is not None], at)
    return [
        ChannelState(
            State(
                row.station, row.generation, row.heard, row.heard and row.heard + LEASE, row.n, row.check_ins,
                hours.get(row.id, 0), None, row.closed, row.lost, row.stopped, row.waiting, row.alarms, step=row.step,
            ), row.struck, row.taken_out,
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
    """One alarm as it is kept. It names a station and an event, never a voter. `stands`: how many uses of its right stand by now:
    one that looked like two may be taken back since, and logs that are read again come in another order; None without a right.
    `settled`: it was about a use, and none stands any more that was not its log's to make.
    """

    number: str
    station: str
    generation: int
    n: int
    text: str
    at: datetime
    stands: int | None
    settled: bool

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"at": self.at.isoformat()}


def alarms(connection: Connection, poll: str, limit: int = 100) -> list[Raised]:
    """The newest alarms of a poll."""
    rows = cursor(connection).execute(
        "SELECT a.number, l.station, l.generation, a.n, a.text, a.at, CASE WHEN a.entitlement IS NOT NULL THEN "  # noqa: S608
        f"(SELECT count(*) FROM entitlement u WHERE u.poll = a.poll AND u.id = a.entitlement AND u.state = {USED}) + "
        "(SELECT count(*) FROM pollbook_stray s WHERE s.poll = a.poll AND s.entitlement = a.entitlement AND NOT s.undone) END "
        f"AS stands, {_SETTLED} AS settled {_ALARMS} ORDER BY a.id DESC LIMIT %(limit)s",
        {"poll": poll, "limit": limit},
    )
    return [Raised(*row) for row in rows]
