"""Did the members of a station sign for the ballots that were handed out in their names? The centre's part of `member_keys`.

A signature costs 150 µs to verify: twenty times what a check-in costs the centre when it comes in, and a nation sends tens of
thousands a second. So they are looked at afterwards: minute by minute in the background (`polls.pollbook_join.tend`), and what is
left of a station at once before its protocol's form is filled. What a member did not sign for stays in the log and raises P.110;
a form is not filled from such a log, and every protocol of the station shows B.111.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import LogId
from dauys.pollbook.log.member_keys import BALLOTS, UNSIGNED, Wrong, wrongs
from dauys.store.engine import Connection

MOST = 20_000
"""Events that are looked at in one go in the background: three seconds of a processor."""

ANY = 1_000_000
"""Of one station: all there are."""


def check(connection: Connection, poll: str, at: datetime, station: str | None = None) -> int:
    """Holds ballots that were handed out (of one station: all of them) against their members' keys; how many alarms that raises.

    No log is locked while signatures are verified: what comes in meanwhile is looked at the next time.
    """
    cur = cursor(connection)
    seen = list(_seen(cur, poll, station))
    raised = 0
    for log, since, upto, found, whose in sorted(seen, key=lambda one: one[0]):  # as everywhere, by row
        moved = cur.execute(
            "UPDATE pollbook_log SET signed_to = %s WHERE id = %s AND signed_to = %s", (upto, log, since)
        ).rowcount  # fmt: skip
        for wrong in found if moved else ():  # else another process was quicker, and has raised them
            cur.execute(
                "INSERT INTO pollbook_alarm (poll, log, n, entitlement, number, text, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (poll, log, wrong.n, whose.get(wrong.n), wrong.check, f"{wrong.text} ({wrong.officer})", at),
            )
            raised += 1
    return raised


def _seen(cur: Cursor, poll: str, station: str | None) -> Iterator[tuple[int, int, int, list[Wrong], dict[int, UUID]]]:
    """Each log with something to look at: its row, from which event to which, what is wrong there, and whose rights those are."""
    logs = cur.execute(
        "SELECT id, station, generation, signed_to, n FROM pollbook_log WHERE poll = %(poll)s AND keyed AND n > signed_to "
        "AND (%(station)s::text IS NULL OR station = %(station)s) ORDER BY closed DESC, signed_to, id",
        {"poll": poll, "station": station},
    ).fetchall()
    left = MOST if station is None else ANY
    for log in logs:
        upto = min(log.n, log.signed_to + left)
        rows = cur.execute(
            "SELECT n, kind, entitlement, body FROM pollbook_event WHERE log = %s AND n <= %s "
            "AND (kind = 'officer-key' OR (kind = ANY(%s) AND n > %s)) ORDER BY n",
            (log.id, upto, list(BALLOTS), log.signed_to),
        ).fetchall()
        events = ((row.n, row.kind, _body(row.body)) for row in rows)
        found = wrongs(LogId(poll, log.station, log.generation), events, log.signed_to)
        yield log.id, log.signed_to, upto, found, {row.n: row.entitlement for row in rows}
        left -= upto - log.signed_to
        if left <= 0:
            return


def _body(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data)["body"]
    return found


def unsigned(connection: Connection, poll: str, station: str) -> int:
    """Events of a station's logs that a member did not sign for, as far as they were looked at."""
    row = cursor(connection).execute(
        "SELECT count(*) AS n FROM pollbook_alarm a JOIN pollbook_log l ON l.id = a.log "
        "WHERE l.poll = %s AND l.station = %s AND a.number = %s",
        (poll, station, UNSIGNED),
    ).fetchone()  # fmt: skip
    return int(row.n) if row else 0
