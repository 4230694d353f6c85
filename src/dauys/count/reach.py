"""Where can ballots that are not counted yet still lead? Extremes of every test, and the outcomes that remain possible.

The model. Each listed voter outstanding either did not vote, or put in one ballot for one option or class of the rule's
fields, or one that is in the base only. Each person who may have been added on the day did nothing, or was put on the
list and then did any of this. Voters choose independently, in any number up to the caps of `Outstanding`.

Why the extremes are exact. A test compares q x value with p x of, both sums of fields, so every ballot adds a fixed
whole number to the margin q x value - p x of, whatever the others do. The least and the greatest margin are therefore
reached when all voters of one sort make the same choice (a pure scenario), and they can all do so at once. In areas the
same holds area by area; areas are independent, so every count of won areas between the extremes' counts is reachable.

Why the outcomes are exact. An outcome appears when the tests before its own are met and one of its own is not. Where
one choice gives the greatest margin in all of the former and the least in all of the latter, the pure scenario of that
choice yields the outcome if any scenario does. So it is under every rule in which no ballot helps one test by harming
another in the same direction (the referendum rules of the packs: "yes" helps all, "other" helps participation and harms
the rest). Where no such choice exists the answer errs towards "possible", and `exact` is False.
National totals published separately from the areas are taken for complete and bound nothing in the areas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from dauys.count.areas import AreaCount, Outstanding
from dauys.law.decision_rule import DecisionRule, Outcome, Share, Test

Totals = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What every listed voter, and everyone who may have been added, did: a vector of fields for each."""

    listed: Totals
    added: Totals


@dataclass(frozen=True, slots=True)
class Position:
    """What is known: national totals and what may be added to them, and each area likewise."""

    rule: DecisionRule
    national: Totals
    open: Outstanding
    areas: Mapping[str, AreaCount]

    @property
    def weight(self) -> Fraction:
        """The weight of all areas that exist on the day."""
        return sum((area.weight for area in self.areas.values()), Fraction(0))

    def totals(self, scenario: Scenario) -> dict[str, int]:
        """The national totals if the scenario came true."""
        return _add(self.rule, self.national, self.open, scenario)

    def area_totals(self, code: str, scenario: Scenario) -> dict[str, int]:
        """The totals of one area if the scenario came true; nothing where its vote is annulled for good."""
        area = self.areas[code]
        return _add(self.rule, area.values if area.counts else {}, area.open, scenario)

    def won(self, test: Test, scenario: Scenario) -> Fraction:
        """The weight of the areas where the test's share holds in the scenario."""
        won = (a.weight for c, a in self.areas.items() if test.share.met(self.area_totals(c, scenario)))
        return sum(won, Fraction(0))

    def met(self, test: Test, scenario: Scenario) -> bool:
        """Whether the test is met in the scenario."""
        if test.of_areas is not None:
            return test.of_areas.met(self.won(test, scenario), self.weight)
        return test.share.met(self.totals(scenario))

    def distance(self, test: Test, scenario: Scenario) -> Fraction:
        """How far above the boundary the test stands in the scenario; 0 on it."""
        if test.of_areas is not None:
            return self.won(test, scenario) - test.of_areas.share * self.weight
        return Fraction(test.share.margin(self.totals(scenario)))

    def tied(self, test: Test, scenario: Scenario) -> bool:
        """Exact equality where equality is not enough. Nothing of nothing is no tie."""
        something = self.weight if test.of_areas is not None else test.share.of.of(self.totals(scenario))
        strict = (test.of_areas or test.share.threshold).strict
        return strict and something > 0 and self.distance(test, scenario) == 0

    def moves(self, test: Test) -> bool:
        """Whether anything outstanding bears on the test."""
        if test.of_areas is not None:
            return any(area.open for area in self.areas.values())
        return bool(self.open)


def nobody(rule: DecisionRule) -> Scenario:
    """The scenario in which nobody outstanding voted."""
    return Scenario(_listed_choices(rule)[0], _added_choices(rule)[0])


def worst(rule: DecisionRule, share: Share) -> Scenario:
    """The scenario of the least margin."""
    return _extreme(rule, share, greatest=False)


def best(rule: DecisionRule, share: Share) -> Scenario:
    """The scenario of the greatest margin."""
    return _extreme(rule, share, greatest=True)


def most(rule: DecisionRule, share: Share) -> Scenario:
    """The scenario of the greatest `value`, whatever becomes of the margin."""
    return Scenario(
        max(_listed_choices(rule), key=share.value.of),
        max(_added_choices(rule), key=share.value.of),
    )


def verdict(position: Position, test: Test) -> bool | None:
    """Whether the test is met; None when what is outstanding decides."""
    rule = position.rule
    if not position.moves(test):
        return position.met(test, nobody(rule))
    if position.met(test, worst(rule, test.share)):
        return True
    return None if position.met(test, best(rule, test.share)) else False


def possible_outcomes(position: Position) -> tuple[frozenset[Outcome], bool]:
    """The outcomes that can still come, and whether the set is exact (if not, it may hold one too many)."""
    tests = position.rule.tests
    possible: set[Outcome] = set()
    exact = True
    for before, own in _runs(tests):
        for outcome in own[0].unmet_outcomes:
            reached, sure = _reachable(position, before, own, tie=outcome == "tie")
            exact = exact and sure
            if reached:
                possible.add(outcome)
    reached, sure = _reachable(position, tests, (), tie=False)
    if reached:
        possible.add("adopted")
    return frozenset(possible), exact and sure


def _runs(tests: Sequence[Test]) -> Iterator[tuple[Sequence[Test], Sequence[Test]]]:
    """Neighbouring tests with the same outcome when not met, each run with the tests before it."""
    start = 0
    for _, run in groupby(enumerate(tests), key=lambda n: (n[1].unmet_outcomes, n[0] if n[1].tie == "tie" else -1)):
        own = [test for _, test in run]
        yield tests[:start], own
        start += len(own)


def _reachable(position: Position, before: Sequence[Test], own: Sequence[Test], *, tie: bool) -> tuple[bool, bool]:
    """Whether all of `before` can be met and (if any) one of `own` not met; and whether that answer is exact."""
    rule = position.rule
    splits = bool(own) and len(own[0].unmet_outcomes) > 1  # one test, whose equality has an outcome of its own

    def fails(test: Test, scenario: Scenario) -> bool:
        if tie:
            return position.tied(test, scenario)
        return not position.met(test, scenario) and not (splits and position.tied(test, scenario))

    moving_before = [test for test in before if position.moves(test)]
    moving_own = [test for test in own if position.moves(test)]
    listed = _dominant(_listed_choices(rule), moving_before, moving_own)
    added = _dominant(_added_choices(rule), moving_before, moving_own)
    if listed is not None and added is not None and not (tie and moving_own):
        scenario = Scenario(listed, added)
        met = all(position.met(test, scenario) for test in before)
        return met and (not own or any(fails(test, scenario) for test in own)), True
    met = all(position.met(test, best(rule, test.share)) for test in before)
    if tie:
        test = own[0]
        low = position.distance(test, worst(rule, test.share))
        high = position.distance(test, best(rule, test.share))
        reached = met and low <= 0 <= high
    else:
        reached = met and (not own or any(fails(test, worst(rule, test.share)) for test in own))
    return reached, not reached


def _dominant(choices: Sequence[Totals], before: Sequence[Test], own: Sequence[Test]) -> Totals | None:
    """The choice that is best for every test of `before` and worst for every one of `own`, if there is one."""
    for choice in choices:
        helps = all(_key(t.share, choice) == max(_key(t.share, c) for c in choices) for t in before)
        if helps and all(_key(t.share, choice) == min(_key(t.share, c) for c in choices) for t in own):
            return choice
    return None


def _extreme(rule: DecisionRule, share: Share, *, greatest: bool) -> Scenario:
    pick = max if greatest else min
    return Scenario(
        pick(_listed_choices(rule), key=lambda choice: _key(share, choice)),
        pick(_added_choices(rule), key=lambda choice: _key(share, choice)),
    )


def _key(share: Share, choice: Totals) -> tuple[int, int]:
    """The margin first; then the value, because nothing of nothing is not met although its margin is 0."""
    return share.margin(choice), share.value.of(choice)


def _listed_choices(rule: DecisionRule) -> list[dict[str, int]]:
    nothing = dict.fromkeys(rule.fields, 0)
    ballot = nothing | dict.fromkeys(rule.fields_with("base"), 1)
    return [nothing, ballot, *(ballot | {name: 1} for name in rule.fields_with("option", "class"))]


def _added_choices(rule: DecisionRule) -> list[dict[str, int]]:
    register = dict.fromkeys(rule.fields_with("register"), 1)
    choices = _listed_choices(rule)
    return [choices[0], *(choice | register for choice in choices)]


def _add(rule: DecisionRule, known: Totals, outstanding: Outstanding, scenario: Scenario) -> dict[str, int]:
    totals = {
        name: known.get(name, 0) + outstanding.listed * scenario.listed[name] + outstanding.added * scenario.added[name]
        for name in rule.fields
    }
    for name in rule.fields_with("register"):
        totals[name] += outstanding.eligible
    return totals
