"""Which packages were made, and are good for an enrolment?"""

from __future__ import annotations

from datetime import datetime

from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import LogId
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
        "DELETE FROM pollbook_package p WHERE (poll, station, generation) = (%s, %s, %s) AND NOT EXISTS ("
        "SELECT FROM pollbook_log l WHERE (l.poll, l.station, l.generation) = (p.poll, p.station, p.generation))",
        (log.poll, log.station, log.generation),
    ).rowcount > 0  # fmt: skip
