"""A poll made by hand for the pages' tests: the pack's law and areas, a few invented stations, in any state of the night."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from dauys.errors import DauysError
from dauys.law.form import Field, Form
from dauys.polls.result import Held, Sheet, contest_standing
from dauys.polls.standing import HistoryItem, ProtocolView, Standing, StationView, TurnoutPoint
from dauys.publish.source import RecordState, StationRow
from dauys.record.entry import Entry
from dauys.registers.poll import Contest, Poll, Station
from dauys.registers.poll_file import find_poll, read_poll
from dauys.stations.overview import Held as Listed
from dauys.web.app import site
from site_client import SiteClient

MAPS = TemporaryDirectory(prefix="dauys-maps")
atexit.register(MAPS.cleanup)
POLL = "kz/2022-referendum"
YES = {"KZ75": 65, "KZ15": 71, "KZ23": 73, "KZ27": 73, "KZ47": 71}
SHARE = {"KZ75": 33, "KZ71": 57, "KZ15": 58, "KZ47": 61}
NOTE = "dauys/kz/2022-referendum\n{size}\n{root}\n\n\u2014 dauys/kz/2022-referendum {signature}\n"


def ticket(*parts: object) -> int:
    return int.from_bytes(sha256("|".join(map(str, parts)).encode()).digest()[:4], "big")


def protocol(contest: Contest, station: Station) -> dict[str, int]:
    """Numbers that fulfil the form's identities, near the shares above."""
    noise = ticket(contest.id, station.id) % 9 - 4
    received = station.eligible * (SHARE.get(station.area, 74) + noise) // 100
    took = received - ticket("lost", station.id) % 3
    invalid, not_counted = took * 3 // 100, took * 2 // 100
    rest = took - invalid - not_counted
    options = contest.options
    first = took * (YES.get(station.area, 79) + noise) // 100
    values = {"eligible": station.eligible, "received": received, "participated": took}
    values |= {options[0]: first, "invalid": invalid, "not_counted": not_counted}
    left = rest - first
    for option in options[1:-1]:
        values[option] = left // 2
        left -= left // 2
    return values | {options[-1]: left}


@dataclass
class Sample:
    """A `publish.source.Source` without a database. `counted`, `quarantined` are shares of stations in percent."""

    poll_: Poll
    counted: int = 100
    quarantined: int = 0
    stage: str = "counting"
    per_area: int = 6
    reports: int = 6
    grown: int = 0
    milestones_: Sequence[tuple[int, Entry]] = ()

    def __post_init__(self) -> None:
        self.stations_ = [
            Station(
                f"{area.code}-{n:04}",
                area.code,
                400 + ticket(area.code, n) % 2300,
                abroad=area.code == "KZ71" and n == 0,
            )
            for area in self.poll_.areas
            for n in range(self.per_area)
        ]
        self.made: dict[int, Standing] = {}
        self.held: dict[str, dict[str, Held]] = {}
        for contest in self.poll_.contests:
            mine = self.held[contest.id] = {}
            for seq, station in enumerate(self.stations_):
                place = ticket("order", contest.id, station.id) % 100
                if place < self.counted + self.quarantined:
                    checks = ("F.101",) if place >= self.counted else ("W.105",) if place % 20 == 1 else ()
                    values = protocol(contest, station)
                    if "F.101" in checks:
                        values["invalid"] += 100
                    mine[station.id] = Held(seq + 50, values, checks, 0)

    def polls(self) -> Sequence[Poll]:
        return [self.poll_]

    def poll(self, poll_id: str) -> Poll:
        if poll_id != self.poll_.id:
            raise DauysError(f"there is no poll {poll_id!r} here")
        return self.poll_

    def electronic(self, poll_id: str) -> int | None:
        return None

    def milestones(self, poll_id: str) -> Sequence[tuple[int, Entry]]:
        self.poll(poll_id)
        return self.milestones_

    def size(self, poll_id: str) -> int:
        self.poll(poll_id)
        return 51 + sum(len(mine) for mine in self.held.values()) + self.grown

    def standing(self, poll_id: str) -> Standing:
        size = self.size(poll_id)
        if size not in self.made:
            self.made[size] = self._standing(self.poll(poll_id), size)
        return self.made[size]

    def _standing(self, poll: Poll, size: int) -> Standing:
        sheets = [Sheet.of(poll, c, self.stations_, self.held[c.id], {}) for c in poll.contests]
        contests = tuple(contest_standing(sheet) for sheet in sheets)
        return Standing(poll, size, self.stage, contests, self._turnout(), "2022-06-05T23:41:00+06:00")

    def _turnout(self) -> tuple[TurnoutPoint, ...]:
        points = []
        for at, part in list(zip((10, 12, 14, 18, 20, 22), (29, 44, 53, 65, 68, 69), strict=True))[: self.reports]:
            areas: dict[str, tuple[int, int]] = {}
            for station in self.stations_:
                eligible, received = areas.get(station.area, (0, 0))
                areas[station.area] = (eligible + station.eligible, received + station.eligible * part // 100)
            totals = [sum(pair[n] for pair in areas.values()) for n in (0, 1)]
            points.append(TurnoutPoint(f"{at}:00", len(self.stations_), totals[0], totals[1], areas))
        return tuple(points)

    def station(self, poll_id: str, station_id: str) -> StationView:
        station = next((s for s in self.stations_ if s.id == station_id), None)
        if station is None:
            raise DauysError(f"{poll_id} has no station {station_id!r}")
        views = tuple(self._view(contest, station) for contest in self.poll_.contests)
        reports = (("10:00", station.eligible, station.eligible // 4),)
        return StationView(self.poll_, station, views, reports, ((901, report_corrected(self.poll_.id, station.id)),))

    def _view(self, contest: Contest, station: Station) -> ProtocolView:
        held = self.held[contest.id].get(station.id)
        if held is None:
            return ProtocolView(contest, "missing", {}, (), (), None)
        state = "quarantined" if held.quarantined else "accepted"
        before = dict(held.values) | {"yes": 1}
        history = (
            HistoryItem(held.seq, "protocol", "2022-06-05T21:07:00+06:00", station.id, before, None, True),
            HistoryItem(
                held.seq + 9,
                "correction",
                "2022-06-07T10:00:00+06:00",
                "commission",
                held.values,
                "recount",
                True,
                "aigul",
            ),
        )
        proof = {"index": held.seq, "size": 300, "leaf": "0a" * 32, "root": "0b" * 32, "hashes": ["0c" * 32] * 9}
        return ProtocolView(contest, state, held.values, held.checks, history, proof)

    def stations(self, poll_id: str, area: str, start: int, count: int) -> Sequence[StationRow]:
        mine = [self._row(s) for s in self.stations_ if s.area == area]
        return mine[start : start + count]

    def quarantine(self, poll_id: str, start: int, count: int) -> Sequence[StationRow]:
        rows = [self._row(s) for s in self.stations_]
        waiting = [replace(row, protocols=tuple(p for p in row.protocols if p.state == "quarantined")) for row in rows]
        return [row for row in waiting if row.protocols][start : start + count]

    def _row(self, station: Station) -> StationRow:
        found = []
        for contest in self.poll_.contests:
            held = self.held[contest.id].get(station.id)
            if held is not None:
                state = "quarantined" if held.quarantined else "accepted"
                found.append(
                    Listed(
                        contest.id, station.id, station.area, state, held.version, held.seq, held.values, held.checks
                    )
                )
        return StationRow(station.id, station.area, station.eligible, station.abroad, tuple(found))

    def corrections(self, poll_id: str) -> Sequence[tuple[int, Entry]]:
        contest = self.poll_.contests[0]
        station, held = next((k, v) for k, v in self.held[contest.id].items()) if self.held[contest.id] else ("", None)
        if held is None:
            return []
        before: Mapping[str, int] = dict(held.values) | {"participated": held.values["participated"] + 524}
        body = {"station": station, "contest": contest.id, "of": held.seq, "before": before, "after": dict(held.values)}
        body |= {"reason": "ballots of another station were added", "checks": []}
        at = "2022-06-07T10:00:00+06:00"
        return [
            (900, Entry(self.poll_.id, "correction", f"correction/q1/{station}/1", at, "commission", body)),
            (901, report_corrected(self.poll_.id, station)),
        ]

    def record(self, poll_id: str) -> RecordState:
        note = NOTE.format(size=300, root="A" * 43 + "=", signature="A" * 92)
        return RecordState(((300, note),), ("observers+00000000+" + "A" * 44,))


def report_corrected(poll: str, station: str) -> Entry:
    """A turnout report that was misheard."""
    body = {"station": station, "time": "10:00", "of": 41, "before": {"eligible": 1000, "received": 521},
            "after": {"eligible": 1000, "received": 251}, "reason": "ballots of another station were added"}  # fmt: skip
    name = f"turnout-correction/{station}/10:00/1"
    return Entry(poll, "turnout-correction", name, "2022-06-05T11:00:00+06:00", "commission", body)


def referendum() -> Poll:
    """The pack's poll."""
    return read_poll(find_poll(POLL)).poll


def two_questions() -> Poll:
    """Another poll: two questions on one day, the second with three answers; not a reconstruction; unknown to any pack."""
    poll = referendum()
    first = poll.contests[0]
    labels = {"kk": "Қалыс", "ru": "Воздержался", "en": "Abstain"}
    fields = list(first.form.fields)
    at = next(n for n, field in enumerate(fields) if field.name == "no") + 1
    fields.insert(at, Field("abstain", "4", labels, "option"))
    form: Form = replace(first.form, fields=tuple(fields), identities=first.form.identities[1:])
    second = Contest(
        "q2", {"kk": "Екінші сұрақ?", "ru": "Второй вопрос?", "en": "A second question?"}, form, first.rule
    )
    return replace(poll, id="two/questions", day=date(2022, 6, 5), contests=(first, second), reconstruction=False)


def reader(source: Sample) -> SiteClient:
    """Someone who reads the site."""
    return SiteClient(site(source, maps=Path(MAPS.name)), follow_redirects=False)
