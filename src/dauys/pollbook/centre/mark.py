"""Was the centre put back from a copy? Then it has forgotten what it gave since, and gives nothing until its books are whole.

A mark in the database (`pollbook_restored`) says so. It comes from what the centre itself signed or wrote down elsewhere: an
answer that acknowledges more than is here (`restored.shown`), the journal beside the keys (`put_back.journal`), or a person's
word. While it stands, check-ins are taken and nothing is given. What lifts it is in `restored`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from dauys.pollbook.centre.predicates import DOUBT, UNUSED, USED
from dauys.pollbook.log.events import Event, LogId
from dauys.pollbook.rules.grants import Grant
from dauys.pollbook.rules.places import CustodyError

CHECK = "P.090"
"""What is refused while the mark stands."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Since when the books of a poll are not whole, and what showed it. `blind`: no journal says which machines there are.
    `counted`: how many events a journal had counted where the database had fewer; 0 where it had not."""

    at: datetime
    why: str
    blind: bool
    counted: int = 0


def standing(cur: Cursor[Any], poll: str) -> Mark | None:
    """The mark that stands; None for a poll whose books are whole."""
    query = "SELECT at, why, blind, counted FROM pollbook_restored WHERE poll = %s AND lifted IS NULL"
    row = cur.execute(query, (poll,)).fetchone()
    return None if row is None else Mark(row.at, row.why, row.blind, row.counted)


def must_be_whole(cur: Cursor[Any], poll: str) -> None:
    """Raises CustodyError P.090 while the mark stands."""
    if standing(cur, poll) is not None:
        raise refusal()


def refusal() -> CustodyError:
    """What everybody hears who asks for a right meanwhile."""
    message = "the centre was put back from a copy and checks its books: until every station is heard, no right moves"
    return CustodyError(message, CHECK)


def mark(
    cur: Cursor[Any], poll: str, why: str, at: datetime, *, blind: bool = False, again: bool = False, counted: int = 0
) -> bool:  # fmt: skip
    """Marks a poll, unless it is; whether this is new. From now on every log has to be heard again.

    But for one that is stopped (P.106): it was given nothing since, and has no more to say. Nor was a machine that had been given
    up, and was heard as a whole after that: it is `missed` no more.

    `again`: it was put back to a copy that has a mark already, which is over: what machines said by that one is of before.
    `blind`, `counted`: as in `Mark`.
    """
    if again:
        over = (
            "UPDATE pollbook_restored SET lifted = at, word = 'put back again' WHERE poll = %s AND lifted IS NULL "
            "RETURNING blind, counted"
        )
        before = cur.execute(over, (poll,)).fetchone()
        blind = blind or (before is not None and before.blind)
        counted = max(counted, before.counted if before else 0)
    made = cur.execute(
        "INSERT INTO pollbook_restored (poll, at, why, blind, counted) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (poll) WHERE lifted IS NULL DO NOTHING",
        (poll, at, why, blind, counted),
    ).rowcount
    if made:
        cur.execute("SELECT FROM pollbook_log WHERE poll = %s ORDER BY id FOR UPDATE", (poll,))
        over = "UPDATE pollbook_log SET sound = stopped <> '', missed = false WHERE poll = %s AND sound"
        cur.execute(over, (poll,))
        cur.execute("DELETE FROM pollbook_clear WHERE poll = %s", (poll,))  # what was new once may be forgotten now
    elif blind:
        cur.execute("UPDATE pollbook_restored SET blind = true WHERE poll = %s AND lifted IS NULL", (poll,))
    return bool(made)


def newest(cur: Cursor[Any], poll: str) -> str:
    """The name of the newest mark, which a machine signs when it says that the centre has all of its log; empty for none."""
    row = cur.execute("SELECT name FROM pollbook_restored WHERE poll = %s ORDER BY id DESC LIMIT 1", (poll,)).fetchone()
    return "" if row is None else str(row.name)


def ever(cur: Cursor[Any], poll: str) -> bool:
    """Whether the poll was marked at any time: what was given before may still come to light."""
    return cur.execute("SELECT FROM pollbook_restored WHERE poll = %s LIMIT 1", (poll,)).rowcount > 0


def is_clear(cur: Cursor[Any], poll: str, who: UUID, epoch: int) -> None:
    """A right that is free in this epoch, or given in it, by something that the centre cannot have forgotten: what a machine did
    since its word, and what the centre gives now. No other machine was given it in a later one."""
    cur.execute(
        "INSERT INTO pollbook_clear (poll, entitlement, epoch) SELECT e.poll, e.id, e.epoch "  # noqa: S608
        f"FROM (VALUES {_RIGHT}) AS e (poll, id, epoch) WHERE EXISTS (SELECT FROM pollbook_restored r WHERE r.poll = e.poll) "
        "ON CONFLICT (poll, entitlement) DO UPDATE SET epoch = excluded.epoch",
        {"poll": poll, "who": who, "epoch": epoch},
    )


def are_clear(cur: Cursor[Any], poll: str, holder: str) -> None:
    """The same of every right that this holder has in epoch 0."""
    cur.execute(
        "INSERT INTO pollbook_clear (poll, entitlement, epoch) SELECT e.poll, e.id, e.epoch FROM entitlement e "
        "WHERE e.poll = %s AND e.holder = %s AND e.epoch = 0 AND EXISTS (SELECT FROM pollbook_restored r WHERE r.poll = e.poll) "
        "ON CONFLICT (poll, entitlement) DO UPDATE SET epoch = excluded.epoch",
        (poll, holder),
    )


_RIGHT = "(%(poll)s::text, %(who)s::uuid, %(epoch)s::smallint)"


def must_be_free(cur: Cursor[Any], poll: str, who: UUID, epoch: int) -> None:
    """Before the centre gives a right of this epoch on: the one place that every giving passes.

    Raises CustodyError P.090 while the mark stands, and P.052 where the right is in doubt, or was given by what the centre signed
    before: one epoch is given once.
    """
    found = cur.execute(_FREE, {"poll": poll, "who": who, "epoch": epoch}).fetchone()
    assert found is not None
    if found.marked:
        raise refusal()
    if found.doubt or found.given:
        message = "a machine that was not heard since the centre was put back may have this right"
        raise CustodyError(message, "P.052")


_FREE = f"""
SELECT EXISTS (SELECT FROM pollbook_restored m WHERE m.poll = e.poll AND m.lifted IS NULL) AS marked, {DOUBT} AS doubt,
    EXISTS (SELECT FROM pollbook_grant g WHERE g.poll = e.poll AND g.entitlement = e.id AND g.epoch > e.epoch) AS given
FROM (VALUES {_RIGHT}) AS e (poll, id, epoch)
"""  # noqa: S608 - texts of ours


def given_before(cur: Cursor[Any], log: LogId, event: Event, who: UUID, centre: bytes, at: datetime) -> bool:
    """Whether a `receive` rests on what the centre gave before it was put back: its own signature says so.

    The right is with that log then. A use that its earlier holder has not undone yet stands beside it until it is undone. A right
    that is not here was added to the roll since the copy: it is entered, its voter and his home when the commission adds him
    again (`roll.freeze.add_set`).
    """
    if not centre or not ever(cur, log.poll):
        return False
    given = Grant.of_event(log, event)
    if not given.good(centre):
        return False
    cur.execute(
        "INSERT INTO entitlement (poll, id, home, holder, epoch, addition, voter, set_id) VALUES (%s, %s, %s, '', -1, -1, %s, 0) "
        "ON CONFLICT (poll, id) DO NOTHING",
        (log.poll, who, log.station, UUID(int=0)),
    )
    row = cur.execute(
        "SELECT e.holder, e.epoch, e.state, e.used, l.id AS log FROM entitlement e "
        "LEFT JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder WHERE e.poll = %s AND e.id = %s FOR UPDATE OF e",
        (log.poll, who),
    ).fetchone()
    assert row is not None
    late = row.epoch > given.epoch  # it was let go since, and somebody has it in a later epoch
    if not late and (row.epoch == given.epoch or (row.state == USED and row.log is None)):
        return False
    cur.execute(
        "INSERT INTO pollbook_grant (poll, request, entitlement, epoch, receiver, why, at, taken) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, true) ON CONFLICT DO NOTHING",
        (log.poll, given.request, who, given.epoch, given.to, given.why, at),
    )
    if late:
        return True
    if row.state == USED:
        stray = "INSERT INTO pollbook_stray (poll, entitlement, log, n) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
        cur.execute(stray, (log.poll, who, row.log, row.used))
    cur.execute(
        "UPDATE entitlement SET holder = %s, epoch = %s, state = %s, used = 0 WHERE poll = %s AND id = %s",
        (log.holder, given.epoch, UNUSED, log.poll, who),
    )
    return True


def let_go_before(cur: Cursor[Any], poll: str, who: UUID, epoch: int) -> bool:
    """Whether a release of this epoch is late: what the centre signed has brought the right to a later one already."""
    later = "SELECT FROM entitlement WHERE poll = %s AND id = %s AND epoch > %s"
    return ever(cur, poll) and cur.execute(later, (poll, who, epoch)).rowcount > 0


def asked_before(cur: Cursor[Any], log: LogId, event: Event, who: UUID, at: datetime) -> None:
    """A release, of before its machine's word, says that the commission had asked for the right. If that was since the copy it
    asks still, until it says otherwise (`settling.returns`): nobody else is given what it withdrew."""
    cur.execute(
        "INSERT INTO pollbook_request (poll, id, entitlement, epoch, holder, asker, at) "
        "SELECT %(poll)s, %(id)s, %(who)s, %(epoch)s, %(holder)s, %(asker)s, %(at)s "
        "WHERE EXISTS (SELECT FROM pollbook_restored r WHERE r.poll = %(poll)s) ON CONFLICT DO NOTHING",
        {
            "poll": log.poll, "id": event.body["request"], "who": who, "epoch": event.body["epoch"], "holder": log.holder,
            "asker": event.body["to"], "at": at,
        },
    )  # fmt: skip
