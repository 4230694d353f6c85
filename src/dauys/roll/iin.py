"""Is this an individual identification number (IIN) of Kazakhstan, and when was its holder born?

Twelve digits: birth date YYMMDD, century and sex (1, 2: born 18xx, a man, a woman; 3, 4: 19xx; 5, 6: 20xx; 0: a foreigner),
four digits of a serial number, one check digit. Check digit: the sum of the first eleven digits with weights 1 to 11, modulo
11; if that is 10, again with weights 3 to 11, 1, 2; if that is 10 too, there is no such number. Government resolution No. 565
of 11 June 2003 (programme of the national registers of identification numbers).

Every rule is here once, over whole columns (`Iins`); the functions for one number are a column of one. Numpy is loaded with the
first column: a program that reads none, or none yet, starts sooner without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

LENGTH = 12
WEIGHTS = ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2))
_MONTH_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

Mask: TypeAlias = "npt.NDArray[np.bool_]"
Numbers: TypeAlias = "npt.NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class Iins:
    """A column of IINs, read. Each mask says which rows pass; a later one says nothing where an earlier one is false.

    `digits`: twelve digits. `checked`: the check digit is right. `dated`: century digit and birth date exist.
    `citizen`: not the number of a foreigner, whose century digit is 0. `number` is the IIN as a whole number, `born` the
    birth date as YYYYMMDD; both are 0 where unknown.
    """

    digits: Mask
    checked: Mask
    citizen: Mask
    dated: Mask
    number: Numbers
    born: Numbers

    @property
    def good(self) -> Mask:
        """The rows that are IINs of citizens."""
        return self.digits & self.checked & self.citizen & self.dated


def read_iins(texts: pl.Series) -> Iins:
    """A column of texts (no nulls) read as IINs, without blanks around them."""
    import numpy as np
    import polars as pl

    digits = texts.str.contains("^[0-9]{12}$").to_numpy()
    plain = texts.set(pl.Series(~digits), "0" * LENGTH) if not digits.all() else texts
    figures = np.frombuffer("".join(plain.to_list()).encode(), np.uint8).reshape(-1, LENGTH).astype(np.int64) - ord("0")
    return _read(figures, digits)


def _read(figures: Numbers, digits: Mask) -> Iins:
    import numpy as np

    check = check_digits(figures[:, :11])
    century = figures[:, 6]
    year = (17 + (century + 1) // 2) * 100 + figures[:, 0] * 10 + figures[:, 1]
    month = figures[:, 2] * 10 + figures[:, 3]
    day = figures[:, 4] * 10 + figures[:, 5]
    dated = digits & (century >= 1) & (century <= 6) & real_dates(year, month, day)
    number = figures @ (10 ** np.arange(LENGTH - 1, -1, -1, dtype=np.int64))
    return Iins(
        digits=digits,
        checked=digits & (check == figures[:, 11]),
        citizen=digits & (century != 0),
        dated=dated,
        number=np.where(digits, number, 0),
        born=np.where(dated, year * 10_000 + month * 100 + day, 0),
    )


def check_digits(figures: Numbers) -> Numbers:
    """The check digit of each row of eleven digits; 10 where there is none and the number cannot be given out."""
    import numpy as np

    first = figures @ WEIGHTS[0] % 11
    return np.where(first == 10, figures @ WEIGHTS[1] % 11, first)


def real_dates(year: Numbers, month: Numbers, day: Numbers) -> Mask:
    """Which days exist in the Gregorian calendar."""
    import numpy as np

    known = (month >= 1) & (month <= 12)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length = np.take(_MONTH_DAYS, np.where(known, month, 0)) + (leap & (month == 2))
    good: Mask = known & (day >= 1) & (day <= length)
    return good


def is_iin(text: str) -> bool:
    """Whether the text is the IIN of a citizen."""
    return bool(_one(text).good[0])


def born(text: str) -> date:
    """The birth date in a good IIN. ValueError, without the number, for any other text."""
    found = _one(text)
    if not found.good[0]:
        raise ValueError("not an IIN")
    day = int(found.born[0])
    return date(day // 10_000, day // 100 % 100, day % 100)


def _one(text: str) -> Iins:
    import numpy as np

    digits = len(text) == LENGTH and text.isascii() and text.isdigit()
    figures = np.frombuffer((text if digits else "0" * LENGTH).encode(), np.uint8).reshape(1, -1).astype(np.int64)
    return _read(figures - ord("0"), np.array([digits]))


def check_digit(first: Sequence[int]) -> int | None:
    """The twelfth digit for the first eleven; None where there is none."""
    import numpy as np

    found = int(check_digits(np.array([first], np.int64))[0])
    return None if found == 10 else found


def masked(text: str) -> str:
    """What a message may show of an IIN: how long it is and its last two characters."""
    return "*" * max(0, len(text) - 2) + text[-2:] if len(text) > 4 else "*" * len(text)
