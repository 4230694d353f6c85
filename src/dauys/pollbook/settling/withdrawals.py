"""Who is not to vote after all, though the frozen roll has him? His right is withdrawn, unless he used it.

Somebody stands on the roll twice, or died after the freeze: a set of the roll says so, a second person has approved it, and
the commission withdraws the rights of its voters for one poll, with a reason. The right goes by the rules of custody
(`pollbook.rules.decided`): its holder lets it go, or its log is over. Of the two rights of one person one stays: the one that was
used, otherwise that of the entry that was kept. If both were used, that is an alarm, P.109.

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
from dauys.pollbook.centre import mark as put_back
from dauys.pollbook.centre import moves
from dauys.pollbook.centre.predicates import LIVE
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.settling.asked import state
from dauys.pollbook.settling.one_person import Decision, Right, note_pairs, right_of, twins
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION, Poll
from dauys.roll.changes import get_set
from dauys.roll.frozen import COMMITMENTS_PER_ENTRY, WITHDRAWALS, change_body
from dauys.roll.vault import Vault
from dauys.roll.versions import HOLDS, applied_sets, may_vote
from dauys.store.engine import Connection

TWICE = "P.109"


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a set's voters: how many rights were asked back, were withdrawn already, used, or are none of this poll.

    `may`: may vote by the roll as it is now; nothing is withdrawn.
    """

    asked: int
    before: int
    used: int
    not_listed: int
    may: int

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
    if found.state == "rolled back":
        return _ask_each(connection, vault, poll, _by_undone(connection, poll, set_id), why)
    gone = note_pairs(cursor(connection), vault, poll.id, why)
    asked = _ask_each(connection, vault, poll, _by_applied(connection, poll, set_id), why)
    _used_before(connection, poll.id, gone, at)
    return asked


def pair_again(connection: Connection, vault: Vault, poll: str, at: datetime) -> None:
    """Pairs of sets that were decided before: one of them may have had no right in the poll yet."""
    cur = cursor(connection)
    for row in cur.execute(
        "SELECT DISTINCT ON (w.set_id) w.set_id, w.reason, w.by FROM roll_withdrawal w JOIN roll_set x ON x.id = w.set_id "
        "AND x.state = 'applied' WHERE w.poll = %s AND EXISTS (SELECT FROM roll_pair p WHERE p.set_id = w.set_id) "
        "ORDER BY w.set_id, w.asked",
        (poll,),
    ).fetchall():
        _used_before(connection, poll, note_pairs(cur, vault, poll, Decision(row.set_id, row.reason, row.by, at)), at)


def _used_before(connection: Connection, poll: str, rights: Sequence[UUID], at: datetime) -> None:
    """Those of the rights that were asked for before, and used, stay: what follows of their pairs."""
    for who in rights:
        live = _live(cursor(connection), poll, who)
        if live is not None and live.outcome == "used" and moves.used(connection, poll, who):
            _in_its_place(connection, poll, who, at)


def withdraw_added(
    connection: Connection, vault: Vault, poll: Poll, set_id: int, reason: str, by: str, at: datetime
) -> Asked:
    """Asks back the rights of those whom a set, rolled back now, had added to the frozen roll of a poll. As `withdraw_set`."""
    _must_be_open(connection, poll, reason, by, at)
    voters = added_by(connection, poll.id, set_id)
    rows = [row for row in _by_undone(connection, poll, set_id) if row.voter in voters]
    return _ask_each(connection, vault, poll, rows, Decision(set_id, reason.strip(), by.strip(), at))


def added_by(connection: Connection, poll: str, set_id: int) -> set[UUID]:
    """The voters whom a set added to the frozen roll of a poll."""
    rows = cursor(connection).execute(
        "SELECT voter FROM entitlement WHERE poll = %(poll)s AND addition > 0 AND set_id = %(set)s AND home IN ("
        "SELECT station FROM roll_addition WHERE poll = %(poll)s)",
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


def _by_applied(connection: Connection, poll: Poll, set_id: int) -> Sequence[Any]:
    """The voters whose version in force is the set's; `votes`: it lets them."""
    query = sa.text(
        f"SELECT v.voter, {may_vote('v')} AS votes FROM voter v "  # noqa: S608 - texts of the roll
        f"WHERE v.set_id = :set AND {HOLDS} ORDER BY v.voter"
    )
    return connection.execute(query, {"set": set_id, "on": poll.day} | applied_sets(connection)).all()


def _by_undone(connection: Connection, poll: Poll, set_id: int) -> Sequence[Any]:
    """The voters of a set that is rolled back; `votes`: another set, which is in force, lets them."""
    query = sa.text(
        "SELECT u.voter, EXISTS (SELECT FROM voter v WHERE v.voter = u.voter "  # noqa: S608 - texts of the roll
        f"AND {may_vote('v')} AND {HOLDS}) AS votes "
        "FROM voter u WHERE u.set_id = :set ORDER BY u.voter"
    )
    return connection.execute(query, {"set": set_id, "on": poll.day} | applied_sets(connection)).all()


def _ask_each(connection: Connection, vault: Vault, poll: Poll, rows: Sequence[Any], why: Decision) -> Asked:
    outcomes = []
    for row in rows:
        if row.votes:
            outcomes.append("may")
            continue
        outcomes.append(_ask(connection, vault, poll.id, row.voter, why))
    return Asked(*(outcomes.count(name) for name in ("asked", "before", "used", "not listed", "may")))


def _ask(connection: Connection, vault: Vault, poll: str, voter: UUID, why: Decision) -> str:
    cur = cursor(connection)
    right = right_of(cur, vault, poll, voter)
    if right is None:
        return "not listed"
    if _live(cur, poll, right.id) is not None:
        return "before"
    _note(cur, poll, right, why)
    if _request(connection, poll, right.id, why.at):
        return "asked"
    _used(connection, poll, right.id, why.at)
    return "used"


def _live(cur: Cursor, poll: str, who: UUID) -> Any:
    """The withdrawal of a right that is not over, or None."""
    query = f"SELECT * FROM roll_withdrawal WHERE poll = %s AND entitlement = %s AND {LIVE}"  # noqa: S608 - ours
    return cur.execute(query, (poll, who)).fetchone()


def _note(cur: Cursor, poll: str, right: Right, why: Decision, of: UUID | None = None) -> None:
    """A right is to be withdrawn; in the place of that one (`of`) of the same person, if any."""
    cur.execute(
        "INSERT INTO roll_withdrawal (poll, request, entitlement, station, commitment, twin, set_id, reason, by, asked, instead) "
        "VALUES (%s, '', %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (poll, right.id, right.home, right.commitment, of, why.set_id, why.reason, why.by, why.at, of is not None),
    )


def _request(connection: Connection, poll: str, who: UUID, at: datetime) -> bool:
    """Asks whoever holds the right now to let it go, if anybody does; False where it was used."""
    cur = cursor(connection)
    row = cur.execute("SELECT epoch FROM entitlement WHERE poll = %s AND id = %s", (poll, who)).fetchone()
    assert row is not None
    request = f"withdraw/{who}/{row.epoch}"
    try:
        moves.withdraw(connection, poll, request, who, at)
    except CustodyError as error:
        if error.check not in ("P.021", "P.056"):
            raise
        return error.check == "P.056"
    update = f"UPDATE roll_withdrawal SET request = %s WHERE poll = %s AND entitlement = %s AND {LIVE}"  # noqa: S608
    cur.execute(update, (request, poll, who))
    return True


def ask_again(connection: Connection, poll: str, who: UUID, at: datetime) -> None:
    """A right was found used, and that use was taken back: it is asked for again."""
    cursor(connection).execute(
        "UPDATE roll_withdrawal SET outcome = 'asked', decided = NULL WHERE poll = %s AND entitlement = %s AND outcome = 'used'",
        (poll, who),
    )
    _request(connection, poll, who, at)


def settle(connection: Connection, poll: Poll, key: Ed25519PrivateKey, at: datetime) -> Settled:
    """Withdraws what can be withdrawn by now, writes it into the record, and sees what was used instead.

    Once a station's hour of closing has come its list does not change any more: what is not withdrawn by then stays so.
    """
    cur = cursor(connection)
    if put_back.standing(cur, poll.id) is not None:  # all of them wait
        return Settled(0, 0, 0, state(connection, poll.id).asked)
    over = log.is_closed(connection, poll.id)
    rows = cur.execute(
        "SELECT w.*, s.area, e.holder FROM roll_withdrawal w JOIN station s ON s.poll = w.poll AND s.id = w.station "
        "JOIN entitlement e ON e.poll = w.poll AND e.id = w.entitlement WHERE w.poll = %s AND w.outcome = 'asked' "
        "ORDER BY w.station, w.reason, w.entitlement FOR UPDATE OF w, e SKIP LOCKED",  # what somebody is at waits a minute
        (poll.id,),
    ).fetchall()
    gone: dict[tuple[str, str], list[Any]] = {}
    used = alarms = 0
    for row in rows:
        ended = over or at >= poll.closing(row.area)
        try:
            if not ended:
                if row.holder != WITHDRAWN:  # it is, where a list of since the copy said so
                    moves.settle(connection, poll.id, row.request)
                gone.setdefault((row.station, row.reason), []).append(row)
            elif moves.used(connection, poll.id, row.entitlement):
                raise CustodyError("the right was used", "P.021")
        except CustodyError as error:
            if error.check == "P.021":
                used += 1
                alarms += _used(connection, poll.id, row.entitlement, at)
            elif error.check == "P.053":  # it moved to another station meanwhile: that one is asked
                _request(connection, poll.id, row.entitlement, at)
    for (station, reason), some in gone.items():
        for first in range(0, len(some), COMMITMENTS_PER_ENTRY):
            _record(connection, poll.id, station, reason, some[first : first + COMMITMENTS_PER_ENTRY], key, at)
    withdrawn = sum(map(len, gone.values()))
    return Settled(withdrawn, used, alarms, len(rows) - withdrawn - used)


def _used(connection: Connection, poll: str, who: UUID, at: datetime) -> bool:
    """The right was used: it stays. Whether that raised an alarm (`_in_its_place`)."""
    _found_used(cursor(connection), poll, who, at)
    return _in_its_place(connection, poll, who, at)


def _found_used(cur: Cursor, poll: str, who: UUID, at: datetime) -> None:
    used = f"UPDATE roll_withdrawal SET outcome = 'used', decided = %s WHERE poll = %s AND entitlement = %s AND {LIVE}"  # noqa: S608
    cur.execute(used, (at, poll, who))


def _in_its_place(connection: Connection, poll: str, who: UUID, at: datetime) -> bool:
    """Of a right that was used: the other ones of the same person are withdrawn. Where one of them was used, too: alarm, once."""
    cur = cursor(connection)
    row, alarm = _live(cur, poll, who), False
    for twin in twins(cur, poll, who):
        known = _live(cur, poll, twin.twin)
        if known is None:
            other = Right(twin.twin, twin.twin_station, bytes(twin.twin_commitment))
            _note(cur, poll, other, Decision(twin.set_id, twin.reason, twin.by, at), of=who)
            if not _request(connection, poll, twin.twin, at):
                _found_used(cur, poll, twin.twin, at)
                alarm = True
        elif known.outcome == "used" and not (known.alarmed or row.alarmed):
            alarm = alarm or moves.used(connection, poll, twin.twin)
    if alarm:
        _alarm(cur, poll, who, at)
    return alarm


def _alarm(cur: Cursor, poll: str, who: UUID, at: datetime) -> None:
    """P.109 at the check-in of the right that was to be withdrawn."""
    cur.execute(
        "INSERT INTO pollbook_alarm (poll, log, n, entitlement, number, text, at) "
        "SELECT %(poll)s, log, n, %(who)s, %(check)s, 'one person used two rights', %(at)s FROM ("
        "SELECT l.id AS log, e.used AS n FROM entitlement e JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder "
        "WHERE e.poll = %(poll)s AND e.id = %(who)s AND e.state = 1 UNION ALL SELECT log, n FROM pollbook_stray "
        "WHERE poll = %(poll)s AND entitlement = %(who)s AND NOT undone) AS uses LIMIT 1",
        {"poll": poll, "who": who, "check": TWICE, "at": at},
    )
    update = f"UPDATE roll_withdrawal SET alarmed = true WHERE poll = %s AND entitlement = %s AND {LIVE}"  # noqa: S608
    cur.execute(update, (poll, who))


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
