"""In which unit is a value of the law given, and which values does the unit admit?

    count                                   whole number
    share                                   exact fraction from 0 to 1: `2/3`
    KZT, MW, MCI                            whole number of tenge, monthly minimum wages, monthly calculation indices
    minute, hour, day, calendar_day, working_day, sitting_day, month, year      whole number
    time                                    time of day, quoted: "18:00"
    date                                    2022-12-31
    boolean                                 true or false
    text, list                              a text, a list of texts
    majority                                a text that `dauys.law.majority.parse` reads

`day` is a day of which the law does not say how it is counted: no deadline follows from it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from fractions import Fraction

from dauys.errors import BadInput
from dauys.law.files import Node
from dauys.law.majority import parse

Scalar = int | Fraction | bool | str | tuple[str, ...] | datetime.date | datetime.time
"""What a value of the law is, once read. A share is a Fraction, every other number an int."""

MONEY = ("KZT", "MW", "MCI")
DURATIONS = ("minute", "hour", "day", "calendar_day", "working_day", "sitting_day", "month", "year")
WHOLE = ("count", *MONEY, *DURATIONS)
"""The units of whole numbers."""
NUMERIC = (*WHOLE, "share")
"""The units that a formula can compute with."""


def one_family(unit: str, other: str) -> bool:
    """Whether one rule may be given in either unit at different times."""
    return unit == other or any(unit in family and other in family for family in (MONEY, DURATIONS))


def read_value(node: Node, unit: str) -> Scalar:
    """The value that a node gives in a unit; raises `BadInput` where it does not fit."""
    return _READERS[unit](node)


def fit(number: Fraction | int, unit: str) -> int | Fraction | None:
    """A computed number as a value of a unit; None where it is none: a count that is not whole, a share above 1."""
    if number < 0 or (unit == "share" and number > 1):
        return None
    if unit == "share":
        return Fraction(number)
    return int(number) if Fraction(number).denominator == 1 else None


def _whole(node: Node) -> int:
    return node.integer(at_least=0)


def _share(node: Node) -> Fraction:
    share = node.fraction()
    if share > 1:
        node.fail("not a share", found=share, expected="at most 1")
    return share


def _time(node: Node) -> datetime.time:
    time = node.time()
    if not getattr(node.raw, "style", None):
        node.fail("a time without quotes is a number in YAML", found=node.text(), expected=f'"{node.text()}"')
    return time


def _list(node: Node) -> tuple[str, ...]:
    return tuple(item.text() for item in node.items())


def _majority(node: Node) -> str:
    text = node.text()
    try:
        parse(text)
    except BadInput as error:
        node.fail(error.message, found=error.found, expected=error.expected)
    return text


_READERS: dict[str, Callable[[Node], Scalar]] = {
    **dict.fromkeys(WHOLE, _whole),
    "share": _share,
    "time": _time,
    "date": Node.date,
    "boolean": Node.boolean,
    "text": Node.text,
    "list": _list,
    "majority": _majority,
}
UNITS = tuple(_READERS)
