"""What does an applied claim do to the list of its poll, which may have been frozen before it?

A frozen list changes in two ways alone. Who is missing is added; who may not vote after all is asked for the right, which only
its holder lets go. A name, an address or a home station is corrected on the roll, and the list of the poll stays as it is.
Rights are withdrawn by the pollbook, which this room does not know: the shell hands it in (`AskBack`, `freeze.Custody`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.registers.poll import Poll
from dauys.roll.freeze import Custody, add_set
from dauys.roll.vault import Vault
from dauys.roll.voter import may_vote
from dauys.store.engine import Connection

CORRECTED, STAYS = "corrected", "stays"
"""The list has it; the list was frozen before, and its voter votes where it says."""
ASKED, USED, WITHDRAWN = "asked", "used", "withdrawn"
"""The right of who may not vote was asked back and is not let go yet; was used before; is withdrawn."""
LATE, NOT_LET_GO = "late", "not let go"
"""It stays, for its home station's hour of closing came: before anybody was asked for it, or before its holder let it go."""
TO_ASK, TO_ADD, TO_GIVE_BACK = "to ask", "to add", "to give back"
"""What the commission has yet to do: withdraw a right, add a voter, give back a right that was withdrawn."""

AskBack = Callable[[Connection, Poll, int, str, str, Ed25519PrivateKey, datetime], object]
"""Asks back the rights of those of a set who may not vote: (connection, poll, set, reason, by, the commission's key, at)."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a claim's set did to its poll's list. `home` is the station at which its voter votes, where he does."""

    what: str
    home: str = ""


def frozen_before(connection: Connection, poll: str, set_id: int) -> bool:
    """Whether the list of a poll was frozen without the set."""
    query = "SELECT NOT (:set = ANY(sets)) FROM roll_freeze WHERE poll = :poll"
    return bool(connection.scalar(sa.text(query), {"poll": poll, "set": set_id}))


def effect(connection: Connection, vault: Vault, poll: Poll, set_id: int, at: datetime) -> Effect:
    """What the applied set of one claim did to the list of a poll, as it stands then. Raises DauysError for a set of several."""
    query = "SELECT voter, station, status, since, until FROM voter WHERE set_id = :set LIMIT 2"
    found = connection.execute(sa.text(query), {"set": set_id}).all()
    if len(found) != 1:
        raise DauysError(f"set {set_id} is not the set of one claim")
    (new,) = found
    votes = may_vote(new.status, new.since, new.until, poll.day)
    if not frozen_before(connection, poll.id, set_id):
        return Effect(CORRECTED, new.station if votes else "")
    right = connection.execute(
        sa.text(
            "SELECT e.home, e.holder = 'withdrawn' AS gone, e.set_id, w.outcome AS asked, coalesce(w.instead, false) AS instead, "
            "s.area, EXISTS (SELECT FROM roll_withdrawal b WHERE b.poll = e.poll AND b.entitlement = e.id AND b.set_id = :set) "
            "AS before FROM entitlement e JOIN station s ON s.poll = e.poll AND s.id = e.home "
            "LEFT JOIN roll_withdrawal w ON w.poll = e.poll AND w.entitlement = e.id "
            "AND w.outcome NOT IN ('returned', 'kept') WHERE e.poll = :poll AND e.id = :id AND e.addition >= 0"
        ),
        {"poll": poll.id, "id": vault.right(poll.id, new.voter), "set": set_id},
    ).one_or_none()
    if right is None:
        return Effect(TO_ADD if votes else CORRECTED)
    if votes:
        if right.instead and right.asked != USED:  # another right of the same person was used
            return Effect(WITHDRAWN if right.gone else ASKED)
        if right.gone:
            return Effect(TO_GIVE_BACK)
        return Effect(CORRECTED if right.set_id == set_id else STAYS, right.home)
    if right.gone:
        return Effect(WITHDRAWN)
    if right.asked in (ASKED, USED):
        return Effect(right.asked)
    if at >= poll.closing(right.area):
        return Effect(NOT_LET_GO if right.before else LATE)
    return Effect(TO_ASK)


def carry(
    connection: Connection, vault: Vault, poll: Poll, set_id: int, reason: str, by: str, key: Ed25519PrivateKey | None,
    at: datetime, custody: Custody, ask_back: AskBack | None,
) -> Effect:  # fmt: skip
    """Takes the applied set of one claim over to the frozen list of its poll, and says what that did.

    Nothing is done where none is frozen, and without the commission's `key`. `reason` stands in the record. Raises DauysError
    as `add_set` does: once a station has closed, its list does not change, and nobody is asked for a right of it.
    """
    if key is not None and frozen_before(connection, poll.id, set_id):
        add_set(connection, vault, poll, set_id, reason, key, at, custody)
        if ask_back is not None and effect(connection, vault, poll, set_id, at).what == TO_ASK:
            ask_back(connection, poll, set_id, reason, by, key, at)
    return effect(connection, vault, poll, set_id, at)
