"""All double-majority votes of Switzerland from 1848 to 1999, decided again from the cantons' counts.

Data: Swissvotes (shared/data/swissvotes, CC BY 4.0). The engine knows nothing of Switzerland: rule and cantons are a pack.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from dauys.count.areas import AreaCount
from dauys.count.decision import Decision, decide
from dauys.law.packs import load_pack, load_rule
from dauys.registers.areas import Area, areas_on, read_areas

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "swissvotes"
RULE = load_rule("ch/double-majority")
CANTONS = read_areas(load_pack("ch").areas)

DEVIATIONS = {
    # vote: (canton, yes, valid, the canton's published vote). "Yes" is not more than half of `valid` in the canton's row,
    # yet the published answer is yes. In both rows `valid` holds ballots that answered only the other question of the
    # pair; yes against no agrees with what was published.
    "126.2": ("NE", 4192, 8666, "1"),
    "311.1": ("GR", 16620, 33250, "1"),
}
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs shared/data/swissvotes beside the repository")


@cache
def votes() -> dict[str, dict[str, str]]:
    with (DATA / "votes.csv").open(encoding="utf-8") as file:
        return {row["vote"]: row for row in csv.DictReader(file) if row["cantons_result"]}


@cache
def cantons() -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = {}
    with (DATA / "votes_by_canton.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["vote"], {})[row["canton"]] = row
    return found


def existing(vote: dict[str, str]) -> tuple[Area, ...]:
    return areas_on(CANTONS, date.fromisoformat(vote["date"]))


def decided(vote: dict[str, str]) -> Decision:
    rows = cantons()[vote["vote"]]
    areas = {
        area.code: AreaCount({name: int(rows[area.code][name]) for name in RULE.fields}, area.weight)
        for area in existing(vote)
    }
    # National totals are published apart: in about a fifth of the votes the cantons' rows do not add up to them.
    national = {name: int(vote[name]) for name in RULE.fields}
    return decide(RULE, areas, date.fromisoformat(vote["date"]), national)


def published(vote: dict[str, str]) -> tuple[bool, bool, str, Fraction]:
    accepted = "adopted" if vote["accepted"] == "1" else "rejected"
    return vote["people_result"] == "1", vote["cantons_result"] == "1", accepted, Fraction(vote["cantons_yes"])


def test_there_are_334_votes_and_the_pack_has_the_cantons_of_each_day() -> None:
    assert len(votes()) == 334
    for name, vote in votes().items():
        area_codes = {area.code for area in existing(vote)}
        assert area_codes == set(cantons()[name]), name
        weight = sum(area.weight for area in existing(vote))
        assert weight == Fraction(vote["cantons_yes"]) + Fraction(vote["cantons_no"]), name


def test_every_vote_with_counts_is_decided_as_published() -> None:
    """333 of 334: people, cantons, outcome; and the number of cantons but for the two votes of DEVIATIONS."""
    counts = Counter()
    for name, vote in votes().items():
        if name == "1":
            continue  # no canton counts exist: the next test
        decision = decided(vote)
        people, of_cantons, outcome, won = published(vote)
        assert decision.exact and decision.outcome == outcome, name
        assert [test.met for test in decision.tests] == [people, of_cantons], name
        counts["decided"] += 1
        if name not in DEVIATIONS:
            assert decision.tests[1].value == won, name
            counts["cantons equal"] += 1
    assert counts == {"decided": 333, "cantons equal": 331}


@pytest.mark.parametrize("name", sorted(DEVIATIONS))
def test_where_the_canton_count_deviates_one_row_of_the_data_says_why(name: str) -> None:
    code, yes, valid, flag = DEVIATIONS[name]
    vote, row = votes()[name], cantons()[name][code]
    assert (int(row["yes"]), int(row["valid"]), row["accepted"]) == (yes, valid, flag)
    assert 2 * yes <= valid and yes > int(row["no"])
    assert yes + int(row["no"]) < valid  # ballots that left this question of a pair open are among the valid ones
    decision = decided(vote)
    weight = next(area.weight for area in existing(vote) if area.code == code)
    assert decision.tests[1].value + weight == published(vote)[3]
    flags = {c: r["accepted"] == "1" for c, r in cantons()[name].items()}
    differing = [area.area for area in decision.tests[1].areas if area.met != flags[area.area]]
    assert differing == [code]


def test_vote_1_has_no_canton_counts_and_only_the_people_can_be_decided() -> None:
    """1848: the cantons' rows give only yes or no. From the rows as they are the cantons' test is open, not invented;
    with each canton's published answer as the answer of one elector, the outcome is the published one."""
    vote, rows = votes()["1"], cantons()["1"]
    assert all(row["yes"] == row["valid"] == "" for row in rows.values())
    day, national = date.fromisoformat(vote["date"]), {name: int(vote[name]) for name in RULE.fields}
    missing = {area.code: AreaCount.missing(weight=area.weight) for area in existing(vote)}
    decision = decide(RULE, missing, day, national)
    assert [test.met for test in decision.tests] == [True, None]
    assert decision.outcome == "undetermined"
    electors = {
        area.code: AreaCount({"valid": 1, "yes": int(rows[area.code]["accepted"])}, area.weight)
        for area in existing(vote)
    }
    decision = decide(RULE, electors, day, national)
    assert (decision.outcome, decision.tests[1].value) == ("adopted", published(vote)[3])


def test_a_tie_of_the_cantons_is_a_rejection() -> None:
    """Vote 246, 2 March 1975: the people said yes, eleven cantons to eleven."""
    decision = decided(votes()["246"])
    people, of_cantons = decision.tests
    assert people.met is True
    assert (of_cantons.value, of_cantons.needed, of_cantons.met, of_cantons.tie) == (11, Fraction(23, 2), False, True)
    assert decision.outcome == "rejected"


def test_the_denominator_is_a_rule() -> None:
    """ "More yes than no" would change the canton count in five counter-proposals that the law's "more than half" gets
    right: there a voter could leave one question open."""
    lost = [
        name
        for name, vote in votes().items()
        if name not in ("1", *DEVIATIONS)
        and sum(a.weight for a in existing(vote) if _more(cantons()[name][a.code])) != published(vote)[3]
    ]
    assert lost == ["227.2", "245.2", "267.2", "270.2", "339.2"]


def test_people_and_cantons_disagree_in_ten_votes() -> None:
    disagree = [name for name, vote in votes().items() if vote["people_result"] != vote["cantons_result"]]
    assert disagree == ["2", "70", "174.1", "180", "223", "234", "246", "313", "410", "411"]
    for name in disagree:
        decision = decided(votes()[name])
        assert decision.tests[0].met is not decision.tests[1].met
        assert decision.outcome == "rejected"


def _more(row: dict[str, str]) -> bool:
    return int(row["yes"]) > int(row["no"])
