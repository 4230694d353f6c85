"""What does the sample say of each region? A region is a domain: y and x are 0 outside it, and the whole design stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dauys.observe.estimates.design import Design, Floats, Ints
from dauys.observe.estimates.estimate import Estimate, Pps, corrections, variance
from dauys.observe.estimates.interval import interval


@dataclass(frozen=True, slots=True)
class Domain:
    """One region's estimate. `strata` is how many strata have a station of it."""

    name: str
    found: Estimate
    strata: int


def domains(
    design: Design,
    y: Floats,
    x: Floats,
    names: Sequence[str],
    pps: Pps | None = None,
    kind: str = "t",
    confidence: float = 0.95,
) -> list[Domain]:
    """The combined ratio of each domain, by name; `names` has one for each row. A domain whose x is 0 has a NaN estimate.

    Its degrees of freedom are its sampling units less the strata they are in, as if the rest of the design were known.
    """
    labels = sorted(set(names))
    place = {name: number for number, name in enumerate(labels)}
    code = np.fromiter((place[name] for name in names), dtype=np.int64, count=len(names))
    wholes = np.bincount(code, weights=design.weights * x, minlength=len(labels))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.bincount(code, weights=design.weights * y, minlength=len(labels)) / wholes
        scores = (y - found[code] * x) / wholes[code]
    if design.pi is None:
        spread = _taylor(design, design.weights * scores, code, len(labels))
    else:
        spread = np.array([variance(design, np.where(code == d, scores, 0.0), pps) for d in range(len(labels))])
    units = _distinct(code, design.unit, len(labels))
    strata = _distinct(code, design.row_stratum, len(labels))
    rows = np.bincount(code, minlength=len(labels))
    se = np.sqrt(np.maximum(spread, 0.0))
    made = []
    for d, name in enumerate(labels):
        df, estimate, error = int(units[d] - strata[d]), float(found[d]), float(se[d])
        ci = interval(kind if 0 <= estimate <= 1 else "t", estimate, error, df, int(rows[d]), confidence)
        one = Estimate(
            estimate, error, ci, df, None, None, int(rows[d]), "combined ratio of a domain", kind, confidence
        )
        made.append(Domain(name, one, int(strata[d])))
    return made


def _taylor(design: Design, weighted: Floats, code: Ints, count: int) -> Floats:
    """The variance of every domain's sum at once: units outside a domain count as 0, and so need not be seen."""
    key = code * len(design.stratum) + design.unit
    pairs, where = np.unique(key, return_inverse=True)
    totals = np.bincount(where, weights=weighted, minlength=len(pairs))
    domain, unit = pairs // len(design.stratum), pairs % len(design.stratum)
    cell = domain * len(design.units) + design.stratum[unit]
    size = count * len(design.units)
    n = np.tile(design.units, count).astype(np.float64)
    inside = np.bincount(cell, minlength=size)
    means = np.bincount(cell, weights=totals, minlength=size) / n
    squares = np.bincount(cell, weights=(totals - means[cell]) ** 2, minlength=size) + (n - inside) * means**2
    found: Floats = (np.tile(corrections(design), count) * squares).reshape(count, -1).sum(axis=1)
    return found


def _distinct(code: Ints, other: Ints, count: int) -> Ints:
    """How many different values of `other` each domain has."""
    width = int(other.max()) + 1
    pairs = np.unique(code * width + other)
    return np.bincount(pairs // width, minlength=count).astype(np.int64)
