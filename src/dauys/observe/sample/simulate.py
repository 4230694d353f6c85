"""Does the interval hold what it promises? Thousands of samples from a past vote, whose result is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dauys.errors import DauysError
from dauys.observe.estimates.design import Floats, Ints
from dauys.observe.estimates.interval import t_quantile
from dauys.observe.estimates.replicates import uniform
from dauys.observe.sample.frame import Frame

BLOCK = 250
"""Samples drawn at a time: their marks (one byte for each station and sample) stay in a few tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """Of `samples` samples of n stations: the share of intervals that held the `true` share (`coverage`), and their mean width.

    `se` is the standard deviation of the estimates, `mean_se` what the formula said on average. Shares are from 0 to 1.
    """

    samples: int
    n: int
    true: float
    coverage: float
    mean_width: float
    se: float
    mean_se: float
    bias: float

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def simulate(
    frame: Frame, strata: Sequence[Sequence[int]], counts: Sequence[int], seed: str, samples: int = 2000,
    confidence: float = 0.95,
) -> Simulated:  # fmt: skip
    """Draws `counts[h]` of the places in `strata[h]` again and again, and holds each interval against the vote itself.

    The draws are bytes of SHAKE-256 of the seed: the same numbers on any machine. Raises DauysError without a past vote.
    """
    if frame.parts is None or frame.wholes is None:
        raise DauysError("a simulation is on a past vote: name its columns with --y and --x")
    if min(counts) < 2:
        raise DauysError("each stratum needs two stations for a variance")
    members = [np.asarray(places, dtype=np.int64) for places in strata]
    inside = np.concatenate(members)
    true = float(frame.parts[inside].sum() / frame.wholes[inside].sum())
    sizes, n = np.array([len(places) for places in members]), np.asarray(counts, dtype=np.int64)
    found, errors = np.empty(samples), np.empty(samples)
    for first in range(0, samples, BLOCK):
        many = min(BLOCK, samples - first)
        drawn = np.concatenate(
            [
                places[without_replacement(f"{seed},{first},{h}", many, len(places), int(n[h]))]
                for h, places in enumerate(members)
            ],
            axis=1,
        )
        block = slice(first, first + many)
        found[block], errors[block] = _ratios(frame.parts[drawn], frame.wholes[drawn], sizes, n)
    t = t_quantile((1 + confidence) / 2, int(n.sum()) - len(n))
    held = np.abs(found - true) <= t * errors
    return Simulated(
        samples, int(n.sum()), true, float(held.mean()), float(2 * t * errors.mean()), float(found.std(ddof=1)),
        float(errors.mean()), float(found.mean() - true),
    )  # fmt: skip


def without_replacement(seed: str, samples: int, population: int, n: int) -> Ints:
    """`samples` simple samples of n of `population`, each a row of distinct places: Floyd's algorithm, all samples a step."""
    marked = np.zeros((samples, population), dtype=bool)
    row = np.arange(samples)
    found = np.empty((samples, n), dtype=np.int64)
    data = uniform(seed, samples * n, 1 << 62).reshape(n, samples)
    for step in range(n):
        last = population - n + step
        place = data[step] % (last + 1)
        place = np.where(marked[row, place], last, place)
        marked[row, place] = True
        found[:, step] = place
    return found


def _ratios(y: Ints, x: Ints, sizes: Ints, n: Ints) -> tuple[Floats, Floats]:
    """The combined ratio and its standard error of each row of a matrix whose columns are the strata one after the other."""
    begins = np.concatenate(([0], np.cumsum(n)[:-1]))
    weight = np.repeat(sizes / n, n)
    whole = x @ weight
    share = (y @ weight) / whole
    residuals = y - share[:, None] * x
    sums = np.add.reduceat(residuals, begins, axis=1)
    squares = np.add.reduceat(residuals * residuals, begins, axis=1)
    scale = sizes * sizes * (1 - n / sizes) / (n * (n - 1))
    variance = ((squares - sums * sums / n) * scale).sum(axis=1)
    return share, np.sqrt(variance) / whole
