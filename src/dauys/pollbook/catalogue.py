"""What do the pollbook's numbered checks mean, and what follows from each? The catalogue, in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from dauys.law.files import read_yaml


class Follows(StrEnum):
    """What follows from a check."""

    REFUSED = "refused"
    ALARM = "alarm"
    DIFFERENCE = "difference"
    WARNING = "warning"


_BY_PREFIX = {"P.0": Follows.REFUSED, "P.1": Follows.ALARM, "B.1": Follows.DIFFERENCE, "B.2": Follows.WARNING}

_WHAT = {
    Follows.REFUSED: ("Refusals", "nothing is done and nothing changes; P.06x say what became of an envelope"),
    Follows.ALARM: ("Alarms", "kept for ever and shown at the centre; what raised it moves no right"),
    Follows.DIFFERENCE: ("Differences", "the pollbook and the protocol differ; a person finds out which is right"),
    Follows.WARNING: ("Warnings", "the protocol is taken; the warning is shown"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check of the pollbook."""

    number: str
    title: Mapping[str, str]
    text: Mapping[str, str]

    @property
    def follows(self) -> Follows:
        return _BY_PREFIX[self.number[:3]]


@cache
def catalogue() -> Mapping[str, Check]:
    """All of them, by number."""
    checks: dict[str, Check] = {}
    for item in read_yaml(Path(__file__).parent / "checks.yaml").items():
        parts = item.mapping(("number", "title", "text"))
        number = parts["number"].matching(r"[PB]\.[012][0-9]{2}", "a number like P.001 or B.101")
        if number in checks or number[:3] not in _BY_PREFIX:
            item.fail("the number is taken or unknown", found=number, expected="P.0xx, P.1xx, B.1xx or B.2xx, once")
        checks[number] = Check(number, parts["title"].labels(), parts["text"].labels())
    return checks


def markdown() -> str:
    """The tables for docs/checks.md."""
    lines: list[str] = []
    for follows, (title, what) in _WHAT.items():
        checks = [check for check in catalogue().values() if check.follows is follows]
        lines += ["", f"### {title}: {checks[0].number[:3]}xx", "", f"What follows: {what}.", ""]
        lines += ["| number | English | Қазақша | Русский |", "|---|---|---|---|"]
        for check in checks:
            cells = [f"**{check.title[language]}.** {check.text[language]}" for language in ("en", "kk", "ru")]
            lines.append(f"| {check.number} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
