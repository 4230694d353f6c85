"""A voter was added to the frozen roll, the centre was put back from a copy, and he is added again: where is his right by now?

Where the logs say. A grant that the centre had signed shows the right before its voter is known again
(`pollbook.centre.mark.given_before`). Without any it may stand on a list that was made after that addition: then the log of that
list has it (`pollbook.rules.decided.listed`), and what it did with it was heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.roll.vault import ID
from dauys.store.engine import Connection


def hold_the_logs(connection: Connection, poll: str) -> None:
    """Until the transaction ends no log tells anything new, where the poll was put back: in the order of `centre.locks`."""
    if _ever(connection, poll):
        connection.execute(sa.text("SELECT FROM log WHERE poll = :poll FOR UPDATE"), {"poll": poll})
        logs = "SELECT FROM pollbook_log WHERE poll = :poll ORDER BY id FOR UPDATE"
        connection.execute(sa.text(logs), {"poll": poll})


def found_again(
    connection: Connection, poll: str, station: str, number: int, whose: Mapping[UUID, bytes]
) -> Set[UUID]:  # fmt: skip
    """Those of the rights, each with its voter's id and set (24 bytes), that a grant showed: they are of this addition, and stay
    with their holders, in their epochs, with their uses."""
    rows = connection.scalars(
        sa.text(
            "UPDATE entitlement e SET home = :station, addition = :number, voter = u.voter, set_id = u.set_id "
            "FROM unnest(CAST(:ids AS uuid[]), CAST(:voters AS uuid[]), CAST(:sets AS bigint[])) AS u (id, voter, set_id) "
            "WHERE e.poll = :poll AND e.id = u.id AND e.addition < 0 RETURNING e.id"
        ),
        {
            "poll": poll, "station": station, "number": number, "ids": list(whose),
            "voters": [UUID(bytes=one[:ID]) for one in whose.values()],
            "sets": [int.from_bytes(one[ID:], "big") for one in whose.values()],
        },
    )  # fmt: skip
    return set(rows)


def as_the_logs_say(connection: Connection, poll: str, station: str, rights: Set[UUID]) -> None:
    """Of rights that were entered now and are shown by no grant: who holds them, as far as a list of their station may have them.

    That is the first list of the station whose log is not complete; a machine that does not have it asks for its voter
    (`centre.moves.off_its_list`). Raises DauysError where such a list is on its way while some machine was given up unheard.
    """
    if not rights or not _ever(connection, poll):
        return
    where: dict[str, Any] = {"poll": poll, "station": station, "rights": list(rights)}
    made = connection.execute(sa.text(_LIST), where).one_or_none()
    if made is None:
        return
    if not made.begun and connection.scalar(sa.text(_UNREAD), where):
        raise DauysError(
            f"station {station} has a package on its way that may have these voters on its list, and a machine was lost that "
            f"may have been given their rights: make it void (dauys pollbook lost {poll} {station}), and then add them"
        )
    where["holder"] = f"station/{station}/{made.generation}"
    for statement in (_HELD, _USED, _LET_GO):
        connection.execute(sa.text(statement), where)


def _ever(connection: Connection, poll: str) -> bool:
    query = "SELECT EXISTS (SELECT FROM pollbook_restored WHERE poll = :poll)"
    return bool(connection.scalar(sa.text(query), {"poll": poll}))


_LIST = """
SELECT generation, l.id IS NOT NULL AS begun FROM (
    SELECT poll, station, generation FROM pollbook_package
    UNION SELECT poll, station, generation FROM pollbook_log WHERE generation <= 500) AS made
LEFT JOIN pollbook_log l USING (poll, station, generation)
WHERE poll = :poll AND station = :station
ORDER BY coalesce(l.closed AND l.stopped = '', false), CASE WHEN l.closed AND l.stopped = '' THEN -generation ELSE generation END
LIMIT 1
"""
"""The first list whose log is not complete, or the last one."""

_UNREAD = """
SELECT EXISTS (SELECT FROM pollbook_log WHERE poll = :poll AND missed AND NOT sound AND NOT (closed AND stopped = ''))
"""

_HELD = "UPDATE entitlement SET holder = :holder WHERE poll = :poll AND id = ANY(:rights)"

_USED = """
WITH used AS (
    SELECT DISTINCT ON (s.entitlement) s.entitlement, s.log, s.n, l.holder
    FROM pollbook_stray s JOIN pollbook_log l ON l.id = s.log
    WHERE s.poll = :poll AND s.entitlement = ANY(:rights) AND NOT s.undone AND l.station = :station AND l.generation <= 500
    ORDER BY s.entitlement, s.log, s.n
), no_stray AS (
    DELETE FROM pollbook_stray s USING used u
    WHERE s.poll = :poll AND (s.entitlement, s.log, s.n) = (u.entitlement, u.log, u.n))
UPDATE entitlement e SET holder = u.holder, state = 1, used = u.n FROM used u WHERE e.poll = :poll AND e.id = u.entitlement
"""

_LET_GO = """
UPDATE entitlement e SET
    holder = CASE WHEN v.kind = 'release' THEN v.holder ELSE 'certificate' END,
    epoch = CASE WHEN v.kind = 'release' THEN 0 ELSE 1 END,
    state = CASE WHEN v.kind = 'release' THEN 2 ELSE 0 END
FROM (
    SELECT DISTINCT ON (v.entitlement) v.entitlement, v.kind, l.holder FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log
    WHERE l.poll = :poll AND l.station = :station AND v.entitlement = ANY(:rights) AND v.kind IN ('release', 'certificate')
    ORDER BY v.entitlement, v.log, v.n DESC) AS v
WHERE e.poll = :poll AND e.id = v.entitlement AND e.state = 0
"""
