"""Are there more stations at whole percentages than chance makes?

Kobak, Shpilkin and Pshenichnikov, "Integer percentages as electoral falsification fingerprints", Annals of Applied Statistics
10 (2016) 54: stations whose turnout or share lies within 0.05 point of a whole number are counted. The null: in each
station the ballots are drawn anew, with the chance that was observed there (binomial). The article draws 1,000 times;
here the mean, the spread and the chance of so many under the same null are computed, without a draw (`chances`), and the
article's own draws can be repeated to the digit (`dauys.observe.indicators.redraws`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from dauys.observe.indicators.counts import Bools, Counts, Floats, Ints

KINDS = ("either", "share", "turnout")
SMALLEST, HIGHEST = 100, 99
"""Stations with fewer voters, or with turnout or share above so many percent, are left out."""
QUANTILE = 0.999
SIGMAS = 10
"""Beyond so many standard deviations a binomial chance is nothing beside the rounding of the others."""
NOTHING = 1e-60
GROUP = 32


@dataclass(frozen=True, slots=True)
class Excess:
    """Stations at whole percentages: observed, expected under the null, its standard deviation, the excess, the 99.9th
    percentile of the null less its mean, and the chance of so many or more (at least 1e-60)."""

    observed: int
    expected: float
    sd: float
    excess: float
    limit: float
    p_value: float

    @property
    def above(self) -> bool:
        """Above the 99.9th percentile of the null."""
        return self.excess > self.limit


@dataclass(frozen=True, slots=True)
class Chances:
    """For every station: whether it is at a whole percentage, and how likely that is under the null, by kind."""

    hits: Mapping[str, Bools]
    chances: Mapping[str, Floats]

    def excess(self, kind: str, chosen: Bools | None = None) -> Excess:
        """The test over all stations, or over some."""
        hits, chances = self.hits[kind], self.chances[kind]
        if chosen is not None:
            hits, chances = hits[chosen], chances[chosen]
        first, weights = poisson_binomial(chances)
        observed, expected = int(hits.sum()), float(chances.sum())
        quantile = first + int(np.searchsorted(np.cumsum(weights), QUANTILE))
        tail = float(weights[max(0, observed - first) :].sum())
        return Excess(
            observed,
            expected,
            float(np.sqrt((chances * (1 - chances)).sum())),
            observed - expected,
            quantile - expected,
            min(1.0, max(tail, NOTHING)),
        )


def usable(counts: Counts) -> Counts:
    """The stations that the test looks at. Without `registered` and `issued` only shares are tested."""
    cast, yes = counts["cast"], counts["yes"]
    chosen = (cast > 0) & (100 * yes <= HIGHEST * cast)
    if counts.has("registered", "issued"):
        voters, issued = counts["registered"], counts["issued"]
        chosen &= (voters >= SMALLEST) & (100 * issued <= HIGHEST * voters)
    else:
        chosen &= cast >= SMALLEST
    return counts.where(chosen)


def whole(part: Ints, base: Ints) -> Bools:
    """100 part / base lies within 0.05 of a whole number, in whole numbers."""
    rest = 100 * part % base
    found: Bools = 20 * np.minimum(rest, base - rest) <= base
    return found


def chances(counts: Counts) -> Chances:
    """The test's terms for the stations of `usable`."""
    hits = {"share": whole(counts["yes"], counts["cast"])}
    likely = {"share": chance(counts["yes"], counts["cast"])}
    if counts.has("registered", "issued"):
        hits["turnout"] = whole(counts["issued"], counts["registered"])
        likely["turnout"] = chance(counts["issued"], counts["registered"])
        hits["either"] = hits["share"] | hits["turnout"]
        likely["either"] = 1 - (1 - likely["share"]) * (1 - likely["turnout"])
    return Chances(hits, likely)


def chance(part: Ints, base: Ints) -> Floats:
    """The chance that a binomial draw (base, part/base) is at a whole percentage: its terms at those counts, summed.

    The counts near k % are ceil(base (20k - 1)/2000) to floor(base (20k + 1)/2000): few, whatever the base.
    """
    factorial = gammaln(np.arange(int(base.max(initial=0)) + 2) + 1.0)
    p = part / base
    wide = SIGMAS * np.sqrt(p * (1 - p) / base) * 100 + 1
    found = np.zeros(len(base))
    for percent in range(101):
        near = np.flatnonzero(np.abs(100 * p - percent) <= wide)
        if not len(near):
            continue
        n, q = base[near], p[near]
        last = np.minimum((n * (20 * percent + 1)) // 2000, n)
        k = np.maximum(-((-n * (20 * percent - 1)) // 2000), 0)
        while True:
            left = k <= last
            if not left.any():
                break
            near, n, q, k, last = near[left], n[left], q[left], k[left], last[left]
            found[near] += np.exp(factorial[n] - factorial[k] - factorial[n - k] + xlogy(k, q) + xlog1py(n - k, -q))
            k = k + 1
    return np.minimum(found, 1.0)


def poisson_binomial(chances: Floats) -> tuple[int, Floats]:
    """The distribution of the number of successes: its first number, and the chances from there on.

    Halves are convolved, term by term, so that no small chance is lost; terms below 1e-60 are cut off at both ends.
    """
    parts = [_cut(0, row) for row in _small(chances)]
    while len(parts) > 1:
        joined = [_join(parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2)]
        parts = joined + parts[len(joined) * 2 :]
    return parts[0]


def _small(chances: Floats) -> Floats:
    """The distributions of groups of 32, a row each; the last group is filled up with what never happens."""
    rows = np.zeros((-(-max(1, len(chances)) // GROUP) * GROUP, 2))
    rows[: len(chances), 1] = chances
    rows[:, 0] = 1 - rows[:, 1]
    while rows.shape[1] <= GROUP:
        left, right, size = rows[::2], rows[1::2], rows.shape[1]
        rows = np.zeros((len(left), 2 * size - 1))
        for successes in range(size):
            rows[:, successes : successes + size] += left[:, successes : successes + 1] * right
    return rows


def _join(left: tuple[int, Floats], right: tuple[int, Floats]) -> tuple[int, Floats]:
    return _cut(left[0] + right[0], np.convolve(left[1], right[1]))


def _cut(first: int, weights: Floats) -> tuple[int, Floats]:
    kept = np.flatnonzero(weights > NOTHING)
    return first + int(kept[0]), weights[kept[0] : kept[-1] + 1]
