"""How is a CSV read: its header once, then block by block through Polars.

A block that does not parse is read again as text (registers.cells) to name the row, the field, what was found and expected.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from dauys.errors import BadInput
from dauys.registers.blocks import bare, blocks, decode
from dauys.registers.cells import explain
from dauys.registers.columns import Layout, Wanted
from dauys.registers.frames import faulty


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows of a CSV as its text has them, without the header; and what that said of them."""

    path: Path
    text: bytes = field(repr=False)
    separator: str
    layout: Layout


def csv_blocks(path: Path, wanted: Wanted, size: int, quotes: bool) -> Iterator[Block]:
    """A file's blocks, of which the first may be empty. Raises BadInput as `blocks`, and for the header F.007 to F.010."""
    read = blocks(path, size, quotes)
    for first in read:
        end = _header_end(first, path)
        separator, header = _header(first[:end], path)
        layout = wanted.layout(header, path, 1)
        yield Block(path, first[end:], separator, layout)
        del first
        for text in read:
            yield Block(path, text, separator, layout)


def no_rows(path: Path) -> BadInput:
    """The fault of a file that has a header alone."""
    return BadInput("the file has a header and no rows", file=path, check="F.003", expected="at least one row")


def at_row(fault: BadInput, row: int) -> BadInput:
    """The fault; where the text had no end of a row (F.008) with the row that has none."""
    return fault.but(row=row) if fault.check == "F.008" and fault.row is None else fault


def _header_end(block: bytes, path: Path) -> int:
    end = block.index(b"\n") + 1
    while block.count(b'"', 0, end) % 2:
        end = block.find(b"\n", end) + 1
        if not end:  # where rows are lines, the block may end inside a quote
            raise BadInput(
                "a quote is opened and never closed",
                file=path,
                row=1,
                check="F.008",
                expected="each quoted field closed",
            )
    return end


def _header(first: bytes, path: Path) -> tuple[str, list[str]]:
    """The separator and the labels."""
    line = decode(first, path, 1).rstrip("\r\n")
    if "\r" in line and '"' not in line:
        raise BadInput("lines end with CR alone", file=path, row=1, check="F.008", expected="LF or CR LF")
    separator = max(",;\t", key=line.count)
    try:
        labels = next(csv.reader([line], delimiter=separator))
    except csv.Error as error:  # a label of more than 131,072 characters
        raise BadInput(f"the header cannot be read: {error}", file=path, row=1, check="F.008") from error
    if not all(label.strip() for label in labels):
        raise BadInput("a column has no name", file=path, row=1, check="F.007", found=line, expected="a name for each")
    return separator, labels


def parse(block: Block, row: int, even: bool = False) -> pl.DataFrame:
    """A block as one typed frame, columns c0, c1, ...; or BadInput for its first fault. `row`: its first in the file.

    `even`: it was seen already that every line has its fields.
    """
    layout = block.layout
    counted = {f"c{place}" for name in layout.numbers & layout.places.keys() for place in layout.places[name]}
    last = len(layout.header) - 1
    schema = {f"c{place}": pl.Int64 if f"c{place}" in counted else pl.String for place in range(last + 1)}
    if not block.text:
        return pl.DataFrame(schema=schema)
    # Polars fills a short row up and passes over a blank line. Both leave the last column empty: a fault if it is
    # required, and otherwise the separators are counted.
    if not even and not any(last in layout.places[name] for name in layout.places.keys() - layout.optional):
        plain = bare(block.text)
        rows = plain.count(b"\n")
        if plain.count(block.separator.encode()) != rows * last or b"\n\n" in plain or b"\n\r\n" in plain:
            raise _explained(block, row)
    try:
        # Every column is parsed, wanted or not: only so are rows that are too long refused.
        frame = pl.read_csv(
            block.text, has_header=False, separator=block.separator, schema=schema, empty_string_is_null=False
        )
    except pl.exceptions.PolarsError as error:
        raise _explained(block, row) from error
    if faulty(frame, layout):
        raise _explained(block, row)
    return frame


def _explained(block: Block, row: int) -> BadInput:
    return explain(block.text, row, block.separator, block.layout, block.path)
