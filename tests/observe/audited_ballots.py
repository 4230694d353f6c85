"""An audit of single ballots for tests: begun on its page, filled in as the piles are, a table of ballots as a scanner makes it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from compared_world import CONTEST
from reported_world import PAGES, Night

from dauys.cli.main import tree
from dauys.observe.report.ballot_state import (
    COMPARISON,
    POLLING,
    BallotState,
    asked,
    manifest_of,
    state_of_ballots,
)

SEED = "4 6 1 1 3 5 2 6 6 2"
FIELDS = ("yes", "no", "not_counted", "invalid")


def state(night: Night, sort: Any = POLLING) -> BallotState:
    return state_of_ballots(night.book, sort, CONTEST, "yes")


def begin(night: Night, sort: str, files: dict[str, Path] | None = None, **fields: str) -> None:
    path = f"/audit/{sort}"
    if state(night, POLLING if sort == "polling" else COMPARISON).commitment is None:
        night.act(path, act="commit", seed=SEED)
    form = {"of": CONTEST, "act": "draw", "risk": "1/20"} | fields
    assert PAGES[path].act(night.visit(path, form, files=files)) == f"{path}?of={CONTEST}"


def truth(night: Night, station: str, place: int) -> str:
    """What the ballot at a place of an honest pile is: yes first, then no, both, invalid, as many as the record says."""
    values = night.official.protocols[CONTEST, station].values
    for name in FIELDS:
        if place <= values[name]:
            return name
        place -= values[name]
    return "missing"


def fill(night: Night, found: BallotState, votes: Any = None) -> None:
    """Enters the last round as the piles are, or as `votes(station, place)` says."""
    number, manifest = len(found.rounds), manifest_of(night.book, found)
    for station, parts in asked(found, manifest, number).items():
        fields: dict[str, str] = {}
        for n, places in enumerate(parts.values()):
            seen = [votes(station, one) if votes else truth(night, station, one) for one in places]
            if found.sort is POLLING:
                fields |= {f"n-{n}-{name}": str(seen.count(name)) for name in (*FIELDS, "missing")}
            else:
                fields |= {f"b-{place}": vote for place, vote in zip(places, seen, strict=True)}
        night.act(f"/audit/{found.sort.id}/count", round=str(number), station=station, **fields)


def command(*args: object) -> Any:
    done = CliRunner().invoke(tree, ["audit", *map(str, args), "--json"], catch_exceptions=False, standalone_mode=False)
    return json.loads(done.stdout)


def records(night: Night, path: Path, changed: int = 0) -> Path:
    """A cast-vote record as the protocols are; `changed` no-ballots stand there as yes."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("station", "ballot", "vote"))
        for station in sorted(night.official.stations):
            values = night.official.protocols[CONTEST, station].values
            for n in range(1, values["participated"] + 1):
                vote = truth(night, station, n)
                if vote == "no" and changed > 0:
                    vote, changed = "yes", changed - 1
                rows.writerow((station, f"K{n}", vote))
    return path
