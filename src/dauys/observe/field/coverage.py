"""How far has each drawn station come: observer planned, arrived, opening seen, count seen, copy of the protocol verified?"""

from __future__ import annotations

from collections.abc import Mapping

from dauys.observe.known.model import Mission
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Model

STAGES = ("planned", "assigned", "arrived", "setup", "count", "copy", "verified")
"""In the order of the day. `planned`: drawn; `copy`: a copy of the protocol came in; `verified`: the office verified it."""

_FORMS = {"arrival": "arrived", "setup": "setup", "count": "count", "protocol": "copy"}
"""Which form shows which stage."""


def stages(mission: Mission) -> dict[str, frozenset[str]]:
    """Each drawn station to the stages that it has reached. A later form without an earlier one is no mistake: wires break."""
    drawn = () if mission.sample is None else mission.sample.stations
    found: dict[str, set[str]] = {name: {"planned"} for name in drawn}
    for station in found.keys() & mission.assigned.keys():
        if mission.assigned[station]:
            found[station].add("assigned")
    for report in mission.reports.values():
        stage = _FORMS.get(report.form)
        if stage is None or report.station not in found or report.standing == "rejected":
            continue
        found[report.station].add(stage)
        if stage == "copy" and report.standing == "verified":
            found[report.station].add("verified")
    return {name: frozenset(reached) for name, reached in found.items()}


def coverage(mission: Mission, official: Official | None) -> Model:
    """Counts of stations for each stage, in all and by territory, and each station with its observers.

    `{"stages": {stage: n}, "areas": [{"code", "names", stage: n...}], "stations": [{"station", "area", "observers", "stages"}]}`
    """
    reached = stages(mission)
    where = _areas(mission, official)
    names = {} if official is None else {area.code: area.names for area in official.poll.areas}
    areas: dict[str, dict[str, int]] = {}
    for station, found in reached.items():
        row = areas.setdefault(where.get(station, ""), dict.fromkeys(STAGES, 0))
        for stage in found:
            row[stage] += 1
    order = [*names, *sorted(areas.keys() - names.keys())]
    return {
        "stages": {stage: sum(stage in found for found in reached.values()) for stage in STAGES},
        "areas": [
            {"code": code, "names": names.get(code, {"en": code}), **areas.get(code, dict.fromkeys(STAGES, 0))}
            for code in order
            if code in names or code in areas
        ]
        if reached
        else [],
        "stations": [
            {"station": name, "area": where.get(name, ""), "observers": list(mission.assigned.get(name, ())),
             "stages": [stage for stage in STAGES if stage in found]}
            for name, found in reached.items()
        ],
    }  # fmt: skip


def _areas(mission: Mission, official: Official | None) -> Mapping[str, str]:
    """The territory of each drawn station: as the record says; without it, the stratum it was drawn in."""
    if official is not None:
        return {name: station.area for name, station in official.stations.items()}
    if mission.sample is None:
        return {}
    return {name: str(stratum["name"]) for stratum in mission.sample.draw["strata"] for name in stratum["ids"]}
