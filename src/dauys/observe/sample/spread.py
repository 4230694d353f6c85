"""How much do the stations of a past vote differ? Samples are sized by that, never by p(1-p)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from dauys.errors import DauysError
from dauys.observe.sample.frame import Frame


def spreads(frame: Frame, strata: Sequence[Sequence[int]], own_ratio: bool = False) -> list[Fraction]:
    """The variance S_z**2 inside each stratum (places of its stations), exact; divisor N_h - 1.

    z_i = (y_i - R x_i) / mean of x, with R and the mean of all the strata together; with `own_ratio`, of each stratum by
    itself, which is what the figure of that stratum depends on. 0 for a stratum of one station. Raises
    DauysError without a past vote.
    """
    if frame.parts is None or frame.wholes is None:
        raise DauysError("the spread is that of a past vote: name its columns with --y and --x")
    parts, wholes = frame.parts.tolist(), frame.wholes.tolist()
    sums = [(sum(parts[p] for p in members), sum(wholes[p] for p in members), len(members)) for members in strata]
    together = tuple(map(sum, zip(*sums, strict=True)))
    found = []
    for members, own in zip(strata, sums, strict=True):
        y, x, base = own if own_ratio else together
        n = len(members)
        if n < 2 or x == 0:
            found.append(Fraction(0))
            continue
        residuals = [parts[place] * x - y * wholes[place] for place in members]  # (y_i - R x_i) times x
        squares = n * sum(e * e for e in residuals) - sum(residuals) ** 2
        # over x**2 for the ratio's denominator, and over the square of the mean x / base
        found.append(Fraction(squares * base**2, n * (n - 1) * x**4))
    return found
