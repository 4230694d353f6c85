"""How likely is it that at least two thirds of the territories say yes? Exact for independent territories (Poisson-binomial).

Whether a territory said yes is decided by its votes, never here: this says how sure a sample can be of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from dauys.errors import DauysError
from dauys.observe.estimates.domains import Domain
from dauys.observe.estimates.estimate import Estimate
from dauys.observe.estimates.interval import t_below

Number = TypeVar("Number", float, Fraction)


@dataclass(frozen=True, slots=True)
class DoubleRule:
    """`yes` has each territory's probability of more than half (None: the sample cannot say).

    `territories` is the probability that at least `needed` of them say yes: (low, high), which differ only where the sample
    cannot say (low: none of those says yes; high: all do). `national` is that of the whole; `both` are Fréchet's bounds of
    both tests together, which need no independence.
    """

    needed: int
    of: int
    yes: dict[str, float | None]
    territories: tuple[float, float]
    national: float | None
    both: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        return {
            "needed": self.needed,
            "of": self.of,
            "yes": self.yes,
            "territories": list(self.territories),
            "national": self.national,
            "both": list(self.both),
        }


def needed_of(territories: int, share: Fraction = Fraction(2, 3)) -> int:
    """The least k with k >= share x territories: 12 of 17, 14 of 20."""
    return -(-share.numerator * territories // share.denominator)


def at_least(needed: int, chances: Sequence[Number], one: Number) -> Number:
    """The probability that at least `needed` of independent events happen. Exact for Fractions; `one` is 1 of the same type."""
    zero = one - one
    counts = [one] + [zero] * len(chances)  # counts[k]: the probability of k so far
    for seen, chance in enumerate(chances):
        for k in range(seen + 1, 0, -1):
            counts[k] = counts[k] * (one - chance) + counts[k - 1] * chance
        counts[0] = counts[0] * (one - chance)
    return sum(counts[max(needed, 0) :], zero)


def chance_of_yes(found: Estimate, threshold: float = 0.5) -> float | None:
    """The probability that the true share is above the threshold, by the t of the estimate; None where nothing tells its spread.

    With a standard error of 0 and degrees of freedom (every station alike, or all of them sampled) it is 0 or 1; at the
    threshold itself the sample cannot say.
    """
    if found.df < 1 or found.se != found.se or found.estimate != found.estimate:
        return None
    if found.se == 0:
        return None if found.estimate == threshold else float(found.estimate > threshold)
    return t_below((found.estimate - threshold) / found.se, found.df)


def double_rule(
    national: Estimate, regions: Sequence[Domain], territories: Sequence[str], share: Fraction = Fraction(2, 3)
) -> DoubleRule:
    """Both tests from one sample. `territories` names all of them, seen or not. Raises DauysError for a region that is none."""
    if strangers := {region.name for region in regions} - set(territories):
        raise DauysError(f"{min(strangers)} is not one of the {len(territories)} territories")
    by_name = {region.name: chance_of_yes(region.found) for region in regions}
    yes = {name: by_name.get(name) for name in territories}
    needed = needed_of(len(territories), share)
    low, high = (
        at_least(needed, [otherwise if chance is None else chance for chance in yes.values()], 1.0)
        for otherwise in (0.0, 1.0)
    )
    whole = chance_of_yes(national)
    most, least = (1.0, 0.0) if whole is None else (whole, whole)
    return DoubleRule(needed, len(territories), yes, (low, high), whole, (max(0.0, low + least - 1), min(high, most)))
