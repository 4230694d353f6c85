"""What becomes of a change set: a second person applies or rejects it, and what was applied can be taken back.

Sets hold in the order of their numbers. So a set is not applied over a later one that has the same voters, nor rolled back from
under it: either would change what the later one's second person saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.roll.free_text import no_iin
from dauys.store.engine import Connection

DECISIONS = 0x726F6C6C
"""Advisory lock ("roll"): decisions about sets are made one after the other."""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A set and what became of it. `summary` holds counts only."""

    id: int
    made: datetime
    by: str
    kind: str
    source: str
    sha256: str | None
    day: date
    state: str
    decided_by: str | None
    decided: datetime | None
    reason: str
    undone_by: str | None
    undone: datetime | None
    undone_why: str | None
    back_by: str | None
    back_at: datetime | None
    back_why: str | None
    summary: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in COLUMNS}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in found.items()
            if value is not None
        }


COLUMNS = tuple(ChangeSet.__slots__)


def list_sets(connection: Connection, state: str | None = None) -> list[ChangeSet]:
    """All sets, or those in a state, oldest first."""
    query = f"SELECT {', '.join(COLUMNS)} FROM roll_set"  # noqa: S608 - names of ours
    if state is not None:
        query += " WHERE state = :state"
    rows = connection.execute(sa.text(query + " ORDER BY id"), {} if state is None else {"state": state})
    return [ChangeSet(*row) for row in rows]


def get_set(connection: Connection, set_id: int) -> ChangeSet:
    """A set by its number. Raises DauysError if there is none."""
    query = sa.text(f"SELECT {', '.join(COLUMNS)} FROM roll_set WHERE id = :id")  # noqa: S608
    row = connection.execute(query, {"id": set_id}).one_or_none()
    if row is None:
        raise DauysError(f"there is no change set {set_id}: `dauys roll changes` lists them")
    return ChangeSet(*row)


def approve(connection: Connection, set_id: int, by: str, at: datetime, reason: str = "") -> None:
    """Applies a held set from now on. `by` is a second person.

    Raises DauysError: the set is not held, `by` made it, or a later set with the same voters was applied meanwhile.
    """
    no_iin(reason)
    found = _to_decide(connection, set_id, by)
    if later := later_set(connection, set_id):
        raise DauysError(
            f"set {set_id} is older than set {later}, which was applied meanwhile and has some of the same voters: "
            f"reject set {set_id} and bring it in again"
        )
    _decide(connection, found, "applied", by, at, reason)


def reject(connection: Connection, set_id: int, by: str, at: datetime, reason: str) -> None:
    """Rejects a held set; its versions of voters are deleted, its line and its counts stay. Raises DauysError."""
    found = _to_decide(connection, set_id, by)
    _needs_reason(reason, "rejected")
    _decide(connection, found, "rejected", by, at, reason)
    alone = connection.scalar(
        sa.text("SELECT NOT EXISTS (SELECT FROM roll_set WHERE id <> :id AND state <> 'rejected')"), {"id": set_id}
    )
    if alone:
        connection.execute(sa.text("TRUNCATE voter"))
    else:
        connection.execute(sa.text("DELETE FROM voter WHERE set_id = :id"), {"id": set_id})


def propose_back(connection: Connection, set_id: int, by: str, at: datetime, reason: str) -> None:
    """Proposes that an applied set be taken back; somebody else does it (`roll_back`). A later proposal replaces this one.

    Raises DauysError as `roll_back`.
    """
    _to_undo(connection, set_id, by, reason)
    connection.execute(
        sa.text("UPDATE roll_set SET back_by = :by, back_at = :at, back_why = :reason WHERE id = :id"),
        {"id": set_id, "by": by, "at": at, "reason": reason},
    )


def roll_back(connection: Connection, set_id: int, by: str, at: datetime, reason: str) -> None:
    """Takes an applied set back, as another person proposed: what held before it holds again; its versions stay in the history.

    Raises DauysError: the set is not applied, nobody else proposed it, or a later applied set has some of the same voters (it
    is named).
    """
    found = _to_undo(connection, set_id, by, reason)
    if found.back_by is None:
        raise DauysError(f"nobody has proposed to roll set {set_id} back: one person proposes it, another one does it")
    if plain_name(by) == plain_name(found.back_by):
        raise DauysError(f"{found.back_by} proposed to roll set {set_id} back: a second person does it")
    connection.execute(
        sa.text(
            "UPDATE roll_set SET state = 'rolled back', undone_by = :by, undone = :at, undone_why = :reason "
            "WHERE id = :id"
        ),
        {"id": set_id, "by": by, "at": at, "reason": reason},
    )


def _to_undo(connection: Connection, set_id: int, by: str, reason: str) -> ChangeSet:
    one_decision_at_a_time(connection)
    found = get_set(connection, set_id)
    if found.state != "applied":
        raise DauysError(f"set {set_id} is {found.state}: only an applied set is rolled back")
    _needs_reason(reason, "rolled back")
    _needs_name(by)
    if later := later_set(connection, set_id):
        raise DauysError(
            f"set {set_id} cannot be rolled back: the later set {later} has some of the same voters; roll set {later} back first"
        )
    return found


def one_decision_at_a_time(connection: Connection) -> None:
    """Until the transaction ends nobody else decides about a set, or freezes the roll."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": DECISIONS})


def later_set(connection: Connection, set_id: int) -> int | None:
    """The first later applied set that has some of the same voters."""
    found: int | None = connection.scalar(
        sa.text(
            "SELECT s.id FROM roll_set s WHERE s.id > :id AND s.state = 'applied' AND EXISTS ("
            "SELECT FROM voter v JOIN voter w ON w.voter = v.voter AND w.set_id = :id WHERE v.set_id = s.id) "
            "ORDER BY s.id LIMIT 1"
        ),
        {"id": set_id},
    )
    return found


def _to_decide(connection: Connection, set_id: int, by: str) -> ChangeSet:
    one_decision_at_a_time(connection)
    found = get_set(connection, set_id)
    if found.state != "held":
        raise DauysError(f"set {set_id} is {found.state} already, by {found.decided_by}")
    _needs_name(by)
    if plain_name(by) == plain_name(found.by):
        raise DauysError(f"set {set_id} was made by {found.by}: a second person decides about it")
    return found


def _decide(connection: Connection, found: ChangeSet, state: str, by: str, at: datetime, reason: str) -> None:
    connection.execute(
        sa.text("UPDATE roll_set SET state = :state, decided_by = :by, decided = :at, reason = :reason WHERE id = :id"),
        {"id": found.id, "state": state, "by": by, "at": at, "reason": reason},
    )


def plain_name(by: str) -> str:
    """A name by which people are told apart: `account/anna`, of the desk, is the `anna` of a command."""
    return by.strip().casefold().removeprefix("account/")


def _needs_reason(reason: str, done: str) -> None:
    no_iin(reason)
    if not reason.strip():
        raise DauysError(f"a set is {done} with a reason: it stays with the set")


def _needs_name(by: str) -> None:
    if not by.strip():
        raise DauysError("who decides? a name is needed: it stays with the set")
