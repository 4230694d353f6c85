"""Which lines of a table are no rows at all? For who wants every other row of the file, and a list of those.

A line has too few fields or too many, is blank, has a quote that is never closed, or is not UTF-8. In its place stands a row
without anything in it, so that the numbers of the rows after it are right. A row is one line: a line end inside quotes ends it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from dauys.registers.blocks import bare, decode

Broken = Callable[[int, str], None]
"""Called with the row in the file and what is wrong with it."""


def is_ragged(block: bytes, separator: str, width: int) -> bool:
    """Whether some line is seen at once to be no row. Of two that make up for each other the reader of rows will hear."""
    plain, rows = bare(block), block.count(b"\n")
    odd = b'"' in plain or plain.count(b"\n") != rows or b"\n\n" in plain or b"\n\r\n" in plain
    return odd or plain.count(separator.encode()) != rows * (width - 1)


def mend(block: bytes, first_row: int, separator: str, width: int, path: Path, broken: Broken) -> bytes:
    """The block with an empty row in place of each line that is none; `broken` hears of each.

    Raises BadInput F.004 where most lines are not UTF-8: then it is the file that is in another encoding.
    """
    lines = block.removesuffix(b"\n").split(b"\n")
    mark = separator.encode()
    whole = _is_text(block)
    foreign = 0
    for place, line in enumerate(lines):
        found = None
        if not whole and not _is_text(line):
            found, foreign = "not UTF-8", foreign + 1
        elif b'"' in line:
            lines[place], found = _quoted(line.decode(), separator, width)
        elif (fields := line.count(mark) + 1) != width or not line.strip():
            found = "a blank line" if not line.strip() else f"{fields} fields, {width} expected"
        if found is not None:
            lines[place] = mark * (width - 1)
            broken(first_row + place, found)
    if foreign * 2 > len(lines):
        decode(block, path, first_row)
    return b"\n".join(lines) + b"\n"


def _quoted(line: str, separator: str, width: int) -> tuple[bytes, str | None]:
    """A line with quotes, written anew; and what is wrong with it."""
    try:
        cells = next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        return b"", "a quote that is not closed, or stands inside a field"
    if len(cells) != width:
        return b"", f"{len(cells)} fields, {width} expected"
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="").writerow(cells)
    return text.getvalue().encode(), None


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
