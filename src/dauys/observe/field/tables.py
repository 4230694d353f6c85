"""What does a table of many reports say? CSV with tolerant headers, a fault for each row that has one, all rows or none.

A table is of one form. A row is one report: the columns `station`, `observer`, as needed `form` (to be sure), `contest`,
`written`, `key`, and the fields of the form.
Columns go by their name or by a label in any of the three languages, whatever their case and order; what no form asks is listed
and not read. A table is looked at first (`preview`); it is taken whole, or, while a row has a fault, not at all (`take_table`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dauys.errors import BadInput
from dauys.observe.field.forms import PROTOCOL, Form, form_of
from dauys.observe.field.intake import Incoming, check, poll_of, take
from dauys.observe.known.model import Mission
from dauys.observe.known.official import Official
from dauys.observe.known.reports import Report
from dauys.observe.office.visit import Keeping

LARGEST, MOST_ROWS = 2 << 20, 5_000
"""Bytes and rows of one table."""

_ABOUT = {
    "station": ("station", "polling station", "участок", "избирательный участок", "уик", "учаске", "сайлау учаскесі"),
    "observer": ("observer", "observer id", "наблюдатель", "байқаушы"),
    "form": ("form", "форма", "бланк", "нысан"),
    "contest": ("contest", "question", "вопрос", "сұрақ"),
    "written": ("written", "time written", "moment", "написано", "момент", "жазылған уақыты"),
    "key": ("key", "id", "ключ", "кілт"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table (the header is row 1): what it would come in as, or its fault; `flags` are what it would raise."""

    number: int
    station: str
    observer: str
    form: str
    flags: tuple[str, ...] = ()
    there: bool = False
    fault: BadInput | None = None
    incoming: Incoming | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a table would bring. `unread` are its columns that nobody asks for; `encoding` is how it was read."""

    rows: tuple[Row, ...]
    unread: tuple[str, ...]
    encoding: str

    @property
    def faults(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.fault is not None)


def preview(
    keep: Keeping, data: bytes, form: str, at: datetime, official: Official | None = None, contest: str = ""
) -> Preview:
    """What a table would bring, row by row, and nothing is taken. `form` and `contest` hold for rows that name none.

    Raises BadInput O.118 for a table that cannot be read at all.
    """
    text, encoding = decode(data)
    mission = keep.mission
    header, lines = _cells(text)
    columns, unread = _columns(header, form_of(form, poll_of(mission, official), contest))
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for number, cells in lines:
        rows.append(_row(number, cells, columns, mission, keep, form, contest, at, official, seen, len(header)))
    if not rows:
        raise _fault("the table has a header and no rows", found=header[0], expected="a row for each report")
    return Preview(tuple(rows), unread, encoding)


def take_table(
    keep: Keeping, data: bytes, form: str, at: datetime, official: Official | None = None, contest: str = ""
) -> list[Report]:
    """Takes every row in; gives the reports that were not there before. Raises BadInput, and then nothing was taken."""
    with keep.acting():
        found = preview(keep, data, form, at, official, contest)
        for row in found.faults:
            fault = row.fault
            assert fault is not None
            raise BadInput(
                f"nothing was taken: {fault.message}", row=row.number, field=fault.field, found=fault.found,
                expected=fault.expected, check=fault.check,
            )  # fmt: skip
        return [
            take(keep, row.incoming, at, official) for row in found.rows if row.incoming is not None and not row.there
        ]


def decode(data: bytes) -> tuple[str, str]:
    """The text of a table, and its encoding: UTF-8, UTF-16 with its mark, else Windows-1251. Raises BadInput O.118."""
    if len(data) > LARGEST:
        raise _fault("the table is too large", found=f"{len(data):,} bytes", expected=f"at most {LARGEST:,}")
    names = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1251"]
    for name in names:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, name
    raise _fault("this is not a text table", found=data[:8].hex(" "), expected="CSV in UTF-8")


def _cells(text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header and the rows that are not blank, with their numbers."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    first = text.partition("\n")[0]
    if not first.strip():
        raise _fault("the table is empty", found="nothing", expected="a header and a row for each report")
    rows = csv.reader(io.StringIO(text), delimiter=max(";,\t", key=first.count), strict=True)

    def numbered() -> Iterator[tuple[int, list[str]]]:
        try:
            for number, cells in enumerate(rows, 2):
                if number > MOST_ROWS + 1:
                    raise _fault("the table has too many rows", found=number - 1, expected=f"at most {MOST_ROWS:,}")
                if any(cell.strip() for cell in cells):
                    yield number, [cell.strip() for cell in cells]
        except csv.Error as error:
            raise _fault(
                f"a row cannot be read: {error}", found=rows.line_num, expected="quotes that are closed"
            ) from None

    try:
        header = [cell.strip() for cell in next(rows)]
    except csv.Error as error:
        raise _fault(f"the header cannot be read: {error}", found=first[:40], expected="names of columns") from None
    return header, numbered()


def _columns(header: list[str], form: Form) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each of our names stands. Raises BadInput O.118 for a column that is missing or there twice."""
    known = {_label(label): name for name, labels in _ABOUT.items() for label in labels}
    for field in form.fields:
        labels = (field.id, field.id.replace("_", " "), *field.names.values(), *field.words)
        known |= (
            {_label(label): field.id for label in labels if _label(label) not in known} if field.kind != "photo" else {}
        )
    places: dict[str, int] = {}
    unread = []
    for place, label in enumerate(header):
        name = known.get(_label(label))
        if name is None:
            unread.append(label)
        elif name in places:
            raise _fault(f"two columns mean {name}", found=f"{header[places[name]]}, {label}", expected="one of them")
        else:
            places[name] = place
    if "station" not in places:
        raise _fault("no column says which station", found=", ".join(header), expected="a column station")
    return places, tuple(unread)


def _row(
    number: int, cells: list[str], columns: Mapping[str, int], mission: Mission, keep: Keeping, form: str, contest: str,
    at: datetime, official: Official | None, seen: dict[str, int], width: int,
) -> Row:  # fmt: skip
    def cell(name: str) -> str:
        place = columns.get(name, len(cells))
        return cells[place] if place < len(cells) else ""

    station, named = cell("station"), cell("form") or form
    there = mission.assigned.get(station, ())
    observer = cell("observer") or (there[0] if len(there) == 1 else "")
    try:
        if len(cells) > width and any(cells[width:]):
            raise _fault("the row has more cells than the header", found=len(cells), expected=f"{width}")
        if named != form:
            raise _fault("this row is of another form than the table", found=named, expected=form)
        chosen = form_of(named, poll_of(mission, official), cell("contest") or contest)
        answers = {field.id: cell(field.id) for field in chosen.fields if field.id in columns}
        contest = (cell("contest") or contest) if chosen.id == PROTOCOL else ""
        told = json.dumps([station, observer, chosen.id, contest, cell("written"), answers])
        key = cell("key") or "csv:" + hashlib.sha256(told.encode()).hexdigest()[:32]
        if key in seen:
            raise _fault(f"the same report stands in row {seen[key]}", found=key, expected="each once")
        seen[key] = number
        incoming = Incoming(key, observer, station, chosen.id, answers, "csv", contest, cell("written"))
        checked = check(mission, keep, incoming, at, official)
    except BadInput as fault:
        return Row(number, station, observer, named, fault=fault)
    flags = checked.there.flags if checked.there else tuple(checked.body["flags"])
    return Row(number, station, observer, named, flags, checked.there is not None, incoming=incoming)


def _label(text: str) -> str:
    """A label as it is compared: without case, marks and blanks."""
    return re.sub(r"[\W_]+", " ", text.casefold().replace("ё", "е")).strip()


def _fault(message: str, *, found: object, expected: str) -> BadInput:
    return BadInput(message, found=found, expected=expected, check="O.118")
