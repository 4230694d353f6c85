"""Do the tables say what the snapshot says, the same in every format, and does the descriptor describe them?"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import export_snapshot as made
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.polls.result import STATES, Held, Snapshot, contest_standing
from dauys.publish import exports

KINDS = {"string": pl.String, "integer": pl.Int64}


def described(now: Snapshot) -> Any:
    return json.loads(exports.datapackage(now, exports.stations_csv(now)))["resources"][0]


def read_csv(now: Snapshot) -> pl.DataFrame:
    """stations.csv as a reader has it who knows nothing but the descriptor."""
    schema = {field["name"]: KINDS[field["type"]] for field in described(now)["schema"]["fields"]}
    return pl.read_csv(io.BytesIO(exports.stations_csv(now)), schema=schema)


def row(now: Snapshot, contest: str, station: str) -> dict[str, Any]:
    [found] = read_csv(now).filter(contest=contest, station=station).to_dicts()
    return found


def test_csv_read_by_its_descriptor_equals_parquet() -> None:
    now = made.snapshot(reconstruction=True)
    table = pl.read_parquet(io.BytesIO(exports.stations_parquet(now)))
    assert read_csv(now).equals(table)
    assert table.height == 2 * len(made.STATIONS)


def test_the_descriptor_describes_the_bytes() -> None:
    now = made.snapshot()
    data = exports.stations_csv(now)
    resource = described(now)
    assert resource["bytes"] == len(data)
    assert resource["hash"] == "sha256:" + hashlib.sha256(data).hexdigest()
    header = next(csv.reader(io.StringIO(data.decode())))
    assert [field["name"] for field in resource["schema"]["fields"]] == header
    assert len(header) == len(set(header))
    assert all(field["title"] for field in resource["schema"]["fields"])
    table = read_csv(now)
    assert table.select(resource["schema"]["primaryKey"]).n_unique() == table.height
    for field in resource["schema"]["fields"]:
        if field["constraints"].get("required"):
            assert table[field["name"]].null_count() == 0


def test_a_row_has_what_the_station_sent() -> None:
    now = made.snapshot()
    sent = row(now, "q1", "71-001")
    assert {name: sent[name] for name in ("area", "state", "version", "entry", "checks", "listed", "nature")} == {
        "area": "KZ71", "state": "accepted", "version": 1, "entry": 12, "checks": "W.201", "listed": 500,
        "nature": "protocol",
    }  # fmt: skip
    assert {name: sent[name] for name in made.HELD["q1"]["71-001"].values} == made.HELD["q1"]["71-001"].values
    assert sent["delivered"] is None  # a field the protocol does not give
    assert sent["north"] is None  # a field of another contest's form


def test_missing_and_quarantined_stations_have_their_row() -> None:
    now = made.snapshot()
    never = row(now, "q1", "11_003")
    assert (never["state"], never["version"], never["entry"], never["checks"], never["yes"]) == ("missing",) + (
        None,
    ) * 4
    assert never["listed"] == 700
    kept = row(now, "q1", "11-002")
    assert (kept["state"], kept["checks"], kept["yes"]) == ("quarantined", "F.101 W.203", 300)


@pytest.mark.parametrize(("repeat", "state"), [(False, "annulled"), (True, "repeat-pending")])
def test_annulment_shows_whether_or_not_a_protocol_came(repeat: bool, state: str) -> None:
    """The station 11_003 never sent one; the area KZ71 is annulled as a whole."""
    now = made.snapshot(annulled={("q1", "11_003"): repeat, ("q1", "KZ71"): repeat})
    assert [row(now, "q1", station)["state"] for station in ("11_003", "71-001", "71-002/а б")] == [state] * 3
    assert row(now, "q/2", "71-001")["state"] == "accepted"


def test_rows_stand_by_contest_and_station() -> None:
    keys = read_csv(made.snapshot()).select("contest", "station").rows()
    assert keys == [(c, s) for c in ("q1", "q/2") for s in sorted(station.id for station in made.STATIONS)]


def test_a_reconstruction_says_so_in_every_file() -> None:
    now = made.snapshot(reconstruction=True)
    assert set(read_csv(now)["nature"]) == {"reconstruction"}
    assert "reconstruction" in json.loads(exports.datapackage(now, b""))["description"]
    assert "reconstruction" not in json.loads(exports.datapackage(made.snapshot(), b""))["description"]
    results = json.loads(exports.results_file(now, [contest_standing(sheet) for sheet in now.sheets]))
    assert results["reconstruction"] is True


def test_every_column_and_state_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    assert [*exports.TITLES] == re.findall(r"^\| `(\w+)` \| (?:text|integer) \|", page, re.MULTILINE)
    assert all(f"`{state}`" in page for state in STATES)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_accepted_rows_add_up_to_the_standing(data: st.DataObject) -> None:
    """Whoever sums the accepted rows of stations.csv by area gets the published totals, in any state of the night."""
    number = st.integers(0, 10**9)
    held = {}
    for contest in ("q1", "q/2"):
        held[contest] = {
            station.id: Held(
                1,
                made.yes_no(data.draw(number), data.draw(number), 1, 2, eligible=9)
                if contest == "q1"
                else made.capital(data.draw(number), data.draw(number), 3),
                checks,
            )
            for station in made.STATIONS
            if (checks := data.draw(st.sampled_from([(), ("F.101",), ("W.201",), None]))) is not None
        }
    targets = st.sampled_from([*(station.id for station in made.STATIONS), "KZ11", "KZ71"])
    keys = st.tuples(st.sampled_from(["q1", "q/2"]), targets)
    now = made.snapshot(held=held, annulled=data.draw(st.dictionaries(keys, st.booleans(), max_size=3)))
    accepted = read_csv(now).filter(state="accepted")
    for standing in map(contest_standing, now.sheets):
        mine = accepted.filter(contest=standing.contest.id)
        assert mine.height == standing.counted
        for area in standing.areas:
            rows = mine.filter(area=area.code)
            assert rows.height == area.counted
            assert {name: rows[name].sum() for name in area.totals} == area.totals
        assert {name: mine[name].sum() for name in standing.totals} == standing.totals
