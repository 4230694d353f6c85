"""Is a package good after the centre was put back from a copy? Who asks is a machine that wants to begin a log with it."""

from __future__ import annotations

from dauys.pollbook.centre.mark import ever, must_be_whole
from dauys.pollbook.centre.predicates import EARLIER, UNUSED
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.places import CustodyError
from dauys.store.engine import Connection


def may_enrol(connection: Connection, log: LogId, key: bytes) -> None:
    """While the mark stands, nobody begins a log by a package's code alone: another machine may have begun it since the copy.

    Nor, after it was lifted, by a package that nobody vouched for, and that is to be made again (`lift`), nor by one that has
    more on its list than the books have: an addition is not repeated yet. A log that is here under this very key goes on.

    Raises CustodyError P.090: the machine tries again.
    """
    cur = cursor(connection)
    same = "SELECT FROM pollbook_log WHERE poll = %s AND holder = %s AND key = %s"
    if cur.execute(same, (log.poll, log.holder, key)).rowcount:
        return
    must_be_whole(cur, log.poll)
    if not ever(cur, log.poll):
        return
    begun = "SELECT FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)"
    if cur.execute(begun, (log.poll, log.station, log.generation)).rowcount:
        return  # by another machine: this one has a copy of its package, and is stopped for good (P.019)
    again = f"make the package again: dauys pollbook packages {log.poll} --again {log.station} --out FOLDER"
    unknown = "SELECT FROM pollbook_late_list WHERE (poll, station, generation) = (%s, %s, %s) AND blind"
    if cur.execute(unknown, (log.poll, log.station, log.generation)).rowcount:
        message = f"nobody vouched for the package of station {log.station} when the books were found whole again"
        raise CustodyError(f"{message}: {again}", "P.090")
    where = {"poll": log.poll, "station": log.station, "generation": log.generation, "holder": log.holder}
    here = cur.execute(_ON_THE_LIST, where).fetchone()
    if here is not None and here.voters > here.rights:
        message = f"station {log.station} has {here.voters:,} voters on the list of this package, and the books have "
        why = (
            ", for some went elsewhere since it was made: "
            if here.went
            else ": repeat the additions of since the copy, or "
        )
        raise CustodyError(f"{message}{here.rights:,}{why}{again}", "P.090")


_ON_THE_LIST = f"""
WITH p AS MATERIALIZED (
    SELECT *, EXISTS (SELECT FROM pollbook_grant g JOIN entitlement o ON o.poll = g.poll AND o.id = g.entitlement
        WHERE g.poll = k.poll AND o.home = k.station AND g.why <> 'returned' AND g.at >= k.made
        AND NOT EXISTS (SELECT FROM pollbook_grant b WHERE b.poll = g.poll AND b.entitlement = g.entitlement AND (b.at < k.made
            OR k.generation > 1 AND (b.epoch = 1 AND b.why NOT IN ('ahead', 'addition')
                OR b.epoch = 2 AND b.why = 'certificate')))) AS went
    FROM pollbook_package k WHERE (poll, station, generation) = (%(poll)s, %(station)s, %(generation)s)
)
SELECT p.voters, p.went, count(e.id) FILTER (WHERE NOT (p.went AND EXISTS (SELECT FROM roll_addition a WHERE a.poll = e.poll
    AND a.station = e.home AND a.n = e.addition AND a.at > p.made))) AS rights
FROM p LEFT JOIN entitlement e ON e.poll = p.poll AND e.home = p.station AND e.state = {UNUSED}
    AND (e.holder = %(holder)s OR {EARLIER})
GROUP BY p.voters, p.went
"""  # noqa: S608 - texts of ours
"""How many rights the list of a package has to use, and how many the books have for its log (`packing.lists.voters_of`): nothing
leaves a list that nobody has begun. Fewer are on the safe side: somebody was added again, or was given elsewhere ahead of it.
Where some were given elsewhere since it was made, who was added since does not make up for them; but whom it never had is none of
these: he was given elsewhere before, too, or, where it is a later machine's, another log had let him go."""
