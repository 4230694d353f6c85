"""What is the result of a contest now? One way from protocols to totals, decision and bounds, for the site and the verifier.

The database (polls.standing) and the record (polls.replay) both end in a `Sheet`; everything after it is the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.bounds import Bounds, bounds_of
from dauys.count.decision import Decision
from dauys.count.tally import covers
from dauys.registers.poll import Contest, Poll, Station

MISSING, ACCEPTED, QUARANTINED, ANNULLED, REPEAT = range(5)
STATES = ("missing", "accepted", "quarantined", "annulled", "repeat-pending")
"""The state of a station in a contest; only `accepted` ones are in the sums."""


@dataclass(frozen=True, slots=True)
class Held:
    """The protocol in force of one station: the entry it stands in, its values, the checks it raised, its version."""

    seq: int
    values: Mapping[str, int]
    checks: tuple[str, ...] = ()
    version: int = 0

    @property
    def quarantined(self) -> bool:
        """An error keeps a protocol out of every sum; a warning does not."""
        return any(check.startswith("F") for check in self.checks)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All stations of a contest with the protocol in force, as columns; row i is `stations[i]`.

    `area` are indexes into the poll's areas; `state` indexes into STATES; `columns` hold 0 where a field is not given.
    """

    poll: Poll
    contest: Contest
    stations: Sequence[Station]
    area: npt.NDArray[np.int64]
    state: npt.NDArray[np.int8]
    columns: Mapping[str, npt.NDArray[np.int64]]
    held: Mapping[str, Held]
    annulled_areas: Mapping[str, bool]

    @classmethod
    def of(
        cls,
        poll: Poll,
        contest: Contest,
        stations: Sequence[Station],
        held: Mapping[str, Held],
        annulled: Mapping[tuple[str, str], bool] | None = None,
    ) -> Sheet:
        """Joins the list of stations with their protocols. `annulled` maps (contest, station or area) to "will repeat"."""
        here = {target: repeat for (name, target), repeat in (annulled or {}).items() if name == contest.id}
        codes = {area.code: n for n, area in enumerate(poll.areas)}
        state = np.full(len(stations), MISSING, dtype=np.int8)
        columns = {name: np.zeros(len(stations), dtype=np.int64) for name in contest.form.names}
        for row, station in enumerate(stations):
            if station.id in here:
                state[row] = REPEAT if here[station.id] else ANNULLED
            elif (protocol := held.get(station.id)) is not None:
                state[row] = QUARANTINED if protocol.quarantined else ACCEPTED
                for name, value in protocol.values.items():
                    columns[name][row] = value
        area = np.array([codes[station.area] for station in stations], dtype=np.int64)
        return cls(poll, contest, stations, area, state, columns, held, {c: here[c] for c in codes if c in here})


@dataclass(frozen=True, slots=True)
class AreaStanding:
    """One area: how many stations are expected, counted, in quarantine, missing, annulled; its totals; whether it says yes.

    The four are all that are expected; `repeat_pending` of them vote again. `met` is None while that is open, or where the
    rule asks nothing of single areas.
    """

    code: str
    names: Mapping[str, str]
    expected: int
    counted: int
    quarantined: int
    missing: int
    annulled: int
    repeat_pending: int
    totals: Mapping[str, int]
    met: bool | None


@dataclass(frozen=True, slots=True)
class ContestStanding:
    """One contest: sums over the counted stations (`covers` names that set), the decision, and what can still change."""

    contest: Contest
    expected: int
    counted: int
    quarantined: int
    missing: int
    annulled: int
    repeat_pending: int
    totals: Mapping[str, int]
    areas: tuple[AreaStanding, ...]
    decision: Decision
    bounds: Bounds
    covers: str


def contest_standing(sheet: Sheet) -> ContestStanding:
    """Sums, decides and bounds one contest.

    Stations in quarantine, missing or to vote again are bounded by their list (BallotLimit).
    """
    poll, contest = sheet.poll, sheet.contest
    accepted = sheet.state == ACCEPTED
    counts = {state: np.bincount(sheet.area[sheet.state == state], minlength=len(poll.areas)) for state in range(5)}
    sums = _area_sums(sheet, accepted)
    cap = poll.ballot_limit.cap
    again = np.array([sheet.annulled_areas.get(area.code, False) for area in poll.areas], dtype=bool)
    waiting = np.isin(sheet.state, (MISSING, QUARANTINED, REPEAT)) | again[sheet.area]
    parts: list[list[Outstanding]] = [[] for _ in poll.areas]
    for row in np.flatnonzero(waiting).tolist():
        eligible = sheet.stations[row].eligible
        parts[sheet.area[row]].append(Outstanding.of(eligible, cap(eligible)))
    outstanding = [Outstanding.total(part) for part in parts]
    area_counts = {
        area.code: _area_count(sheet, area.code, {name: int(sums[name][n]) for name in sums}, outstanding[n])
        for n, area in enumerate(poll.areas)
    }
    live = np.array([area_counts[area.code].counts for area in poll.areas], dtype=bool)
    bounded = bounds_of(contest.rule, area_counts, on=poll.day)
    says_yes = {row.area: row.met for test in bounded.decision.tests for row in test.areas or ()}
    void = sheet.annulled_areas
    expected = sum(counts.values(), np.zeros(len(poll.areas), dtype=np.int64))
    areas = tuple(
        AreaStanding(
            code=area.code,
            names=area.names,
            expected=int(expected[n]),
            counted=int(counts[ACCEPTED][n]) if live[n] else 0,
            quarantined=int(counts[QUARANTINED][n]),
            missing=int(counts[MISSING][n] + counts[REPEAT][n]),
            annulled=int(counts[ANNULLED][n]) + (0 if live[n] else int(counts[ACCEPTED][n])),
            repeat_pending=int(expected[n] * void[area.code] if area.code in void else counts[REPEAT][n]),
            totals={name: int(sums[name][n]) if live[n] else 0 for name in sums},
            met=says_yes.get(area.code),
        )
        for n, area in enumerate(poll.areas)
    )
    counted_ids = [sheet.stations[row].id for row in np.flatnonzero(accepted & live[sheet.area]).tolist()]
    return ContestStanding(
        contest=contest,
        expected=len(sheet.stations),
        counted=len(counted_ids),
        quarantined=sum(area.quarantined for area in areas),
        missing=sum(area.missing for area in areas),
        annulled=sum(area.annulled for area in areas),
        repeat_pending=sum(area.repeat_pending for area in areas),
        totals={name: sum(area.totals[name] for area in areas) for name in sums},
        areas=areas,
        decision=bounded.decision,
        bounds=bounded,
        covers=covers(counted_ids),
    )


def _area_sums(sheet: Sheet, accepted: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.int64]]:
    """Exact sums per area of the fields that any counted protocol gives. int64 holds 9 x 10^9 stations of 10^9."""
    sums: dict[str, npt.NDArray[np.int64]] = {}
    where = sheet.area[accepted]
    for field in sheet.contest.form.fields:
        column = sheet.columns[field.name][accepted]
        if field.optional and not column.any():
            continue
        total = np.zeros(len(sheet.poll.areas), dtype=np.int64)
        np.add.at(total, where, column)
        sums[field.name] = total
    return sums


def _area_count(sheet: Sheet, code: str, totals: Mapping[str, int], outstanding: Outstanding) -> AreaCount:
    area = sheet.poll.area(code)
    values = {name: totals[name] for name in sheet.contest.rule.fields}
    return AreaCount.of(values, area.weight, outstanding, sheet.annulled_areas.get(code))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A poll after `size` entries of its record: the stage it is in, when its newest entry was made, every protocol."""

    poll: Poll
    size: int
    stage: str
    as_of: str
    sheets: tuple[Sheet, ...]


def stage_of(kinds: Mapping[str, int], declared: Sequence[str]) -> str:
    """opening, voting, counting, or the name of the newest declaration. `kinds` counts the entries of each kind."""
    if declared:
        return declared[-1]
    if kinds.get("protocol"):
        return "counting"
    return "voting" if kinds.get("turnout") or kinds.get("check-ins") else "opening"


def results_json(snapshot: Snapshot, standings: Sequence[ContestStanding]) -> dict[str, Any]:
    """The answer of `dauys run --json`, less `bundle`; with several contests the first one stands at the top too."""
    contests = [contest_json(standing) for standing in standings]
    first = contests[0]
    return {
        "poll": snapshot.poll.id,
        "stage": snapshot.stage,
        "reconstruction": snapshot.poll.reconstruction,
        "size": snapshot.size,
        "as_of": snapshot.as_of,
        "stations": first["stations"],
        "totals": first["totals"],
        "areas": first["areas"],
        "decision": first["decision"],
        "contests": contests,
    }


def contest_json(standing: ContestStanding) -> dict[str, Any]:
    """The part of `dauys run --json` and of a declaration that one contest fills (docs/architecture.md)."""
    return {
        "contest": standing.contest.id,
        "stations": {
            "expected": standing.expected,
            "counted": standing.counted,
            "quarantined": standing.quarantined,
            "missing": standing.missing,
            "annulled": standing.annulled,
            "repeat_pending": standing.repeat_pending,
        },
        "covers": standing.covers,
        "totals": dict(standing.totals),
        "areas": [{"code": area.code, "name": area.names["en"], **area.totals} for area in standing.areas],
        "decision": standing.decision.to_json(),
    }
