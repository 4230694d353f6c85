"""Which checks does a row of a roll have to pass, and what do they mean? By number, in three languages."""

from __future__ import annotations

from collections.abc import Mapping

from dauys.registers.catalogue import Check, catalogue, table

BROKEN = "R.017"
"""The line is no row: only how it is broken can be said."""

NOT_YET = "R.008"
"""Not a fault: the person is not 18 on the poll's day, and is listed apart."""


def row_checks() -> Mapping[str, Check]:
    """All of them, by number; a row that raises one is not taken."""
    return catalogue("roll")


def markdown() -> str:
    """The table of docs/roll.md."""
    return "\n".join(table(row_checks().values())) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
