"""What does every rule say on this day, and why? All values of a day, resolved once; looking one up is reading a dict.

snapshot = rules_on(book, day, facts, {"regions": 17})
snapshot.value("senate.size")      49, or raises LawNotLoaded
snapshot.get("senate.size")        the Value (a formula's with its number), or the LawNotLoaded as an answer
snapshot.explain("senate.size")    with the fact behind it, and why the other values do not hold
snapshot.values                    plain dict of what is known, for loops
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dauys.errors import BadInput, DauysError
from dauys.law.facts import Fact, Facts
from dauys.law.formula import AREAS, Formula, Number
from dauys.law.rules import RANKS, Book, Value
from dauys.law.unit import Scalar, fit
from dauys.law.when import When


class LawNotLoaded(DauysError):
    """The answer where the law of a day is not known. `reason` says what is missing. Never stands for a default."""

    def __init__(self, key: str, day: datetime.date, reason: str) -> None:
        self.key = key
        self.day = day
        self.reason = reason
        super().__init__(f"cannot say: law not loaded ({key} on {day}: {reason})")


@dataclass(frozen=True, slots=True)
class Other:
    """A value that does not hold on the day, and why not."""

    value: Value
    why_not: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a rule has its value. `live`: what holds, an unknown value too; None where nothing does.

    `not_loaded` is the answer where there is no value to give. `inputs`: what a formula read.
    """

    key: str
    day: datetime.date
    live: Value | None
    not_loaded: LawNotLoaded | None
    begins: datetime.date | None
    fact: Fact | None
    inputs: Mapping[str, Scalar]
    others: tuple[Other, ...]

    def to_json(self) -> dict[str, Any]:
        """`{"key","on","value","unit","cite","status","since",...}`: the answer of `law rule` and `law explain`."""
        if self.live is None:
            body: dict[str, Any] = {"value": None, "unit": None, "cite": None, "status": "unknown", "since": None}
        else:
            body = {
                "value": plain(self.live.value),
                "unit": self.live.unit,
                "cite": self.live.cite,
                "status": self.live.status,
                "since": None if self.begins is None else self.begins.isoformat(),
                "when": self.live.since.to_json(),
            }
            if self.fact is not None:
                body["fact"] = {"event": self.fact.event, "at": self.fact.at.isoformat(), "source": self.fact.source}
            if self.live.formula is not None:
                body["formula"] = self.live.formula.text
                body["inputs"] = {name: plain(value) for name, value in self.inputs.items()}
        if self.not_loaded is not None:
            body["answer"] = str(self.not_loaded)
        others = [
            {
                "value": plain(other.value.value),
                "cite": other.value.cite,
                "status": other.value.status,
                "when": other.value.since.to_json(),
                "why_not": other.why_not,
            }
            for other in self.others
        ]
        return {"key": self.key, "on": self.day.isoformat(), **body, "others": others}


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The rules of one day. `values` holds what is known; `missing` says of every other rule why it is not."""

    day: datetime.date
    values: Mapping[str, Scalar]
    missing: Mapping[str, str]
    _live: Mapping[str, Value] = field(repr=False)
    _book: Book = field(repr=False)
    _facts: Facts = field(repr=False)
    _areas: Mapping[str, int] = field(repr=False)

    def value(self, key: str) -> Scalar:
        """The plain value; raises `LawNotLoaded`."""
        try:
            return self.values[key]
        except KeyError:
            raise self._not_loaded(key) from None

    def get(self, key: str) -> Value | LawNotLoaded:
        """The value with unit, citation, status and since; `LawNotLoaded` as an answer, not raised."""
        return self._live.get(key) or self._not_loaded(key)

    def explain(self, key: str) -> Explanation:
        """Why it is so, and why the other values of the rule do not hold; raises `DauysError` for an unknown key."""
        rule = self._book.rule(key)
        ends = None if self._book.ends is None else self._resolve(self._book.ends)
        holds = rule.live(self.day, self._resolve) if ends is None or ends > self.day else None
        live = self._live.get(key, holds)
        names = live.formula.names if live and live.formula and key in self.values else ()
        return Explanation(
            key=key,
            day=self.day,
            live=live,
            not_loaded=None if key in self.values else self._not_loaded(key),
            begins=self._resolve(live.since) if live else None,
            fact=live.since.deciding(self._facts) if live else None,
            inputs={name: self._input(name) for name in names},
            others=tuple(Other(value, self._why_not(value, holds)) for value in rule.values if value is not holds),
        )

    def __contains__(self, key: object) -> bool:
        """Whether the value is known."""
        return key in self.values

    def __iter__(self) -> Iterator[str]:
        """The keys whose value is known."""
        return iter(self.values)

    def __eq__(self, other: object) -> bool:
        """Equal in what the law says, whatever the day: the same values from the same citations."""
        if not isinstance(other, Snapshot):
            return NotImplemented
        return self._live == other._live and self.missing.keys() == other.missing.keys()

    __hash__ = None  # type: ignore[assignment]

    def _resolve(self, when: When) -> datetime.date | None:
        return when.resolve(self._facts)

    def _input(self, name: str) -> Scalar:
        return self._areas[name.removeprefix(AREAS)] if name.startswith(AREAS) else self.values[name]

    def _not_loaded(self, key: str) -> LawNotLoaded:
        return LawNotLoaded(key, self.day, self.missing.get(key, "there is no such rule"))

    def _why_not(self, value: Value, holds: Value | None) -> str:
        begins = self._resolve(value.since)
        if begins is None:
            return f"{' and '.join(value.since.missing(self._facts))} has not happened"
        if begins > self.day:
            return f"begins on {begins}"
        ends = None if value.until is None else self._resolve(value.until)
        if ends is not None and ends <= self.day:
            return f"ended on {ends}"
        if holds is None:
            return "the system it belongs to has ended"
        if RANKS.index(holds.rank) > RANKS.index(value.rank):
            return f"of lower rank than {holds.cite}"
        return f"replaced on {self._resolve(holds.since)} by {holds.cite}"


def rules_on(book: Book, day: datetime.date, facts: Facts, areas: Mapping[str, int] | None = None) -> Snapshot:
    """All rules as they stand on a day under the facts. `areas` are the counts that formulas call `areas.NAME`.

    Raises `BadInput` where two values of equal rank live, or a formula gives no value of its unit.
    """
    areas = areas or {}
    days: dict[When, datetime.date | None] = {}

    def resolve(when: When) -> datetime.date | None:
        try:
            return days[when]
        except KeyError:
            return days.setdefault(when, when.resolve(facts))

    ended = None if book.ends is None else resolve(book.ends)
    if ended is not None and ended <= day:
        missing = dict.fromkeys(book.rules, f"ended on {ended}, {book.ends_cite}")
        return Snapshot(day, {}, missing, {}, book, facts, areas)
    building = _Building(day, areas)
    for key, rule in book.rules.items():
        building.add(key, rule.live(day, resolve))
    building.compute()
    return Snapshot(day, building.values, building.missing, building.live, book, facts, areas)


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that differs between two days: `before` or `after` is None where the law is not loaded."""

    key: str
    before: Value | None
    after: Value | None


def changes(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """The rules whose value, unit, citation or status differs, in the order of their keys."""
    keys = sorted(before._live.keys() | after._live.keys())
    pairs = ((key, before._live.get(key), after._live.get(key)) for key in keys)
    return tuple(Change(key, one, other) for key, one, other in pairs if one != other)


def plain(value: Scalar | None) -> Any:
    """A value as JSON has it: a share is `"p/q"`, a day and a time are texts, a list is a list."""
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat(timespec="minutes") if isinstance(value, datetime.time) else str(value)


class _Building:
    """The values of a day while they are put together."""

    def __init__(self, day: datetime.date, areas: Mapping[str, int]) -> None:
        self.day = day
        self.values: dict[str, Scalar] = {}
        self.missing: dict[str, str] = {}
        self.live: dict[str, Value] = {}
        self._areas = areas
        self._formulas: dict[str, tuple[Value, Formula]] = {}

    def add(self, key: str, value: Value | None) -> None:
        if value is None:
            self.missing[key] = "no value yet on this day"
        elif value.formula is not None:
            self._formulas[key] = (value, value.formula)
        elif value.value is None:
            self.missing[key] = f"unknown, {value.cite}"
        else:
            self.values[key] = value.value
            self.live[key] = value

    def compute(self) -> None:
        """Every formula after those it needs: the book has no cycles."""
        for key in list(self._formulas):
            self._compute(key)

    def _compute(self, key: str) -> None:
        if key not in self._formulas:
            return
        value, formula = self._formulas.pop(key)
        given: dict[str, Number] = {}
        for name in formula.names:
            self._compute(name)
            number = self._areas.get(name.removeprefix(AREAS)) if name.startswith(AREAS) else self.values.get(name)
            if not isinstance(number, int | Fraction):
                self.missing[key] = f"needs {name}"
                return
            given[name] = number
        try:
            number = fit(formula.evaluate(given), value.unit)
        except BadInput as error:
            raise value.error(error.message, found=error.found, expected=error.expected) from None
        if number is None:
            raise value.error(
                f"the formula of {key} gives no {value.unit} on {self.day}",
                found=f"{formula.text} = {formula.evaluate(given)}",
                expected="a declared rounding, and numbers from 0 (a share up to 1)",
            )
        self.values[key] = number
        self.live[key] = dataclasses.replace(value, value=number)
