"""May a right be given on, and to whom? What every move of the centre asks and writes, by SQL, in the caller's transaction.

`pollbook.centre.moves` brings a right to another station; `pollbook.centre.decided` does what the commission decides.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.locks import lock_right, station_is_free
from dauys.pollbook.centre.mark import is_clear, must_be_free
from dauys.pollbook.centre.predicates import AHEAD, ASKED_BACK, FREE, USE, USED
from dauys.pollbook.centre.take import CHANNEL, Cursor, cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.grants import Grant
from dauys.pollbook.rules.places import not_on_the_roll, was_used
from dauys.store.engine import Connection


def call(cur: Cursor, poll: str, holder: str) -> None:
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


def on_roll(cur: Cursor, poll: str, who: UUID) -> Any:
    """How a right stands, which nobody else changes until the transaction ends. Raises CustodyError P.020."""
    if (custody := lock_right(cur, poll, who)) is None:
        raise not_on_the_roll()
    return custody


def must_be_unused(cur: Cursor, poll: str, who: UUID, custody: Any) -> None:
    """Raises CustodyError P.021. Asked of a locked right, by a query of its own: it sees what was written until then."""
    if custody.state == USED or strays(cur, poll, who):
        raise was_used(custody.holder)


def is_free(cur: Cursor, poll: str, who: UUID) -> bool:
    """Whether a locked right is nobody's any more: let go, on no list, or left over in a log that is complete."""
    query = (
        "SELECT FROM entitlement e LEFT JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder "
        f"WHERE e.poll = %s AND e.id = %s AND {FREE}"
    )
    return cur.execute(query, (poll, who)).rowcount > 0


def never_listed(cur: Cursor, poll: str, who: UUID, home: str) -> bool:
    """Whether a locked right is where the freeze put it and no list of its station was ever made: only the centre knows of it."""
    query, right = f"SELECT FROM entitlement e WHERE e.poll = %s AND e.id = %s AND {AHEAD}", (poll, who)
    if not cur.execute(query, right).rowcount:  # mostly; without waiting for whoever makes one
        return False
    return station_is_free(cur, poll, home) and cur.execute(query, right).rowcount > 0


def give(cur: Cursor, made: Grant) -> None:
    """The right goes to whom this names, in the next epoch. Raises CustodyError P.090, P.052 (`mark.must_be_free`)."""
    must_be_free(cur, made.poll, made.entitlement, made.epoch - 1)
    cur.execute(
        "UPDATE entitlement SET holder = %s, epoch = %s, state = 0 WHERE poll = %s AND id = %s",
        (made.to, made.epoch, made.poll, made.entitlement),
    )
    is_clear(cur, made.poll, made.entitlement, made.epoch)


def keep(cur: Cursor, given: Grant, at: datetime) -> None:
    """What is given waits for its receiver's log to take it; who asked for it has it."""
    cur.execute(
        "INSERT INTO pollbook_grant (poll, request, entitlement, epoch, receiver, why, at) VALUES (%s, %s, %s, %s, %s, %s, %s) "
        "ON CONFLICT (poll, request) DO UPDATE SET entitlement = excluded.entitlement, epoch = excluded.epoch, "
        "receiver = excluded.receiver, why = excluded.why, at = excluded.at, taken = false",
        (given.poll, given.request, given.entitlement, given.epoch, given.to, given.why, at),
    )
    cur.execute("UPDATE pollbook_request SET granted = true WHERE poll = %s AND id = %s", (given.poll, given.request))


def granted(cur: Cursor, poll: str, request: str) -> Grant | None:
    """What was given to this request and is not in any log yet."""
    row = cur.execute(
        "SELECT entitlement, epoch, receiver, why FROM pollbook_grant WHERE poll = %s AND request = %s AND NOT taken",
        (poll, request),
    ).fetchone()
    return None if row is None else Grant(poll, row.entitlement, row.epoch, row.receiver, row.why, request)


def strays(cur: Cursor, poll: str, who: UUID) -> bool:
    """Whether a check-in of the right stands that was not its log's to make."""
    stands = "SELECT 1 FROM pollbook_stray WHERE poll = %s AND entitlement = %s AND NOT undone"
    return cur.execute(stands, (poll, who)).fetchone() is not None


def must_take(cur: Cursor, to: LogId) -> None:
    """Raises CustodyError P.051 unless that log can still receive."""
    row = cur.execute(
        "SELECT closed, stopped, lost FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s) FOR SHARE",
        (to.poll, to.station, to.generation),
    ).fetchone()
    if row is None or row.closed or row.stopped or row.lost:
        raise CustodyError(f"{to.holder} is not open", "P.051")
