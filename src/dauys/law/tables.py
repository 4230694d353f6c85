"""What does a small CSV table say, row by row? The strict reader for tables of a pack and tables typed by people.

UTF-8 without byte order mark, commas, one header row. Whatever is not expected is a `BadInput` that names file, row and
field, what was found and what was expected. Rows are numbered as a spreadsheet shows them: the header is row 1.
Bulk protocols go another way (`dauys.stations`): this reader keeps the whole table in memory.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

from dauys.errors import BadInput
from dauys.law.files import Node, read_text

LARGEST = 10**10
"""No table counts more people than there are."""

_DIGITS = re.compile(r"[0-9]{1,11}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column, stripped of nothing. An empty cell is the empty text."""

    file: str
    number: int
    cells: dict[str, str]

    def __contains__(self, column: object) -> bool:
        """Whether the column exists and the cell is not empty."""
        return bool(self.cells.get(str(column)))

    def fail(
        self, message: str, *, field: str | None = None, found: object = None, expected: str | None = None
    ) -> NoReturn:
        """Refuse this row: raises `BadInput`."""
        raise BadInput(message, file=self.file, row=self.number, field=field, found=found, expected=expected)

    def text(self, column: str) -> str:
        """The cell; an empty one is refused."""
        if column not in self:
            self.fail("the cell is empty", field=column, expected="a value")
        return self.cells[column]

    def integer(self, column: str) -> int:
        """A whole number from 0 to `LARGEST` in plain digits."""
        text = self.text(column)
        if not _DIGITS.fullmatch(text) or int(text) > LARGEST:
            self.fail(
                "not such a number",
                field=column,
                found=text,
                expected=f"a whole number from 0 to {LARGEST} in digits only, without separators, sign or spaces",
            )
        return int(text)

    def date(self, column: str) -> datetime.date | None:
        """A day as YYYY-MM-DD; None when the cell is empty."""
        if column not in self:
            return None
        try:
            return Node.of(self.cells[column]).date()
        except BadInput as error:
            self.fail(error.message, field=column, found=error.found, expected=error.expected)

    def fraction(self, column: str) -> Fraction:
        """An exact number like `1` or `1/2`."""
        try:
            return Node.of(self.text(column)).fraction()
        except BadInput as error:
            self.fail(error.message, field=column, found=error.found, expected=error.expected)

    def timezone(self, column: str) -> str:
        """The name of a time zone, `Asia/Almaty`."""
        try:
            return Node.of(self.text(column)).timezone()
        except BadInput as error:
            self.fail(error.message, field=column, found=error.found, expected=error.expected)

    def choice(self, column: str, *allowed: str) -> str:
        """One of the `allowed` words."""
        text = self.text(column)
        if text not in allowed:
            self.fail("unknown value", field=column, found=text, expected=f"one of: {', '.join(allowed)}")
        return text


def read_table(path: Path, required: Iterable[str], optional: Iterable[str] = ()) -> list[Row]:
    """All rows of a CSV file that has all of the `required` columns and none but those and the `optional` ones."""
    required, optional = tuple(required), tuple(optional)
    records = _records(path)
    if not records:
        raise BadInput("the file is empty", file=path, expected=f"a header with: {', '.join(required)}")
    header = records[0]
    _check_header(path, header, required, optional)
    rows = []
    for number, record in enumerate(records[1:], start=2):
        if not record:
            continue
        if len(record) != len(header):
            raise BadInput("wrong number of cells", file=path, row=number, found=len(record), expected=str(len(header)))
        rows.append(Row(str(path), number, dict(zip(header, record, strict=True))))
    return rows


def _records(path: Path) -> list[list[str]]:
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    records: list[list[str]] = []
    try:
        records.extend(reader)
    except csv.Error as error:
        raise BadInput(f"not readable as CSV: {error}", file=path, line=reader.line_num) from None
    return records if any(records) else []


def _check_header(path: Path, header: list[str], required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    allowed = ", ".join((*required, *optional))
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        raise BadInput("wrong separator", file=path, row=1, found=header[0], expected="columns separated by commas")
    for name in header:
        if name not in required and name not in optional:
            raise BadInput("unknown column", file=path, row=1, found=name, expected=f"one of: {allowed}")
        if header.count(name) > 1:
            raise BadInput("this column is there twice", file=path, row=1, found=name, expected="each column once")
    for name in required:
        if name not in header:
            raise BadInput(
                f"the column {name} is missing",
                file=path,
                row=1,
                found=", ".join(header),
                expected=f"all of: {', '.join(required)}",
            )
