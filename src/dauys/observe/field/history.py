"""What was so at a moment that the mission's present state no longer shows: who was suspended since when, who was where?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from dauys.observe.mission.model import Event


def suspended_since(events: Iterable[Event], observer: str) -> datetime | None:
    """When the suspension that is in force began; None where there is none."""
    since: datetime | None = None
    for event in events:
        if event.kind == "suspended" and event.body["observer"] == observer:
            if not event.body["why"]:
                since = None
            elif since is None:
                since = datetime.fromisoformat(event.at)
    return since


def was_there(events: Iterable[Event], observer: str, station: str, at: datetime) -> bool:
    """Whether the observer was assigned to the station at that moment."""
    there = False
    for event in events:
        if event.kind in ("assigned", "unassigned") and (event.body["observer"], event.body["station"]) == (
            observer, station,
        ):  # fmt: skip
            if datetime.fromisoformat(event.at) > at:
                break
            there = event.kind == "assigned"
    return there
