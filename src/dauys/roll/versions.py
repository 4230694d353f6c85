"""What does the roll say of a voter: now, at a moment, and over the years?

A version is in force if its set is applied and no later applied set has another one of the same voter. At a moment in the past
the sets count that had been applied by then and not yet rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from dauys.roll.voter import Version
from dauys.store.engine import Connection

APPLIED = "s.state = 'applied'"
APPLIED_AT = "s.decided <= :at AND (s.undone IS NULL OR s.undone > :at) AND s.state IN ('applied', 'rolled back')"
COLUMNS = "v.voter, v.set_id, v.station, v.area, v.status, v.since, v.until, v.source, v.sealed"


@dataclass(frozen=True, slots=True)
class Known:
    """One line of a voter's history: the version, and the set it came with, from its making to its end."""

    version: Version
    state: str
    kind: str
    by: str
    made: datetime
    decided_by: str | None
    decided: datetime | None
    undone: datetime | None


def in_force(connection: Connection, voter: UUID, at: datetime | None = None) -> Version | None:
    """The version of a voter that holds now, or held at a moment; None for who is not on the roll."""
    query = (
        f"SELECT {COLUMNS} FROM voter v JOIN roll_set s ON s.id = v.set_id "  # noqa: S608 - texts of this module
        f"WHERE v.voter = :voter AND {APPLIED if at is None else APPLIED_AT} ORDER BY v.set_id DESC LIMIT 1"
    )
    row = connection.execute(sa.text(query), {"voter": voter} | ({} if at is None else {"at": at})).one_or_none()
    return None if row is None else version_of(row)


def history(connection: Connection, voter: UUID) -> list[Known]:
    """Every version of a voter, oldest set first, whatever became of the set."""
    rows = connection.execute(
        sa.text(
            f"SELECT {COLUMNS}, s.state, s.kind, s.by, s.made, s.decided_by, s.decided, s.undone "  # noqa: S608
            "FROM voter v JOIN roll_set s ON s.id = v.set_id WHERE v.voter = :voter ORDER BY v.set_id"
        ),
        {"voter": voter},
    )
    return [
        Known(version_of(row), row.state, row.kind, row.by, row.made, row.decided_by, row.decided, row.undone)
        for row in rows
    ]


HOLDS = (
    "v.set_id = ANY(:sets) AND NOT EXISTS ("
    "SELECT FROM voter w WHERE w.voter = v.voter AND w.set_id > v.set_id AND w.set_id = ANY(:later))"
)
"""Whether the version `v` is in force, given `applied_sets`. Over the first set, a nation's, lie only the few others."""


def applied_sets(connection: Connection, below: int | None = None) -> dict[str, list[int]]:
    """The sets that are applied, in order, as `HOLDS` needs them; `below`: only those before a set."""
    query = sa.text("SELECT id FROM roll_set WHERE state = 'applied' AND (:below IS NULL OR id < :below) ORDER BY id")
    sets = list(connection.scalars(query.bindparams(sa.bindparam("below", below, sa.BigInteger))))
    return {"sets": sets, "later": sets[1:]}


def replaced(connection: Connection, set_id: int) -> dict[int, int]:
    """By which later sets voters of an applied set are in force now, and how many by each."""
    query = sa.text(
        "SELECT now.set_id, count(*) AS voters FROM voter v CROSS JOIN LATERAL (SELECT max(w.set_id) AS set_id FROM voter w "
        "WHERE w.voter = v.voter AND w.set_id > v.set_id AND w.set_id = ANY(:later)) now "
        "WHERE v.set_id = :set AND now.set_id IS NOT NULL GROUP BY now.set_id ORDER BY now.set_id"
    )
    rows = connection.execute(query, {"set": set_id, "later": applied_sets(connection)["later"]})
    return {row.set_id: row.voters for row in rows}


def count_in_force(connection: Connection, on: date, stations: list[str] | None = None) -> dict[str, int]:
    """How many may vote on the day by their status, for each station (of those named, or of all) that has any."""
    where = "" if stations is None else "v.station = ANY(:stations) AND "
    query = sa.text(
        "SELECT v.station, count(*) AS voters FROM voter v "  # noqa: S608 - texts of this module
        f"WHERE {where}{may_vote('v')} AND {HOLDS} GROUP BY v.station"
    )
    named = {} if stations is None else {"stations": stations}
    rows = connection.execute(query, {"on": on} | named | applied_sets(connection))
    return {row.station: row.voters for row in rows}


def may_vote(of: str) -> str:
    """`roll.voter.may_vote` in PostgreSQL, over the version `of`, on the day `:on`; a test holds both together."""
    return (
        f"((({of}.since IS NULL OR {of}.since <= :on) AND ({of}.until IS NULL OR {of}.until >= :on)) "
        f"= ({of}.status = 'eligible'))"
    )


def version_of(row: Any) -> Version:
    """A row of `COLUMNS`."""
    return Version(
        row.voter, row.set_id, row.station, row.area, row.status, row.since, row.until, row.source, bytes(row.sealed)
    )
