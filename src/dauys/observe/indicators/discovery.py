"""Of many regions tested, which stand out, if at most a part q of those named may be there by chance?"""

from __future__ import annotations

from collections.abc import Mapping


def benjamini_hochberg(p_values: Mapping[str, float], q: float) -> list[str]:
    """The names whose P-value is at most that of the last rank i with p(i) <= q i / m, smallest first.

    Benjamini and Hochberg, JRSS B 57 (1995) 289: the false discovery rate is at most q where the tests are independent.
    """
    ordered = sorted(p_values, key=lambda name: (p_values[name], name))
    m = len(ordered)
    last = max((rank for rank, name in enumerate(ordered, 1) if p_values[name] * m <= q * rank), default=0)
    return ordered[:last]
