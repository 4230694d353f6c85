"""Whose is an envelope that its station took without knowing? The centre's part: the station asks, or two clerks say it.

A station asks as soon as it can (`machine.unnamed`), and its log then says it (`centre`); a machine that was declared lost and
is found, too: what it hears is the id of a right, with which it can do nothing any more. For an envelope whose machine cannot
ask, two clerks find the voter each for himself, by his IIN, with a reason; neither sees what the other typed, and no IIN is kept.
Only before the envelope is resolved. Whether it counts is decided by `envelopes` alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from dauys.errors import BadInput
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.settling.envelopes import STANDS
from dauys.roll.iin import is_iin
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

Place = tuple[LogId, int]
"""The log in which an envelope lies, and its event there."""


def whose(connection: Connection, vault: Vault, log: LogId, envelope: UUID, iin: str) -> UUID | None:
    """The right of who has this IIN, for an envelope of this log without a name; None where he is not on the roll of the poll.

    Raises CustodyError P.081 where the centre has no such envelope.
    """
    cur = cursor(connection)
    rows = cur.execute(
        "SELECT v.body FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log WHERE v.kind = 'envelope' "  # noqa: S608
        f"AND v.entitlement IS NULL AND (l.poll, l.station, l.generation) = (%s, %s, %s) AND {STANDS}",
        (log.poll, log.station, log.generation),
    )
    if all(json.loads(bytes(row.body))["body"]["id"] != str(envelope) for row in rows):
        raise _none()
    return _right(cur, vault, log.poll, iin)


def name_one(
    connection: Connection, vault: Vault, place: Place, iin: str, why: tuple[str, str], at: datetime
) -> bool | None:
    """A clerk says whose envelope it is; `why`: his reason, and who he is. True: two agree now; False: another one found somebody
    else; None: another one has to.

    Raises BadInput P.048, P.020, P.032; CustodyError P.081 for an envelope that has a name, or is resolved.
    """
    cur, (log, n), (reason, by) = cursor(connection), place, why
    if not reason.strip():
        raise BadInput("say how it is known whose envelope it is", field="reason", check="P.032")
    plain = "".join(iin.split())
    if not is_iin(plain):
        raise BadInput("this is no IIN: twelve digits, the last one checks the others", field="iin", check="P.048")
    row = cur.execute(
        "SELECT v.log FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log "  # noqa: S608
        "WHERE (l.poll, l.station, l.generation) = (%s, %s, %s) AND v.n = %s AND v.kind = 'envelope' AND v.entitlement IS NULL "
        f"AND {STANDS} AND NOT EXISTS (SELECT FROM pollbook_envelope d WHERE (d.log, d.n) = (v.log, v.n)) "
        "AND NOT EXISTS (SELECT FROM pollbook_envelope_of o WHERE (o.log, o.n) = (v.log, v.n)) FOR UPDATE OF l",
        (log.poll, log.station, log.generation, n),
    ).fetchone()
    if row is None:
        raise _none()
    who = _right(cur, vault, log.poll, plain)
    if who is None:
        raise BadInput("the voter is not on the roll of this poll", field="iin", check="P.020")
    others = cur.execute(
        "SELECT by, entitlement, reason FROM pollbook_envelope_guess WHERE log = %s AND n = %s AND by <> %s ORDER BY at",
        (row.log, n, by),
    ).fetchall()
    same = next((one for one in others if one.entitlement == who), None)
    if same is None:
        cur.execute(
            "INSERT INTO pollbook_envelope_guess (log, n, by, entitlement, reason, at) VALUES (%s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (log, n, by) DO UPDATE SET entitlement = excluded.entitlement, reason = excluded.reason, "
            "at = excluded.at",
            (row.log, n, by, who, reason.strip(), at),
        )
        return False if others else None
    cur.execute(
        "INSERT INTO pollbook_envelope_of (log, n, entitlement, first, second, reason, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (row.log, n, who, same.by, by, f"{same.reason}; {reason.strip()}", at),
    )
    cur.execute("DELETE FROM pollbook_envelope_guess WHERE log = %s AND n = %s", (row.log, n))
    return True


def guessed(connection: Connection, poll: str) -> Mapping[Place, list[str]]:
    """Which clerks have said of an envelope whose it is, and wait for another one."""
    rows: Any = cursor(connection).execute(
        "SELECT l.station, l.generation, g.n, array_agg(g.by ORDER BY g.at) AS by FROM pollbook_envelope_guess g "
        "JOIN pollbook_log l ON l.id = g.log WHERE l.poll = %s AND NOT EXISTS ("
        "SELECT FROM pollbook_envelope_of o WHERE (o.log, o.n) = (g.log, g.n)) GROUP BY 1, 2, 3",
        (poll,),
    )
    return {(LogId(poll, row.station, row.generation), row.n): list(row.by) for row in rows}


def _right(cur: Cursor, vault: Vault, poll: str, iin: str) -> UUID | None:
    who = vault.right(poll, vault.voter(iin))
    found = cur.execute("SELECT 1 FROM entitlement WHERE poll = %s AND id = %s", (poll, who)).fetchone()
    return None if found is None else who


def _none() -> CustodyError:
    return CustodyError("there is no such envelope without a name", "P.081")
