"""What was observed: how far each drawn station came, which forms came in, which incidents the office verified?"""

from __future__ import annotations

from typing import Any

from dauys.observe.field.coverage import STAGES, stages
from dauys.observe.known.model import Mission
from dauys.observe.known.official import Official
from dauys.observe.known.reports import Report

INCIDENT = "incident"
KIND, WEIGHT, FACT = "sort", "weight", "fact"
"""The questions of the form about incidents (field/forms.yaml)."""
SHOWN = 500
"""Incidents that the report tells one by one, the gravest first."""
WEIGHTS = ("grave", "serious", "small")


def observed(mission: Mission, official: Official) -> dict[str, Any]:
    """Coverage, forms and incidents. Each count has the events of the reports that it counts."""
    reached = stages(mission)
    areas: dict[str, dict[str, int]] = {}
    for name, found in reached.items():
        area = official.stations[name].area if name in official.stations else ""
        row = areas.setdefault(area, dict.fromkeys(STAGES, 0))
        for stage in found:
            row[stage] += 1
    return {
        "stages": {name: sum(name in found for found in reached.values()) for name in STAGES},
        "stage_traces": _stage_traces(mission),
        "areas": [{"code": code, **row} for code, row in sorted(areas.items())],
        "observers": len(mission.observers),
        "forms": _forms(mission),
        "incidents": _incidents(mission),
    }


def _stage_traces(mission: Mission) -> dict[str, Any]:
    """The events behind the count of each stage: the draw, and the reports by which stations reached it."""
    forms = {"arrival": "arrived", "setup": "setup", "count": "count", "protocol": "copy"}
    events: dict[str, list[int]] = {name: [] for name in STAGES}
    if mission.sample is not None:
        events["planned"] = [mission.sample.n]
    for one in mission.reports.values():
        if one.form in forms and one.standing != "rejected":
            events[forms[one.form]].append(one.n)
            if one.form == "protocol" and one.standing == "verified":
                events["verified"].append(one.n)
    return {name: {"events": found} for name, found in events.items()}


def _forms(mission: Mission) -> list[dict[str, Any]]:
    """By form: how many came, how many the office verified, rejected, or has not looked at."""
    by_form: dict[str, list[Report]] = {}
    for one in mission.reports.values():
        by_form.setdefault(one.form, []).append(one)
    return [
        {
            "form": form,
            "received": len(came),
            **{name: sum(one.standing == name for one in came) for name in ("verified", "rejected", "new")},
            "flagged": sum(bool(one.flags) for one in came),
            "photos": sum(len(one.photos) for one in came),
            "trace": {"events": [one.n for one in came]},
        }
        for form, came in sorted(by_form.items())
    ]


def _incidents(mission: Mission) -> dict[str, Any]:
    """Those that the office verified, by kind and weight, and one by one."""
    came = [one for one in mission.reports.values() if one.form == INCIDENT]
    verified = [one for one in came if one.standing == "verified"]
    by_kind: dict[str, list[Report]] = {}
    for one in verified:
        by_kind.setdefault(str(one.values.get(KIND, "other")), []).append(one)
    verified.sort(key=lambda one: (_weight(one), one.n))
    return {
        "verified": len(verified),
        "not_verified": len(came) - len(verified),
        "kinds": [
            {
                "kind": kind,
                "stations": len({one.station for one in several}),
                **{weight: sum(one.values.get(WEIGHT) == weight for one in several) for weight in WEIGHTS},
                "trace": {"events": [one.n for one in several]},
            }
            for kind, several in sorted(by_kind.items())
        ],
        "told": [
            {
                "station": one.station, "kind": str(one.values.get(KIND, "other")), "weight": str(one.values.get(WEIGHT, "")),
                "fact": str(one.values.get(FACT, "")), "at": one.written, "photos": [photo.sha256 for photo in one.photos],
                "trace": {"events": [one.n]},
            }
            for one in verified[:SHOWN]
        ],
    }  # fmt: skip


def _weight(report: Report) -> int:
    found = report.values.get(WEIGHT)
    return WEIGHTS.index(str(found)) if found in WEIGHTS else len(WEIGHTS)
