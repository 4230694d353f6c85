"""Bounds against brute force: every way in which a few outstanding voters could have voted, tried one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.bounds import bounds_of
from dauys.count.decision import decide
from dauys.law.decision_rule import DecisionRule
from dauys.law.files import LANGUAGES
from dauys.law.packs import load_rule

DAY = date(2022, 6, 5)
LABELS = dict.fromkeys(LANGUAGES, "x")


def rule_of(fields: dict[str, str], *tests: dict[str, object]) -> DecisionRule:
    named = [
        {"name": f"t{n}", "cite": "art. 1", "labels": LABELS, "otherwise": "rejected", **test}
        for n, test in enumerate(tests)
    ]
    return DecisionRule.from_json(
        {
            "rule": "x/y", "title": LABELS, "since": "1800-01-01", "cite": "art. 1", "status": "draft",
            "fields": [{"name": name, "role": role} for name, role in fields.items()], "tests": named,
        }
    )  # fmt: skip


HALF = {"value": "yes", "of": "participated", "more_than": "1/2"}
THREE = {"eligible": "register", "participated": "base", "yes": "option"}
RULES = {
    "constitution": load_rule("kz/referendum-constitution"),
    "ordinary": load_rule("kz/referendum"),
    "cantons": load_rule("ch/double-majority"),
    "quorum of yes": rule_of(THREE, {"share": {"value": "yes", "of": "eligible", "at_least": "1/4"}}, {"share": HALF}),
    "two thirds": rule_of(THREE, {"share": {"value": "yes", "of": "participated", "at_least": "2/3"}}),
    "all": rule_of(THREE, {"share": {"value": "yes", "of": "participated", "at_least": "1"}}),
    "comparison": rule_of({"yes": "option", "no": "option"}, {"compare": {"value": "yes", "more_than": "no"}}),
    "tie": rule_of({"yes": "option", "no": "option"}, {"compare": {"value": "yes", "more_than": "no"}, "tie": "tie"}),
    "three ways": rule_of(
        {"participated": "base", "red": "option", "blue": "option", "blank": "class"},
        {"share": {"value": "red + blue", "of": "participated", "at_least": "1/2"}, "otherwise": "not-held"},
        {"compare": {"value": "red", "more_than": "blue + blank"}},
    ),
}


def ways(rule: DecisionRule, outstanding: Outstanding) -> Iterator[dict[str, int]]:
    """Every total that the outstanding voters can add, found without the engine: voter by voter."""
    register = [n for n, role in rule.roles.items() if role == "register"]
    base = [n for n, role in rule.roles.items() if role == "base"]
    answers = [n for n, role in rule.roles.items() if role in ("option", "class")]
    ballots = [frozenset(base)] + [frozenset([*base, answer]) for answer in answers]
    listed = [frozenset(), *ballots]
    added = [frozenset(), frozenset(register), *(ballot | frozenset(register) for ballot in ballots)]
    seen = set()
    for chosen in product(*([listed] * outstanding.listed + [added] * outstanding.added)):
        totals = {name: sum(name in voter for voter in chosen) for name in rule.fields}
        for name in register:
            totals[name] += outstanding.eligible
        key = tuple(totals.values())
        if key not in seen:
            seen.add(key)
            yield totals


def completions(rule: DecisionRule, areas: dict[str, AreaCount]) -> Iterator[dict[str, AreaCount]]:
    """Every complete count that can follow."""
    choices = [list(ways(rule, area.open)) for area in areas.values()]
    for chosen in product(*choices):
        complete = {}
        for (code, area), extra in zip(areas.items(), chosen, strict=True):
            known = area.values if area.counts else {}
            values = {name: known.get(name, 0) + extra[name] for name in rule.fields}
            complete[code] = (
                AreaCount(values, area.weight) if area.status != "annulled" else AreaCount.annulled(area.weight)
            )
        yield complete


@st.composite
def votes(draw: st.DrawFn) -> tuple[DecisionRule, dict[str, AreaCount]]:
    rule = RULES[draw(st.sampled_from(sorted(RULES)))]
    areas = {}
    for code in "ABC"[: draw(st.integers(1, 3))]:
        weight = draw(st.sampled_from([Fraction(1), Fraction(1, 2)]))
        eligible = draw(st.integers(0, 2))
        outstanding = Outstanding.of(eligible, draw(st.integers(0, eligible + 1)))
        status = draw(st.sampled_from(["counted", "counted", "counted", "missing", "annulled", "repeat-pending"]))
        values = {name: draw(st.integers(0, 4)) for name in rule.fields}
        for name, role in rule.roles.items():  # a protocol's order of size: answers, base, register
            if role == "base":
                values[name] += sum(values[n] for n, r in rule.roles.items() if r in ("option", "class"))
        for name, role in rule.roles.items():
            if role == "register":
                values[name] += max(values.values())
        areas[code] = AreaCount(values if status == "counted" else {}, weight, status, outstanding)
    return rule, areas


@given(votes())
@settings(max_examples=60, deadline=None)
def test_bounds_and_decision_agree_with_brute_force(vote: tuple[DecisionRule, dict[str, AreaCount]]) -> None:
    rule, areas = vote
    found = [decide(rule, complete, DAY) for complete in completions(rule, areas)]
    bounds = bounds_of(rule, areas, DAY)
    outcomes = {decision.outcome for decision in found}
    assert outcomes <= set(bounds.possible)
    if bounds.decision.exact:
        assert outcomes == set(bounds.possible)
    assert bounds.decision.exact or rule.id == "x/y", "the rules of the packs have exact bounds"
    for n, test in enumerate(bounds.decision.tests):
        values = [decision.tests[n].value for decision in found]
        assert (test.least, test.greatest) == (min(values), max(values))
        answers = {decision.tests[n].met for decision in found}
        assert test.met is (answers.pop() if len(answers) == 1 else None)
    outcome = bounds.decision.outcome
    assert outcome == (bounds.possible[0] if len(bounds.possible) == 1 else "undetermined")
    assert bounds.can_change == (set(bounds.possible) != {bounds.counted})


@given(st.lists(st.integers(0, 3000), max_size=6))
def test_caps_of_stations_are_added_station_by_station(lists: list[int]) -> None:
    """ceil(1.01 x eligible) is rounded up in each station: 6 stations may have 6 ballots more, not 1."""
    caps = [-(-eligible * 101 // 100) for eligible in lists]
    total = Outstanding.total(Outstanding.of(eligible, cap) for eligible, cap in zip(lists, caps, strict=True))
    assert (total.eligible, total.listed + total.added) == (sum(lists), sum(caps))


def test_ballots_above_the_list_are_of_voters_added_on_the_day() -> None:
    assert Outstanding.of(100, 101) == Outstanding(eligible=100, listed=100, added=1)
    assert Outstanding.of(100, 40) == Outstanding(eligible=100, listed=40, added=0)
    assert Outstanding.of(100) == Outstanding(eligible=100, listed=100, added=0)


def test_one_ballot_turns_nothing_of_nothing() -> None:
    """The margin of "all" is 0 without a ballot and 0 with one yes: only the second is met."""
    decision = decide(RULES["all"], {"A": AreaCount.missing(1)}, DAY)
    assert (decision.tests[0].met, decision.possible) == (None, ("adopted", "rejected"))


def test_a_missing_area_adds_nothing_to_what_is_counted() -> None:
    half = AreaCount({"eligible": 4, "participated": 2, "yes": 2})
    assert bounds_of(RULES["ordinary"], {"A": half, "B": AreaCount.missing(1)}, DAY).counted == "not-held"


def test_what_is_counted_against_what_is_possible() -> None:
    rule = load_rule("kz/referendum-constitution")
    won = AreaCount({"eligible": 1000, "participated": 700, "yes": 500})
    lost = AreaCount({"eligible": 1000, "participated": 700, "yes": 300})
    areas = {f"W{n}": won for n in range(11)} | {f"L{n}": lost for n in range(5)}
    close = AreaCount({"eligible": 1000, "participated": 700, "yes": 351}, outstanding=Outstanding.of(2))
    bounds = bounds_of(rule, areas | {"X": close}, DAY)
    assert bounds.to_json() == {
        "counted": "adopted",
        "possible": ["adopted", "rejected"],
        "can_change": True,
        "exact": True,
        "tests": [
            {"name": "held", "least": 11900, "greatest": 11902, "met": True},
            {"name": "yes", "least": 7351, "greatest": 7353, "met": True},
            {"name": "territories", "least": 11, "greatest": 12, "met": None},
        ],
    }
    settled = AreaCount(close.values, outstanding=Outstanding.of(1))
    assert not bounds_of(rule, areas | {"X": settled}, DAY).can_change


@pytest.mark.parametrize("name", ["constitution", "ordinary", "cantons"])
def test_before_anything_is_counted_everything_is_possible(name: str) -> None:
    rule = RULES[name]
    bounds = bounds_of(rule, {code: AreaCount.missing() for code in "ABC"}, DAY)
    assert {"adopted", "rejected"} <= set(bounds.possible)
    assert bounds.can_change and bounds.decision.outcome == "undetermined"
