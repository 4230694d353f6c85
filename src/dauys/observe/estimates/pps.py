"""What is the variance of a total from stations drawn with unequal probabilities? Six answers, from rough to exact.

y_i = z_i / pi_i. With replacement (Hansen and Hurwitz 1943); Brewer (2002); and with D_ij in place of 1 - pi_i pi_j / pi_ij:
Hartley and Rao (1962), Overton (1985), or the joint probabilities themselves in the forms of Horvitz and Thompson (1952) and
of Yates and Grundy (1953). Stations drawn with certainty add nothing; they are left out of the sums.
"""

from __future__ import annotations

import numpy as np

from dauys.errors import DauysError
from dauys.observe.estimates.design import Floats

METHODS = ("wr", "brewer", "hartley-rao", "overton", "ht", "yg")
JOINT = ("ht", "yg")
"""Methods that need the joint probabilities."""


def pps_variance(
    method: str, y: Floats, pi: Floats, joint: Floats | None = None, constant: float | None = None
) -> float:
    """The variance of sum(y), y = z / pi, of one stratum's stations. Units: those of z, squared.

    `joint` is the n x n matrix of pi_ij with pi_i on its diagonal. `constant` is sum(pi**2)/n over the population of a draw of
    fixed size: known from the frame; without it the sample's own sum(pi)/n stands for it. Raises DauysError for what is missing.
    """
    if method not in METHODS:
        raise DauysError(f"no such variance: {method}; there are {', '.join(METHODS)}")
    if method in JOINT:
        if joint is None:
            raise DauysError(f"the variance {method} needs the joint probabilities of all pairs")
        return _pairs(method, y, pi, 1 - np.outer(pi, pi) / joint)
    chance = pi < 1
    y, pi = y[chance], pi[chance]
    n = len(y)
    if n == 0:
        return 0.0
    if n == 1:
        return float("nan")
    if method in ("wr", "brewer"):
        left = 1 - pi if method == "brewer" else np.ones(n)
        return float(n / (n - 1) * (left * (y - y.mean()) ** 2).sum())
    both = pi[:, None] + pi[None, :]
    if method == "hartley-rao":
        known = float(pi.sum()) / n if constant is None else constant
        return _pairs(method, y, pi, 1 - (n - both + known) / (n - 1))
    return _pairs(method, y, pi, 1 - (n - both / 2) / (n - 1))


def _pairs(method: str, y: Floats, pi: Floats, d: Floats) -> float:
    if method == "yg":
        return float(-0.5 * (d * (y[:, None] - y[None, :]) ** 2).sum())
    off = d.copy()
    np.fill_diagonal(off, 0.0)
    return float(((1 - pi) * y * y).sum() + y @ off @ y)
