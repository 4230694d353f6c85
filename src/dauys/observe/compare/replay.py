"""What would a mission have said at each hour of a night that is over, and what did the count say in the end?

The whole vote is at hand: a published record, or a table of all stations. The drawn ones are fed in the order in which their
protocols came, and what could be estimated by then stands beside what was counted by then and beside the full official value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from dauys.errors import BadInput, DauysError
from dauys.observe.estimates.design import Floats
from dauys.observe.known.official import Official
from dauys.observe.night.snapshots import Ask, Drawn, Said, snapshots
from dauys.registers.poll import Contest, Poll


@dataclass(frozen=True, slots=True)
class Vote:
    """All stations: `y` of `x` (NaN where nothing counts), when each protocol came (None: never), what `x` is called, and
    whether the figures of the stations are a reconstruction."""

    ids: Sequence[str]
    y: Floats
    x: Floats
    came: Sequence[datetime | None]
    regions: Sequence[str] = ()
    denominator: str = "x"
    reconstruction: bool = False

    def official(self, until: datetime | None = None) -> Counted:
        """What was counted by then; without a moment, in the end."""
        seen = np.array([moment is not None and (until is None or moment <= until) for moment in self.came], dtype=bool)
        seen &= ~np.isnan(self.y)
        return Counted(int(seen.sum()), int(self.y[seen].sum()), int(self.x[seen].sum()))

    def of(self, drawn: Drawn) -> Vote:
        """The drawn stations in the order of the draw. Raises BadInput for one that the vote does not have."""
        place = {name: number for number, name in enumerate(self.ids)}
        if len(place) < len(self.ids):
            raise DauysError("a station stands twice in the vote that is replayed")
        strangers = [name for name in drawn.ids if name not in place]
        if strangers:
            raise BadInput(
                "this station was drawn and is not in the vote: the sample is of another list",
                found=strangers[0],
                expected="a station of the vote",
            )
        at = [place[name] for name in drawn.ids]
        regions = [self.regions[one] for one in at] if self.regions else ()
        return replace(
            self, ids=drawn.ids, y=self.y[at], x=self.x[at], came=[self.came[one] for one in at], regions=regions
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """The official sums over so many stations."""

    stations: int
    y: int
    x: int

    @property
    def share(self) -> float | None:
        return self.y / self.x if self.x else None

    def to_json(self) -> dict[str, Any]:
        return {"stations": self.stations, "y": self.y, "x": self.x, "share": self.share}


@dataclass(frozen=True, slots=True)
class Hour:
    """One moment of the night: what the sample said, and what was counted by then."""

    said: Said
    official: Counted


def contest_of(poll: Poll, named: str | None = None) -> Contest:
    """The contest that was named, or the only one. Raises BadInput."""
    known = {one.id: one for one in poll.contests}
    if named is None and len(known) == 1:
        return poll.contests[0]
    if named not in known:
        raise BadInput("which contest?", field="contest", found=named, expected=", ".join(known))
    return known[named]


def vote_of_record(official: Official, contest: Contest, option: str | None = None) -> Vote:
    """The vote as the record has it: the option's ballots (None: the first option's) of the form's base, by station.

    What a station said is what stands in the record now, corrections included; it came when its protocol first entered. A
    protocol that is not counted (in quarantine, annulled) never came. Raises BadInput for an option that the form has not.
    """
    base = next((field.name for field in contest.form.fields if field.role == "base"), None)
    name = option or contest.options[0]
    if base is None or name not in contest.options:
        raise BadInput("no such option", field="option", found=option, expected=", ".join(contest.options))
    ids = sorted(official.stations)
    y, x = np.full(len(ids), np.nan), np.zeros(len(ids))
    came: list[datetime | None] = [None] * len(ids)
    for place, station in enumerate(ids):
        found = official.protocols.get((contest.id, station))
        if found is not None and found.counted:
            y[place], x[place] = found.values[name], found.values[base]
            came[place] = datetime.fromisoformat(found.at)
    areas = [official.stations[station].area for station in ids]
    return Vote(ids, y, x, came, areas, base, official.poll.reconstruction)


def replayed(drawn: Drawn, vote: Vote, ask: Ask, every: timedelta, until: datetime | None = None) -> list[Hour]:
    """The night of a sample, every so often, until its last station came (or until a moment)."""
    own = vote.of(drawn)
    came = [moment if y == y else None for moment, y in zip(own.came, own.y.tolist(), strict=True)]
    known = [moment for moment in came if moment is not None]
    if not known:
        return []
    y = np.nan_to_num(own.y)
    states = snapshots(drawn, came, y, own.x, ask, every, until or max(known), own.denominator)
    return [Hour(one, vote.official(datetime.fromisoformat(one.facts["at"]))) for one in states]
