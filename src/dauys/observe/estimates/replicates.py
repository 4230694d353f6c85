"""What is the variance of any figure, from the sample itself? Replicate weights: jackknife, balanced halves, bootstrap.

JK1 (no strata) and JKn (strata) leave one unit out at a time; BRR takes one of the two units of each stratum (McCarthy 1966);
the bootstrap of Rao and Wu (1988) draws n_h - 1 of n_h units with replacement and rescales. A naive bootstrap within strata
does not: it is wrong where strata have few stations. The draws are bytes of SHAKE-256 of the seed: the same on any machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dauys.errors import DauysError
from dauys.observe.estimates.design import Design, Floats, Ints

METHODS = ("jackknife", "brr", "bootstrap")


@dataclass(frozen=True, slots=True)
class Replicates:
    """`factors`: replicates x sampling units, what each unit's weights are multiplied by. `scales`: one for each replicate."""

    factors: Floats
    scales: Floats


def jackknife(design: Design) -> Replicates:
    """JKn; with one stratum it is JK1. The finite-population correction of the stratum is in the scales."""
    units, n = len(design.stratum), design.units.astype(np.float64)
    if (design.units < 2).any():
        raise DauysError("a stratum with one station cannot leave it out: join it with another")
    more = (n / (n - 1))[design.stratum]
    same = design.stratum[:, None] == design.stratum[None, :]
    factors = np.where(same, more[:, None], 1.0)
    factors[np.arange(units), np.arange(units)] = 0.0
    return Replicates(factors, (_left(design) * (n - 1) / n)[design.stratum])


def balanced(design: Design) -> Replicates:
    """BRR: every stratum has two units; one of them counts twice, by the columns of a Hadamard matrix. No correction."""
    if (design.units != 2).any():
        raise DauysError("balanced half-samples need two stations in each stratum")
    from scipy.linalg import hadamard

    strata = len(design.units)
    order = 1 << strata.bit_length()  # more than the strata: the column of ones is not used
    signs = hadamard(order)[:, 1 : strata + 1].astype(np.float64)
    first = np.zeros(len(design.stratum), dtype=bool)
    first[np.unique(design.stratum, return_index=True)[1]] = True
    factors = 1 + np.where(first, 1.0, -1.0) * signs[:, design.stratum]
    return Replicates(factors, np.full(order, 1 / order))


def bootstrap(design: Design, seed: str, replicates: int = 500) -> Replicates:
    """Rao and Wu's bootstrap with the finite-population correction in the factors."""
    if (design.units < 2).any():
        raise DauysError("a stratum with one station cannot be resampled: join it with another")
    n = design.units
    factors = np.empty((replicates, len(design.stratum)))
    for place, left in enumerate(_left(design)):
        members = np.flatnonzero(design.stratum == place)
        count = int(n[place])
        drawn = uniform(f"{seed},bootstrap,{place}", replicates * (count - 1), count).reshape(replicates, count - 1)
        times = np.zeros((replicates, count))
        np.add.at(times, (np.arange(replicates)[:, None], drawn), 1.0)
        shrink = np.sqrt(left)
        factors[:, members] = 1 - shrink + shrink * times * count / (count - 1)
    return Replicates(factors, np.full(replicates, 1 / replicates))


def replicate_variance(
    design: Design, made: Replicates, statistic: Callable[[Floats], Floats], around_mean: bool = False
) -> float:
    """The variance of a statistic. `statistic` takes weights (replicates x rows) and gives one value for each replicate.

    Differences are from the whole sample's value, or with `around_mean` from the mean of the replicates.
    """
    values = statistic(made.factors[:, design.unit] * design.weights)
    centre = values.mean() if around_mean else float(statistic(design.weights[None, :])[0])
    return float((made.scales * (values - centre) ** 2).sum())


def replicated(design: Design, method: str, seed: str) -> Replicates:
    """The replicates of a method by name. Raises DauysError for a design by size, or one that the method does not fit."""
    if design.pi is not None:
        raise DauysError("replicates are not for a draw by size: take brewer or hartley-rao")
    if method == "jackknife":
        return jackknife(design)
    return balanced(design) if method == "brr" else bootstrap(design, seed)


def ratio_of(y: Floats, x: Floats) -> Callable[[Floats], Floats]:
    """The statistic sum(w y) / sum(w x)."""

    def value(weights: Floats) -> Floats:
        found: Floats = (weights @ y) / (weights @ x)
        return found

    return value


def uniform(seed: str, count: int, below: int) -> Ints:
    """`count` whole numbers from 0 to below - 1 from SHAKE-256 of the seed: 8 bytes each, big endian, their remainder."""
    data = hashlib.shake_256(seed.encode()).digest(8 * count)
    return (np.frombuffer(data, dtype=">u8") % np.uint64(below)).astype(np.int64)


def _left(design: Design) -> Floats:
    if design.population is None:
        return np.ones(len(design.units))
    left: Floats = 1 - design.units / design.population
    return left
