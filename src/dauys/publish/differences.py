"""Where do a published file and what the record makes part? The first difference, said so that a person finds it."""

from __future__ import annotations

import io
from typing import Any

import polars as pl

from dauys.errors import DauysError
from dauys.record.canonical import canonical


def says_reconstruction(name: str, data: bytes) -> bool:
    """Whether a file of station figures calls itself a reconstruction; a table does so in every row."""
    if name.endswith(".parquet"):
        try:
            frame = pl.read_parquet(io.BytesIO(data), columns=["nature"])
        except (pl.exceptions.PolarsError, OSError):
            return False
        return bool((frame["nature"] == "reconstruction").all())
    return b"reconstruction" in data.lower()


def first_difference(name: str, found: bytes, expected: bytes) -> str | None:
    """Where two renderings part: the row of a table or line of a text, as found and as it should be; None if nowhere."""
    if found == expected:
        return None
    if name.endswith(".parquet"):
        try:
            return _table_difference(pl.read_parquet(io.BytesIO(found)), pl.read_parquet(io.BytesIO(expected)))
        except (pl.exceptions.PolarsError, OSError) as error:
            return f"cannot be read: {error}"
    ours, theirs = expected.decode("utf-8", "replace").splitlines(), found.decode("utf-8", "replace").splitlines()
    for number, (there, here) in enumerate(zip(theirs, ours, strict=False), start=1):
        if there != here:
            return f"line {number}: {there[:120]!r}, the record says {here[:120]!r}"
    return f"{len(theirs)} lines, the record makes {len(ours)}"


def _table_difference(found: pl.DataFrame, expected: pl.DataFrame) -> str | None:
    if found.columns != expected.columns or found.height != expected.height:
        return f"{found.height} rows of {found.columns}, the record makes {expected.height} of {expected.columns}"
    for number, (there, here) in enumerate(zip(found.iter_rows(), expected.iter_rows(), strict=True)):
        if there != here:
            return f"row {number}: {there}, the record says {here}"
    return None  # the same rows: another version of Parquet's writer packs them in other bytes


def difference(found: Any, expected: Any) -> tuple[str, str]:
    """The first place where two JSON values differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in (*expected, *(key for key in found if key not in expected)):
            if found.get(key) != expected.get(key):
                there, here = difference(found.get(key), expected.get(key))
                return f"{key} {there}", f"{key} {here}"
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for number, (there_, here_) in enumerate(zip(found, expected, strict=True)):
            if there_ != here_:
                there, here = difference(there_, here_)
                label = here_.get("code", number) if isinstance(here_, dict) else number
                return f"{label}: {there}", f"{label}: {here}"
    return _shown(found), _shown(expected)


def _shown(value: Any) -> str:
    try:
        return str(value)[:200]
    except RecursionError:
        return "a value nested too deeply to show"


def same(found: Any, expected: Any) -> bool:
    """Whether both are one value in the record: 1 is not true there."""
    try:
        return canonical(found) == canonical(expected)
    except DauysError:
        return False
