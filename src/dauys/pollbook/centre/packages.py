"""Which packages were made, and are good for an enrolment? Which is a station's newest machine?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dauys.pollbook.centre.predicates import BEGUN
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import PAPER, LogId
from dauys.store.engine import Connection


def note_package(connection: Connection, log: LogId, proof: bytes, at: datetime, voters: int = 0) -> None:
    """Keeps what checks the enrolment of a package; a new package for the same log replaces the one before it.

    `voters`: how many rights on its list this log may use.
    """
    cursor(connection).execute(
        "INSERT INTO pollbook_package (poll, station, generation, made, proof, voters) VALUES (%s, %s, %s, %s, %s, %s) "
        "ON CONFLICT (poll, station, generation) "
        "DO UPDATE SET made = excluded.made, proof = excluded.proof, voters = excluded.voters",
        (log.poll, log.station, log.generation, at, proof, voters),
    )


def void_package(connection: Connection, log: LogId) -> bool:
    """Nobody enrols any more with a package that nobody has enrolled with; False where there is none."""
    return cursor(connection).execute(
        f"DELETE FROM pollbook_package p WHERE (poll, station, generation) = (%s, %s, %s) AND NOT {BEGUN}",  # noqa: S608 - ours
        (log.poll, log.station, log.generation),
    ).rowcount > 0  # fmt: skip


def is_packed(cur: Cursor, log: LogId) -> bool:
    """Whether there is a package of this log, enrolled with or on its way."""
    query = "SELECT FROM pollbook_package WHERE (poll, station, generation) = (%s, %s, %s)"
    return cur.execute(query, (log.poll, log.station, log.generation)).rowcount > 0


def newest_machine(cur: Cursor, poll: str, station: str) -> Any:
    """Generation of the station's newest machine, and whether it was declared lost; None for a station without any."""
    return cur.execute(
        "SELECT generation, lost FROM pollbook_log WHERE poll = %s AND station = %s AND generation <= %s "
        "ORDER BY generation DESC LIMIT 1",
        (poll, station, PAPER),
    ).fetchone()
