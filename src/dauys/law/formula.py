"""Which number follows from other numbers of the law? `2 * areas.regions + senate.presidential_quota`, exactly.

Whole numbers, names of rules, `areas.NAME` (counts of areas on the day, given by the caller), `+ - * /`, parentheses,
`min(x, y)`, `max(x, y)` and the declared roundings `ceil(x)`, `floor(x)`, `round_half_up(x)`. No decimals: `7/10`.
Every step is an int or a Fraction. Units are checked: what is added has one unit; a share or a plain number is a factor
of anything; a count times a unit is that unit; MW (MCI) times KZT is KZT.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NoReturn

from dauys.errors import BadInput

AREAS = "areas."
"""What the names of counts of areas begin with."""

Number = int | Fraction

_CHARACTERS = re.compile(r"[a-z0-9_.+\-*/(), ]{1,400}")
_INTEGER = re.compile(r"[0-9]{1,18}")
_GRAMMAR = "whole numbers, names, + - * /, parentheses, ceil, floor, round_half_up, min, max"
_ROUNDINGS: dict[str, Callable[[Number], int]] = {
    "ceil": lambda number: -int(-number // 1),
    "floor": lambda number: int(number // 1),
    "round_half_up": lambda number: int((number + Fraction(1, 2)) // 1),
}
_CHOICES: dict[str, Callable[[Number, Number], Number]] = {"min": min, "max": max}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as written, with the names in it, each once."""

    text: str
    names: tuple[str, ...]
    _tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Read a formula; raises `BadInput` (without a place: the caller knows it)."""
        if not _CHARACTERS.fullmatch(text):
            _refuse(text)
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            _refuse(text)
        names: dict[str, None] = {}
        _check(tree, text.strip(), names)
        return cls(text, tuple(names), tree)

    def evaluate(self, values: Mapping[str, Number]) -> Number:
        """The exact number; raises `BadInput` on division by nothing, KeyError where a name is absent."""
        try:
            return _evaluate(self._tree, values)
        except ZeroDivisionError:
            raise BadInput("a formula divides by nothing", found=self.text, expected="a divisor above 0") from None

    def unit(self, unit_of: Callable[[str], str]) -> str | None:
        """The unit of the result, None for a plain number or a share; raises `BadInput` where units do not fit."""
        return _unit(self._tree, unit_of, self.text)


def _refuse(text: str, found: object = None) -> NoReturn:
    raise BadInput("cannot be read as a formula", found=text if found is None else found, expected=_GRAMMAR)


def _name(node: ast.expr) -> str | None:
    """`senate.quota` from its nested attributes."""
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def _check(node: ast.expr, text: str, names: dict[str, None]) -> None:
    name = _name(node)
    match node:
        case _ if name is not None:
            names[name] = None
        case ast.Constant() if _INTEGER.fullmatch(ast.get_source_segment(text, node) or ""):
            pass
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            _check(node.left, text, names)
            _check(node.right, text, names)
        case ast.Call(func=ast.Name(id=called), args=arguments, keywords=[]) if len(arguments) == (
            1 if called in _ROUNDINGS else 2 if called in _CHOICES else -1
        ):
            for argument in arguments:
                _check(argument, text, names)
        case _:
            _refuse(text, ast.get_source_segment(text, node))


def _evaluate(node: ast.expr, values: Mapping[str, Number]) -> Number:
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.BinOp(left=left, op=op, right=right):
            one, other = _evaluate(left, values), _evaluate(right, values)
            match op:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case _:
                    return Fraction(one) / other
        case ast.Call(func=ast.Name(id=called), args=arguments):
            given = [_evaluate(argument, values) for argument in arguments]
            return _ROUNDINGS[called](given[0]) if called in _ROUNDINGS else _CHOICES[called](given[0], given[1])
        case _:
            return values[_name(node) or ""]


def _unit(node: ast.expr, unit_of: Callable[[str], str], text: str) -> str | None:
    match node:
        case ast.Constant():
            return None
        case ast.BinOp(left=left, op=op, right=right):
            one, other = _unit(left, unit_of, text), _unit(right, unit_of, text)
            return _combine(one, other, op, text)
        case ast.Call(args=[only]):
            return _unit(only, unit_of, text)
        case ast.Call(args=[left, right]):
            return _combine(_unit(left, unit_of, text), _unit(right, unit_of, text), ast.Add(), text)
        case _:
            unit = unit_of(_name(node) or "")
            return None if unit == "share" else unit


def _combine(one: str | None, other: str | None, op: ast.operator, text: str) -> str | None:
    match op, one, other:
        case ast.Div(), _, _ if one == other:
            return None
        case ast.Div(), _, None | "count":
            return one
        case ast.Mult(), None | "count", _:
            return other or one
        case ast.Mult(), _, None | "count":
            return one
        case ast.Mult(), ("MW" | "MCI"), "KZT":
            return "KZT"
        case ast.Mult(), "KZT", ("MW" | "MCI"):
            return "KZT"
        case ((ast.Add() | ast.Sub()), _, _) if one is None or other is None or one == other:
            return one or other
    raise BadInput("units do not fit", found=f"{one or 'a number'} and {other or 'a number'} in {text}")
