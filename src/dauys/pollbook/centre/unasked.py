"""What became of a right that a station asked for, and how does it ask no more? The centre's part, by SQL.

A request ends when its station calls it off, or when it is old by the centre's clock (`grants.LASTS`) and was not made again:
who walked away is asked for by nobody, and his own station keeps his right. That moves nothing: an end only leaves the holder in
peace. What was let go by then is given to whoever asks next, his own station too (`moves.ask`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.locks import lock_log, lock_right
from dauys.pollbook.centre.moves import since
from dauys.pollbook.centre.predicates import ASKS, RELEASED, STRAY, USED
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import LogId, is_channel
from dauys.pollbook.rules.grants import Fate, Request
from dauys.pollbook.rules.holders import CERTIFICATE, WITHDRAWN
from dauys.store.engine import Connection

FORGOTTEN = timedelta(hours=1)
"""How long a station is told what became of what it asked for."""


def told(connection: Connection, log: LogId, requests: tuple[Request, ...], at: datetime) -> None:
    """Notes that the log's machine hears of these requests now: from here on it may let go without being heard, whatever
    becomes of them."""
    if not requests:
        return
    cur, names = cursor(connection), (log.poll, [one.id for one in requests])
    cur.execute("UPDATE pollbook_request SET told = true WHERE poll = %s AND id = ANY(%s) AND NOT told", names)
    cur.execute(
        "INSERT INTO pollbook_told SELECT DISTINCT ON (entitlement, holder, epoch) poll, entitlement, holder, epoch, asker, %s "
        "FROM pollbook_request WHERE poll = %s AND id = ANY(%s) ORDER BY entitlement, holder, epoch, at DESC "
        "ON CONFLICT (poll, entitlement, holder, epoch) DO UPDATE SET at = excluded.at, asker = excluded.asker",
        (at, *names),
    )


def call_off(connection: Connection, who: UUID, log: LogId) -> tuple[bool, bool]:
    """Nobody waits at this log's station for the right any more (`custody.unask`): whether its requests are forgotten, and
    whether the holder had heard of one. Not forgotten: it was let go, or is given here already, and comes."""
    cur = cursor(connection)
    lock_log(cur, log)
    custody = lock_right(cur, log.poll, who)
    asked = cur.execute(
        "SELECT epoch, told FROM pollbook_request WHERE poll = %s AND asker = %s AND entitlement = %s AND NOT granted",
        (log.poll, log.holder, who),
    ).fetchall()
    coming = custody is not None and custody.state == RELEASED and any(one.epoch == custody.epoch for one in asked)
    if coming or (custody is not None and custody.holder == log.holder):
        return False, True
    cur.execute(
        "DELETE FROM pollbook_request WHERE poll = %s AND asker = %s AND entitlement = %s AND NOT granted",
        (log.poll, log.holder, who),
    )
    return True, any(one.told for one in asked)


def fates(connection: Connection, log: LogId, at: datetime) -> tuple[Fate, ...]:
    """What this log's station has to know of the rights that it asked for and does not have. Older ones are forgotten."""
    cur = cursor(connection)
    cur.execute(
        "DELETE FROM pollbook_request r WHERE poll = %s AND asker = %s AND NOT granted AND at < %s AND NOT (r.holder = %s AND "
        "EXISTS (SELECT FROM entitlement e WHERE e.poll = r.poll AND e.id = r.entitlement AND e.epoch = r.epoch))",
        (log.poll, log.holder, at - FORGOTTEN, CERTIFICATE),
    )
    rows = cur.execute(
        f"SELECT r.entitlement, r.epoch AS asked, {ASKS} AS asks, e.holder, e.epoch, e.state, {STRAY} AS stray "  # noqa: S608
        "FROM pollbook_request r JOIN entitlement e ON e.poll = r.poll AND e.id = r.entitlement "
        "WHERE r.poll = %(poll)s AND r.asker = %(asker)s AND NOT r.granted ORDER BY r.at, r.id",
        {"poll": log.poll, "asker": log.holder, "since": since(at)},
    ).fetchall()
    found: dict[UUID, str] = {}
    for row in rows:  # of several requests for one right the last one counts
        found[row.entitlement] = "" if row.holder == log.holder else _fate(cur, log.poll, row)
    return tuple(Fate(who, how) for who, how in found.items() if how)


def _fate(cur: Cursor, poll: str, row: Any) -> str:
    holder, used = row.holder, row.state == USED
    if row.stray or (used and not is_channel(holder)):
        return "used"
    if holder == WITHDRAWN:
        return "withdrawn"
    if row.epoch != row.asked:
        return "elsewhere"
    if not row.asks:
        return "over"
    return "mobile" if not used and in_box(cur, poll, row.entitlement, holder) else ""


def in_box(cur: Cursor, poll: str, who: UUID, holder: str) -> bool:
    """Whether the mobile box of the holder's station is on its way with this right, as far as the centre has heard."""
    carried = "SELECT 1 FROM pollbook_in_box WHERE poll = %s AND entitlement = %s AND holder = %s"
    return cur.execute(carried, (poll, who, holder)).fetchone() is not None
