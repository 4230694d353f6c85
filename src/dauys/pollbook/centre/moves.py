"""How does a voter's right come to another station? Asked for, let go by who holds it, granted: the centre's part, by SQL.

As in `rules.custody` (`ask`, `asked_of`, `grant`, `granted_to`), in the caller's transaction.
No clock moves a right: `at` is written down, and a request ends by it (`pollbook.centre.unasked`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from dauys.pollbook.centre.giving import (
    call,
    give,
    granted,
    keep,
    must_take,
    never_listed,
    on_roll,
    strays,
)
from dauys.pollbook.centre.locks import lock_log
from dauys.pollbook.centre.predicates import ASKED_BACK, ASKS, FREE, RELEASED, UNUSED, USED
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import LogId, is_channel
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.grants import LASTS, Grant, Request, why_given
from dauys.pollbook.rules.places import was_asked_back, was_used
from dauys.store.engine import Connection


def ask(connection: Connection, request: str, who: UUID, to: LogId, at: datetime, *, paper: bool = False) -> None:
    """Somebody stands at `to` whose right is elsewhere. Asking moves nothing; asking again says that he still does.

    `paper`: one that was used electronically may be asked for, too. Raises CustodyError: P.020 not on the roll, P.021 used,
    P.050 already there, P.051 that station cannot take it.
    """
    cur = cursor(connection)
    lock_log(cur, to)
    custody = on_roll(cur, to.poll, who)
    again = "UPDATE pollbook_request SET at = greatest(at, %s) WHERE poll = %s AND id = %s"
    if cur.execute(again, (at, to.poll, request)).rowcount:
        return
    beaten = paper and custody.state == USED and is_channel(custody.holder) and not is_channel(to.holder)
    if (custody.state == USED and not beaten) or strays(cur, to.poll, who):
        raise was_used(custody.holder)
    if custody.holder == to.holder and custody.state == UNUSED:
        raise CustodyError("the right is held by this very station", "P.050")
    must_take(cur, to)
    cur.execute(
        "INSERT INTO pollbook_request (poll, id, entitlement, epoch, holder, asker, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (to.poll, request, who, custody.epoch, custody.holder, to.holder, at),
    )
    call(cur, to.poll, custody.holder)


def asked_of(connection: Connection, log: LogId, at: datetime | None = None) -> tuple[Request, ...]:
    """What this log's holder is asked to let go, oldest first: unused, or used in a channel; nothing of a lost machine.
    `at`: not what is over by then."""
    states = [UNUSED, USED] if is_channel(log.holder) else [UNUSED]
    rows = cursor(connection).execute(
        "SELECT r.id, r.entitlement, r.epoch, r.asker FROM pollbook_request r "  # noqa: S608 - a text of ours
        "JOIN entitlement e ON e.poll = r.poll AND e.id = r.entitlement AND e.epoch = r.epoch "
        "WHERE r.poll = %(poll)s AND NOT r.granted AND r.holder = %(holder)s AND e.holder = %(holder)s "
        f"AND e.state = ANY(%(states)s) AND {ASKS} AND NOT EXISTS (SELECT FROM pollbook_log l WHERE l.poll = r.poll "
        "AND l.holder = %(holder)s AND l.lost) ORDER BY r.at, r.id",
        {"poll": log.poll, "holder": log.holder, "states": states, "since": since(at)},
    )
    return tuple(Request(row.id, row.entitlement, row.epoch, row.asker) for row in rows)


def grant_what_can_be(connection: Connection, log: LogId, at: datetime) -> tuple[Grant, ...]:
    """Gives this log's holder what it asked for and what was let go; returns all that is given and not yet in its log.

    Grants are unsigned: whoever holds the centre's key signs them.
    """
    cur = cursor(connection)
    waiting = cur.execute(
        "SELECT r.id FROM pollbook_request r WHERE r.poll = %(poll)s AND r.asker = %(asker)s AND NOT r.granted "  # noqa: S608
        f"AND {ASKS} ORDER BY r.at, r.id",
        {"poll": log.poll, "asker": log.holder, "since": since(at)},
    ).fetchall()
    for row in waiting:
        _grant(cur, row.id, log, at)
    return granted_to(connection, log)


def since(at: datetime | None) -> datetime:
    """From when on a request was made that still asks at that moment; None: whenever it was."""
    return datetime.min.replace(tzinfo=UTC) if at is None else at - LASTS


def grant(connection: Connection, request: str, to: LogId, at: datetime) -> Grant:
    """Gives custody to who asked for it.

    Raises CustodyError: P.052 the holder has not let it go, P.053 it went elsewhere meanwhile, P.051.
    """
    cur = cursor(connection)
    given = granted(cur, to.poll, request)
    if given is not None:
        return given
    refusal = _grant(cur, request, to, at)
    if refusal is not None:
        raise refusal
    given = granted(cur, to.poll, request)
    assert given is not None
    return given


def granted_to(connection: Connection, log: LogId) -> tuple[Grant, ...]:
    """What was given to this log's holder and is not yet in its log: told again with every answer."""
    rows = cursor(connection).execute(
        "SELECT entitlement, epoch, receiver, why, request FROM pollbook_grant "
        "WHERE poll = %s AND receiver = %s AND NOT taken ORDER BY at, request",
        (log.poll, log.holder),
    )
    return tuple(Grant(log.poll, row.entitlement, row.epoch, row.receiver, row.why, row.request) for row in rows)


def may_receive(connection: Connection, log: LogId, at: datetime | None = None) -> bool:
    """Whether a right is given to this log's holder, or was let go and can be; `at` as for `asked_of`."""
    found = cursor(connection).execute(
        "SELECT 1 FROM pollbook_grant WHERE poll = %(poll)s AND receiver = %(holder)s AND NOT taken UNION ALL "  # noqa: S608
        "SELECT 1 FROM pollbook_request r JOIN entitlement e ON e.poll = r.poll AND e.id = r.entitlement "
        f"AND e.epoch = r.epoch WHERE r.poll = %(poll)s AND r.asker = %(holder)s AND NOT r.granted AND e.state = {RELEASED} "
        f"AND {ASKS} LIMIT 1",
        {"poll": log.poll, "holder": log.holder, "since": since(at)},
    )
    return found.fetchone() is not None


def _grant(cur: Cursor, request: str, to: LogId, at: datetime) -> CustodyError | None:
    """Rule 3: only what nobody can use any more unless the centre gives it to him."""
    asked = cur.execute(
        "SELECT entitlement, epoch FROM pollbook_request WHERE poll = %s AND id = %s AND asker = %s",
        (to.poll, request, to.holder),
    ).fetchone()
    if asked is None:
        return CustodyError("there is no such request of this station", "P.053")
    custody = cur.execute(
        f"SELECT e.home, e.holder, e.epoch, e.state, {FREE} AS free, {ASKED_BACK} AS back "  # noqa: S608 - texts of ours
        "FROM entitlement e LEFT JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder "
        "WHERE e.poll = %s AND e.id = %s FOR UPDATE OF e SKIP LOCKED",
        (to.poll, asked.entitlement),
    ).fetchone()
    if custody is None:  # somebody is at it just now; the next sync tries again
        return CustodyError("the right is being moved at this moment", "P.052")
    if custody.epoch != asked.epoch:
        return CustodyError(f"the right went to {custody.holder} meanwhile", "P.053")
    if custody.back:
        return was_asked_back()
    ahead = not custody.free and never_listed(cur, to.poll, asked.entitlement, custody.home)
    if not (custody.free or ahead) or strays(cur, to.poll, asked.entitlement):
        return CustodyError(f"{custody.holder} holds the right and has not let it go", "P.052")
    try:
        must_take(cur, to)
    except CustodyError as error:
        return error
    why = why_given(custody.holder, to, released=custody.state == RELEASED, ahead=ahead)
    given = Grant(to.poll, asked.entitlement, custody.epoch + 1, to.holder, why, request)
    try:
        give(cur, given)
    except CustodyError as error:  # nothing is given while the books are not whole
        return error
    keep(cur, given, at)
    return None
