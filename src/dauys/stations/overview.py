"""What needs attention? Protocols in quarantine, checks raised so far, shares far from their neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.record.log import entry_at, polls, size
from dauys.registers.poll import Poll
from dauys.stations.checks import far_from_neighbours
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Held:
    """One protocol as it stands: values, checks, version and the entry it stands in."""

    contest: str
    station: str
    area: str
    state: str
    version: int
    seq: int
    values: Mapping[str, int]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outlier:
    """W.104: one station's ballots for an answer, far from its neighbours'."""

    contest: str
    station: str
    area: str
    option: str
    count: int
    base: int
    number: str = "W.104"


def poll_of(connection: Connection, poll_id: str) -> Poll:
    """The poll as its record defines it. Raises DauysError if it was not opened here."""
    if size(connection, poll_id) == 0:
        known = ", ".join(polls(connection)) or "none yet"
        raise DauysError(f"there is no poll {poll_id!r} here; polls that were opened: {known}")
    return Poll.from_json(entry_at(connection, poll_id, 0).body)


_PROTOCOL = (
    "SELECT p.contest, p.station, s.area, p.state, p.version, p.seq, p.values AS given, p.checks FROM protocol p "
    "JOIN station s ON s.poll = p.poll AND s.id = p.station WHERE p.poll = :poll"
)


def quarantine(connection: Connection, poll_id: str, start: int = 0, limit: int = 100) -> list[Held]:
    """Protocols that wait in quarantine, by contest and station."""
    query = f"{_PROTOCOL} AND p.state = 'quarantined' ORDER BY p.contest, p.station OFFSET :start LIMIT :limit"
    rows = connection.execute(sa.text(query), {"poll": poll_id, "start": start, "limit": limit})
    return [_held(row) for row in rows]


def protocol(connection: Connection, poll_id: str, contest: str, station: str) -> Held | None:
    """The protocol of one station, if there is one."""
    query = f"{_PROTOCOL} AND p.contest = :contest AND p.station = :station"
    row = connection.execute(sa.text(query), {"poll": poll_id, "contest": contest, "station": station}).one_or_none()
    return None if row is None else _held(row)


def held_back(connection: Connection, poll_id: str) -> int:
    """How many protocols wait in quarantine."""
    query = sa.text("SELECT count(*) FROM protocol WHERE poll = :poll AND state = 'quarantined'")
    return connection.scalar(query, {"poll": poll_id}) or 0


def station_count(connection: Connection, poll_id: str) -> int:
    """How many stations the list has."""
    return connection.scalar(sa.text("SELECT count(*) FROM station WHERE poll = :poll"), {"poll": poll_id}) or 0


def raised(connection: Connection, poll_id: str) -> dict[str, int]:
    """How many protocols and reports raise each check now."""
    rows = connection.execute(
        sa.text(
            "SELECT number, count(*) AS times FROM (SELECT unnest(checks) AS number FROM protocol WHERE poll = :poll "
            "UNION ALL SELECT unnest(checks) FROM turnout WHERE poll = :poll) raised GROUP BY number ORDER BY number"
        ),
        {"poll": poll_id},
    )
    return {row.number: row.times for row in rows}


def outliers(connection: Connection, poll: Poll) -> list[Outlier]:
    """W.104 over all protocols that count now. It depends on the neighbours that are in, so it is not in the record."""
    found: list[Outlier] = []
    for contest in poll.contests:
        rows = connection.execute(
            sa.text(f"{_PROTOCOL} AND p.contest = :contest AND p.state = 'accepted' ORDER BY p.station"),
            {"poll": poll.id, "contest": contest.id},
        ).all()
        whole = next((field.name for field in contest.form.fields if field.role == "base"), None)
        if whole is None:  # a form without ballots found: there is nothing to take shares of
            continue
        base = np.array([row.given.get(whole, 0) for row in rows], np.int64)
        areas = [row.area for row in rows]
        for option in contest.form.options if rows else ():
            part = np.array([row.given.get(option, 0) for row in rows], np.int64)
            for place in np.flatnonzero(far_from_neighbours(areas, part, base)).tolist():
                row = rows[place]
                found.append(Outlier(contest.id, row.station, row.area, option, int(part[place]), int(base[place])))
    return found


def _held(row: Any) -> Held:
    return Held(row.contest, row.station, row.area, row.state, row.version, row.seq, dict(row.given), tuple(row.checks))
