"""Is the night of a sample replayed as it came, beside the count? From a record, from a table, with arrivals by the model."""

from __future__ import annotations

import csv
import io
import itertools
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compared_world import World, protocol
from hypothesis import given, settings
from hypothesis import strategies as st
from observed_data import reference

from dauys.cli.main import main
from dauys.errors import BadInput
from dauys.observe.compare.replay import contest_of, replayed, vote_of_record
from dauys.observe.estimates.interval import interval
from dauys.observe.night.arrival import Pace, modelled
from dauys.observe.night.snapshots import Ask, drawn_of_draw, say

CLOSED = datetime.fromisoformat("2020-07-01T20:00:00+03:00")


def run(*args: object) -> tuple[int, Any]:
    """A command's exit code, and its JSON or what it said."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    text = out.getvalue()
    return int(str(ended.value.code)), json.loads(text) if text.startswith("{") else text + err.getvalue()


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, dict[str, Any], Path]:
    """A record of 102 stations, one in quarantine and one annulled; a sample of 51; its bundle."""
    folder = tmp_path_factory.mktemp("night")
    world = World().count(checks={"KZ15-0001": ("F.101",)})
    drawn = world.drawn(folder)
    world.correct("KZ11-0000", yes=1, no=2)
    world.annul(station="KZ19-0002")
    world.folder(folder / "bundle")
    (folder / "draw.json").write_text(json.dumps(drawn))
    return world, drawn, folder


def test_the_vote_of_a_record(night: tuple[World, dict[str, Any], Path]) -> None:
    world, _, _ = night
    official = world.official()
    vote = vote_of_record(official, contest_of(official.poll), "yes")
    place = {name: number for number, name in enumerate(vote.ids)}
    assert len(vote.ids) == 102 and vote.denominator == "participated"
    for none in ("KZ15-0001", "KZ19-0002"):  # in quarantine, annulled: they count nowhere
        assert vote.came[place[none]] is None and np.isnan(vote.y[place[none]])
    assert vote.y[place["KZ11-0000"]] == 1  # as corrected, at the time of its first protocol
    first = next(json.loads(one)["at"] for one in world.entries if b'"id":"protocol/q1/KZ11-0000"' in one)
    assert vote.came[place["KZ11-0000"]] == datetime.fromisoformat(first)
    counted = [name for name in world.stations if name not in ("KZ15-0001", "KZ19-0002")]
    yes = sum(protocol(world.stations[name])["yes"] for name in counted if name != "KZ11-0000") + 1
    assert vote.official().y == yes and vote.official().stations == 100
    with pytest.raises(BadInput, match="no such option"):
        vote_of_record(official, contest_of(official.poll), "maybe")
    with pytest.raises(BadInput, match="which contest"):
        contest_of(official.poll, "q9")


def test_each_hour_is_what_the_stations_that_had_come_say(night: tuple[World, dict[str, Any], Path]) -> None:
    world, body, _ = night
    official = world.official()
    vote, drawn = vote_of_record(official, contest_of(official.poll), "yes"), drawn_of_draw(body)
    own = vote.of(drawn)
    hours = replayed(drawn, vote, Ask(), timedelta(minutes=60))
    assert [one.said.facts["received"] for one in hours] == sorted(one.said.facts["received"] for one in hours)
    for one in hours:
        at = datetime.fromisoformat(one.said.facts["at"])
        came = np.array([moment is not None and moment <= at for moment in own.came])
        alone = say(drawn, came, np.nan_to_num(own.y), own.x, Ask(), at, "participated")
        assert one.said.found == alone.found and one.said.facts["received"] == came.sum()
        by_then = [m for m in vote.came if m is not None and m <= at]
        assert one.official.stations == len(by_then)
    assert hours[-1].official.share == vote.official(max(m for m in own.came if m is not None)).share
    stranger = dict(body, stations=["nowhere", *body["stations"][1:]])
    stranger["strata"] = [
        dict(one, ids=["nowhere" if name == body["stations"][0] else name for name in one["ids"]])
        for one in body["strata"]
    ]
    with pytest.raises(BadInput, match="another list"):
        vote.of(drawn_of_draw(stranger))


def test_a_bundle_is_replayed_by_the_command(night: tuple[World, dict[str, Any], Path]) -> None:
    _, _, folder = night
    code, found = run(
        "estimate", folder / "bundle", "--draw", folder / "draw.json", "--option", "yes", "--every", 60, "--by", "area",
        "--double", "--svg", folder / "night.svg", "--json",
    )  # fmt: skip
    assert code == 0 and found["official"]["stations"] == 100 and found["double"]["of"] == 17
    assert found["snapshots"][-1]["official"]["stations"] <= 100 and (folder / "night.svg").read_text().startswith(
        "<svg"
    )
    assert found["facts"]["denominator"] == "participated"
    code, said = run("estimate", folder / "bundle", "--draw", folder / "draw.json", "--every", 60)
    assert code == 0 and "the official value of 100 stations" in said and "counted" in said
    assert run("estimate", folder / "bundle")[0] == 2
    assert run("estimate", folder / "bundle", "--draw", folder / "draw.json", "--contest", "q9")[0] == 2


def test_a_table_is_replayed_with_arrivals_by_the_model(tmp_path: Path) -> None:
    rows = [(f"S{n:02}", "east" if n < 20 else "west", f"c{n % 3}", 100 + 17 * n, 60 + 11 * n) for n in range(60)]
    with (tmp_path / "all.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "area", "office", "cast", "yes"), *rows])
    (tmp_path / "zones.csv").write_text("area,hours\neast,10\nwest,3\n")
    table = tmp_path / "all.csv"
    _, drawn = run("sample", table, "--n", 20, "--strata", "area", "--seed", "dice", "--json")
    (tmp_path / "draw.json").write_text(json.dumps(drawn))
    whole = ("estimate", table, "--whole", "--y", "yes", "--x", "cast", "--draw", tmp_path / "draw.json")
    model = ("--closes", "2020-07-01T20:00+03:00", "--commission", "office", "--zones", tmp_path / "zones.csv")
    code, found = run(*whole, *model, "--every", 60, "--json")
    assert code == 0 and found["official"] == {
        "stations": 60, "y": sum(row[4] for row in rows), "x": sum(row[3] for row in rows),
        "share": sum(row[4] for row in rows) / sum(row[3] for row in rows),
    }  # fmt: skip
    assert found["snapshots"][0]["at"].startswith("2020-07-01T15")  # the east closed seven hours earlier
    assert found["snapshots"][0]["official"]["stations"] <= 20 and found["snapshots"][-1]["received"] == 20
    for missing in (whole, (*whole, *model[:2]), (*whole[:5], *whole[7:], *model)):
        assert run(*missing)[0] == 2
    (tmp_path / "zones.csv").write_text("area,hours\neast,10\n")
    code, said = run(*whole, *model)
    assert code == 2 and "no time zone" in said


def test_the_model_of_arrivals_by_hand() -> None:
    """Ready at 21:30 + ballots/20 minutes; a commission takes 3 minutes for each, first come first served."""
    came = modelled(CLOSED, ["b", "a", "c", "d"], [200, 200, 1000, 200], ["x", "x", "x", "y"])
    at = [f"{moment:%H:%M}" for moment in came]
    assert at == ["21:46", "21:43", "22:23", "21:43"]
    assert modelled(CLOSED, ["a"], [200], ["x"], [10.0])[0].isoformat() == "2020-07-01T14:43:00+03:00"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.sampled_from("xyz")), min_size=1, max_size=30), st.randoms())
def test_a_commission_takes_one_protocol_at_a_time(rows: list[tuple[int, str]], chance: Any) -> None:
    ids = [f"{n:02}" for n in range(len(rows))]
    came = modelled(CLOSED, ids, [row[0] for row in rows], [row[1] for row in rows])
    for moment, (ballots, _) in zip(came, rows, strict=True):
        assert moment >= CLOSED + timedelta(minutes=90 + ballots // 20 + Pace().entry)
    for name in "xyz":
        taken = sorted(moment for moment, row in zip(came, rows, strict=True) if row[1] == name)
        assert all(later - earlier >= timedelta(minutes=3) for earlier, later in itertools.pairwise(taken))
    order = list(range(len(rows)))
    chance.shuffle(order)  # the order of the table changes nothing
    again = modelled(CLOSED, [ids[n] for n in order], [rows[n][0] for n in order], [rows[n][1] for n in order])
    assert {ids[n]: moment for n, moment in zip(order, again, strict=True)} == dict(zip(ids, came, strict=True))


def test_the_likelihood_interval_is_that_of_survey() -> None:
    """R's svyciprop(method = "likelihood") reads its ends off a spline of the profile: five millionths are its own error."""
    share, low, high = reference("survey_golden.tsv")["apiclus1.ciprop.likelihood"]
    assert [round(low, 6), round(high, 6)] == [0.826288, 0.913694]
    found = interval(
        "likelihood", 0.8743169398907105, 0.02035947724462742, 14, 183
    )  # the estimate of test_survey_golden
    assert share == pytest.approx(0.8743169398907105, abs=1e-9)
    assert found == pytest.approx((low, high), abs=5e-6)
    assert interval("likelihood", 0.5, 0.02, 30, 100)[0] + interval("likelihood", 0.5, 0.02, 30, 100)[
        1
    ] == pytest.approx(1)
    assert all(np.isnan(end) for end in interval("likelihood", 0.5, 0.02, 0, 2))
    assert interval("likelihood", 1.0, 0.0, 5, 20) == (1.0, 1.0)
