"""How many stations are needed: for a margin, from the differences between stations of a past vote; or to catch what is bad?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from dauys.errors import DauysError
from dauys.observe.estimates.interval import normal_quantile
from dauys.observe.sample.frame import Frame
from dauys.observe.sample.spread import spreads

BAD = (10, 50, 100, 200, 500)
"""Bad stations for which the detection table is made."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Stations for a margin: `n`, and `asked` where some are expected not to report. Shares are from 0 to 1.

    `spread` is the standard deviation between stations that it follows from (S_z; inside strata, where there are any).
    """

    n: int
    asked: int
    margin: float
    confidence: float
    spread: float
    population: int


def needed(
    frame: Frame,
    margin: float,
    confidence: float = 0.95,
    strata: Sequence[Sequence[int]] | None = None,
    response: Fraction = Fraction(1),
) -> Needed:
    """n = n0 / (1 + n0/N) with n0 = (z S / margin)**2 (Cochran 1977, 4.6, 5.9); proportional allocation where strata are given.

    `response` is the share of stations that is expected to report: more are drawn, none is replaced. It is a
    proposal from floats: the design's n is what somebody then decides.
    """
    if not 0 < margin < 1 or not 0 < confidence < 1 or not 0 < response <= 1:
        raise DauysError("a margin, a confidence and a response are shares between 0 and 1")
    places = strata or [range(len(frame))]
    total = sum(map(len, places))
    variance = sum(
        float(found) * len(members) / total for found, members in zip(spreads(frame, places), places, strict=True)
    )
    wanted = (normal_quantile((1 + confidence) / 2) / margin) ** 2 * variance
    n = max(1, math.ceil(wanted / (1 + wanted / total)))
    return Needed(n, min(total, math.ceil(n / response)), margin, confidence, math.sqrt(variance), total)


def margin_of(n: int, population: int, spread: float, confidence: float = 0.95) -> float:
    """The margin that n stations of `population` give: z S sqrt((1 - n/N) / n)."""
    return normal_quantile((1 + confidence) / 2) * spread * math.sqrt((1 - n / population) / n)


def unseen(population: int, bad: int, n: int) -> Fraction:
    """The probability that none of `bad` stations is among n drawn from `population`: hypergeometric, exact."""
    if not (0 <= bad <= population and 0 <= n <= population):
        raise DauysError(f"of {population} stations, {bad} bad and {n} drawn: this cannot be")
    few, many = sorted((bad, n))
    top = math.prod(range(population - many - few + 1, population - many + 1)) if many + few <= population else 0
    return Fraction(top, math.prod(range(population - few + 1, population + 1)))


def to_detect(population: int, bad: int, confidence: Fraction = Fraction(19, 20)) -> int:
    """The least n that has at least one of `bad` stations in a simple sample with this confidence; exact."""
    if not 0 < bad <= population or not 0 < confidence < 1:
        raise DauysError(f"of {population} stations, {bad} bad, confidence {confidence}: this cannot be")
    low, high = 0, population - bad + 1  # with `high` one is seen for certain; with `low` it is not enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if unseen(population, bad, middle) <= 1 - confidence else (middle, high)
    return high


def to_detect_formula(population: int, bad: int, confidence: float = 0.95) -> int:
    """The same by the closed formula of Aslam, Popa and Rivest (2007), which is near the exact number and not always it."""
    share: float = 1 - (1 - confidence) ** (1 / bad)
    return math.ceil((population - (bad - 1) / 2) * share)


def detection_table(population: int, n: int, confidence: Fraction = Fraction(19, 20)) -> Mapping[str, object]:
    """What a simple sample of n can see: the least number of bad stations of which one is seen, and n for others."""
    low, high = 0, population
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if unseen(population, middle, n) <= 1 - confidence else (middle, high)
    rows = [{"bad": bad, "stations": to_detect(population, bad, confidence)} for bad in BAD if bad < population]
    return {"confidence": str(confidence), "least_bad": high, "table": rows}
