"""Decisions with ties, missing, annulled and pending areas: all of them values, none an exception."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.decision import Decision, decide
from dauys.errors import BadInput
from dauys.law.decision_rule import DecisionRule
from dauys.law.files import LANGUAGES
from dauys.law.packs import load_rule

DAY = date(2022, 6, 5)
CONSTITUTION = load_rule("kz/referendum-constitution")
ORDINARY = load_rule("kz/referendum")
LABELS = dict.fromkeys(LANGUAGES, "x")


def area(yes: int = 60, participated: int = 100, eligible: int = 150, weight: Fraction = Fraction(1)) -> AreaCount:
    return AreaCount({"eligible": eligible, "participated": participated, "yes": yes}, weight)


def areas(won: int, lost: int, **more: AreaCount) -> dict[str, AreaCount]:
    return {f"W{n}": area(90) for n in range(won)} | {f"L{n}": area(50) for n in range(lost)} | more


def comparison(tie: str | None) -> DecisionRule:
    test = {"name": "more", "cite": "art. 1", "labels": LABELS, "otherwise": "rejected"}
    test |= {"compare": {"value": "yes", "more_than": "no"}} | ({"tie": tie} if tie else {})
    return DecisionRule.from_json(
        {
            "rule": "x/more", "title": LABELS, "since": "2000-01-01", "cite": "art. 1", "status": "draft",
            "fields": [{"name": "yes", "role": "option"}, {"name": "no", "role": "option"}], "tests": [test],
        }
    )  # fmt: skip


def met(decision: Decision) -> dict[str, bool | None]:
    return {test.name: test.met for test in decision.tests}


@pytest.mark.parametrize(("won", "outcome"), [(17, "adopted"), (12, "adopted"), (11, "rejected"), (0, "rejected")])
def test_twelve_of_seventeen_territories(won: int, outcome: str) -> None:
    """E16: 11 of 17 was printed as enough; 3 x 11 < 2 x 17. Lost territories are ties here, 50 of 100."""
    decision = decide(CONSTITUTION, areas(won, 17 - won), DAY)
    assert decision.outcome == outcome
    test = decision.tests[-1]
    assert (test.value, test.needed, test.met) == (won, 12, won >= 12)
    assert test.cite.endswith("art. 31(3)")
    assert decision.exact


def test_the_json_of_a_decision() -> None:
    body = decide(CONSTITUTION, {"A": area(), "B": AreaCount.missing(10)}, DAY).to_json()
    assert body == {
        "outcome": "undetermined",
        "tests": [
            {"name": "held", "value": 100, "needed": 76, "met": True, "tie": False, "least": 100, "greatest": 110,
             "cite": 'Constitutional Law "On the republican referendum", art. 31(2)'},
            {"name": "yes", "value": 60, "needed": 51, "met": True, "tie": False, "least": 60, "greatest": 70,
             "cite": 'Constitutional Law "On the republican referendum", art. 31(3)'},
            {"name": "territories", "value": 1, "needed": 2, "met": None, "tie": False, "least": 1, "greatest": 2,
             "cite": 'Constitutional Law "On the republican referendum", art. 31(3)'},
        ],
        "rule": "kz/referendum-constitution",
        "on": "2022-06-05",
        "areas": [
            {"test": "territories", "area": "A", "met": True, "value": 60, "of": 100},
            {"test": "territories", "area": "B", "met": None, "value": None, "of": None},
        ],
        "missing": ["B"],
        "annulled": [],
        "repeat_pending": [],
        "possible": ["adopted", "rejected"],
        "exact": True,
    }  # fmt: skip


@pytest.mark.parametrize("day", [date(1995, 11, 1), date(2026, 7, 1)])
def test_outside_its_years_the_law_is_not_loaded(day: date) -> None:
    decision = decide(CONSTITUTION, areas(17, 0), day)
    assert (decision.outcome, decision.tests) == ("law-not-loaded", ())


@given(st.integers(0, 10**7), st.data())
@settings(max_examples=60)
def test_the_national_tests_for_odd_and_even_totals(eligible: int, data: st.DataObject) -> None:
    participated = data.draw(st.integers(0, eligible) | st.sampled_from([eligible // 2, (eligible + 1) // 2]))
    yes = data.draw(st.integers(0, participated) | st.sampled_from([participated // 2, (participated + 1) // 2]))
    decision = decide(ORDINARY, {"A": area(yes, participated, eligible)}, DAY)
    held, won = 2 * participated > eligible, 2 * yes > participated
    assert met(decision) == {"held": held, "yes": won}
    assert decision.outcome == ("not-held" if not held else "adopted" if won else "rejected")
    assert [test.tie for test in decision.tests] == [
        eligible > 0 and 2 * participated == eligible, participated > 0 and 2 * yes == participated,
    ]  # fmt: skip
    assert all((test.value >= test.needed) is test.met for test in decision.tests)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=9), st.data())
@settings(max_examples=80)
def test_more_yes_never_turns_an_adopted_vote(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(pairs) - 1))
    before = {str(n): area(yes, yes + no, 2 * (yes + no)) for n, (yes, no) in enumerate(pairs)}
    yes, no = pairs[at]
    after = before | {str(at): area(yes + 1, yes + no + 1, 2 * (yes + no))}
    order = ["not-held", "rejected", "adopted"]
    assert order.index(decide(CONSTITUTION, after, DAY).outcome) >= order.index(
        decide(CONSTITUTION, before, DAY).outcome
    )


@pytest.mark.parametrize(("tie", "outcome"), [("tie", "tie"), ("rejected", "rejected"), (None, "rejected")])
def test_a_tie_follows_the_rule(tie: str | None, outcome: str) -> None:
    rule = comparison(tie)
    decision = decide(rule, {"A": AreaCount({"yes": 5, "no": 5})}, DAY)
    assert decision.outcome == outcome
    assert (decision.tests[0].tie, decision.tests[0].met, decision.tests[0].needed) == (True, False, 6)
    assert decide(rule, {"A": AreaCount({"yes": 6, "no": 5})}, DAY).outcome == "adopted"
    assert decide(rule, {"A": AreaCount({"yes": 5, "no": 6})}, DAY).outcome == "rejected"
    nothing = decide(rule, {"A": AreaCount({"yes": 0, "no": 0})}, DAY)
    assert (nothing.outcome, nothing.tests[0].tie) == ("rejected", False)


def test_missing_areas_leave_open_only_what_they_can_turn() -> None:
    big = area(900_000, 1_000_000, 1_500_000)
    known = {f"W{n}": big for n in range(12)} | {f"L{n}": area(10) for n in range(3)}
    small = decide(CONSTITUTION, known | {"M1": AreaCount.missing(1000), "M2": AreaCount.missing(1000)}, DAY)
    assert (small.outcome, small.missing) == ("adopted", ("M1", "M2"))
    huge = decide(CONSTITUTION, known | {"M1": AreaCount.missing(10**8), "M2": AreaCount.missing(1000)}, DAY)
    assert (huge.outcome, met(huge)) == ("undetermined", {"held": None, "yes": None, "territories": True})
    assert huge.possible == ("adopted", "not-held", "rejected")
    unknown = decide(CONSTITUTION, known | {"M1": AreaCount.missing(), "M2": AreaCount.missing(1000)}, DAY)
    assert met(unknown) == {"held": None, "yes": None, "territories": True}


def test_a_certain_failure_decides_whatever_else_is_open() -> None:
    """Six territories of 17 lost: nothing can bring 12. The national yes may be open: both ways it is rejected."""
    known = areas(10, 6)
    decision = decide(CONSTITUTION, known | {"M": AreaCount.missing(900)}, DAY)
    assert met(decision) == {"held": None, "yes": None, "territories": False}
    assert (decision.outcome, decision.possible) == ("undetermined", ("not-held", "rejected"))
    known = {f"W{n}": area(52, 100, 101) for n in range(10)} | {f"L{n}": area(45, 100, 101) for n in range(6)}
    decision = decide(CONSTITUTION, known | {"M": AreaCount.missing(100)}, DAY)
    assert met(decision) == {"held": True, "yes": None, "territories": False}
    assert decision.outcome == "rejected"


def test_an_annulled_area_leaves_the_sums_and_stays_among_the_territories() -> None:
    """Referendum law, art. 31(5), 32: votes leave; art. 31(3) counts the territories that exist."""
    voided = AreaCount({"eligible": 10**6, "participated": 10**6, "yes": 10**6}, status="annulled")
    decision = decide(CONSTITUTION, areas(11, 5, X=voided), DAY)
    assert decision.annulled == ("X",)
    assert decision.tests[0].value == 16 * 100
    assert (decision.tests[2].value, decision.tests[2].needed) == (11, 12)
    assert decision.outcome == "rejected"
    pending = decide(CONSTITUTION, areas(11, 5, X=AreaCount.repeat_pending(100)), DAY)
    assert (pending.outcome, pending.repeat_pending, met(pending)["territories"]) == ("undetermined", ("X",), None)
    assert pending.tests[2].greatest == 12


def test_national_totals_published_apart_from_the_areas_are_complete() -> None:
    national = {"eligible": 1000, "participated": 501, "yes": 251}
    missing = {f"M{n}": AreaCount.missing() for n in range(17)}
    decision = decide(CONSTITUTION, missing, DAY, national)
    assert met(decision) == {"held": True, "yes": True, "territories": None}
    assert decision.possible == ("adopted", "rejected")
    pending = decide(ORDINARY, {"X": AreaCount.repeat_pending(1000)}, DAY, national)
    assert met(pending) == {"held": None, "yes": None}


def test_part_of_an_area_can_be_outstanding() -> None:
    partly = AreaCount(area(52, 100, 150).values, outstanding=Outstanding.of(3))
    assert decide(CONSTITUTION, {"A": partly}, DAY).outcome == "adopted"
    partly = AreaCount(area(52, 100, 150).values, outstanding=Outstanding.of(4))
    decision = decide(CONSTITUTION, {"A": partly}, DAY)
    assert (decision.outcome, decision.missing) == ("undetermined", ("A",))


def test_half_weights_are_exact() -> None:
    rule = load_rule("ch/double-majority")
    half = Fraction(1, 2)
    count = {"A": (60, half), "B": (40, half), "C": (60, Fraction(1)), "D": (40, Fraction(1))}
    table = {code: AreaCount({"valid": 100, "yes": yes}, weight) for code, (yes, weight) in count.items()}
    national = {"valid": 400, "yes": 201}
    decision = decide(rule, table, date(2000, 1, 1), national)
    body = decision.to_json()["tests"][1]
    assert (body["value"], body["needed"], body["met"], body["tie"]) == ("3/2", 2, False, True)
    assert decision.outcome == "rejected"


def test_equality_that_is_enough_is_no_tie() -> None:
    territories = decide(CONSTITUTION, areas(12, 6), DAY).tests[2]
    assert (territories.met, territories.tie) == (True, False)


def test_a_field_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match="field participated: area A lacks a field"):
        decide(CONSTITUTION, {"A": AreaCount({"eligible": 1})}, DAY)
    with pytest.raises(BadInput, match="field yes: the national totals"):
        decide(ORDINARY, {}, DAY, {"eligible": 1, "participated": 1})
