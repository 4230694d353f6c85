"""How is a long table of texts read on several processors? In parts that are yet to be read, each by whoever takes it.

A line that is no row spoils nothing here: in its place comes a row without anything in it, and the part tells of it
(registers.broken). A row is one line, so that the rows of a part have their numbers before it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from dauys.errors import BadInput
from dauys.registers.broken import is_ragged, mend
from dauys.registers.columns import Source, Wanted
from dauys.registers.csv_table import Block, at_row, csv_blocks, no_rows, parse
from dauys.registers.frames import text_of
from dauys.registers.printed import is_printed
from dauys.registers.table import kind_of, read_table

ROWS, BYTES = 60_000, 12 << 20
"""How large a part may be: enough that a process has some work for what is sent to it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Consecutive rows of a table, a column of texts (no nulls) for each field that the table has.

    `first_row` is the row in the file (CSV: the header is row 1; JSON, Parquet: the first is 1). `broken`: which rows are
    lines that were no rows, and what is wrong with each. `printed`: that all characters are printed is known (`is_printed`).
    """

    first_row: int
    frame: pl.DataFrame = field(repr=False)
    broken: Mapping[int, str]
    printed: bool = False

    def read(self) -> Texts:
        """Itself: it is a part that is read already."""
        return self


@dataclass(frozen=True, slots=True)
class Lines:
    """A part of a CSV that is yet to be read; it goes to a process of its own as it is."""

    first_row: int
    block: Block

    def read(self) -> Texts:
        """Raises BadInput F.004 where most lines are not UTF-8: then it is the file that is in another encoding."""
        frame, broken = self._parsed()
        texts = {name: text_of(frame, places) for name, places in self.block.layout.places.items()}
        return Texts(self.first_row, pl.DataFrame(texts), broken, is_printed(self.block.text))

    def _parsed(self) -> tuple[pl.DataFrame, dict[int, str]]:
        block, width = self.block, len(self.block.layout.header)
        if not is_ragged(block.text, block.separator, width):
            try:
                return parse(block, self.first_row, even=True), {}
            except BadInput as fault:
                if fault.check not in ("F.004", "F.008"):
                    raise
        text, broken = mend(block.text, self.first_row, block.separator, width, block.path)
        return parse(replace(block, text=text), self.first_row, even=True), broken


Part = Texts | Lines


def read_parts(
    path: Path,
    columns: Mapping[str, Source],
    optional: Collection[str],
    *,
    ignore: Collection[str] | None = (),
    rows: int = ROWS,
    size: int = BYTES,
) -> Iterator[Part]:
    """Streams a table as parts; memory is bounded by those that are held. Arguments as those of `read_table`.

    A part has at most `rows` rows, and in a CSV of about `size` bytes. Raises BadInput F.001 to F.017; of a CSV the rest that
    concerns its text where a part is read.
    """
    if kind_of(path) != ".csv":
        for chunk in read_table(path, columns, optional=optional, ignore=ignore, chunk_rows=rows, block=size):
            yield Texts(chunk.first_row, pl.DataFrame(dict(chunk.texts)), {})
        return
    row = 1
    try:
        for block in csv_blocks(path, Wanted(columns, optional=frozenset(optional), ignore=ignore), size, quotes=False):
            row = max(row, 2)
            for text, lines in _cut(block.text, rows):
                yield Lines(row, replace(block, text=text))
                row += lines
    except BadInput as fault:
        raise at_row(fault, row) from None
    if row == 2:
        raise no_rows(path)


def _cut(text: bytes, most: int) -> Iterator[tuple[bytes, int]]:
    """A text of whole lines in parts of equal length, of at most so many lines, and how many each has."""
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
    parts = -(-len(ends) // most)
    begun = 0
    for part in range(1, parts + 1):
        done = len(ends) * part // parts
        start = int(ends[begun - 1]) if begun else 0
        yield (text if parts == 1 else text[start : int(ends[done - 1])]), done - begun
        begun = done
