"""Which checks does a row of a roll have to pass, and what do they mean? By number, in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dauys.law.files import read_yaml

NOT_YET = "R.008"
"""Not a fault: the person is not 18 on the poll's day, and is listed apart."""


@dataclass(frozen=True, slots=True)
class RowCheck:
    """One numbered check of a row; a row that raises it is not taken."""

    number: str
    title: Mapping[str, str]
    text: Mapping[str, str]


@cache
def row_checks() -> Mapping[str, RowCheck]:
    """All of them, by number."""
    checks: dict[str, RowCheck] = {}
    for item in read_yaml(Path(__file__).parent / "checks.yaml").items():
        parts = item.mapping(("number", "title", "text"))
        number = parts["number"].matching(r"R\.0[0-9]{2}", "a number like R.001")
        if number in checks:
            item.fail("the number is taken", found=number, expected="each number once")
        checks[number] = RowCheck(number, parts["title"].labels(), parts["text"].labels())
    return checks


def markdown() -> str:
    """The table of docs/roll.md."""
    lines = ["| number | English | Қазақша | Русский |", "|---|---|---|---|"]
    for check in row_checks().values():
        cells = [f"**{check.title[language]}.** {check.text[language]}" for language in ("en", "kk", "ru")]
        lines.append(f"| {check.number} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
