"""A voter was added to the frozen roll, the centre was put back from a copy, and he is added again: where is his right by now?

Where the logs say. A grant that the centre had signed shows the right before its voter is known again
(`centre.mark.given_before`). Without any it may stand on a list that was made after that addition: then the log of that list has
it (`rules.decided.listed`), and what it did with it was heard.

Every addition passes here, whether the centre was put back or not: this module is what `roll.freeze.Custody` asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.mark import ever
from dauys.pollbook.centre.predicates import COMPLETE, RELEASED, UNUSED, USED
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.log.events import PAPER, LogId
from dauys.pollbook.rules.holders import CERTIFICATE, WITHDRAWN
from dauys.roll.vault import ID
from dauys.store.engine import Connection


def hold(connection: Connection, poll: str) -> None:
    """Until the transaction ends no log tells anything new, where the poll was put back: in the order of `centre.locks`."""
    cur = cursor(connection)
    if ever(cur, poll):
        cur.execute("SELECT FROM log WHERE poll = %s FOR UPDATE", (poll,))
        cur.execute("SELECT FROM pollbook_log WHERE poll = %s ORDER BY id FOR UPDATE", (poll,))


def known(connection: Connection, poll: str, station: str, number: int, whose: Mapping[UUID, bytes]) -> Set[UUID]:
    """Those of the rights, each with its voter's id and set (24 bytes), that a grant showed: they are of this addition, and stay
    with their holders, in their epochs, with their uses."""
    rows = cursor(connection).execute(
        "UPDATE entitlement e SET home = %(station)s, addition = %(number)s, voter = u.voter, set_id = u.set_id "
        "FROM unnest(%(ids)s::uuid[], %(voters)s::uuid[], %(sets)s::bigint[]) AS u (id, voter, set_id) "
        "WHERE e.poll = %(poll)s AND e.id = u.id AND e.addition < 0 RETURNING e.id",
        {
            "poll": poll, "station": station, "number": number, "ids": list(whose),
            "voters": [UUID(bytes=one[:ID]) for one in whose.values()],
            "sets": [int.from_bytes(one[ID:], "big") for one in whose.values()],
        },
    )  # fmt: skip
    return {row.id for row in rows}


def entered(connection: Connection, poll: str, station: str, rights: Set[UUID]) -> None:
    """Of rights that were entered now and are shown by no grant: who holds them, as far as a list of their station may have them.

    That is the first one made since the copy whose log is not complete; a machine that does not have it asks for its voter
    (`centre.decided.off_its_list`). A list that was here all the time has nobody whom the centre forgot.
    """
    if not rights:
        return
    cur = cursor(connection)
    where: dict[str, Any] = {"poll": poll, "station": station, "rights": list(rights), "paper": PAPER}
    if (late := cur.execute(_LATE, where).fetchone()) is None:
        return
    where["holder"] = LogId(poll, station, late.generation).holder
    for statement in (_HELD, _USED, _LET_GO, _ASKED_BACK):
        cur.execute(statement, where)


_LATE = f"""
SELECT generation FROM pollbook_late_list LEFT JOIN pollbook_log l USING (poll, station, generation)
WHERE poll = %(poll)s AND station = %(station)s
ORDER BY coalesce({COMPLETE}, false), CASE WHEN {COMPLETE} THEN -generation ELSE generation END
LIMIT 1 FOR UPDATE OF pollbook_late_list
"""  # noqa: S608 - a text of ours
"""The first list whose log is not complete, or the last one. Whoever makes it again waits, and has on it who is added now; if it
was made again meanwhile, it is no such list any more."""

_HELD = "UPDATE entitlement SET holder = %(holder)s WHERE poll = %(poll)s AND id = ANY(%(rights)s)"

_USED = f"""
WITH used AS (
    SELECT DISTINCT ON (s.entitlement) s.entitlement, s.log, s.n, l.holder
    FROM pollbook_stray s JOIN pollbook_log l ON l.id = s.log
    WHERE s.poll = %(poll)s AND s.entitlement = ANY(%(rights)s) AND NOT s.undone AND l.station = %(station)s
        AND l.generation <= %(paper)s
    ORDER BY s.entitlement, s.log, s.n
), no_stray AS (
    DELETE FROM pollbook_stray s USING used u
    WHERE s.poll = %(poll)s AND (s.entitlement, s.log, s.n) = (u.entitlement, u.log, u.n))
UPDATE entitlement e SET holder = u.holder, state = {USED}, used = u.n FROM used u
WHERE e.poll = %(poll)s AND e.id = u.entitlement
"""  # noqa: S608 - a number of ours

_LET_GO = f"""
UPDATE entitlement e SET
    holder = CASE WHEN v.kind = 'release' THEN v.holder ELSE '{CERTIFICATE}' END,
    epoch = CASE WHEN v.kind = 'release' THEN 0 ELSE 1 END,
    state = CASE WHEN v.kind = 'release' THEN {RELEASED} ELSE {UNUSED} END
FROM (
    SELECT DISTINCT ON (v.entitlement) v.entitlement, v.kind, l.holder FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log
    WHERE l.poll = %(poll)s AND l.station = %(station)s AND v.entitlement = ANY(%(rights)s)
        AND v.kind IN ('release', 'certificate')
    ORDER BY v.entitlement, v.log, v.n DESC) AS v
WHERE e.poll = %(poll)s AND e.id = v.entitlement AND e.state = {UNUSED}
"""  # noqa: S608 - texts of ours

_ASKED_BACK = f"""
INSERT INTO pollbook_request (poll, id, entitlement, epoch, holder, asker, at)
SELECT e.poll, v.body ->> 'request', e.id, e.epoch, e.holder, '{WITHDRAWN}', v.at FROM entitlement e JOIN (
    SELECT v.entitlement, v.at, convert_from(v.body, 'UTF8')::jsonb -> 'body' AS body
    FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log
    WHERE l.poll = %(poll)s AND l.station = %(station)s AND v.entitlement = ANY(%(rights)s) AND v.kind = 'release'
) AS v ON v.entitlement = e.id AND (v.body ->> 'epoch')::int = e.epoch
WHERE e.poll = %(poll)s AND e.state = {RELEASED} AND v.body ->> 'to' = '{WITHDRAWN}' ON CONFLICT DO NOTHING
"""  # noqa: S608 - texts of ours
"""What was let go for the commission it asks for still (`centre.mark.asked_before`)."""
