"""How is this poll reconstructed: its areas, reports, classes and the assumptions where nothing was published?

Reads `reconstruction.yaml` and `prior.csv` of a poll's folder.
"""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from dauys.errors import BadInput
from dauys.law.files import Node, read_text, read_yaml

_KEYS = ("seed", "registers", "reports", "classes", "groups", "abroad", "constant_registers", "correction")
_ASSUMED = (
    "register_limits",
    "class_follows_turnout",
    "station_limit",
    "station_least",
    "stations",
    "spread",
    "arrival",
)


@dataclass(frozen=True, slots=True)
class Prior:
    """A starting point for an area's register: its kind and its residents in thousands."""

    area: str
    kind: str
    thousands: int


@dataclass(frozen=True, slots=True)
class Density:
    """Stations of a kind of area: voters a station on average, voters of one in a town, share of stations in towns."""

    mean: int
    town: int
    urban: Fraction


@dataclass(frozen=True, slots=True)
class Spread:
    """Spread between stations of an area (out of 1,024, in the logarithm of the odds), and the shift in towns."""

    between: int
    urban_shift: int


@dataclass(frozen=True, slots=True)
class CorrectionPlan:
    """Where the difference between preliminary and final belongs: how many stations, when, and the reason in words."""

    area: str
    stations: int
    first: datetime.datetime
    within_minutes: int
    reason: dict[str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Minutes from closing to arrival: first, usual end, last; `late` is the share of stations after the usual end."""

    first: int
    usual: int
    last: int
    late: Fraction


@dataclass(frozen=True, slots=True)
class Settings:
    """`reconstruction.yaml` and `prior.csv` together. `reports` maps a report's time to its state of the register."""

    seed: str
    priors: tuple[Prior, ...]
    registers: tuple[str, ...]
    reports: dict[str, str]
    classes: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    abroad_area: str
    abroad_eligible: int
    constant: tuple[str, ...]
    correction: CorrectionPlan
    limits: tuple[Fraction, Fraction]
    follows: Fraction
    station_limit: int
    station_least: int
    densities: dict[str, Density]
    spreads: dict[str, Spread]
    arrival: Arrival

    @property
    def areas(self) -> tuple[str, ...]:
        """Codes of the areas, in the order of the file."""
        return tuple(prior.area for prior in self.priors)

    def register_at(self, moment: str) -> str:
        """The state of the register that a figure of this moment refers to; results refer to the last one."""
        return moment if moment in self.registers else self.reports.get(moment, self.registers[-1])


def read_settings(folder: Path) -> Settings:
    """Raises `BadInput` naming the file, the line and what was expected."""
    priors = _read_priors(folder / "prior.csv")
    root = read_yaml(folder / "reconstruction.yaml").mapping((*_KEYS, *_ASSUMED))
    areas = [prior.area for prior in priors]
    registers = tuple(item.text() for item in root["registers"].items())
    reports = {}
    for item in root["reports"].items():
        parts = item.mapping(["at", "register"])
        reports[parts["at"].time().strftime("%H:%M")] = parts["register"].choice(*registers)
    abroad = root["abroad"].mapping(["area", "eligible"])
    limits = root["register_limits"].mapping(["least", "most"])
    arrival = root["arrival"].mapping(["first", "usual", "last", "late"])
    return Settings(
        seed=root["seed"].text(),
        priors=priors,
        registers=registers,
        reports=reports,
        classes=tuple(item.text() for item in root["classes"].items()),
        groups={
            key.text(): tuple(item.choice(*areas) for item in value.items()) for key, value in root["groups"].entries()
        },
        abroad_area=abroad["area"].choice(*areas),
        abroad_eligible=abroad["eligible"].integer(1),
        constant=tuple(item.choice(*areas) for item in root["constant_registers"].items()),
        correction=_correction(root["correction"], areas),
        limits=(limits["least"].fraction(), limits["most"].fraction()),
        follows=root["class_follows_turnout"].fraction(),
        station_limit=root["station_limit"].integer(1, 100_000),
        station_least=root["station_least"].integer(1),
        densities=_densities(root["stations"], {prior.kind for prior in priors}),
        spreads=_spreads(root["spread"]),
        arrival=Arrival(
            arrival["first"].integer(1),
            arrival["usual"].integer(1),
            arrival["last"].integer(1),
            arrival["late"].fraction(),
        ),
    )


def _correction(node: Node, areas: list[str]) -> CorrectionPlan:
    parts = node.mapping(["area", "stations", "first", "within_minutes", "reason"])
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d"
    first = parts["first"].matching(pattern, "a moment with its offset, 2022-06-07T10:00+06:00")
    try:
        moment = datetime.datetime.fromisoformat(first)
    except ValueError:
        parts["first"].fail("no such moment", found=first, expected="an existing day and time")
    return CorrectionPlan(
        parts["area"].choice(*areas),
        parts["stations"].integer(1),
        moment,
        parts["within_minutes"].integer(1),
        parts["reason"].labels(),
    )


def _densities(node: Node, kinds: set[str]) -> dict[str, Density]:
    found = {}
    for kind, parts in node.mapping(sorted(kinds)).items():
        values = parts.mapping(["mean", "town", "urban"])
        found[kind] = Density(values["mean"].integer(1), values["town"].integer(1), values["urban"].fraction())
    return found


def _spreads(node: Node) -> dict[str, Spread]:
    found = {}
    for name, parts in node.mapping(["turnout", "reports", "classes"]).items():
        values = parts.mapping(["between"], ["urban_shift"])
        shift = values["urban_shift"].integer(0, 1024) if "urban_shift" in values else 0
        found[name] = Spread(values["between"].integer(0, 1024), shift)
    return found


def _read_priors(file: Path) -> tuple[Prior, ...]:
    rows = list(csv.reader(read_text(file).splitlines()))
    if not rows or rows[0] != ["area", "kind", "thousands"]:
        raise BadInput("wrong columns", file=file, row=1, expected="area, kind, thousands")
    priors: dict[str, Prior] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 3 or not row[2].isdigit() or int(row[2]) < 1 or row[0] in priors:
            expected = "an area's code (once), its kind, thousands of residents"
            raise BadInput("cannot be used", file=file, row=number, found=",".join(row), expected=expected)
        priors[row[0]] = Prior(row[0], row[1], int(row[2]))
    return tuple(priors.values())
