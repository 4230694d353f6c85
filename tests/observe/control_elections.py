"""Three elections taken as clean, as counts, and what the indicators say of them: control.yaml and control_print.csv.

`python tests/observe/control_elections.py` writes the files again.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import yaml

import dauys.observe.indicators.report as report_module
from dauys.observe.indicators.counts import Counts
from dauys.observe.indicators.report import Options, report

DATA = Path(__file__).resolve().parents[3] / "shared/data"
FILE = Path(report_module.__file__).parent / "control.yaml"
CELLS = FILE.with_name("control_print.csv")


def nz2014() -> Counts:
    """New Zealand 2014, party votes by voting place: shares of the National Party; no voters by place, so no turnout."""
    rows = pl.read_csv(DATA / "nz2014/nz2014_votingplace.csv.gz", infer_schema=False).cast(
        {"electorate_number": pl.Int64, "votes": pl.Int64, "voting_place_id": pl.Float64}
    )
    places = (
        rows.filter(pl.col("voting_type") == "Party")
        .group_by(["electorate_number", "electorate", "approx_location", "voting_place", "voting_place_id"])
        .agg(
            cast=pl.col("votes").sum(),
            yes=pl.col("votes").filter(pl.col("party") == "National Party").sum(),
        )
        .sort(["electorate_number", "approx_location", "voting_place", "voting_place_id"])
    )
    numbers = {name: places[name].to_numpy().astype(np.int64) for name in ("cast", "yes")}
    return Counts(numbers, {"region": places["electorate"].to_list()})


def germany2021() -> Counts:
    """Bundestag 2021 as of 26.09.2021, 299 constituencies: second votes of the SPD."""
    found: list[tuple[int, int, int]] = []
    for area in ElementTree.parse(DATA / "germany2021/2021_result.xml").getroot().iter("Gebietsergebnis"):
        if area.get("Gebietsart") != "WAHLKREIS":
            continue
        groups = {}
        for group in area.iter("Gruppenergebnis"):
            votes = {one.get("Stimmart"): int(one.get("AnzahlVergleich") or 0) for one in group.iter("Stimmergebnis")}
            groups[group.get("Name")] = votes
        found.append((groups["Wahlberechtigte"]["KEINE"], groups["Wählende"]["KEINE"], groups["SPD"]["LISTE"]))
    table = np.array(found, dtype=np.int64)
    return Counts(dict(zip(("registered", "cast", "yes"), table.T, strict=True)), {})


def mexico2018() -> Counts:
    """Mexico, President 2018, the stations of the official quick count: list, ballots and those for the winner, as counted."""
    with (DATA / "mexico2018/arrivals_2018.csv").open(encoding="utf-8") as file:
        found = [
            [int(float(row[name])) for name in ("LISTA_NOMINAL", "TOTAL_VOTOS_CALCULADOS", "AMLO")]
            for row in csv.DictReader(file)
        ]
    return Counts(dict(zip(("registered", "cast", "yes"), np.array(found, dtype=np.int64).T, strict=True)), {})


def cells() -> list[list[int]]:
    """The fingerprint of Mexico 2018: what control_print.csv holds."""
    found: list[list[int]] = report(mexico2018(), Options(draws=0, resamples=1)).body["indicators"]["fingerprint"][
        "cells"
    ]
    return found


def measured() -> dict[str, Any]:
    """What control.yaml holds."""
    nz = report(nz2014(), Options()).body["indicators"]
    germany = report(germany2021(), Options()).body["indicators"]
    fine = {
        "integers": {"stations": nz["integers"]["stations"], "share": nz["integers"]["share"]},
        "digits": {name: nz["digits"]["yes"][name] for name in ("second", "last")},
        "density": {"share": nz["density"]["share"]},
        "regions": {name: nz["regions"][name] for name in ("method", "q", "of", "tested", "above")},
    }
    whole = germany["fingerprint"]
    mexico = report(mexico2018(), Options(draws=0)).body["indicators"]
    print_ = mexico["fingerprint"]
    coarse = {
        "fingerprint": {name: whole[name] for name in ("stations", "correlation", "full", "high_share", "log_rate")},
        "shpilkin": {"anomalous": germany["shpilkin"]["anomalous"]},
    }
    return {
        "shares": {
            "election": "New Zealand, general election 2014, party votes for National, by voting place",
            "source": "Electoral Commission, electionresults.govt.nz; ellisp/nzelect",
            "why": "small units with the counts of every place; no register by place, so nothing about turnout",
        }
        | fine,
        "turnout": {
            "election": "Germany, Bundestag 2021, second votes for the SPD, by constituency",
            "source": "Der Bundeswahlleiter, Wiesbaden",
            "why": "register and turnout are known, but units are 200 times a station: shapes only, no whole percentages",
        }
        | coarse,
        "stations": {
            "election": "Mexico, President 2018, the winner's votes, by the stations of the official quick count",
            "source": "Instituto Nacional Electoral; cotecora-team-2/quickcountmx (MIT)",
            "why": "register, turnout and counts of real stations; every candidate accepted the result",
            "fingerprint": {
                name: print_[name] for name in ("stations", "correlation", "full", "high_share", "log_rate")
            },
            "integers": {"stations": mexico["integers"]["stations"], "share": mexico["integers"]["share"]},
        },
    }


def rounded(value: Any) -> Any:
    """Nine digits: the same on every machine."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    HEAD = "# What the indicators say of three elections taken as clean. Made by tests/observe/control_elections.py.\n"
    FILE.write_text(HEAD + yaml.safe_dump(rounded(measured()), allow_unicode=True, sort_keys=False), encoding="utf-8")
    with CELLS.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, lineterminator="\n").writerows([("turnout", "share", "votes"), *cells()])
