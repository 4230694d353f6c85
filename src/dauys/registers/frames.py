"""What must hold of a frame whose columns c0, c1, ... are those of a table, and how a field is taken out of it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from dauys.registers.cells import LARGEST
from dauys.registers.columns import Layout


def typed(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Columns of digits (or nothing) as numbers."""
    counted = [f"c{place}" for name in layout.numbers & layout.places.keys() for place in layout.places[name]]
    return frame.with_columns(pl.col(c).str.strip_chars().replace("", None).cast(pl.Int64) for c in counted)


def faulty(frame: pl.DataFrame, layout: Layout) -> bool:
    """Whether a typed frame has an empty, negative or huge cell where none may be."""
    for name, places in layout.places.items():
        for column in (frame[f"c{place}"] for place in places):
            if name in layout.numbers:
                low, high = column.min(), column.max()
                if isinstance(low, int) and isinstance(high, int) and (low < 0 or high > LARGEST):
                    return True
                if name not in layout.optional and column.null_count():
                    return True
            elif name not in layout.optional and (column.null_count() or column.eq("").any()):
                return True
    return False


def has_nul(frame: pl.DataFrame) -> bool:
    """Whether a text of a typed frame has a NUL; a CSV that has one is refused before it is parsed (F.005)."""
    texts = (column for column in frame.iter_columns() if column.dtype == pl.String)
    return any(column.str.contains("\0", literal=True).any() for column in texts)


def text_of(frame: pl.DataFrame, places: Sequence[int]) -> pl.Series:
    """The texts of a field, without nulls; where it is read from several columns these are joined with ":"."""
    parts = [_filled(frame[f"c{place}"]) for place in places]
    return pl.select(pl.concat_str(parts, separator=":")).to_series() if len(parts) > 1 else parts[0]


def _filled(texts: pl.Series) -> pl.Series:
    return texts.fill_null("") if texts.null_count() else texts  # filling copies, even where there is nothing to fill
