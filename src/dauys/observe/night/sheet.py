"""What does a table of sampled stations say? One row a station; an empty cell where nothing came yet; numbers read strictly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from dauys.errors import BadInput
from dauys.observe.estimates.design import Floats
from dauys.observe.tables.cells import Cells
from dauys.observe.tables.grid import Column, read_grid, series

NUMBERS = ("y", "x", "fpc", "weight", "pi")
MAY_BE_EMPTY = ("y", "x", "arrived")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns that were asked for. `received` marks the rows that have y (and x); their other cells are never empty."""

    file: Path
    received: npt.NDArray[np.bool_]
    numbers: Mapping[str, Floats]
    texts: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.received)

    @property
    def row_numbers(self) -> range:
        """The rows' numbers in the file: the header is row 1."""
        return range(2, len(self) + 2)


def read_sheet(path: Path, columns: Mapping[str, Sequence[str]]) -> Sheet:
    """Reads the columns, our name to theirs: `NUMBERS`, and texts such as `id`, `strata`, `cluster`, `by`, `arrived`.

    Several columns of one text are joined with ":". Raises BadInput: no number, a negative x, y without x, a station twice.
    """
    optional = [name for name in MAY_BE_EMPTY if name in columns]
    found = read_grid(path, columns, optional)
    rows = len(next(iter(found.values())))
    numbers = {name: _floats(path, name, columns, found[name]) for name in NUMBERS if name in columns}
    received = ~np.isnan(numbers["y"]) if "y" in numbers else np.ones(rows, dtype=bool)
    if "x" in numbers:
        one = received != ~np.isnan(numbers["x"])
        if one.any():
            row = int(np.flatnonzero(one)[0]) + 2
            raise BadInput("y without x, or x without y", file=path, row=row, expected="both, or neither: not yet come")
        if (numbers["x"] < 0).any():
            row = int(np.flatnonzero(numbers["x"] < 0)[0])
            raise BadInput(
                "the denominator is negative", file=path, row=row + 2, field=columns["x"][0], found=numbers["x"][row]
            )
    texts: dict[str, Sequence[str]] = {
        name: column if isinstance(column, Cells) else column.to_list()
        for name, column in found.items()
        if name not in NUMBERS
    }
    if "id" in texts:
        _once(path, texts["id"])
    return Sheet(path, received, numbers, texts)


def moments(sheet: Sheet) -> list[datetime | None]:
    """When each station came in, where the table says so. Raises BadInput: no ISO 8601, or offsets in some rows only."""
    found: list[datetime | None] = []
    for row, text in zip(sheet.row_numbers, sheet.texts["arrived"], strict=True):
        try:
            found.append(datetime.fromisoformat(text) if text else None)
        except ValueError:
            raise BadInput(
                "not a moment", file=sheet.file, row=row, found=text, expected="like 2022-06-05T21:00:00+06:00"
            ) from None
    known = [moment for moment in found if moment is not None]
    if len({moment.tzinfo is None for moment in known}) > 1:
        raise BadInput("some moments have an offset and some have none", file=sheet.file, expected="one kind")
    return found


def _floats(path: Path, name: str, columns: Mapping[str, Sequence[str]], column: Column) -> Floats:
    """The column as numbers; NaN where a cell is empty."""
    counts = column.counts() if isinstance(column, Cells) else None
    if counts is not None:
        return counts
    texts = series(column)
    plain = texts.cast(pl.Float64, strict=False)
    if not plain.null_count() and np.isfinite(plain.to_numpy()).all():
        return plain.to_numpy()
    stripped = texts.str.strip_chars()
    found = stripped.cast(pl.Float64, strict=False)
    bad = stripped.ne("") & (found.is_null() | ~found.fill_null(0.0).is_finite())
    if bad.any():
        row = int(np.flatnonzero(bad.to_numpy())[0])
        raise BadInput(
            "this is not a number",
            file=path,
            row=row + 2,
            field=":".join(columns[name]),
            found=texts[row],
            expected="a number with a point and no separators, such as 1234 or 0.25",
        )
    return found.fill_null(float("nan")).to_numpy().astype(np.float64)


def _once(path: Path, names: Sequence[str]) -> None:
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    for row, name in enumerate(names, 2):
        if first.setdefault(name, row) != row:
            raise BadInput(
                f"the station stands in row {first[name]} already: settle which report holds",
                file=path,
                row=row,
                found=name,
            )
