"""What is next, and how far are we? The mission's first page: steps, counts, and where observers have arrived."""

from __future__ import annotations

from dauys.observe.field.coverage import coverage
from dauys.observe.known.model import Mission
from dauys.observe.mission.setup_pages import standing
from dauys.observe.office.following import grown
from dauys.observe.office.visit import Model, Office, Page, Visit

REFRESH = 60
"""Seconds after which a page that follows nothing is loaded again."""


def home(visit: Visit) -> Model:
    """Steps of the job with what is done, figures, coverage by territory."""
    mission, office = visit.mission, visit.office
    official = office.official()
    reports = mission.reports.values()
    found = coverage(mission, official)
    shares = {row["code"]: row["verified"] / row["planned"] if row["planned"] else 0.0 for row in found["areas"]}
    poll = "" if official is None else official.poll.id
    return {
        "steps": steps(office, mission),
        "figures": {
            "drawn": 0 if mission.sample is None else len(mission.sample.stations),
            "observers": sum(not one.suspended for one in mission.observers.values()),
            "reports": len(mission.reports),
            "new": sum(one.standing == "new" for one in reports),
            "flagged": sum(bool(one.flags) and one.standing == "new" for one in reports),
            "incidents": sum(one.form == "incident" and one.standing != "rejected" for one in reports),
        },
        "coverage": found,
        "map": office.draw_map(poll, shares, visit.lang) if found["areas"] and poll else "",
        "official": None
        if official is None
        else {"size": official.size, "root": official.root, "stations": len(official.stations),
              "protocols": len(official.protocols), "declared": official.declared},
        "witness": office.extra.get("witness") and office.extra["witness"].said,
        "head": office.keep.head(),
        "events": mission.size,
        "refresh": REFRESH if mission.reports else 0,
        "grown": grown(mission, official),
    }  # fmt: skip


def steps(office: Office, mission: Mission) -> list[Model]:
    """The job in order. `done`: whether it is; the first that is not is `now`."""
    official = office.official()
    code = "" if mission.identity is None else mission.identity.code
    found = standing(official, code)
    accredited = found is not None and not found["suspended"] and found["key"] == office.keep.public
    drawn = () if mission.sample is None else mission.sample.stations
    told = any(one.kind == "observer-seed" for one in mission.sent.values())
    copies = {one.station for one in mission.reports.values() if one.form == "protocol" and one.standing == "verified"}
    job = [
        ("identity", "/setup", mission.identity is not None and official is not None),
        ("accredited", "/setup", accredited),
        ("frame", "/sample", mission.frame is not None),
        ("committed", "/sample", bool(mission.commitment)),
        ("drawn", "/sample", mission.sample is not None),
        ("observers", "/people", bool(drawn) and all(mission.assigned.get(name) for name in drawn)),
        ("reports", "/field", bool(drawn) and copies.issuperset(drawn)),
        ("seed", "/sample", told),
        ("report", "/report", any(one.kind == "observer-report" for one in mission.sent.values())),
    ]
    first = next((name for name, _, done in job if not done), "")
    return [{"name": name, "path": path, "done": done, "now": name == first} for name, path, done in job]


def by_station(visit: Visit) -> Model:
    """Every drawn station; `?area=` keeps those of a territory, `?without=` those that lack a stage."""
    mission, official = visit.mission, visit.office.official()
    found = coverage(mission, official)
    area, without = visit.request.query_params.get("area", ""), visit.request.query_params.get("without", "")
    kept = [
        one
        for one in found["stations"]
        if (not area or one["area"] == area) and (not without or without not in one["stages"])
    ]
    return {
        "coverage": found, "stations": kept, "area": area, "without": without, "refresh": REFRESH if mission.reports else 0,
        "grown": grown(mission, official),
    }  # fmt: skip


PAGES = (
    Page("", "mission/home.html", home, "Overview", twin="coverage"),
    Page("/coverage", "mission/coverage.html", by_station, twin="coverage"),
)
