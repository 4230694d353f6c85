"""Of several lists of one station that the centre forgot, which has a right that was added? As `centre.late`, by a value."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.centre import Centre


def off_an_earlier_list(centre: Centre, log: LogId, who: UUID) -> Centre:
    """A log uses a right, or lets it go, that is held by an earlier list: it stands on this one."""
    earlier = _lists(centre, log.station, until=log.generation) if log in centre.books.late else []
    if not any(_stands(centre, who, one) for one in earlier):
        return centre
    return replace(centre, custody={**centre.custody, who: replace(centre.custody[who], holder=log.holder)})


def onto_the_next_list(centre: Centre, station: str) -> Centre:
    """What is left over in a log of the station that is complete is held by the next list that may have it."""
    lists = _lists(centre, station)
    over = [one for one in lists if one in centre.logs and centre.logs[one].complete]
    moved = {}
    for log in over:
        later = [one for one in lists if one.generation > log.generation and one not in over]
        left = [who for who in centre.books.added if later and _stands(centre, who, log)]
        moved.update({who: replace(centre.custody[who], holder=later[0].holder) for who in left})
    return replace(centre, custody={**centre.custody, **moved})


def _lists(centre: Centre, station: str, until: int | None = None) -> list[LogId]:
    lists = sorted((one for one in centre.books.late if one.station == station), key=lambda one: one.generation)
    return [one for one in lists if until is None or one.generation < until]


def _stands(centre: Centre, who: UUID, log: LogId) -> bool:
    """Whether a right that was added is held by this log, as on its list."""
    has = centre.custody.get(who)
    as_listed = has is not None and (has.holder, has.epoch, has.state) == (log.holder, 0, "unused")
    return as_listed and who in centre.books.added
