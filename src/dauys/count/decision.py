"""What was decided? A rule applied to totals, each test with its numbers and its article.

A tie, a missing area, an annulled area with or without a repeat vote are values of the Decision, never exceptions:

- A test that what is outstanding can still turn has `met` None. The outcome is `undetermined` while more than one
  outcome is possible (`dauys.count.reach`), however the single tests stand.
- An annulled area without a repeat vote: its numbers leave the national sums (referendum law, art. 31(5), 32). It stays
  among the areas that exist on the day, and is simply not won: art. 31(3) counts territories, not results.
- An area whose repeat vote is pending is bounded like a missing one.
- A tie is exact equality where more than the share is asked. It is not met; the rule says which outcome it gives.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.reach import Position, best, most, nobody, possible_outcomes, verdict, worst
from dauys.errors import BadInput
from dauys.law.decision_rule import DecisionRule, Outcome, Test


@dataclass(frozen=True, slots=True)
class AreaResult:
    """One area under an areas test. `value` and `of` are None where nothing is counted."""

    area: str
    met: bool | None
    value: int | None
    of: int | None


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test. `value` is what the counted totals give, `needed` the least value that would meet it on these totals;
    `least` to `greatest` is what `value` can still become. For an areas test they are weights of areas, for the others
    ballots or voters. With nothing outstanding `met` says whether `value` reaches `needed`."""

    __test__ = False  # not a test class, whatever pytest makes of the name

    name: str
    value: Fraction
    needed: Fraction
    met: bool | None
    cite: str
    tie: bool
    least: Fraction
    greatest: Fraction
    areas: tuple[AreaResult, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """{"name","value","needed","met","cite","tie","least","greatest"}: one of the `tests` of a decision."""
        return {
            "name": self.name,
            "value": _number(self.value),
            "needed": _number(self.needed),
            "met": self.met,
            "cite": self.cite,
            "tie": self.tie,
            "least": _number(self.least),
            "greatest": _number(self.greatest),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of a rule. `possible` are the outcomes that can still come, `exact` whether all of them truly can."""

    rule: str
    on: datetime.date
    outcome: Outcome
    tests: tuple[TestResult, ...]
    missing: tuple[str, ...] = ()
    annulled: tuple[str, ...] = ()
    repeat_pending: tuple[str, ...] = ()
    possible: tuple[Outcome, ...] = ()
    exact: bool = True

    def to_json(self) -> dict[str, Any]:
        """{"outcome","tests","rule","on","areas","missing","annulled","repeat_pending","possible","exact"}.

        `areas` lists {"test","area","met","value","of"} for each test that asks each area. Numbers are whole, or "p/q"
        where half-weights make them so. `tests` is empty when the law is not loaded.
        """
        return {
            "outcome": self.outcome,
            "tests": [test.to_json() for test in self.tests],
            "rule": self.rule,
            "on": self.on.isoformat(),
            "areas": [
                {"test": test.name, "area": a.area, "met": a.met, "value": a.value, "of": a.of}
                for test in self.tests
                for a in test.areas
            ],
            "missing": list(self.missing),
            "annulled": list(self.annulled),
            "repeat_pending": list(self.repeat_pending),
            "possible": list(self.possible),
            "exact": self.exact,
        }


def decide(
    rule: DecisionRule,
    areas: Mapping[str, AreaCount],
    on: datetime.date,
    national: Mapping[str, int] | None = None,
) -> Decision:
    """Apply `rule` to the areas that exist on the day, by code.

    National totals are the sums over the areas, unless `national` gives them as published apart from the areas. Such
    totals are taken as complete: they already hold the areas missing here and do not hold the annulled ones; only
    repeat votes are still to be added. Raises `BadInput` when a total lacks a field that the rule needs.
    """
    if not rule.in_force(on):
        return Decision(rule.id, on, "law-not-loaded", (), possible=("law-not-loaded",))
    position = _position(rule, areas, national)
    possible, exact = possible_outcomes(position)
    return Decision(
        rule=rule.id,
        on=on,
        outcome=next(iter(possible)) if len(possible) == 1 else "undetermined",
        tests=tuple(_result(position, test) for test in rule.tests),
        missing=tuple(c for c, a in areas.items() if a.status == "missing" or (a.counts and a.outstanding)),
        annulled=tuple(c for c, a in areas.items() if a.status == "annulled"),
        repeat_pending=tuple(c for c, a in areas.items() if a.status == "repeat-pending"),
        possible=tuple(sorted(possible)),
        exact=exact,
    )


def _position(rule: DecisionRule, areas: Mapping[str, AreaCount], national: Mapping[str, int] | None) -> Position:
    for code, area in areas.items():
        if area.counts:
            _check_fields(rule, area.values, f"area {code}")
    if national is not None:
        _check_fields(rule, national, "the national totals")
        pending = Outstanding.total(a.outstanding for a in areas.values() if a.status == "repeat-pending")
        return Position(rule, national, pending, areas)
    counted = [area.values for area in areas.values() if area.counts]
    sums = {name: sum(values[name] for values in counted) for name in rule.fields}
    return Position(rule, sums, Outstanding.total(area.open for area in areas.values()), areas)


def _check_fields(rule: DecisionRule, values: Mapping[str, int], where: str) -> None:
    for name in rule.fields:
        if name not in values:
            raise BadInput(f"{where} lacks a field that {rule.id} needs", field=name, expected=", ".join(rule.fields))


def _result(position: Position, test: Test) -> TestResult:
    rule, share = position.rule, test.share
    met = verdict(position, test)
    tie = position.tied(test, worst(rule, share)) and position.tied(test, best(rule, share))
    if test.of_areas is None:
        return TestResult(
            name=test.name,
            value=Fraction(share.value.of(position.national)),
            needed=Fraction(share.needed(position.national)),
            met=met,
            cite=test.cite,
            tie=tie,
            least=Fraction(share.value.of(position.totals(nobody(rule)))),
            greatest=Fraction(share.value.of(position.totals(most(rule, share)))),
        )
    won = (area.weight for area in position.areas.values() if area.counts and share.met(area.values))
    return TestResult(
        name=test.name,
        value=sum(won, Fraction(0)),
        needed=test.of_areas.needed(position.weight, _unit(position)),
        met=met,
        cite=test.cite,
        tie=tie,
        least=position.won(test, worst(rule, share)),
        greatest=position.won(test, best(rule, share)),
        areas=tuple(_area_result(position, test, code) for code in position.areas),
    )


def _area_result(position: Position, test: Test, code: str) -> AreaResult:
    rule, share, area = position.rule, test.share, position.areas[code]
    sure = share.met(position.area_totals(code, worst(rule, share)))
    open_ = not sure and share.met(position.area_totals(code, best(rule, share)))
    if not area.counts:
        return AreaResult(code, None if open_ else sure, None, None)
    return AreaResult(code, None if open_ else sure, share.value.of(area.values), share.of.of(area.values))


def _unit(position: Position) -> Fraction:
    """The step in which weights are counted: 1, or one half where there are half-cantons."""
    return Fraction(1, lcm(*(area.weight.denominator for area in position.areas.values())))


def _number(number: Fraction) -> int | str:
    return number.numerator if number.denominator == 1 else str(number)
