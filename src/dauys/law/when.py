"""From which day is something law? From events, from a day, or from the latest of them.

In a file one of

    since: {event: referendum-2022.published, day: 2023-01-01}
    since: {event: [referendum-2022.published, mazhilis-8.elections]}
    since: referendum-2022.published
    since: 2023-01-01

While one of the events is not a recorded Fact there is no such day, whatever `day` says.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

import yaml

from dauys.law.facts import EVENT, EVENT_IN_WORDS, Fact, Facts
from dauys.law.files import Node


@dataclass(frozen=True, slots=True)
class When:
    """The latest of the days of `event`, of the events in `also` and of `day`; at least an event or a day is given."""

    event: str | None = None
    day: datetime.date | None = None
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.event is None and (self.day is None or self.also):
            raise ValueError("a When needs an event or a day, and one event before others")

    @property
    def events(self) -> tuple[str, ...]:
        """Everything that must have happened, in the order of the file."""
        return () if self.event is None else (self.event, *self.also)

    def resolve(self, facts: Facts) -> datetime.date | None:
        """The first day; None while one of the events has not happened."""
        if self.event is not None and not self.also and self.day is None:
            return facts.day(self.event)
        days = [facts.day(event) for event in self.events]
        known = [day for day in (*days, self.day) if day is not None]
        return None if None in days else max(known)

    def deciding(self, facts: Facts) -> Fact | None:
        """The fact of the last event to happen; None where only a day is given or one has not happened."""
        found = [fact for event in self.events if (fact := facts.get(event)) is not None]
        return max(found, key=lambda fact: fact.at) if found and len(found) == len(self.events) else None

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """The events that have not happened."""
        return tuple(event for event in self.events if event not in facts)

    def to_json(self) -> dict[str, str | list[str]]:
        """`{"event", "day"}` as in a file, what is not given left out."""
        said: dict[str, str | list[str]] = {}
        if self.event is not None:
            said["event"] = list(self.events) if self.also else self.event
        return said if self.day is None else {**said, "day": self.day.isoformat()}

    def __str__(self) -> str:
        events = " and ".join(self.events)
        if not events or self.day is None:
            return events or str(self.day)
        return f"{events}, not before {self.day}"


def when_of(node: Node) -> When:
    """What a node says in one of the forms above; raises `BadInput`."""
    if isinstance(node.raw, yaml.MappingNode):
        parts = node.mapping(optional=("event", "day"))
        if not parts:
            node.fail("says nothing", expected="an event, a day, or both")
        events = _events(parts["event"]) if "event" in parts else ()
        return When(events[0] if events else None, parts["day"].date() if "day" in parts else None, events[1:])
    if re.match(r"[0-9]", node.text()):
        return When(day=node.date())
    return When(node.matching(EVENT, EVENT_IN_WORDS))


def _events(node: Node) -> tuple[str, ...]:
    if not isinstance(node.raw, yaml.SequenceNode):
        return (node.matching(EVENT, EVENT_IN_WORDS),)
    events = tuple(item.matching(EVENT, EVENT_IN_WORDS) for item in node.items())
    if not events or len(set(events)) < len(events):
        node.fail(
            "not a list of events", found=", ".join(events) or "nothing", expected="different events, one or more"
        )
    return events
