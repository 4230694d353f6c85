"""Which voters of a poll are one person? Two entries of the roll, by a set that is in force: one of their rights is used at most.

It is decided pair by pair, and somebody may be in several. What follows of it is said by `settling.withdrawals` (whose right
goes, and whose in its place) and `settling.returns` (who gets his back).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.mark import ever
from dauys.pollbook.centre.predicates import USE
from dauys.pollbook.centre.take import Cursor
from dauys.roll.frozen import PURPOSE, commitment
from dauys.roll.vault import Vault


@dataclass(frozen=True, slots=True)
class Decision:
    """By which set a right is withdrawn, why, who decided, and when."""

    set_id: int
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Right:
    """A right of the frozen roll, with what the record may say of it."""

    id: UUID
    home: str
    commitment: bytes


def right_of(cur: Cursor, vault: Vault, poll: str, voter: UUID) -> Right | None:
    """The voter's right in a poll, if he has one."""
    who = vault.right(poll, voter)
    query = "SELECT home FROM entitlement WHERE poll = %s AND id = %s AND addition >= 0"  # else not added again yet
    row = cur.execute(query, (poll, who)).fetchone()
    if row is None:
        return None
    return Right(who, row.home, commitment(poll, row.home, vault.salt(PURPOSE, who.bytes), who.bytes))


def note_pairs(cur: Cursor, vault: Vault, poll: str, why: Decision) -> list[UUID]:
    """Notes for a poll what the set says of pairs; the rights of those who go. Said again, the first reason stays."""
    gone = []
    for row in cur.execute(
        "SELECT goes, CASE goes WHEN one THEN other ELSE one END AS stays FROM roll_pair WHERE set_id = %s",
        (why.set_id,),
    ).fetchall():
        goes, stays = right_of(cur, vault, poll, row.goes), right_of(cur, vault, poll, row.stays)
        if goes is None or stays is None:
            continue
        for one, other in ((goes, stays), (stays, goes)):
            cur.execute(
                "INSERT INTO roll_one_person AS p VALUES (%s, %s, %s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (poll, entitlement, twin) DO UPDATE SET set_id = excluded.set_id, reason = excluded.reason, "
                "by = excluded.by WHERE p.set_id <> excluded.set_id",
                (poll, one.id, other.id, other.home, other.commitment, why.set_id, why.reason, why.by),
            )
        gone.append(goes.id)
    return gone


_IN_FORCE = "JOIN roll_set x ON x.id = p.set_id AND x.state = 'applied'"


def twins(cur: Cursor, poll: str, who: UUID) -> list[Any]:
    """The other rights of the same person (`twin`, `twin_station`, `twin_commitment`), and by which `set_id`, `reason`, `by`."""
    query = f"SELECT p.* FROM roll_one_person p {_IN_FORCE} WHERE p.poll = %s AND p.entitlement = %s ORDER BY p.twin"  # noqa: S608
    return cur.execute(query, (poll, who)).fetchall()


def holders(cur: Cursor, poll: str, rights: Sequence[Any]) -> Mapping[UUID, Sequence[tuple[UUID, str]]]:
    """Of each right (`entitlement`, `voter`) the other voters of the same person, and who holds their rights.

    Where the centre was put back from a copy, those too whom the roll says and the poll has forgotten; their holder is empty
    where the books have no right of theirs, and had one perhaps: his addition may be forgotten, too, and he may have voted. Who
    went before the freeze was never on the list.
    """
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    for row in cur.execute(
        f"SELECT p.entitlement, e.voter, e.holder FROM roll_one_person p {_IN_FORCE} "  # noqa: S608 - a text of ours
        "JOIN entitlement e ON e.poll = p.poll AND e.id = p.twin WHERE p.poll = %s AND p.entitlement = ANY(%s)",
        (poll, [one.entitlement for one in rights]),
    ):
        found.setdefault(row.entitlement, []).append((row.voter, row.holder))
    if ever(cur, poll):
        ids = {one.voter: one.entitlement for one in rights}
        for row in cur.execute(_BY_THE_ROLL, (list(ids), poll)):
            found.setdefault(ids[row.voter], []).append((row.twin, row.holder))
    return found


_BY_THE_ROLL = """
SELECT v.voter, v.twin, coalesce(t.holder, '') AS holder FROM (
    SELECT u.voter, CASE p.one WHEN u.voter THEN p.other ELSE p.one END AS twin, x.decided FROM unnest(%s::uuid[]) AS u (voter)
    JOIN roll_pair p ON u.voter IN (p.one, p.other) JOIN roll_set x ON x.id = p.set_id AND x.state = 'applied'
) AS v JOIN roll_freeze f ON f.poll = %s LEFT JOIN entitlement t ON t.poll = f.poll AND t.voter = v.twin
WHERE t.voter IS NOT NULL OR v.decided > f.at
"""


TWIN_USED = (
    "EXISTS (SELECT FROM roll_one_person p JOIN entitlement e ON e.poll = p.poll AND e.id = p.twin "
    f"WHERE p.poll = w.poll AND p.entitlement = w.entitlement AND {USE})"
)
"""Of a withdrawal `w`: another right of the same person was used, whether or not the set that says so is still in force."""
