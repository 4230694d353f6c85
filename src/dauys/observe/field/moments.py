"""When was a report written, if the phone's clock is wrong?

A phone says what its clock showed when the report was written and what it shows while it sends. The difference between the
two is trusted, its clock is not: the report was written that long before the server's now. What is settled lies never in the
future, and reports of one phone keep the order in which it numbered them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dauys.errors import BadInput

TOLERATED = timedelta(minutes=5)
"""A clock that is wrong by more is worth a flag (O.120)."""


@dataclass(frozen=True, slots=True)
class Settled:
    """`at`: when it was written, by the server's clock. `skew`: how far the phone's clock is ahead of it."""

    at: datetime
    skew: timedelta
    odd: bool
    """The clock was off by more than `TOLERATED`, or was changed between writing and sending."""


def settle(
    written: datetime,
    sent: datetime | None,
    now: datetime,
    after: datetime | None = None,
    before: datetime | None = None,
) -> Settled:
    """The moment of writing. All times are aware; `sent` is the phone's clock at `now` (None: not known).

    `after` and `before`: the settled moments of the reports that the same phone wrote just before and just after this one.
    """
    skew = timedelta() if sent is None else sent - now
    at = written - skew
    odd = abs(skew) > TOLERATED or at > now + TOLERATED
    at = min(at, now)
    if before is not None:
        at = min(at, before)
    if after is not None and after <= now:
        at = max(at, after)
    return Settled(at.astimezone(now.tzinfo), skew, odd)


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """A moment in ISO 8601; without an offset it is local time in `zone`. Raises BadInput O.114."""
    try:
        found = datetime.fromisoformat(text.strip())
        found = found if found.tzinfo is not None else found.replace(tzinfo=zone)
        found.astimezone(zone)  # the calendar ends somewhere
    except (ValueError, OverflowError):
        expected = "a moment like 2022-06-05T21:00:00+06:00"
        raise BadInput("this is no moment", field="written", found=text, expected=expected, check="O.114") from None
    return found
