"""How is a whole number divided in proportion, between bounds, with every unit accounted for?"""

from __future__ import annotations

import numpy as np

from dauys.errors import DauysError
from dauys.reconstruction.tickets import Ints

_WORD = 62


class CannotSplit(DauysError):
    """The bounds leave no room for the total."""


def split(total: int, weights: Ints, lower: Ints, upper: Ints, ties: Ints) -> Ints:
    """Divides `total` into whole parts, lower <= part <= upper, as nearly in proportion to `weights` as bounds allow.

    Bounded largest remainder: a common factor f is sought (by halving, on a grid of 2**-s, rounded down) so that the
    quotas clip(f * weight, lower, upper) add up to `total`; each part is its quota rounded down, and what is left goes
    one each to the largest remainders; of equal ones to the smaller weight, then to the smaller number in `ties`. The
    grid is the finest that 64-bit integers hold, so the answer is the same on every machine. Weights are at least 1.
    Raises `CannotSplit` where there is no division.
    """
    if len(weights) == 0 or int(lower.sum()) > total or int(upper.sum()) < total or bool((lower > upper).any()):
        reach = f"{int(lower.sum())} to {int(upper.sum())}" if len(weights) else "nothing"
        raise CannotSplit(f"cannot divide {total} into {len(weights)} parts: the bounds allow {reach}")
    if int(weights.min()) < 1 or int(lower.min()) < 0:
        raise ValueError("weights must be at least 1 and lower bounds at least 0")
    grid = _WORD - max(int(upper.sum()), 1).bit_length()
    if grid <= int(weights.sum()).bit_length():
        raise ValueError("weights too large for 64-bit integers")
    low, high = lower << grid, upper << grid
    full = high // weights + 1

    def quotas(factor: int) -> Ints:
        scaled: Ints = np.clip(np.minimum(factor, full) * weights, low, high)
        return scaled

    target, least, most = total << grid, 0, int(full.max())
    while least < most:
        middle = (least + most + 1) // 2
        if int(quotas(middle).sum()) <= target:
            least = middle
        else:
            most = middle - 1
    quota = quotas(least)
    parts: Ints = quota >> grid
    remainder = quota - (parts << grid)
    left = total - int(parts.sum())
    parts[np.lexsort((ties, weights, -remainder))[:left]] += 1
    return parts
