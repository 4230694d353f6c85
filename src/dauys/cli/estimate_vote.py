"""A whole vote for `dauys estimate` to replay: from a poll's published record, or from a table of all stations."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dauys.cli.main import moment
from dauys.cli.nature import is_reconstruction
from dauys.errors import BadInput
from dauys.observe.compare.replay import Vote, contest_of, vote_of_record
from dauys.observe.known.official import read_official
from dauys.observe.night.arrival import modelled
from dauys.observe.night.sheet import moments, read_sheet


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are what; `ids` and `commission` may be several, with commas."""

    y: str | None
    x: str | None
    ids: str
    by: str | None
    arrived: str | None
    closes: str | None
    commission: str | None
    zones: Path | None


def vote_of_bundle(folder: Path, contest: str | None, option: str | None) -> Vote:
    """The vote of a bundle's record."""
    official = read_official(str(folder))
    return vote_of_record(official, contest_of(official.poll, contest), option)


def vote_of_table(file: Path, columns: Columns) -> Vote:
    """The vote in a table of all stations, with arrivals as it has them, or by the model. Raises BadInput."""
    if columns.x is None or columns.y is None:
        raise BadInput("a replayed night is of a share", expected="--y and --x")
    if (columns.arrived is None) == (columns.closes is None):
        raise BadInput(
            "when did the protocols come?", expected="--arrived COLUMN, or --closes MOMENT for a model of it"
        )
    if columns.closes is not None and columns.commission is None:
        raise BadInput("the model of arrivals needs the commissions", expected="--commission COLUMN")
    zone, hours = _zones(columns.zones) if columns.zones else (None, {})
    named = {
        "id": columns.ids, "y": columns.y, "x": columns.x, "by": columns.by, "arrived": columns.arrived,
        "commission": columns.commission, "zone": zone,
    }  # fmt: skip
    sheet = read_sheet(file, {name: column.split(",") for name, column in named.items() if column})
    ids, x = sheet.texts["id"], sheet.numbers["x"]
    if columns.closes is None:
        came = moments(sheet)
    else:
        if strangers := sorted({name for name in sheet.texts.get("zone", ()) if name not in hours}):
            raise BadInput(
                "no time zone for it", file=columns.zones or "", found=strangers[0], expected=f"a row with its {zone}"
            )
        east = [hours[name] for name in sheet.texts["zone"]] if zone else None
        ballots = np.nan_to_num(x).astype(np.int64).tolist()
        came = list(modelled(moment(columns.closes), ids, ballots, sheet.texts["commission"], east))
    return Vote(ids, sheet.numbers["y"], x, came, sheet.texts.get("by", ()), columns.x, is_reconstruction(file))


def _zones(path: Path) -> tuple[str, dict[str, float]]:
    """The column that the file names, and the hours east of UTC of each of its values."""
    with path.open(encoding="utf-8", newline="") as file:
        label = next(csv.reader(file), [""])[0]
    found = read_sheet(path, {"id": [label], "y": ["hours"]})
    return label, dict(zip(found.texts["id"], found.numbers["y"].tolist(), strict=True))
