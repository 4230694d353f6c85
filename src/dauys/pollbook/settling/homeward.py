"""Where does a right go that is with nobody, though nobody asks for it? It is given back, or was let go for nothing.

Home, by a grant, to the machine that works at its voter's station. While none does (there was none yet, it is lost, or stopped),
and while a lost machine of which nobody has all may have the right, nothing is granted: the grant would wait for a machine that
may never begin. The right is free then, as whatever was let go: who asks first is given it, an envelope of it counts, and the
station's machine is given it as soon as one works.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from dauys.pollbook.centre import decided
from dauys.pollbook.centre.locks import lock_right
from dauys.pollbook.centre.mark import standing
from dauys.pollbook.centre.moves import since
from dauys.pollbook.centre.packages import newest_machine
from dauys.pollbook.centre.predicates import ASKS, DOUBT, LIVE, RELEASED
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import PAPER, LogId
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.holders import RETURNED
from dauys.store.engine import Connection


def send(connection: Connection, poll: str, station: str, right: UUID, epoch: int, at: datetime) -> str:
    """A right of this epoch goes home: `returned` to the machine that works there, or `free`; `held`: somebody has it already, or
    it was withdrawn again since that epoch was read; `used` all the same. The station's logs are locked. Raises CustodyError
    P.090."""
    cur = cursor(connection)
    if (custody := lock_right(cur, poll, right)) is None or custody.epoch != epoch:
        return "held"
    newest = newest_machine(cur, poll, station)
    to = LogId(poll, station, 1 if newest is None else newest.generation)
    try:
        try:
            decided.give_back(connection, f"return/{right}/{epoch}", right, to, at)
        except CustodyError as error:
            if error.check not in ("P.051", "P.052"):
                raise
            decided.let_go(connection, poll, right)
            return "free"
    except CustodyError as error:
        if error.check not in ("P.021", "P.057"):
            raise
        return "used" if error.check == "P.021" else "held"
    return "returned"


def on_their_way(cur: Cursor, poll: str, at: datetime, station: str | None = None) -> list[Any]:
    """Rights (`entitlement`, `epoch`, `station`, `area`; `instead`: of none here) whose station has a machine that works by now,
    and that nobody asks for; of one station or of all. `let_go`: for the commission, and by nobody given back before."""
    return cur.execute(_ON_THEIR_WAY, {"poll": poll, "station": station, "since": since(at)}).fetchall()


def welcome(connection: Connection, log: LogId, at: datetime) -> None:
    """What waits for a machine of this station goes to the one that begins now, before its wire is cut. Nothing goes anywhere
    while the centre checks its books."""
    cur = cursor(connection)
    if standing(cur, log.poll) is None:
        rows = {row.entitlement: row.epoch for row in on_their_way(cur, log.poll, at, log.station)}
        at_rest = "SELECT id FROM entitlement WHERE poll = %s AND id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED"
        for right in cur.execute(at_rest, (log.poll, list(rows))).fetchall():  # what somebody is at waits a minute
            send(connection, log.poll, log.station, right.id, rows[right.id], at)


_ON_THEIR_WAY = f"""
WITH e AS (
    SELECT * FROM entitlement r WHERE poll = %(poll)s AND state = {RELEASED} AND starts_with(holder, '{RETURNED}')
    UNION SELECT r.* FROM roll_withdrawal w JOIN entitlement r ON r.poll = w.poll AND r.id = w.entitlement
    WHERE w.poll = %(poll)s AND w.outcome = 'kept' AND r.state = {RELEASED}
)
SELECT e.id AS entitlement, e.home AS station, s.area, e.epoch, false AS instead,
  NOT starts_with(e.holder, '{RETURNED}') AS let_go FROM e
JOIN station s ON s.poll = e.poll AND s.id = e.home
JOIN pollbook_log l ON l.poll = e.poll AND l.station = e.home AND l.generation <= {PAPER} AND NOT (l.lost OR l.closed)
  AND l.stopped = ''
WHERE e.home = coalesce(%(station)s, e.home) AND NOT {DOUBT}
  AND NOT EXISTS (SELECT FROM roll_withdrawal v WHERE v.poll = e.poll AND v.entitlement = e.id AND v.{LIVE})
  AND NOT EXISTS (SELECT FROM pollbook_request r WHERE r.poll = e.poll AND r.entitlement = e.id AND r.epoch = e.epoch
      AND NOT r.granted AND {ASKS})
"""  # noqa: S608 - texts of ours
"""However many wait, a minute costs little before their machines begin."""
