"""Are the last and the second digits those of chance? Informational only: no alert comes from digits alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from dauys.observe.indicators.counts import Floats, Ints

SECOND: Floats = np.array([sum(np.log10(1 + 1 / (10 * k + d)) for k in range(1, 10)) for d in range(10)])
"""Benford's law for the second digit."""
SECOND_FROM, LAST_FROM = 10, 100


@dataclass(frozen=True, slots=True)
class Digits:
    """One test: how many counts, how often each digit 0 to 9, their mean, chi-square (9 degrees of freedom) and its P-value."""

    n: int
    found: tuple[int, ...]
    mean: float
    expected_mean: float
    chi2: float
    p_value: float


def second_digits(counts: Ints) -> Digits:
    """Of counts of 10 and more, against Benford's law."""
    values = counts[counts >= SECOND_FROM]
    while (values >= 100).any():
        values = np.where(values >= 100, values // 10, values)
    return _test(values % 10, SECOND)


def last_digits(counts: Ints) -> Digits:
    """Of counts of 100 and more, against equal chances."""
    return _test(counts[counts >= LAST_FROM] % 10, np.full(10, 0.1))


def _test(digits: Ints, chances: Floats) -> Digits:
    found = np.bincount(digits, minlength=10)
    n = len(digits)
    wanted = float(chances @ np.arange(10))
    if not n:
        return Digits(0, tuple(found.tolist()), 0.0, wanted, 0.0, 1.0)
    statistic = float(((found - n * chances) ** 2 / (n * chances)).sum())
    return Digits(n, tuple(found.tolist()), float(digits.mean()), wanted, statistic, float(chdtrc(9, statistic)))
