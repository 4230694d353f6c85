"""Formulas are exact, their roundings declared, their units checked."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.law.formula import Formula


def value(text: str, **values: int | Fraction) -> int | Fraction:
    return Formula.parse(text).evaluate(values)


def test_the_senate() -> None:
    formula = Formula.parse("2 * areas.regions + senate.quota")
    assert formula.names == ("areas.regions", "senate.quota")
    assert formula.evaluate({"areas.regions": 17, "senate.quota": 15}) == 49
    assert formula.evaluate({"areas.regions": 20, "senate.quota": 10}) == 50


def test_seventy_of_ninety_eight_with_its_declared_rounding() -> None:
    assert value("share * seats", share=Fraction(7, 10), seats=98) == Fraction(343, 5)
    assert value("round_half_up(share * seats)", share=Fraction(7, 10), seats=98) == 69
    assert value("seats - round_half_up(7/10 * seats)", seats=98) == 29
    assert value("ceil(2/3 * areas)", areas=17) == 12
    assert value("ceil(2/3 * areas)", areas=18) == 12


def test_order_of_operations_is_that_of_school() -> None:
    assert value("2 + 3 * 4 - 6 / 4") == Fraction(25, 2)
    assert value("(2 + 3) * 4") == 20
    assert value("10 - 3 - 2") == 5
    assert value("min(3, 7 / 2) + max(1, 2)") == 5


@given(st.fractions(min_value=-1000, max_value=1000, max_denominator=50))
@settings(max_examples=80)
def test_roundings(number: Fraction) -> None:
    assert value("ceil(x)", x=number) == math.ceil(number)
    assert value("floor(x)", x=number) == math.floor(number)
    rounded = value("round_half_up(x)", x=number)
    assert isinstance(rounded, int)
    assert number - Fraction(1, 2) < rounded <= number + Fraction(1, 2)


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.integers(0, 10**12))
@settings(max_examples=50)
def test_no_float_decides(a: int, b: int, c: int) -> None:
    assert value("a / b * b - a + c", a=a, b=b, c=c) == c


@pytest.mark.parametrize(
    "text",
    [
        "", "1.5 * a", "a ** 2", "a // 2", "a % 2", "-a", "a if b else c", "__import__('os')", "a()", "ceil(a, b)",
        "min(a)", "ceil(x=a)", "a.b(c)", "1_000", "0x10", "a < b", "[a]", "(a, b)", "a +", "lambda: 1", "ceil()",
        "(" * 300, "true", "a b", "A + 1", "a\n+ b", "1e3", "007" * 9,
    ],
)  # fmt: skip
def test_whatever_is_not_in_the_grammar_is_refused(text: str) -> None:
    if text == "true":  # a name like any other: no rule is called so
        assert Formula.parse(text).names == ("true",)
        return
    with pytest.raises(BadInput, match="cannot be read as a formula"):
        Formula.parse(text)


def test_dividing_by_nothing_is_one_message() -> None:
    with pytest.raises(BadInput, match="divides by nothing"):
        value("a / (b - b)", a=1, b=2)


UNITS = {"n": "count", "m": "count", "s": "share", "t": "KZT", "w": "MW", "d": "month", "h": "hour"}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("2 * n + m", "count"), ("s * n", "count"), ("1 - s", None), ("w * t", "KZT"), ("n * t", "KZT"), ("t / n", "KZT"),
        ("n / m", None), ("t / t", None), ("d + 1", "month"), ("min(t, n * t)", "KZT"), ("2 / 3", None),
    ],
)  # fmt: skip
def test_units_of_results(text: str, unit: str | None) -> None:
    assert Formula.parse(text).unit(UNITS.__getitem__) == unit


@pytest.mark.parametrize("text", ["n + t", "d + h", "t * t", "d * h", "n / t", "max(t, n)", "w + t", "t - d"])
def test_units_that_do_not_fit(text: str) -> None:
    with pytest.raises(BadInput, match="units do not fit"):
        Formula.parse(text).unit(UNITS.__getitem__)
