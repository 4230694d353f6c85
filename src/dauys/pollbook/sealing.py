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
from datetime import datetime

from dauys.pollbook.centre import Cursor, cursor
from dauys.pollbook.commitment import ENTRY_KIND, commitment
from dauys.pollbook.log import Event
from dauys.record.entry import Entry
from dauys.registers.poll import COMMISSION
from dauys.store.engine import Connection

MOST = 900
"""Commitments in one entry: 67 bytes each, in an entry of at most 65,535."""


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
    """The logs with something to seal (of one station), locked for this transaction, in order."""
    rows = cursor(connection).execute(
        "SELECT id, station, generation, sealed, n, sealed_used FROM pollbook_log WHERE poll = %(poll)s AND n > sealed "
        "AND (%(station)s::text IS NULL OR station = %(station)s) ORDER BY station, generation FOR NO KEY UPDATE",
        {"poll": poll, "station": station},
    )
    return [Unsealed(row.id, row.station, row.generation, row.sealed, row.n, row.sealed_used) for row in rows]


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
