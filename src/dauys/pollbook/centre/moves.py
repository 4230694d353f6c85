"""How does a voter's right come to another station? Asked for, let go by who holds it, granted: the centre's part, by SQL.

As in `rules.custody` (`ask`, `asked_of`, `grant`, `granted_to`) and `pollbook.rules.decided`, in the caller's transaction.
No clock moves a right: `at` is written down, and a request ends by it (`pollbook.centre.unasked`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.late import follow
from dauys.pollbook.centre.locks import lock_log, lock_right, lock_station, station_is_free
from dauys.pollbook.centre.mark import is_clear, must_be_free
from dauys.pollbook.centre.predicates import AHEAD, ASKED_BACK, ASKS, COMPLETE, DOUBT, FREE, RELEASED, UNUSED, USE, USED
from dauys.pollbook.centre.take import CHANNEL, Cursor, cursor
from dauys.pollbook.log.events import LogId, is_channel
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.decided import not_to_add, unlisted
from dauys.pollbook.rules.grants import LASTS, Grant, Request, why_given
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.rules.places import not_on_the_roll, was_asked_back, was_used
from dauys.store.engine import Connection


def ask(connection: Connection, request: str, who: UUID, to: LogId, at: datetime, *, paper: bool = False) -> None:
    """Somebody stands at `to` whose right is elsewhere. Asking moves nothing; asking again says that he still does.

    `paper`: one that was used electronically may be asked for, too. Raises CustodyError: P.020 not on the roll, P.021 used,
    P.050 already there, P.051 that station cannot take it.
    """
    cur = cursor(connection)
    lock_log(cur, to)
    custody = _on_roll(cur, to.poll, who)
    again = "UPDATE pollbook_request SET at = greatest(at, %s) WHERE poll = %s AND id = %s"
    if cur.execute(again, (at, to.poll, request)).rowcount:
        return
    beaten = paper and custody.state == USED and is_channel(custody.holder) and not is_channel(to.holder)
    if (custody.state == USED and not beaten) or _strays(cur, to.poll, who):
        raise was_used(custody.holder)
    if custody.holder == to.holder and custody.state == UNUSED:
        raise CustodyError("the right is held by this very station", "P.050")
    _must_take(cur, to)
    cur.execute(
        "INSERT INTO pollbook_request (poll, id, entitlement, epoch, holder, asker, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (to.poll, request, who, custody.epoch, custody.holder, to.holder, at),
    )
    _call(cur, to.poll, custody.holder)


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
    given = _given(cur, to.poll, request)
    if given is not None:
        return given
    refusal = _grant(cur, request, to, at)
    if refusal is not None:
        raise refusal
    given = _given(cur, to.poll, request)
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


def add(connection: Connection, request: str, who: UUID, to: LogId, at: datetime) -> Grant:
    """Custody of a right that was added to the frozen roll and stands on no list (`decided.add`).

    Raises CustodyError: P.020 not on the roll, P.021 used, P.034 an earlier machine holds it, P.054 somebody else does, P.051.
    """
    cur = cursor(connection)
    given = _given(cur, to.poll, request)
    if given is not None and given.to == to.holder:
        return given
    lock_log(cur, to)
    custody = _on_roll(cur, to.poll, who)
    _must_be_unused(cur, to.poll, who, custody)
    if custody.holder != unlisted(to.station):
        raise not_to_add(custody.holder, to)
    if asked_back(cur, to.poll, who):
        raise was_asked_back()
    _must_take(cur, to)
    lost = "SELECT 1 FROM pollbook_log WHERE poll = %s AND holder = %s AND lost"
    if cur.execute(lost, (to.poll, to.holder)).fetchone() is not None:
        raise CustodyError(f"{to.holder} was declared lost", "P.051")
    made = Grant(to.poll, who, custody.epoch + 1, to.holder, "addition", request)
    _give(cur, made)
    _keep(cur, made, at)
    return made


def off_its_list(
    connection: Connection, who: UUID, log: LogId, *, n: int = -1, epoch: int = 0, to: str = ""
) -> bool:  # fmt: skip
    """A right is held by this log, whose list was made since the copy from which the centre was put back and may have it
    (`put_back.restored.told`). Its own machine asks for the voter: so it has not, and is given the right; no other is, by that.
    Whether it was so.

    `n`: how far its log goes; what is not here may have let the right go. `epoch`: in which it has the right elsewhere; it takes
    a later one only. In the savepoint in which `add` gives it. `to`: who has it by that list, if it is not to be given.
    """
    return cursor(connection).execute(
        "UPDATE entitlement e SET holder = %(roll)s, epoch = greatest(epoch, %(epoch)s) WHERE poll = %(poll)s AND id = %(who)s "
        "AND holder = %(holder)s AND epoch = 0 AND state = 0 AND EXISTS (SELECT FROM pollbook_log l JOIN pollbook_late_list "
        "USING (poll, station, generation) WHERE l.poll = e.poll AND l.holder = e.holder AND l.n = %(n)s)",
        {"roll": to or unlisted(log.station), "epoch": epoch, "poll": log.poll, "who": who, "holder": log.holder, "n": n},
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
    custody = _on_roll(cur, poll, who)
    if cur.execute("SELECT 1 FROM pollbook_request WHERE poll = %s AND id = %s", (poll, request)).fetchone():
        return
    _must_be_unused(cur, poll, who, custody)
    if custody.holder == WITHDRAWN:
        raise CustodyError("the right is withdrawn already", "P.056")
    cur.execute(
        "INSERT INTO pollbook_request (poll, id, entitlement, epoch, holder, asker, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (poll, request, who, custody.epoch, custody.holder, WITHDRAWN, at),
    )
    _call(cur, poll, custody.holder)


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
    _must_be_unused(cur, poll, asked.entitlement, custody)
    if custody.epoch != asked.epoch:
        raise CustodyError(f"the right went to {custody.holder} meanwhile", "P.053")
    if not (_free(cur, poll, asked.entitlement) or _never_listed(cur, poll, asked.entitlement, custody.home)):
        raise CustodyError(f"{custody.holder} holds the right and has not let it go", "P.052")
    _give(cur, Grant(poll, asked.entitlement, custody.epoch + 1, WITHDRAWN, "withdrawn", request))
    cur.execute("UPDATE pollbook_request SET granted = true WHERE poll = %s AND id = %s", (poll, request))


def call_off(connection: Connection, poll: str, request: str) -> None:
    """Asks no more for a right that was to be withdrawn and is not yet (`decided.call_off`)."""
    cursor(connection).execute(
        "DELETE FROM pollbook_request WHERE poll = %s AND id = %s AND asker = %s AND NOT granted",
        (poll, request, WITHDRAWN),
    )


def give_back(connection: Connection, request: str, who: UUID, to: LogId, at: datetime) -> Grant:
    """Custody of a right that was withdrawn, or let go for that, by mistake (`decided.give_back`).

    Besides, `to` may have no log yet: its station finds the grant when it enrols, and the list that is made meanwhile has the
    right as away. What moved since the freeze comes by a grant, which its log then shows. Raises CustodyError: P.020 not on the
    roll, P.021 used all the same, P.057 somebody holds it, P.051.
    """
    cur = cursor(connection)
    given = _given(cur, to.poll, request)
    if given is not None:
        return given
    lock_station(cur, to.poll, to.station)
    lock_log(cur, to)
    custody = _on_roll(cur, to.poll, who)
    _must_be_unused(cur, to.poll, who, custody)
    if custody.holder != WITHDRAWN and custody.state != RELEASED:
        raise CustodyError(f"{custody.holder} holds the right: it is not withdrawn", "P.057")
    known = "SELECT 1 FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)"
    if cur.execute(known, (to.poll, to.station, to.generation)).fetchone() is not None:
        _must_take(cur, to)
    made = Grant(to.poll, who, custody.epoch + 1, to.holder, "returned", request)
    _give(cur, made)
    _keep(cur, made, at)
    _call(cur, to.poll, to.holder)
    return made


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


def _call(cur: Cursor, poll: str, holder: str) -> None:
    """Tells whoever serves the holder's station, once this is committed, that there is word for it."""
    cur.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{poll}\n{holder}"))


def used(connection: Connection, poll: str, who: UUID) -> bool:
    """Whether a check-in of this right stands."""
    query = f"SELECT FROM entitlement e WHERE e.poll = %s AND e.id = %s AND {USE}"
    return cursor(connection).execute(query, (poll, who)).rowcount > 0


def asked_back(cur: Cursor, poll: str, who: UUID) -> bool:
    """Whether the commission has asked for the right, which is withdrawn as soon as that can be."""
    query = f"SELECT FROM entitlement e WHERE e.poll = %s AND e.id = %s AND {ASKED_BACK}"
    return cur.execute(query, (poll, who)).rowcount > 0


def is_gone(connection: Connection, poll: str, who: UUID) -> bool:
    """Whether the right comes from nobody before a lost machine is found: that machine holds it, or may have been given it."""
    query = (
        "SELECT FROM entitlement e LEFT JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder WHERE e.poll = %s "
        f"AND e.id = %s AND (e.state = {UNUSED} AND l.lost AND NOT {COMPLETE} OR ({FREE} OR {AHEAD}) AND {DOUBT})"
    )
    return cursor(connection).execute(query, (poll, who)).rowcount > 0


def _on_roll(cur: Cursor, poll: str, who: UUID) -> Any:
    """How a right stands, which nobody else changes until the transaction ends. Raises CustodyError P.020."""
    if (custody := lock_right(cur, poll, who)) is None:
        raise not_on_the_roll()
    return custody


def _must_be_unused(cur: Cursor, poll: str, who: UUID, custody: Any) -> None:
    """Raises CustodyError P.021. Asked of a locked right, by a query of its own: it sees what was written until then."""
    if custody.state == USED or _strays(cur, poll, who):
        raise was_used(custody.holder)


def _free(cur: Cursor, poll: str, who: UUID) -> bool:
    """Whether a locked right is nobody's any more: let go, on no list, or left over in a log that is complete."""
    query = (
        "SELECT FROM entitlement e LEFT JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder "
        f"WHERE e.poll = %s AND e.id = %s AND {FREE}"
    )
    return cur.execute(query, (poll, who)).rowcount > 0


def _never_listed(cur: Cursor, poll: str, who: UUID, home: str) -> bool:
    """Whether a locked right is where the freeze put it and no list of its station was ever made: only the centre knows of it."""
    query, right = f"SELECT FROM entitlement e WHERE e.poll = %s AND e.id = %s AND {AHEAD}", (poll, who)
    if not cur.execute(query, right).rowcount:  # mostly; without waiting for whoever makes one
        return False
    return station_is_free(cur, poll, home) and cur.execute(query, right).rowcount > 0


def _give(cur: Cursor, made: Grant) -> None:
    must_be_free(cur, made.poll, made.entitlement, made.epoch - 1)
    cur.execute(
        "UPDATE entitlement SET holder = %s, epoch = %s, state = 0 WHERE poll = %s AND id = %s",
        (made.to, made.epoch, made.poll, made.entitlement),
    )
    is_clear(cur, made.poll, made.entitlement, made.epoch)


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
    ahead = not custody.free and _never_listed(cur, to.poll, asked.entitlement, custody.home)
    if not (custody.free or ahead) or _strays(cur, to.poll, asked.entitlement):
        return CustodyError(f"{custody.holder} holds the right and has not let it go", "P.052")
    try:
        _must_take(cur, to)
    except CustodyError as error:
        return error
    why = why_given(custody.holder, to, released=custody.state == RELEASED, ahead=ahead)
    given = Grant(to.poll, asked.entitlement, custody.epoch + 1, to.holder, why, request)
    try:
        _give(cur, given)
    except CustodyError as error:  # nothing is given while the books are not whole
        return error
    _keep(cur, given, at)
    return None


def _keep(cur: Cursor, given: Grant, at: datetime) -> None:
    cur.execute(
        "INSERT INTO pollbook_grant (poll, request, entitlement, epoch, receiver, why, at) VALUES (%s, %s, %s, %s, %s, %s, %s) "
        "ON CONFLICT (poll, request) DO UPDATE SET entitlement = excluded.entitlement, epoch = excluded.epoch, "
        "receiver = excluded.receiver, why = excluded.why, at = excluded.at, taken = false",
        (given.poll, given.request, given.entitlement, given.epoch, given.to, given.why, at),
    )
    cur.execute("UPDATE pollbook_request SET granted = true WHERE poll = %s AND id = %s", (given.poll, given.request))


def _given(cur: Cursor, poll: str, request: str) -> Grant | None:
    row = cur.execute(
        "SELECT entitlement, epoch, receiver, why FROM pollbook_grant WHERE poll = %s AND request = %s AND NOT taken",
        (poll, request),
    ).fetchone()
    return None if row is None else Grant(poll, row.entitlement, row.epoch, row.receiver, row.why, request)


def _strays(cur: Cursor, poll: str, who: UUID) -> bool:
    stands = "SELECT 1 FROM pollbook_stray WHERE poll = %s AND entitlement = %s AND NOT undone"
    return cur.execute(stands, (poll, who)).fetchone() is not None


def _must_take(cur: Cursor, to: LogId) -> None:
    row = cur.execute(
        "SELECT closed, stopped, lost FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s) FOR SHARE",
        (to.poll, to.station, to.generation),
    ).fetchone()
    if row is None or row.closed or row.stopped or row.lost:
        raise CustodyError(f"{to.holder} is not open", "P.051")
