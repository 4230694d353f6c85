"""Which days are working days? Weekends, public holidays, and the days that a government moved, year by year.

Public holidays with their observed days come from the library `holidays`. Which working days are moved is announced for
one year at a time, so a calendar names the years that it knows; of any other year nothing is known, and nothing guessed.

    country: KZ                                    (jurisdictions/kz/calendar.yaml)
    years:
      - year: 2022
        cite: ...
        moved: [{off: 2022-03-07, works: 2022-03-05}]     both days, as announced

What the library (0.109) knows of Kazakhstan: moved days 7 March, 29 August and 24 October 2022 (worked on Saturdays
5 March, 27 August, 22 October); 7 July 2023 (1 July); 8 May 2024 (4 May); 3 January 2025 (Sunday 5 January); for 2026
nothing is announced there and Kurban Ait is an estimate.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dauys.errors import DauysError
from dauys.law.files import Node, read_yaml
from dauys.law.packs import pack_folder

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAY = datetime.timedelta(days=1)


class NotAnnounced(DauysError):
    """The calendar of a year is not known."""

    def __init__(self, country: str, year: int) -> None:
        self.year = year
        super().__init__(f"the working days of {year} in {country} are not known here")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of a country in the `years` that are announced; `moved` gives each working day its day off."""

    country: str
    years: frozenset[int]
    moved: Mapping[datetime.date, datetime.date]
    _public: HolidayBase = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        import holidays  # here, and not above: most commands ask for no working day, and start sooner without

        public = holidays.country_holidays(self.country, years=sorted(self.years), observed=True, expand=False)
        object.__setattr__(self, "_public", public)

    @classmethod
    def read(cls, path: Path) -> Calendar:
        """The calendar of a YAML file; raises `BadInput`."""
        import holidays

        parts = read_yaml(path).mapping(required=("country", "years"))
        country = parts["country"].matching("[A-Z]{2}", "the two letters of a country (ISO 3166)")
        if country not in holidays.list_supported_countries():
            parts["country"].fail("no public holidays are known of this country", found=country)
        years: set[int] = set()
        moved: dict[datetime.date, datetime.date] = {}
        for item in parts["years"].items():
            year, pairs = _year_of(item)
            if year in years:
                item.fail("this year is there twice", found=year, expected="each year once")
            years.add(year)
            moved |= pairs
        return cls(country, frozenset(years), moved)

    def is_working(self, day: datetime.date) -> bool:
        """Whether it is a working day; raises `NotAnnounced`."""
        if day.year not in self.years:
            raise NotAnnounced(self.country, day.year)
        return day in self.moved or (day not in self.moved.values() and self._public.is_working_day(day))

    def nearest(self, day: datetime.date, step: int) -> datetime.date:
        """The day itself, or the next (step 1) or previous (step -1) working day; raises `NotAnnounced`."""
        while not self.is_working(day):
            day += step * _DAY
        return day

    def count(self, day: datetime.date, n: int, step: int) -> datetime.date:
        """The n-th working day after (step 1) or before (step -1) a day, itself not counted; raises `NotAnnounced`."""
        while n:
            day += step * _DAY
            n -= self.is_working(day)
        return day


def load_calendar(pack: str) -> Calendar:
    """The calendar of a pack; raises `DauysError`."""
    return Calendar.read(pack_folder(pack) / "calendar.yaml")


def _year_of(node: Node) -> tuple[int, dict[datetime.date, datetime.date]]:
    parts = node.mapping(required=("year", "cite", "moved"))
    year = parts["year"].integer(at_least=1900, at_most=2100)
    parts["cite"].text()
    moved: dict[datetime.date, datetime.date] = {}
    for item in parts["moved"].items():
        pair = item.mapping(required=("off", "works"))
        off, works = pair["off"].date(), pair["works"].date()
        if off.year != year or works == off or works in moved or off in moved.values():
            item.fail(
                "not a move of this year", found=f"{works} for {off}", expected=f"two days, the day off in {year}"
            )
        moved[works] = off
    return year, moved
