"""How do check-ins enter the public record? As salted commitments, a minute's together, sorted: their order says nothing.

In a quiet minute that may be one alone. Whoever watched the voter then knows the commitment as his, and nothing by it.

An entry `check-ins/<station>/<generation>/<last event>` has the body

    {"station", "generation", "first", "last", "commitments": [hex], "undone": [hex], "used": check-ins that stand}

for the events `first` to `last` of the station's log. The sum of `used` over a station's last entries is what its
protocol must say of ballots handed out (docs/checks.md, B.1xx).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import Event
from dauys.pollbook.sealed.commitment import ENTRY_KIND, commitment
from dauys.record.entry import Entry
from dauys.registers.poll import COMMISSION
from dauys.store.engine import Connection

EARLY = "P.115"
"""The alarm about a station that votes before the centre's first day of voting."""

MOST = 900
"""Commitments in one entry: 67 bytes each, in an entry of at most 65,535."""


LONGEST = timedelta(minutes=15)
"""After so long somebody should see why nothing is sealed, though there is something to seal."""


@dataclass(frozen=True, slots=True)
class Tended:
    """When all that had come of a poll was last put into the record (None: never), how many events wait for it now, and what
    failed the last time that the centre tried its work of every minute."""

    sealed: datetime | None
    waiting: int
    fault: str

    def late(self, at: datetime) -> bool:
        """Whether somebody should look after it."""
        return bool(self.fault) or (self.waiting > 0 and self.sealed is not None and at - self.sealed > LONGEST)

    def to_json(self, at: datetime) -> dict[str, Any]:
        sealed = None if self.sealed is None else self.sealed.isoformat()
        return {"sealed": sealed, "waiting": self.waiting, "fault": self.fault, "late": self.late(at)}


def tended(connection: Connection, poll: str) -> Tended:
    """How it stands with what the centre does for a poll every minute."""
    row = cursor(connection).execute(
        "SELECT (SELECT coalesce(sum(n - sealed), 0) FROM pollbook_log WHERE poll = %(poll)s) AS waiting, t.sealed, t.fault "
        "FROM (SELECT 1) AS one LEFT JOIN pollbook_tended t ON t.poll = %(poll)s",
        {"poll": poll},
    ).fetchone()  # fmt: skip
    assert row is not None
    return Tended(row.sealed, int(row.waiting), row.fault or "")


def note_sealed(connection: Connection, poll: str, at: datetime) -> None:
    """Everything that had come of a poll is in the record."""
    cursor(connection).execute(
        "INSERT INTO pollbook_tended (poll, sealed) VALUES (%s, %s) ON CONFLICT (poll) DO UPDATE SET sealed = excluded.sealed",
        (poll, at),
    )


def note_fault(connection: Connection, poll: str, fault: str) -> None:
    """What failed of the centre's work of this minute; empty: nothing did."""
    cursor(connection).execute(
        "INSERT INTO pollbook_tended AS t (poll, fault) VALUES (%s, %s) "
        "ON CONFLICT (poll) DO UPDATE SET fault = excluded.fault WHERE t.fault <> excluded.fault",
        (poll, fault),
    )


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A log that has events which are not in the record yet. `used` stood after the events that are."""

    id: int
    station: str
    generation: int
    sealed: int
    n: int
    used: int


def unsealed(connection: Connection, poll: str, station: str | None = None) -> list[Unsealed]:
    """The logs with something to seal (of one station), locked for this transaction; by station.

    They are locked in the order of their rows, as whoever takes batches does (`together`): nobody waits for both.
    """
    rows = cursor(connection).execute(
        "SELECT id, station, generation, sealed, n, sealed_used FROM pollbook_log WHERE poll = %(poll)s AND n > sealed "
        "AND (%(station)s::text IS NULL OR station = %(station)s) ORDER BY id FOR NO KEY UPDATE",
        {"poll": poll, "station": station},
    )
    logs = [Unsealed(row.id, row.station, row.generation, row.sealed, row.n, row.sealed_used) for row in rows]
    return sorted(logs, key=lambda one: (one.station, one.generation))


def too_early(connection: Connection, poll: str, at: datetime) -> bool:
    """Whether a log was opened, or has check-ins, though voting has not begun by the centre's clock; P.115 once for each."""
    cur = cursor(connection)
    cur.execute(
        "INSERT INTO pollbook_alarm (poll, log, n, number, text, at) "
        "SELECT l.poll, l.id, min(v.n), %(check)s, 'opened, or ballots handed out, before the day of voting', %(at)s "
        "FROM pollbook_log l JOIN pollbook_event v ON v.log = l.id AND v.n > l.sealed AND v.kind IN ('open', 'check-in') "
        "WHERE l.poll = %(poll)s AND NOT EXISTS (SELECT FROM pollbook_alarm a WHERE a.log = l.id AND a.number = %(check)s) "
        "GROUP BY l.poll, l.id",
        {"poll": poll, "check": EARLY, "at": at},
    )
    known = "SELECT FROM pollbook_alarm WHERE poll = %s AND number = %s"
    return cur.execute(known, (poll, EARLY)).rowcount > 0


def seal(connection: Connection, poll: str, at: datetime, station: str | None = None) -> list[Entry]:
    """The entries for everything that came since the last sealing (of one station); marks it as sealed.

    The caller signs and appends them in the same transaction (dauys.record.log.append).
    """
    cur = cursor(connection)
    entries: list[Entry] = []
    for log in unsealed(connection, poll, station):
        made = list(_of_log(cur, poll, log, at))
        entries += made
        used = made[-1].body["used"] if made else log.used
        cur.execute("UPDATE pollbook_log SET sealed = n, sealed_used = %s WHERE id = %s", (used, log.id))
    return entries


def _of_log(cur: Cursor, poll: str, log: Unsealed, at: datetime) -> Iterator[Entry]:
    used = log.used
    commitments: list[str] = []
    undone: list[str] = []
    first = last = log.sealed + 1
    rows = cur.execute(
        "SELECT n, body FROM pollbook_event WHERE log = %s AND n > %s AND n <= %s AND kind IN ('check-in', 'undo') "
        "ORDER BY n",
        (log.id, log.sealed, log.n),
    ).fetchall()
    for row in rows:
        event = Event.from_bytes(bytes(row.body))
        last = event.n
        if event.kind == "check-in":
            commitments.append(_commitment(poll, log.station, event))
            used += 1
        elif (was := _undone(cur, log.id, event)) is not None:
            undone.append(_commitment(poll, log.station, was))
            used -= 1
        if len(commitments) + len(undone) == MOST:
            yield _entry(poll, log, first, last, commitments, undone, used, at)
            commitments, undone, first = [], [], last + 1
    if commitments or undone:
        yield _entry(poll, log, first, last, commitments, undone, used, at)


def _entry(
    poll: str, log: Unsealed, first: int, last: int, made: list[str], undone: list[str], used: int, at: datetime
) -> Entry:
    body = {
        "station": log.station,
        "generation": log.generation,
        "first": first,
        "last": last,
        "commitments": sorted(made),
        "undone": sorted(undone),
        "used": used,
    }
    name = f"{ENTRY_KIND}/{log.station}/{log.generation}/{last}"
    return Entry(poll, ENTRY_KIND, name, at.isoformat(), COMMISSION, body)


def _commitment(poll: str, station: str, event: Event) -> str:
    assert event.entitlement is not None
    return commitment(poll, station, bytes.fromhex(event.body["salt"]), event.entitlement)


def _undone(cur: Cursor, log: int, event: Event) -> Event | None:
    """The check-in that an undo takes back; None where it takes back none that stood (that undo has its alarm)."""
    row = cur.execute(
        "SELECT e.body FROM pollbook_event e WHERE log = %(log)s AND n = %(of)s AND kind = 'check-in' AND NOT EXISTS "
        "(SELECT 1 FROM pollbook_alarm a WHERE a.log = e.log AND a.n = %(n)s AND a.number = 'P.104')",
        {"log": log, "of": event.body["of"], "n": event.n},
    ).fetchone()
    return None if row is None else Event.from_bytes(bytes(row.body))
