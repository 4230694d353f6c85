"""How is a number written for people: grouped, and as a percentage made from exact integers?

`percent` is the one place where a share is rounded: half up, from whole numbers or a Fraction, never from a float.
"""

from __future__ import annotations

from fractions import Fraction

from babel.units import format_unit

NO_BREAK = "\N{NO-BREAK SPACE}"
MARKS = {"kk": (NO_BREAK, ",", NO_BREAK + "%"), "ru": (NO_BREAK, ",", NO_BREAK + "%"), "en": (",", ".", "%")}
"""Per language: between groups of three digits, before decimals, and the percent sign with what stands before it."""
MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def percent(part: int | Fraction, whole: int | Fraction = 1, places: int = 2) -> str | None:
    """`part / whole` as a percentage with `places` decimals, rounded half up, with a point: "77.18". None of nothing."""
    if whole == 0:
        return None
    scale = 10**places
    units = Fraction(part) / Fraction(whole) * 100 * scale
    # half up, away from zero for what is below zero: the commercial rounding of result sheets
    whole_units = (2 * abs(units.numerator) + units.denominator) // (2 * units.denominator)
    sign = "-" if units < 0 and whole_units else ""
    digits = str(whole_units).rjust(places + 1, "0")
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def number(value: int | str | None, lang: str) -> str:
    """A whole number with its thousands apart, as the language writes it; a dash for what is not known.

    A decision also has "p/q", where half-cantons are counted: 23/2 is written 11½.
    """
    if value is None:
        return MISSING
    exact = Fraction(value)
    whole, rest = divmod(exact, 1)
    if rest and exact.denominator != 2:
        return str(exact)
    return f"{whole:,}".replace(",", MARKS[lang][0]).replace("-", MINUS) + ("½" if rest else "")


def percent_text(share: str | None, lang: str) -> str:
    """A share made by `percent`, as the language writes it: "77,18 %" in Kazakh and Russian, "77.18%" in English."""
    if share is None:
        return MISSING
    _, decimal, sign = MARKS[lang]
    return share.replace(".", decimal) + sign


_KAZAKH = {"day": "күн", "month": "ай"}
"""Units that CLDR has no Kazakh words for; a Kazakh noun after a number has one form."""


def duration(value: int, unit: str, lang: str) -> str:
    """A number of `minute`, `hour`, `day`, `month` or `year` in words: "5 дней"."""
    if lang == "kk" and unit in _KAZAKH:
        return f"{number(value, lang)}{NO_BREAK}{_KAZAKH[unit]}"
    locale = "en_GB" if lang == "en" else lang
    return format_unit(value, f"duration-{unit}", "long", locale=locale).replace(" ", NO_BREAK)
