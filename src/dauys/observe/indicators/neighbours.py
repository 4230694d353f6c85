"""Which stations are far from their neighbours, or from what their own past says? Plausibility, not proof.

Double MAD: the distance from the median in units of the median absolute deviation, left and right of it apart, so that a
lopsided distribution does not make one tail unusual (Statistik Zürich uses it for incoming results).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dauys.observe.indicators.counts import Bools, Counts, Floats

FAR = 5.0
"""Deviations (1.4826 MAD is one standard deviation of a normal distribution) beyond which a station is listed."""
LEAST_GROUP, LEAST_CAST = 8, 50
NORMAL = 1.4826
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Outlier:
    """A station (row from 1) with its share, what was to be expected, and how many deviations lie between."""

    row: int
    share: float
    expected: float
    deviations: float


@dataclass(frozen=True, slots=True)
class Plausibility:
    """`stations` looked at, how many lie `far` out, the farthest of them; for history the fitted line and R squared."""

    stations: int
    far: int
    outliers: tuple[Outlier, ...]
    slope: float | None = None
    intercept: float | None = None
    r_squared: float | None = None


def double_mad(values: Floats) -> Floats:
    """Signed deviations from the median, each side by its own MAD; 0 where that MAD is 0 and the value is the median,
    infinite where it is not."""
    centred = values - np.median(values)
    found = np.zeros(len(values))
    for side in (centred <= 0, centred >= 0):
        mad = NORMAL * float(np.median(np.abs(centred[side])))
        off = side & (centred != 0)
        found[off] = centred[off] / mad if mad else np.sign(centred[off]) * np.inf
    return found


def neighbours(counts: Counts) -> Plausibility:
    """Each station's share of yes against the others of its region, in regions of 8 stations and more."""
    usable = counts["cast"] >= LEAST_CAST
    share = np.divide(counts["yes"], counts["cast"], out=np.zeros(len(counts)), where=usable)
    expected, deviations = np.zeros(len(counts)), np.zeros(len(counts))
    seen = np.zeros(len(counts), dtype=bool)
    for chosen in counts.regions().values():
        group = chosen & usable
        if group.sum() >= LEAST_GROUP:
            expected[group] = np.median(share[group])
            deviations[group] = double_mad(share[group])
            seen |= group
    return _found(seen, share, expected, deviations)


def history(counts: Counts) -> Plausibility:
    """Each station's share against a line fitted to its share in the past (weights: ballots now), by double MAD of the rest."""
    usable = (counts["cast"] >= LEAST_CAST) & (counts["past_cast"] >= LEAST_CAST)
    if usable.sum() < LEAST_GROUP:
        return Plausibility(int(usable.sum()), 0, ())
    now = counts["yes"][usable] / counts["cast"][usable]
    past = counts["past_yes"][usable] / counts["past_cast"][usable]
    weight = counts["cast"][usable].astype(float)
    middle_now, middle_past = np.average(now, weights=weight), np.average(past, weights=weight)
    spread = float(weight @ (past - middle_past) ** 2)
    slope = float(weight @ ((past - middle_past) * (now - middle_now))) / spread if spread else 0.0
    fitted = middle_now + slope * (past - middle_past)
    whole = float(weight @ (now - middle_now) ** 2)
    share, expected, deviations = np.zeros(len(counts)), np.zeros(len(counts)), np.zeros(len(counts))
    share[usable], expected[usable], deviations[usable] = now, fitted, double_mad(now - fitted)
    found = _found(usable, share, expected, deviations)
    explained = 1 - float(weight @ (now - fitted) ** 2) / whole if whole else None
    return Plausibility(
        found.stations, found.far, found.outliers, slope, float(middle_now - slope * middle_past), explained
    )


def _found(seen: Bools, share: Floats, expected: Floats, deviations: Floats) -> Plausibility:
    far = np.flatnonzero(seen & (np.abs(deviations) > FAR))
    ordered = far[np.argsort(-np.abs(deviations[far]), kind="stable")][:SHOWN]
    return Plausibility(
        int(seen.sum()),
        len(far),
        tuple(
            Outlier(int(row) + 1, float(share[row]), float(expected[row]), float(deviations[row])) for row in ordered
        ),
    )
