"""Which lines of a table are no rows at all? For who wants every other row of the file, and a list of those.

A line has too few fields or too many, is blank, has a quote that is never closed, or is not UTF-8. In its place stands a row
without anything in it, so that the numbers of the rows after it are right. A row is one line: a line end inside quotes ends it.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from dauys.registers.blocks import bare, decode

_LINE_END, _RETURN = b"\n\r"


def is_ragged(block: bytes, separator: str, width: int) -> bool:
    """Whether some line is seen at once to be no row. Of two that make up for each other the reader of rows will hear."""
    plain = bare(block)
    if b'"' in plain:
        return True
    text = np.frombuffer(plain, np.uint8)  # which counts a byte that is often there faster than `bytes.count`
    ends = np.flatnonzero(text == _LINE_END)
    if len(ends) != np.count_nonzero(np.frombuffer(block, np.uint8) == _LINE_END):
        return True
    lengths = np.diff(ends, prepend=-1) - 1
    blank = (lengths == 0) | ((lengths == 1) & (text[ends - 1] == _RETURN))
    return bool(blank.any() or np.count_nonzero(text == ord(separator)) != len(ends) * (width - 1))


def mend(block: bytes, first_row: int, separator: str, width: int, path: Path) -> tuple[bytes, dict[int, str]]:
    """The block with an empty row in place of each line that is none; and which rows these are, and what is wrong.

    Raises BadInput F.004 where most lines are not UTF-8: then it is the file that is in another encoding.
    """
    lines = block.removesuffix(b"\n").split(b"\n")
    mark = separator.encode()
    whole = _is_text(block)
    broken: dict[int, str] = {}
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
            broken[first_row + place] = found
    if foreign * 2 > len(lines):
        decode(block, path, first_row)
    return b"\n".join(lines) + b"\n", broken


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
