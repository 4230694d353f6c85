"""Until when must it be done? A period of the law from its start to its last moment, or why that cannot be said.

    Within(60, "calendar_day", roll="next").due(date(2023, 1, 10), calendar)
    Within(1, "calendar_day", direction="before", cut_off=time(18)).due(date(2022, 6, 5), zone=...)   4 June, 18:00

The day of the start is not counted: one day from Monday is Tuesday. A period in days, months or years ends with its last
day, or on it at `cut_off`; the moment of `cut_off` itself is too late. `roll` moves a last day that is no working day.
A month ends on the day with the number of its start; where there is none (31 January + 1 month), only a declared
rounding decides: `down` to the last day of the month, `up` to the first of the next. Hours run through nights,
holidays and changes of the clock. `day` is a day of which the law does not say how it is counted: not computable.
"""

from __future__ import annotations

import calendar as month_lengths
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from dauys.errors import BadInput
from dauys.law.calendar import Calendar, NotAnnounced
from dauys.law.rules import Value
from dauys.law.snapshot import LawNotLoaded

Duration = Literal["minute", "hour", "day", "calendar_day", "working_day", "sitting_day", "month", "year"]
Direction = Literal["after", "before"]
Roll = Literal["none", "next", "previous"]
Rounding = Literal["down", "up"]

LARGEST = 100_000
"""No period of a law has more units."""

_CLOCK = {"minute": datetime.timedelta(minutes=1), "hour": datetime.timedelta(hours=1)}
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day, and the first moment too late: None where no time zone was given, then the day alone decides."""

    last: datetime.date
    end: datetime.datetime | None
    cite: str = ""

    def in_time(self, at: datetime.date | datetime.datetime) -> bool:
        """Whether something done then is done in time; raises `BadInput` where only an aware moment could tell."""
        if isinstance(at, datetime.datetime):
            if self.end is None or at.tzinfo is None:
                raise BadInput("cannot compare without a time zone", found=at, expected="a moment with its offset")
            return at.astimezone(datetime.UTC) < self.end.astimezone(datetime.UTC)  # wall clocks go back, too
        if at == self.last and self.end is not None and self.end.timetz().replace(tzinfo=None) != datetime.time():
            raise BadInput("the hour decides on this day", found=at, expected=f"a moment; the end is {self.end}")
        return at <= self.last


@dataclass(frozen=True, slots=True)
class NotComputable:
    """No deadline follows; `reason` says what is missing."""

    reason: str
    cite: str = ""

    def __str__(self) -> str:
        return f"not computable: {self.reason}"


@dataclass(frozen=True, slots=True)
class Within:
    """A period: n units after (before) its start. `received_before`: from that hour on, a start counts as of the next
    day (the next working day where working days are counted)."""

    n: int
    unit: Duration
    direction: Direction = "after"
    cut_off: datetime.time | None = None
    roll: Roll = "none"
    month_rounding: Rounding | None = None
    received_before: datetime.time | None = None
    cite: str = ""

    def __post_init__(self) -> None:
        if self.unit not in get_args(Duration):
            raise BadInput("no unit of time", found=self.unit, expected=f"one of: {', '.join(get_args(Duration))}")
        if not 0 <= self.n <= LARGEST:
            raise BadInput("not a period", found=self.n, expected=f"a whole number from 0 to {LARGEST}")
        if self.unit in _CLOCK and (self.cut_off or self.roll != "none" or self.received_before):
            raise BadInput("a period on the clock has no last day to move or cut", found=self.unit, expected="days")
        if self.month_rounding is not None and self.unit not in ("month", "year"):
            raise BadInput("a rounding of months without months", found=self.unit, expected="month or year")

    def due(
        self,
        start: datetime.date | datetime.datetime,
        calendar: Calendar | None = None,
        *,
        sitting_days: Sequence[datetime.date] = (),
        zone: datetime.tzinfo | None = None,
    ) -> Deadline | NotComputable:
        """The deadline of what starts then; `zone` is that of an aware `start` where not given.

        Raises `BadInput` where `start` is a moment without offset, or an hour is needed and no zone known.
        """
        if isinstance(start, datetime.datetime):
            if start.tzinfo is None:
                raise BadInput("a moment without time zone", found=start, expected="a moment with its offset")
            zone = zone or start.tzinfo
            start = start.astimezone(zone)
        if zone is None and (self.cut_off or self.unit in _CLOCK or self.received_before):
            raise BadInput("no hour without a time zone", found=start, expected="a moment with its offset, or a zone")
        try:
            if self.unit in _CLOCK:
                return self._by_clock(start, cast(datetime.tzinfo, zone))
            last = self._last(self._first(start, calendar), calendar, sitting_days)
            if isinstance(last, str):
                return NotComputable(last, self.cite)
            if self.roll != "none":
                last = _known(calendar).nearest(last, 1 if self.roll == "next" else -1)
            return Deadline(last, None if zone is None else self._end(last, zone), self.cite)
        except NotAnnounced as error:
            return NotComputable(str(error), self.cite)
        except OverflowError:
            return NotComputable("the calendar has no such day", self.cite)

    @property
    def _step(self) -> int:
        return 1 if self.direction == "after" else -1

    def _by_clock(self, start: datetime.date, zone: datetime.tzinfo) -> Deadline:
        if not isinstance(start, datetime.datetime):
            raise BadInput("the hour of the start decides", found=start, expected="a moment with its offset")
        end = (start.astimezone(datetime.UTC) + self._step * self.n * _CLOCK[self.unit]).astimezone(zone)
        return Deadline((end - datetime.timedelta.resolution).date(), end, self.cite)

    def _first(self, start: datetime.date, calendar: Calendar | None) -> datetime.date:
        """The day from which is counted."""
        if not isinstance(start, datetime.datetime):
            return start
        day = start.date()
        if self.received_before is None or start.timetz().replace(tzinfo=None) < self.received_before:
            return day
        return _known(calendar).nearest(day + _DAY, 1) if self.unit == "working_day" else day + _DAY

    def _last(
        self, first: datetime.date, calendar: Calendar | None, sitting_days: Sequence[datetime.date]
    ) -> datetime.date | str:
        """The last day before it is moved, or why there is none."""
        match self.unit:
            case "day":
                return "the law does not say whether calendar or working days are meant"
            case "calendar_day":
                return first + self._step * self.n * _DAY
            case "working_day":
                return _known(calendar).count(first, self.n, self._step)
            case "sitting_day":
                after = self._step == 1
                days = sorted(
                    {day for day in sitting_days if (day > first if after else day < first)}, reverse=not after
                )
                if self.n == 0:
                    return first
                return days[self.n - 1] if self.n <= len(days) else f"only {len(days)} sitting days are announced"
        return self._months_on(first)

    def _months_on(self, first: datetime.date) -> datetime.date | str:
        months = self._step * self.n * (12 if self.unit == "year" else 1)
        year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
        if not 1 <= year <= 9999:
            raise OverflowError
        length = month_lengths.monthrange(year, month + 1)[1]
        if first.day <= length:
            return datetime.date(year, month + 1, first.day)
        last = datetime.date(year, month + 1, length)
        if self.month_rounding is None:
            return f"{year}-{month + 1:02} has no day {first.day}, and the law declares no rounding"
        return last if self.month_rounding == "down" else last + _DAY

    def _end(self, last: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
        if self.cut_off is not None:
            return datetime.datetime.combine(last, self.cut_off, zone)
        return datetime.datetime.combine(last + _DAY, datetime.time(), zone)


def within(
    period: Value | LawNotLoaded,
    *,
    direction: Direction = "after",
    cut_off: datetime.time | None = None,
    roll: Roll = "none",
    month_rounding: Rounding | None = None,
    received_before: datetime.time | None = None,
) -> Within | NotComputable:
    """The period that a rule's value gives, with its unit and citation; a law not loaded is not computable."""
    if isinstance(period, LawNotLoaded):
        return NotComputable(str(period))
    if not isinstance(period.value, int) or period.unit not in get_args(Duration):
        raise period.error(
            "no period of time", found=f"{period.value} {period.unit}", expected="a number of units of time"
        )
    unit = cast(Duration, period.unit)
    return Within(period.value, unit, direction, cut_off, roll, month_rounding, received_before, period.cite)


def _known(calendar: Calendar | None) -> Calendar:
    if calendar is None:
        raise BadInput("working days without a calendar", expected="the calendar of the jurisdiction")
    return calendar
