"""What do a table of copies and a table of published protocols say? CSV with one row a station, read strictly.

The columns of copies are `station`, `contest` (where there are several), `photos` (SHA-256, with blanks between) and the fields
of the protocol; an empty cell was not read. Those of an official table are the ones of a bundle's `stations.csv`, or any with
`station` and fields.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from dauys.errors import BadInput
from dauys.observe.compare.standing import Book, Copy
from dauys.observe.known.official import Published
from dauys.registers.blocks import blocks, decode
from dauys.registers.cells import number_fault

BESIDE = ("station", "contest", "photos")
ABOUT = ("station", "area", "contest", "state", "version", "entry", "checks", "listed", "nature")
"""Columns of a table of protocols that are no fields."""
_HASH = re.compile("[0-9a-f]{64}")


def read_copies(
    path: Path, fields: Sequence[str], contests: Sequence[str], contest: str | None = None
) -> dict[tuple[str, str], Copy]:
    """The copies by (contest, station). `contest` is taken where the table has no such column.

    Raises BadInput: an unknown column (O.152), a number that is none (F.01x), a station twice with different values (O.155).
    """
    header, rows = _table(path)
    for name in header:
        if name not in BESIDE and name not in fields:
            raise BadInput(
                "the protocol has no such field", file=path, row=1, field=name,
                expected=", ".join((*BESIDE, *fields)), check="O.152",
            )  # fmt: skip
    if not set(header) & set(fields):
        raise BadInput(
            "no column is a field of the protocol", file=path, row=1, expected=", ".join(fields), check="O.152"
        )
    if "contest" not in header and contest is None and len(contests) > 1:
        raise BadInput("which contest are these copies of?", file=path, expected=f"--contest {' or '.join(contests)}")
    found: dict[tuple[str, str], Copy] = {}
    first: dict[tuple[str, str], int] = {}
    for number, row in rows:
        cells = dict(zip(header, row, strict=True))
        of = cells.get("contest", "").strip() or contest or contests[0]
        if of not in contests:
            raise BadInput(
                "there is no such contest",
                file=path,
                row=number,
                field="contest",
                found=of,
                expected=", ".join(contests),
            )
        key = of, _station(path, number, cells)
        values = _values(path, number, cells, fields)
        copy = Copy(values, _photos(path, number, cells.get("photos", "")))
        if key in found and found[key].values != values:
            raise BadInput(
                f"the station stands in row {first[key]} with other numbers: settle which copy holds",
                file=path, row=number, field="station", found=key[1], expected="one copy of each station", check="O.155",
            )  # fmt: skip
        found[key] = copy
        first.setdefault(key, number)
    return found


def read_book(path: Path, contest: str | None = None) -> Book:
    """The protocols of one contest that a table publishes. A row whose `state` is not `accepted` is in no sum.

    Raises BadInput: no column of fields, a station twice, a number that is none.
    """
    header, rows = _table(path)
    fields = tuple(name for name in header if name not in ABOUT)
    if not fields:
        raise BadInput(
            "no column is a field of a protocol", file=path, row=1, expected="columns such as participated, yes"
        )
    taken = [(number, dict(zip(header, row, strict=True))) for number, row in rows]
    names = sorted({cells["contest"] for _, cells in taken}) if "contest" in header else [contest or "contest"]
    if contest is None and len(names) > 1:
        raise BadInput("the table has several contests", file=path, expected=f"--contest {' or '.join(names)}")
    chosen = contest or names[0]
    if chosen not in names:
        raise BadInput("the table has no such contest", file=path, found=chosen, expected=", ".join(names))
    published: dict[str, Published] = {}
    areas: dict[str, str] = {}
    annulled: set[str] = set()
    for number, cells in taken:
        if cells.get("contest", chosen) != chosen:
            continue
        station, state = _station(path, number, cells), cells.get("state", "accepted")
        if station in areas:
            raise BadInput(
                "a station twice in the official table", file=path, row=number, found=station, expected="once"
            )
        areas[station] = cells.get("area", "")
        if state in ("annulled", "repeat-pending"):
            annulled.add(station)
        values = _values(path, number, cells, fields)
        if values and state != "missing":
            entry = cells.get("entry", "").strip()
            index = int(entry) if entry.isascii() and entry.isdecimal() else -1
            published[station] = Published(
                values, index, "", state == "accepted", tuple(cells.get("checks", "").split())
            )
    return Book(chosen, fields, published, areas, frozenset(annulled))


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the rows with their numbers. Raises BadInput F.001 to F.010."""
    data = b"".join(blocks(path))
    text = decode(data, path, 1)
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        header = [label.strip() for label in next(reader)]
        rows = list(enumerate(reader, 2))
    except csv.Error as error:
        raise BadInput(f"the row cannot be read: {error}", file=path, row=reader.line_num, check="F.008") from None
    if twice := sorted({label for label in header if header.count(label) > 1}):
        raise BadInput("two columns have the same name", file=path, row=1, found=twice[0], check="F.007")
    if "station" not in header:
        raise BadInput("there is no column station", file=path, row=1, found=", ".join(header), check="F.010")
    if not rows:
        raise BadInput("the file has a header and no rows", file=path, check="F.003", expected="at least one row")
    for number, row in rows:
        if len(row) != len(header):
            message = "the row does not have as many fields as the header"
            raise BadInput(message, file=path, row=number, check="F.008", expected=f"{len(header)} fields")
    return header, rows


def _station(path: Path, number: int, cells: Mapping[str, str]) -> str:
    station = cells["station"].strip()
    if not station:
        raise BadInput("the cell is empty", file=path, row=number, field="station", check="F.011")
    return station


def _values(path: Path, number: int, cells: Mapping[str, str], fields: Collection[str]) -> dict[str, int]:
    """The numbers of a row; a field whose cell is empty is left out."""
    values = {}
    for name in fields:
        text = cells.get(name, "").strip()
        if not text:
            continue
        if (fault := number_fault(text)) is not None:
            raise BadInput(fault[1], file=path, row=number, field=name, found=text, check=fault[0])
        values[name] = int(text)
    return values


def _photos(path: Path, number: int, text: str) -> tuple[str, ...]:
    photos = tuple(text.split())
    for one in photos:
        if _HASH.fullmatch(one) is None:
            raise BadInput(
                "this is no hash of a photo", file=path, row=number, field="photos", found=one,
                expected="SHA-256, 64 digits 0-9 a-f", check="O.156",
            )  # fmt: skip
    return photos
