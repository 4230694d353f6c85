"""Which numbered checks has the observers' room? Its page of the docs, from checks.yaml: `python -m dauys.observe.catalogue`."""

from __future__ import annotations

from dauys.registers.catalogue import catalogue, table

_PARTS = (
    ("Accreditation and badges", 1, 9, "nothing is decided, or goes into the record"),
    ("Forms of pages", 10, 19, "the form is not taken; what was typed stays"),
    ("A mission and the record it reads", 20, 79, "the step is not done"),
    ("What organisations send to the commission", 80, 99, "nothing of it is kept"),
    ("What comes from the field", 100, 149, "below O.120 the report is not taken; from there on it is kept and marked"),
    ("Comparison", 150, 169, "the step is not done, or the station is marked"),
    ("Audits and the report", 170, 199, "the step is not done"),
)


def markdown() -> str:
    """The text of docs/observer-checks.md."""
    lines = [
        "# Checks of observers",
        "",
        "What the pages of observers, the commission's side and a mission's, refuse or mark, by number. The checks of",
        "protocols are on [a page of their own](checks.md). This page is made from `src/dauys/observe/checks.yaml`:",
        "`python -m dauys.observe.catalogue > docs/observer-checks.md`; a test keeps it in step.",
    ]
    for title, first, last, what in _PARTS:
        found = [check for number, check in catalogue("observe").items() if first <= int(number[2:]) <= last]
        if found:
            lines += ["", f"## {title}: O.{first:03} to O.{last:03}", "", f"What follows: {what}.", "", *table(found)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
