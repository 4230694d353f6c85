"""Do `dauys indicators` and `dauys audit` answer as documented, and refuse what is wrong with one message?"""

from __future__ import annotations

import csv
import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dauys.cli.main import tree
from dauys.errors import BadInput, DauysError
from dauys.observe.audit import sheets as sheet_module
from dauys.observe.audit.plan import Station, make_plan
from dauys.observe.audit.results import read_results
from dauys.observe.sample.draw import seed_sha256


def dauys(*args: object, code: int = 0) -> Any:
    """The JSON answer."""
    done = CliRunner().invoke(tree, [*map(str, args), "--json"], catch_exceptions=False)
    assert done.exit_code == 0 and done.return_value in (code, None), done.output
    return json.loads(done.stdout)


def run(*args: object) -> tuple[int, Any]:
    done = CliRunner().invoke(tree, [*map(str, args), "--json"], catch_exceptions=False, standalone_mode=False)
    return int(done.return_value or 0), json.loads(done.stdout)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """170 stations in 17 regions, of which 14 say yes."""
    stream = random.Random(1)
    path = tmp_path / "results.csv"
    with path.open("w") as file:
        print("station,region,voters,issued,cast,yes", file=file)
        for n in range(170):
            cast = stream.randint(300, 1500)
            share = stream.uniform(0.6, 0.9) if n % 17 < 14 else stream.uniform(0.2, 0.4)
            print(f"S{n:03},R{n % 17:02},{cast + 300},{cast},{cast},{int(cast * share)}", file=file)
    return path


COLUMNS = "station=station,region=region,registered=voters,issued=issued,cast=cast,yes=yes"


def test_indicators_in_json(results: Path, tmp_path: Path) -> None:
    picture = tmp_path / "f.svg"
    code, found = run("indicators", results, "--columns", COLUMNS, "--draws", 20, "--svg", picture, "--language", "kk")
    assert code == 0 and found["stations"] == 170 and "индикатор" in found["note"]
    assert list(found["indicators"]) == [
        "arithmetic", "fingerprint", "integers", "shpilkin", "digits", "density", "neighbours", "history", "regions",
    ]  # fmt: skip
    for one in found["indicators"].values():
        assert one["title"] and one["says"] and one["assumes"]
    assert found["indicators"]["history"]["needs"] == ["past_cast", "past_yes"]
    assert found["indicators"]["integers"]["redraws"]["draws"] == 20
    assert found["control"]["shares"]["regions"]["above"] == []
    assert picture.read_text().startswith("<svg") and "Келу" in picture.read_text()


def test_shares_alone_are_enough(results: Path) -> None:
    _, found = run("indicators", results, "--columns", "cast=cast,yes=yes")
    made = found["indicators"]
    assert made["fingerprint"]["needs"] == ["registered"] == made["shpilkin"]["needs"]
    assert set(made["integers"]) == {"title", "says", "assumes", "stations", "share"}


def test_indicators_for_a_person_state_assumptions(results: Path) -> None:
    done = CliRunner().invoke(tree, ["indicators", str(results), "--columns", COLUMNS, "--draws", "0"])
    assert "never verdicts" in done.stdout and "That turnout does not depend on preference" in done.stdout
    assert "New Zealand" in done.stdout


@pytest.mark.parametrize(
    "columns", ["cast=cast", "cast=cast,yes=yes,what=yes", "cast", "cast=cast,yes=nowhere", "cast=,yes=yes"]
)
def test_bad_columns_are_refused(results: Path, columns: str) -> None:
    with pytest.raises(BadInput):
        run("indicators", results, "--columns", columns)


@pytest.mark.parametrize("clean", ["45-35", "x", "35", "10-200"])
def test_bad_ranges_are_refused(results: Path, clean: str) -> None:
    with pytest.raises(BadInput, match="clean"):
        run("indicators", results, "--columns", COLUMNS, "--clean", clean)


# audits


def recount(results: Path, wanted: list[str], change: int = 0) -> Path:
    path = results.with_name("recounts.csv")
    rows = [row for row in csv.DictReader(results.open()) if row["station"] in wanted]
    with path.open("w") as file:
        print("station,cast,yes", file=file)
        for row in rows:
            print(row["station"], row["cast"], int(row["yes"]) + change, sep=",", file=file)
    return path


def test_an_audit_of_the_double_rule_from_plan_to_confirmed(results: Path, tmp_path: Path) -> None:
    plan = tmp_path / "audit.json"
    args = ["--seed", "abc", "--regions", "2/3", "--committed", seed_sha256("abc")]
    code, made = run("audit", "plan", results, *args, "--out", plan)
    assert code == 0 and made["contests"][0]["region"] == "*" and len(made["contests"]) == 13
    assert {one["claim"] for one in made["contests"]} == {"above"}
    assert run("audit", "plan", results, *args, "--out", plan)[1] == made  # the same for ever
    clean = recount(results, made["stations"])
    code, found = run("audit", "evaluate", plan, results, clean)
    assert code == 0 and found["outcome"] == "confirmed" and found["rule"] == {"regions": 17, "needed": 12}
    assert all(one["p_value"] <= 0.05 for one in found["contests"])


def test_errors_lead_to_a_next_round_and_then_to_an_end(results: Path, tmp_path: Path) -> None:
    plan, after = tmp_path / "audit.json", tmp_path / "next.json"
    _, made = run("audit", "plan", results, "--seed", "abc", "--out", plan)
    code, found = run("audit", "evaluate", plan, results, recount(results, made["stations"], -40), "--next", after)
    one = found["contests"][0]
    assert code == 1 and found["outcome"] == "go-on" and one["more"] > 0 and one["p_value"] > 0.05
    wider = json.loads(after.read_text())
    assert wider["contests"][0]["draws"] == one["draws"] + one["more"] and set(made["stations"]) <= set(
        wider["stations"]
    )
    code, found = run("audit", "evaluate", after, results, recount(results, made["stations"], -40))
    assert code == 1 and set(found["contests"][0]["outstanding"]) == set(wider["stations"]) - set(made["stations"])
    # every ballot of a station turns out to be against: no sample confirms any more
    path = recount(results, made["stations"])
    lines = path.read_text().splitlines()
    lines[1] = ",".join([*lines[1].split(",")[:2], "0"])
    path.write_text("\n".join(lines) + "\n")
    assert run("audit", "evaluate", plan, results, path)[1]["outcome"] == "count-all"


def test_an_audit_of_a_failed_rule_confirms_the_other_side(results: Path) -> None:
    stations = read_results(results, {name: (name,) for name in ("station", "region", "cast", "yes")})
    few = [
        Station(one.id, one.region, one.cast, one.yes if int(one.region[1:]) < 11 else one.cast // 3)
        for one in stations
    ]
    plan = make_plan(few, "0", "abc", Fraction(1, 20), Fraction(1, 2), Fraction(2, 3))
    assert len(plan.contests) == 6 and not any(one.above for one in plan.contests)
    none = [Station(one.id, one.region, one.cast, one.cast // 3) for one in stations]
    plan = make_plan(none, "0", "abc", Fraction(1, 20), Fraction(1, 2), Fraction(2, 3))
    assert [(one.region, one.above) for one in plan.contests] == [("*", False)]
    tie = [Station("a", "R", 10, 5)]
    with pytest.raises(DauysError, match="tie"):
        make_plan(tie, "0", "abc", Fraction(1, 20), Fraction(1, 2))


def test_what_is_wrong_is_refused(results: Path, tmp_path: Path) -> None:
    plan = tmp_path / "audit.json"
    with pytest.raises(BadInput, match="committed"):
        run("audit", "plan", results, "--seed", "abc", "--committed", seed_sha256("abd"), "--out", plan)
    _, made = run("audit", "plan", results, "--seed", "abc", "--out", plan)
    changed = tmp_path / "changed.csv"
    changed.write_text(results.read_text().replace("S000,R00", "S000,R01"))
    with pytest.raises(BadInput, match="not the list"):
        run("audit", "evaluate", plan, changed, recount(results, made["stations"]))
    with pytest.raises(BadInput, match="not in the results"):
        bad = tmp_path / "bad.csv"
        bad.write_text("station,cast,yes\nnowhere,1,1\n")
        run("audit", "evaluate", plan, results, bad)
    for text in (
        "station,cast,yes\nS000,10,11\n",
        "station,cast,yes\nS000,10,1\nS000,10,1\n",
        "station,cast\nS000,10\n",
    ):
        bad.write_text(text)
        with pytest.raises(BadInput):
            run("audit", "evaluate", plan, results, bad)
    for risk in ("0", "2", "x", "1/0"):
        with pytest.raises(BadInput, match="--risk"):
            run("audit", "comparison", "--margin", "1/20", "--risk", risk)
    tampered = json.loads(plan.read_text()) | {"seed": "better"}
    plan.write_text(json.dumps(tampered))
    with pytest.raises(BadInput, match="committed"):
        run("audit", "evaluate", plan, results, recount(results, made["stations"]))


def test_sheets_share_the_work_and_say_no_result(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_module, "browser", lambda: None)
    plan = tmp_path / "audit.json"
    _, made = run("audit", "plan", results, "--seed", "abc", "--regions", "2/3", "--out", plan)
    done = dauys("audit", "sheets", plan, results, "--boards", 3, "--out", tmp_path / "sheets")
    shared = [station for one in done["boards"] for station in one["stations"]]
    assert sorted(shared) == sorted(made["stations"]) and len(done["files"]) == 3
    rows = {row["station"]: row for row in csv.DictReader(results.open())}
    loads = [sum(int(rows[name]["cast"]) for name in one["stations"]) for one in done["boards"]]
    assert max(loads) - min(loads) < 1500
    page = Path(done["files"][0]).read_text()
    assert "Қайта санау парағы" in page and seed_sha256("abc") in page
    assert not any(f">{rows[name]['yes']}<" in page for name in shared)


@pytest.mark.skipif(sheet_module.browser() is None, reason="Chromium is not installed")
def test_a_sheet_becomes_a_pdf(tmp_path: Path) -> None:
    page = tmp_path / "board-1.html"
    page.write_text(sheet_module.html(1, [Station("Қ-1", "Абай", 10, 5)], "00", "kk"))
    made = sheet_module.pdf(page)
    assert made is not None and made.read_bytes().startswith(b"%PDF-")


def test_ballots_polled_compared_and_in_batches(tmp_path: Path) -> None:
    code, found = run("audit", "polling", "--winner", 60, "--loser", 40, "--risk", "1/10", "--round", "57:43")
    assert code == 1 and found["least"] == [58] and found["p_value"] == pytest.approx(0.126624624)
    assert run("audit", "polling", "--winner", 60, "--loser", 40, "--risk", "1/10", "--round", "58:42")[0] == 0
    bravo = run(
        "audit", "polling", "--winner", 400, "--loser", 320, "--other", 280, "--risk", "1/10", "--method", "bravo"
    )
    assert bravo[0] == 1 and bravo[1]["next"] == 1599
    assert run("audit", "comparison", "--margin", "1/20", "--risk", "1/10")[1]["needed"] == 96
    assert run("audit", "comparison", "--margin", "1/20", "--risk", "1/10", "--sample", 96)[0] == 0
    path = tmp_path / "ballots.csv"
    p = {}
    for reported in ("", "400/500", "yes"):
        path.write_text("audited,reported\n" + f"yes,{reported}\n" * 30)
        for method in ("alpha", "kaplan-markov", "kaplan-wald"):
            code, found = run("audit", "ballots", path, "--winner", 4000, "--ballots", 5000, "--method", method)
            p[reported, method] = found["p_value"]
            assert code == int(found["p_value"] > 0.05)
    assert p["", "alpha"] < 0.001
    path.write_text("audited,reported\nyes,yes\nyes,\n")
    with pytest.raises(BadInput, match="no record"):
        run("audit", "ballots", path, "--winner", 4000, "--ballots", 5000)
    for winner in (2500, 6000):
        path.write_text("audited\nyes\n")
        with pytest.raises(BadInput, match="nothing to confirm"):
            run("audit", "ballots", path, "--winner", winner, "--ballots", 5000)
    for rounds in (["--round", "1"], ["--round", "5:5", "--round", "4:9"], ["--round", "0:0"]):
        with pytest.raises(BadInput):
            run("audit", "polling", "--winner", 60, "--loser", 40, *rounds)
