"""What does a rule of a pack, or a rule file, decide on a table of areas? The join behind `./dauys decide`."""

from __future__ import annotations

import datetime
from pathlib import Path

from dauys.count.decision import Decision, decide
from dauys.count.table import decide_table
from dauys.law.decision_rule import read_rule
from dauys.law.packs import load_pack, load_rule
from dauys.registers.areas import areas_on, read_areas


def decide_csv(rule_name: str, path: Path, on: datetime.date) -> Decision:
    """The decision on the table at `path` (columns: `dauys.count.table`).

    `rule_name` is a rule of a pack, `kz/referendum-constitution`, whose areas on the day come from the pack; or the
    path of a rule file (`.yaml`), where every area of the table counts. Raises `BadInput` or `DauysError`.
    """
    if rule_name.endswith((".yaml", ".yml")):
        return decide_table(read_rule(Path(rule_name)), path, on)
    rule = load_rule(rule_name)
    if not rule.in_force(on):
        return decide(rule, {}, on)
    pack = load_pack(rule_name.partition("/")[0])
    weights = {area.code: area.weight for area in areas_on(read_areas(pack.areas), on)}
    return decide_table(rule, path, on, weights)
