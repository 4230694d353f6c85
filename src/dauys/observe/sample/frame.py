"""Which stations can be drawn, and is it still the same list? A frame is a file, and its SHA-256 is its name."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dauys.errors import BadInput, DauysError
from dauys.observe.tables.grid import read_grid, whole_numbers
from dauys.record.checkpoint import Checkpoint
from dauys.record.entry import Entry
from dauys.record.note import parse as parse_note
from dauys.record.tiles import Fetch, read_entries
from dauys.registers.poll import Station
from dauys.regular_file import open_regular

Ints = npt.NDArray[np.int64]

IDS = ("station", "id", "code")
"""Columns that are taken as the station's id, in this order, where none is named."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The list that a sample is drawn from. `sha256` is that of the file as it lies on the disk, in hexadecimal.

    `strata` has a name for each station (empty: no strata). `sizes` are voters, or another measure, for a draw in proportion
    to size; `parts` and `wholes` the counts of a past vote (yes and its base), for sizes and allocations.
    """

    sha256: str
    ids: tuple[str, ...]
    strata: tuple[str, ...] = ()
    sizes: Ints | None = None
    parts: Ints | None = None
    wholes: Ints | None = None

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a frame's file are what. `ids` and `strata` may be several, whose texts are joined with ":"."""

    ids: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    size: str | None = None
    part: str | None = None
    whole: str | None = None

    def to_json(self) -> dict[str, object]:
        named = {"id": list(self.ids), "strata": list(self.strata), "size": self.size, "y": self.part, "x": self.whole}
        return {name: columns for name, columns in named.items() if columns}


def read_frame(path: Path, columns: Columns) -> Frame:
    """The frame in a file (CSV, CSV.GZ, Parquet, JSON Lines). Raises BadInput: a station twice, an empty cell, no number."""
    ids = columns.ids or (id_column(path),)
    wanted: dict[str, Sequence[str]] = {"id": ids}
    if columns.strata:
        wanted["stratum"] = columns.strata
    numbers = {"size": columns.size, "y": columns.part, "x": columns.whole}
    wanted |= {name: (column,) for name, column in numbers.items() if column}
    found = read_grid(path, wanted)
    names = tuple(found["id"].to_list())
    _distinct(names, path)
    counts = {
        name: whole_numbers(path, (column,), found[name]).to_numpy() if column else None
        for name, column in numbers.items()
    }
    strata = tuple(found["stratum"].to_list()) if columns.strata else ()
    return Frame(file_sha256(path), names, strata, counts["size"], counts["y"], counts["x"])


def file_sha256(path: Path) -> str:
    """What `sha256sum` says of the file. Raises BadInput where it cannot be read."""
    try:
        with open_regular(path) as file:
            digest = hashlib.sha256()
            while data := file.read(1 << 20):
                digest.update(data)
            return digest.hexdigest()
    except OSError as error:
        raise BadInput(f"the file cannot be read: {error.strerror}", file=path, check="F.001") from error


def same_frame(found: str, drawn_from: str, file: Path | str) -> None:
    """Refuses a frame that is not the one that was drawn from."""
    if found != drawn_from:
        raise BadInput(
            "this is not the list that the sample was drawn from: it changed after the draw. Take the frozen file",
            file=file,
            found=f"SHA-256 {found}",
            expected=f"SHA-256 {drawn_from}",
        )


def record_frame(fetch: Fetch) -> bytes:
    """The frame of a poll's record: its frozen stations as CSV with the columns `id,area,eligible,abroad` (0 or 1).

    `fetch` reads the files of a bundle (record.tiles). The record itself is proven by `dauys verify`, not here.
    """
    size = Checkpoint.parse(parse_note(fetch("checkpoint")).text).size
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "area", "eligible", "abroad"))
    found = 0
    for data in read_entries(fetch, size):
        entry = Entry.from_bytes(data)
        if entry.kind != "stations":
            if found:  # the list stands at the beginning of the record, in one piece
                break
            continue
        for body in entry.body["stations"]:
            station = Station.from_json(body)
            rows.writerow((station.id, station.area, station.eligible, int(station.abroad)))
            found += 1
    if not found:
        raise DauysError("the record holds no list of stations")
    return text.getvalue().encode()


def id_column(path: Path) -> str:
    """The first of `IDS` that the file has. Raises BadInput if it has none."""
    for name in IDS:
        try:
            read_grid(path, {"id": (name,)})
        except BadInput as fault:
            if fault.check != "F.010":
                raise
        else:
            return name
    raise BadInput(
        "no column is known as the stations' id", file=path, expected=f"one of {', '.join(IDS)}, or --id COLUMN"
    )


def _distinct(names: Sequence[str], path: Path) -> None:
    first: dict[str, int] = {}
    for row, name in enumerate(names, 2):
        if first.setdefault(name, row) != row:
            raise BadInput(
                f"the station stands in row {first[name]} already", file=path, row=row, found=name, expected="once"
            )
        if "\n" in name:
            raise BadInput("an id has a line feed", file=path, row=row, found=name, expected="an id on one line")
