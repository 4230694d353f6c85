"""What do the article's own thousand draws give? The integer test repeated with its generator, to the last digit.

NumPy's legacy generator (MT19937, `RandomState(42)`); stations in the order of the file; for each station first all draws of
the ballots for the option, binomial(cast, yes/cast), then all of the ballots issued, binomial(registered, issued/registered);
a draw is at a whole percentage where |100 a/n - round(100 a/n)| <= 0.05 in floating point, which differs from whole
numbers in a few ties. So Kobak's 3675.201 for Russia 2020 comes out. The stream of a `RandomState` is frozen (NEP 19).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dauys.observe.indicators.counts import Bools, Counts, Ints
from dauys.observe.indicators.integers import KINDS, whole

SEED, DRAWS = 42, 1000
BLOCK = 64
"""Stations drawn in one call: what they need stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Redrawn:
    """Of one kind: observed, mean and standard deviation (divisor n) of the draws, the excess over the mean, and the 99.9th
    percentile less the mean."""

    observed: int
    mean: float
    sd: float
    excess: float
    limit: float


def redraw(counts: Counts, draws: int = DRAWS, seed: int = SEED) -> dict[str, Redrawn]:
    """For the stations of `integers.usable`, with registered and issued; by kind."""
    voters, issued, cast, yes = counts["registered"], counts["issued"], counts["cast"], counts["yes"]
    bases = np.stack([cast, voters], axis=1).reshape(-1)
    likely = np.stack([yes / cast, issued / voters], axis=1).reshape(-1)
    stream = np.random.RandomState(seed)
    found = {kind: np.zeros(draws, dtype=np.int64) for kind in KINDS}
    for start in range(0, len(bases), 2 * BLOCK):
        base, chance = bases[start : start + 2 * BLOCK], likely[start : start + 2 * BLOCK]
        drawn = stream.binomial(base[:, None], chance[:, None], (len(base), draws))
        hit = np.stack([_at_whole(int(n))[row] for n, row in zip(base, drawn, strict=True)])
        found["share"] += hit[::2].sum(axis=0)
        found["turnout"] += hit[1::2].sum(axis=0)
        found["either"] += (hit[::2] | hit[1::2]).sum(axis=0)
    share, turnout = whole(yes, cast), whole(issued, voters)
    seen = {"either": share | turnout, "share": share, "turnout": turnout}
    return {kind: _of(int(seen[kind].sum()), found[kind]) for kind in KINDS}


def _of(observed: int, drawn: Ints) -> Redrawn:
    mean, total = float(drawn.mean()), int(drawn.sum())
    excess = (observed * len(drawn) - total) / len(drawn)  # divided once: 3675.201, not the nearest sum of two floats
    return Redrawn(observed, mean, float(drawn.std()), excess, float(np.percentile(drawn, 99.9)) - mean)


@lru_cache(maxsize=20_000)
def _at_whole(base: int) -> Bools:
    """For each count 0 to `base`: whether it is at a whole percentage, in the article's floating point."""
    percent = 100 * np.arange(base + 1) / base
    found: Bools = np.abs(percent - np.round(percent)) <= 0.05
    return found
