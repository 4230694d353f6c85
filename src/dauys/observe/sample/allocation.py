"""How many stations does each stratum get? Whole numbers alone decide: the same counts on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

from dauys.errors import DauysError

LEAST = 2
"""Stations for each stratum: one alone tells nothing of the differences inside it."""

_SCALE = 1 << 32


def shared(n: int, sizes: Sequence[int], shares: Sequence[int], least: int = LEAST) -> list[int]:
    """n stations in all, divided in proportion to `shares`; at least `least` and at most all in each stratum.

    `sizes` are the stations of each stratum. Who would get less than the least gets the least, who would get more than there
    are gets all; the others divide what is left, by largest remainders, ties to the first. Raises DauysError where n cannot
    be divided so.
    """
    low = [min(least, size) for size in sizes]
    if n < sum(low):
        message = f"{n} stations are too few: with at least {least} in each of {len(sizes)} strata it takes {sum(low)}"
        raise DauysError(f"{message}. Draw more, or join strata")
    if n > sum(sizes):
        raise DauysError(f"{n} stations cannot be drawn from {sum(sizes)}")
    found = list(low)
    open_ = [place for place, size in enumerate(sizes) if size > low[place]]
    while open_:
        left = n - (sum(found) - sum(found[place] for place in open_))
        parts = _largest_remainders(left, [shares[place] for place in open_])
        below = [place for place, part in zip(open_, parts, strict=True) if part < low[place]]
        above = [place for place, part in zip(open_, parts, strict=True) if part > sizes[place]]
        if not below and not above:
            for place, part in zip(open_, parts, strict=True):
                found[place] = part
            break
        # Settle one side at a time, as what is settled changes what is left: the side whose excess is larger.
        short = sum(low[place] - part for place, part in zip(open_, parts, strict=True) if part < low[place])
        over = sum(part - sizes[place] for place, part in zip(open_, parts, strict=True) if part > sizes[place])
        settled = below if short >= over else above
        for place in settled:
            found[place] = low[place] if settled is below else sizes[place]
        open_ = [place for place in open_ if place not in set(settled)]
    return found


def _largest_remainders(n: int, shares: Sequence[int]) -> list[int]:
    total = sum(shares)
    if total == 0:  # nothing to go by: even parts
        shares, total = [1] * len(shares), len(shares)
    found = [n * share // total for share in shares]
    order = sorted(range(len(shares)), key=lambda place: (-(n * shares[place] % total), place))
    for place in order[: n - sum(found)]:
        found[place] += 1
    return found


def proportional(sizes: Sequence[int]) -> list[int]:
    """Shares as the strata are large: n_h ~ N_h."""
    return list(sizes)


def neyman(sizes: Sequence[int], variances: Sequence[Fraction]) -> list[int]:
    """Shares for the smallest variance of the national figure: n_h ~ N_h S_h (Neyman 1934). `variances` are the S_h**2."""
    return [_root(size * size * variance) for size, variance in zip(sizes, variances, strict=True)]


def power(sizes: Sequence[int], exponent: Fraction, variances: Sequence[Fraction] | None = None) -> list[int]:
    """Shares for figures of every region: n_h ~ N_h**exponent S_h (Bankier 1988), with S_h alike where none are given.

    An exponent of 1 is the national figure's (Neyman's, or proportional), one near 0 gives small regions as much as large ones.
    """
    if not 0 < exponent <= 1:
        raise DauysError(f"the exponent of a power allocation is more than 0 and at most 1, not {exponent}")
    found = []
    for place, size in enumerate(sizes):
        # N**(p/q) S = (N**2p S**2q)**(1/2q), as a whole number of 2**-32
        p, q = exponent.numerator, exponent.denominator
        variance = Fraction(1) if variances is None else variances[place]
        radicand = Fraction(size) ** (2 * p) * variance**q * _SCALE ** (2 * q)
        found.append(_nth_root(int(radicand), 2 * q))
    return found


def _root(square: Fraction) -> int:
    """The square root as a whole number of 2**-32, rounded down."""
    return isqrt(int(square * _SCALE * _SCALE))


def _nth_root(value: int, n: int) -> int:
    """The largest whole number whose n-th power is at most the value."""
    low, high = 0, 1 << (value.bit_length() // n + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**n <= value else (low, middle)
    return low
