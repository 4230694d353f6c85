"""What would a held set change: how many voters are added, changed, moved, of another status, in each area and station?

Each voter of the set is counted once, by the first of these that holds: added; another status; moved to another station;
changed (name or address); unchanged. Nobody is opened for it: the same person seals to the same bytes (`roll.vault`).
Only the one entry of a claim's set is, for the person who is to confirm it (`change_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.roll.changes import get_set, later_set
from dauys.roll.pairs import row_of
from dauys.roll.vault import Vault
from dauys.roll.versions import COLUMNS, applied_sets, count_in_force, may_vote, version_of
from dauys.roll.voter import open_person
from dauys.store.engine import Connection

WHAT = ("added", "status", "moved", "changed", "unchanged")

_EACH = f"""
WITH old AS (
    SELECT DISTINCT ON (n.voter) v.*
    FROM voter n JOIN voter v ON v.voter = n.voter AND v.set_id = ANY(:sets)
    WHERE n.set_id = :id
    ORDER BY n.voter, v.set_id DESC
)
SELECT n.station, n.area, o.station AS was_station, o.area AS was_area,
    {may_vote("n")} AS votes, coalesce({may_vote("o")}, false) AS voted,
    CASE WHEN o.voter IS NULL THEN 'added'
         WHEN (n.status, n.since, n.until) IS DISTINCT FROM (o.status, o.since, o.until) THEN 'status'
         WHEN n.station <> o.station THEN 'moved'
         WHEN n.sealed <> o.sealed THEN 'changed'
         ELSE 'unchanged' END AS what,
    count(*) AS voters
FROM voter n LEFT JOIN old o ON o.voter = n.voter
WHERE n.set_id = :id
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 - texts of this room


@dataclass(slots=True)
class Line:
    """Counts of a station or an area. `moved` came from elsewhere, `left` went away; `before` and `after` may vote on the day."""

    added: int = 0
    status: int = 0
    moved: int = 0
    left: int = 0
    changed: int = 0
    unchanged: int = 0
    before: int = 0
    after: int = 0

    def to_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Preview:
    """A set's changes: `total` of its voters; areas and stations that it touches, by code; the later set that bars it.

    `absent` (only for an import of a whole roll) may vote now and are not in it: nothing happens to them.
    """

    set_id: int
    total: Line
    areas: Mapping[str, Line]
    stations: Mapping[str, Line]
    absent: int | None
    barred_by: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "set": self.set_id,
            "total": self.total.to_json(),
            "areas": {code: line.to_json() for code, line in self.areas.items()},
            "stations": {code: line.to_json() for code, line in self.stations.items()},
            "absent": self.absent,
            "barred_by": self.barred_by,
        }


def preview(connection: Connection, set_id: int) -> Preview:
    """What a set would change (or has changed, seen against the sets before it). Raises DauysError if there is none."""
    found = get_set(connection, set_id)
    before_it = applied_sets(connection, below=set_id)["sets"]
    rows = connection.execute(sa.text(_EACH), {"id": set_id, "on": found.day, "sets": before_it}).all()
    area_of = {row.station: row.area for row in rows} | {
        row.was_station: row.was_area for row in rows if row.was_station
    }
    stations = {station: Line() for station in sorted(area_of)}
    before = count_in_force(connection, found.day, None if found.kind == "import" else list(stations))
    for station, line in stations.items():
        line.before = line.after = before.get(station, 0)
    held = found.state != "applied"
    known = 0
    for row in rows:
        line, was = stations[row.station], stations.get(row.was_station)
        setattr(line, row.what, getattr(line, row.what) + row.voters)
        known += row.voters * row.voted
        if was is not None and row.was_station != row.station:
            was.left += row.voters
        if held:
            line.after += row.voters * row.votes
            if was is not None:
                was.after -= row.voters * row.voted
    areas: dict[str, Line] = {}
    total = Line()
    for station, line in stations.items():
        for sum_ in (areas.setdefault(area_of[station], Line()), total):
            for name in Line.__slots__:
                setattr(sum_, name, getattr(sum_, name) + getattr(line, name))
    absent = sum(before.values()) - known if found.kind == "import" and held else None
    barred = later_set(connection, set_id) if found.state == "held" else None
    return Preview(set_id, total, dict(sorted(areas.items())), stations, absent, barred)


@dataclass(frozen=True, slots=True)
class Change:
    """One voter's entry before a set and as the set has it, as rows (`pairs.row_of`); before is None for a newcomer."""

    before: Mapping[str, str] | None
    after: Mapping[str, str]


def change_of(connection: Connection, vault: Vault, set_id: int) -> Change:
    """What the set of a claim does to its one voter: who confirms it sees it first. Raises DauysError for another set."""
    query = f"SELECT {COLUMNS} FROM voter v WHERE v.set_id = :id LIMIT 2"  # noqa: S608 - names of ours
    found = [version_of(row) for row in connection.execute(sa.text(query), {"id": set_id})]
    if len(found) != 1:
        raise DauysError(f"set {set_id} is not the set of one claim: dauys roll changes {set_id}")
    (after,) = found
    query = (
        f"SELECT {COLUMNS} FROM voter v WHERE v.voter = :voter AND v.set_id = ANY(:sets) ORDER BY v.set_id DESC LIMIT 1"  # noqa: S608
    )
    row = connection.execute(
        sa.text(query), {"voter": after.voter} | applied_sets(connection, below=set_id)
    ).one_or_none()
    before = None if row is None else version_of(row)
    return Change(
        None if before is None else row_of(open_person(vault, before), before), row_of(open_person(vault, after), after)
    )
