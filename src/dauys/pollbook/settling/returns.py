"""Who gets a right back that was withdrawn by mistake? The reverse of `pollbook.settling.withdrawals`, as an entry of its own.

The duplicates desk took two people for one, or somebody for dead. The roll says so first: the set that was wrong is rolled back,
or another one, which a second person approved, lets the voter vote again. Then a person who did not decide that set gives the
rights back, with a reason. Nobody gets two rights by it: of a pair that is still one person the other right must be withdrawn.

A right that is withdrawn goes home (`settling.homeward`), and the entry `restorations/<station>/<n>` of the record, with the body
of an addition, lists its commitment. One that is only asked back is not asked for any more; should its holder have let it go
already, it goes home, too, and the record never heard of it.

A right that was used stays, and the other one of the same person is withdrawn in its place (`withdrawals`). Should that use be
taken back, nobody has to decide again: the first one is asked back again, and when it is withdrawn, the other is given back. At
once, where it is a lost machine's that was typed from its paper by mistake: nobody lets that go, as nobody did before.

What is asked for, and not withdrawn when the hour of closing of its home station comes, is asked for no more: the list does not
change after that. Its voter may vote where it is; who let it go by then, or later because he had heard of it, is given it again.

A centre that was put back from a copy may have forgotten that it gave a right back; the grant that it had signed shows it
(`centre.mark.given_before`). The record says so again (`_found_given`); nobody is given anything by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.pollbook.centre import decided
from dauys.pollbook.centre.locks import lock_stations
from dauys.pollbook.centre.mark import ever, must_be_whole, standing
from dauys.pollbook.centre.predicates import ASKED_FOR, LET_GO_FOR_NOBODY, USE
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.rules.one_person import nobody_else, other_used
from dauys.pollbook.settling.asked import Group, grouped
from dauys.pollbook.settling.homeward import on_their_way, send
from dauys.pollbook.settling.one_person import Person, others, person_of, persons, voters_about
from dauys.pollbook.settling.rows import LATE, request_again
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION, Poll
from dauys.roll.changes import ChangeSet, get_set, plain_name
from dauys.roll.frozen import COMMITMENTS_PER_ENTRY, RESTORATIONS, change_body
from dauys.roll.versions import HOLDS, applied_sets, may_vote
from dauys.store.engine import Connection

BEFORE, CENTRE = "given back before the centre was put back from a copy", "pollbook"
"""The reason in the record, and who is noted beside it, where nobody repeats the decision that was forgotten."""


@dataclass(frozen=True, slots=True)
class Back:
    """What became of the rights that a set was about: `returned`, now or before the centre was put back from a copy, of which
    `free` are with nobody, for no machine of their stations works; `kept` by their holders, who are not asked any more.

    Not given back: `may_not` vote by the roll as it is now, or one person would have two; `late`, the list is closed; `used` all
    the same. `not_withdrawn` never were.
    """

    returned: int
    free: int
    kept: int
    may_not: int
    late: int
    used: int
    not_withdrawn: int

    def to_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


def give_back_set(
    connection: Connection, poll: Poll, set_id: int, reason: str, by: str, key: Ed25519PrivateKey, at: datetime
) -> Back:
    """Gives back what was withdrawn because of a set that is rolled back, or from voters whom an applied set lets vote again.

    In the caller's transaction, which has locked the record. Raises DauysError: closed, the set is neither, `by` decided it, no
    reason or name.
    """
    if not reason.strip() or not by.strip():
        raise BadInput("who gives rights back, and why? The reason stands in the record", field="reason", check="P.032")
    if log.is_closed(connection, poll.id):
        raise DauysError(f"{poll.id} is closed: nothing is given back any more")
    shown = get_set(connection, set_id)
    if plain_name(by) == plain_name(_decided_by(shown)):
        raise BadInput(f"{by} decided set {set_id}: another person gives the rights back", check="P.058")
    must_be_whole(cursor(connection), poll.id)
    rows, left = _withdrawn(connection, poll, set_id), _let_go_for_nobody(connection, poll, set_id)
    lock_stations(cursor(connection), poll.id, [row.station for row in (*rows, *left)])
    may = _may(connection, poll, [row.voter for row in (*rows, *left)])
    everybody = persons(connection, poll)
    same = others(connection, poll, everybody, [*rows, *left])
    decision = (set_id, reason.strip(), by.strip())
    outcomes: list[str] = []
    gone: dict[str, list[Any]] = {}
    has: set[UUID] = set()
    for row in (*left, *rows):
        mine = same[row.entitlement]
        alone = nobody_else(mine, row.entitlement) and has.isdisjoint(one.id for one in mine)
        outcome = _outcome(connection, poll, row, alone, may, at)
        outcomes.append(outcome)
        if outcome in ("returned", "free", "kept"):
            has.add(row.entitlement)
        if isinstance(row, _Left):
            continue
        if outcome in ("returned", "free"):
            gone.setdefault(row.station, []).append(row)
        elif outcome == "kept":
            _over(cursor(connection), poll.id, [row], outcome, (*decision, at, None))
        elif row.voter in may:
            _in_place(cursor(connection), poll.id, row.entitlement, everybody)
    for station, some in gone.items():
        _returned(connection, poll.id, station, some, decision, key, at)
    hand_back(connection, poll, key, at)
    outcomes += ["not withdrawn"] * len(_voters(connection, set_id) - {row.voter for row in (*rows, *left)})
    free = outcomes.count("free")
    others_of = map(outcomes.count, ("kept", "may not", "late", "used", "not withdrawn"))
    return Back(outcomes.count("returned") + free, free, *others_of)


def hand_back(connection: Connection, poll: Poll, key: Ed25519PrivateKey, at: datetime) -> int:
    """Rights that are with nobody though nobody asks for them, and those withdrawn in the place of one that is withdrawn by now:
    they go home. How many are there. In the caller's transaction, which has locked the record.

    What was let go for the commission, which does not ask for it any more, goes home at any hour: its voter may be in the queue.
    """
    cur = cursor(connection)
    if standing(cur, poll.id) is not None:  # they wait
        return 0
    _found_given(connection, poll.id, key, at)
    rows = sorted((*on_their_way(cur, poll.id, at), *_instead(connection, poll)), key=lambda row: row.entitlement)
    lock_stations(cur, poll.id, [row.station for row in rows])
    timely = [row for row in rows if at < poll.closing(row.area) or (not row.instead and row.let_go)]
    went = 0
    for row in timely:
        to = send(connection, poll.id, row.station, row.entitlement, row.epoch, at)
        went += to == "returned"
        if row.instead and to in ("returned", "free"):
            _returned(connection, poll.id, row.station, [row], (row.set_id, row.reason, row.by), key, at)
    return went


def ask_no_more(connection: Connection, poll: Poll, at: datetime) -> None:
    """What is asked for, or was found used and is not any more, is not asked for once the hour of closing of its home station has
    come. Not what a list of since a copy has as withdrawn: it is noted so (`withdrawals.settle`)."""
    cur = cursor(connection)
    if standing(cur, poll.id) is not None:  # they wait
        return
    rows = cur.execute(
        "SELECT w.*, s.area FROM roll_withdrawal w JOIN station s ON s.poll = w.poll AND s.id = w.station "  # noqa: S608 - ours
        "JOIN entitlement e ON e.poll = w.poll AND e.id = w.entitlement "
        f"WHERE w.poll = %s AND w.outcome IN ('asked', 'used') AND NOT {USE} AND e.holder <> '{WITHDRAWN}' "
        "ORDER BY w.entitlement FOR UPDATE OF w, e SKIP LOCKED",  # what somebody is at waits a minute
        (poll.id,),
    ).fetchall()
    for row in rows:
        if at >= poll.closing(row.area):
            decided.call_off(connection, poll.id, row.request)
            _over(cur, poll.id, [row], "kept", (row.set_id, LATE, CENTRE, at, None))


def _found_given(connection: Connection, poll: str, key: Ed25519PrivateKey, at: datetime) -> None:
    """Ends the withdrawals of rights that the centre had given back before it was put back from a copy: a log shows its grant."""
    cur = cursor(connection)
    if not ever(cur, poll) or log.is_closed(connection, poll):
        return
    rows = cur.execute(
        f"SELECT w.* FROM roll_withdrawal w WHERE w.poll = %s AND w.outcome = 'withdrawn' AND {_ELSEWHERE} "  # noqa: S608
        "ORDER BY w.station, w.set_id, w.entitlement FOR UPDATE OF w",
        (poll,),
    ).fetchall()
    for (station, set_id), some in groupby(rows, key=lambda row: (row.station, row.set_id)):
        _returned(connection, poll, station, list(some), (set_id, BEFORE, CENTRE), key, at)
    asked = cur.execute(
        "SELECT w.* FROM roll_withdrawal w JOIN pollbook_request r ON r.poll = w.poll AND r.id = w.request "
        "WHERE w.poll = %s AND w.outcome = 'asked' AND EXISTS (SELECT FROM pollbook_grant g WHERE g.poll = w.poll "
        "AND g.entitlement = w.entitlement AND g.why = 'returned' AND g.epoch > r.epoch) "
        "AND r.at <= (SELECT max(m.at) FROM pollbook_restored m WHERE m.poll = w.poll) ORDER BY w.entitlement FOR UPDATE OF w",
        (poll,),
    ).fetchall()
    for row in asked:  # withdrawn and given back, both forgotten: the record never heard of it
        decided.call_off(connection, poll, row.request)
        _over(cur, poll, [row], "kept", (row.set_id, BEFORE, CENTRE, at, None))


_ELSEWHERE = (
    f"EXISTS (SELECT FROM entitlement e WHERE e.poll = w.poll AND e.id = w.entitlement AND e.holder <> '{WITHDRAWN}')"
)
"""Of a withdrawal `w`: somebody holds the right, used it or let it go, though it was withdrawn."""


def _instead(connection: Connection, poll: Poll) -> list[Any]:
    rows = cursor(connection).execute(
        "SELECT w.*, s.area, e.voter, e.epoch FROM roll_withdrawal w "
        "JOIN station s ON s.poll = w.poll AND s.id = w.station JOIN entitlement e ON e.poll = w.poll AND e.id = w.entitlement "
        "WHERE w.poll = %s AND w.outcome = 'withdrawn' AND w.instead ORDER BY w.entitlement FOR UPDATE OF w",
        (poll.id,),
    ).fetchall()  # fmt: skip
    may = _may(connection, poll, [row.voter for row in rows]) if rows else set()
    back: dict[frozenset[UUID], Any] = {}  # of a person one
    for person in persons(connection, poll) if may else ():
        members = person.members.values()
        for row in rows:
            if row.entitlement in person.members and row.voter in may and nobody_else(members, row.entitlement):
                back.setdefault(frozenset(person.members), row)
    return list(back.values())


def look_again(connection: Connection, poll: Poll, at: datetime) -> None:
    """Rights that were found used, and whose use was taken back since: asked back again, unless the roll lets them vote by now.

    One that was asked back in the place of such a right is not asked for any more; unless a list of since a copy has said that it
    is withdrawn: then it is noted so (`withdrawals.settle`), and goes home from there.
    """
    cur = cursor(connection)
    if standing(cur, poll.id) is not None:  # they wait
        return
    rows = cur.execute(
        "SELECT w.*, e.voter FROM roll_withdrawal w "  # noqa: S608 - texts of ours
        "JOIN entitlement e ON e.poll = w.poll AND e.id = w.entitlement "
        f"WHERE w.poll = %s AND (w.outcome = 'used' AND NOT {_USED} OR w.outcome = 'asked' AND w.instead AND {_ELSEWHERE}) "
        "ORDER BY w.entitlement FOR UPDATE OF w, e SKIP LOCKED",  # what somebody is at waits a minute
        (poll.id,),
    ).fetchall()
    may = _may(connection, poll, [row.voter for row in rows]) if rows else set()
    everybody = persons(connection, poll) if rows else []
    for row in rows:
        if row.voter not in may or other_used(person_of(everybody, row.entitlement), row.entitlement):
            if row.outcome == "used":
                request_again(connection, poll.id, row.entitlement, at, instead=row.voter in may)
            continue
        decided.call_off(connection, poll.id, row.request)
        _over(cur, poll.id, [row], "kept", (row.set_id, row.reason, row.by, at, None))


_USED = "EXISTS (SELECT FROM entitlement e WHERE e.poll = w.poll AND e.id = w.entitlement AND " + USE + ")"
"""Of a withdrawal `w`: whether a use of its right stands, as `giving.used`."""


def _decided_by(shown: ChangeSet) -> str:
    """Who decided what the set shows now. Raises DauysError for one that shows nothing."""
    if shown.state == "applied":
        return shown.decided_by or ""
    if shown.state == "rolled back":
        return shown.undone_by or ""
    raise DauysError(
        f"set {shown.id} is {shown.state}: roll the wrong set back (dauys roll rollback), or have one approved by which "
        "these voters may vote"
    )


def _withdrawn(connection: Connection, poll: Poll, set_id: int) -> list[Any]:
    """The rights asked back or withdrawn because of the set, of its voters, or in the place of one whom it lets vote."""
    lets = _may(connection, poll, list(_voters(connection, set_id)))
    return cursor(connection).execute(
        "SELECT w.*, s.area, e.voter, e.epoch, e.holder, "  # noqa: S608 - ours
        f"{_ELSEWHERE} AS elsewhere FROM roll_withdrawal w "
        "JOIN station s ON s.poll = w.poll AND s.id = w.station "
        "JOIN entitlement e ON e.poll = w.poll AND e.id = w.entitlement "
        "WHERE w.poll = %(poll)s AND w.outcome IN ('asked', 'withdrawn') AND (w.set_id = %(set)s "
        "OR e.voter IN (SELECT voter FROM voter WHERE set_id = %(set)s) OR w.instead AND w.twin IN ("
        "SELECT t.id FROM entitlement t WHERE t.poll = w.poll AND t.voter = ANY(%(lets)s))) "
        "ORDER BY w.station, w.entitlement FOR UPDATE OF w",
        {"poll": poll.id, "set": set_id, "lets": list(lets)},
    ).fetchall()  # fmt: skip


def _in_place(cur: Cursor, poll: str, right: UUID, everybody: Sequence[Person]) -> None:
    """Nothing keeps a right from its voter but another one of his that was used: should that be taken back, nobody has to decide
    again (`_instead`, `look_again`)."""
    of = next((one.id for one in person_of(everybody, right) if one.used), None)
    if of is not None and of != right:
        cur.execute(
            "UPDATE roll_withdrawal SET instead = true, twin = %s WHERE poll = %s AND entitlement = %s "
            "AND outcome IN ('asked', 'withdrawn')",
            (of, poll, right),
        )


def _let_go_for_nobody(connection: Connection, poll: Poll, set_id: int) -> list[_Left]:
    """Rights of the set's voters, and of whoever is one person with one of them, that the commission has by a decision which was
    forgotten when the centre was put back from a copy: no withdrawal says so (`LET_GO_FOR_NOBODY`)."""
    cur = cursor(connection)
    if not ever(cur, poll.id):
        return []
    rows = cur.execute(
        "SELECT coalesce(r.id, '') AS request, e.id, e.home, s.area, e.voter, e.epoch "  # noqa: S608 - texts of ours
        f"FROM entitlement e {ASKED_FOR} JOIN station s ON s.poll = e.poll AND s.id = e.home "
        f"WHERE e.poll = %(poll)s AND {LET_GO_FOR_NOBODY} AND e.voter = ANY(%(about)s) ORDER BY e.home, e.id",
        {"poll": poll.id, "about": voters_about(connection, poll, set_id)},
    ).fetchall()
    return [_Left(row.request, row.id, row.home, row.area, row.voter, row.epoch) for row in rows]


@dataclass(frozen=True, slots=True)
class _Left:
    """A right that the commission has by a forgotten decision."""

    request: str
    entitlement: UUID
    station: str
    area: str
    voter: UUID
    epoch: int
    outcome: str = "let go"


def _voters(connection: Connection, set_id: int) -> set[UUID]:
    return set(connection.scalars(sa.text("SELECT voter FROM voter WHERE set_id = :set"), {"set": set_id}))


def _may(connection: Connection, poll: Poll, voters: Sequence[UUID]) -> set[UUID]:
    """Those of the voters who may vote on the poll's day, by the roll as it is now."""
    query = sa.text(
        f"SELECT v.voter FROM voter v WHERE v.voter = ANY(:voters) AND {HOLDS} AND {may_vote('v')}"  # noqa: S608
    )
    asked = {"voters": list(voters), "on": poll.day}
    return set(connection.scalars(query, asked | applied_sets(connection)))


def _outcome(
    connection: Connection, poll: Poll, row: Any, alone: bool, may: set[UUID], at: datetime
) -> str:  # fmt: skip
    """What becomes of one right. `alone`: no other right of the same person was used, or can be."""
    if row.outcome == "withdrawn" and row.elsewhere:
        return "returned"
    forgotten = row.outcome == "asked" and row.holder == WITHDRAWN  # withdrawn before, and a list has said so
    # of what was let go for a forgotten decision the record never heard: the list has it
    if at >= poll.closing(row.area) and row.outcome != "let go":
        if row.outcome != "asked" or forgotten:
            return "late"
        decided.call_off(connection, poll.id, row.request)
        return "kept"
    if row.voter not in may or not alone:
        return "may not"
    if row.outcome == "asked" and not forgotten:
        decided.call_off(connection, poll.id, row.request)
        return "kept"
    outcome = send(connection, poll.id, row.station, row.entitlement, row.epoch, at)
    outcome = "returned" if outcome == "held" else outcome
    if outcome != "used" and row.outcome != "withdrawn":  # the record never heard of it
        decided.call_off(connection, poll.id, row.request)
    return "kept" if outcome != "used" and forgotten else outcome


def _record(
    connection: Connection, poll: str, station: str, reason: str, rows: Sequence[Any], key: Ed25519PrivateKey, at: datetime
) -> int:  # fmt: skip
    """Writes the entry; its number at the station."""
    last = cursor(connection).execute(
        "SELECT coalesce(max(back_n), 0) AS n FROM roll_withdrawal WHERE poll = %s AND station = %s", (poll, station)
    ).fetchone()  # fmt: skip
    number = (last.n if last else 0) + 1
    body = change_body(station, reason, [bytes(row.commitment) for row in rows])
    entry = Entry(poll, RESTORATIONS, f"{RESTORATIONS}/{station}/{number}", at.isoformat(), COMMISSION, body)
    log.append(connection, poll, [sign_entry(entry, key)])
    return number


def _returned(
    connection: Connection, poll: str, station: str, rows: Sequence[Any], why: tuple[int, str, str], key: Ed25519PrivateKey,
    at: datetime,
) -> None:  # fmt: skip
    """These rights of one station are given back: the record says so, their withdrawals are over. `why`: set, reason, name."""
    for first in range(0, len(rows), COMMITMENTS_PER_ENTRY):
        part = rows[first : first + COMMITMENTS_PER_ENTRY]
        number = _record(connection, poll, station, why[1], part, key, at)
        _over(cursor(connection), poll, part, "returned", (*why, at, number))


def _over(cur: Cursor, poll: str, rows: Sequence[Any], outcome: str, why: tuple[Any, ...]) -> None:
    """These withdrawals are over; `why`: the set, reason, name, moment, number of the entry."""
    cur.execute(
        "UPDATE roll_withdrawal SET outcome = %s, back_set = %s, back_reason = %s, back_by = %s, back_at = %s, back_n = %s "
        "WHERE poll = %s AND entitlement = ANY(%s) AND outcome IN ('asked', 'withdrawn', 'used')",
        (outcome, *why, poll, [row.entitlement for row in rows]),
    )


def given_back(connection: Connection, poll: str, limit: int = 50) -> list[Group]:
    """What was given back in a poll, or not asked for any more, the newest first."""
    return grouped(connection, poll, ("back_set", "back_reason", "back_by", "back_at"), limit)
