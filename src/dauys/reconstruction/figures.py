"""What was published: which figure, with which digits, and is it believed?

`published.csv`, one printed figure a row: `id, moment, area, field, printed, unit, of, believed, source, reason`.

* `area`: an area's code, `nation`, or the name of a group of areas in `reconstruction.yaml`.
* `unit`: `count`; `percent` of the field `of` (rounded half up to the printed digits); `above` (more than this
  percentage of the field `of`); `thousands` ("411 thousand and more": whole thousands, cut off).
* `believed`: `yes`, `no`, or `assumed` (two texts differ and nobody knows which is right; this one is used).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from dauys.errors import BadInput, DauysError
from dauys.law.files import read_text

NATION = "nation"
_COLUMNS = ["id", "moment", "area", "field", "printed", "unit", "of", "believed", "source", "reason"]
_UNITS = ("count", "percent", "above", "thousands")
_BELIEVED = ("yes", "no", "assumed")


class Contradiction(DauysError):
    """Published figures that cannot all be true; `figures` are their ids."""

    def __init__(self, figures: Iterable[str], why: str) -> None:
        self.figures = tuple(dict.fromkeys(figures))
        super().__init__(
            f"no reconstruction exists: {why}; figures in conflict: {_named(self.figures)}. "
            "Mark the misprinted figure as not believed in published.csv, with the reason."
        )


def _named(ids: tuple[str, ...]) -> str:
    """The ids in a row; four or more that differ only in their area are drawn together: `turnout-12:00-* (17)`."""
    stems = Counter(i.rpartition("-")[0] for i in ids)
    shown = []
    for i in ids:
        stem = i.rpartition("-")[0]
        shown.append(f"{stem}-* ({stems[stem]})" if stem and stems[stem] > 3 else i)
    return ", ".join(dict.fromkeys(shown))


@dataclass(frozen=True, slots=True)
class Figure:
    """One printed figure. `printed` keeps the digits as text: "71.00" and "71.0" are two different statements."""

    id: str
    moment: str
    area: str
    field: str
    printed: str
    unit: str
    of: str
    believed: str
    source: str
    reason: str

    @property
    def used(self) -> bool:
        """Whether the reconstruction has to agree with it."""
        return self.believed != "no"

    @property
    def digits(self) -> int:
        """How many decimals were printed."""
        return len(self.printed.partition(".")[2])

    @property
    def value(self) -> Fraction:
        return Fraction(self.printed)

    def share(self) -> tuple[Fraction, Fraction]:
        """The shares of the base that print as this percentage: lowest (included) and highest (excluded), half up."""
        half = Fraction(1, 2 * 10**self.digits)
        return (self.value - half) / 100, (self.value + half) / 100

    def limits(self, base: int | None) -> tuple[int, int | None]:
        """The lowest and highest whole number that prints as this figure; `base` is the field `of`, for percentages."""
        if self.unit == "count":
            return int(self.value), int(self.value)
        if self.unit == "thousands":
            return 1000 * int(self.value), 1000 * int(self.value) + 999
        if base is None:
            raise ValueError(f"{self.id}: a percentage needs its base")
        if self.unit == "above":
            return int(self.value * base // 100) + 1, None
        low, high = self.share()
        return -int(-low * base // 1), -int(-high * base // 1) - 1

    def printed_from(self, value: int, base: int | None) -> str:
        """How `value` would have been printed in this figure's unit and digits."""
        if self.unit == "count":
            return str(value)
        if self.unit == "thousands":
            return str(value // 1000)
        return percent(value, base or 0, 2 if self.unit == "above" else self.digits)

    def agrees(self, value: int, base: int | None) -> bool:
        """Whether `value` prints as this figure (or lies above it)."""
        low, high = self.limits(base)
        return low <= value and (high is None or value <= high)


def percent(value: int, base: int, digits: int) -> str:
    """The percentage of value in base with so many decimals, rounded half up; `-` where the base is 0."""
    if base <= 0:
        return "-"
    unit = 10**digits
    hundredths = (2 * 100 * unit * value + base) // (2 * base)
    return f"{hundredths // unit}.{hundredths % unit:0{digits}d}" if digits else str(hundredths)


def read_figures(file: Path) -> tuple[Figure, ...]:
    """All rows of `published.csv`. Raises `BadInput` naming file, row and field."""
    rows = list(csv.reader(read_text(file).splitlines()))
    if not rows or rows[0] != _COLUMNS:
        raise BadInput("wrong columns", file=file, row=1, found=rows[0] if rows else "", expected=", ".join(_COLUMNS))
    figures: dict[str, Figure] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(_COLUMNS):
            raise BadInput("wrong number of fields", file=file, row=number, found=len(row), expected=str(len(_COLUMNS)))
        figure = Figure(*row)
        _check(figure, file, number)
        if figure.id in figures:
            raise BadInput("the same id twice", file=file, row=number, field="id", found=figure.id)
        figures[figure.id] = figure
    return tuple(figures.values())


def _check(figure: Figure, file: Path, row: int) -> None:
    def refuse(field: str, expected: str) -> BadInput:
        found = getattr(figure, field)
        return BadInput("cannot be used", file=file, row=row, field=field, found=found, expected=expected)

    if figure.unit not in _UNITS:
        raise refuse("unit", ", ".join(_UNITS))
    if figure.believed not in _BELIEVED:
        raise refuse("believed", ", ".join(_BELIEVED))
    whole, dot, decimals = figure.printed.partition(".")
    if not (whole.isascii() and whole.isdigit()) or (dot and not (decimals.isascii() and decimals.isdigit())):
        raise refuse("printed", "digits, and a point before decimals")
    relative = figure.unit in ("percent", "above")
    if dot and not relative:
        raise refuse("printed", "a whole number")
    if bool(figure.of) != relative:
        raise refuse("of", "the base of a percentage, and nothing for a count")
    for field in ("id", "moment", "area", "field", "source"):
        if not getattr(figure, field):
            raise refuse(field, "something")
    if figure.believed != "yes" and not figure.reason:
        raise refuse("reason", "why it is not simply believed")
