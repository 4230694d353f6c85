"""What does a mission's own log give to be compared, and to be estimated from?"""

from __future__ import annotations

from datetime import datetime

from dauys.observe.compare.answer import Answer, answer_of
from dauys.observe.compare.standing import Copy
from dauys.observe.field import copies as field
from dauys.observe.known.model import Mission, MissionError
from dauys.observe.known.official import Official


def mission_copies(mission: Mission, contest: str) -> dict[tuple[str, str], Copy]:
    """The copies of one contest that came in, as `compare` takes them."""
    return {key: _copy(mission, one) for key, one in field.copies_of(mission, contest).items()}


def mission_answer(mission: Mission, official: Official, contest: str, at: datetime) -> Answer:
    """The comparison of everything that the mission drew with the record as it was read. Raises MissionError without a sample."""
    if mission.sample is None:
        raise MissionError("draw the sample first: there is nothing to compare yet")
    return answer_of(mission_copies(mission, contest), official, mission.sample.draw, at, contest)


def _copy(mission: Mission, one: field.Copy) -> Copy:
    others = tuple(
        {name: value for name, value in mission.reports[n].values.items() if isinstance(value, int)} for n in one.others
    )
    return Copy(
        one.values, tuple(photo.sha256 for photo in one.photos), one.report, one.observer, others, one.disputed,
        one.standing == "verified",
    )  # fmt: skip
