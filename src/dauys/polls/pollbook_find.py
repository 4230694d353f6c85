"""Is this voter's check-in counted, and at which station? The sums as sealed, and the entry to which a voter's code leads.

Nothing here says who the voter is. A code that is nobody's and one that is not sealed yet are told apart by the station's
log: only who has the salt can ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from dauys.pollbook.log.events import CHANNEL_LOGS, Event
from dauys.pollbook.sealed.check_ins import places
from dauys.pollbook.sealed.commitment import ENTRY_KIND, find_code, read_code
from dauys.record.entry import Entry
from dauys.registers.poll import Poll
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Answer:
    """`state`: `counted`, `undone`, `waiting` (in a station's log, not in the record yet) or `unknown`."""

    state: str
    station: str = ""
    entry: str = ""

    def to_json(self) -> dict[str, str]:
        return {"state": self.state, "station": self.station, "entry": self.entry}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A station's check-ins as the record has them."""

    station: str
    area: str
    used: int

    def to_json(self) -> dict[str, Any]:
        return {"station": self.station, "area": self.area, "used": self.used}


def find(connection: Connection, poll: str, code: str) -> Answer:
    """Where the check-in of a code is. Raises BadInput P.038 for a mistyped one."""
    salt, who = read_code(code)
    stations = _stations(connection, poll, who)
    for station in stations:
        found = find_code(code, poll, _entries(connection, poll, station))
        if found is not None:
            return Answer("undone" if found.undone else "counted", found.station, found.undone or found.entry)
    for station in stations:
        if _in_log(connection, poll, station, who, salt.hex()):
            return Answer("waiting", station)
    return Answer("unknown")


def _stations(connection: Connection, poll: str, who: UUID) -> list[str]:
    """Where the right was ever held: at home, where it is, and wherever it was given to."""
    rows = connection.execute(
        sa.text(
            "SELECT home AS station FROM entitlement WHERE poll = :poll AND id = :who UNION "
            "SELECT l.station FROM entitlement e JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder "
            "WHERE e.poll = :poll AND e.id = :who UNION "
            "SELECT l.station FROM pollbook_grant g JOIN pollbook_log l ON l.poll = g.poll AND l.holder = g.receiver "
            "WHERE g.poll = :poll AND g.entitlement = :who"
        ),
        {"poll": poll, "who": who},
    )
    return sorted(row.station for row in rows)


def _entries(connection: Connection, poll: str, station: str) -> list[Entry]:
    rows = connection.scalars(
        sa.text(
            "SELECT body FROM entry WHERE poll = :poll AND kind = 'check-ins' "
            "AND substring(id FROM '^check-ins/(.*)/[0-9]+/[0-9]+$') = :station ORDER BY seq"
        ),
        {"poll": poll, "station": station},
    )
    return [Entry.from_bytes(bytes(body)) for body in rows]


def _in_log(connection: Connection, poll: str, station: str, who: UUID, salt: str) -> bool:
    rows = connection.scalars(
        sa.text(
            "SELECT v.body FROM pollbook_log l JOIN pollbook_event v ON v.log = l.id AND v.n > l.sealed "
            "WHERE l.poll = :poll AND l.station = :station AND v.kind = 'check-in' AND v.entitlement = :who"
        ),
        {"poll": poll, "station": station, "who": who},
    )
    return any(Event.from_bytes(bytes(body)).body["salt"] == salt for body in rows)


def sealed(connection: Connection, poll: str, start: int, limit: int) -> list[Sealed]:
    """The stations that have check-ins in the record, by id, from the `start`-th on."""
    rows = connection.execute(
        sa.text(
            "SELECT l.station, s.area, sum(l.sealed_used) AS used FROM pollbook_log l "
            "JOIN station s ON s.poll = l.poll AND s.id = l.station WHERE l.poll = :poll AND l.sealed > 0 "
            "GROUP BY l.station, s.area ORDER BY l.station OFFSET :start LIMIT :limit"
        ),
        {"poll": poll, "start": start, "limit": limit},
    )
    return [Sealed(row.station, row.area, int(row.used)) for row in rows]


def totals(connection: Connection, poll: str) -> dict[str, int]:
    """How many stations have check-ins in the record, how many check-ins stand there, and how many entries that is.

    `electronic`: of the check-ins, those of the electronic channel, which is no station.
    """
    row = connection.execute(
        sa.text(
            "SELECT count(DISTINCT station) FILTER (WHERE station <> ALL(:channels)) AS stations, "
            "coalesce(sum(sealed_used), 0) AS used, "
            "coalesce(sum(sealed_used) FILTER (WHERE station = ANY(:channels)), 0) AS electronic, "
            "(SELECT count(*) FROM entry WHERE poll = :poll AND kind = :kind) AS entries "
            "FROM pollbook_log WHERE poll = :poll AND sealed > 0"
        ),
        {"poll": poll, "kind": ENTRY_KIND, "channels": list(CHANNEL_LOGS)},
    ).one()
    used, electronic = int(row.used), int(row.electronic)
    return {"stations": row.stations, "used": used, "electronic": electronic, "entries": row.entries}


def electronic(connection: Connection, poll: Poll) -> int | None:
    """How many check-ins of the electronic channel stand in the record; None where the poll has none by its own rules."""
    return totals(connection, poll.id)["electronic"] if places((), poll.voting) else None
