"""What did two people type at the desk, each for himself, from the paper of a lost machine, and is it the same?

What one of them typed is kept, sealed, until another one has typed the same: then it is taken in (`by_hand.type_in`) and what
was kept is deleted. Neither sees the other's; where they differ, each hears the rows. To take back what was typed in, one
proposes it with a reason, and another one, who sees the lines, confirms it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.centre.typed import counted_lines
from dauys.pollbook.log.events import CHANNEL_LOGS, PAPER, LogId
from dauys.pollbook.paper.by_hand import Line, Random, Typed, Typing, differing, must_be_theirs, take_back, type_in
from dauys.roll.vault import ID, Vault
from dauys.store.engine import Connection

IN, BACK = "in", "back"


@dataclass(frozen=True, slots=True)
class Kept:
    """What somebody typed: when, how many lines, and for taking back, whether all of the found log, and why."""

    by: str
    at: datetime
    lines: int
    found: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Differs:
    """Another person typed something else: rows of one's own list, and rows of the other's that one's own lacks."""

    by: str
    rows: list[int]
    others: list[int]


def lost_machines(connection: Connection, poll: str) -> list[tuple[LogId, int, int]]:
    """The machines that are declared lost, each with how many check-ins stand that were typed from its paper, and how many lines
    of it were only counted, because the machine had reported them."""
    cur = cursor(connection)
    rows = cur.execute(
        "SELECT l.station, l.generation, coalesce(p.check_ins, 0) AS typed, p.id AS paper FROM pollbook_log l "
        "LEFT JOIN pollbook_log p ON p.poll = l.poll AND p.station = l.station AND p.generation = l.generation + %(paper)s "
        "WHERE l.poll = %(poll)s AND l.lost AND l.generation <= %(paper)s AND l.station <> ALL(%(channels)s) "
        "ORDER BY l.station, l.generation",
        {"poll": poll, "paper": PAPER, "channels": list(CHANNEL_LOGS)},
    ).fetchall()
    return [
        (
            LogId(poll, row.station, row.generation),
            row.typed,
            0 if row.paper is None else len(counted_lines(cur, row.paper)),
        )
        for row in rows
    ]


def kept(connection: Connection, lost: LogId, what: str) -> list[Kept]:
    """Who typed something for this machine that waits for a second person, the newest first."""
    rows = cursor(connection).execute(
        "SELECT by, at, lines, found, reason FROM pollbook_typing WHERE (poll, station, generation, what) = (%s, %s, %s, %s) "
        "ORDER BY at DESC, by",
        (lost.poll, lost.station, lost.generation, what),
    )
    return [Kept(*row) for row in rows]


def lines_by(connection: Connection, vault: Vault, lost: LogId, what: str, by: str) -> dict[str, Line]:
    """What he typed, by IIN; empty where there is nothing (any more)."""
    row = cursor(connection).execute(
        "SELECT sealed FROM pollbook_typing WHERE (poll, station, generation, what, by) = (%s, %s, %s, %s, %s)",
        (lost.poll, lost.station, lost.generation, what, by),
    ).fetchone()  # fmt: skip
    if row is None:
        return {}
    lines = (Line(*parts) for parts in json.loads(vault.open(_name(lost, what, by), bytes(row.sealed))))
    return {line.iin: line for line in lines}


def type_one(
    connection: Connection, vault: Vault, lines: Mapping[str, Line], typing: tuple[LogId, str, Ed25519PrivateKey, datetime],
    random: Random,
) -> Typed | Differs | None:  # fmt: skip
    """One person has typed the lines; `typing`: of which machine, who, the commission's key, and the moment.

    None: a second person has to. Typed: he typed the same as another one, and it is taken in. Raises BadInput as `type_in` does.
    """
    lost, by, key, at = typing
    must_be_theirs(connection, lost, lines.values())  # now, while he has the sheet in his hand
    others = [one.by for one in kept(connection, lost, IN) if one.by != by]
    differs: Differs | None = None
    for other in others:
        mine, theirs = differing(lines, lines_by(connection, vault, lost, IN, other))
        if not mine and not theirs:
            taken = type_in(connection, vault, list(lines.values()), Typing(lost, (other, by), key, at), random)
            for one in (other, by):
                forget(connection, lost, IN, one)
            return taken
        differs = differs or Differs(other, mine, theirs)
    _keep(connection, vault, lost, IN, by, at, lines.values())
    return differs


def propose(
    connection: Connection, vault: Vault, lost: LogId, lines: Iterable[Line] | None, reason: str, by: str, at: datetime
) -> None:
    """Proposes to take these lines back, or (None) all that the machine's found log has as well. Raises BadInput P.032."""
    if not reason.strip():
        raise BadInput("why is it taken back? The reason stays in the log", field="reason", check="P.032")
    _keep(connection, vault, lost, BACK, by, at, lines or (), lines is None, reason.strip())


def confirm(
    connection: Connection, vault: Vault, lost: LogId, proposed: tuple[str, datetime], by: str, key: Ed25519PrivateKey,
    at: datetime,
) -> Typed:  # fmt: skip
    """Takes back what another person proposed; `proposed`: who, and when. Raises BadInput P.058, P.053 (not there any more)."""
    one = next((one for one in kept(connection, lost, BACK) if (one.by, one.at) == proposed), None)
    if one is None:
        raise BadInput("this is not proposed any more: look at the page again", check="P.053")
    lines = None if one.found else list(lines_by(connection, vault, lost, BACK, one.by).values())
    done = take_back(connection, vault, lines, Typing(lost, (one.by, by), key, at), one.reason)
    forget(connection, lost, BACK, one.by)
    return done


def forget(connection: Connection, lost: LogId, what: str, by: str) -> None:
    """Deletes what somebody typed."""
    cursor(connection).execute(
        "DELETE FROM pollbook_typing WHERE (poll, station, generation, what, by) = (%s, %s, %s, %s, %s)",
        (lost.poll, lost.station, lost.generation, what, by),
    )


def one_at_a_time(connection: Connection, lost: LogId) -> None:
    """Until the transaction ends whoever else sends something of this machine's paper waits."""
    cursor(connection).execute(
        "SELECT pg_advisory_xact_lock(hashtext(%s))", (f"pollbook paper {lost.poll} {lost.station} {lost.generation}",)
    )


def _name(lost: LogId, what: str, by: str) -> bytes:
    """To what the sealed lines are bound."""
    return sha256(f"dauys typing\0{lost.start}\0{what}\0{by}".encode()).digest()[:ID]


def _keep(
    connection: Connection, vault: Vault, lost: LogId, what: str, by: str, at: datetime, lines: Iterable[Line],
    found: bool = False, reason: str = "",
) -> None:  # fmt: skip
    rows: list[Any] = [(line.iin, line.officer, line.channel, line.row) for line in lines]
    sealed = vault.seal(_name(lost, what, by), json.dumps(rows, ensure_ascii=False).encode())
    cursor(connection).execute(
        "INSERT INTO pollbook_typing (poll, station, generation, what, by, at, lines, found, reason, sealed) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (poll, station, generation, what, by) DO UPDATE SET "
        "at = excluded.at, lines = excluded.lines, found = excluded.found, reason = excluded.reason, sealed = excluded.sealed",
        (lost.poll, lost.station, lost.generation, what, by, at, len(rows), found, reason, sealed),
    )
