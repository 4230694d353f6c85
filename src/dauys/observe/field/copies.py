"""Which copy of a station's protocol stands? What estimate and comparison take from the reports that came in.

A copy counts where the office verified it. Two observers of one station who differ are both kept: the station is disputed, and in
neither estimate nor comparison, until the office verified one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dauys.observe.field.forms import PROTOCOL
from dauys.observe.field.rules import differ, disagreeing, newest
from dauys.observe.known.model import Mission
from dauys.observe.known.reports import Photo, Report


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of one station's protocol. `report` is the event that it came by, `standing` new or verified.

    Of a disputed station it is the copy that came last; `others` are the reports that say otherwise. `values` are those that the
    office verified, `received` is when it came (ISO 8601).
    """

    contest: str
    station: str
    values: Mapping[str, int]
    report: int
    observer: str
    standing: str
    disputed: bool
    written: str
    received: str
    photos: tuple[Photo, ...] = ()
    flags: tuple[str, ...] = ()
    others: tuple[int, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it goes into estimate and comparison."""
        return self.standing == "verified" and not self.disputed


def copies_of(mission: Mission, contest: str) -> dict[tuple[str, str], Copy]:
    """The copies of one contest by (contest, station), in the order in which stations first sent one."""
    by_station: dict[str, list[Report]] = {}
    for report in mission.reports.values():
        if report.form == PROTOCOL and report.contest == contest and report.standing != "rejected":
            by_station.setdefault(report.station, []).append(report)
    return {(contest, station): _standing(reports) for station, reports in by_station.items()}


def _standing(reports: list[Report]) -> Copy:
    """One station's copy. What was verified goes before what was not; of one observer the last one goes."""
    verified = [one for one in reports if one.standing == "verified"]
    asked = newest(verified or reports)
    last = max(asked, key=lambda one: one.n)
    others = [one.n for one in newest(reports) if one.n != last.n and differ(one.values, last.values)]
    return Copy(
        contest=last.contest,
        station=last.station,
        values={name: value for name, value in last.values.items() if isinstance(value, int)},
        report=last.n,
        observer=last.observer,
        standing=last.standing,
        disputed=disagreeing(asked),
        written=last.written,
        received=last.received,
        photos=last.photos,
        flags=last.flags,
        others=tuple(others),
    )
