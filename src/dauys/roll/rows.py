"""Which rows of a file can be taken onto the roll, and what is wrong with each of the others?

Whole columns at once; only a row that fails is looked at by itself. What is shown of a fault is never personal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl

from dauys.registers.parts import Texts
from dauys.roll.catalogue import BROKEN, NOT_YET
from dauys.roll.iin import Iins, Mask, Numbers, masked, read_iins, real_dates
from dauys.roll.voter import ADULT, ELIGIBLE, FOR_GOOD, STATUSES, day_number

REQUIRED = ("iin", "born", "surname", "given", "station")
OPTIONAL = (
    "patronymic", "surname_kk", "given_kk", "patronymic_kk", "locality", "street", "house", "flat",
    "status", "since", "until", "source",
)  # fmt: skip
COLUMNS = REQUIRED + OPTIONAL
OLDEST = 120
LONGEST, LONGEST_CODE = 200, 30

ZEROS_OFF = "perhaps a spreadsheet or a column of numbers took zeros off its beginning; keep IINs as text"

_UNPRINTED = r"\p{C}"
_SHORT = re.compile("[1-9][0-9]{6,10}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the row and field of the file, the number of the check, what may be shown of the value, more to say."""

    row: int
    field: str
    check: str
    shown: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What rows are held against: the stations and their areas, the poll's day, the day on which the file came in."""

    stations: Mapping[str, str]
    day: date
    today: date
    source: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows, checked: the good ones, as columns `COLUMNS` and `area`; the faults of the others; every row's IIN or 0.

    `bad` and `late` are the rows that are not good: bad ones, and those that only came too early (NOT_YET).
    """

    good: pl.DataFrame
    faults: list[Fault]
    bad: Mask
    late: Mask
    iins: Numbers


def check_rows(texts: Texts, terms: Terms) -> Rows:
    """Checks rows, each by itself: whether an IIN came before is for who knows the rows before (`Seen`)."""
    there = texts.frame.columns
    frame = texts.frame.select(
        pl.col(name).str.strip_chars() if name in there else pl.lit("").alias(name) for name in COLUMNS
    )
    status, source = pl.col("status"), pl.col("source")
    voting = (status == "") | (status == ELIGIBLE)  # an exclusion must name its own source (R.015)
    frame = frame.with_columns(
        pl.when(status == "").then(pl.lit(ELIGIBLE)).otherwise(status).alias("status"),
        pl.when(voting & (source == "")).then(pl.lit(terms.source)).otherwise(source).alias("source"),
        pl.col("station").replace_strict(terms.stations, default="", return_dtype=pl.String).alias("area"),
    )
    iins = read_iins(frame["iin"])
    printed = texts.printed and terms.source.isprintable()
    raised = [*_raised(frame, iins, terms), *_raised_by_text(frame, printed)]
    bad = np.zeros(len(frame), np.bool_)
    for check, _, mask in raised:
        if check != NOT_YET:
            bad = bad | mask
    late = np.zeros(len(frame), np.bool_)
    faults = []
    for check, field, mask in raised:
        if check == NOT_YET:
            late = mask & ~bad
            mask = late
        for place in np.flatnonzero(mask).tolist():
            value = frame[field][place]
            more = ZEROS_OFF if check == "R.001" and _SHORT.fullmatch(value) else ""
            faults.append(Fault(texts.first_row + place, field, check, _shown(check, value, terms), more))
    if texts.broken:
        faults = [fault for fault in faults if fault.row not in texts.broken]
        faults += [Fault(row, "", BROKEN, "", what) for row, what in texts.broken.items()]
    faults.sort(key=lambda fault: fault.row)
    good = ~(bad | late)
    return Rows(
        good=frame if good.all() else frame.filter(pl.Series(good)),
        faults=faults,
        bad=bad,
        late=late,
        iins=np.where(iins.good, iins.number, 0),
    )


def _raised(frame: pl.DataFrame, iins: Iins, terms: Terms) -> Iterator[tuple[str, str, Mask]]:
    """Each check with its field and the rows that raise it."""
    yield "R.001", "iin", ~iins.digits
    yield "R.002", "iin", iins.digits & ~iins.checked
    yield "R.003", "iin", iins.checked & iins.citizen & ~iins.dated
    yield "R.004", "iin", iins.checked & ~iins.citizen
    is_date, born = _dates(frame["born"])
    day = day_number(terms.day)
    yield "R.005", "born", ~is_date
    yield "R.006", "born", is_date & iins.good & (born != iins.born)
    future = is_date & (born > day_number(terms.today))
    yield "R.007", "born", future
    yield "R.008", "born", is_date & ~future & (born + ADULT * 10_000 > day)
    yield "R.016", "born", is_date & (born + OLDEST * 10_000 < day)
    yield "R.010", "station", _empty(frame, "area")
    for name in ("surname", "given"):
        yield "R.011", name, _empty(frame, name)
    yield "R.012", "status", ~frame["status"].is_in(list(STATUSES)).to_numpy()
    yield from _raised_by_days(frame)


def _raised_by_days(frame: pl.DataFrame) -> Iterator[tuple[str, str, Mask]]:
    """R.013 and R.015, in the few chunks that have a day or an exclusion at all."""
    excluded = (frame["status"] != ELIGIBLE).to_numpy()
    dated = {name: ~_empty(frame, name) for name in ("since", "until")}
    if not (excluded.any() or dated["since"].any() or dated["until"].any()):
        return
    (since_good, since), (until_good, until) = (_dates(frame[name]) for name in ("since", "until"))
    yield "R.013", "since", dated["since"] & ~since_good
    for_good = frame["status"].is_in(list(FOR_GOOD)).to_numpy()
    yield "R.013", "until", dated["until"] & (~until_good | for_good | (since_good & (until < since)))
    yield "R.015", "since", excluded & ~dated["since"]
    yield "R.015", "source", excluded & _empty(frame, "source")


def _raised_by_text(frame: pl.DataFrame, printed: bool) -> Iterator[tuple[str, str, Mask]]:
    """R.014: one look at all texts together, and at each only where that found something."""
    odd = pl.lit(False) if printed else pl.concat_str(COLUMNS).str.contains(_UNPRINTED).any()
    longest = pl.max_horizontal(pl.col(COLUMNS).str.len_bytes().max())
    if not any(frame.select(odd=odd, long=longest > LONGEST).row(0)):
        return
    for name in COLUMNS:
        column = frame[name]
        yield "R.014", name, (column.str.contains(_UNPRINTED) | (column.str.len_chars() > LONGEST)).to_numpy()


def _empty(frame: pl.DataFrame, name: str) -> Mask:
    return (frame[name] == "").to_numpy()


def _dates(texts: pl.Series) -> tuple[Mask, Numbers]:
    """Which texts are dates, YYYY-MM-DD, and these as YYYYMMDD (0 for the others)."""
    shaped = texts.str.contains("^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$").to_numpy()
    if not shaped.any():
        return shaped, np.zeros(len(texts), np.int64)
    plain = texts if shaped.all() else texts.set(pl.Series(~shaped), "1000-01-01")
    figures = np.frombuffer("".join(plain.to_list()).encode(), np.uint8).reshape(-1, 10).astype(np.int64) - ord("0")
    year = figures[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = figures[:, 5] * 10 + figures[:, 6], figures[:, 8] * 10 + figures[:, 9]
    good = shaped & real_dates(year, month, day)
    return good, np.where(good, year * 10_000 + month * 100 + day, 0)


def _shown(check: str, value: str, terms: Terms) -> str:
    """What may be shown: an IIN masked; a code of the form that stations' codes have here; of all else only how long it is.

    Where columns are shifted, anything may stand for a station: a name, a birth date, an IIN with hyphens.
    """
    if check in {"R.001", "R.002", "R.003", "R.004"}:
        return masked(value)
    if check == "R.010" and _form(value) in _forms(frozenset(terms.stations)):
        return value
    return "" if not value else f"({len(value)} characters)"


def _form(code: str) -> str:
    """`KZ11-0001` as `AA00-0000`; of what has no digit, or is no code, nothing."""
    plain = code.isascii() and any(char.isdigit() for char in code) and len(code) <= LONGEST_CODE
    return re.sub("[0-9]", "0", re.sub("[A-Za-z]", "A", code)) if plain else ""


@lru_cache(4)
def _forms(stations: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_form, stations)) - {""}


class Seen:
    """Which IINs a file had so far: one bit for each that there can be, in memory that is only taken where it is used."""

    SERIALS = 10_000

    def __init__(self) -> None:
        births = 3 * 100 * 12 * 31 * 2  # century, year, month, day, sex
        self._bits = np.zeros(births * self.SERIALS // 8, np.uint8)
        self._twice: list[Numbers] = []

    def again(self, numbers: Numbers, good: Mask) -> Mask:
        """Which of the good numbers came before, in this column or an earlier one."""
        place = np.where(good, self._place(numbers), -1 - np.arange(len(numbers)))
        places, firsts = np.unique(place, return_index=True)
        places, firsts = places[places >= 0], firsts[places >= 0]
        byte, bit = places >> 3, (1 << (places & 7)).astype(np.uint8)
        known = good.copy()
        known[firsts] = self._bits[byte] & bit != 0
        if len(byte):  # several new bits of one byte are joined first
            starts = np.flatnonzero(np.concatenate([[True], byte[1:] != byte[:-1]]))
            self._bits[byte[starts]] |= np.bitwise_or.reduceat(bit, starts)
        if known.any():
            self._twice.append(numbers[known])
        return known

    def twice(self) -> Numbers:
        """The numbers that came more than once, sorted."""
        return np.unique(np.concatenate(self._twice)) if self._twice else np.zeros(0, np.int64)

    def _place(self, numbers: Numbers) -> Numbers:
        serial, century = numbers // 10 % self.SERIALS, np.maximum(numbers // 100_000 % 10, 1) - 1
        day, month, year = numbers // 1_000_000 % 100, numbers // 10**8 % 100, numbers // 10**10
        birth = (((century // 2 * 100 + year) * 12 + np.clip(month - 1, 0, 11)) * 31 + np.clip(day - 1, 0, 30)) * 2
        place: Numbers = np.clip((birth + century % 2) * self.SERIALS + serial, 0, len(self._bits) * 8 - 1)
        return place
