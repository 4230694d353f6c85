"""What was told so far? Kept so that a new report is held against all before it, however many, without reading them again.

Of what was not rejected: who answered which number, at each station; which stations have a copy with these numbers. Of all: which
reports a phone numbered. A report costs its own answers, not those of the others.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dauys.observe.known.reports import Report, Value

HOUR = "as_of"
"""The answer that says of which hour a report's numbers are; other forms have none."""

Asked = tuple[str, str]
"""A question and its hour (empty: of no hour)."""


@dataclass(slots=True)
class Answers:
    """The numbers that one question got at one station."""

    pairs: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Observer and number to how many of his reports say so."""
    numbers: Counter[str] = field(default_factory=Counter)
    """Observer to how many different numbers he gave."""
    observers: Counter[int] = field(default_factory=Counter)
    """Number to how many observers gave it."""
    ordered: list[int] = field(default_factory=list)
    """The different numbers, from the least to the greatest; never empty."""

    def against(self, observer: str, number: int) -> tuple[bool, bool]:
        """Whether another observer said otherwise, and whether this one did."""
        here = (observer, number) in self.pairs
        others = len(self.pairs) - self.numbers[observer] - self.observers[number] + here
        return others > 0, self.numbers[observer] > here

    def add(self, observer: str, number: int) -> None:
        self.pairs[observer, number] += 1
        if self.pairs[observer, number] == 1:
            self.numbers[observer] += 1
            self.observers[number] += 1
            if self.observers[number] == 1:
                insort(self.ordered, number)

    def remove(self, observer: str, number: int) -> None:
        if not _less(self.pairs, (observer, number)):
            _less(self.numbers, observer)
            if not _less(self.observers, number):
                del self.ordered[bisect_left(self.ordered, number)]


class Told:
    """The indexes over reports. Used under the lock of whoever changes it."""

    def __init__(self, reports: Iterable[Report] = ()) -> None:
        self._asked: dict[tuple[str, str, str], dict[Asked, Answers]] = {}
        self._copies: dict[tuple[Any, ...], Counter[str]] = {}
        self._phones: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for report in reports:
            self.add(report)

    def answers(self, station: str, form: str, contest: str = "") -> Mapping[Asked, Answers]:
        """What was answered in a form at a station."""
        return self._asked.get((station, form, contest), {})

    def elsewhere(self, contest: str, values: Mapping[str, Value], station: str) -> bool:
        """Whether a copy of another station has all of these numbers and no other."""
        stations = self._copies.get(_numbers(contest, values), ())
        return len(stations) > (station in stations)

    def beside(self, observer: str, key: str) -> tuple[int | None, int | None]:
        """The reports (events) that the phone of this key numbered just before and just after; its own number is neither."""
        if (found := place(key)) is None:
            return None, None
        phone, number = found
        there = self._phones.get((observer, phone), [])
        first, last = bisect_left(there, (number, 0)), bisect_left(there, (number + 1, 0))
        return there[first - 1][1] if first else None, there[last][1] if last < len(there) else None

    def add(self, report: Report) -> None:
        """A report that came in."""
        if (found := place(report.key)) is not None:
            insort(self._phones.setdefault((report.observer, found[0]), []), (found[1], report.n))
        self._enter(report)

    def judge(self, before: Report, after: Report) -> None:
        """The same report, as it stood and as the office judged it."""
        self._leave(before)
        self._enter(after)

    def _enter(self, report: Report) -> None:
        if report.standing == "rejected":
            return
        asked = self._asked.setdefault((report.station, report.form, report.contest), {})
        for name, number in _counts(report.values):
            asked.setdefault((name, _hour(report)), Answers()).add(report.observer, number)
        if report.contest:
            self._copies.setdefault(_numbers(report.contest, report.values), Counter())[report.station] += 1

    def _leave(self, report: Report) -> None:
        if report.standing == "rejected":
            return
        asked = self._asked[report.station, report.form, report.contest]
        for name, number in _counts(report.values):
            here = asked[name, _hour(report)]
            here.remove(report.observer, number)
            if not here.ordered:
                del asked[name, _hour(report)]
        if report.contest:
            _less(self._copies[_numbers(report.contest, report.values)], report.station)


def place(key: str) -> tuple[str, int] | None:
    """The phone and the number of the report out of a key `PHONE/NUMBER`; None for any other key."""
    phone, slash, number = key.rpartition("/")
    return (phone, int(number)) if slash and phone and number.isascii() and number.isdecimal() else None


def _counts(values: Mapping[str, Value]) -> list[tuple[str, int]]:
    return [(name, value) for name, value in values.items() if type(value) is int]


def _numbers(contest: str, values: Mapping[str, Value]) -> tuple[Any, ...]:
    return contest, *sorted(_counts(values))


def _hour(report: Report) -> str:
    return str(report.values.get(HOUR, ""))


def _less(counter: Counter[Any], key: Any) -> int:
    """One less of a key; how many there still are. What is not there any more leaves nothing behind."""
    counter[key] -= 1
    left = counter[key]
    if not left:
        del counter[key]
    return left
