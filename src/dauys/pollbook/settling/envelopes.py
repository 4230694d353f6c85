"""Which provisional envelopes lie where, and what becomes of them? The rule of `pollbook.rules.envelopes`, over the database.

Envelopes are resolved together, once every log is complete, or when the commission waits no longer: that is said by two people,
and not while a machine is there that can still close its list, or a package with which nobody enrolled is not void. One that
counts uses its right by the rules of custody (`decided.withdraw`, `decided.settle`): only when nobody else can. What is resolved
stays so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.pollbook.centre import decided
from dauys.pollbook.centre.locks import lock_stations
from dauys.pollbook.centre.mark import must_be_whole
from dauys.pollbook.centre.predicates import AHEAD, ASKED_BACK, BEGUN
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import PAPER, LogId
from dauys.pollbook.log.spelling import number_of
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError, Known, State, Use
from dauys.pollbook.rules.envelopes import Provisional, Resolution, Rule, resolve
from dauys.pollbook.rules.grants import SILENT
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.sealed.envelopes import ENVELOPES, envelope_commitment
from dauys.pollbook.settling.rows import LATE
from dauys.record import log as record
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION
from dauys.roll.changes import plain_name
from dauys.store.engine import Connection

MOST = 800
"""Envelopes in one entry of the record, which has at most 65,535 bytes."""

STANDS = "NOT EXISTS (SELECT FROM pollbook_envelope_undone u WHERE (u.log, u.n) = (v.log, v.n))"
"""Of an event `v`, an envelope: it was not taken back."""

STATES = (State.UNUSED, State.USED, State.RELEASED)


@dataclass(frozen=True, slots=True)
class Line:
    """One envelope as the commission sees it: no name. `number` is written on it; `counts` None: not resolved, and `check` says
    how it stands so far. `entry` of the record, once it is resolved. `named`: who said later whose it is (station, clerks)."""

    at: Provisional
    taken: datetime
    counts: bool | None
    check: str
    decided: datetime | None = None
    entry: str = ""
    late: bool = False
    named: str = ""

    @property
    def number(self) -> str:
        """What stands on it."""
        return number_of(self.at.id)

    def to_json(self) -> dict[str, Any]:
        return {
            "station": self.at.log.station,
            "generation": self.at.log.generation,
            "event": self.at.n,
            "number": self.number,
            "taken": self.taken.isoformat(),
            "resolved": self.decided is not None,
            "counts": self.counts,
            "check": self.check,
            "decided": None if self.decided is None else self.decided.isoformat(),
            "entry": self.entry or None,
            "named": self.named or None,
        }


@dataclass(frozen=True, slots=True)
class Envelopes:
    """All envelopes of a poll, and for how many logs they wait."""

    lines: Sequence[Line]
    missing: Sequence[LogId]

    def to_json(self) -> dict[str, Any]:
        resolved = [line for line in self.lines if line.decided is not None]
        return {
            "envelopes": len(self.lines),
            "resolved": len(resolved),
            "counted": sum(bool(line.counts) for line in resolved),
            "missing_logs": len(self.missing),
            "lines": [line.to_json() for line in self.lines],
        }


def envelopes_of(connection: Connection, poll: str, rule: Rule | None, beside: Sequence[UUID] = ()) -> Envelopes:
    """Every envelope that is known, by station, as it is resolved or stands so far. `rule` None: the law knows no envelopes.

    `beside`: the rights of people who used another one (`one_person.beside_a_used_one`).
    """
    cur = cursor(connection)
    lines = _lines(cur, poll)
    centre = _centre(cur, poll, lines, beside)
    return Envelopes(_judged(centre, lines, rule, final=False), centre.incomplete())


def lock_homes(connection: Connection, poll: str) -> None:
    """Until the transaction ends no list is made of a station that never had one, and of which a voter left an envelope. Before
    any right is locked, and before `settle`."""
    cur = cursor(connection)
    if ahead := _centre(cur, poll, _lines(cur, poll)).unmade:
        lock_stations(cur, poll, ahead)


def settle(
    connection: Connection,
    poll: str,
    rule: Rule | None,
    key: Ed25519PrivateKey,
    at: datetime,
    final: Sequence[str] = (),
    beside: Sequence[UUID] = (),
) -> int:
    """Resolves what can be resolved, and writes it into the record; how many that were. Again, it does nothing.

    `final`: the two who say that the commission waits no longer for logs that are missing; one alone is kept until another one
    says so, too (`with_another`). `beside` as for `envelopes_of`. In the caller's transaction, which has locked the record and
    `lock_homes`. Raises CustodyError P.090, BadInput P.058 (nobody, or the same person twice), P.063 (a machine is connected that
    has not closed its list, or may yet enrol).
    """
    cur = cursor(connection)
    must_be_whole(cur, poll)
    if final:
        if len(final) > 1:
            _must_be_two(final)
        _must_be_gone(cur, poll, at)
        if len(final) == 1:
            _keep(cur, poll, final[0], at)
            return 0
    lines = _lines(cur, poll)
    centre = _centre(cur, poll, lines, beside)
    if centre.incomplete() and not final:
        return 0
    cur.execute("DELETE FROM pollbook_final WHERE poll = %s", (poll,))  # of what is to come nobody has said so
    done: dict[str, list[Line]] = {}
    for line in _judged(centre, lines, rule, bool(final)):
        if line.decided is None and line.counts is not None:
            done.setdefault(line.at.log.station, []).append(_used(connection, poll, line, at))
    for station, several in done.items():
        for first in range(0, len(several), MOST):
            _record(connection, poll, station, several[first : first + MOST], rule, key, at, final)
    return sum(map(len, done.values()))


def _must_be_two(names: Sequence[str]) -> None:
    """Raises BadInput P.058 unless these are two people."""
    plain = {plain_name(name) for name in names}
    if len(names) != 2 or len(plain) != 2 or "" in plain:
        message = "two different people say that nobody waits any longer: both names are needed"
        raise BadInput(message, field="--by", check="P.058")


def _must_be_gone(cur: Cursor, poll: str, at: datetime) -> None:
    """Raises BadInput P.063 while a machine is connected that may close its list, or may yet enrol: whose right it has would be
    void for ever. Not for one that is lost: who has it does not keep envelopes from being opened."""
    never = cur.execute(  # before the machines: one that begins meanwhile is among those that were heard
        f"SELECT station, generation FROM pollbook_package p WHERE poll = %s AND NOT {BEGUN} ORDER BY station, generation",  # noqa: S608
        (poll,),
    ).fetchall()
    if never:
        message = f"nobody enrolled with the packages of {_named(never)}, whose voters' envelopes would be void"
        raise BadInput(f"{message}: say that nobody will (dauys pollbook lost {poll} STATION)", check="P.063")
    rows = cur.execute(
        f"SELECT station, generation FROM pollbook_log l WHERE poll = %s AND {_CAN_CLOSE} AND heard >= %s "  # noqa: S608
        "ORDER BY station, generation",
        (poll, at - SILENT),
    ).fetchall()
    if rows:
        message = f"heard within {SILENT.seconds // 60} minutes, and not closed: {_named(rows)}. Let their chairs close the lists"
        raise BadInput(f"{message}; one that cannot is declared lost (dauys pollbook lost)", check="P.063")


_CAN_CLOSE = f"NOT l.closed AND NOT l.lost AND l.stopped = '' AND l.generation <= {PAPER}"
"""Of a log `l`: its machine works, and may yet close its list."""


def _named(rows: Sequence[Any]) -> str:
    return ", ".join(f"{row.station}/{row.generation}" for row in rows[:20]) + (" ..." if len(rows) > 20 else "")


def said_final(connection: Connection, poll: str) -> list[str]:
    """Who said at the desk that nobody waits any longer, and waits for a second person. That is over when a machine is heard
    again that may close its list."""
    rows = cursor(connection).execute(
        "SELECT by FROM pollbook_final f WHERE poll = %s AND NOT EXISTS (SELECT FROM pollbook_log l "  # noqa: S608
        f"WHERE l.poll = f.poll AND l.heard > f.at AND {_CAN_CLOSE}) ORDER BY at, by",
        (poll,),
    )
    return [row.by for row in rows]


def with_another(connection: Connection, poll: str, by: str) -> tuple[str, ...]:
    """Who says that nobody waits any longer, once `by` says so at the desk: another one and he, or he alone so far."""
    others = [one for one in said_final(connection, poll) if plain_name(one) != plain_name(by)]
    return (*others[:1], by)


def waits_again(connection: Connection, poll: str, by: str) -> None:
    """Takes back what he said at the desk, as long as no second person has said so."""
    cursor(connection).execute("DELETE FROM pollbook_final WHERE poll = %s AND by = %s", (poll, by))


def _keep(cur: Cursor, poll: str, by: str, at: datetime) -> None:
    kept = "INSERT INTO pollbook_final (poll, by, at) VALUES (%s, %s, %s) ON CONFLICT (poll, by) DO UPDATE SET at = excluded.at"
    cur.execute(kept, (poll, by, at))


def counted(connection: Connection, poll: str, station: str) -> tuple[int, int]:
    """How many envelopes of a station count, and how many are resolved."""
    row = cursor(connection).execute(
        "SELECT count(*) FILTER (WHERE d.counts) AS counted, count(*) AS resolved FROM pollbook_envelope d "
        "JOIN pollbook_log l ON l.id = d.log WHERE d.poll = %s AND l.station = %s",
        (poll, station),
    ).fetchone()  # fmt: skip
    return (row.counted, row.resolved) if row else (0, 0)


def totals(connection: Connection, poll: str) -> dict[str, int]:
    """How many envelopes of a poll there are, are resolved, and count."""
    row = cursor(connection).execute(
        "SELECT count(*) AS taken, count(d.log) AS resolved, count(*) FILTER (WHERE d.counts) AS counted "  # noqa: S608
        "FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log LEFT JOIN pollbook_envelope d ON (d.log, d.n) = (v.log, v.n) "
        f"WHERE v.kind = 'envelope' AND l.poll = %s AND {STANDS}",
        (poll,),
    ).fetchone()  # fmt: skip
    return {"taken": row.taken, "resolved": row.resolved, "counted": row.counted} if row else {}


def _lines(cur: Cursor, poll: str) -> list[Line]:
    rows = cur.execute(
        "SELECT l.station, l.generation, v.n, v.at, v.body, d.counts, d.number, d.decided, d.entry, o.n AS later, o.told, "  # noqa: S608
        "CASE WHEN d.log IS NULL THEN coalesce(v.entitlement, o.entitlement) ELSE d.entitlement END AS entitlement, EXISTS ("
        "SELECT FROM pollbook_alarm a WHERE a.log = v.log AND a.n = v.n AND a.number = 'P.107') AS late "
        "FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log LEFT JOIN pollbook_envelope d ON (d.log, d.n) = (v.log, v.n) "
        "LEFT JOIN pollbook_envelope_of o ON (o.log, o.n) = (v.log, v.n) "
        f"WHERE v.kind = 'envelope' AND l.poll = %s AND {STANDS} ORDER BY l.station, l.generation, v.n",
        (poll,),
    )
    lines = []
    for row in rows:
        name = UUID(json.loads(bytes(row.body))["body"]["id"])
        one = Provisional(name, LogId(poll, row.station, row.generation), row.n, row.entitlement)
        later = "" if row.later is None else "clerks" if row.told is None else "station"
        lines.append(Line(one, row.at, row.counts, row.number or "", row.decided, row.entry or "", row.late, later))
    return lines


def _centre(cur: Cursor, poll: str, lines: Sequence[Line], beside: Sequence[UUID] = ()) -> Centre:
    """What the rule asks of the centre: custody and uses of the envelopes' rights, and every log there is or may yet be."""
    ids = [line.at.entitlement for line in lines if line.at.entitlement is not None]
    custody = {
        row.id: Custody(WITHDRAWN if row.asked else row.holder, row.epoch, STATES[row.state], row.used)
        for row in cur.execute(  # what the commission has asked back in time, or may not ask for any more, is for no envelope
            "SELECT e.id, e.holder, e.epoch, e.state, e.used, e.state <> 1 AND (EXISTS (SELECT FROM roll_withdrawal w "  # noqa: S608
            "WHERE w.poll = e.poll AND w.entitlement = e.id AND (w.outcome = 'asked' OR w.back_reason = %s)) "
            f"OR {ASKED_BACK} OR e.id = ANY(%s)) AS asked FROM entitlement e WHERE e.poll = %s AND e.id = ANY(%s)",
            (LATE, list(beside), poll, ids),
        )
    }
    logs: dict[LogId, Known] = {
        LogId(poll, row.station, row.generation): Known(b"", closed=row.closed, lost=row.lost, stopped=row.stopped)
        for row in cur.execute(
            "SELECT station, generation, closed, lost, stopped FROM pollbook_log WHERE poll = %(poll)s UNION ALL "  # noqa: S608
            f"SELECT p.station, p.generation, false, false, '' FROM pollbook_package p WHERE p.poll = %(poll)s AND NOT {BEGUN}",
            {"poll": poll},
        )
    }
    uses: dict[UUID, tuple[Use, ...]] = {}
    for row in cur.execute(
        "SELECT s.entitlement, l.station, l.generation, s.n FROM pollbook_stray s JOIN pollbook_log l ON l.id = s.log "
        "WHERE s.poll = %s AND NOT s.undone AND s.entitlement = ANY(%s)",
        (poll, ids),
    ):
        uses[row.entitlement] = (*uses.get(row.entitlement, ()), (LogId(poll, row.station, row.generation), row.n))
    ahead = cur.execute(
        f"SELECT DISTINCT home FROM entitlement e WHERE poll = %s AND id = ANY(%s) AND {AHEAD}",  # noqa: S608
        (poll, ids),
    )
    return Centre(poll, custody, logs, uses=uses, unmade=frozenset(row.home for row in ahead))


def _judged(centre: Centre, lines: Sequence[Line], rule: Rule | None, final: bool) -> list[Line]:
    """The lines with how those that are not resolved stand. Late ones, after their list was closed, are none."""
    of_right = [line.at for line in lines if not line.late]
    said: Mapping[int, Resolution] = {}
    if rule is not None:
        said = {
            id(one): found for one, found in zip(of_right, resolve(centre, of_right, rule, final=final), strict=True)
        }
    judged = []
    for line in lines:
        if line.decided is not None:
            judged.append(line)
            continue
        found = said.get(id(line.at))
        counts, check = (False, "P.026" if rule is None else "P.107") if found is None else (found.counts, found.check)
        judged.append(replace(line, counts=counts, check=check))
    return judged


def _used(connection: Connection, poll: str, line: Line, at: datetime) -> Line:
    """The line, and its right used by it where it counts: what `envelopes.open_one` does."""
    one = line.at
    if not line.counts or one.entitlement is None:
        return line
    try:
        with connection.begin_nested():  # what is not withdrawn is asked for by nobody
            decided.withdraw(connection, poll, one.request, one.entitlement, at)
            decided.settle(connection, poll, one.request)
    except CustodyError as error:
        if error.check not in ("P.021", "P.052", "P.056"):
            raise
        check = {"P.021": "P.061", "P.052": "P.064"}.get(error.check, error.check)
        return replace(line, counts=False, check=check)
    taken = cursor(connection).execute(
        "UPDATE entitlement SET holder = %s, state = 1, used = %s WHERE poll = %s AND id = %s AND holder = %s AND state = 0",
        (one.holder, one.n, poll, one.entitlement, WITHDRAWN),
    ).rowcount  # fmt: skip
    assert taken == 1, "a right that was settled is withdrawn"
    return line


def _record(
    connection: Connection, poll: str, station: str, lines: Sequence[Line], rule: Rule | None, key: Ed25519PrivateKey,
    at: datetime, final: Sequence[str],
) -> None:  # fmt: skip
    cur = cursor(connection)
    before, _ = counted(connection, poll, station)
    row = cur.execute(
        "SELECT count(DISTINCT d.entry) AS entries FROM pollbook_envelope d JOIN pollbook_log l ON l.id = d.log "
        "WHERE d.poll = %s AND l.station = %s",
        (poll, station),
    ).fetchone()
    entry = f"{ENVELOPES}/{station}/{(row.entries if row else 0) + 1}"
    yes: list[str] = []
    no: dict[str, list[str]] = {}
    for line in lines:
        one = line.at
        sealed = envelope_commitment(one.log, one.n, one.id, one.entitlement)
        (yes if line.counts else no.setdefault(line.check, [])).append(sealed)
        cur.execute(
            "INSERT INTO pollbook_envelope (poll, log, n, entitlement, counts, number, final, by, decided, entry) "
            "SELECT %s, id, %s, %s, %s, %s, %s, %s, %s, %s FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)",
            (
                poll,
                one.n,
                one.entitlement,
                line.counts,
                line.check,
                bool(final),
                [name.strip() for name in final],
                at,
                entry,
                poll,
                station,
                one.log.generation,
            ),
        )
    said = Rule("none", "") if rule is None else rule
    body = {
        "station": station,
        "rule": {"two": said.two, "cite": said.cite},
        "final": bool(final),
        "counted": sorted(yes),
        "refused": {check: sorted(some) for check, some in sorted(no.items())},
        "used": before + len(yes),
    }
    record.append(connection, poll, [sign_entry(Entry(poll, ENVELOPES, entry, at.isoformat(), COMMISSION, body), key)])
