"""Who is not to vote after all, though the frozen roll has him? His right is withdrawn, unless he used it.

Somebody stands on the roll twice, or died after the freeze: a set of the roll says so, a second person has approved it, and
the commission withdraws the rights of its voters for one poll, with a reason. The right goes by the rules of custody
(`pollbook.rules.decided`): its holder lets it go, or its log is over. Of the two rights of one person one stays: the one that was
used, otherwise that of the entry that was kept. If both were used, that is an alarm, P.109. Once the hour of closing of a right's
home station has come, nobody is asked for it any more, and what was asked for and is not withdrawn stays (`returns.ask_no_more`).

An entry `withdrawals/<station>/<n>` of the record has the body of an addition; the commitments are those of the roll. What was
a mistake is given back (`pollbook.settling.returns`): its row stays, and is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.pollbook.centre import decided, giving
from dauys.pollbook.centre import mark as put_back
from dauys.pollbook.centre.predicates import ASKED_FOR, LET_GO_FOR_NOBODY
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.settling.asked import state
from dauys.pollbook.settling.one_person import carry_out, keep_one
from dauys.pollbook.settling.rows import Decision, found_used, late, live, note, request, right_of
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION, Poll
from dauys.roll.changes import get_set
from dauys.roll.frozen import COMMITMENTS_PER_ENTRY, WITHDRAWALS, change_body
from dauys.roll.vault import Vault
from dauys.roll.versions import HOLDS, applied_sets, may_vote
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a set's voters: how many rights were asked back, were withdrawn already, used, or are none of this poll.

    `may`: may vote by the roll as it is now; nothing is withdrawn. `late`: the hour of closing of their stations has come, and
    nobody is asked.
    """

    asked: int
    before: int
    used: int
    not_listed: int
    may: int
    late: int = 0

    def to_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the rights that were asked back: withdrawn now, found used, alarms raised, still waiting."""

    withdrawn: int
    used: int
    alarms: int
    waiting: int


def withdraw_set(
    connection: Connection, vault: Vault, poll: Poll, set_id: int, reason: str, by: str, at: datetime
) -> Asked:
    """Asks back the rights of those of a set who may not vote on the poll's day, in the caller's transaction.

    By an applied set that says so; or by one that is rolled back, for those who may vote by no other set that is in force: whom
    it had added to the frozen roll, first of all. Raises DauysError: not frozen (by `at`), closed, the set is neither, no
    reason or name.
    """
    _must_be_open(connection, poll, reason, by, at)
    found = get_set(connection, set_id)
    if found.state not in ("applied", "rolled back"):
        raise DauysError(f"set {set_id} is {found.state}: a second person has to approve it first")
    why = Decision(set_id, reason.strip(), by.strip(), at)
    rolled_back = found.state != "applied"
    return _ask_each(connection, vault, poll, _voters_of(connection, poll, set_id, rolled_back), why, rolled_back)


def withdraw_added(
    connection: Connection, vault: Vault, poll: Poll, set_id: int, reason: str, by: str, at: datetime
) -> Asked:
    """Asks back the rights of those whom a set, rolled back now, had added to the frozen roll of a poll. As `withdraw_set`."""
    _must_be_open(connection, poll, reason, by, at)
    voters = added_by(connection, poll.id, set_id)
    rows = [row for row in _voters_of(connection, poll, set_id, True) if row.voter in voters]
    return _ask_each(connection, vault, poll, rows, Decision(set_id, reason.strip(), by.strip(), at), again=True)


def added_by(connection: Connection, poll: str, set_id: int) -> set[UUID]:
    """The voters whom a set added to the frozen roll of a poll, or gave back whom another one had added."""
    rows = cursor(connection).execute(
        "SELECT voter FROM entitlement e WHERE poll = %(poll)s AND addition > 0 AND (set_id = %(set)s OR EXISTS ("
        "SELECT FROM roll_withdrawal w WHERE w.poll = e.poll AND w.entitlement = e.id AND w.back_set = %(set)s)) "
        "AND home IN (SELECT station FROM roll_addition WHERE poll = %(poll)s)",
        {"poll": poll, "set": set_id},
    )
    return {row.voter for row in rows}


def _must_be_open(connection: Connection, poll: Poll, reason: str, by: str, at: datetime) -> None:
    if not reason.strip() or not by.strip():
        raise BadInput("who withdraws rights, and why? The reason stands in the record", field="reason", check="P.032")
    frozen = cursor(connection).execute("SELECT at FROM roll_freeze WHERE poll = %s FOR UPDATE", (poll.id,)).fetchone()
    if frozen is None or at < frozen.at:
        raise DauysError(f"the roll of {poll.id} is not frozen yet: apply the set, and freeze it without those voters")
    if log.is_closed(connection, poll.id):
        raise DauysError(f"{poll.id} is closed: nothing is withdrawn any more")


def _voters_of(connection: Connection, poll: Poll, set_id: int, rolled_back: bool) -> Sequence[Any]:
    """The voters whom a set is about; `votes`: what is in force by now lets them. Of an applied set those whose version in force
    is the set's, and whose entry goes by its pair, whatever a later one says of him."""
    about = f"{HOLDS} OR EXISTS (SELECT FROM roll_pair p WHERE p.set_id = v.set_id AND p.goes = v.voter)"
    query = sa.text(
        "SELECT u.voter, EXISTS (SELECT FROM voter v WHERE v.voter = u.voter "  # noqa: S608 - texts of the roll
        f"AND {may_vote('v')} AND {HOLDS}) AS votes FROM (SELECT v.voter FROM voter v "
        f"WHERE v.set_id = :set AND ({'true' if rolled_back else about})) AS u ORDER BY u.voter"
    )
    return connection.execute(query, {"set": set_id, "on": poll.day} | applied_sets(connection)).all()


def _ask_each(
    connection: Connection, vault: Vault, poll: Poll, rows: Sequence[Any], why: Decision, again: bool
) -> Asked:
    """`again`: the set is rolled back, and what pairs say of its voters holds again."""
    outcomes = ["may" if row.votes else _ask(connection, vault, poll, row.voter, why) for row in rows]
    carry_out(connection, vault, poll.id, why, again)
    keep_one(connection, poll, why.at)
    return Asked(*(outcomes.count(name) for name in ("asked", "before", "used", "not listed", "may", "late")))


def _ask(connection: Connection, vault: Vault, poll: Poll, voter: UUID, why: Decision) -> str:
    cur = cursor(connection)
    right = right_of(cur, vault, poll.id, voter)
    if right is None or not right.listed:
        return "not listed"
    if live(cur, poll.id, right.id) is not None:
        return "before"
    if late(cur, poll, right.home, why.at) and not _has_it(cur, poll.id, right.id):
        return "used" if giving.used(connection, poll.id, right.id) else "late"
    note(cur, poll.id, right, why)
    return "asked" if request(connection, poll.id, right.id, why.at) else "used"


def _has_it(cur: Cursor, poll: str, who: UUID) -> bool:
    """Whether the commission has the right by a decision that was forgotten when the centre was put back from a copy: nobody is
    asked, and it is withdrawn, or given back."""
    query = f"SELECT FROM entitlement e {ASKED_FOR} WHERE e.poll = %s AND e.id = %s AND {LET_GO_FOR_NOBODY}"
    return cur.execute(query, (poll, who)).rowcount > 0


def settle(connection: Connection, poll: Poll, key: Ed25519PrivateKey, at: datetime) -> Settled:
    """Withdraws what can be withdrawn by now, writes it into the record, and sees what was used instead.

    Once a station's hour of closing has come its list does not change any more: what is not withdrawn by then stays so
    (`returns.ask_no_more`), but for what was before a copy was put back: a list of since says so, and the record again.
    """
    cur = cursor(connection)
    if put_back.standing(cur, poll.id) is not None:  # all of them wait
        return Settled(0, 0, 0, state(connection, poll.id).asked)
    over = log.is_closed(connection, poll.id)
    rows = cur.execute(
        "SELECT w.*, s.area, e.holder, e.epoch FROM roll_withdrawal w JOIN station s ON s.poll = w.poll AND s.id = w.station "
        "JOIN entitlement e ON e.poll = w.poll AND e.id = w.entitlement WHERE w.poll = %s AND w.outcome = 'asked' "
        "ORDER BY w.station, w.reason, w.entitlement FOR UPDATE OF w, e SKIP LOCKED",  # what somebody is at waits a minute
        (poll.id,),
    ).fetchall()
    gone: dict[tuple[str, str], list[Any]] = {}
    used = 0
    for row in rows:
        before = row.holder == WITHDRAWN
        try:
            if not over and (before or at < poll.closing(row.area)):
                if not before:
                    decided.settle(connection, poll.id, row.request)
                else:  # a list of since the copy said so: it may have been given back, and on, after that
                    put_back.must_be_free(cur, poll.id, row.entitlement, row.epoch)
                gone.setdefault((row.station, row.reason), []).append(row)
            elif giving.used(connection, poll.id, row.entitlement):
                raise CustodyError("the right was used", "P.021")
        except CustodyError as error:
            if error.check == "P.021":
                used += 1
                found_used(cur, poll.id, row.entitlement, at)
            elif error.check == "P.053":  # it moved to another station meanwhile: that one is asked
                request(connection, poll.id, row.entitlement, at)
    for (station, reason), some in gone.items():
        for first in range(0, len(some), COMMITMENTS_PER_ENTRY):
            _record(connection, poll.id, station, reason, some[first : first + COMMITMENTS_PER_ENTRY], key, at)
    withdrawn = sum(map(len, gone.values()))
    alarms = keep_one(connection, poll, at)
    return Settled(withdrawn, used, alarms, state(connection, poll.id).asked)  # those, too, that somebody is at


def _record(
    connection: Connection,
    poll: str,
    station: str,
    reason: str,
    rows: Sequence[Any],
    key: Ed25519PrivateKey,
    at: datetime,
) -> None:
    cur = cursor(connection)
    last = cur.execute(
        "SELECT coalesce(max(n), 0) AS n FROM roll_withdrawal WHERE poll = %s AND station = %s", (poll, station)
    ).fetchone()
    number = (last.n if last else 0) + 1
    body = change_body(station, reason, [bytes(row.commitment) for row in rows])
    entry = Entry(poll, WITHDRAWALS, f"{WITHDRAWALS}/{station}/{number}", at.isoformat(), COMMISSION, body)
    log.append(connection, poll, [sign_entry(entry, key)])
    cur.execute(
        "UPDATE roll_withdrawal SET outcome = 'withdrawn', decided = %s, n = %s WHERE poll = %s AND entitlement = ANY(%s) "
        "AND outcome = 'asked'",
        (at, number, poll, [row.entitlement for row in rows]),
    )
