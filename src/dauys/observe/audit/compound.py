"""Is the double rule confirmed: the nation, and at least K of R territories? By intersection-union, at one risk limit.

"Passed" needs the national assertion and K = ceil(share * R) regional ones. If the outcome is wrong, one of any set
that would make it right is false, and its own test stops with probability `risk` at most: each is tested at the full
limit, and nothing is divided among them. "Failed" needs the national opposite, or R - K + 1 territories confirmed below.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil


@dataclass(frozen=True, slots=True)
class Finding:
    """`outcome`: passed, failed or open. `above` and `below`: territories confirmed; `needed` to pass, `against` to fail."""

    outcome: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    needed: int
    against: int


def needed(regions: int, share: Fraction = Fraction(2, 3)) -> int:
    """K: the least number of territories that is at least `share` of them."""
    return ceil(share * regions)


def decide(
    regions: Collection[str],
    nation: bool | None,
    found: Mapping[str, bool | None],
    share: Fraction = Fraction(2, 3),
) -> Finding:
    """`nation` and `found`: True confirmed above, False confirmed below, None (or absent) not confirmed."""
    k = needed(len(regions), share)
    against = len(regions) - k + 1
    above = tuple(sorted(region for region in regions if found.get(region) is True))
    below = tuple(sorted(region for region in regions if found.get(region) is False))
    if nation is True and len(above) >= k:
        outcome = "passed"
    elif nation is False or len(below) >= against:
        outcome = "failed"
    else:
        outcome = "open"
    return Finding(outcome, above, below, k, against)


def cheapest(sizes: Mapping[str, int], count: int) -> dict[str, int] | None:
    """The `count` territories with the smallest first samples; None where there are fewer."""
    ordered = sorted(sizes, key=lambda region: (sizes[region], region))
    return {region: sizes[region] for region in ordered[:count]} if len(ordered) >= count else None
