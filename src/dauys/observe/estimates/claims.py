"""What does somebody's stated margin of error take for granted? For reading the claims of others, not for designing a sample.

A margin from p(1-p) over voters or ballots holds for people drawn one by one. Observers draw stations: design with size.py.
"""

from __future__ import annotations

import math

from dauys.observe.estimates.interval import normal_quantile


def simple_margin(n: int, share: float = 0.5, confidence: float = 0.95, population: int | None = None) -> float:
    """The margin of n units drawn one by one: z sqrt(p(1-p)/n), with finite population where one is given."""
    left = 1.0 if population is None else 1 - n / population
    return normal_quantile((1 + confidence) / 2) * math.sqrt(share * (1 - share) * left / n)


def handbook_voters(population: int, margin: float, z: float, share: float = 0.5) -> float:
    """The number of voters of NDI's handbook (Quick Count and Election Observation, ch. 5): p(1-p) / (ME**2/z**2 + p(1-p)/N).

    Its example, Peru 2001, prints 163,185 from a rounded intermediate; the formula gives 160,717.26.
    """
    spread = share * (1 - share)
    return spread / (margin * margin / (z * z) + spread / population)


def implied_effect(margin: float, people: int, share: float = 0.5, confidence: float = 0.95) -> float:
    """The design effect that a stated margin takes for granted. About 1 for people drawn at stations: cannot be right."""
    return float((margin / simple_margin(people, share, confidence)) ** 2)
