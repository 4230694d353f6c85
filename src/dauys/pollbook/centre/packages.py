"""Which packages were made, with whom as officers, and are good for an enrolment? Which is a station's newest machine?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dauys.pollbook.centre.predicates import BEGUN
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import PAPER, LogId
from dauys.store.engine import Connection


def note_package(
    connection: Connection, log: LogId, proof: bytes, at: datetime, voters: int = 0,
    officers: Sequence[str] | None = None,
) -> None:  # fmt: skip
    """Keeps what checks the enrolment of a package; a new package for the same log replaces the one before it.

    `voters`: how many rights on its list this log may use. `officers`: their ids; None where nobody here knows them.
    """
    cursor(connection).execute(
        "INSERT INTO pollbook_package (poll, station, generation, made, proof, voters, officers) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (poll, station, generation) DO UPDATE SET "
        "made = excluded.made, proof = excluded.proof, voters = excluded.voters, officers = excluded.officers",
        (log.poll, log.station, log.generation, at, proof, voters, officers),
    )


def officers_of(cur: Cursor, poll: str, station: str) -> set[str] | None:
    """The ids of the officers of all packages of a station; None where not all are known.

    So it is where one of its packages was made before officers were kept here (migration 0040); where the centre was put back
    from a copy that lacks it, for neither the journal nor a machine that shows itself tells of officers; and where it was put
    back and no journal says which packages there were.
    """
    query = "SELECT FROM pollbook_restored WHERE poll = %s AND blind LIMIT 1"
    if cur.execute(query, (poll,)).rowcount:
        return None
    packages = [row.officers for row in cur.execute(_OFFICERS, {"poll": poll, "station": station, "paper": PAPER})]
    return None if not packages or None in packages else {one for officers in packages for one in officers}


_OFFICERS = """
SELECT p.officers FROM (
    SELECT generation FROM pollbook_package WHERE poll = %(poll)s AND station = %(station)s UNION
    SELECT generation FROM pollbook_log WHERE poll = %(poll)s AND station = %(station)s AND generation <= %(paper)s
) AS known LEFT JOIN pollbook_package p ON (p.poll, p.station, p.generation) = (%(poll)s, %(station)s, known.generation)
"""


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
