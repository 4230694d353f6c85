"""Between which values does an estimate leave the true one? Intervals by t, logit, likelihood, arcsine and beta.

Beta is that of Korn and Graubard (1998); likelihood is the likelihood ratio scaled by the design's variance (Rao and Scott 1984).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from dauys.errors import DauysError

KINDS = ("t", "logit", "likelihood", "asin", "beta")


def normal_quantile(p: float) -> float:
    """The p-quantile of the normal distribution."""
    from scipy.special import ndtri  # here: commands start fast

    return float(ndtri(p))


def t_quantile(p: float, df: float) -> float:
    """The p-quantile of Student's t; infinite `df` is the normal's. NaN where there is no degree of freedom."""
    if math.isinf(df):
        return normal_quantile(p)
    if df <= 0:
        return math.nan
    from scipy.special import stdtrit

    return float(stdtrit(df, p))


def t_below(x: float, df: float) -> float:
    """The probability that Student's t is below x."""
    if math.isinf(df):
        from scipy.special import ndtr

        return float(ndtr(x))
    from scipy.special import stdtr

    return float(stdtr(df, x))


def interval(kind: str, estimate: float, se: float, df: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """(low, high). `n` is the number of rows, which beta and likelihood need. NaN where df is 0.

    logit: R ± t se/(R(1-R)) on the logit. asin: on the arcsine of the root. beta: Clopper-Pearson at the effective size
    R(1-R)/se**2 (t(n-1)/t(df))**2. likelihood: where the deviance of p, scaled to the same size, reaches t**2. These four are for
    shares; at 0 and 1 exactly, or with no spread at all, they are the point.
    """
    if kind not in KINDS:
        raise DauysError(f"no such interval: {kind}; there are {', '.join(KINDS)}")
    p = (1 + confidence) / 2
    t = t_quantile(p, df)
    if kind == "t":
        return estimate - t * se, estimate + t * se
    if not 0 <= estimate <= 1:
        raise DauysError(f"an interval by {kind} is for a share from 0 to 1, and the estimate is {estimate:g}: take t")
    if se == 0 or estimate in (0, 1):
        return estimate, estimate
    if kind == "beta":
        return _beta(estimate, se, t_quantile(p, n - 1) / t, p)
    slope = estimate * (1 - estimate)
    if kind == "likelihood" and not math.isnan(t * se):
        return _likelihood(estimate, t * t * se * se / slope * n / (2 * (n - 1)))
    forward: Callable[[float], float]
    if kind == "logit":
        forward, width = _expit, t * se / slope
        centre = math.log(estimate / (1 - estimate))
    else:
        forward, width = _sin2, t * se / (2 * math.sqrt(slope))
        centre = math.asin(math.sqrt(estimate))
    return forward(centre - width), forward(centre + width)


def _beta(estimate: float, se: float, ratio: float, p: float) -> tuple[float, float]:
    from scipy.special import betaincinv

    size = estimate * (1 - estimate) / (se * se) * ratio * ratio
    yes, no = size * estimate, size * (1 - estimate)
    return float(betaincinv(yes, no + 1, 1 - p)), float(betaincinv(yes + 1, no, p))


def _likelihood(estimate: float, most: float) -> tuple[float, float]:
    """Where the divergence R ln(R/p) + (1-R) ln((1-R)/(1-p)) is `most`, below and above R: halved as far as floats go."""

    def divergence(p: float) -> float:
        return estimate * math.log(estimate / p) + (1 - estimate) * math.log((1 - estimate) / (1 - p))

    ends = []
    for far in (0.0, 1.0):
        near = estimate
        while far != (middle := (near + far) / 2) != near:
            near, far = (middle, far) if 0 < middle < 1 and divergence(middle) < most else (near, middle)
        ends.append(near)
    return ends[0], ends[1]


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _sin2(x: float) -> float:
    return math.sin(min(max(x, 0.0), math.pi / 2)) ** 2
