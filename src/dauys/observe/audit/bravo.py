"""Ballot polling, ballot by ballot: how likely would these ballots be if the outcome were wrong? (BRAVO.)

Lindeman, Stark and Yates, "BRAVO: Ballot-polling risk-limiting audits to verify outcomes" (2012).
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, log, sqrt


def statistic(share: Fraction, winner: int, loser: int) -> Fraction:
    """T after ballots for the winner and the loser; `share` is the winner's reported share of the two. 1/T is the P-value."""
    return (2 * share) ** winner * (2 * (1 - share)) ** loser


def confirmed(share: Fraction, winner: int, loser: int, risk: Fraction) -> bool:
    """Whether the audit may stop: T >= 1/risk, exactly."""
    return statistic(share, winner, loser) * risk >= 1


def expected_size(risk: Fraction, winner: Fraction, loser: Fraction) -> int:
    """The expected number of ballots, of all kinds, if the reported shares of all ballots are right."""
    share = float(winner / (winner + loser))
    up, down = log(2 * share), log(2 - 2 * share)
    return ceil((log(1 / risk) + up / 2) / (float(winner) * up + float(loser) * down))


def round_size(risk: Fraction, winner: Fraction, loser: Fraction, chance: float, seen: tuple[int, int] = (0, 0)) -> int:
    """Further ballots of all kinds after which the audit stops with probability `chance` in this one round.

    From the normal quantile, then ballot by ballot up to the exact binomial one. `seen`: ballots for the two so far.
    """
    from scipy.stats import binom, norm  # here: commands start fast

    both = winner + loser
    share = float(winner / both)
    up, down = log(2 * share), log(2 - 2 * share)
    wanted = log(1 / risk) - seen[0] * up - seen[1] * down
    if wanted <= 0:
        return 0
    spread = float(norm.ppf(chance)) * sqrt(share * (1 - share))
    drift = share + down / (up - down)
    needed = wanted / (up - down)
    size = floor(((spread + sqrt(spread * spread + 4 * drift * needed)) / (2 * drift)) ** 2)
    while True:
        least = int(binom.ppf(1 - chance, size, share))
        if least * up + (size - least) * down > wanted:
            return ceil(size / both)
        size += 1
