"""What does nobody know once the books are whole again? Of which stations' voters, for people who say when that is."""

from __future__ import annotations

from typing import Any

from psycopg import Cursor

from dauys.pollbook.centre.mark import ever
from dauys.pollbook.centre.predicates import AHEAD, ASKED_FOR, DOUBT, FREE, LET_GO_FOR_NOBODY, MISSED, UNUSED
from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.holders import WITHDRAWN


def in_doubt(cur: Cursor[Any], poll: str) -> dict[str, int]:
    """Of which stations' voters rights are free that a machine which was given up unheard may have been given, and how many."""
    given_up = f"SELECT FROM pollbook_log l WHERE poll = %s AND {MISSED} LIMIT 1"
    if not cur.execute(given_up, (poll,)).rowcount:  # none, mostly: nobody waits while the whole roll is read
        return {}
    rows = cur.execute(
        "SELECT e.home, count(*) AS rights FROM entitlement e "  # noqa: S608 - texts of ours
        "LEFT JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder "
        f"WHERE e.poll = %s AND {DOUBT} AND ({FREE} OR {AHEAD} OR e.state = {UNUSED} AND e.holder = %s) "
        "GROUP BY e.home ORDER BY e.home",
        (poll, WITHDRAWN),
    )
    return {row.home: row.rights for row in rows}


def not_vouched_for(cur: Cursor[Any], poll: str) -> list[LogId]:
    """The packages on their way with which nobody enrols: they are to be made again (`restored.lift`)."""
    rows = cur.execute(
        "SELECT station, generation FROM pollbook_late_list t JOIN pollbook_package USING (poll, station, generation) "
        "WHERE poll = %s AND blind AND NOT EXISTS (SELECT FROM pollbook_log l WHERE (l.poll, l.station, l.generation) = "
        "(t.poll, t.station, t.generation)) ORDER BY station, generation",
        (poll,),
    )
    return [LogId(poll, row.station, row.generation) for row in rows]


def let_go_for_nobody(cur: Cursor[Any], poll: str) -> dict[str, int]:
    """Of which stations' voters the commission has rights by a decision that it has forgotten, and how many."""
    if not ever(cur, poll):
        return {}
    rows = cur.execute(
        f"SELECT e.home, count(*) AS rights FROM entitlement e {ASKED_FOR} "  # noqa: S608 - texts of ours
        f"WHERE e.poll = %s AND {LET_GO_FOR_NOBODY} GROUP BY e.home ORDER BY e.home",
        (poll,),
    )
    return {row.home: row.rights for row in rows}
