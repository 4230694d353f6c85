"""Does the official share lie where the observers' sample says, and is a stated margin one that stations can give?

|official - R| <= t se, with R the ratio from the copies under the design that was drawn, never from voters. A margin of a few
hundredths of a point from a sample of stations cannot be: whoever states one counts voters, or has copied the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import isfinite, sqrt
from typing import Any

import numpy as np

from dauys.errors import BadInput
from dauys.law.relation import Linear
from dauys.observe.estimates.interval import t_quantile
from dauys.observe.estimates.partial import Gate
from dauys.observe.night.snapshots import Ask, Drawn, Said, say
from dauys.observe.sample.size import margin_of
from dauys.registers.poll import Contest

SMALLEST = 0.0005
"""A margin below a twentieth of a point is flagged whatever the vote (observation.md 1.8: "a few hundredths of a point")."""
SHARE_OF_EXPECTED = 1 / 3
"""And one below a third of what the published differences between stations give for a simple sample as large."""


FEWEST = 2
"""Stations with which a share has a variance at all."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A national share: `value` of `of`, both sums of fields. `name` is the rule's test, or the option."""

    name: str
    value: Linear
    of: Linear

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.value.fields + self.of.fields))

    def share(self, values: Mapping[str, int]) -> Fraction | None:
        whole = self.of.of(values)
        return Fraction(self.value.of(values), whole) if whole else None


@dataclass(frozen=True, slots=True)
class National:
    """One share: official against estimated. `agrees` is None where the gate lets nothing be published, or without a degree of
    freedom: a handful of the drawn stations says nothing of the nation.

    `allowed` is t se; `expected` the margin that the published stations themselves give for a simple sample as large (None: by
    size, or too few stations); `implausible` says why the margin is too small to be true, or is empty.
    """

    measure: Measure
    official: Fraction
    said: Said
    t: float
    allowed: float
    agrees: bool | None
    expected: float | None
    implausible: str

    @property
    def difference(self) -> float:
        """Official less estimated."""
        return float(self.official) - self.said.found.estimate

    def to_json(self) -> dict[str, Any]:
        found = self.said.found
        return {
            "name": self.measure.name,
            "value": str(self.measure.value),
            "of": str(self.measure.of),
            "official": float(self.official),
            "official_exact": str(self.official),
            "estimate": found.estimate,
            "se": _number(found.se),
            "df": found.df,
            "t": _number(self.t),
            "allowed": _number(self.allowed),
            "difference": self.difference,
            "agrees": self.agrees,
            "ci": [_number(end) for end in found.ci],
            "method": found.method,
            "deff": found.deff_ballots,
            "facts": dict(self.said.facts),
            "remarks": list(self.said.remarks),
            "reasons": [] if self.said.partial is None else list(self.said.partial.reasons),
            "expected_margin": self.expected,
            "implausible": self.implausible,
        }


def measures_of(contest: Contest, option: str | None = None) -> list[Measure]:
    """The shares of a contest: of one option among the ballots, or (None) all that the rule asks of the nation."""
    fields = contest.form.fields
    base = next((field.name for field in fields if field.role == "base"), None)
    if option is not None:
        if option not in contest.options or base is None:
            raise BadInput("no such option", field="option", found=option, expected=", ".join(contest.options))
        return [Measure(option, Linear.parse(option), Linear.parse(base))]
    asked = [Measure(test.name, test.share.value, test.share.of) for test in contest.rule.tests if test.kind == "share"]
    answers = set(contest.options)
    asked.sort(key=lambda one: not answers & set(one.value.fields))  # the answer before the turnout
    if asked or base is None:
        return asked
    return [Measure(name, Linear.parse(name), Linear.parse(base)) for name in contest.options]


def national(
    measure: Measure, drawn: Drawn, copies: Mapping[str, Mapping[str, int]], counted: Sequence[Mapping[str, int]],
    at: datetime | None, confidence: float = 0.95, void: Sequence[str] = (),
) -> National | None:  # fmt: skip
    """The test of one share. `copies` by station; `counted` the values of every station in the official sums.

    `void` are drawn stations whose vote is annulled: they are in no sum, and count as nothing here too. None where fewer than two
    copies have the fields (one says nothing of how stations differ), or the official count has none.
    """
    official = measure.share({name: sum(one[name] for one in counted) for name in measure.fields}) if counted else None
    usable = {name: values for name, values in copies.items() if all(field in values for field in measure.fields)}
    empty = set(void)
    came = [name in usable or name in empty for name in drawn.ids]
    wholes = [measure.of.of(usable[name]) if name in usable else 0 for name in drawn.ids]
    if official is None or sum(came) < FEWEST or not any(wholes):
        return None
    y = np.array([measure.value.of(usable[name]) if name in usable else 0 for name in drawn.ids], dtype=np.float64)
    x = np.array(wholes, dtype=np.float64)
    ask = Ask(confidence=confidence, gate=Gate(snapshots=1))
    said = say(drawn, np.array(came), y, x, ask, at, str(measure.of))
    t = t_quantile((1 + confidence) / 2, said.found.df)
    allowed = t * said.found.se
    apart = abs(float(official) - said.found.estimate)
    enough = said.partial is None or said.partial.publish
    agrees = bool(apart <= allowed) if enough and isfinite(allowed) else None
    expected = None
    if drawn.sampled.pi is None:
        expected = expected_margin(measure, counted, said.found.n, confidence)
    reason = implausible(allowed, said.found.n, len(counted), expected)
    return National(measure, official, said, t, allowed, agrees, expected, reason)


def expected_margin(
    measure: Measure, counted: Sequence[Mapping[str, int]], n: int, confidence: float = 0.95
) -> float | None:
    """The margin of a simple sample of n of the published stations, from their own differences (Cochran 1977, 6.4)."""
    if len(counted) < 3 or not 1 < n <= len(counted):
        return None
    y = np.array([measure.value.of(one) for one in counted], dtype=np.float64)
    x = np.array([measure.of.of(one) for one in counted], dtype=np.float64)
    if not x.sum():
        return None
    spread = (y - y.sum() / x.sum() * x) / x.mean()
    return margin_of(n, len(counted), sqrt(float(spread @ spread) / (len(counted) - 1)), confidence)


def implausible(margin: float, n: int, population: int, expected: float | None) -> str:
    """Why a margin (a share) is too small for n of `population` stations; empty where it may be."""
    if not isfinite(margin) or n >= population:
        return ""
    if margin < SMALLEST:
        return f"{100 * margin:.3f} points: {n:,} of {population:,} stations cannot give a margin of a few hundredths of a point"
    if expected is not None and margin < SHARE_OF_EXPECTED * expected:
        return (
            f"{100 * margin:.2f} points, where the published stations differ so much that a simple sample of {n:,} gives "
            f"{100 * expected:.2f}"
        )
    return ""


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
