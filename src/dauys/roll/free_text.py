"""Does a text that somebody types, a reason or a remark, hold an IIN? Such a text is kept for good, and many may read it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from dauys.errors import BadInput
from dauys.roll.iin import LENGTH, is_iin

CHECK = "P.077"

_NUMBER = re.compile(r"[0-9]+(?:(?:[^\w:]|_){1,3}[0-9]+)*")
"""Digits in a row, or in groups as people write them: with blanks, dashes, dots or the like between. A colon stands in a time of
day alone."""

_D, _M, _Y = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_HOUR = r"\W{1,3}(?:[01]?[0-9]|2[0-3])[:.][0-5][0-9]"
_DAY = re.compile(rf"(?<![0-9])(?:{_D}([./-]){_M}\1{_Y}|{_Y}([./-]){_M}\2{_D})(?={_HOUR})")
"""A day as people write it, before the time of day (05.06.2022 11:05): they have twelve digits, too, and the check digit
lets every tenth of them through."""


def no_iin(text: str, field: str = "reason") -> str:
    """The text as it is. Raises BadInput P.077, without the number, where twelve digits, also in groups, are an IIN."""
    if holds_iin(text):
        raise BadInput("an IIN stands here: say it without the number, and without a name", field=field, check=CHECK)
    return text


def holds_iin(text: str) -> bool:
    """Whether twelve digits of a text, also in groups, are an IIN."""
    plain = unicodedata.normalize("NFKC", text)
    digits = _DAY.sub("day", "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in plain))
    twelve = {one for number in _NUMBER.finditer(digits) for one in _twelve(re.findall("[0-9]+", number[0]))}
    return any(map(is_iin, twelve))


def _twelve(groups: Sequence[str]) -> Iterator[str]:
    """What groups that follow each other have twelve digits together."""
    for start in range(len(groups)):
        several = ""
        for group in groups[start : start + LENGTH]:
            several += group[: LENGTH + 1]
            if len(several) >= LENGTH:
                break
        if len(several) == LENGTH:
            yield several
