"""What stands in the named columns of a table, as text? CSV with labels as written; other kinds by registers.table.

A table of survey data may have `Nh` and `nh`: an exact label is taken before one that differs in case or blanks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from dauys.errors import BadInput
from dauys.observe.tables.cells import Cells, cut, joined
from dauys.registers.blocks import bare, decode, whole
from dauys.registers.table import read_table

CSV = {".csv", ".tsv", ".txt"}

Column = Cells | pl.Series
"""The texts of one column: as they were cut from a small plain file, or as Polars read them."""


def read_grid(path: Path, columns: Mapping[str, Sequence[str]], optional: Collection[str] = ()) -> dict[str, Column]:
    """The columns as text without nulls, our name to theirs; several are joined with ":". Cells of `optional` may be empty.

    Raises BadInput F.001 to F.011: the file, its rows, a column that is missing, a cell that is empty.
    """
    found: dict[str, Column]
    if CSV & {suffix.lower() for suffix in path.suffixes}:
        found = _csv(path, columns)
    else:
        chunks = list(read_table(path, dict(columns), optional=optional, ignore=None, mapped=list(columns)))
        found = {name: pl.concat([chunk.texts[name] for chunk in chunks]) for name in columns}
    for name, column in found.items():
        if name in optional or (isinstance(column, Cells) and column.filled()):
            continue
        blank = series(column).str.strip_chars() == ""
        if blank.any():
            row = int(np.flatnonzero(blank.to_numpy())[0]) + 2
            raise BadInput("the cell is empty", file=path, row=row, field=":".join(columns[name]), check="F.011")
    return found


def series(column: Column) -> pl.Series:
    """The column for Polars."""
    return pl.Series(column.to_list(), dtype=pl.String) if isinstance(column, Cells) else column


def whole_numbers(path: Path, column: Sequence[str], texts: Column) -> pl.Series:
    """The texts as whole numbers from 0 to 10**9. Raises BadInput with the first that is none."""
    counts = texts.counts() if isinstance(texts, Cells) else None
    if counts is not None and (counts <= 10**9).all():
        return pl.Series(counts.astype(np.int64))
    texts = series(texts)
    found = texts.str.strip_chars().cast(pl.Int64, strict=False)
    bad = found.is_null() | found.lt(0).fill_null(False) | found.gt(10**9).fill_null(False)
    if bad.any():
        row = int(np.flatnonzero(bad.to_numpy())[0])
        raise BadInput(
            "this is not a count",
            file=path,
            row=row + 2,
            field=":".join(column),
            found=texts[row],
            expected="a whole number from 0 to 1000000000",
            check="F.016",
        )
    return found


def _csv(path: Path, columns: Mapping[str, Sequence[str]]) -> dict[str, Column]:
    text = whole(path)
    decode(text, path, 1)
    end = text.index(b"\n") + 1
    first = text[:end].decode().rstrip("\r\n")
    separator = max(",;\t|", key=first.count)
    header = [label.strip() for label in next(csv.reader([first], delimiter=separator))]
    if twice := sorted({label for label in header if header.count(label) > 1}):
        raise BadInput("two columns have the same name", file=path, row=1, found=twice[0], check="F.007")
    places = {name: [_place(path, header, label.strip()) for label in several] for name, several in columns.items()}
    rest, width = text[end:], len(header)
    if not rest:
        raise BadInput("the file has a header and no rows", file=path, check="F.003", expected="at least one row")
    wanted = sorted({place for several in places.values() for place in several})
    plain = cut(rest, separator, width, wanted)
    if plain is not None:
        return {name: joined([plain[place] for place in several]) for name, several in places.items()}
    frame = _parsed(path, rest, separator, width, wanted)
    return {name: _column(frame, several) for name, several in places.items()}


def _parsed(path: Path, text: bytes, separator: str, width: int, places: list[int]) -> pl.DataFrame:
    plain = bare(text)
    even = plain.count(separator.encode()) == plain.count(b"\n") * (width - 1)
    if not even or b"\n\n" in plain or plain.startswith((b"\n", b"\r\n")) or b"\n\r\n" in plain:
        raise _ragged(path, text, separator, width)
    try:
        return pl.read_csv(
            text,
            has_header=False,
            separator=separator,
            schema={f"c{place}": pl.String for place in range(width)},
            columns=places,
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError as error:
        raise _ragged(path, text, separator, width) from error


def _ragged(path: Path, text: bytes, separator: str, width: int) -> BadInput:
    rows = csv.reader(io.StringIO(text.decode(), newline=""), delimiter=separator)
    try:
        row = next(number for number, cells in enumerate(rows, 2) if len(cells) != width)
    except (csv.Error, StopIteration):  # a quote inside a field: the row that the reader came to
        row = rows.line_num + 1
    message = "the row does not have as many fields as the header"
    return BadInput(message, file=path, row=row, check="F.008", expected=f"{width} fields")


def _column(frame: pl.DataFrame, places: Sequence[int]) -> pl.Series:
    parts = [frame[f"c{place}"] for place in places]
    parts = [part.fill_null("") if part.null_count() else part for part in parts]
    return parts[0] if len(parts) == 1 else pl.select(pl.concat_str(parts, separator=":")).to_series()


def _place(path: Path, header: Sequence[str], label: str) -> int:
    if label in header:
        return header.index(label)
    alike = [place for place, name in enumerate(header) if _key(name) == _key(label)]
    if len(alike) == 1:
        return alike[0]
    raise BadInput(
        f"there is no column {label}",
        file=path,
        row=1,
        found=", ".join(header),
        expected="its name as in the file",
        check="F.010",
    )


def _key(label: str) -> str:
    return " ".join(label.split()).casefold()
