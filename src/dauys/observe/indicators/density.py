"""Are some fine shares more frequent than a smooth vote would make them? Resampled kernel density of the shares.

After Rozenas, "Detecting election fraud from irregularities in vote-share distributions", Political Analysis 25 (2017) 41:
the density of the shares on a grid of 1,001 points, bandwidth 1e-4, against resamples of a smooth vote. Where the
observed density is above every resample, the weight above their mean is added up. The article draws each station's chance from
a fitted mixture of betas; here it is drawn from the station's own beta (its votes + 1/2), which needs no fit and is smooth too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dauys.observe.indicators.counts import Floats, Ints

GRID, BANDWIDTH = 1000, 1e-4
RESAMPLES, SEED = 100, 1
SMALLEST = 100


@dataclass(frozen=True, slots=True)
class Density:
    """`percent`: the part of stations, in percent, above what a smooth vote makes; `spikes`: the shares (thousandths) where."""

    stations: int
    resamples: int
    seed: int
    percent: float
    spikes: tuple[int, ...]


def resampled(part: Ints, base: Ints, resamples: int = RESAMPLES, seed: int = SEED) -> Density:
    """Of the stations with a base of 100 and more."""
    kept = base >= SMALLEST
    part, base = part[kept], base[kept]
    if not len(base):
        return Density(0, resamples, seed, 0.0, ())
    observed = _weights(part / base)
    stream = np.random.Generator(np.random.PCG64(seed))
    total, highest = np.zeros(GRID + 1), np.zeros(GRID + 1)
    for _ in range(resamples):
        chance = stream.beta(part + 0.5, base - part + 0.5)
        drawn = _weights(stream.binomial(base, chance) / base)
        total += drawn
        highest = np.maximum(highest, drawn)
    above = observed > highest
    over = np.maximum(observed - total / resamples, 0)[above].sum()
    return Density(len(base), resamples, seed, 100 * float(over), tuple(np.flatnonzero(above).tolist()))


def _weights(shares: Floats) -> Floats:
    """The part of the stations at each point of the grid, under a normal kernel: one as wide as 1e-4 reaches no second point."""
    near = np.rint(shares * GRID)
    kernel = np.exp(-0.5 * ((shares - near / GRID) / BANDWIDTH) ** 2)
    weights: Floats = np.bincount(near.astype(np.int64), kernel, GRID + 1) / len(shares)
    return weights
