"""How does a file of voters come onto the roll? Every bad row into a list, the good ones into a change set that is held.

Nothing takes effect here: the set waits until a second person has decided (`roll.changes`). A file that is no table, or lacks
a column, is refused whole (registers.parts); a row that is wrong is not, nor a line that is no row at all (registers.broken).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from dauys.errors import BadInput, DauysError
from dauys.registers.blocks import BLOCK
from dauys.registers.columns import Source
from dauys.registers.parts import read_parts
from dauys.roll.bad_list import BadList, look_at_place
from dauys.roll.bulk import copy_rows, loading
from dauys.roll.iin import LENGTH, Numbers, masked
from dauys.roll.packing import VERSION, Packing
from dauys.roll.parallel import cores, mapped
from dauys.roll.rows import COLUMNS, OPTIONAL, Fault, Seen, Terms
from dauys.roll.taking import Taken, Taking
from dauys.roll.unread import UNKNOWN, shown_nothing, unread
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

MANY_BYTES, PROCESS_BYTES = 32 << 20, 160 << 20
"""A file of this size is worth indexes built afterwards; and of that size, more processes than one."""

HEADER_FAULTS = frozenset({f"F.{number:03}" for number in (*range(1, 11), 16)})
NAMED = 10
"""So many other rows of an IIN are named: a placeholder may stand in thousands."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of a file: the set that is held (None: no good row), its rows, and the counts of each check raised.

    `rows` = `taken` + `bad` + `not_yet`. `checks` counts faults, of which a row may have several.
    """

    set_id: int | None
    rows: int
    taken: int
    bad: int
    not_yet: int
    checks: Mapping[str, int]
    bad_file: Path | None

    def to_json(self) -> dict[str, Any]:
        return {
            "set": self.set_id,
            "rows": self.rows,
            "taken": self.taken,
            "bad": self.bad,
            "not_yet": self.not_yet,
            "checks": dict(self.checks),
            "bad_file": None if self.bad_file is None else str(self.bad_file),
        }


class _Reading:
    """What is counted and listed while a file streams by."""

    def __init__(self, listed: BadList) -> None:
        self.listed = listed
        self.taken = self.bad = self.not_yet = 0
        self.seen = Seen()
        self.iins: list[Numbers] = []
        self.first_row = 1

    def good_rows(self, parts: Iterable[Taken]) -> Iterator[bytes]:
        """The good rows of a file's parts, packed; the others are listed."""
        for part in parts:
            self.first_row = self.first_row if self.iins else part.first_row
            rows = part.without(self.seen.again(part.iins, part.iins > 0))
            self.iins.append(rows.iins)
            self.taken += len(rows.packed.ends)
            self.bad += int(rows.bad.sum())
            self.not_yet += int(rows.late.sum())
            self.listed.add(rows.faults)
            yield rows.packed.data

    def twins(self) -> set[str]:
        """Lists every row whose IIN came more than once, each with the others, and returns these IINs."""
        twice = self.seen.twice()
        if not len(twice):
            return set()
        iins = np.concatenate(self.iins)
        rows: dict[str, list[int]] = {}
        for place in np.flatnonzero(np.isin(iins, twice)).tolist():
            rows.setdefault(str(iins[place]).zfill(LENGTH), []).append(self.first_row + place)
        for iin, places in rows.items():
            for row in places:
                others = [other for other in places[: NAMED + 1] if other != row][:NAMED]
                more = len(places) - 1 - len(others)
                named = ", ".join(map(str, others)) + (f" and {more} more" if more else "")
                self.listed.add([Fault(row, "iin", "R.009", masked(iin), f"also in row {named}")])
        return set(rows)


def bring(
    connection: Connection, vault: Vault, path: Path, stations: Mapping[str, str], *, day: date, by: str, at: datetime,
    bad_file: Path, kind: str = "import", source: str = "", columns: Mapping[str, Source] | None = None,
    processes: int | None = None, looked: bool = False,
) -> Brought:  # fmt: skip
    """Reads a file of voters (columns `rows.COLUMNS`, or mapped by `columns`) into a new set, which is held.

    `stations` are the known ones with their areas; `day` is the poll's, on which everyone must be 18. Bad rows go to
    `bad_file` (row, field, check, what, found: masked), which is made only where there are any. `by` brings it in, `at` is now.
    `looked`: who calls this has called `look_at` before. In the caller's transaction. Raises BadInput as that does.
    """
    mapping: dict[str, Source] = {name: name for name in COLUMNS} | dict(columns or {})
    if not looked:
        look_at(path, mapping, bad_file)
    size = path.stat().st_size
    workers = (cores() if size >= PROCESS_BYTES else 0) if processes is None else processes
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    set_id = new_set(connection, by, at, kind, source or path.name, day, sha256)
    taking = Taking(Terms(stations, day, at.date(), source or path.name), Packing(vault, set_id))
    reading = _Reading(BadList(bad_file))
    try:
        with loading(connection, "voter", size >= MANY_BYTES) as fresh:
            parts = mapped(taking, read_parts(path, mapping, COLUMNS), workers)
            copy_rows(connection, "voter", VERSION, reading.good_rows(shown_nothing(parts)), fresh)
            gone = _take_back(connection, vault, set_id, reading.twins())
        reading.listed.end()
    finally:
        reading.listed.drop()
    found = Brought(
        set_id=set_id if reading.taken > gone else None,
        rows=reading.taken + reading.bad + reading.not_yet,
        taken=reading.taken - gone,
        bad=reading.bad + gone,
        not_yet=reading.not_yet,
        checks=dict(sorted(reading.listed.checks.items())),
        bad_file=bad_file if reading.listed.checks else None,
    )
    if found.set_id is None:
        connection.execute(sa.text("DELETE FROM roll_set WHERE id = :id"), {"id": set_id})
    else:
        summary = json.dumps({name: value for name, value in found.to_json().items() if name != "bad_file"})
        connection.execute(
            sa.text("UPDATE roll_set SET summary = :summary WHERE id = :id"), {"id": set_id, "summary": summary}
        )
    return found


def new_set(
    connection: Connection, by: str, at: datetime, kind: str, source: str, day: date, sha256: str | None = None
) -> int:
    """A new, empty change set, held; its number. `day`: everyone who comes into it is 18 then. Raises DauysError for no name."""
    if not by.strip():
        raise DauysError("who brings these voters? a name is needed: another one has to approve them")
    made = connection.scalar(
        sa.text(
            "INSERT INTO roll_set (made, by, kind, source, sha256, day) "
            "VALUES (:at, :by, :kind, :source, :sha256, :day) RETURNING id"
        ),
        {"at": at, "by": by, "kind": kind, "source": source, "sha256": sha256, "day": day},
    )
    assert isinstance(made, int)
    return made


def add_versions(connection: Connection, vault: Vault, set_id: int, rows: Sequence[Mapping[str, str]]) -> None:
    """Versions of a few voters into a held set: mappings of COLUMNS and `area` to text, already checked by who calls."""
    names = (*COLUMNS, "area")
    frame = pl.DataFrame(
        {name: [row.get(name, "") for row in rows] for name in names}, schema=dict.fromkeys(names, pl.String)
    )
    copy_rows(connection, "voter", VERSION, [Packing(vault, set_id)(frame).data], fresh=False)


def look_at(path: Path, columns: Mapping[str, Source] | None, bad_file: Path) -> None:
    """Refuses a file of voters that is no table, or lacks a column that every row needs; its rows are looked at later, each by
    itself. Or a place where the list of bad rows cannot be written. Raises BadInput.
    """
    _look_at_header(path, {name: name for name in COLUMNS} | dict(columns or {}))
    look_at_place(bad_file)


def _look_at_header(path: Path, mapping: Mapping[str, Source]) -> None:
    if (fault := _header_fault(path, mapping, ())) is not None and fault.check in HEADER_FAULTS:
        whole = fault.check == UNKNOWN and _header_fault(path, mapping, None) is None
        raise unread(fault, {str(fault.found)} if whole else COLUMNS)


def _header_fault(path: Path, mapping: Mapping[str, Source], ignore: Sequence[str] | None) -> BadInput | None:
    try:
        next(read_parts(path, mapping, OPTIONAL, ignore=ignore, size=BLOCK)).read()
    except BadInput as fault:
        return fault
    return None


def _take_back(connection: Connection, vault: Vault, set_id: int, iins: Iterable[str]) -> int:
    """Takes rows out of a set that is being made; how many were in it."""
    ids = [vault.voter(iin).hex() for iin in iins]
    if not ids:
        return 0
    gone = connection.execute(
        sa.text("DELETE FROM voter WHERE set_id = :set AND voter = ANY(CAST(:ids AS uuid[]))"),
        {"set": set_id, "ids": ids},
    )
    return gone.rowcount
