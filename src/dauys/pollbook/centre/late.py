"""Of several lists of one station that the centre forgot when it was put back from a copy, which has a right that was added?

Nobody here knows. The first one whose log is not complete holds it (`put_back.added_again`), for its machine may have it. It does
not, where a later one uses it or lets it go: that list was made of what nobody had. And what is left over in a log that is
complete may stand on the next list: it is free only when there is none any more. `rules.late` does the same to the model.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg import Cursor

from dauys.pollbook.centre.predicates import COMPLETE, EARLIER, UNUSED
from dauys.pollbook.log.events import LogId


def off_an_earlier_list(cur: Cursor[Any], log: LogId, who: UUID) -> bool:
    """A log uses a right, or lets it go, that is held by an earlier list: it stands on this one. Whether it was so."""
    where = {"holder": log.holder, "poll": log.poll, "who": who}
    moved = f"UPDATE entitlement e SET holder = %(holder)s WHERE e.poll = %(poll)s AND e.id = %(who)s AND {EARLIER}"  # noqa: S608
    if not cur.execute(moved, where).rowcount:
        return False
    cur.execute(
        "UPDATE pollbook_request SET holder = %(holder)s "
        "WHERE poll = %(poll)s AND entitlement = %(who)s AND epoch = 0 AND NOT granted",
        where,
    )
    return True


def onto_the_next_list(cur: Cursor[Any], poll: str, station: str) -> None:
    """What is left over in a log of the station that is complete is held by the next list that may have it."""
    here = {"poll": poll, "station": station}
    if not cur.execute("SELECT FROM pollbook_late_list WHERE poll = %(poll)s AND station = %(station)s", here).rowcount:
        return
    moved = cur.execute(_NEXT, here).fetchall()
    if moved:
        follow(cur, poll, sorted({holder for row in moved for holder in (row.holder, row.before)}))


def follow(cur: Cursor[Any], poll: str, holders: list[str]) -> None:
    """Who asked for a right that went from one of these holders to another, in its epoch, asks its holder of now."""
    cur.execute(
        "UPDATE pollbook_request r SET holder = e.holder FROM entitlement e WHERE r.poll = %s AND r.holder = ANY(%s) "
        "AND NOT r.granted AND e.poll = r.poll AND e.id = r.entitlement AND e.epoch = r.epoch AND e.holder <> r.holder "
        "AND e.holder = ANY(%s)",
        (poll, holders, holders),
    )


_NEXT = f"""
UPDATE entitlement e SET holder = n.holder FROM (
    SELECT here.poll, here.station, here.holder AS before, (
        SELECT 'station/' || t.station || '/' || min(t.generation) FROM pollbook_late_list t
        LEFT JOIN pollbook_log l USING (poll, station, generation)
        WHERE (t.poll, t.station) = (here.poll, here.station) AND t.generation > here.generation
            AND NOT coalesce({COMPLETE}, false) GROUP BY t.station) AS holder
    FROM (SELECT l.* FROM pollbook_late_list JOIN pollbook_log l USING (poll, station, generation)
        WHERE l.poll = %(poll)s AND l.station = %(station)s AND {COMPLETE}) AS here) AS n
WHERE e.poll = n.poll AND e.home = n.station AND e.holder = n.before AND n.holder IS NOT NULL
    AND e.addition > 0 AND e.epoch = 0 AND e.state = {UNUSED}
RETURNING n.before, n.holder
"""  # noqa: S608 - texts of ours
