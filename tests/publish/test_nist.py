"""Do the NIST SP 1500-100 reports say what the snapshot says, in the standard's shape? Oracle: its class table."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import export_snapshot as made
import nist_classes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from dauys.polls.result import Held, contest_standing
from dauys.publish.nist import report_json, report_xml

NS = {"n": nist_classes.NAMESPACE}


def tree(now: Any) -> Any:
    return etree.fromstring(report_xml(now))


def leaves(node: Any) -> Iterator[str]:
    """Every value of a JSON report in order."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from [" ".join(value)] if name.endswith("Ids") else [] if name == "@type" else leaves(value)
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item)
    else:
        yield str(node)


def xml_leaves(report: Any) -> Iterator[str]:
    """Every value of an XML report in order: ids before members, a text before its language, as in JSON."""
    for node in report.iter():
        object_id = node.get("ObjectId")
        if object_id is not None:
            yield object_id
        if len(node) == 0:
            yield node.text
            if node.get("Language") is not None:
                yield node.get("Language")


def counts(now: Any) -> dict[tuple[str, str], int]:
    """{(selection, unit): votes} of the XML report."""
    found: dict[tuple[str, str], int] = {}
    for selection in tree(now).iterfind(".//n:ContestSelection", NS):
        for votes in selection.iterfind("n:VoteCounts", NS):
            key = selection.get("ObjectId"), votes.findtext("n:GpUnitId", namespaces=NS)
            assert key not in found
            found[key] = int(votes.findtext("n:Count", namespaces=NS))
    return found


def hashed(kind: str, key: str) -> str:
    """The id of what has no plain name, as docs/exports.md says."""
    return f"{kind}_{sha256(key.encode()).hexdigest()[:16]}"


def test_counts_are_those_of_the_snapshot() -> None:
    """Written out by hand: 11_003 is missing, 11-002 in quarantine for q1, the station abroad sent only q1."""
    yes, no = hashed("selection", "q1/yes"), hashed("selection", "q1/no")
    north, south, either = (hashed("selection", f"q/2/{name}") for name in ("north", "south", "either"))
    abroad = hashed("station", "71-002/а б")
    now = made.snapshot()
    found = counts(now)
    assert found == {
        (yes, "nation"): 530, (yes, "area-KZ11"): 400, (yes, "area-KZ71"): 130,
        (yes, "station-11-001"): 400, (yes, "station-71-001"): 100, (yes, abroad): 30,
        (no, "nation"): 470, (no, "area-KZ11"): 200, (no, "area-KZ71"): 270,
        (no, "station-11-001"): 200, (no, "station-71-001"): 250, (no, abroad): 20,
        (north, "nation"): 310, (north, "area-KZ11"): 310, (north, "area-KZ71"): 0,
        (north, "station-11-001"): 300, (north, "station-11-002"): 10, (north, "station-71-001"): 0,
        (south, "nation"): 570, (south, "area-KZ11"): 220, (south, "area-KZ71"): 350,
        (south, "station-11-001"): 200, (south, "station-11-002"): 20, (south, "station-71-001"): 350,
        (either, "nation"): 130, (either, "area-KZ11"): 130, (either, "area-KZ71"): 0,
        (either, "station-11-001"): 100, (either, "station-11-002"): 30, (either, "station-71-001"): 0,
    }  # fmt: skip
    for sheet in now.sheets:
        totals = contest_standing(sheet).totals
        key = sheet.contest.id
        assert all(
            found[hashed("selection", f"{key}/{option}"), "nation"] == totals[option]
            for option in sheet.contest.options
        )


def test_ballots_overvotes_and_units() -> None:
    report = json.loads(report_json(made.snapshot()))
    [election], units = report["Election"], {unit["@id"]: unit for unit in report["GpUnit"]}
    ballots = {(item["OtherType"], item["GpUnitId"]): item for item in election["BallotCounts"]}
    assert {item["Type"] for item in election["BallotCounts"]} == {"other"}
    whole = ballots["contest-q1", "nation"]
    assert (whole["BallotsCast"], whole["BallotsRejected"]) == (625 + 353 + 53, 20 + 3 + 1)
    assert ballots[hashed("contest", "q/2"), "area-KZ11"]["BallotsCast"] == 685
    assert ("contest-q1", "station-11-002") not in ballots
    first, second = election["Contest"]
    assert {item["GpUnitId"]: item["Overvotes"] for item in first["OtherCounts"]}["nation"] == 5 + 0 + 2
    assert second["OtherCounts"] == []
    assert (first["SubUnitsReported"], first["TotalSubUnits"]) == (3, 5)
    nation = units["nation"]
    assert nation["ComposingGpUnitIds"] == ["area-KZ11", "area-KZ71"]
    assert (nation["SubUnitsReported"], nation["TotalSubUnits"]) == (2, 5)
    assert nation["VotersRegistered"] == 1003 + 800 + 700 + 500 + 90
    assert "VotersParticipated" not in nation
    abroad = units[hashed("station", "71-002/а б")]
    assert (abroad["Type"], abroad["OtherType"]) == ("other", "precinct-abroad")
    assert abroad["Name"]["Text"][0]["Content"] == "Station 71-002/а б"
    assert [units[f"area-{code}"]["Type"] for code in ("KZ11", "KZ71")] == ["state", "city"]
    status = {unit: units[f"station-{unit}"]["CountStatus"][0]["Status"] for unit in ("11-001", "11-002", "11_003")}
    assert status == {"11-001": "completed", "11-002": "in-process", "11_003": "not-processed"}


def test_a_poll_with_one_contest_counts_ballots_in_total_and_voters_who_came() -> None:
    now = made.snapshot(poll=replace(made.POLL, contests=(made.YES_NO,)))
    report = json.loads(report_json(now))
    nation = next(unit for unit in report["GpUnit"] if unit["@id"] == "nation")
    assert {item["Type"] for item in report["Election"][0]["BallotCounts"]} == {"total"}
    assert nation["VotersParticipated"] == 629 + 353 + 54
    assert counts(now)[hashed("selection", "q1/yes"), "nation"] == 530


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        ("opening", "pre-election"),
        ("voting", "pre-election"),
        ("counting", "unofficial-partial"),
        ("preliminary", "unofficial-partial"),
        ("final", "certified"),
    ],
)
def test_status_by_stage(stage: str, status: str) -> None:
    """`final` stands first in the poll's stages: the last declaration is the latest one, not the last one named."""
    assert tree(made.snapshot(stage)).findtext("n:Status", namespaces=NS) == status


def test_unofficial_complete_when_nothing_is_to_come() -> None:
    held = {
        "q1": {s.id: Held(1, made.yes_no(3, 2, eligible=9)) for s in made.STATIONS},
        "q/2": {s.id: Held(2, made.capital(3, 2, 1)) for s in made.STATIONS},
    }
    assert tree(made.snapshot(held=held)).findtext("n:Status", namespaces=NS) == "unofficial-complete"
    held["q/2"].pop("11_003")
    assert tree(made.snapshot(held=held)).findtext("n:Status", namespaces=NS) == "unofficial-partial"
    annulled = {("q/2", "11_003"): False}
    assert (
        tree(made.snapshot(held=held, annulled=annulled)).findtext("n:Status", namespaces=NS) == "unofficial-complete"
    )
    annulled = {("q/2", "11_003"): True}
    assert tree(made.snapshot(held=held, annulled=annulled)).findtext("n:Status", namespaces=NS) == "unofficial-partial"


def test_a_reconstruction_says_so_and_nothing_else_does() -> None:
    for report in (report_xml, report_json):
        assert b"RECONSTRUCTION: no figure of a station here is" in report(made.snapshot(reconstruction=True))
        assert b"reconstruction" not in report(made.snapshot()).lower()
    report = tree(made.snapshot(reconstruction=True))
    assert report.findtext("n:Issuer", namespaces=NS).endswith("(reconstruction)")


def test_labels_in_three_languages_and_the_newest_entry_as_date() -> None:
    report = tree(made.snapshot())
    title = report.find(".//n:Contest/n:BallotTitle", NS)
    assert {text.get("Language"): text.text for text in title} == made.said("Do you accept?")
    assert [text.get("Language") for text in title] == ["en", "kk", "ru"]
    assert report.findtext("n:GeneratedDate", namespaces=NS) == "2022-06-05T23:59:59+06:00"
    names = {text.text for text in report.iterfind(".//n:GpUnit/n:Name/n:Text", NS)}
    assert "North & <South>" in names


def test_ids_are_unique_and_references_resolve() -> None:
    report = tree(made.snapshot())
    ids = [node.get("ObjectId") for node in report.iter() if node.get("ObjectId")]
    assert len(ids) == len(set(ids)) == 1 + 2 + 5 + 2 + 5
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) for name in ids)
    for name in ("GpUnitId", "ElectionScopeId", "ElectionDistrictId", "ComposingGpUnitIds"):
        found = [one for node in report.iterfind(f".//n:{name}", NS) for one in node.text.split()]
        assert found
        assert {*found} <= {*ids}


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=6),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
@settings(max_examples=40, deadline=None)
def test_any_text_may_be_an_id(keys: list[str]) -> None:
    """Every id of a station, however written, gives an xsd:ID of its own, and both files hold the same text."""
    now = made.snapshot(held={"q1": {key: Held(1, made.yes_no(1, 0, eligible=2)) for key in keys}})
    stations = [replace(made.STATIONS[0], id=key) for key in keys]
    sheet = now.sheets[0].of(made.POLL, made.YES_NO, stations, now.sheets[0].held)
    now = replace(now, poll=replace(made.POLL, contests=(made.YES_NO,)), sheets=(sheet,))
    report = tree(now)
    ids = [unit.get("ObjectId") for unit in report.iterfind("n:GpUnit", NS)]
    assert len(set(ids)) == len(ids) == len(keys) + 3
    assert [*xml_leaves(report)] == [*leaves(json.loads(report_json(now)))]


@pytest.mark.parametrize("stage", ["opening", "counting", "final"])
@pytest.mark.parametrize("reconstruction", [True, False])
def test_both_files_fit_the_class_model(stage: str, reconstruction: bool) -> None:
    now = made.snapshot(stage, {} if stage == "opening" else made.HELD, reconstruction=reconstruction)
    etree.XMLSchema(etree.fromstring(nist_classes.xsd())).assertValid(tree(now))
    assert [*nist_classes.json_faults(json.loads(report_json(now)))] == []


def test_both_files_say_the_same() -> None:
    now = made.snapshot(reconstruction=True)
    assert [*xml_leaves(tree(now))] == [*leaves(json.loads(report_json(now)))]


def test_reports_do_not_depend_on_the_order_of_stations_and_labels() -> None:
    """The database and the record give them in different orders; the verifier compares bytes."""
    now = made.snapshot()
    poll = replace(made.POLL, names=dict(reversed(made.POLL.names.items())))
    sheets = tuple(
        sheet.of(poll, sheet.contest, [*reversed(sheet.stations)], dict(reversed(sheet.held.items())))
        for sheet in now.sheets
    )
    turned = replace(now, poll=poll, sheets=sheets)
    assert report_xml(turned) == report_xml(now)
    assert report_json(turned) == report_json(now)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_an_area_has_the_sum_of_its_stations(data: st.DataObject) -> None:
    """In any state of the night: every count of an area is the sum over its stations, the nation's that over its areas."""
    number = st.integers(0, 300)
    held = {
        "q1": {
            station.id: Held(1, made.yes_no(data.draw(number), data.draw(number), 1, 2, eligible=900), checks)
            for station in made.STATIONS
            if (checks := data.draw(st.sampled_from([(), ("F.101",), ("W.201",), None]))) is not None
        }
    }
    targets = st.sampled_from([*(station.id for station in made.STATIONS), "KZ11", "KZ71"])
    annulled = data.draw(st.dictionaries(st.tuples(st.just("q1"), targets), st.booleans(), max_size=2))
    now = made.snapshot(held=held, annulled=annulled)
    found = counts(now)
    ids = [unit["@id"] for unit in json.loads(report_json(now))["GpUnit"][-len(made.STATIONS) :]]
    area_of = dict(zip(ids, [f"area-{s.area}" for s in sorted(made.STATIONS, key=lambda s: s.id)], strict=True))
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for (selection, unit), votes in found.items():
        if unit in area_of:
            sums[selection, area_of[unit]] += votes
            sums[selection, "nation"] += votes
    assert {key: votes for key, votes in found.items() if key[1] not in area_of} == sums


def test_the_date_has_a_zone_and_no_fraction_of_a_second() -> None:
    stamp = tree(replace(made.snapshot(), as_of="2022-06-05T17:59:59.9Z")).findtext("n:GeneratedDate", namespaces=NS)
    assert stamp == "2022-06-05T17:59:59+00:00"
