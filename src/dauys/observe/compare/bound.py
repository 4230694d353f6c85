"""If so many of the compared stations differ, how many of all stations may? Upper confidence bounds, in whole numbers.

A simple sample: the exact hypergeometric bound, the largest D that would show as few with a probability above 1 - confidence.
A stratified one: the number found is a sum of independent events (each hypergeometric number is one: Vatutin and Mikhailov
1982), so by Hoeffding (1956, theorem 4) its lower tail is at most that of a binomial with the same mean; the mean is at least D
times the smallest sampling fraction. That holds however the differing stations lie in the strata, and is wider than need be.

A draw by size: none. A systematic draw from a random order (Goodman and Kish 1950) can have two stations together more often than
if they were drawn apart, so that no binomial tail bounds it, in stations or in voters: of four stations with 39, 39, 11 and 11
voters, two are drawn, and the two small ones come together in 11 of 150 draws. With replacement it would be 1 in 20 or less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from dauys.errors import DauysError

CONFIDENCE = Fraction(19, 20)
BY_SIZE = (
    "the stations were drawn by size: in such a draw two stations can come together more often than by separate draws, so that "
    "no bound on the number of those that differ holds"
)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Of `population` stations `compared` were, and `differing` of them differ; at most `at_most` of all do, at `confidence`.

    `at_most` takes what was not compared for drawn like the rest. `if_missing_differ` takes every drawn station without a
    comparison for one that differs.
    """

    population: int
    compared: int
    differing: int
    at_most: int
    if_missing_differ: int
    confidence: Fraction
    method: str

    @property
    def beyond(self) -> int:
        """Of those at most, the ones that nobody has seen."""
        return self.at_most - self.differing


def below(population: int, bad: int, n: int, seen: int) -> Fraction:
    """The probability that at most `seen` of `bad` stations are among n drawn from `population`; exact."""
    if not (0 <= bad <= population and 0 <= n <= population):
        raise DauysError(f"of {population} stations, {bad} that differ and {n} drawn: this cannot be")
    first = max(0, n - (population - bad))
    if seen < first:
        return Fraction(0)
    term = total = comb(bad, first) * comb(population - bad, n - first)
    for k in range(first, min(seen, bad, n)):
        term = term * (bad - k) * (n - k) // ((k + 1) * (population - bad - n + k + 1))
        total += term
    return Fraction(total, comb(population, n))


def upper_simple(population: int, n: int, differing: int, confidence: Fraction = CONFIDENCE) -> int:
    """The most stations that may differ, from a simple sample of n of which `differing` do."""
    _sane(population, n, differing, confidence)
    return _last(
        differing,
        population - (n - differing),
        lambda bad: below(population, bad, n, differing) > 1 - confidence,
    )


def upper_stratified(strata: Sequence[tuple[int, int]], differing: int, confidence: Fraction = CONFIDENCE) -> int:
    """The same from simple samples in strata, each given as (stations, compared). One stratum: the exact bound.

    All stations of a stratum with nothing compared may differ.
    """
    unseen = sum(size for size, n in strata if not n)
    seen = [(size, n) for size, n in strata if n]
    population, compared = sum(size for size, _ in seen), sum(n for _, n in seen)
    if not seen:
        return unseen
    if len(seen) == 1:
        return unseen + upper_simple(population, compared, differing, confidence)
    _sane(population, compared, differing, confidence)
    fraction = min(Fraction(n, size) for size, n in seen)
    if fraction == 1:
        return unseen + differing
    most = population - (compared - differing)

    def can_be(bad: int) -> bool:
        mean = fraction * bad
        return differing > mean - 1 or _binomial_below(compared, mean / compared, differing) > 1 - confidence

    return unseen + _last(differing, most, can_be)


def unseen(strata: Sequence[tuple[int, int, int]], differing: int, confidence: Fraction = CONFIDENCE) -> Unseen:
    """Both bounds of a design, each stratum given as (stations, drawn, compared)."""
    population = sum(size for size, _, _ in strata)
    compared = sum(n for _, _, n in strata)
    missing = sum(drawn - n for _, drawn, n in strata)
    return Unseen(
        population, compared, differing,
        upper_stratified([(size, n) for size, _, n in strata], differing, confidence),
        upper_stratified([(size, drawn) for size, drawn, _ in strata], differing + missing, confidence),
        confidence,
        "exact hypergeometric" if len(strata) == 1 else "binomial with the smallest sampling fraction (Hoeffding 1956)",
    )  # fmt: skip


def _binomial_below(n: int, chance: Fraction, seen: int) -> Fraction:
    """The probability of at most `seen` of n; exact."""
    top, bottom = chance.numerator, chance.denominator
    left = bottom - top
    if left <= 0:
        return Fraction(int(seen >= n))
    term = total = left**n
    for k in range(min(seen, n)):
        term = term * (n - k) * top // ((k + 1) * left)
        total += term
    return Fraction(total, bottom**n)


def _last(least: int, most: int, holds: Callable[[int], bool]) -> int:
    """The last whole number from `least` to `most` at which a falling condition holds; `least` where it never does."""
    low, high = least, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _sane(population: int, n: int, differing: int, confidence: Fraction) -> None:
    if not (0 <= differing <= n <= population) or not 0 < confidence < 1:
        raise DauysError(
            f"of {population} stations, {n} compared, {differing} differ, confidence {confidence}: cannot be"
        )
