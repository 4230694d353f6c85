"""Which part of the stations does a model of moved votes need to explain the fingerprint? An indicator: never a verdict.

Klimek, Yegorov, Hanel and Thurner, "Statistical detection of systematic election irregularities", PNAS 109 (2012) 16469.
Turnout and share are normal over stations. With probability f_i a part x of those who did not vote, and x**alpha of the
opponents' votes, is moved to the option (incremental; x half-normal); with probability f_e nearly all of it (extreme; 1 - x
half-normal, 0.075).

The article draws its model; here each part's fingerprint is computed at the quantiles of its normals, so that there is no seed:
for given widths and alpha the fingerprint is linear in f_i and f_e (least squares within f >= 0, f_i + f_e <= 1), and the rest is
found by the simplex of Nelder and Mead from a start that the data give. What is fitted is the fingerprint of stations in
squares of 4 points; the article fits the winner's histogram.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from dauys.observe.indicators.counts import Counts, Floats

SMALLEST = 100
SIDE = 25
"""Squares on a side of the fingerprint that is fitted: 4 points each."""
NODES = 24
EXTREME = 0.075
LEAST = 200
"""Stations without which nothing is fitted."""
STEPS = 400
MOST_MISFIT = 0.25
"""Votes made by the model leave 0.04, the control election 0.14; Russia 2020 leaves 0.34, and there f_i moves from 0.4 to 0.85
with the bounds of the search: towns and villages are no single normal."""
_BOUNDS = ((0.02, 0.98), (0.02, 0.3), (0.02, 0.98), (0.02, 0.3), (0.02, 0.5), (0.3, 6.0))


@dataclass(frozen=True, slots=True)
class Fit:
    """`incremental` and `extreme`: parts of the stations (f_i, f_e). `turnout`, `share`: mean and standard deviation of the rest.

    `width` is the standard deviation of x, `alpha` its power for the opponents' votes. `misfit`: half the sum of the absolute
    differences of the two fingerprints, the part of the stations that the model cannot place.
    """

    stations: int
    incremental: float
    extreme: float
    turnout: tuple[float, float]
    share: tuple[float, float]
    width: float
    alpha: float
    misfit: float

    @property
    def fits(self) -> bool:
        """Whether the model describes this vote at all; where it does not, its parts mean nothing."""
        return self.misfit <= MOST_MISFIT


def fit(counts: Counts) -> Fit | None:
    """From registered, cast and yes, over stations of 100 voters and more; None with fewer than 200 of them."""
    from scipy.optimize import minimize

    voters, cast = counts["registered"], counts["cast"]
    kept = counts.where((voters >= SMALLEST) & (cast > 0) & (cast <= voters))
    if len(kept) < LEAST:
        return None
    turnout, share = kept["cast"] / kept["registered"], kept["yes"] / kept["cast"]
    observed = _print(turnout, share) / len(kept)
    start = np.array([*_mode(turnout), *_mode(share), 0.15, 1.5])
    step = np.diag([0.05, 0.02, 0.05, 0.02, 0.1, 0.7])
    options = {"maxfev": STEPS, "initial_simplex": np.vstack([start, start + step]), "xatol": 1e-4, "fatol": 1e-12}
    found = minimize(lambda point: _solve(observed, point)[0], start, method="Nelder-Mead", options=options)
    _, parts, whole = _solve(observed, found.x)
    best = _inside(found.x)
    return Fit(
        len(kept), float(parts[0]), float(parts[1]), (float(best[0]), float(best[1])), (float(best[2]), float(best[3])),
        float(best[4]), float(best[5]), float(np.abs(observed - whole).sum() / 2),
    )  # fmt: skip


def components(
    turnout: tuple[float, float], share: tuple[float, float], width: float, alpha: float
) -> tuple[Floats, ...]:
    """The fingerprints of stations without moved votes, with some, and with nearly all: each sums to 1."""
    quantiles = ndtri((np.arange(NODES) + 0.5) / NODES)
    half = ndtri(0.5 + (np.arange(NODES) + 0.5) / (2 * NODES))
    t, s, x = np.meshgrid(
        np.clip(turnout[0] + turnout[1] * quantiles, 0.005, 0.995), np.clip(share[0] + share[1] * quantiles, 0.0, 1.0), half,
        indexing="ij",
    )  # fmt: skip
    clean = np.outer(_pieces(*turnout), _pieces(*share))
    some = _moved(t, s, np.clip(width * x, 0.0, 1.0), alpha)
    most = _moved(t, s, np.clip(1 - EXTREME * x, 0.0, 1.0), alpha)
    return clean, some, most


def _moved(t: Floats, s: Floats, x: Floats, alpha: float) -> Floats:
    after = t + x * (1 - t)
    won = t * s + x * (1 - t) + x**alpha * t * (1 - s)
    found = _print(after.ravel(), (won / after).ravel())
    whole: Floats = found / found.sum()
    return whole


def _print(turnout: Floats, share: Floats) -> Floats:
    """Stations in squares of turnout and share; 100 % belongs to the last."""
    row, column = (np.minimum((SIDE * values).astype(np.int64), SIDE - 1) for values in (turnout, share))
    return np.bincount(row * SIDE + column, minlength=SIDE * SIDE).reshape(SIDE, SIDE).astype(np.float64)


def _pieces(mean: float, sd: float) -> Floats:
    """How much of a normal lies in each of the pieces from 0 to 1; what lies outside is in the first and the last."""
    edges = ndtr((np.arange(1, SIDE) / SIDE - mean) / sd)
    found: Floats = np.diff(np.concatenate(([0.0], edges, [1.0])))
    return found


def _mode(values: Floats) -> tuple[float, float]:
    """Where most stations are, and the spread on its left: what is moved is moved to the right (as in the article)."""
    pieces = np.bincount(np.minimum((SIDE * values).astype(np.int64), SIDE - 1), minlength=SIDE)
    mode = (int(pieces[: SIDE - 1].argmax()) + 0.5) / SIDE
    left = values[values <= mode]
    return mode, float(np.sqrt(np.mean((left - mode) ** 2))) if len(left) else 0.1


def _inside(point: Floats) -> Floats:
    low, high = np.array(_BOUNDS).T
    found: Floats = np.clip(point, low, high)
    return found


def _solve(observed: Floats, point: Floats) -> tuple[float, Floats, Floats]:
    """(squared distance, (f_i, f_e), the model's fingerprint) at the best f_i and f_e; a point outside the bounds costs."""
    best = _inside(point)
    clean, some, most = components((best[0], best[1]), (best[2], best[3]), best[4], best[5])
    ways = np.stack([(some - clean).ravel(), (most - clean).ravel()], axis=1)
    rest = (observed - clean).ravel()
    parts = _triangle(ways.T @ ways, ways.T @ rest)
    whole = clean + (ways @ parts).reshape(clean.shape)
    return float(((observed - whole) ** 2).sum() + np.abs(point - best).sum()), parts, whole


def _triangle(square: Floats, right: Floats) -> Floats:
    """The least of f A f / 2 - b f over f >= 0, f_1 + f_2 <= 1: inside, or on one of the three edges."""
    candidates = []
    (first, mixed), (_, second) = square  # numpy's own determinant divides by a pivot that may be zero
    if abs(whole := first * second - mixed * mixed) > 1e-15:
        inner = np.array([second * right[0] - mixed * right[1], first * right[1] - mixed * right[0]]) / whole
        if inner.min() >= 0 and inner.sum() <= 1:
            return np.asarray(inner, dtype=np.float64)
    for begin, end in (((0, 0), (1, 0)), ((0, 0), (0, 1)), ((1, 0), (0, 1))):
        a, way = np.array(begin, dtype=np.float64), np.array(end, dtype=np.float64) - np.array(begin)
        curve = way @ square @ way
        place = 0.0 if curve <= 0 else min(max(way @ (right - square @ a) / curve, 0.0), 1.0)
        candidates.append(a + place * way)
    return min(candidates, key=lambda f: float(f @ square @ f / 2 - right @ f))
