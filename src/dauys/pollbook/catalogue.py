"""What do the pollbook's numbered checks mean, and what follows from each? The catalogue, in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dauys.registers.catalogue import Check, table
from dauys.registers.catalogue import catalogue as catalogue_of


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


def follows(number: str) -> Follows:
    """What follows from the check of this number."""
    return _BY_PREFIX[number[:3]]


def catalogue() -> Mapping[str, Check]:
    """All of them, by number."""
    return catalogue_of("pollbook")


def markdown() -> str:
    """The text of docs/pollbook-checks.md."""
    lines = [
        "# Checks of the pollbook",
        "",
        "What the stations' programs and the centre refuse (P.0xx), what raises an alarm (P.1xx), and where a protocol and its",
        "pollbook differ (B). The checks of protocols are on [a page of their own](checks.md). This page is made from",
        "`src/dauys/pollbook/checks.yaml`, `python -m dauys.pollbook.catalogue > docs/pollbook-checks.md`; a test keeps it so.",
    ]
    for what_follows, (title, what) in _WHAT.items():
        checks = [check for check in catalogue().values() if follows(check.number) is what_follows]
        lines += ["", f"## {title}: {checks[0].number[:3]}xx", "", f"What follows: {what}.", "", *table(checks)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
