"""The rule of the IIN, against public examples, sums done by hand, and a second writing of the rule."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.roll.iin import born, check_digit, is_iin, masked, read_iins

PUBLIC = ["791028302728", "061211600012"]
"""Printed as valid in the descriptions of two libraries that check IINs (py-kz-validators, kz-iin-validator)."""


def by_the_book(text: str) -> bool:
    """The rule again, digit by digit, as the resolution tells it."""
    if len(text) != 12 or any(c not in "0123456789" for c in text):
        return False
    digits = [int(c) for c in text]
    total = sum(digit * weight for digit, weight in zip(digits, range(1, 12), strict=False)) % 11
    if total == 10:
        weights = [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]
        total = sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11
    if total == 10 or total != digits[11] or digits[6] not in range(1, 7):
        return False
    try:
        date([1800, 1900, 2000][(digits[6] - 1) // 2] + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return False
    return True


def test_a_program_that_reads_no_number_starts_without_numpy() -> None:
    code = "import sys, dauys.roll.iin; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("text", PUBLIC)
def test_public_examples_hold_and_no_other_check_digit_does(text: str) -> None:
    assert [is_iin(text[:11] + str(digit)) for digit in range(10)].index(True) == int(text[11])
    assert sum(is_iin(text[:11] + str(digit)) for digit in range(10)) == 1


def test_sums_done_by_hand() -> None:
    # 1*7+2*9+3*1+4*0+5*2+6*8+7*3+8*0+9*2+10*7+11*2 = 217 = 19*11 + 8
    assert check_digit([7, 9, 1, 0, 2, 8, 3, 0, 2, 7, 2]) == 8
    # 1*8+2*0+3*0+4*1+5*0+6*1+7*3+8*0+9*0+10*0+11*0 = 39 = 3*11 + 6
    assert check_digit([8, 0, 0, 1, 0, 1, 3, 0, 0, 0, 0]) == 6
    # 1*8+4*1+6*1+7*3+8*6 = 87 = 7*11 + 10, so with the other weights: 3*8+6*1+8*1+9*3+10*6 = 125 = 11*11 + 4
    assert check_digit([8, 0, 0, 1, 0, 1, 3, 6, 0, 0, 0]) == 4
    # 1*8+4*1+6*1+7*3+8*0+9*0+10*0 = 39; a 4 in place eight adds 32: 71 = 6*11 + 5; a 5 adds 40: 79 = 7*11 + 2
    assert check_digit([8, 0, 0, 1, 0, 1, 3, 4, 0, 0, 0]) == 5
    assert check_digit([8, 0, 0, 1, 0, 1, 3, 5, 0, 0, 0]) == 2


def test_some_beginnings_have_no_check_digit() -> None:
    none = next(
        digits
        for serial in range(10_000)
        if check_digit(digits := [8, 0, 0, 1, 0, 1, 3, *(int(c) for c in f"{serial:04}")]) is None
    )
    for weights in (range(1, 12), (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)):
        assert sum(digit * weight for digit, weight in zip(none, weights, strict=True)) % 11 == 10
    first = "".join(map(str, none))
    assert not any(is_iin(f"{first}{digit}") for digit in range(10))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.from_regex(r"[0-9]{2}[01][0-9][0-3][0-9][0-7][0-9]{5}", fullmatch=True) | st.text(max_size=14), max_size=30
    )
)
def test_columns_agree_with_the_rule_digit_by_digit(texts: list[str]) -> None:
    texts = [*texts, *PUBLIC]
    assert read_iins(pl.Series(texts, dtype=pl.String)).good.tolist() == [by_the_book(text) for text in texts]


def test_birth_date_and_century() -> None:
    assert born("791028302728") == date(1979, 10, 28)
    assert born("061211600012") == date(2006, 12, 11)
    with pytest.raises(ValueError, match=r"^not an IIN$"):
        born("791028302729")


def test_a_foreigners_number_is_told_apart() -> None:
    first = [7, 9, 1, 0, 2, 8, 0, 0, 2, 7, 2]
    text = "".join(map(str, first)) + str(check_digit(first))
    found = read_iins(pl.Series([text]))
    assert found.checked[0] and not found.citizen[0] and not found.good[0]


def test_what_a_message_shows() -> None:
    assert masked("791028302728") == "**********28"
    assert masked("1234") == "****" and masked("") == ""
