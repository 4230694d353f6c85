"""Is the mean of what was drawn above one half? ALPHA, Kaplan-Markov and Kaplan-Wald, for any assorter.

Stark, "ALPHA: audit that learns from previously hand-audited ballots" (2023); SHANGRLA (2020). The draws and all the
bookkeeping are Fractions. The guess `eta` may be any number that is known before the draw: it is rounded to 2**-20, and
whether the audit stops stays an exact question. After some hundred draws M has thousands of digits: from `LONG` bits on it is
rounded down, by less than one part in 2**1000 while it is above 2**-1000: that can only make the audit go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from dauys.observe.audit.assertions import HALF

GRAIN = 1 << 20
LONG = 4096


@dataclass(frozen=True, slots=True)
class Guess:
    """What the mean is taken to be before each draw: shrunk from `eta` towards what was seen, kept above the null mean.

    (d eta + sum so far) / (d + draws so far), at least mu + c / sqrt(d + draws so far), below the upper bound. `d` None:
    always `eta`.
    """

    eta: Fraction
    d: int | None = 100
    c: Fraction = Fraction(1, 10)


def null_means(draws: Sequence[Fraction], ballots: int | None, mean: Fraction = HALF) -> list[Fraction]:
    """The mean of what is left before each draw if the mean of all is `mean`; `ballots` None: drawn with replacement."""
    if ballots is None:
        return [mean] * len(draws)
    if len(draws) > ballots:
        raise ValueError("more draws than ballots")
    found, seen = [], Fraction(0)
    for number, value in enumerate(draws):
        found.append((ballots * mean - seen) / (ballots - number))
        seen += value
    return found


def martingale(
    draws: Sequence[Fraction], upper: Fraction, guess: Guess, ballots: int | None = None, mean: Fraction = HALF
) -> Iterator[Fraction | None]:
    """M after each draw; None stands for infinity: the mean of all is above `mean` for certain."""
    value, seen = Fraction(1), Fraction(0)
    sure = False
    for number, (drawn, mu) in enumerate(zip(draws, null_means(draws, ballots, mean), strict=True)):
        if not 0 <= drawn <= upper:
            raise ValueError(f"a draw must lie between 0 and {upper}: {drawn}")
        sure = sure or mu < 0
        if sure:
            yield None
            continue
        if mu >= upper:
            value = Fraction(0) if mu > upper or drawn < upper else value
        elif mu == 0:
            sure = drawn > 0
        else:
            eta = _eta(guess, seen, number, mu, upper)
            value = _short(value * ((drawn * eta / mu + (upper - drawn) * (upper - eta) / (upper - mu)) / upper))
        seen += drawn
        if ballots is not None:
            sure = sure or seen > ballots * mean
        yield None if sure else value


def p_value(
    draws: Sequence[Fraction], upper: Fraction, guess: Guess, ballots: int | None = None, mean: Fraction = HALF
) -> Fraction:
    """1 / the largest M so far, at most 1; 0 where it is certain."""
    largest = Fraction(1)
    for value in martingale(draws, upper, guess, ballots, mean):
        if value is None:
            return Fraction(0)
        largest = max(largest, value)
    return 1 / largest


def kaplan_markov(draws: Iterable[Fraction], mean: Fraction = HALF, padding: Fraction = Fraction(0)) -> Fraction:
    """The least product of (mean + g) / (draw + g) along the sample, at most 1. Draws with replacement, at least 0."""
    return _least((mean + padding, drawn + padding) for drawn in _not_negative(draws))


def kaplan_wald(draws: Iterable[Fraction], mean: Fraction = HALF, padding: Fraction = Fraction(0)) -> Fraction:
    """1 / the largest product of (1 - g) draw / mean + g along the sample, at most 1."""
    return _least((Fraction(1), (1 - padding) * drawn / mean + padding) for drawn in _not_negative(draws))


def overstatement(reported: Fraction, audited: Fraction, margin: Fraction, upper: Fraction) -> Fraction:
    """B = (1 - o/u) / (2 - v/u), o = reported - audited assorter: its mean is above 1/2 where the assertion holds.

    `reported` is the assorter of the ballot's record, or, where only totals of a batch were reported, the batch's mean
    (ONEAudit). It lies between 0 and 2 / (2 - v/u).
    """
    return (1 - (reported - audited) / upper) / (2 - margin / upper)


def _short(value: Fraction) -> Fraction:
    """The same, or a little less."""
    extra = value.denominator.bit_length() - LONG // 2
    if extra <= LONG // 2:
        return value
    return Fraction(value.numerator >> extra, (value.denominator >> extra) + 1)


def _eta(guess: Guess, seen: Fraction, number: int, mu: Fraction, upper: Fraction) -> Fraction:
    most = upper * (1 - Fraction(1, GRAIN))
    if guess.d is None:
        return max(min(guess.eta, most), mu)
    root = Fraction(isqrt((guess.d + number) * GRAIN * GRAIN), GRAIN)
    shrunk = (guess.d * guess.eta + seen) / (guess.d + number)
    rounded = Fraction(round(max(mu + guess.c / root, shrunk) * GRAIN), GRAIN)
    return max(min(rounded, most), mu)


def _not_negative(draws: Iterable[Fraction]) -> Iterator[Fraction]:
    for drawn in draws:
        if drawn < 0:
            raise ValueError(f"a draw is below zero: {drawn}")
        yield drawn


def _least(factors: Iterable[tuple[Fraction, Fraction]]) -> Fraction:
    product = least = Fraction(1)
    for above, below in factors:
        if below == 0:
            break
        product *= above / below
        least = min(least, product)
    return least
