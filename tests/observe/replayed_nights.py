"""The nights and simulations of docs/estimates.md, made again: `python tests/observe/replayed_nights.py BUNDLE`.

BUNDLE is the folder that `./dauys run kz/2022-referendum` writes; without it only the vote of 2020 is replayed. The hours east
of UTC in russia_zones.csv are those of July 2020. No test: it takes half a minute.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from observed_data import RUSSIA

from dauys.cli.main import main

ZONES = Path(__file__).with_name("russia_zones.csv")


def dauys(*args: object, into: Path | None = None) -> None:
    """Runs a command; its answer goes to the screen, or into a file."""
    try:
        if into is None:
            main([str(arg) for arg in args])
        else:
            with into.open("w", encoding="utf-8") as file, redirect_stdout(file):
                main([str(arg) for arg in args])
    except SystemExit as ended:
        if ended.code:
            raise


def night(bundle: Path, folder: Path) -> None:
    """5 June 2022, by the record's own arrivals."""
    drawn, frame = folder / "kz.json", folder / "frame.csv"
    how = ("--n", 1000, "--strata", "area")
    dauys("sample", bundle, "--write-frame", frame, *how, "--seed", "night of 5 June 2022", "--json", into=drawn)
    dauys("estimate", bundle, "--draw", drawn, "--option", "yes", "--every", 60)
    for n in (300, 500, 1000):
        vote = ("sample", bundle / "stations.csv", "--n", n, "--y", "yes", "--x", "participated", "--simulate", 2000)
        dauys(*vote, "--strata", "area")
        dauys(*vote)


def russia(folder: Path) -> None:
    """1 July 2020, with arrivals by the model."""
    drawn, ids = folder / "ru.json", ("--id", "region,tik,uik")
    dauys(
        "sample",
        RUSSIA,
        *ids,
        "--strata",
        "region",
        "--n",
        1000,
        "--seed",
        "night of 1 July 2020",
        "--json",
        into=drawn,
    )
    dauys(
        "estimate", RUSSIA, "--whole", *ids, "--y", "yes", "--x", "in_box", "--draw", drawn, "--every", 60,
        "--closes", "2020-07-01T20:00+03:00", "--commission", "region,tik", "--zones", ZONES,
    )  # fmt: skip
    vote = ("sample", RUSSIA, *ids, "--n", 1000, "--y", "yes", "--x", "in_box", "--simulate", 2000)
    dauys(*vote, "--strata", "region")
    dauys(*vote)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        if len(sys.argv) > 1:
            night(Path(sys.argv[1]), Path(name))
        russia(Path(name))
