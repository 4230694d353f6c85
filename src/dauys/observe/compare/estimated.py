"""What does the mission's sample say by now and what did it say at each hour, beside what was counted officially by then?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from dauys.errors import DauysError
from dauys.observe.compare.gather import mission_copies
from dauys.observe.compare.national import FEWEST, Measure
from dauys.observe.compare.replay import Counted
from dauys.observe.compare.standing import Comparison, Copy, book_of, compare
from dauys.observe.estimates.double_rule import DoubleRule, double_rule
from dauys.observe.known.model import Mission, MissionError
from dauys.observe.known.official import Official
from dauys.observe.night.picture import Point
from dauys.observe.night.snapshots import Ask, Said, drawn_of_draw, say, snapshots
from dauys.registers.poll import Contest

STEPS = (5, 10, 15, 30, 60, 120, 240, 480, 1440)
"""Minutes between the states of a night; the first that makes no more than `MOST` of them."""
MOST = 24


@dataclass(frozen=True, slots=True)
class Tonight:
    """The figure now, the states before it, each with what was counted officially by then, and the rule about territories.

    `double` is None where the rule asks nothing of single areas, or asks something else than this share.
    """

    measure: Measure
    said: Said
    states: Sequence[Said]
    counted: Sequence[Counted]
    official: Counted
    double: DoubleRule | None
    every: int

    def to_json(self) -> dict[str, Any]:
        """The keys of `dauys estimate --json` (docs/estimates.md)."""
        body = self.said.to_json()
        body["measure"] = {"name": self.measure.name, "value": str(self.measure.value), "of": str(self.measure.of)}
        body["snapshots"] = [
            _state(one) | {"official": counted.to_json()}
            for one, counted in zip(self.states, self.counted, strict=True)
        ]
        body["official"] = self.official.to_json()
        if self.double is not None:
            body["double"] = self.double.to_json()
        return body

    def points(self) -> list[Point]:
        """The states as the picture draws them."""
        return [
            Point(
                datetime.fromisoformat(one.facts["at"]),
                one.found.estimate,
                None if one.found.df < 1 else one.found.ci,
                None if one.partial is None else one.partial.band,
                one.partial is None or one.partial.publish,
                counted.share,
            )
            for one, counted in zip(self.states, self.counted, strict=True)
        ]


def tonight(
    mission: Mission, official: Official, contest: Contest, measure: Measure, at: datetime, every: int | None = None
) -> Tonight | None:
    """The night of the mission's sample until `at`; None where fewer than two verified copies have come. Raises
    MissionError without a sample.

    A copy came when its report did, whenever the office verified it. Annulled stations count as nothing, as in the official sums.
    """
    if mission.sample is None:
        raise MissionError("draw the sample first: there is nothing to estimate from yet")
    drawn = drawn_of_draw(mission.sample.draw)
    made = compare(mission_copies(mission, contest.id), book_of(official, contest.id), drawn.ids)
    came, copies = _arrived(mission, made, at)
    y = np.array([_sum(copies, name, measure.value) for name in drawn.ids], dtype=np.float64)
    x = np.array([_sum(copies, name, measure.of) for name in drawn.ids], dtype=np.float64)
    moments = [came.get(name) for name in drawn.ids]
    received = np.array([moment is not None for moment in moments])
    if received.sum() < FEWEST or not x.any():
        return None
    ask, label = Ask(), str(measure.of)
    known = sorted(came.values())
    step = every or _step(known[0], known[-1])
    try:
        states = snapshots(drawn, moments, y, x, ask, timedelta(minutes=step), at, label)
    except DauysError:  # the first stations had nothing to take a share of
        states = []
    areas = [official.stations[name].area for name in drawn.ids]
    before = [one.found.estimate for one in states]
    said = say(drawn, received, y, x, ask, at, label, areas, before)
    counts = _counted(official, contest, measure, [datetime.fromisoformat(one.facts["at"]) for one in states])
    return Tonight(measure, said, states, counts[:-1], counts[-1], _double(official, contest, measure, said), step)


def _arrived(mission: Mission, made: Comparison, at: datetime) -> tuple[dict[str, datetime], Mapping[str, Copy]]:
    """When each usable copy came. An annulled station is as if it came with the first."""
    copies = made.usable
    came = {
        name: datetime.fromisoformat(mission.reports[copy.report].received).astimezone(at.tzinfo)
        for name, copy in copies.items()
        if copy.report is not None
    }
    came = {name: moment for name, moment in came.items() if moment <= at}
    if came:
        first = min(came.values())
        came |= {one.station: first for one in made.stations if one.standing == "annulled"}
    return came, {name: copy for name, copy in copies.items() if name in came}


def _sum(copies: Mapping[str, Copy], station: str, linear: Any) -> int:
    copy = copies.get(station)
    return linear.of(copy.values) if copy is not None and all(name in copy.values for name in linear.fields) else 0


def _step(first: datetime, last: datetime) -> int:
    return next((step for step in STEPS if (last - first) <= timedelta(minutes=step * MOST)), STEPS[-1])


def _counted(official: Official, contest: Contest, measure: Measure, moments: Sequence[datetime]) -> list[Counted]:
    """What was counted by each moment, and, last, all that is counted now."""
    rows = sorted(
        (datetime.fromisoformat(one.at).timestamp(), measure.value.of(one.values), measure.of.of(one.values))
        for (name, _), one in official.protocols.items()
        if name == contest.id and one.counted
    )
    times = np.array([row[0] for row in rows])
    ys, xs = (np.cumsum([0, *(row[column] for row in rows)]) for column in (1, 2))
    places = [int(np.searchsorted(times, moment.timestamp(), side="right")) for moment in moments]
    return [Counted(n, int(ys[n]), int(xs[n])) for n in (*places, len(rows))]


def _double(official: Official, contest: Contest, measure: Measure, said: Said) -> DoubleRule | None:
    """The rule about territories, where it asks in each for more than half of this very share, and all weigh the same."""
    for test in contest.rule.tests:
        if test.of_areas is None or (test.share.value, test.share.of) != (measure.value, measure.of):
            continue
        if test.share.threshold.share == Fraction(1, 2) and len({area.weight for area in official.poll.areas}) == 1:
            codes = [area.code for area in official.poll.areas]
            return double_rule(said.found, said.by, codes, test.of_areas.share)
    return None


def _state(one: Said) -> dict[str, Any]:
    body, state = one.found.to_json(), one.partial
    return {
        "at": one.facts["at"], "received": one.facts["received"], "estimate": body["estimate"], "se": body["se"],
        "ci": body["ci"], "band": None if state is None else list(state.band),
        "publish": state is None or state.publish, "reasons": [] if state is None else list(state.reasons),
    }  # fmt: skip
