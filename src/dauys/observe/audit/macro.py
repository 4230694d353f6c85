"""Batch comparison: how many stations must be recounted, which, and may the audit stop? (MACRO, Kaplan-Markov.)

Stations are the batches, drawn with replacement in proportion to the most that each can hide. Stark, "Auditing a collection of
races simultaneously" (2009); Stark, "Efficient post-election audits of multiple contests" (2009). All in Fractions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, islice
from math import ceil, lcm, log

from dauys.observe.audit.assertions import Assertion, Votes, total
from dauys.observe.audit.draws import places

Reported = Mapping[str, Sequence[Votes]]
"""Batch to its reported votes, one for each assertion."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that each batch can hide, as a part of the margin: `most` by batch, `total` their sum (U)."""

    assertions: tuple[Assertion, ...]
    weights: tuple[int, ...]
    most: Mapping[str, Fraction]

    @property
    def total(self) -> Fraction:
        return sum(self.most.values(), Fraction(0))


def bounds(assertions: Sequence[Assertion], reported: Reported) -> Bounds | None:
    """The error bound of every batch: u_p = max over the assertions of (weight + loss * ballots) / margin.

    None where an assertion does not hold of the reported votes: there is nothing to confirm.
    """
    weights = tuple(
        assertion.weight(total(votes[place] for votes in reported.values()))
        for place, assertion in enumerate(assertions)
    )
    if min(weights) <= 0:
        return None
    most = {
        batch: max(
            Fraction(assertion.weight(vote) + assertion.loss * vote.ballots, weight)
            for assertion, vote, weight in zip(assertions, votes, weights, strict=True)
        )
        for batch, votes in reported.items()
    }
    return Bounds(tuple(assertions), weights, most)


def taint(found: Bounds, batch: str, reported: Sequence[Votes], audited: Sequence[Votes]) -> Fraction:
    """t = e_p / u_p: which part of what the batch could hide it did hide. Below zero where the error was the loser's gain.

    A batch that could hide nothing has taint 0, or 1 if more ballots were found in it than reported.
    """
    error = max(
        Fraction(assertion.weight(said) - assertion.weight(seen), weight)
        for assertion, said, seen, weight in zip(found.assertions, reported, audited, found.weights, strict=True)
    )
    most = found.most[batch]
    if most == 0:
        return Fraction(int(error > 0))
    return error / most


def p_value(bound: Fraction, taints: Sequence[Fraction]) -> Fraction:
    """Kaplan-Markov: the product of (1 - 1/U) / (1 - t) over the draws, negative taints taken as 0; at most 1."""
    product = Fraction(1)
    for found in taints:
        if found >= 1:
            return Fraction(1)
        product *= (1 - 1 / bound) / (1 - max(found, Fraction(0)))
    return min(product, Fraction(1))


def clean_draws(bound: Fraction, risk: Fraction, so_far: Fraction = Fraction(1)) -> int:
    """The fewest further draws without error after which P <= risk; exact."""
    if so_far <= risk:
        return 0
    step = 1 - 1 / bound
    if step <= 0:
        return 1
    guess = max(1, ceil(log(risk / so_far) / log(step)) - 1)
    while so_far * step ** (guess - 1) <= risk:
        guess -= 1
    while so_far * step**guess > risk:
        guess += 1
    return guess


def draw(most: Mapping[str, Fraction], seed: str, count: int, label: str = "*") -> list[str]:
    """The first `count` draws: batches with replacement, in proportion to their bounds. More draws begin with the same.

    Draw j (draws.places) falls into the sum of the bounds (whole numbers after one common denominator) and takes the batch in
    whose piece it falls; batches in the order of names.
    """
    names = sorted(most)
    scale = lcm(*(most[name].denominator for name in names))
    pieces = list(accumulate(most[name].numerator * (scale // most[name].denominator) for name in names))
    return [names[bisect_right(pieces, place)] for place in islice(places(seed, label, pieces[-1]), count)]
