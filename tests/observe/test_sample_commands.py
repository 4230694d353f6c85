"""Do `dauys sample` and `dauys estimate` answer as documented, together and with bad input?"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from observed_data import GOLDEN, there

from dauys.cli.main import main

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty folder: its exit code and its JSON, or what it said on standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAUYS_SEED", raising=False)

    def call(*args: object) -> tuple[int, Any]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        assert "Traceback" not in err.getvalue()
        text = out.getvalue()
        return int(str(ended.value.code)), json.loads(text) if text.startswith("{") else text + err.getvalue()

    return call


@pytest.fixture
def stations(tmp_path: Path) -> Path:
    """120 stations in three regions, with a vote."""
    path = tmp_path / "frame.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("station", "region", "voters", "yes", "no"))
        for n in range(120):
            voters = 200 + 37 * n % 900
            out.writerow((f"{n:03}", "ABC"[n % 3], voters, voters * (40 + n % 30) // 100, voters * (20 + n % 7) // 100))
    return path


def forms(tmp_path: Path, stations: Path, drawn: list[str], missing: int = 0) -> Path:
    """What observers sent in of the drawn stations: the last `missing` have not come."""
    known = {row["station"]: row for row in csv.DictReader(stations.open())}
    path = tmp_path / "forms.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("id", "region", "yes", "in_box", "came"))
        for n, name in enumerate(drawn):
            row = known[name]
            both = (row["yes"], int(row["yes"]) + int(row["no"])) if n < len(drawn) - missing else ("", "")
            out.writerow((name, row["region"], *both, f"2022-06-05T2{n // 20}:{n % 20 * 3:02}:00+06:00"))
    return path


def test_draw_again_and_estimate(run: Run, stations: Path, tmp_path: Path) -> None:
    code, drawn = run("sample", stations, "--n", 30, "--strata", "region", "--seed", "dice", "--json")
    assert code == 0 and {"frame_sha256", "seed", "design", "stations"} <= set(drawn)
    assert drawn["frame_sha256"] == hashlib.sha256(stations.read_bytes()).hexdigest()
    assert drawn["seed"] == "dice" and len(drawn["stations"]) == 30
    tickets = [hashlib.sha256(f"dice,{name}".encode()).digest() for name in drawn["stations"]]
    assert tickets == sorted(tickets)
    (tmp_path / "draw.json").write_text(json.dumps(drawn))
    assert run("sample", stations, "--again", "draw.json", "--json") == (0, drawn)

    path = forms(tmp_path, stations, drawn["stations"])
    code, found = run(
        "estimate", path, "--y", "yes", "--x", "in_box", "--draw", "draw.json", "--frame", stations, "--by", "region",
        "--double", "--json",
    )  # fmt: skip
    assert code == 0
    assert {"estimate", "se", "ci", "df", "deff", "n", "method"} <= set(found)
    assert (found["n"], found["df"], found["partial"]) == (30, 27, None)
    facts = found["facts"]
    assert (
        facts["seed_sha256"] == hashlib.sha256(b"dice").hexdigest() and facts["frame_sha256"] == drawn["frame_sha256"]
    )
    assert (facts["designed"], facts["received"], facts["empty_strata"]) == (30, 30, [])
    assert found["double"]["needed"] == 2 and set(found["double"]["yes"]) == {"A", "B", "C"}
    assert [one["name"] for one in found["by"]] == ["A", "B", "C"]

    # the same by the table's own columns: 40 stations in each region, 10 drawn
    rows = list(csv.DictReader(path.open()))
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("region", "yes", "in_box", "all"))
        out.writerows((row["region"], row["yes"], row["in_box"], 40) for row in rows)
    _, plain = run("estimate", path, "--y", "yes", "--x", "in_box", "--strata", "region", "--fpc", "all", "--json")
    assert [plain[name] for name in ("estimate", "se", "df", "deff")] == pytest.approx(
        [found[name] for name in ("estimate", "se", "df", "deff")]
    )


def test_missing_stations_a_gate_and_the_night(run: Run, stations: Path, tmp_path: Path) -> None:
    _, drawn = run("sample", stations, "--n", 30, "--strata", "region", "--seed", "dice", "--json")
    (tmp_path / "draw.json").write_text(json.dumps(drawn))
    path = forms(tmp_path, stations, drawn["stations"], missing=15)
    asked = ("estimate", path, "--y", "yes", "--x", "in_box", "--draw", "draw.json", "--json", "--check")
    code, found = run(*asked)
    assert code == 1 and not found["partial"]["publish"]
    assert found["partial"]["assumes"] == "missing at random within the stratum"
    assert (found["partial"]["designed"], found["partial"]["received"]) == (30, 15)
    low, high = found["partial"]["band"]
    assert low < found["ci"][0] < found["ci"][1] < high
    code, said = run(*asked[:-2])
    assert "if what is missing is missing at random within its stratum" in said and "DO NOT PUBLISH" in said

    path = forms(tmp_path, stations, drawn["stations"], missing=2)
    code, found = run(*asked, "--arrived", "came", "--every", "15")
    states = found["snapshots"]
    assert [one["received"] for one in states] == sorted(one["received"] for one in states) and states[-1][
        "received"
    ] == 28
    assert [one["publish"] for one in states][:2] == [False, False]
    code, found = run(*asked, "--arrived", "came", "--at", "2022-06-05T20:30:00+06:00")
    assert found["facts"]["received"] == 11 and found["facts"]["at"] == "2022-06-05T20:30:00+06:00"


def test_sizes_and_simulation(run: Run, stations: Path) -> None:
    vote = ("--y", "yes", "--x", "voters")
    code, found = run("sample", stations, "--margin", 2, *vote, "--json")
    assert code == 0 and 0 < found["size"]["n"] < 120 and "stations" not in found
    code, more = run("sample", stations, "--margin", 2, *vote, "--response", 50, "--json")
    assert more["size"]["asked"] >= 2 * found["size"]["n"] - 1
    code, tried = run("sample", stations, "--n", 30, *vote, "--strata", "region", "--simulate", 500, "--json")
    assert code == 0 and 0.9 < tried["simulation"]["coverage"] <= 0.99


def test_a_draw_by_size_and_its_estimate(run: Run, stations: Path, tmp_path: Path) -> None:
    _, drawn = run("sample", stations, "--n", 30, "--size", "voters", "--seed", "dice", "--json")
    assert set(drawn["pi"]) == set(drawn["stations"]) and drawn["design"]["pps"]
    (tmp_path / "draw.json").write_text(json.dumps(drawn))
    path = forms(tmp_path, stations, drawn["stations"])
    code, found = run("estimate", path, "--y", "yes", "--x", "in_box", "--draw", "draw.json", "--json")
    assert code == 0 and "hartley-rao" in found["method"] and 0.5 < found["estimate"] < 0.8
    code, found = run("estimate", path, "--y", "yes", "--x", "in_box", "--draw", "draw.json", "--variance", "yg")
    assert code == 2 and "--joint" in found


def test_a_commitment_says_no_seed_and_no_station(run: Run, stations: Path) -> None:
    code, found = run("sample", stations, "--n", 30, "--seed", "dice", "--commit", "--json")
    assert code == 0 and set(found) == {"frame_sha256", "seed_sha256", "design", "population"}
    assert "dice" not in json.dumps(found)


def test_the_reference_sample_from_the_command_line(run: Run) -> None:
    """A file with the columns Nh and nh: labels are exact."""
    path = there(GOLDEN / "ru2020_strat_sample.csv")
    code, found = run("estimate", path, "--y", "yes", "--x", "in_box", "--strata", "region", "--fpc", "Nh", "--json")
    assert code == 0 and found["df"] == 882 and found["n"] == 969
    expected = (0.7874850477333, 0.0035461826726, 0.7805251065428, 0.7944449889237)
    assert (found["estimate"], found["se"], *found["ci"]) == pytest.approx(expected, rel=1e-9)
    sized = there(GOLDEN / "election_pps.csv")
    code, found = run("estimate", sized, "--y", "Bush", "--x", "votes", "--pi", "p", "--json")
    assert (found["estimate"], found["se"]) == pytest.approx((0.5552406998362, 0.0210640941568), rel=1e-9)
    joint = GOLDEN / "election_jointprob.csv"
    code, found = run(
        "estimate", sized, "--y", "Bush", "--x", "votes", "--pi", "p", "--variance", "yg", "--joint", joint, "--json"
    )
    assert found["se"] == pytest.approx(0.0207103644147, rel=1e-9)


def test_replicates_from_the_command_line(run: Run) -> None:
    path = there(GOLDEN / "apistrat.csv")
    asked = (
        "estimate",
        path,
        "--y",
        "api.stu",
        "--x",
        "enroll",
        "--strata",
        "stype",
        "--fpc",
        "fpc",
        "--weight",
        "pw",
        "--json",
    )
    code, found = run(*asked, "--variance", "jackknife")
    assert code == 0 and found["se"] == pytest.approx(0.00777250905056012, rel=1e-9)
    assert "jackknife of 200 replicates" in found["method"]


BAD = [
    ("yes,x\n1,2\n", (), "no column y"),
    ("y,x\n1,2\nabc,3\n", (), "row 3, field y: this is not a number"),
    ("y,x\n1,2\n3,\n", (), "row 3: y without x"),
    ("y,x\n1,2\n3,-4\n", (), "row 3, field x: the denominator is negative"),
    ("y,x\n1,2\n3\n", (), "row 3: the row does not have as many fields"),
    ("y,x\n1,0\n2,0\n", (), "the denominator (x) is 0 in every station"),
    ("y,x\n,\n,\n", (), "no station has come yet"),
    ("y,x\n1,2\n", (), "one station"),
    ("id,y,x\nA,1,2\nA,1,3\n", ("--id", "id"), "row 3: the station stands in row 2 already"),
    ("s,N,y,x\nA,1,1,2\nA,1,1,3\n", ("--strata", "s", "--fpc", "N"), "2 were sampled of 1"),
    ("s,N,y,x\nA,9,1,2\nA,8,1,3\n", ("--strata", "s", "--fpc", "N"), "its rows name different populations"),
    ("s,y,x\nA,1,2\nB,1,3\n", ("--strata", "s"), "without their populations"),
    ("p,y,x\n1.5,1,2\n0.5,1,3\n", ("--pi", "p"), "above 0 and at most 1"),
    ("s,N,y,x\nA,9,1,2\nB,9,1,3\n", ("--strata", "s", "--fpc", "N", "--lonely", "refuse"), "has one station"),
    ("a,y,x\nyesterday,1,2\n2022-06-05,3,4\n", ("--arrived", "a"), "row 2: not a moment"),
    ("y,x\n1,2\n3,4\n", ("--double",), "--by COLUMN"),
]


@pytest.mark.parametrize(("text", "options", "message"), BAD)
def test_bad_input_is_one_message(run: Run, tmp_path: Path, text: str, options: tuple[str, ...], message: str) -> None:
    (tmp_path / "bad.csv").write_text(text)
    code, said = run("estimate", "bad.csv", "--y", "y", "--x", "x", *options)
    assert code == 2 and message in said, said


def test_what_a_draw_refuses(run: Run, stations: Path, tmp_path: Path) -> None:
    _, drawn = run("sample", stations, "--n", 30, "--seed", "dice", "--json")
    (tmp_path / "draw.json").write_text(json.dumps(drawn))
    other = next(f"{n:03}" for n in range(120) if f"{n:03}" not in drawn["stations"])
    path = forms(tmp_path, stations, [other, *drawn["stations"][1:]])
    asked = ("estimate", path, "--y", "yes", "--x", "in_box", "--draw", "draw.json")
    code, said = run(*asked)
    assert code == 2 and "row 2: this station was not drawn" in said and other in said
    forms(tmp_path, stations, drawn["stations"])
    stations.write_text(stations.read_text().replace("119,", "1190,"))
    code, said = run(*asked, "--frame", stations)
    assert code == 2 and "it changed after the draw" in said
    code, said = run("sample", stations, "--again", "draw.json")
    assert code == 2 and "it changed after the draw" in said
    for args, message in (
        (("--n", 30), "a draw needs a seed"),
        (("--seed", "x"), "how many stations?"),
        (("--n", 500, "--seed", "x"), "the list has 120 stations"),
        (("--n", 30, "--seed", "x", "--allocation", "neyman"), "needs strata"),
        (("--n", 4, "--seed", "x", "--strata", "region"), "too few"),
        (("--n", 30, "--seed", "x", "--strata", "region", "--allocation", "neyman"), "needs a past vote"),
        (("--n", 30, "--seed", "x", "--size", "region"), "this is not a count"),
    ):
        code, said = run("sample", stations, *args)
        assert code == 2 and message in said, said


def test_a_share_whose_part_is_more_than_the_whole_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("y,x\n5,3\n1,4\n2,9\n")
    code, found = run("estimate", "odd.csv", "--y", "y", "--x", "x", "--json")
    assert code == 0 and found["deff_ballots"] is None
    assert any("y is more than x" in remark for remark in found["remarks"])
