"""What does the table of single ballots (a cast-vote record) say, and how many ballots does each station keep (a manifest)?

Both are read strictly. A cast-vote record has `station,ballot,vote`: the ballot's number or mark in its station, and the name of
the form's field that it was counted for. A manifest has `station,ballots`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import polars as pl

from dauys.errors import BadInput
from dauys.registers.table import read_table

STATION, BALLOT, VOTE = "station", "ballot", "vote"


@dataclass(frozen=True, slots=True)
class Records:
    """Each ballot's record, sorted by station, in a station in the order of the file. `piles`: station to its first row and
    how many there are."""

    frame: pl.DataFrame
    piles: Mapping[str, tuple[int, int]]

    def __len__(self) -> int:
        return len(self.frame)

    def of(self, station: str, place: int) -> tuple[str, str] | None:
        """The mark of a station's ballot, from 1, and what it was counted for; None beyond the last record."""
        first, size = self.piles.get(station, (0, 0))
        if place > size:
            return None
        row = self.frame.row(first + place - 1)
        return str(row[1]), str(row[2])

    def counts(self, option: str) -> dict[str, tuple[int, int]]:
        """Station to all records and those for the option."""
        yes = self.frame.filter(pl.col(VOTE) == option).group_by(STATION).len()
        found = dict(yes.iter_rows())
        return {station: (size, found.get(station, 0)) for station, (_, size) in self.piles.items()}

    def to_csv(self) -> bytes:
        """The table as it is frozen."""
        return self.frame.write_csv(line_terminator="\n").encode()


def read_records(path: Path, stations: Collection[str], votes: Collection[str], check: str = "") -> Records:
    """Raises BadInput with the row: an unknown station or vote, a ballot twice, no ballot at all."""
    parts = []
    for chunk in read_table(path, {name: name for name in (STATION, BALLOT, VOTE)}, ignore=None):
        part = pl.DataFrame({name: chunk.texts[name] for name in (STATION, BALLOT, VOTE)})
        for name, known, what in ((STATION, stations, "station"), (VOTE, votes, "field of the form for a ballot")):
            place = (~part[name].is_in(list(known))).arg_max() if len(part) else None
            if place is not None and part[name][place] not in known:
                raise BadInput(
                    f"this is no {what}", file=path, row=chunk.first_row + place, field=name, found=part[name][place][:60],
                    expected=", ".join(sorted(known)) if name == VOTE else "a station with a counted protocol", check=check,
                )  # fmt: skip
        parts.append(part)
    if not parts:
        raise BadInput("the file has no ballot", file=path, expected="one row for each ballot", check=check)
    frame = pl.concat(parts)
    twice = frame.filter(frame.select(STATION, BALLOT).is_duplicated())
    if len(twice):
        station, ballot, _ = twice.row(0)
        raise BadInput(
            "a ballot stands there twice", file=path, field=BALLOT, found=f"{station}, {ballot}"[:80], expected="once",
            check=check,
        )  # fmt: skip
    return _sorted(frame)


def frozen_records(path: Path, check: str = "") -> Records:
    """What `Records.to_csv` wrote under its SHA-256. Raises BadInput where it is gone or was changed."""
    data = path.read_bytes() if path.is_file() else b""
    if sha256(data).hexdigest() != path.stem:
        raise BadInput(
            "the frozen records are gone or were changed", file=path, expected=f"SHA-256 {path.stem}", check=check
        )
    return _sorted(pl.read_csv(data, infer_schema=False))


def _sorted(frame: pl.DataFrame) -> Records:
    ordered = frame.sort(STATION, maintain_order=True)
    sizes = ordered.group_by(STATION, maintain_order=True).len()
    piles, first = {}, 0
    for station, size in sizes.iter_rows():
        piles[station] = (first, size)
        first += size
    return Records(ordered, piles)


def read_manifest(path: Path, stations: Collection[str], check: str = "") -> dict[str, int]:
    """Station to the ballots that it keeps. Raises BadInput: a station unknown, twice, or left out."""
    found: dict[str, int] = {}
    for chunk in read_table(path, {STATION: STATION, "ballots": "ballots"}, numbers=("ballots",), ignore=None):
        rows = zip(chunk.texts[STATION].to_list(), chunk.numbers["ballots"].tolist(), strict=True)
        for row, (station, ballots) in enumerate(rows, chunk.first_row):
            if station not in stations or station in found:
                raise BadInput(
                    "the manifest has a station twice, or one without a counted protocol", file=path, row=row,
                    field=STATION, found=station[:60], expected="each station with a counted protocol once", check=check,
                )  # fmt: skip
            found[station] = ballots
    left = sorted(set(stations) - found.keys())
    if left:
        raise BadInput(
            "the manifest leaves a station out", file=path, field=STATION, found=f"{len(left)} are missing",
            expected=left[0], check=check,
        )  # fmt: skip
    return found
