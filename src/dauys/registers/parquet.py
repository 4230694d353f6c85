"""Which columns of a Parquet file can be read, and as what? Each as the text or number that a CSV of the same rows would have."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import polars as pl

from dauys.errors import BadInput
from dauys.registers.columns import Layout


def chosen(schema: pl.Schema, layout: Layout, path: Path) -> list[pl.Expr]:
    """The wanted columns as c0, c1, ...: counts as Int64, all else as String. Raises BadInput F.013, F.016."""
    counted = {place for name in layout.numbers & layout.places.keys() for place in layout.places[name]}
    columns = []
    for place in sorted({place for places in layout.places.values() for place in places}):
        label = layout.header[place]
        dtype = schema[label]
        if not (_is_whole(dtype) or (place not in counted and _is_text(dtype))):
            raise BadInput(
                "the column has another type",
                file=path,
                field=label,
                found=str(dtype),
                expected="whole numbers" if place in counted else "text",
                check="F.013" if dtype.is_float() else "F.016",
            )
        column = pl.col(label).cast(pl.Int64) if place in counted else _text(label, dtype)
        columns.append(column.alias(f"c{place}"))
    return columns


def _is_whole(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or dtype == pl.Null  # a column without any value may have no type


def _is_text(dtype: pl.DataType) -> bool:
    """Whether a CSV has it as text. A moment in a time zone it is not: which day that was depends on the place."""
    if isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None
    return dtype in (pl.String, pl.Categorical, pl.Enum, pl.Date)


def _text(label: str, dtype: pl.DataType) -> pl.Expr:
    """The column as text. Databases write days as midnights, too: of those the day alone."""
    column = pl.col(label)
    text = column.cast(pl.String)
    if not isinstance(dtype, pl.Datetime):
        return text
    return pl.when(column.dt.time() == time()).then(column.dt.date().cast(pl.String)).otherwise(text)
