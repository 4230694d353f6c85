"""How many votes would there be if turnout had nothing to do with preference? Always a band over the clean range.

The votes of stations with ordinary turnout fix a ratio k of the option to all others; what lies above it at higher
turnout is called anomalous. It is an indicator of how turnout and share go together, whatever made them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dauys.observe.indicators.counts import Counts, Ints

WIDTHS = (8, 10, 12)
"""Points of turnout that a clean range has."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """For one clean range (points of turnout, from the first to below the last). Counts of votes; shares from 0 to 1."""

    first: int
    last: int
    ratio: float
    clean_yes: float
    anomalous: float
    clean_share: float
    clean_turnout: float


def band(counts: Counts, tried: Sequence[tuple[int, int]] | None = None) -> list[Estimate]:
    """An estimate for each clean range: those of `tried`, or of `ranges`. A range without other votes gives none.

    Clean votes for the option are k times all other votes; anomalous are those above k times the others from the end of the
    range on. Stations with more ballots than voters are left out.
    """
    kept = counts.where((counts["registered"] > 0) & (counts["cast"] <= counts["registered"]))
    bins = 100 * kept["cast"] // kept["registered"]
    yes = np.bincount(bins, kept["yes"], 101)
    others = np.bincount(bins, kept["cast"] - kept["yes"], 101)
    voters = float(kept["registered"].sum())
    found = []
    for first, last in ranges(bins) if tried is None else tried:
        if not others[first:last].sum():
            continue
        ratio = float(yes[first:last].sum() / others[first:last].sum())
        clean = ratio * float(others.sum())
        anomalous = float((yes[last:] - ratio * others[last:]).sum())
        found.append(
            Estimate(first, last, ratio, clean, anomalous, ratio / (1 + ratio), (clean + float(others.sum())) / voters)
        )
    return found


def ranges(bins: Ints) -> list[tuple[int, int]]:
    """Clean ranges to try, from the turnout of each station in whole points: of 8, 10 and 12 points, ending at the median at
    most, with 5 % of the stations at least. The band over them says how much hangs on the choice."""
    median = int(np.median(bins)) if len(bins) else 0
    below = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=101))])
    return [
        (first, first + width)
        for width in WIDTHS
        for first in range(max(0, median - width) + 1)
        if (below[first + width] - below[first]) * 20 >= len(bins)
    ]
