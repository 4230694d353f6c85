"""Is this majority reached? Exact answers that carry the numbers, what was needed, and whether it was a tie.

    Majority    a share of a base: `more than 1/2 of total`, `at least 2/3 of present`
    Plurality   more than anybody else; a tie chooses nobody
    InAreas     a majority in a share of the areas: the referendum's second condition

The threshold itself is `dauys.law.decision_rule.Threshold`: one rule, evaluated in one place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal, cast, get_args

from dauys.errors import BadInput
from dauys.law.decision_rule import Threshold

Base = Literal["total", "present", "cast", "yes_no"]
"""Of what a share is taken: all members (all voters); those present; votes cast, invalid ones too; yes and no."""

BASES: tuple[Base, ...] = get_args(Base)
_TEXT = re.compile(
    r"(more than|at least) ([0-9]{1,9}(?:/[1-9][0-9]{0,8})?) of (total|present|cast|yes_no)"
    r"(?:, at least ([0-9]{1,9}) votes)?"
)
_GRAMMAR = "`more than 1/2 of total`, `at least 2/3 of present, at least 10 votes` or `plurality`"


@dataclass(frozen=True, slots=True)
class Votes:
    """One vote: whole numbers. `cast` counts every vote given, `yes` and `no` among them; None where not known."""

    yes: int
    no: int
    cast: int | None = None
    present: int | None = None
    total: int | None = None

    def __post_init__(self) -> None:
        steps = [("yes", self.yes), ("no", self.no)]
        steps += [
            (name, number) for name in ("cast", "present", "total") if (number := getattr(self, name)) is not None
        ]
        for name, number in steps:
            if number < 0:
                raise BadInput("a vote has no negative numbers", field=name, found=number, expected="0 or more")
        least, under = self.yes + self.no, "yes and no together"
        for name, number in steps[2:]:
            if number < least:
                raise BadInput(f"fewer than {under}", field=name, found=number, expected=f"at least {least}")
            least, under = number, name

    def base(self, of: Base) -> int:
        """The number a share is taken of; raises `BadInput` where it is not known."""
        number = self.yes + self.no if of == "yes_no" else getattr(self, of)
        if number is None:
            raise BadInput("this majority cannot be judged without it", field=of, expected=f"the number: {of}")
        return cast(int, number)


@dataclass(frozen=True, slots=True)
class Result:
    """`value` against `needed` of `of`. `tie`: exactly the share where more than it is asked; then `met` is false."""

    met: bool
    value: int
    needed: int
    of: int
    tie: bool


@dataclass(frozen=True, slots=True)
class Majority:
    """More than (strict), or at least, a share of a base, and at least `floor` votes in favour."""

    share: Fraction
    strict: bool
    of: Base
    floor: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 or self.floor < 0:
            raise BadInput("not a majority", found=f"{self.share}, floor {self.floor}", expected="a share up to 1")

    @property
    def threshold(self) -> Threshold:
        """The same as a threshold."""
        return Threshold(self.share, self.strict)

    def judge(self, votes: Votes) -> Result:
        """Whether it is reached; raises `BadInput` where the base is not known."""
        base = votes.base(self.of)
        met = self.threshold.met(votes.yes, base) and votes.yes >= self.floor
        tie = self.strict and base > 0 and votes.yes == self.share * base and votes.yes >= self.floor
        return Result(met, votes.yes, max(int(self.threshold.needed(base)), self.floor), base, tie)

    def __str__(self) -> str:
        floor = f", at least {self.floor} votes" if self.floor else ""
        return f"{'more than' if self.strict else 'at least'} {self.share} of {self.of}{floor}"


@dataclass(frozen=True, slots=True)
class PluralityResult:
    """Who is chosen, with how many votes; `tied` are those who share the first place (then `winner` is None)."""

    winner: str | None
    value: int
    needed: int
    tied: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether somebody is chosen."""
        return self.winner is not None

    @property
    def tie(self) -> bool:
        """Whether equal votes are why nobody is chosen."""
        return bool(self.tied)


@dataclass(frozen=True, slots=True)
class Plurality:
    """The most votes of all, and at least `floor` of them. Nobody is chosen by no vote, or by a tie."""

    floor: int = 1

    def judge(self, votes: Mapping[str, int]) -> PluralityResult:
        """Who is chosen. `needed` is what the first had to reach: one more than the second, and the floor."""
        for name, number in votes.items():
            if number < 0:
                raise BadInput("a vote has no negative numbers", field=name, found=number, expected="0 or more")
        most = max(votes.values(), default=0)
        first = tuple(name for name, number in votes.items() if number == most and number >= max(self.floor, 1))
        others = [number for name, number in votes.items() if first != (name,)]
        needed = max(self.floor, 1, max(others, default=0) + 1)
        return PluralityResult(first[0] if len(first) == 1 else None, most, needed, first if len(first) > 1 else ())

    def __str__(self) -> str:
        return "plurality"


@dataclass(frozen=True, slots=True)
class AreasResult:
    """The weight of the areas that reach the inner majority, against what was needed of all of them."""

    met: bool
    value: Fraction
    needed: Fraction
    of: Fraction
    tie: bool
    areas: Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class InAreas:
    """A majority in at least (strict: in more than) a share of the areas, each of weight 1 unless said otherwise."""

    inner: Majority
    share: Fraction
    strict: bool = False

    def judge(self, votes: Mapping[str, Votes], weights: Mapping[str, Fraction] | None = None) -> AreasResult:
        """Whether it is reached. `votes` names every area that exists that day; so does `weights`, where given."""
        if weights is not None and set(weights) != set(votes):
            odd = sorted(set(weights) ^ set(votes))
            raise BadInput("votes and weights are of different areas", found=", ".join(odd), expected="the same areas")
        weight = {area: Fraction(1) if weights is None else Fraction(weights[area]) for area in votes}
        areas = {area: self.inner.judge(vote) for area, vote in votes.items()}
        value = sum((weight[area] for area, result in areas.items() if result.met), Fraction(0))
        of = sum(weight.values(), Fraction(0))
        threshold = Threshold(self.share, self.strict)
        unit = Fraction(1, lcm(*(one.denominator for one in weight.values())))
        return AreasResult(
            met=threshold.met(value, of),
            value=value,
            needed=threshold.needed(of, unit),
            of=of,
            tie=self.strict and of > 0 and value == self.share * of,
            areas=areas,
        )

    def __str__(self) -> str:
        return f"{self.inner}, in {'more than' if self.strict else 'at least'} {self.share} of the areas"


def parse(text: str) -> Majority | Plurality:
    """A majority as the rule files write it; raises `BadInput` (without a place: the caller knows it)."""
    if text == "plurality":
        return Plurality()
    match = _TEXT.fullmatch(text)
    if not match or not 0 < Fraction(match[2]) <= 1:
        raise BadInput("cannot be read as a majority", found=text, expected=_GRAMMAR)
    return Majority(Fraction(match[2]), match[1] == "more than", cast(Base, match[3]), int(match[4] or 0))
