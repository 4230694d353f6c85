"""How is a number that is not whole written in a page's language?"""

from __future__ import annotations

import math
from fractions import Fraction

NO_BREAK = "\N{NO-BREAK SPACE}"
MARKS = {"kk": (NO_BREAK, ",", NO_BREAK + "%"), "ru": (NO_BREAK, ",", NO_BREAK + "%"), "en": (",", ".", "%")}
"""Between groups of three digits, before decimals, the sign of a percentage."""
MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def decimal(value: float | Fraction | None, lang: str, places: int = 2) -> str:
    """`1,234.50`, `1 234,50`; a dash for what is not known or no number."""
    if value is None or not math.isfinite(value):
        return MISSING
    thousands, point, _ = MARKS[lang]
    text = f"{float(value):,.{places}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    whole, _, rest = text.partition(".")
    return whole.replace(",", thousands).replace("-", MINUS) + (point + rest if rest else "")


def share(value: float | Fraction | None, lang: str, places: int = 2) -> str:
    """A share from 0 to 1 as a percentage: `77.18%`, `77,18 %`."""
    if value is None or not math.isfinite(value):
        return MISSING
    return decimal(100 * value, lang, places) + MARKS[lang][2]


def chance(value: float | Fraction | None, lang: str) -> str:
    """A P-value: four decimals, or `< 0.0001`."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value < Fraction(1, 10_000):
        return f"<{NO_BREAK}{decimal(0.0001, lang, 4)}"
    return decimal(value, lang, 4)
