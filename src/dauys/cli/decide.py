"""`dauys decide`: a decision rule on a table of areas."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from dauys.cli.main import answer
from dauys.count.decision import Decision
from dauys.polls.decide_table import decide_csv


@click.command()
@click.argument("rule")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day of the vote: its law and its areas."
)
@click.option("--check", is_flag=True, help="Exit with 1 unless the outcome is `adopted`.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def decide(rule: str, file: Path, on: datetime, check: bool, as_json: bool) -> int:
    """Apply RULE (kz/referendum-constitution, ch/double-majority, or a YAML file) to the areas in FILE.

    FILE is a CSV table with a column `area` and the rule's fields. A row with area `*` gives the national totals where they
    were published apart from the areas.
    """
    decision = decide_csv(rule, file, on.date())
    answer(decision.to_json(), as_json, as_text(decision))
    return 1 if check and decision.outcome != "adopted" else 0


def as_text(decision: Decision) -> str:
    """The decision for a person: the outcome, then each test with its numbers and its article."""
    marks = {True: "yes", False: "no", None: "open"}
    lines = [f"outcome: {decision.outcome}"]
    for test in decision.to_json()["tests"]:
        lines.append(
            f"  {marks[test['met']]:<5} {test['name']}: {test['value']}, needed {test['needed']}  ({test['cite']})"
        )
    return "\n".join(lines)
