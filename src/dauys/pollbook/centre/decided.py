"""What may the commission do with a right? Add one, withdraw one, or give it back: the centre's part, by SQL.

As in `pollbook.rules.decided`, in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.giving import (
    asked_back,
    call,
    give,
    granted,
    is_free,
    keep,
    must_be_unused,
    must_take,
    never_listed,
    on_roll,
)
from dauys.pollbook.centre.late import follow
from dauys.pollbook.centre.locks import lock_log, lock_right
from dauys.pollbook.centre.predicates import AHEAD, ASKED_BACK, COMPLETE, DOUBT, FREE, RELEASED, UNUSED
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.decided import not_to_add, unlisted
from dauys.pollbook.rules.grants import Grant
from dauys.pollbook.rules.holders import RETURNED, WITHDRAWN
from dauys.pollbook.rules.places import was_asked_back
from dauys.store.engine import Connection


def add(connection: Connection, request: str, who: UUID, to: LogId, at: datetime) -> Grant:
    """Custody of a right that was added to the frozen roll and stands on no list (`decided.add`).

    Raises CustodyError: P.020 not on the roll, P.021 used, P.034 an earlier machine holds it, P.054 somebody else does, P.051.
    """
    cur = cursor(connection)
    given = granted(cur, to.poll, request)
    if given is not None and given.to == to.holder:
        return given
    lock_log(cur, to)
    custody = on_roll(cur, to.poll, who)
    must_be_unused(cur, to.poll, who, custody)
    if custody.holder != unlisted(to.station):
        raise not_to_add(custody.holder, to)
    if asked_back(cur, to.poll, who):
        raise was_asked_back()
    must_take(cur, to)
    lost = "SELECT 1 FROM pollbook_log WHERE poll = %s AND holder = %s AND lost"
    if cur.execute(lost, (to.poll, to.holder)).fetchone() is not None:
        raise CustodyError(f"{to.holder} was declared lost", "P.051")
    made = Grant(to.poll, who, custody.epoch + 1, to.holder, "addition", request)
    give(cur, made)
    keep(cur, made, at)
    return made


def off_its_list(
    connection: Connection, who: UUID, log: LogId, *, n: int = -1, epoch: int = 0, to: str = ""
) -> bool:  # fmt: skip
    """A right is held by this log, whose list was made since the copy from which the centre was put back and may have it
    (`put_back.restored.told`). Its own machine asks for the voter: so it has not, and is given the right; no other is, by that,
    nor is it what the commission has asked for. Whether it was so.

    `n`: how far its log goes; what is not here may have let the right go. `epoch`: in which it has the right elsewhere; it takes
    a later one only. In the savepoint in which `add` gives it. `to`: who has it by that list, if it is not to be given.
    """
    return cursor(connection).execute(
        "UPDATE entitlement e SET holder = %(roll)s, epoch = greatest(epoch, %(epoch)s) "  # noqa: S608 - a text of ours
        "WHERE poll = %(poll)s AND id = %(who)s "
        f"AND holder = %(holder)s AND epoch = 0 AND state = 0 AND (%(back)s OR NOT {ASKED_BACK}) "
        "AND EXISTS (SELECT FROM pollbook_log l JOIN pollbook_late_list "
        "USING (poll, station, generation) WHERE l.poll = e.poll AND l.holder = e.holder AND l.n = %(n)s)",
        {
            "roll": to or unlisted(log.station), "epoch": epoch, "poll": log.poll, "who": who, "holder": log.holder, "n": n,
            "back": bool(to),
        },
    ).rowcount > 0  # fmt: skip


def onto_the_list(connection: Connection, log: LogId, *, of_before: bool = False) -> None:
    """What was added for the log's station and stands on no list is held by this log, whose list is made now (`decided.listed`).

    In the transaction that makes the list and holds `lock_station`, before the list is read: what is added later waits.
    `of_before`: that list was made before the centre was put back, and nobody else is given what it may have.
    """
    cur = cursor(connection)
    to, waiting, certain = log.holder, unlisted(log.station), "" if of_before else f"AND NOT {DOUBT}"
    cur.execute(
        f"UPDATE entitlement e SET holder = %s WHERE poll = %s AND home = %s AND holder = %s {certain}",  # noqa: S608
        (to, log.poll, log.station, waiting),
    )
    follow(cur, log.poll, [to, waiting])


def withdraw(connection: Connection, poll: str, request: str, who: UUID, at: datetime) -> None:
    """The commission takes a right back that should not be: its holder is asked to let it go (`decided.withdraw`).

    Raises CustodyError: P.020 not on the roll, P.021 used, P.056 withdrawn already.
    """
    cur = cursor(connection)
    custody = on_roll(cur, poll, who)
    if cur.execute("SELECT 1 FROM pollbook_request WHERE poll = %s AND id = %s", (poll, request)).fetchone():
        return
    must_be_unused(cur, poll, who, custody)
    if custody.holder == WITHDRAWN:
        raise CustodyError("the right is withdrawn already", "P.056")
    cur.execute(
        "INSERT INTO pollbook_request (poll, id, entitlement, epoch, holder, asker, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (poll, request, who, custody.epoch, custody.holder, WITHDRAWN, at),
    )
    call(cur, poll, custody.holder)


def settle(connection: Connection, poll: str, request: str) -> None:
    """Withdraws what was asked to be withdrawn, if nobody can use it any more (`decided.settle`).

    Raises CustodyError: P.021 used meanwhile, P.052 not let go, P.053 it went elsewhere meanwhile.
    """
    cur = cursor(connection)
    asked = cur.execute(
        "SELECT entitlement, epoch FROM pollbook_request WHERE poll = %s AND id = %s", (poll, request)
    ).fetchone()
    custody = None if asked is None else lock_right(cur, poll, asked.entitlement)
    if asked is None or custody is None:
        raise CustodyError("nobody asked for that", "P.053")
    if custody.holder == WITHDRAWN:
        return
    must_be_unused(cur, poll, asked.entitlement, custody)
    if custody.epoch != asked.epoch:
        raise CustodyError(f"the right went to {custody.holder} meanwhile", "P.053")
    if not (is_free(cur, poll, asked.entitlement) or never_listed(cur, poll, asked.entitlement, custody.home)):
        raise CustodyError(f"{custody.holder} holds the right and has not let it go", "P.052")
    give(cur, Grant(poll, asked.entitlement, custody.epoch + 1, WITHDRAWN, "withdrawn", request))
    cur.execute("UPDATE pollbook_request SET granted = true WHERE poll = %s AND id = %s", (poll, request))


def call_off(connection: Connection, poll: str, request: str) -> None:
    """Asks no more for a right that was to be withdrawn and is not yet (`decided.call_off`)."""
    cursor(connection).execute(
        "DELETE FROM pollbook_request WHERE poll = %s AND id = %s AND asker = %s AND NOT granted",
        (poll, request, WITHDRAWN),
    )


def give_back(connection: Connection, request: str, who: UUID, to: LogId, at: datetime) -> Grant:
    """Custody of a right that was withdrawn, or let go for that, by mistake (`decided.give_back`).

    Raises CustodyError: P.020 not on the roll, P.021 used all the same, P.057 somebody holds it, P.051.
    """
    cur = cursor(connection)
    given = granted(cur, to.poll, request)
    if given is not None:
        return given
    lock_log(cur, to)
    custody = _with_nobody(cur, to.poll, who)
    must_take(cur, to)
    made = Grant(to.poll, who, custody.epoch + 1, to.holder, "returned", request)
    give(cur, made)
    keep(cur, made, at)
    call(cur, to.poll, to.holder)
    return made


def let_go(connection: Connection, poll: str, who: UUID) -> None:
    """The same of a voter whose station has no machine that works: whoever asks is given it (`decided.let_go`).

    Its epoch stays, as with any release: by it are known grants of since a copy, and doubts. Raises CustodyError P.020, P.021,
    P.057.
    """
    cur = cursor(connection)
    custody = _with_nobody(cur, poll, who)
    nobody = f"{RETURNED}{custody.home}"
    if custody.holder != nobody:
        cur.execute(
            "UPDATE entitlement SET holder = %s, state = %s WHERE poll = %s AND id = %s", (nobody, RELEASED, poll, who)
        )


def _with_nobody(cur: Cursor, poll: str, who: UUID) -> Any:
    """How a right stands that was withdrawn, or let go for that. Raises CustodyError P.020, P.021, P.057."""
    custody = on_roll(cur, poll, who)
    must_be_unused(cur, poll, who, custody)
    if custody.holder != WITHDRAWN and custody.state != RELEASED:
        raise CustodyError(f"{custody.holder} holds the right: it is not withdrawn", "P.057")
    return custody


def is_gone(connection: Connection, poll: str, who: UUID) -> bool:
    """Whether the right comes from nobody before a lost machine is found: that machine holds it, or may have been given it."""
    query = (
        "SELECT FROM entitlement e LEFT JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder WHERE e.poll = %s "
        f"AND e.id = %s AND (e.state = {UNUSED} AND l.lost AND NOT {COMPLETE} OR ({FREE} OR {AHEAD}) AND {DOUBT})"
    )
    return cursor(connection).execute(query, (poll, who)).rowcount > 0
