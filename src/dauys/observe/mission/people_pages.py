"""Who observes where, with which code, and what may he do? Observers, their slips, assignments, suspensions, their rights."""

from __future__ import annotations

import io
from collections.abc import Mapping

import segno

from dauys.errors import BadInput
from dauys.observe.known.model import MissionError, Observer
from dauys.observe.known.people import COLUMNS, Crowded, Entered, Person, at_station, even, read_list, without
from dauys.observe.known.rights import one_at_a_time, rights_of
from dauys.observe.mission.setup_pages import standing
from dauys.observe.office.door import mark_of, new_code, shown
from dauys.observe.office.visit import Model, Office, Page, Visit

SHOWN = 100
"""Rows of a list on one page."""


def people(visit: Visit) -> Model:
    """Every observer; `?q=` keeps those whose id, name or station has it."""
    mission = visit.mission
    query = visit.request.query_params.get("q", "").strip().casefold()[:80]
    typed = visit.request.query_params.get("from", "")
    first = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 8 else 0
    where = _stations_of(visit)
    found = [
        one
        for one in mission.observers.values()
        if not query or any(query in text.casefold() for text in (one.id, one.name, *where.get(one.id, ())))
    ]
    drawn = () if mission.sample is None else mission.sample.stations
    return {
        "people": [_line(one, where) for one in found[first : first + SHOWN]],
        "next": first + SHOWN if len(found) > first + SHOWN else 0,
        "query": query,
        "found": len(found),
        "all": len(mission.observers),
        "organisations": Entered(mission).organisations(),
        "drawn": len(drawn),
        "without": list(without(mission)),
        "slips": len(_slips(visit.office)),
        "columns": COLUMNS,
    }


def one(visit: Visit) -> Model:
    """One observer: where he is, what happened to him."""
    mission, who = visit.mission, _who(visit, str(visit.request.path_params.get("who", "")))
    history = [
        {"at": event.at, "kind": event.kind, "why": str(event.body.get("why", "")), "station": str(event.body.get("station", "")),
         "n": event.n}
        for event in visit.office.keep.events()
        if event.kind in ("observer", "suspended", "assigned", "unassigned")
        and who.id in (event.body.get("id"), event.body.get("observer"))
    ]  # fmt: skip
    identity = mission.identity
    return {
        "who": who,
        "stations": mission.where(who.id),
        "history": history,
        "zone": "UTC" if identity is None else identity.zone,
        "reports": sum(report.observer == who.id for report in mission.reports.values()),
        "free": list(without(mission))[:SHOWN],
        "has_slip": who.id in _slips(visit.office),
    }


def add(visit: Visit) -> str:
    """One more observer, by hand."""
    if visit.form is None:
        return "/people"
    person = Entered(visit.mission, _one_at_a_time(visit)).person({name: visit.text(name, 200) for name in COLUMNS})
    _enter(visit, [person])
    return "/people"


def take_list(visit: Visit) -> str:
    """Observers of a list in CSV: all of them, or none with the first row that is wrong."""
    if visit.form is None:
        return "/people"
    if "file" not in visit.files:
        raise BadInput("choose the file of the list", field="file", check="O.012")
    _enter(visit, read_list(visit.files["file"], visit.mission, _one_at_a_time(visit)))
    return "/people/slips"


def _enter(visit: Visit, persons: list[Person]) -> None:
    codes = {person.id: new_code() for person in persons}
    marks = {name: mark_of(code) for name, code in codes.items()}
    with visit.office.keep.acting():  # all of them, or none
        for person in persons:
            visit.append("observer", person.body(marks[person.id]))
            if person.station:
                visit.append("assigned", {"observer": person.id, "station": person.station})
    _slips(visit.office).update(codes)


def new_slip(visit: Visit) -> str:
    """A new code for who lost his; the old one and its phone are out."""
    if visit.form is None:
        return "/people"
    who, code = _who(visit, visit.text("observer", 40)), new_code()
    body = {
        "id": who.id, "name": who.name, "organisation": who.organisation, "secret": mark_of(code), "phone": who.phone,
        "badge": who.badge, "area": who.area,
    }  # fmt: skip
    visit.append("observer", body)
    visit.office.extra["door"].end(who.id)
    _slips(visit.office)[who.id] = code
    return "/people/slips"


def slips(visit: Visit) -> Model | str:
    """The slips that were not printed yet: id, code, QR. Codes are known here only until they are said to be printed."""
    waiting = _slips(visit.office)
    if visit.form is not None:
        waiting.clear()
        return "/people"
    mission = visit.mission
    base = str(visit.request.base_url).rstrip("/")
    return {
        "slips": [
            {"who": mission.observers[name], "code": shown(code), "qr": qr(f"{base}/o/in?id={name}&code={code}"),
             "stations": mission.where(name)}
            for name, code in waiting.items()
            if name in mission.observers
        ],
        "address": f"{base}/o",
        "loopback": visit.request.url.hostname in ("127.0.0.1", "localhost", "::1"),
    }  # fmt: skip


def assign(visit: Visit) -> str:
    """Sends an observer to a station that was drawn."""
    if visit.form is None:
        return "/people"
    who, station = _who(visit, visit.text("observer", 40)), visit.text("station", 120)
    drawn = () if visit.mission.sample is None else visit.mission.sample.stations
    if station not in drawn:
        raise MissionError(
            f"{station or 'no station'} was not drawn: observers go to the stations of the sample, none is replaced"
        )
    if (area := _areas(visit).get(station)) is not None and not _accredited_in(visit, who.organisation, area):
        raise MissionError(f"{who.organisation} is not accredited in {area}")
    with visit.office.keep.acting() as mission:
        if (there := at_station(mission, who.organisation, station)) not in ("", who.id):
            raise Crowded(station, there, _one_at_a_time(visit))
        visit.append("assigned", {"observer": who.id, "station": station})
    return f"/people/{who.id}"


def unassign(visit: Visit) -> str:
    """Takes an observer from a station."""
    if visit.form is None:
        return "/people"
    who, station = _who(visit, visit.text("observer", 40)), visit.text("station", 120)
    if who.id in visit.mission.assigned.get(station, ()):
        visit.append("unassigned", {"observer": who.id, "station": station})
    return f"/people/{who.id}"


def assign_evenly(visit: Visit) -> str:
    """Sends free observers to the stations that have none of their organisation, as evenly as there are observers."""
    if visit.form is None:
        return "/people"
    mission = visit.mission
    if mission.sample is None:
        raise MissionError("draw the stations first")
    areas, most = _areas(visit), visit.number("most", 1, 20) if visit.text("most") else 1
    official = visit.office.official()
    for code in Entered(mission).organisations():
        found = standing(official, code)
        scope = ("*",) if found is None else found["scope"]
        with visit.office.keep.acting() as now:
            for station, observer in even(now, code, areas, scope, most):
                visit.append("assigned", {"observer": observer, "station": station})
    return "/people"


def suspend(visit: Visit) -> str:
    """Suspends an observer with the reason, or ends it. What he wrote before stays."""
    if visit.form is None:
        return "/people"
    who, why = _who(visit, visit.text("observer", 40)), visit.text("why", 400)
    ends = visit.text("ends") == "1"
    if not ends and not why:
        raise BadInput("a suspension has a reason", field="why", expected="what happened, in a sentence", check="O.012")
    if ends != bool(who.suspended):
        return f"/people/{who.id}"
    visit.append("suspended", {"observer": who.id, "why": "" if ends else why})
    return f"/people/{who.id}"


def rights(visit: Visit) -> Model:
    """Rights and duties of observers by the law of the poll's day."""
    official = visit.office.official()
    return {
        "terms": [] if official is None else rights_of(official.poll),
        "day": "" if official is None else official.poll.day.isoformat(),
        "pack": "" if official is None else official.poll.id.partition("/")[0],
    }


def qr(text: str) -> str:
    """A QR code as an inline SVG, without a style of its own."""
    out = io.BytesIO()
    segno.make(text, micro=False, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, border=2, scale=1, omitsize=True, svgclass="qr", lineclass=None
    )
    return out.getvalue().decode()


def _who(visit: Visit, name: str) -> Observer:
    found = visit.mission.observers.get(name)
    if found is None:
        raise MissionError(f"no observer {name[:40]} in this mission")
    return found


def _one_at_a_time(visit: Visit) -> str:
    official = visit.office.official()
    return one_at_a_time(None if official is None else official.poll)


def _line(one: Observer, where: Mapping[str, tuple[str, ...]]) -> Model:
    return {"who": one, "stations": where.get(one.id, ())}


def _stations_of(visit: Visit) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for station, there in visit.mission.assigned.items():
        for name in there:
            found[name] = (*found.get(name, ()), station)
    return found


def _areas(visit: Visit) -> Mapping[str, str]:
    official = visit.office.official()
    return {} if official is None else {name: station.area for name, station in official.stations.items()}


def _accredited_in(visit: Visit, code: str, area: str) -> bool:
    found = standing(visit.office.official(), code)
    return found is None or "*" in found["scope"] or area in found["scope"]


def _slips(office: Office) -> dict[str, str]:
    """Codes that were made and not printed yet, by observer: in memory alone."""
    found: dict[str, str] = office.extra.setdefault("slips", {})
    return found


PAGES = (
    Page("/people", "mission/people.html", people, "Observers"),
    Page("/people/add", "", add),
    Page("/people/list", "", take_list),
    Page("/people/slips", "mission/slips.html", slips),
    Page("/people/slip", "", new_slip),
    Page("/people/assign", "", assign),
    Page("/people/unassign", "", unassign),
    Page("/people/even", "", assign_evenly),
    Page("/people/suspend", "", suspend),
    Page("/people/rights", "mission/rights.html", rights),
    Page("/people/{who}", "mission/person.html", one),
)
