"""Which station protocols agree with everything that was published, and what exactly do they say?"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from dauys.errors import DauysError
from dauys.reconstruction.book import ELIGIBLE, PARTICIPATED, RECEIVED, Book
from dauys.reconstruction.figures import Figure, read_figures
from dauys.reconstruction.settings import CorrectionPlan, Settings, read_settings
from dauys.reconstruction.split import split
from dauys.reconstruction.stations import spread_area
from dauys.reconstruction.territories import Territories, solve_territories
from dauys.reconstruction.tickets import Ints, ranks, tickets


@dataclass(frozen=True, slots=True)
class Stations:
    """Columns, one place a station: id, area code, whether it is abroad, voters on the list at the opening."""

    ids: tuple[str, ...]
    areas: tuple[str, ...]
    abroad: tuple[bool, ...]
    opening: Ints


@dataclass(frozen=True, slots=True)
class Turnout:
    """Announcements of the day, arrays of times x stations: voters on the list in use, ballots received so far."""

    times: tuple[str, ...]
    eligible: Ints
    received: Ints


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected protocol: all fields before and after, when, and why in every language."""

    station: str
    at: datetime.datetime
    before: dict[str, int]
    after: dict[str, int]
    reason: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Station figures of a poll that never published any: a reconstruction, not a result of any real station.

    `protocols[field]` are the preliminary values by station: `eligible`, `received`, `participated` and the classes.
    `corrections` lead to the final ones. `arrival` is minutes from the station's closing (local time) to its protocol.
    """

    settings: Settings
    territories: Territories
    stations: Stations
    turnout: Turnout
    protocols: Mapping[str, Ints]
    corrections: tuple[Correction, ...]
    arrival: Ints

    @property
    def final(self) -> dict[str, Ints]:
        """The protocols with all corrections applied."""
        values = {field: column.copy() for field, column in self.protocols.items()}
        places = {station: i for i, station in enumerate(self.stations.ids)}
        for correction in self.corrections:
            for field, value in correction.after.items():
                values[field][places[correction.station]] = value
        return values

    def digest(self) -> str:
        """SHA-256 over every number, as lines of text: equal digests mean equal reconstructions."""
        columns: list[Iterable[object]] = [self.stations.ids, self.stations.areas, self.stations.abroad]
        columns += [self.stations.opening.tolist(), self.arrival.tolist()]
        columns += [row.tolist() for table in (self.turnout.eligible, self.turnout.received) for row in table]
        columns += [self.protocols[field].tolist() for field in sorted(self.protocols)]
        lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
        for c in self.corrections:
            values = (f"{f}:{c.before[f]}>{c.after[f]}" for f in sorted(c.before))
            lines.append(f"{c.station},{c.at.isoformat()},{','.join(values)}")
        return sha256("\n".join(lines).encode()).hexdigest()


def reconstruct(folder: Path) -> Reconstruction:
    """The reconstruction described in a poll's folder (`reconstruction.yaml`, `published.csv`, `prior.csv`).

    Raises `Contradiction` naming the published figures that cannot all be true, `BadInput` for unreadable files.
    """
    return rebuild(read_settings(folder), read_figures(folder / "published.csv"))


def rebuild(settings: Settings, figures: Iterable[Figure]) -> Reconstruction:
    """`reconstruct` from values already read."""
    solved = solve_territories(Book(figures), settings)
    parts = [(area, spread_area(area, solved, settings)) for area in settings.areas]
    stations = Stations(
        tuple(i for _, part in parts for i in part.ids),
        tuple(area for area, part in parts for _ in part.ids),
        tuple(n >= len(part.ids) - part.abroad for _, part in parts for n in range(len(part.ids))),
        _joined(part.registers[settings.registers[0]] for _, part in parts),
    )
    times = tuple(settings.reports)
    registers = {state: _joined(part.registers[state] for _, part in parts) for state in settings.registers}
    turnout = Turnout(
        times,
        _sealed(np.stack([registers[settings.reports[time]] for time in times])),
        _sealed(np.stack([_joined(part.received[time] for _, part in parts) for time in times])),
    )
    protocols = {ELIGIBLE: registers[settings.registers[-1]], RECEIVED: _sealed(turnout.received[-1].copy())}
    for field in (PARTICIPATED, *reversed(settings.classes)):
        protocols[field] = _joined(part.values[field] for _, part in parts)
    corrections = _corrections(settings.correction, stations, protocols, solved.changes, settings)
    return Reconstruction(
        settings, solved, stations, turnout, protocols, corrections, _joined(part.arrival for _, part in parts)
    )


def _joined(columns: Iterable[Ints]) -> Ints:
    return _sealed(np.concatenate(list(columns)))


def _sealed(array: Ints) -> Ints:
    array.flags.writeable = False
    return array


def _corrections(
    plan: CorrectionPlan, stations: Stations, protocols: Mapping[str, Ints], changes: dict[str, int], settings: Settings
) -> tuple[Correction, ...]:
    """The change from preliminary to final, spread over a few stations of the plan's area drawn by ticket."""
    if not any(changes.values()):
        return ()
    if any(change > 0 for change in changes.values()):
        raise DauysError("the final result has more ballots in a class than the preliminary one: not a withdrawal")
    places = np.array([i for i, area in enumerate(stations.areas) if area == plan.area], dtype=np.int64)
    drawn = tickets(settings.seed, f"{plan.area}/correction", len(places))
    enough = np.all([protocols[c][places] // 2 * plan.stations > -changes[c] for c in settings.classes], axis=0)
    order = [int(i) for i in np.lexsort((ranks(drawn),)) if enough[i]][: plan.stations]
    if len(order) < plan.stations:
        raise DauysError(f"no {plan.stations} stations of {plan.area} are large enough for the correction")
    chosen, ties = places[order], ranks(drawn)[order]
    fewer: dict[str, Ints] = {}
    for name in settings.classes:
        values = protocols[name][chosen]
        fewer[name] = split(-changes[name], np.maximum(values, 1), values * 0, values // 2, ties)
    fewer[PARTICIPATED] = np.sum(list(fewer.values()), axis=0)
    found = []
    for n, place in enumerate(chosen.tolist()):
        before = {field: int(column[place]) for field, column in protocols.items()}
        after = {field: value - int(fewer[field][n]) if field in fewer else value for field, value in before.items()}
        minutes = int(ties[n] % plan.within_minutes)
        at = plan.first + datetime.timedelta(minutes=minutes)
        found.append(Correction(stations.ids[place], at, before, after, plan.reason))
    return tuple(sorted(found, key=lambda c: (c.at, c.station)))
