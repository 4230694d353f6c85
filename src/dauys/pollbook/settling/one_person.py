"""Which rights of a poll are one person's, and what follows of it? Two entries of the roll, by a set that is in force.

It is decided pair by pair; who is joined by pairs is one person (`rules.one_person`). A pair holds in a poll once the commission
has carried its set out there, while the set is applied, and no later one lets vote whose entry was to go. What follows is not
done with the decision, but found again each minute from what is in force and what was used by now (`keep_one`): so it is the
same in whatever order sets, additions, uses and their taking back came.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from dauys.pollbook.centre.mark import ever, standing
from dauys.pollbook.centre.predicates import LIVE, USE
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.rules.one_person import Member, alarmed, other_used, people, to_ask
from dauys.pollbook.settling.rows import Decision, Right, found_used, late, live, note, request, right_of
from dauys.record import log
from dauys.registers.poll import Poll
from dauys.roll.vault import Vault
from dauys.roll.versions import may_vote
from dauys.store.engine import Connection

TWICE = "P.109"


def carry_out(connection: Connection, vault: Vault, poll: str, why: Decision, again: bool) -> None:
    """From now on the set's pairs hold in the poll; `again`: it is rolled back, and what pairs say of its voters holds again.
    Said again, the first reason stays."""
    sets = "SELECT CAST(:set AS bigint) AS id"
    if again:
        sets = "SELECT p.set_id AS id FROM roll_pair p JOIN voter v ON v.voter = p.goes WHERE v.set_id = :set"
    connection.execute(
        sa.text(
            "INSERT INTO roll_decided SELECT DISTINCT :poll, id, :reason, :by FROM "  # noqa: S608 - texts of ours
            f"({sets}) AS sets WHERE id IS NOT NULL ON CONFLICT DO NOTHING"
        ),
        {"poll": poll, "set": why.set_id, "reason": why.reason, "by": why.by},
    )
    note_pairs(cursor(connection), vault, poll)


def note_pairs(cur: Cursor, vault: Vault, poll: str) -> None:
    """Notes of the pairs that hold in a poll those whose rights both are there: one may have been added only now, or, after its
    addition was forgotten, again, at another station."""
    for row in cur.execute(
        "SELECT p.one, p.other, p.set_id, d.reason, d.by FROM roll_decided d JOIN roll_pair p ON p.set_id = d.set_id "
        "JOIN roll_set x ON x.id = p.set_id AND x.state = 'applied' WHERE d.poll = %s AND (SELECT count(*) "
        "FROM roll_one_person o JOIN entitlement e ON (e.poll, e.id, e.home) = (o.poll, o.twin, o.twin_station) "
        "WHERE o.poll = d.poll AND o.set_id = d.set_id) < 2 ORDER BY p.set_id",
        (poll,),
    ).fetchall():
        one, other = right_of(cur, vault, poll, row.one), right_of(cur, vault, poll, row.other)
        if one is None or other is None:
            continue
        for this, twin in ((one, other), (other, one)):
            cur.execute(
                "INSERT INTO roll_one_person VALUES (%s, %s, %s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (poll, entitlement, twin) DO UPDATE SET twin_station = excluded.twin_station, "
                "twin_commitment = excluded.twin_commitment, set_id = excluded.set_id, reason = excluded.reason, "
                "by = excluded.by",
                (poll, this.id, twin.id, twin.home, twin.commitment, row.set_id, row.reason, row.by),
            )


def _overruled(pair: str) -> str:
    """Whether a later set lets vote whose entry was to go by this pair: they are two people after all. Counted, so that it is
    looked up for each pair: as EXISTS it may be planned as a join with the whole roll."""
    return (
        f"(SELECT count(*) FROM voter v JOIN roll_set y ON y.id = v.set_id AND y.state = 'applied' "  # noqa: S608 - texts of ours
        f"WHERE v.voter = {pair}.goes AND v.set_id > {pair}.set_id AND {may_vote('v')}) > 0"
    )


@dataclass(frozen=True, slots=True)
class Person:
    """Rights of one person, and what is to be noted of each if it is asked for."""

    members: Mapping[UUID, Member]
    about: Mapping[UUID, tuple[Right, int, str, str]]


def persons(connection: Connection, poll: Poll) -> list[Person]:
    """All who have more than one right in a poll, by what is in force now."""
    pairs = connection.execute(
        sa.text(
            "SELECT o.* FROM roll_one_person o JOIN roll_set x ON x.id = o.set_id AND x.state = 'applied' "  # noqa: S608
            f"LEFT JOIN roll_pair p ON p.set_id = o.set_id WHERE o.poll = :poll AND NOT {_overruled('p')} "
            "ORDER BY o.twin, o.set_id DESC"
        ),
        {"poll": poll.id, "on": poll.day},
    ).all()
    about = {
        row.twin: (Right(row.twin, row.twin_station, bytes(row.twin_commitment)), row.set_id, row.reason, row.by)
        for row in pairs
    }
    members = members_of(cursor(connection), poll.id, list(about))
    return [
        Person({one: members[one] for one in sorted(rights)}, {one: about[one] for one in rights})
        for rights in people((row.entitlement, row.twin) for row in pairs)
    ]


def members_of(cur: Cursor, poll: str, rights: Sequence[UUID]) -> dict[UUID, Member]:
    """How each of these rights stands. Gone is, too, what is asked for of a machine that is lost: nobody hands out for it."""
    rows = cur.execute(
        f"SELECT e.id, {USE} AS used, e.holder = '{WITHDRAWN}' OR coalesce(w.outcome = 'asked' AND e.state = 0 "  # noqa: S608
        "AND EXISTS (SELECT FROM pollbook_log l WHERE l.poll = e.poll AND l.holder = e.holder AND l.lost), false) AS gone, "
        "w.entitlement IS NOT NULL AS asked, coalesce(w.alarmed, false) AS alarmed, e.addition >= 0 AS listed, "
        "coalesce(w.instead, false) AS instead "
        f"FROM entitlement e LEFT JOIN roll_withdrawal w ON w.poll = e.poll AND w.entitlement = e.id AND w.{LIVE} "
        "WHERE e.poll = %s AND e.id = ANY(%s)",
        (poll, list(rights)),
    )
    return {row.id: Member(*row) for row in rows}


def person_of(all_persons: Sequence[Person], right: UUID) -> Collection[Member]:
    """The rights of the person who has this one; none where it is the only one."""
    return next((one.members.values() for one in all_persons if right in one.members), ())


def beside_a_used_one(connection: Connection, poll: Poll) -> list[UUID]:
    """The unused rights of each person who used another one: too late to be asked for, they are still for no envelope."""
    everybody = [person.members.values() for person in persons(connection, poll)]
    return [one.id for members in everybody for one in members if not one.used and other_used(members, one.id)]


def keep_one(connection: Connection, poll: Poll, at: datetime) -> int:
    """Of each person one right is used at most: the others of one that was used are asked for. How many alarms that raised.

    A centre that was put back from a copy, and is not whole again, asks for nothing; nor is anything asked for in a closed poll,
    or once the hour of closing of a right's station has come.
    """
    cur = cursor(connection)
    if standing(cur, poll.id) is not None:
        return 0
    cur.execute("SELECT FROM roll_freeze WHERE poll = %s FOR UPDATE", (poll.id,))
    found, closed = 0, log.is_closed(connection, poll.id)
    told: list[UUID] = []
    for person in persons(connection, poll):
        members: Collection[Member] = person.members.values()
        asked = [one for one in to_ask(members) if not closed and not late(cur, poll, person.about[one.id][0].home, at)]
        for one in asked:
            _note(connection, poll.id, person, one.id, at)
            request(connection, poll.id, one.id, at)
        if asked:  # one may have been used a moment ago
            members = members_of(cur, poll.id, list(person.members)).values()
        before, now = alarmed(members)
        for one in members if now else ():
            if one.used:
                _note(connection, poll.id, person, one.id, at)
                found_used(cur, poll.id, one.id, at)
        for one in now:
            _alarm(cur, poll.id, one.id, at)
        told += [one.id for one in (*before, *now)]
        found += len(now)
    off = "UPDATE roll_withdrawal SET alarmed = false WHERE poll = %s AND alarmed AND entitlement <> ALL(%s)"
    cur.execute(off, (poll.id, told))  # two people after all, or a use was taken back; the alarm stays where it is
    return found


def _note(connection: Connection, poll: str, person: Person, who: UUID, at: datetime) -> None:
    """The line of a right that is asked for, or found used, in the place of another one, unless there is one."""
    cur = cursor(connection)
    if live(cur, poll, who) is None:
        right, set_id, reason, by = person.about[who]
        of = next((one.id for one in person.members.values() if one.used and one.id != who), None)
        note(cur, poll, right, Decision(set_id, reason, by, at), of)


def _alarm(cur: Cursor, poll: str, who: UUID, at: datetime) -> None:
    """P.109 where this right was used: at a check-in, or at the envelope that counts."""
    cur.execute(
        "INSERT INTO pollbook_alarm (poll, log, n, entitlement, number, text, at) "
        "SELECT %(poll)s, log, n, %(who)s, %(check)s, 'one person used two rights', %(at)s FROM ("
        "SELECT l.id AS log, e.used AS n FROM entitlement e JOIN pollbook_log l ON l.poll = e.poll "
        "AND (l.holder = e.holder OR e.holder = 'envelope/' || l.station || '/' || l.generation) "
        "WHERE e.poll = %(poll)s AND e.id = %(who)s AND e.state = 1 UNION ALL SELECT log, n FROM pollbook_stray "
        "WHERE poll = %(poll)s AND entitlement = %(who)s AND NOT undone) AS uses WHERE NOT EXISTS ("
        "SELECT FROM pollbook_alarm a WHERE (a.log, a.n, a.number) = (uses.log, uses.n, %(check)s)) LIMIT 1",
        {"poll": poll, "who": who, "check": TWICE, "at": at},
    )
    update = f"UPDATE roll_withdrawal SET alarmed = true WHERE poll = %s AND entitlement = %s AND {LIVE}"  # noqa: S608
    cur.execute(update, (poll, who))


def others(
    connection: Connection, poll: Poll, everybody: Sequence[Person], rights: Sequence[Any]
) -> Mapping[UUID, Sequence[Member]]:
    """Of each right (`entitlement`, `voter`) the other ones of the same person, among `persons`.

    Where the centre was put back from a copy, those too whom the roll says and the poll has forgotten; of a voter of whom the
    books have no right, and had one perhaps, it is not known that he did not vote: his addition may be forgotten. Who went
    before the freeze was never on the list.
    """
    found = {one.entitlement: {m.id: m for m in person_of(everybody, one.entitlement)} for one in rights}
    cur = cursor(connection)
    if ever(cur, poll.id):
        rows = connection.execute(
            sa.text(_BY_THE_ROLL),
            {"voters": [one.voter for one in rights], "poll": poll.id, "on": poll.day},
        ).all()
        members = members_of(cur, poll.id, [row.right for row in rows if row.right is not None])
        of = {one.voter: one.entitlement for one in rights}
        for row in rows:
            found[of[row.start]][row.right or row.voter] = members.get(row.right, Member(row.voter))
    return {right: [one for one in some.values() if one.id != right] for right, some in found.items()}


def voters_about(connection: Connection, poll: Poll, set_id: int) -> list[UUID]:
    """Whom a set is about, and everybody whom pairs make one person with one of them: its own, and those in force."""
    return list(connection.scalars(sa.text(_ABOUT), {"set": set_id, "on": poll.day}))


_PAIR = f"""pair AS (
    SELECT p.one, p.other, x.decided FROM roll_pair p JOIN roll_set x ON x.id = p.set_id AND x.state = 'applied'
    WHERE NOT {_overruled("p")}
), either AS (SELECT one, other, decided FROM pair UNION ALL SELECT other, one, decided FROM pair)"""  # noqa: S608 - a text of ours

_ABOUT = f"""
WITH RECURSIVE {_PAIR}, about (voter) AS (
    (SELECT voter FROM voter WHERE set_id = :set UNION SELECT one FROM roll_pair WHERE set_id = :set
        UNION SELECT other FROM roll_pair WHERE set_id = :set)
    UNION SELECT p.other FROM about a JOIN either p ON p.one = a.voter
)
SELECT voter FROM about
"""  # noqa: S608 - a text of ours

_BY_THE_ROLL = f"""
WITH RECURSIVE {_PAIR}, same (start, voter, decided) AS (
    SELECT u.voter, u.voter, CAST(NULL AS timestamptz) FROM unnest(CAST(:voters AS uuid[])) AS u (voter)
    UNION SELECT s.start, p.other, p.decided FROM same s JOIN either p ON p.one = s.voter
)
SELECT DISTINCT s.start, s.voter, t.id AS right FROM same s JOIN roll_freeze f ON f.poll = :poll
LEFT JOIN entitlement t ON t.poll = f.poll AND t.voter = s.voter
WHERE s.voter <> s.start AND (t.id IS NOT NULL OR s.decided > f.at AND EXISTS (SELECT FROM voter v
    JOIN station st ON st.poll = f.poll AND st.id = v.station WHERE v.voter = s.voter))
"""  # noqa: S608 - a text of ours
