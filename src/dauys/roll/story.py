"""How did the number of voters of a poll become what it is? From the record alone: the frozen roll, and what changed by when.

In 2022 three totals were announced, 11,722,536, 11,732,699 and 11,734,642, and nothing said why they differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dauys.record import log
from dauys.registers.poll import Poll
from dauys.roll.frozen import CHANGES, ROLL, WITHDRAWALS
from dauys.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Step:
    """The total at a moment, how many came since the step before (less those withdrawn and not given back), and why."""

    at: datetime
    total: int
    added: int
    reasons: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        reasons = [{"reason": reason, "voters": count} for reason, count in self.reasons.items()]
        return {"at": self.at.isoformat(), "total": self.total, "added": self.added, "reasons": reasons}


def story(connection: Connection, poll: Poll) -> list[Step]:
    """The frozen roll, then a step for each hour of turnout reports by which it had grown, and for what came after.

    Empty where no roll was frozen.
    """
    frozen = log.of_kind(connection, poll.id, ROLL)
    if not frozen:
        return []
    first = frozen[0][1]
    steps = [Step(datetime.fromisoformat(first.at), int(first.body["voters"]), 0, {})]
    hours = [poll.moment(at) for at in poll.reports]
    by_hour: dict[datetime, Counter[str]] = {}
    for kind in CHANGES:
        sign = -1 if kind == WITHDRAWALS else 1
        for _, entry in log.of_kind(connection, poll.id, kind):
            at = datetime.fromisoformat(entry.at)
            hour = next((hour for hour in hours if at <= hour), at)
            by_hour.setdefault(hour, Counter())[str(entry.body["reason"])] += sign * int(entry.body["count"])
    for hour, reasons in sorted(by_hour.items()):
        added = sum(reasons.values())
        steps.append(Step(hour, steps[-1].total + added, added, dict(reasons.most_common())))
    return steps
