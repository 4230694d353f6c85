"""Ballot comparison: how many ballots must be compared with their records, and may the audit stop? ("Super-simple".)

Stark, "Super-simple simultaneous single-ballot risk-limiting audits" (2010); Lindeman and Stark, "A gentle introduction" (2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log

INFLATOR = Fraction(103905, 100000)
"""Gamma of the article: how much each ballot is blown up so that errors can be borne."""


@dataclass(frozen=True, slots=True)
class Discrepancies:
    """How many of the compared ballots overstated the margin by one or two votes, or understated it."""

    over1: int = 0
    over2: int = 0
    under1: int = 0
    under2: int = 0

    def __post_init__(self) -> None:
        if min(self.over1, self.over2, self.under1, self.under2) < 0:
            raise ValueError("a number of discrepancies is below zero")

    @property
    def ballots(self) -> int:
        return self.over1 + self.over2 + self.under1 + self.under2


def p_value(
    ballots: int, margin: Fraction, found: Discrepancies = Discrepancies(), gamma: Fraction = INFLATOR
) -> Fraction:
    """The Kaplan-Markov P-value after `ballots` compared; `margin` is diluted: (winner - loser) / all ballots. At most 1."""
    if found.ballots > ballots:
        raise ValueError("more discrepancies than ballots")
    value: Fraction = (
        (1 - margin / (2 * gamma)) ** ballots
        * (1 - 1 / (2 * gamma)) ** -found.over1
        * (1 - 1 / gamma) ** -found.over2
        * (1 + 1 / (2 * gamma)) ** -found.under1
        * (1 + 1 / gamma) ** -found.under2
    )
    return min(value, Fraction(1))


def ballots_needed(
    risk: Fraction, margin: Fraction, found: Discrepancies = Discrepancies(), gamma: Fraction = INFLATOR
) -> int:
    """How many ballots to compare, with these discrepancies among them: the closed form of the article, a little above
    the least that `p_value` would need. For planning: `p_value` decides."""
    g = float(gamma)
    logs = (
        log(risk)
        + found.over1 * log(1 - 1 / (2 * g))
        + found.over2 * log(1 - 1 / g)
        + found.under1 * log(1 + 1 / (2 * g))
        + found.under2 * log(1 + 1 / g)
    )
    return max(ceil(-2 * g * logs / float(margin)), found.ballots)
