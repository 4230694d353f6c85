"""Which lines of a lost machine's paper were only counted, because its log has that check-in already, and may be a use yet?

Such a line is an event of the paper's log (`reported`) that uses nothing, as long as the machine's use stands. Once the machine
takes that back, the line is noted as a check-in of the paper (`take`), as if it had been typed then.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from dauys.pollbook.centre.row import Cursor
from dauys.pollbook.log.events import Event, LogId

REPORTED, TAKEN_BACK = "reported", "reported-undo"

_LAST = (
    "SELECT DISTINCT ON (entitlement) entitlement, kind, body FROM pollbook_event WHERE log = %(log)s "
    "AND kind IN ('check-in', 'reported', 'reported-undo') {} ORDER BY entitlement, n DESC"
)
"""What a paper's log says last of each right."""


def counted_lines(cur: Cursor, log: int) -> set[UUID]:
    """The rights of which a paper's log has a line that was only counted so far, by the number of its row."""
    rows = cur.execute(_LAST.format(""), {"log": log})
    return {row.entitlement for row in rows if row.kind == REPORTED}


def line_of(cur: Cursor, log: int, who: UUID) -> Event | None:
    """That line of this right; None where there is none."""
    row = cur.execute(_LAST.format("AND entitlement = %(who)s"), {"log": log, "who": who}).fetchone()
    return Event.from_bytes(bytes(row.body)) if row is not None and row.kind == REPORTED else None


def used_by(cur: Cursor, machine: LogId, rights: Sequence[UUID]) -> list[UUID]:
    """Those of the rights whose use the machine's own log has, and it stands."""
    query = (
        "SELECT id FROM entitlement WHERE poll = %(poll)s AND id = ANY(%(rights)s) AND holder = %(holder)s AND state = 1 UNION "
        "SELECT s.entitlement FROM pollbook_stray s JOIN pollbook_log l ON l.id = s.log "
        "WHERE s.poll = %(poll)s AND s.entitlement = ANY(%(rights)s) AND l.holder = %(holder)s AND NOT s.undone ORDER BY id"
    )
    return [row.id for row in cur.execute(query, {"poll": machine.poll, "rights": rights, "holder": machine.holder})]
