"""Is the result of 5 June 2022 the official one, to the ballot, with its articles, and proven?"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from dauys_command import STATE, independent, newcomer

from conftest import Ran
from dauys.cli.run import as_text
from dauys.observe.compare.answer import answer_of
from dauys.observe.compare.standing import Copy, compare
from dauys.observe.known.official import official_frame, read_official
from dauys.observe.sample.draw import Plan, draw
from dauys.observe.sample.drawn import as_body
from dauys.observe.sample.frame import Columns, read_frame

pytestmark = pytest.mark.database

FINAL = {
    "eligible": 11_734_642,
    "received": 8_030_739,
    "participated": 7_985_769,
    "yes": 6_163_516,
    "no": 1_490_470,
    "invalid": 205_924,
    "not_counted": 125_859,
}
PRELIMINARY = FINAL | {"participated": 7_986_293, "yes": 6_163_863, "no": 1_490_475, "invalid": 206_096}
"""The commission's messages of 6 and 8 June 2022; 8,030,739 is the announcement of 22:00."""


def test_final_result_is_the_official_one(kazakhstan: Ran) -> None:
    result = kazakhstan.result
    assert (result["stage"], result["reconstruction"]) == ("final", True)
    assert result["stations"] == {
        "expected": 10_012,
        "counted": 10_012,
        "quarantined": 0,
        "missing": 0,
        "annulled": 0,
        "repeat_pending": 0,
    }
    assert result["totals"] == FINAL
    assert len(result["areas"]) == 17
    for field, total in FINAL.items():
        assert sum(area[field] for area in result["areas"]) == total


def test_decision_names_its_articles(kazakhstan: Ran) -> None:
    decision = kazakhstan.result["decision"]
    assert decision["outcome"] == "adopted"
    tests = {test["name"]: test for test in decision["tests"]}
    assert (tests["held"]["value"], tests["held"]["needed"]) == (7_985_769, 5_867_322)
    assert (tests["yes"]["value"], tests["yes"]["needed"]) == (6_163_516, 3_992_885)
    assert (tests["territories"]["value"], tests["territories"]["needed"]) == (17, 12)
    assert all(test["met"] is True and "art. 31" in test["cite"] for test in tests.values())


def declarations(bundle: Path) -> dict[str, dict[str, object]]:
    """The declarations of a bundle, read with nothing of ours: length-prefixed JSON in tlog-tiles bundles."""
    found = {}
    for path in sorted((bundle / "tile/entries").rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        at = 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 2], "big")
            entry = json.loads(data[at + 2 : at + 2 + size])
            at += 2 + size
            if entry["kind"] in ("declaration", "correction"):
                found[entry["id"]] = entry
    return found


def test_preliminary_result_and_the_524_ballots(kazakhstan: Ran) -> None:
    entries = declarations(kazakhstan.bundle)
    assert entries["declaration/preliminary"]["body"]["contests"][0]["totals"] == PRELIMINARY
    assert entries["declaration/final"]["body"]["contests"][0]["totals"] == FINAL
    corrections = [entry for entry in entries.values() if entry["kind"] == "correction"]
    change = {
        field: sum(c["body"]["after"][field] - c["body"]["before"][field] for c in corrections) for field in FINAL
    }
    assert change == {
        "eligible": 0, "received": 0, "participated": -524, "yes": -347, "no": -5, "invalid": -172, "not_counted": 0,
    }  # fmt: skip
    assert all(c["body"]["station"].startswith("KZ75-") for c in corrections)
    assert all(c["sig"] and c["by"] == "commission" and "econstruction" in c["body"]["reason"] for c in corrections)


def test_both_verifiers_agree(kazakhstan: Ran) -> None:
    body = newcomer(kazakhstan.folder, "verify", kazakhstan.bundle)
    assert body["ok"] is True
    assert [check["id"] for check in body["checks"]] == [f"V.{n:02d}" for n in range(1, 16)]
    assert independent(kazakhstan.bundle) == (True, set())


def test_the_record_is_the_same_on_every_machine(kazakhstan: Ran) -> None:
    """Nothing lost, nothing doubled: the entries of a night that nothing disturbed, byte for byte."""
    assert (kazakhstan.bundle / "checkpoint").read_text().splitlines()[:3] == STATE


def test_the_answer_for_a_person_says_reconstruction(kazakhstan: Ran) -> None:
    said = as_text(kazakhstan.result, "the key")
    assert "RECONSTRUCTION" in said
    assert "6,163,516" in said


def test_every_station_level_export_says_reconstruction(kazakhstan: Ran) -> None:
    bundle = kazakhstan.bundle
    assert set(pl.read_csv(bundle / "stations.csv")["nature"]) == {"reconstruction"}
    assert set(pl.read_parquet(bundle / "stations.parquet")["nature"]) == {"reconstruction"}
    for name in ("results.json", "datapackage.json", "nist-1500-100.json", "nist-1500-100.xml", "README.txt"):
        assert "reconstruction" in (bundle / name).read_text().lower(), name


def test_copies_of_500_stations_against_the_record(kazakhstan: Ran, tmp_path: Path) -> None:
    """Planted differences, and only they, are found; what they could change is decided by the same law."""
    official = read_official(str(kazakhstan.bundle))
    assert [str(official.size), len(official.protocols), official.declared] == [STATE[1], 10_012, True]
    path = tmp_path / "frame.csv"
    path.write_bytes(official_frame(official)[0])
    columns = Columns(("id",), ("area",))
    drawn = as_body(draw(read_frame(path, columns), Plan(500, "proportional"), "dice 1 2 3 4 5 6"), columns)
    copies = {("q1", name): Copy(official.protocols["q1", name].values) for name in drawn["stations"]}
    planted = [name for name in drawn["stations"] if copies["q1", name].values["yes"] > 100][:3]
    for name in planted:
        seen = copies["q1", name].values
        copies["q1", name] = Copy({**seen, "yes": seen["yes"] - 30, "no": seen["no"] + 30})
    found = answer_of(copies, official, drawn, None)
    assert sorted(one.station for one in found.comparison.differing) == sorted(planted)
    assert found.comparison.counts["agree"] == 497 and not found.agrees
    assert found.effect is not None and found.effect.moved() == {"yes": -90, "no": 90}
    assert FINAL | found.effect.published.totals == FINAL
    assert found.effect.published.decision.to_json() == kazakhstan.result["decision"]
    assert not found.effect.changed and found.effect.can_change is False
    assert [one.agrees for one in found.national] == [True, True]
    # seven protocols were corrected on 7 and 8 June: whoever copied them on the night is told apart from who erred
    corrected = {key: Copy(one.earlier[0].values) for key, one in official.protocols.items() if one.earlier}
    made = compare(corrected, official, [name for _, name in corrected])
    assert len(corrected) == made.counts["corrected"] == 7
