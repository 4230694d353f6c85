"""Does the page of ballot comparison do so, and what holds of both, whatever is drawn and announced?"""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import compared_world
import pytest
from audited_ballots import begin, command, fill, records, state, truth
from compared_world import CONTEST, protocol
from reported_world import PAGES, Night

from dauys.errors import BadInput
from dauys.observe.audit import comparing, sheets
from dauys.observe.audit.ballot_plan import drawn_ballots, reported
from dauys.observe.audit.ballots import Ballot
from dauys.observe.audit.comparing import compared
from dauys.observe.audit.plan import Contest as Assertion
from dauys.observe.audit.plan import Plan, Station
from dauys.observe.audit.supersimple import Discrepancies, p_value
from dauys.observe.report import audit_about, ballot_acts
from dauys.observe.report.ballot_state import (
    COMPARISON,
    POLLING,
    asked,
    drawn_of,
    manifest_of,
    poll,
    records_of,
)


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_ballots_compared_with_their_records(night: Night, tmp_path: Path) -> None:
    table = records(night, tmp_path / "cvr.csv")
    begin(night, "comparison", {"table": table}, method="super-simple")
    found = state(night, COMPARISON)
    held = records_of(night.book, found)
    assert held is not None and len(held) == sum(
        one.values["participated"] for one in night.official.protocols.values()
    )
    assert found.last["apart"] == 0 and night.sent[-1][1]["method"] == "ballot comparison (super-simple)"
    manifest = manifest_of(night.book, found)
    (drawn,) = drawn_of(found, manifest)["*"]
    wrong = next(place for place in drawn if truth(night, *place) == "yes")
    station = wrong[0]
    page = night.html("/audit/comparison/count", f"of={CONTEST}&round=1&station={station}")
    assert f"Ballot K{wrong[1]}" in page and "record says" not in page.replace("What the records say appears", "")
    fill(night, found, lambda station, place: "no" if (station, place) == wrong else truth(night, station, place))
    (one,) = night.model("/audit/comparison")["answer"]["contests"]
    times = drawn.count(wrong)
    assert (one["o2"], one["u2"], one["sample"]) == (times, 0, len(drawn))
    reported = one["reported"]
    margin = Fraction(2 * reported["winner"] - reported["ballots"], reported["ballots"])
    assert one["p_value"] == pytest.approx(float(p_value(len(drawn), margin, Discrepancies(over2=times))))
    told = command("comparison", "--margin", margin, "--sample", len(drawn), "--o2", times)
    assert (one["p_value"], one["confirmed"], one["margin"]) == (told["p_value"], told["confirmed"], told["margin"])
    assert one["needed"] == (None if one["confirmed"] else told["needed"])
    assert "no record" not in night.html("/audit/comparison/count", f"of={CONTEST}&round=1&station={station}")
    if not one["confirmed"]:
        night.act("/audit/comparison", act="next")
        fill(night, state(night, COMPARISON))
        assert night.model("/audit/comparison")["answer"]["outcome"] == "confirmed"


@pytest.mark.parametrize("method", ["alpha", "oneaudit"])
def test_alpha_says_what_the_command_says_of_the_same_ballots(night: Night, tmp_path: Path, method: str) -> None:
    files = {"table": records(night, tmp_path / "cvr.csv")} if method == "alpha" else None
    begin(night, "comparison", files, method=method)
    found = state(night, COMPARISON)
    manifest = manifest_of(night.book, found)
    (drawn,) = drawn_of(found, manifest)["*"]
    assert len(set(drawn)) == len(drawn)
    fill(night, found)
    (one,) = night.model("/audit/comparison")["answer"]["contests"]
    piles = {name: night.official.protocols[CONTEST, name].values for name in night.official.stations}
    path = tmp_path / "drawn.csv"
    with path.open("w") as file:
        print("audited,reported", file=file)
        for station, place in drawn:
            seen = truth(night, station, place)
            said = seen if method == "alpha" else f"{piles[station]['yes']}/{piles[station]['participated']}"
            print(seen, said, sep=",", file=file)
    reported = one["reported"]
    told = command("ballots", path, "--winner", reported["winner"], "--ballots", reported["ballots"])
    assert told["compared"] and one["p_value"] == told["p_value"] and one["confirmed"] == told["confirmed"]
    if method == "alpha":
        assert one["confirmed"]  # clean ballots are as many as were reckoned to do


def test_records_that_do_not_fit_are_refused(night: Night, tmp_path: Path) -> None:
    path = records(night, tmp_path / "cvr.csv")
    lines = path.read_text().splitlines()
    station = lines[1].split(",")[0]
    for change in (
        [*lines, f"{station},K1,yes"],
        [*lines, f"{station},K9999,perhaps"],
        [*lines, "KZ,K1,yes"],
        [line.replace(",yes", ",no") for line in lines],
        ["station,ballot,vote"],
        [line.rpartition(",")[0] for line in lines],
    ):
        path.write_text("\n".join(change) + "\n")
        with pytest.raises(BadInput):
            begin(night, "comparison", {"table": path}, method="super-simple")
    with pytest.raises(BadInput, match="no file"):
        begin(night, "comparison", method="super-simple")
    assert not state(night, COMPARISON).rounds


def test_a_ballot_without_a_record_counts_as_one_for_no(night: Night, tmp_path: Path) -> None:
    path = records(night, tmp_path / "cvr.csv")
    lines = path.read_text().splitlines()
    station = lines[1].split(",")[0]
    own = [line for line in lines if line.startswith(f"{station},")]
    path.write_text("\n".join([*(line for line in lines if not line.startswith(f"{station},")), *own[:-5]]) + "\n")
    begin(night, "comparison", {"table": path}, method="super-simple")
    found = state(night, COMPARISON)
    pile = next(one for one in manifest_of(night.book, found).stations if one.id == station)
    assert pile.cast == len(own) and pile.yes == sum(line.endswith(",yes") for line in own[:-5])
    assert found.last["apart"] == 1


def test_a_wrong_outcome_is_confirmed_as_rarely_as_the_risk_limit_says() -> None:
    """Half of the ballots are for yes, 60 % were announced: at a limit of 1/5 a first round confirms in at most a fifth."""
    stations = [Station(f"S{n}", "R", 50 + n, (50 + n) * 3 // 5) for n in range(20)]
    risk, claim = Fraction(1, 5), Assertion("*", True, 60)
    votes = reported(stations, claim)
    found: Counter[str] = Counter()
    for n in range(400):
        plan = Plan("0", f"seed {n}", risk, Fraction(1, 2), None, (claim,))
        drawn = drawn_ballots(plan, claim, stations)
        yes = sum(place % 2 for _, place in drawn)
        found["minerva"] += poll("minerva", votes, ((yes, 60 - yes),), risk, 0.9).confirmed
        seen = [Ballot(bool(place % 2), Fraction(place % 5 < 3)) for _, place in drawn[:25]]
        found["super-simple"] += compared(
            "super-simple", seen, votes.winner, votes.ballots, plan.share, risk, ()
        ).confirmed
    assert all(0 < found[name] <= 80 + 3 * 8 for name in ("minerva", "super-simple")), found


@pytest.mark.parametrize(("sort", "method"), [("polling", "bravo"), ("comparison", "super-simple")])
def test_an_announced_no_is_confirmed_the_other_way_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: str, method: str
) -> None:
    monkeypatch.setattr(
        compared_world, "protocol", lambda station: (one := protocol(station)) | {"yes": one["no"], "no": one["yes"]}
    )
    night = Night(tmp_path)
    files = {"table": records(night, tmp_path / "cvr.csv")} if sort == "comparison" else None
    begin(night, sort, files, method=method, double="yes")
    found = state(night, POLLING if sort == "polling" else COMPARISON)
    assert [(one.region, one.above) for one in found.plan.contests] == [("*", False)]
    lost = iter([True])
    fill(night, found, lambda station, place: "missing" if next(lost, False) else truth(night, station, place))
    (one,) = night.model(f"/audit/{sort}")["answer"]["contests"]
    (drawn,) = drawn_of(found, manifest_of(night.book, found))["*"]
    seen = [truth(night, *place) for place in drawn]
    assert one["claim"] == "below" and one["won"] in (len(seen) - seen.count("yes") - k for k in (0, 1))
    if sort == "comparison":
        assert one["o2"] in (0, 1) and one["u2"] == 0
    night.html(f"/audit/{sort}")


def test_another_share_than_one_half_is_said_and_refused(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (audit_about, ballot_acts):
        monkeypatch.setattr(module, "threshold", lambda rule, contest: (Fraction(3, 5), None))
    assert "compare with one half" in night.html("/audit/polling")
    for sort, method in (("polling", "minerva"), ("comparison", "super-simple")):
        with pytest.raises(BadInput) as refused:
            begin(night, sort, method=method)
        assert refused.value.check == "O.189"
    begin(night, "comparison", method="oneaudit")
    fill(night, state(night, COMPARISON))
    assert "more than 3/5" in night.html("/audit/comparison")


def test_a_narrow_margin_is_counted_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow(station: Any) -> dict[str, int]:
        one = protocol(station)
        yes = one["participated"] // 2 + 1
        return one | {"yes": yes, "no": one["participated"] - yes - one["invalid"] - one["not_counted"]}

    monkeypatch.setattr(compared_world, "protocol", narrow)
    monkeypatch.setattr(comparing, "AHEAD", 128)
    night = Night(tmp_path)
    with pytest.raises(BadInput, match="count all") as refused:
        begin(night, "comparison", method="oneaudit")
    assert refused.value.check == "O.189" and not state(night, COMPARISON).rounds


def test_pages_in_three_languages_say_what_cannot_be_and_what_to_send(night: Night) -> None:
    for lang, word in (("en", "no records of single ballots"), ("ru", "ONEAudit"), ("kk", "ONEAudit")):
        assert word in night.html("/audit/comparison", lang=lang)
    begin(night, "polling", method="minerva")
    for lang in ("en", "ru", "kk"):
        for path in ("/audit/polling", "/audit/comparison", "/audit"):
            page = night.html(path, lang=lang)
            links = {
                one for one in ("/audit/polling", "/audit/comparison", "/audit") if f'href="/{lang}{one}?of=' in page
            }
            assert links == {"/audit/polling", "/audit/comparison", "/audit"} - {path}
    json.dumps(night.model("/audit/polling")["answer"], allow_nan=False)


@pytest.mark.parametrize("sort", ["polling", "comparison"])
def test_sheets_name_the_ballots_and_no_result(night: Night, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    monkeypatch.setattr(sheets, "browser", lambda: None)
    begin(night, sort, method="minerva" if sort == "polling" else "oneaudit")
    found = state(night, POLLING if sort == "polling" else COMPARISON)
    wanted = asked(found, manifest_of(night.book, found), 1)
    visit = night.visit(f"/audit/{sort}/sheets", query="boards=2", lang="kk")
    page = bytes(PAGES[f"/audit/{sort}/sheets"].act(visit).body).decode()  # type: ignore[union-attr]
    assert all(f"<h2>{station}</h2>" in page for station in wanted) and "Табылмады" in page
    rows = page.count("<tr><th>") - page.count('<td class="box">')
    assert rows >= sum(len(places) for parts in wanted.values() for places in parts.values())
    counts = {str(protocol(night.world.stations[one])["participated"]) for one in wanted}
    assert not any(
        f">{count}<" in page
        for count in counts - {str(p) for ps in wanted.values() for one in ps.values() for p in one}
    )
