"""Which cell of a table cannot be taken, and why: the slow and exact second look at a block that failed to parse."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from dauys.errors import BadInput
from dauys.registers.blocks import decode
from dauys.registers.columns import Layout

LARGEST = 10**9
"""No count of ballots or voters in one row is larger (F.015)."""

LONGEST = 18
"""Digits of a number, zeros before it included."""

_WHOLE = re.compile(r" *[+-]?[0-9]+", re.ASCII)
_GROUPED = re.compile(r"\s*[+-]?\d{1,3}(?:[\s,.'’]\d{3})+\s*")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_DECIMAL = re.compile(r"\s*[+-]?\d*[.,]\d*\s*")


def not_text(text: str) -> bool:
    """Whether it has a character that no database and no UTF-8 holds: NUL, or half of a surrogate pair."""
    return _NO_TEXT.search(text) is not None


def number_fault(text: str) -> tuple[str, str] | None:
    """Why a text is not a count (a whole number from 0 to 10**9): (number of the check, what to do); None if it is."""
    if _WHOLE.fullmatch(text):
        digits = text.lstrip(" +-")
        if "-" in text and digits.strip("0"):
            return "F.014", "a count is never negative"
        too_large = len(digits) > LONGEST or int(digits) > LARGEST
        return ("F.015", "the number is too large to be a count") if too_large else None
    if not text.strip():
        return "F.011", "the cell is empty"
    if _GROUPED.fullmatch(text):
        return "F.012", "write the number without separators between thousands"
    if _DECIMAL.fullmatch(text) and any(c.isdigit() for c in text):
        return "F.013", "ballots and voters are whole: write the number without a decimal part"
    return "F.016", "this is not a number"


def explain(block: bytes, first_row: int, separator: str, layout: Layout, file: Path) -> BadInput:
    """The first fault of a block, by row and then by our order of fields. Call it only for a block that has one."""
    text = decode(block, file, first_row)
    width = len(layout.header)
    row = first_row
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row, cells in enumerate(rows, first_row):
            if len(cells) != width:
                return _ragged(file, row, cells, width)
            fault = row_fault(cells, layout, file, row)
            if fault is not None:
                return fault
    except csv.Error as error:  # a field of more than 131,072 characters
        return BadInput(f"the row cannot be read: {error}", file=file, row=first_row + rows.line_num - 1, check="F.008")
    return BadInput(
        "a quote stands inside a field",
        file=file,
        row=next((n for n, line in enumerate(text.split("\n"), first_row) if '"' in line), row),
        check="F.008",
        expected='the whole field in quotes and each " inside it doubled',
    )


def row_fault(cells: Sequence[str], layout: Layout, file: Path | None, row: int) -> BadInput | None:
    """The first fault of one row of texts."""
    for name, places in layout.places.items():
        for place in places:
            cell = cells[place]
            if name in layout.numbers:
                fault = None if cell == "" and name in layout.optional else number_fault(cell)
            else:
                fault = ("F.011", "the cell is empty") if cell == "" and name not in layout.optional else None
                if not_text(cell):
                    fault = ("F.005", "this is not text: it has a character that no text has")
            if fault is not None:
                check, message = fault
                expected = f"a whole number from 0 to {LARGEST}" if name in layout.numbers else "a text"
                return BadInput(
                    message, file=file, row=row, field=layout.header[place], found=cell, expected=expected, check=check
                )
    return None


def _ragged(file: Path, row: int, cells: Sequence[str], width: int) -> BadInput:
    found = "a blank line" if not cells else f"{len(cells)} fields"
    return BadInput(
        "the row does not have as many fields as the header",
        file=file,
        row=row,
        check="F.008",
        found=found,
        expected=f"{width} fields",
    )
