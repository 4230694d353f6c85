"""From which day is something law? From an event, from a day, or from the later of both.

In a file one of

    since: {event: referendum-2022.published, day: 2023-01-01}
    since: referendum-2022.published
    since: 2023-01-01

While the event is not a recorded Fact there is no such day, whatever `day` says.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

import yaml

from dauys.law.facts import EVENT, EVENT_IN_WORDS, Facts
from dauys.law.files import Node


@dataclass(frozen=True, slots=True)
class When:
    """The later of an event's day and a day; at least one of the two is given."""

    event: str | None = None
    day: datetime.date | None = None

    def __post_init__(self) -> None:
        if self.event is None and self.day is None:
            raise ValueError("a When needs an event or a day")

    def resolve(self, facts: Facts) -> datetime.date | None:
        """The first day; None while the event has not happened."""
        if self.event is None:
            return self.day
        happened = facts.day(self.event)
        if happened is None or self.day is None:
            return happened
        return max(happened, self.day)

    def to_json(self) -> dict[str, str]:
        """`{"event", "day"}`, what is not given left out."""
        event = {} if self.event is None else {"event": self.event}
        return event if self.day is None else {**event, "day": self.day.isoformat()}

    def __str__(self) -> str:
        if self.event is None or self.day is None:
            return self.event or str(self.day)
        return f"{self.event}, not before {self.day}"


def when_of(node: Node) -> When:
    """What a node says in one of the three forms above; raises `BadInput`."""
    if isinstance(node.raw, yaml.MappingNode):
        parts = node.mapping(optional=("event", "day"))
        if not parts:
            node.fail("says nothing", expected="an event, a day, or both")
        event = parts["event"].matching(EVENT, EVENT_IN_WORDS) if "event" in parts else None
        return When(event, parts["day"].date() if "day" in parts else None)
    if re.match(r"[0-9]", node.text()):
        return When(day=node.date())
    return When(node.matching(EVENT, EVENT_IN_WORDS))
