"""Can what is missing or in quarantine still change the outcome?

The question is answered with exact whole numbers, for every rule whose tests are linear; the argument why the least and
the greatest values are truly attained stands in `dauys.count.reach`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.decision import Decision, decide
from dauys.law.decision_rule import DecisionRule, Outcome


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is counted says `counted`; what is outstanding can still make it one of `possible`.

    `tests` of `decision` carry `least` and `greatest`: the values each test can still take.
    """

    counted: Outcome
    decision: Decision

    @property
    def possible(self) -> tuple[Outcome, ...]:
        """The outcomes that can still come, sorted."""
        return self.decision.possible

    @property
    def can_change(self) -> bool:
        """Whether an outcome other than that of what is counted is still possible."""
        return self.possible != (self.counted,)

    def to_json(self) -> dict[str, Any]:
        """{"counted": outcome, "possible": [outcome], "can_change", "exact",
        "tests": [{"name","least","greatest","met"}]}."""
        tests = [test.to_json() for test in self.decision.tests]
        return {
            "counted": self.counted,
            "possible": list(self.possible),
            "can_change": self.can_change,
            "exact": self.decision.exact,
            "tests": [{name: test[name] for name in ("name", "least", "greatest", "met")} for test in tests],
        }


def bounds_of(
    rule: DecisionRule,
    areas: Mapping[str, AreaCount],
    on: datetime.date,
    national: Mapping[str, int] | None = None,
) -> Bounds:
    """The bounds for areas whose `outstanding` says what is missing or in quarantine there (arguments as in `decide`).

    `Outstanding.of(eligible, ballots)` describes one station: its listed voters and the most ballots the law lets it
    have, ceil(1.01 x eligible) in Kazakhstan; `Outstanding.total` adds the stations of an area.
    """
    counted = decide(rule, {code: _as_counted(rule, area) for code, area in areas.items()}, on, national)
    return Bounds(counted.outcome, decide(rule, areas, on, national))


def _as_counted(rule: DecisionRule, area: AreaCount) -> AreaCount:
    """The area as if nothing were outstanding: what is not counted is not there."""
    if area.status == "counted":
        return replace(area, outstanding=Outstanding())
    if area.status == "missing":
        return AreaCount(dict.fromkeys(rule.fields, 0), area.weight)
    return AreaCount.annulled(area.weight)
