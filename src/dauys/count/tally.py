"""What do the counted protocols add up to, in each area and in the nation, and exactly which stations are in the sums?

Sums are exact whole numbers. Every tally names the set of stations it covers: `covers` is the SHA-256, in hexadecimal,
of the ids of the counted stations, sorted by code point (the order of their UTF-8 bytes too), joined by line feeds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from dauys.errors import BadInput

LARGEST = 10**9
"""No protocol holds a number above this, so no sum over fewer than nine thousand million protocols leaves 64 bits."""

LINE_FEED = ord("\n")
IDS_AT_A_TIME = 8_000
"""Ids that are hashed together: their text stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of the given fields; `stations` is how many protocols are in them, `covers` the hash of which."""

    national: Mapping[str, int]
    areas: Mapping[str, Mapping[str, int]]
    stations: int
    covers: str


def covers(stations: Iterable[str] | pl.Series) -> str:
    """The hash that names a set of stations; a station twice, or an id with a line feed, is refused (`BadInput`)."""
    digest = hashlib.sha256()
    for part in _lines(stations):
        digest.update(part)
    return digest.hexdigest()


def lines(stations: Iterable[str] | pl.Series) -> bytes:
    """The text whose hash `covers` is: for who keeps the text of a set that is named again and again."""
    return b"".join(_lines(stations))


def _lines(stations: Iterable[str] | pl.Series) -> Iterator[bytes]:
    ids = stations if isinstance(stations, pl.Series) else pl.Series(list(stations), dtype=pl.String)
    # Polars sorts strings by their UTF-8 bytes, which is the order of code points.
    ordered = ids.sort()
    if (again := ordered == ordered.shift(1)).any():
        raise BadInput("a station is counted twice", found=ordered.filter(again)[0], expected="each station once")
    for start in range(0, len(ordered), IDS_AT_A_TIME):
        part = ordered.slice(start, IDS_AT_A_TIME)
        text: bytes = part.str.join("\n").cast(pl.Binary).item()  # a Python string would be decoded and encoded again
        if np.count_nonzero(np.frombuffer(text, np.uint8) == LINE_FEED) >= len(part):
            raise BadInput("the id of a station contains a line feed", expected="an id on one line")
        yield b"\n" + text if start else text


def tally(
    protocols: Iterable[tuple[str, str, Mapping[str, int]]], fields: Sequence[str], areas: Iterable[str]
) -> Tally:
    """Add up protocols given as (station, area, values). Each gives all of `fields`; each area is one of `areas`."""
    sums = {area: dict.fromkeys(fields, 0) for area in areas}
    stations = []
    for station, area, values in protocols:
        if area not in sums:
            raise BadInput(f"station {station} is in an area that the vote does not have", found=area)
        total = sums[area]
        for name in fields:
            if name not in values:
                raise BadInput(f"the protocol of station {station} lacks a field", field=name)
            total[name] += values[name]
        stations.append(station)
    national = {name: sum(total[name] for total in sums.values()) for name in fields}
    return Tally(national, sums, len(stations), covers(stations))


def tally_columns(
    stations: Sequence[str] | pl.Series,
    area_of: npt.NDArray[np.int64],
    areas: Sequence[str],
    columns: Mapping[str, npt.NDArray[np.int64]],
    text: bytes | None = None,
) -> Tally:
    """Add up protocols given as columns of one length: row i is station `stations[i]` in area `areas[area_of[i]]`.

    `text` is `lines(stations)` where the caller has it.
    `columns` are int64 with values from 0 to `LARGEST`; anything else is refused (`BadInput`).
    """
    rows = len(stations)
    _check(area_of, "area_of", rows, len(areas) - 1)
    # Rows sorted by area are summed in one pass a field, in 64-bit integers (bincount with weights would use floats).
    order = np.argsort(area_of, kind="stable")
    present, starts = np.unique(area_of[order], return_index=True)
    sums = np.zeros((len(areas), len(columns)), dtype=np.int64)
    for n, (name, column) in enumerate(columns.items()):
        _check(column, name, rows, LARGEST)
        if rows:
            sums[present, n] = np.add.reduceat(column[order], starts)
    by_area = {area: dict(zip(columns, map(int, sums[n]), strict=True)) for n, area in enumerate(areas)}
    national = dict(zip(columns, map(int, sums.sum(axis=0)), strict=True))
    name = covers(stations) if text is None else hashlib.sha256(text).hexdigest()
    return Tally(national, by_area, rows, name)


def _check(column: npt.NDArray[np.int64], name: str, rows: int, largest: int) -> None:
    if column.dtype != np.int64 or column.shape != (rows,):
        found = f"{column.dtype} of shape {column.shape}"
        raise BadInput("wrong column", field=name, found=found, expected=f"int64 of shape ({rows},)")
    if rows and (int(column.min()) < 0 or int(column.max()) > largest):
        row = int(((column < 0) | (column > largest)).argmax())
        raise BadInput("number out of range", field=name, found=int(column[row]), expected=f"from 0 to {largest}")
