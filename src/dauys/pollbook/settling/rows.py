"""How is a right asked back for the commission? Its line of `roll_withdrawal`, and the request to whoever holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dauys.pollbook.centre import decided
from dauys.pollbook.centre.predicates import LIVE
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.rules.custody import CustodyError
from dauys.registers.poll import Poll
from dauys.roll.frozen import PURPOSE, commitment
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

LATE = "the hour of closing came before it was let go"
"""Why a right is not asked for any more (`roll_withdrawal.back_reason`), where nobody has decided that."""


@dataclass(frozen=True, slots=True)
class Decision:
    """By which set a right is withdrawn, why, who decided, and when."""

    set_id: int
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Right:
    """A right of the poll, with what the record may say of it. `listed`: the record knows it; one whose addition was forgotten
    when the centre was put back from a copy, and that a log has named since, is not."""

    id: UUID
    home: str
    commitment: bytes
    listed: bool = True


def right_of(cur: Cursor, vault: Vault, poll: str, voter: UUID) -> Right | None:
    """The voter's right in a poll, if he has one."""
    who = vault.right(poll, voter)
    query = "SELECT home, addition >= 0 AS listed FROM entitlement WHERE poll = %s AND id = %s"
    row = cur.execute(query, (poll, who)).fetchone()
    if row is None:
        return None
    return Right(who, row.home, commitment(poll, row.home, vault.salt(PURPOSE, who.bytes), who.bytes), row.listed)


def live(cur: Cursor, poll: str, who: UUID) -> Any:
    """The withdrawal of a right that is not over, or None."""
    query = f"SELECT * FROM roll_withdrawal WHERE poll = %s AND entitlement = %s AND {LIVE}"  # noqa: S608 - ours
    return cur.execute(query, (poll, who)).fetchone()


def late(cur: Cursor, poll: Poll, home: str, at: datetime) -> bool:
    """Whether the hour of closing of this station, a right's home, has come: its list does not change any more, and nobody is
    asked for a right of it, wherever that is."""
    row = cur.execute("SELECT area FROM station WHERE poll = %s AND id = %s", (poll.id, home)).fetchone()
    return row is not None and at >= poll.closing(row.area)


def note(cur: Cursor, poll: str, right: Right, why: Decision, of: UUID | None = None) -> None:
    """A right is to be withdrawn; in the place of that one (`of`) of the same person, if any."""
    cur.execute(
        "INSERT INTO roll_withdrawal (poll, request, entitlement, station, commitment, twin, set_id, reason, by, asked, instead) "
        "VALUES (%s, '', %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (poll, right.id, right.home, right.commitment, of, why.set_id, why.reason, why.by, why.at, of is not None),
    )


def request(connection: Connection, poll: str, who: UUID, at: datetime) -> bool:
    """Asks whoever holds the right now to let it go, if anybody does. False where it was used, and its line says so."""
    cur = cursor(connection)
    row = cur.execute("SELECT epoch FROM entitlement WHERE poll = %s AND id = %s", (poll, who)).fetchone()
    assert row is not None
    name = f"withdraw/{who}/{row.epoch}"
    try:
        decided.withdraw(connection, poll, name, who, at)
    except CustodyError as error:
        if error.check not in ("P.021", "P.056"):
            raise
        if error.check == "P.021":
            found_used(cur, poll, who, at)
        return error.check == "P.056"
    update = f"UPDATE roll_withdrawal SET request = %s WHERE poll = %s AND entitlement = %s AND {LIVE}"  # noqa: S608
    cur.execute(update, (name, poll, who))
    return True


def request_again(connection: Connection, poll: str, who: UUID, at: datetime, instead: bool) -> None:
    """A right was found used, and that use was taken back: it is asked for again; in the place of another one, if `instead`."""
    cursor(connection).execute(
        "UPDATE roll_withdrawal SET outcome = 'asked', decided = NULL, instead = instead OR %s "
        "WHERE poll = %s AND entitlement = %s AND outcome = 'used'",
        (instead, poll, who),
    )
    request(connection, poll, who, at)


def found_used(cur: Cursor, poll: str, who: UUID, at: datetime) -> None:
    """A right that was asked for was used: it stays. One that is withdrawn already, and was used all the same, by a machine that
    is lost, stays withdrawn in the record."""
    cur.execute(
        "UPDATE roll_withdrawal SET outcome = 'used', decided = %s WHERE poll = %s AND entitlement = %s AND outcome = 'asked'",
        (at, poll, who),
    )
