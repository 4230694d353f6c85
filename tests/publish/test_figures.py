"""Is every percentage made from exact integers, half up, and written as the language writes it?"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.publish.figures import number, percent, percent_text


def test_published_percentages_of_2022() -> None:
    assert percent(6_163_516, 7_985_769) == "77.18"
    assert percent(7_985_769, 11_734_642) == "68.05"
    assert percent(125_859, 7_985_769) == "1.58"


def test_halves_go_up_and_nothing_of_nothing_is_not_a_share() -> None:
    assert percent(1, 8, 2) == "12.50" and percent(1, 800) == "0.13" and percent(1, 8, 0) == "13"
    assert percent(Fraction(1, 2)) == "50.00" and percent(0, 5) == "0.00" and percent(0, 0) is None
    assert percent(-1, 800) == "-0.13" and percent(-1, 10**9) == "0.00"


@settings(max_examples=80)
@given(st.integers(0, 10**9), st.integers(0, 12), st.integers(0, 7), st.integers(0, 4))
def test_it_agrees_with_decimal(part: int, twos: int, fives: int, places: int) -> None:
    whole = 2**twos * 5**fives  # the quotient ends, so Decimal is exact too
    exact = Decimal(part) * 100 / Decimal(whole)
    assert percent(part, whole, places) == str(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def test_numbers_are_grouped_without_a_place_to_break() -> None:
    assert number(11_734_642, "en") == "11,734,642" and number(11_734_642, "ru") == "11\u00a0734\u00a0642"
    assert number(-82, "kk") == "\u221282" and number("23/2", "en") == "11½"
    assert number(None, "kk") == "–" and number("1/3", "en") == "1/3"
    assert percent_text("77.18", "kk") == "77,18\u00a0%" and percent_text("77.18", "en") == "77.18%"
    assert percent_text(None, "ru") == "–"
