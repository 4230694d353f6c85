"""When would each protocol have come in, if nobody wrote it down? A model without chance, to try a design on a past vote.

It is a model and no record: whatever is made with it says so. A station closes by the clock of its own zone, counts, and brings
its protocol to its commission, which enters protocols one at a time. So small stations and eastern zones come first, and large
commissions last: what makes early stations unlike late ones on a real night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone


@dataclass(frozen=True, slots=True)
class Pace:
    """`start`: minutes before the first ballot is counted; `ballots`: counted in a minute; `way`: minutes to the commission;
    `entry`: minutes that the commission takes for one protocol."""

    start: int = 30
    ballots: int = 20
    way: int = 60
    entry: int = 3


def modelled(
    closes: datetime,
    ids: Sequence[str],
    ballots: Sequence[int],
    commissions: Sequence[str],
    east: Sequence[float] | None = None,
    pace: Pace = Pace(),
) -> list[datetime]:
    """The moment of each station's protocol, in the zone of `closes`.

    `closes` is the hour on the wall of every station; `east` the hours of its zone before UTC (None: all in one). Who is
    ready first is entered first, two at the same minute in the order of their ids.
    """
    wall = closes.replace(tzinfo=None)
    offset = closes.utcoffset() or timedelta()
    ready = [
        wall
        + (timedelta() if east is None else offset - timedelta(hours=east[place]))
        + timedelta(minutes=pace.start + -(-cast // pace.ballots) + pace.way)
        for place, cast in enumerate(ballots)
    ]
    free: dict[str, datetime] = {}
    came = list(ready)
    for place in sorted(range(len(ids)), key=lambda one: (ready[one], ids[one])):
        begins = max(ready[place], free.get(commissions[place], ready[place]))
        came[place] = free[commissions[place]] = begins + timedelta(minutes=pace.entry)
    zone = timezone(offset)
    return [moment.replace(tzinfo=zone) for moment in came]
