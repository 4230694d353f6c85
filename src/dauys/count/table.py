"""What does a table of areas, typed or exported by someone, say to a decision rule?

A CSV file with the column `area` and the rule's fields, one row an area; a row with area `*` gives national totals that
were published apart from the areas. Optional columns: `status` (`counted`, `missing`, `annulled`, `repeat-pending`),
`name` (not read) and other fields of protocols (checked to be numbers, not needed). A missing or repeat-pending area
may give its number of voters (the rule's field with role `register`), which then bounds it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import cast

from dauys.count.areas import AreaCount, AreaStatus
from dauys.count.decision import Decision, decide
from dauys.law.decision_rule import DecisionRule
from dauys.law.tables import Row, read_table

NATION = "*"
FIELDS = (
    "eligible", "delivered", "cancelled", "received", "mobile_requests", "mobile_ballots", "participated",
    "valid", "blank", "yes", "no", "invalid", "not_counted",
)  # fmt: skip
"""Fields of protocols that a table may give although the rule does not need them."""


def decide_table(
    rule: DecisionRule, path: Path, on: datetime.date, weights: Mapping[str, Fraction] | None = None
) -> Decision:
    """Decide on the table at `path`; raises `BadInput` with file, row, field, found and expected.

    `weights` are the areas that exist on the day: one that the table lacks is missing, one that is not among them is
    refused. With None every area of the table counts, with weight 1 or that of a column `weight`.
    """
    extra = tuple(name for name in FIELDS if name not in rule.fields)
    own_weights = ("weight",) if weights is None else ()
    rows = read_table(path, ("area", *rule.fields), ("status", "name", *own_weights, *extra))
    national = None
    areas: dict[str, AreaCount] = {}
    seen: dict[str, int] = {}
    for row in rows:
        code = row.text("area")
        if code in seen:
            row.fail(f"this area is there twice (first in row {seen[code]})", field="area", found=code)
        seen[code] = row.number
        for name in extra:
            if name in row:
                row.integer(name)
        if code == NATION:
            national = _values(rule, row)
            continue
        if weights is not None and code not in weights:
            known = ", ".join(weights)
            row.fail(f"no such area on {on}", field="area", found=code, expected=f"one of: {known}")
        areas[code] = _count(rule, row, _weight(row) if weights is None else weights[code])
    if weights is not None:
        areas = {code: areas.get(code) or AreaCount.missing(weight=weight) for code, weight in weights.items()}
    if not seen:
        Row(str(path), 2, {}).fail("the table has no rows", expected=f"one row an area, or one with area {NATION}")
    return decide(rule, areas, on, national)


def _count(rule: DecisionRule, row: Row, weight: Fraction) -> AreaCount:
    status = "counted"
    if "status" in row:
        status = row.choice("status", "counted", "missing", "annulled", "repeat-pending")
    if status == "counted":
        return AreaCount(_values(rule, row), weight)
    for name in rule.fields:
        if name in row:
            row.integer(name)
    registers = rule.fields_with("register")
    eligible = row.integer(registers[0]) if registers and registers[0] in row else None
    if status == "annulled":
        return AreaCount.annulled(weight)
    made = AreaCount.missing if cast(AreaStatus, status) == "missing" else AreaCount.repeat_pending
    return made(eligible, weight)


def _values(rule: DecisionRule, row: Row) -> dict[str, int]:
    values = {name: row.integer(name) for name in rule.fields}
    answers, base, register = (
        rule.fields_with("option", "class"),
        rule.fields_with("base"),
        rule.fields_with("register"),
    )
    for names, larger in ((answers, base), (answers + base, register)):
        for name in names:
            if larger and values[name] > values[larger[0]]:
                expected = f"at most {larger[0]}, {values[larger[0]]}"
                row.fail("more than can be", field=name, found=values[name], expected=expected)
    return values


def _weight(row: Row) -> Fraction:
    if "weight" not in row:
        return Fraction(1)
    weight = row.fraction("weight")
    if weight == 0:
        row.fail("an area without weight", field="weight", found=weight, expected="above 0")
    return weight
