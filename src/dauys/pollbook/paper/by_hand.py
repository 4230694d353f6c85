"""What did the officers of a lost machine sign on paper, and how does it become a log? Typed in twice, signed by the commission.

When a machine is gone, the officers go on by hand on the newest print: beside a voter's name stands who handed him his ballot.
Two people at the centre each type those lines, into a file (columns `iin`, `officer`, optionally `channel`) or at the desk
(`two_typists`), and neither sees the other's; only what both typed alike is taken. The lines become check-ins of a log of their
own, whose generation says of which machine it is the paper (`LogId.paper`), signed with the commission's key. That log uses
rights which the lost machine held, and nothing else; it has no end and gives nothing on, so that whatever is not on the paper
stays in doubt, as before. What is taken back is the lost machine's again, in the same epoch, as if it had never been typed.

A line whose right is elsewhere is noted all the same: paper is evidence. It raises the alarms that any such check-in raises.

Who handed out the ballot is an officer of that station (`must_be_theirs`).

A line whose check-in the machine had sent is kept, too, and uses nothing (`reported`): once it is found, the machine may take
its check-in back, and the signature stands (`centre.typed`).
"""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.pollbook.centre import take as centre
from dauys.pollbook.centre.locks import lock_log
from dauys.pollbook.centre.packages import officers_of
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.centre.typed import REPORTED, TAKEN_BACK, counted_lines, used_by
from dauys.pollbook.log.events import CHANNEL_LOGS, MAX_BATCH_EVENTS, PAPER, SALT_BYTES, Event, Head, LogId, sign_batch
from dauys.pollbook.rules.channels import MOBILE, OFFICER_ID, POLLING_DAY
from dauys.pollbook.rules.custody import Alarm
from dauys.roll.changes import plain_name
from dauys.roll.free_text import no_iin
from dauys.roll.iin import is_iin
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

COLUMNS = ("iin", "officer", "channel")
CHANNELS = (POLLING_DAY, MOBILE)

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Line:
    """One signature on the paper: whose right (the IIN never leaves this value), and which member handed out the ballot.

    `file`: where it was typed, if that was a file; of two files the first."""

    iin: str
    officer: str
    channel: str
    row: int
    file: Path | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"Line(row={self.row})"


def read_lines(path: Path) -> dict[str, Line]:
    """What one person typed into a CSV file, by IIN. Raises BadInput with row and field; an IIN is never shown."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the typed list cannot be read: {error}", file=path, expected="a CSV file in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text))
    columns = tuple(reader.fieldnames or ())
    if columns not in (COLUMNS, COLUMNS[:2]):
        raise BadInput("other columns than expected", file=path, row=1, expected=",".join(COLUMNS))  # it may be a voter
    lines: dict[str, Line] = {}
    for number, row in enumerate(reader, 2):
        if None in row or None in row.values():
            raise BadInput("the row has not as many cells as the header", file=path, row=number, check="P.049")
        _take_in(lines, number, row["iin"], row["officer"], row.get("channel") or "", path)
    return _some(lines, path)


def lines_of(text: str) -> dict[str, Line]:
    """The same as it is typed at the desk: a line for each signature, with the IIN, the officer's id, and a way to vote."""
    lines: dict[str, Line] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found = _TYPED.fullmatch(line)
            if found is None:
                raise BadInput("the line cannot be read", row=number, expected="IIN officer", check="P.049")
            _take_in(lines, number, found["iin"], found["officer"], found["channel"] or "")
    return _some(lines)


_TYPED = re.compile(r"\s*(?P<iin>\d[\d ]*\d)[\s,;]+(?P<officer>[^\s,;]+)(?:[\s,;]+(?P<channel>[^\s,;]+))?\s*", re.ASCII)


def _take_in(
    lines: dict[str, Line], number: int, iin: str, officer: str, channel: str, file: Path | None = None
) -> None:
    """Adds a line. Raises BadInput."""
    iin, officer, channel = "".join(iin.split()), officer.strip(), channel.strip() or POLLING_DAY
    if not is_iin(iin):
        raise BadInput("this is no IIN: twelve digits, the last one checks the others", file=file, row=number,
                       field="iin", check="P.048")  # fmt: skip
    if not officer or len(officer) > 100 or not officer.isprintable():
        raise BadInput("who handed out the ballot?", file=file, row=number, field="officer", check="P.049")
    try:
        no_iin(officer)  # who hands out ballots stays in the log for good
    except BadInput as fault:
        raise BadInput("an IIN stands here: write the officer's id", file=file, row=number, field="officer",
                       check=fault.check) from None  # fmt: skip
    if re.fullmatch(OFFICER_ID, officer.lower()):
        officer = officer.lower()  # an id has no capitals: who types "M1" means m1
    if channel not in CHANNELS:
        raise BadInput("no such way to vote", file=file, row=number, field="channel",
                       expected=" or ".join(CHANNELS), check="P.049")  # fmt: skip
    if iin in lines:
        raise BadInput(f"the same IIN as in row {lines[iin].row}", file=file, row=number, field="iin", check="P.049")
    lines[iin] = Line(iin, officer, channel, number, file)


def _some(lines: dict[str, Line], file: Path | None = None) -> dict[str, Line]:
    if not lines:
        raise BadInput("no lines", file=file, expected="one row for each signature", check="P.049")
    return lines


def both_typed(first: Path, second: Path) -> list[Line]:
    """The lines that two people typed alike, in the first one's order. Raises BadInput that names what differs, by rows."""
    one, other = read_lines(first), read_lines(second)
    mine, theirs = differing(one, other)
    differ = [f"row {row} of {first.name}" for row in mine] + [f"row {row} of {second.name}" for row in theirs]
    if differ:
        shown = ", ".join(differ[:20]) + (f" and {len(differ) - 20} more" if len(differ) > 20 else "")
        message = f"the two lists differ in {shown}: both look at the paper again, nothing is taken"
        raise BadInput(message, file=second, check="P.059")
    return list(one.values())


def differing(one: Mapping[str, Line], other: Mapping[str, Line]) -> tuple[list[int], list[int]]:
    """Rows of the first list that the other one lacks or has otherwise, and rows of the other that the first one lacks."""
    mine = [line.row for iin, line in one.items() if not _alike(line, other.get(iin))]
    return mine, [line.row for iin, line in other.items() if iin not in one]


def _alike(line: Line, other: Line | None) -> bool:
    return other is not None and (line.officer, line.channel) == (other.officer, other.channel)


@dataclass(frozen=True, slots=True)
class Typing:
    """Who types whose paper: the lost machine's log, two names, the commission's key, and the moment."""

    lost: LogId
    by: tuple[str, str]
    key: Ed25519PrivateKey
    at: datetime

    def __post_init__(self) -> None:
        one, other = map(plain_name, self.by)
        if not one or not other or one == other:
            raise BadInput("two different people type the paper: both names are needed", check="P.058")


@dataclass(frozen=True, slots=True)
class Typed:
    """What came of it: check-ins noted, or taken back; lines whose right that machine had reported as used; lines typed, or
    taken back, before; alarms. `rows`: of each event that was noted, in which row it was typed."""

    log: LogId
    noted: int
    reported: int
    before: int
    alarms: tuple[Alarm, ...]
    rows: Mapping[int, int] = field(default_factory=dict)


def lost_log(connection: Connection, poll: str, station: str, generation: int | None = None) -> LogId:
    """The machine whose paper is typed in: the station's newest lost one, or that of a generation. Raises DauysError."""
    if station in CHANNEL_LOGS:
        raise DauysError(
            "nobody signs on paper at the electronic channel: what its lost machine held waits for its disk"
        )
    row = cursor(connection).execute(
        "SELECT max(generation) AS generation FROM pollbook_log WHERE poll = %(poll)s AND station = %(station)s AND lost "
        "AND generation <= %(paper)s AND generation = coalesce(%(one)s::int, generation)",
        {"poll": poll, "station": station, "paper": PAPER, "one": generation},
    ).fetchone()  # fmt: skip
    if row is None or row.generation is None:
        raise DauysError(
            f"no machine of station {station} is declared lost: dauys pollbook lost {poll} {station} comes first"
        )
    return LogId(poll, station, row.generation)


def must_be_theirs(connection: Connection, lost: LogId, lines: Iterable[Line]) -> None:
    """Whoever is named is an officer of any of the station's packages, also a later one; in whatever role, for paper is evidence.

    What stands in the column is not shown: it may be a voter's name. Where the centre does not know the officers of all its
    packages (`packages.officers_of`), any name is taken. Raises BadInput P.029.
    """
    known = officers_of(cursor(connection), lost.poll, lost.station)
    for line in lines:
        if known is not None and line.officer not in known:
            message = f"station {lost.station} has no such officer: write one of {', '.join(sorted(known))}"
            raise BadInput(message, file=line.file, row=line.row, field="officer", check="P.029")


def type_in(connection: Connection, vault: Vault, lines: Sequence[Line], typing: Typing, random: Random) -> Typed:
    """Takes the lines into the paper log of the lost machine, in the caller's transaction; again changes nothing.

    `random(n)` gives n random bytes, for the salts. Raises BadInput for somebody who is not on the roll of the poll, and as
    `must_be_theirs`.
    """
    lost, cur = typing.lost, cursor(connection)
    must_be_theirs(connection, lost, lines)
    centre.enrol(connection, lost.paper, typing.key.public_key().public_bytes_raw(), typing.at)
    lock_log(cur, lost)  # should it be found just now
    paper, head = _head(cur, lost.paper)
    standing, counted = dict(_standing(cur, lost.paper)), counted_lines(cur, paper)
    rights = [vault.right(lost.poll, vault.voter(line.iin)) for line in lines]
    query = "SELECT id FROM entitlement WHERE poll = %s AND id = ANY(%s) ORDER BY id FOR UPDATE"
    listed = {row.id for row in cur.execute(query, (lost.poll, rights))}
    found = set(used_by(cur, lost, rights))
    events: list[Event] = []
    rows: dict[int, int] = {}
    noted = reported = before = 0
    for line, who in zip(lines, rights, strict=True):
        if who not in listed:
            message = "somebody who is not on the roll of this poll: add him first (dauys roll add)"
            raise BadInput(message, row=line.row, field="iin", check="P.020")
        if who in standing:
            before += 1
            continue
        reported, noted = reported + (who in found), noted + (who not in found)
        if who in found and who in counted:
            continue
        body = {"entitlement": str(who), "channel": line.channel, "officer": line.officer,
                "salt": random(SALT_BYTES).hex(), "typed": list(typing.by)}  # fmt: skip
        # where the right is elsewhere, the line is noted all the same, with its alarms
        events.append(_event(head, events, typing.at, REPORTED if who in found else "check-in", body))
        rows[events[-1].n] = line.row
    return Typed(lost.paper, noted, reported, before, _take(connection, typing, head, events), rows)


def take_back(
    connection: Connection, vault: Vault, lines: Sequence[Line] | None, typing: Typing, reason: str
) -> Typed:  # fmt: skip
    """Takes typed check-ins back: of these lines, or of all that the found log of the machine has as well (None).

    The latter are the same ballots: their lines are kept as those that the machine had reported. `noted` counts check-ins,
    `reported` the lines that were only counted, `before` those that no longer stood. Raises DauysError without a reason,
    BadInput for a line that was never typed in.
    """
    if not reason.strip():
        raise BadInput("why is it taken back? The reason stays in the log", field="reason", check="P.032")
    lost, cur = typing.lost, cursor(connection)
    lock_log(cur, lost)
    paper, head = _head(cur, lost.paper)
    standing, counted = dict(_standing(cur, lost.paper)), counted_lines(cur, paper)
    if lines is None:
        chosen = [(0, who) for who in used_by(cur, lost, list(standing))]
    else:
        chosen = [(line.row, vault.right(lost.poll, vault.voter(line.iin))) for line in lines]
    events: list[Event] = []
    noted = reported = before = 0
    why = {"reason": reason.strip(), "officer": " + ".join(typing.by)}
    for row, who in chosen:
        if who in standing:
            events.append(_event(head, events, typing.at, "undo", {"of": standing[who].n, **why}))
            noted += 1
            if lines is None:
                line = {**standing[who].body, "salt": secrets.token_hex(SALT_BYTES)}
                events.append(_event(head, events, typing.at, REPORTED, line))
        elif who in counted:
            events.append(_event(head, events, typing.at, TAKEN_BACK, {"entitlement": str(who), **why}))
            reported += 1
        elif _noted(cur, lost.paper, who):
            before += 1
        else:
            raise BadInput("this line was not typed in", row=row, field="iin", check="P.031")
    return Typed(lost.paper, noted, reported, before, _take(connection, typing, head, events))


def _event(head: Head, events: Sequence[Event], at: datetime, kind: str, body: dict[str, Any]) -> Event:
    last = events[-1].head if events else head
    return Event(last.n + 1, at.isoformat(timespec="seconds"), kind, body, last.hash)


def _take(connection: Connection, typing: Typing, head: Head, events: Sequence[Event]) -> tuple[Alarm, ...]:
    """As a station's batches are taken, by the same rules."""
    alarms: list[Alarm] = []
    for first in range(0, len(events), MAX_BATCH_EVENTS):
        part = events[first : first + MAX_BATCH_EVENTS]
        batch = sign_batch(typing.lost.paper, head.n + first + 1, part, part[-1].head.hash, typing.key)
        alarms += centre.take(connection, batch, typing.at).alarms
    return tuple(alarms)


def _head(cur: Cursor, log: LogId) -> tuple[int, Head]:
    """The row of a paper's log, locked, and how long it is."""
    row = cur.execute(
        "SELECT id, n, head FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s) FOR UPDATE",
        (log.poll, log.station, log.generation),
    ).fetchone()
    if row is None:
        raise DauysError(f"nothing was typed in for station {log.station} yet")
    return row.id, Head(row.n, row.head)


_EVENTS = (
    "FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log WHERE (l.poll, l.station, l.generation) = (%s, %s, %s) "
)


def _noted(cur: Cursor, log: LogId, who: UUID) -> bool:
    query = f"SELECT 1 {_EVENTS} AND v.kind IN ('check-in', 'reported') AND v.entitlement = %s"
    return cur.execute(query, (log.poll, log.station, log.generation, who)).fetchone() is not None


def _standing(cur: Cursor, log: LogId) -> Iterator[tuple[UUID, Event]]:
    """The typed check-ins that stand, and whose they are."""
    query = f"SELECT v.body {_EVENTS} AND v.kind IN ('check-in', 'undo') ORDER BY v.n"
    events = [Event.from_bytes(bytes(row.body)) for row in cur.execute(query, (log.poll, log.station, log.generation))]
    undone = {event.body["of"] for event in events if event.kind == "undo"}
    for event in events:
        if event.entitlement is not None and event.n not in undone:
            yield event.entitlement, event
