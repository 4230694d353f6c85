"""Can a published figure be right as printed? Pure checks W.2xx over counts, percentages, series and texts.

All is exact: a percentage is the text that was printed, and means any number that rounds to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from dauys.law.decision_rule import Threshold
from dauys.law.relation import Relation

Series = Sequence[tuple[str, Fraction | int]]
"""Values in the order of time: (moment as HH:MM, value)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure that cannot be right, the number of the check, and what would be right where that can be said."""

    number: str
    what: str
    found: str
    expected: str | None = None


def printed(text: str) -> Fraction:
    """The number that a decimal text says, exactly."""
    return Fraction(text)


def sum_of(whole: str, values: Mapping[str, int]) -> list[Finding]:
    """W.201: the other values do not add up to the one called `whole`."""
    total = sum(value for name, value in values.items() if name != whole)
    if total == values[whole]:
        return []
    return [
        Finding("W.201", f"the sum of {', '.join(n for n in values if n != whole)}", str(values[whole]), str(total))
    ]


def percentage(what: str, text: str, count: int, base: int) -> list[Finding]:
    """W.202: `count` of `base` does not round to the percentage printed, to its own digits. Exact halves may go either way."""
    if base == 0:
        return [Finding("W.202", what, f"{text} %", "no percentage of nothing")]
    digits = len(text.partition(".")[2])
    exact = Fraction(100 * count, base)
    if abs(exact - printed(text)) <= Fraction(1, 2 * 10**digits):
        return []
    return [Finding("W.202", what, f"{text} %", f"{decimal(exact, digits)} % ({count} of {base})")]


def decimal(value: Fraction, digits: int) -> str:
    """A fraction as a decimal text, rounded half up."""
    scaled = (value * 10**digits * 2 + 1) // 2
    whole, rest = divmod(int(scaled), 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def falls(what: str, series: Series) -> list[Finding]:
    """W.203: each pair of neighbours of a series where the later is lower. One of the two is misprinted."""
    return [
        Finding("W.203", f"{what}, {later}", _short(high), f"at least {_short(low)}, the value of {earlier}")
        for (earlier, low), (later, high) in pairwise(series)
        if high < low
    ]


def repeats(what: str, series: Series, closes: str) -> list[Finding]:
    """W.204: a value is the one before, though the polls were still open (they close at `closes`)."""
    return [
        Finding("W.204", f"{what}, {later}", _short(now), f"more than the value of {earlier}: the polls were open")
        for (earlier, before), (later, now) in pairwise(series)
        if now == before and later <= closes
    ]


def differ(what: str, readings: Mapping[str, str], believed: str | None = None) -> list[Finding]:
    """W.205: sources print different values. Expected is the believed source's, or else what most of them print."""
    values = sorted(set(readings.values()), key=lambda v: -sum(r == v for r in readings.values()))
    if len(values) < 2:
        return []
    first, second = (sum(r == v for r in readings.values()) for v in values[:2])
    right = readings[believed] if believed else values[0] if first > second else None
    return [Finding("W.205", f"{what}, {source}", value, right) for source, value in readings.items() if value != right]


def after_closing(what: str, series: Series, closes: str) -> list[Finding]:
    """W.206: nobody gets a ballot after the polls close, so later values are the last one from then on."""
    shut = [(at, value) for at, value in series if at >= closes]
    return [
        Finding("W.206", f"{what}, {at}", _short(value), f"{_short(shut[0][1])}, the value of {shut[0][0]}")
        for at, value in shut[1:]
        if value != shut[0][1]
    ]


def formula(what: str, relation: str, values: Mapping[str, int]) -> list[Finding]:
    """W.207: the published numbers do not satisfy a relation (dauys.law.relation) that the law or the text states."""
    stated = Relation.parse(relation)
    if stated.holds(values):
        return []
    left, right = stated.sides(values)
    return [Finding("W.207", what, f"{left} {stated.sign} {right}", relation)]


def needed(what: str, number: int, threshold: Threshold, of: int) -> list[Finding]:
    """W.208: the number said to be needed is not the least that meets the law's threshold."""
    least = threshold.needed(of)
    return [] if least == number else [Finding("W.208", what, str(number), str(least))]


def moves_alone(what: str, group: Mapping[str, tuple[Fraction, Fraction]]) -> list[Finding]:
    """W.209: all of a group (of three or more) repeat their last value and one does not: (before, now) by name."""
    moved = [name for name, (before, now) in group.items() if before != now]
    if len(group) < 3 or len(moved) != 1:
        return []
    before, now = group[moved[0]]
    return [Finding("W.209", f"{what}, {moved[0]}", _short(before), _short(now))]


def _short(value: Fraction | int) -> str:
    exact = Fraction(value)
    return str(exact) if exact.denominator == 1 else decimal(exact, 2)
