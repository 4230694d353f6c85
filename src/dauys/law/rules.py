"""What does the law lay down, since when, and which value holds on a day?

A Rule has Values. A value lives from the day its `since` resolves to until a later one begins, or to the day before its
`until`. Of several live ones the highest rank wins, then the latest. What cannot be decided so is an error, never a
choice. How rules are written down: `dauys.law.rulebook`.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dauys.errors import BadInput, DauysError
from dauys.law.facts import Facts
from dauys.law.form import Status
from dauys.law.formula import Formula
from dauys.law.unit import Scalar
from dauys.law.when import When

RANKS = ("instruction", "decree", "law", "constitutional_law", "constitution")
"""From the lowest to the highest."""

Resolve = Callable[[When], datetime.date | None]


@dataclass(frozen=True, slots=True)
class Value:
    """What a rule says from `since` on. `value` None: unknown, or computed by `formula`. `file`, `line`: its place."""

    value: Scalar | None
    unit: str
    since: When
    cite: str
    status: Status
    until: When | None = None
    formula: Formula | None = None
    rank: str = "law"
    note: str = ""
    source: str = ""
    file: str | None = field(default=None, compare=False, repr=False)
    line: int | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.formula.text if self.formula else str(self.value)

    def error(self, message: str, *, found: object = None, expected: str | None = None) -> BadInput:
        """The refusal of this value, with its place."""
        return BadInput(message, file=self.file, line=self.line, found=found, expected=expected)


@dataclass(frozen=True, slots=True)
class Rule:
    """One number (or other value) that the law lays down, with all values it has had, in the order of the file."""

    key: str
    unit: str
    labels: Mapping[str, str]
    values: tuple[Value, ...]
    description: str = ""

    def live(self, day: datetime.date, resolve: Resolve) -> Value | None:
        """The value that holds on a day; None where there is none. Raises `BadInput` where two of equal rank do.

        Equal are two that begin on one day, and a later one while the day is known on which an earlier one ends.
        """
        live: list[tuple[int, datetime.date, bool, Value]] = []
        for value in self.values:
            begins = resolve(value.since)
            if begins is None or begins > day:
                continue
            ends = None if value.until is None else resolve(value.until)
            if ends is None or ends > day:
                live.append((RANKS.index(value.rank), begins, ends is not None, value))
        if len(live) < 2:
            return live[0][3] if live else None
        rank, latest, _, best = max(live, key=lambda one: one[:2])
        for other_rank, begins, fixed, other in live:
            if other is not best and other_rank == rank and (begins == latest or fixed):
                raise two_live(self.key, day, best, other)
        return best


def two_live(key: str, day: datetime.date, one: Value, other: Value) -> BadInput:
    """The refusal of two values, with both places."""
    first, second = sorted((one, other), key=lambda value: (value.file or "", value.line or 0))
    where = "" if first.line is None else f" on line {first.line}"
    return second.error(
        f"two live values of equal rank: {key} on {day}",
        found=f"{second} since {second.since}",
        expected=f"one value; another is {first} since {first.since}{where}",
    )


@dataclass(frozen=True, slots=True)
class Book:
    """All rules of a jurisdiction by key. From `ends` on, nothing in it is law any more, as `ends_cite` says."""

    rules: Mapping[str, Rule]
    ends: When | None = None
    ends_cite: str = ""

    def rule(self, key: str) -> Rule:
        """The rule of a key; an unknown one is answered with those that look like it."""
        if key not in self.rules:
            near = difflib.get_close_matches(key, self.rules, n=3)
            hint = f"; near: {', '.join(near)}" if near else ""
            raise DauysError(f"there is no rule {key!r}{hint}")
        return self.rules[key]

    def whens(self) -> Iterator[When]:
        """Every When of the book."""
        if self.ends is not None:
            yield self.ends
        for rule in self.rules.values():
            for value in rule.values:
                yield value.since
                if value.until is not None:
                    yield value.until

    def change_days(self, facts: Facts) -> list[datetime.date]:
        """The days on which anything can change: those to which some When resolves."""
        return sorted({day for when in set(self.whens()) if (day := when.resolve(facts)) is not None})
