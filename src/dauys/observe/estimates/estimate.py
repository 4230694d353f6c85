"""What do the sampled stations say of the whole, and how surely? Ratios, means and totals with their variance.

Combined ratio R = sum(w y) / sum(w x); its variance by linearisation (Taylor) from the weighted residuals (y - R x) / X_hat,
between sampling units within strata, with finite-population correction; t on (units - strata) degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dauys.errors import DauysError
from dauys.observe.estimates.design import Design, Floats
from dauys.observe.estimates.interval import interval
from dauys.observe.estimates.pps import pps_variance


@dataclass(frozen=True, slots=True)
class Pps:
    """Which variance a draw by size gets, and what it needs (pps.py)."""

    method: str = "brewer"
    joint: Floats | None = None
    constant: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its uncertainty. `ci` is (low, high) at `confidence` by `interval`; NaN where df is 0.

    `deff` compares with a simple random sample of as many stations; `deff_ballots` with one of as many ballots, drawn one by
    one: what stations cost. None where it has no meaning.
    """

    estimate: float
    se: float
    ci: tuple[float, float]
    df: int
    deff: float | None
    deff_ballots: float | None
    n: int
    method: str
    interval: str = "t"
    confidence: float = 0.95

    def to_json(self) -> dict[str, Any]:
        """Numbers that are not (no degree of freedom) are null."""
        return {
            "estimate": _number(self.estimate),
            "se": _number(self.se),
            "ci": [_number(self.ci[0]), _number(self.ci[1])],
            "df": self.df,
            "deff": _number(self.deff),
            "deff_ballots": _number(self.deff_ballots),
            "n": self.n,
            "method": self.method,
            "interval": self.interval,
            "confidence": self.confidence,
        }


def variance(design: Design, scores: Floats, pps: Pps | None = None) -> float:
    """The variance of sum(w z); `scores` are the z, one a row."""
    if design.pi is not None:
        return _pps(design, scores, pps or Pps())
    return float(_within(design, design.weights * scores).sum())


def total(design: Design, y: Floats, pps: Pps | None = None, kind: str = "t", confidence: float = 0.95) -> Estimate:
    """The total of y over the population."""
    found = float(design.weights @ y)
    spread = variance(design, y, pps)
    return _estimate(design, found, spread, _simple(design, y), None, f"total; {_by(design, pps)}", kind, confidence)


def ratio(
    design: Design,
    y: Floats,
    x: Floats | None = None,
    pps: Pps | None = None,
    kind: str = "t",
    confidence: float = 0.95,
) -> Estimate:
    """The combined ratio of y to x; without x the mean of y. Raises DauysError where x sums to 0."""
    base = np.ones(len(y)) if x is None else x
    whole = float(design.weights @ base)
    if whole == 0:
        raise DauysError("the denominator (x) is 0 in every station: there is no ratio")
    found = float(design.weights @ y) / whole
    scores = (y - found * base) / whole
    spread = variance(design, scores, pps)
    name = "mean" if x is None else "combined ratio"
    return _estimate(
        design, found, spread, _simple(design, scores), _ballots(design, y, x, found), f"{name}; {_by(design, pps)}",
        kind, confidence,
    )  # fmt: skip


def with_variance(found: Estimate, spread: float, name: str) -> Estimate:
    """The same estimate with the variance of another method, `name`."""
    se = math.sqrt(spread)
    ci = interval(found.interval, found.estimate, se, found.df, found.n, found.confidence)
    scale = spread / found.se**2 if found.se else math.nan
    deff, ballots = (None if old is None else old * scale for old in (found.deff, found.deff_ballots))
    method = f"{found.method.partition('; ')[0]}; {name}"
    return replace(found, se=se, ci=ci, deff=deff, deff_ballots=ballots, method=method)


def corrections(design: Design) -> Floats:
    """(1 - n_h/N_h) n_h / (n_h - 1) of each stratum; 0 for one unit, which is certain or taken whole."""
    n = design.units.astype(np.float64)
    left = np.ones(len(n)) if design.population is None else 1 - n / design.population
    return np.where(n > 1, left * n / np.maximum(n - 1, 1), 0.0)


def _within(design: Design, weighted: Floats) -> Floats:
    """Each stratum's part of the variance."""
    totals = np.bincount(design.unit, weights=weighted, minlength=len(design.stratum))
    means = np.bincount(design.stratum, weights=totals, minlength=len(design.units)) / design.units
    squares = (totals - means[design.stratum]) ** 2
    return corrections(design) * np.bincount(design.stratum, weights=squares, minlength=len(design.units))


def _pps(design: Design, scores: Floats, pps: Pps) -> float:
    assert design.pi is not None
    if len(design.unit) != len(design.stratum):
        raise DauysError("a draw by size of sampling units with several rows: sum up each unit first")
    found = 0.0
    for place in range(len(design.units)):
        rows = np.flatnonzero(design.stratum == place)
        joint = None if pps.joint is None else pps.joint[np.ix_(rows, rows)]
        part = pps_variance(pps.method, scores[rows] / design.pi[rows], design.pi[rows], joint, pps.constant)
        found += 0.0 if math.isnan(part) and design.names[place] in design.certain else part
    return found


def _by(design: Design, pps: Pps | None) -> str:
    if design.pi is not None:
        return f"variance for unequal probabilities ({(pps or Pps()).method})"
    corrected = "with" if design.population is not None else "without"
    return f"Taylor variance between stations {corrected} finite-population correction"


def _simple(design: Design, z: Floats) -> float:
    """The variance of the total of z in a simple sample of as many rows."""
    n, weights = len(z), design.weights
    size = float(weights.sum())
    if n < 2:
        return math.nan
    mean = float(weights @ z) / size
    spread = n / (n - 1) * float(weights @ (z - mean) ** 2) / size
    left = 1 - n / size
    return size * size * spread / n * (left if left > 0 else 1.0)


def _ballots(design: Design, y: Floats, x: Floats | None, share: float) -> float | None:
    """The variance of a share in a simple sample of as many ballots; None where y is not a part of x."""
    if x is None or (y > x).any() or (y < 0).any():
        return None
    ballots, whole = float(x.sum()), float(design.weights @ x)
    left = 1 - ballots / whole
    return share * (1 - share) / ballots * (left if left > 0 else 1.0)


def _estimate(
    design: Design, found: float, spread: float, simple: float, ballots: float | None, method: str, kind: str,
    confidence: float,
) -> Estimate:  # fmt: skip
    se = math.sqrt(spread) if spread >= 0 else math.nan
    ci = interval(kind, found, se, design.df, len(design), confidence)
    deff = spread / simple if simple > 0 else None
    return Estimate(
        found, se, ci, design.df, deff, spread / ballots if ballots else None, len(design), method, kind, confidence
    )


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def post_stratified(
    design: Design, groups: Sequence[str], known: Mapping[str, float], y: Floats, x: Floats | None = None, kind: str = "t",
    confidence: float = 0.95,
) -> Estimate:  # fmt: skip
    """The ratio of y to x, or without x the total of y, with the weights of each group raised to its known number of rows.

    The variance is that of the residuals from the groups' means. Raises DauysError for a group that is not known, or not seen.
    """
    labels = sorted(known)
    if set(groups) != set(labels):
        raise DauysError(f"groups: {', '.join(sorted(set(groups) ^ set(labels)))} is known or seen, but not both")
    code = np.fromiter(map(labels.index, groups), dtype=np.int64, count=len(groups))
    seen = np.bincount(code, weights=design.weights)
    grown = replace(design, weights=design.weights * (np.array([known[name] for name in labels]) / seen)[code])
    found = float(grown.weights @ y)
    scores = y
    if x is not None:
        whole = float(grown.weights @ x)
        found /= whole
        scores = (y - found * x) / whole
    means = np.bincount(code, weights=grown.weights * scores) / np.bincount(code, weights=grown.weights)
    residuals = scores - means[code]
    name = f"post-stratified {'total' if x is None else 'ratio'}; {_by(design, None)}"
    return _estimate(grown, found, variance(grown, residuals), _simple(grown, scores), None, name, kind, confidence)
