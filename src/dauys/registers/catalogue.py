"""Which numbered checks does a room have, and what does each mean? Read from its checks.yaml, in three languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dauys.law.files import read_yaml

_ROOMS = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check. `cite` is the article behind it, empty where it is plausibility and not law."""

    number: str
    title: Mapping[str, str]
    text: Mapping[str, str]
    cite: str = ""


@cache
def catalogue(room: str) -> Mapping[str, Check]:
    """All checks of a room (`stations`, `pollbook`, ...), by number, in the order of its file; each number once."""
    checks: dict[str, Check] = {}
    for item in read_yaml(_ROOMS / room / "checks.yaml").items():
        parts = item.mapping(("number", "title", "text"))
        number = parts["number"].matching(r"[A-Z]\.[0-9]{3}", "a number like F.101")
        if number in checks:
            item.fail("the number is taken", found=number, expected="each number once")
        checks[number] = Check(number, parts["title"].labels(), parts["text"].labels())
    return checks


def table(checks: Iterable[Check]) -> list[str]:
    """The lines of a table of these checks, for a page of the docs."""
    return ["| number | English | Қазақша | Русский |", "|---|---|---|---|", *(_row(check) for check in checks)]


def _row(check: Check) -> str:
    cells = [f"**{check.title[language]}.** {check.text[language]}" for language in ("en", "kk", "ru")]
    return f"| {check.number} | " + " | ".join(cells) + " |"
