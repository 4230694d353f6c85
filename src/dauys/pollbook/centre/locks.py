"""In which order does the centre lock what it changes? One, so that nobody waits for somebody who waits for him.

    the poll's record (dauys.stations.ledger.lock), stations by name, logs by their rows, rights

Whoever takes batches locks their logs, then rights of theirs. Who holds a right waits for no log and no station; where he cannot
know that, he looks whether it is free and comes again (`settle`, `grant`, `_never_listed`). PostgreSQL gives up one of two that
wait for each other all the same: a station is answered 503 and sends again, a command says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from psycopg import Cursor

from dauys.pollbook.log.events import LogId

_STATION = "hashtext('pollbook ' || %(poll)s || ' ' || %(station)s)"


def lock_station(cur: Cursor[Any], poll: str, station: str) -> None:
    """Until the transaction ends nobody else makes or enrols a package of this station. Who is alone with the poll
    (`ledger.lock`) is waited for before."""
    cur.execute("SELECT FROM log WHERE poll = %s FOR KEY SHARE", (poll,))
    cur.execute(f"SELECT pg_advisory_xact_lock({_STATION})", {"poll": poll, "station": station})


def station_is_free(cur: Cursor[Any], poll: str, station: str) -> bool:
    """The same where nobody has the station just now; False where somebody has, who may wait for a right that is held here."""
    row = cur.execute(
        f"SELECT pg_try_advisory_xact_lock({_STATION}) AS ours", {"poll": poll, "station": station}
    ).fetchone()
    return bool(row and row.ours)


def lock_stations(cur: Cursor[Any], poll: str, stations: Iterable[str]) -> None:
    """Before rights go to several stations in one transaction: all of them, and then their logs."""
    several = sorted(set(stations))
    for station in several:
        lock_station(cur, poll, station)
    cur.execute("SELECT FROM pollbook_log WHERE poll = %s AND station = ANY(%s) ORDER BY id FOR SHARE", (poll, several))


def lock_log(cur: Cursor[Any], log: LogId) -> None:
    """Until the transaction ends no batch of this log is taken, and it is neither stopped nor declared lost."""
    cur.execute(
        "SELECT FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s) FOR SHARE",
        (log.poll, log.station, log.generation),
    )


def lock_right(cur: Cursor[Any], poll: str, who: UUID) -> Any:
    """Home, holder, epoch and state of a right, which nobody else changes until the transaction ends; None for none."""
    return cur.execute(
        "SELECT home, holder, epoch, state FROM entitlement WHERE poll = %s AND id = %s FOR UPDATE", (poll, who)
    ).fetchone()
