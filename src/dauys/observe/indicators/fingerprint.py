"""Where do the votes lie between turnout and share? Two-dimensional histogram and the log vote rate.

Klimek, Yegorov, Hanel and Thurner, "Statistical detection of systematic election irregularities", PNAS 109 (2012) 16469.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dauys.observe.indicators.counts import Counts, Floats, Ints

SMALLEST = 100
"""Voters below which a station's percentages are too coarse for the log vote rate."""
HIGH = 70


@dataclass(frozen=True, slots=True)
class Rate:
    """The log vote rate nu = ln((V - W)/W), W the votes for the option: near 0 skewness and excess kurtosis if normal."""

    n: int
    mean: float
    sd: float
    skewness: float
    excess_kurtosis: float


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`cells[t, s]`: votes for the option in stations with turnout t and share s, in whole points rounded down (0 to 100).

    `correlation` of turnout and share over stations; `full`: stations where cast = registered; `high_share`: part of
    all votes for the option that lies in stations above 70 % turnout.
    """

    stations: int
    cells: Ints
    correlation: float | None
    full: int
    high_share: float
    rate: Rate


def fingerprint(counts: Counts) -> Fingerprint:
    """From registered, cast and yes; stations without voters or ballots, or with more ballots than voters, are left out."""
    kept = counts.where((counts["registered"] > 0) & (counts["cast"] > 0) & (counts["cast"] <= counts["registered"]))
    voters, cast, yes = kept["registered"], kept["cast"], kept["yes"]
    cells: Ints = np.zeros((101, 101), dtype=np.int64)
    np.add.at(cells, (100 * cast // voters, 100 * yes // cast), yes)
    turnout, share = cast / voters, yes / cast
    spread = bool(len(kept) > 1 and np.ptp(turnout) and np.ptp(share))
    high = 100 * cast > HIGH * voters
    return Fingerprint(
        len(kept),
        cells,
        float(np.corrcoef(turnout, share)[0, 1]) if spread else None,
        int(np.sum(cast == voters)),
        float(yes[high].sum() / max(1, yes.sum())),
        log_rate(kept),
    )


def log_rate(counts: Counts) -> Rate:
    """Moments of nu, with divisor n, over stations of 100 voters or more with 0 < W < V."""
    voters, won = counts["registered"], counts["yes"]
    kept = (voters >= SMALLEST) & (won > 0) & (won < voters)
    if not kept.any():
        return Rate(0, 0.0, 0.0, 0.0, 0.0)
    nu: Floats = np.log((voters[kept] - won[kept]) / won[kept])
    centred = nu - nu.mean()
    sd = float(np.sqrt(np.mean(centred**2)))
    if sd == 0:
        return Rate(len(nu), float(nu.mean()), 0.0, 0.0, 0.0)
    return Rate(
        len(nu), float(nu.mean()), sd, float(np.mean(centred**3)) / sd**3, float(np.mean(centred**4)) / sd**4 - 3
    )
