"""What do pages show of forms, stations and reports, as plain values with their words in three languages?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dauys.errors import BadInput
from dauys.observe.field.forms import Form, form_of, load_forms, protocol_form
from dauys.observe.field.intake import poll_of
from dauys.observe.field.rules import ASKED, missing_of
from dauys.observe.known.reports import Report
from dauys.observe.known.rights import rights_of
from dauys.observe.office.visit import Model, Office
from dauys.registers.catalogue import catalogue
from dauys.registers.poll import Labels, Poll


def forms(poll: Poll | None) -> list[Model]:
    """Every form in the order of the day, incidents last; of each contest its protocol. Without the record no protocol."""
    day = [_named(one, "") for one in load_forms().values()]
    copies = [_named(protocol_form(poll, one), one.id) for one in poll.contests] if poll else []
    return day[:-1] + copies + day[-1:]


def form(asked: Form, contest: str) -> Model:
    """One form with its fields."""
    return _named(asked, contest) | {
        "fields": [one for one in asked.fields if one.kind != "photo"],
        "photos": [one for one in asked.fields if one.kind == "photo"][:1],
        "facts": asked.id == "incident",
    }


def _named(one: Form, contest: str) -> Model:
    path = f"{one.id}/{contest}" if contest else one.id
    return {"id": one.id, "names": one.names, "when": one.when, "contest": contest, "path": path}


def names() -> Mapping[str, Any]:
    """The checks of the room by number: title and text."""
    return catalogue("observe")


def station(office: Office, name: str) -> Model:
    """A station with its area's names and its list, where the record says."""
    official = office.official()
    listed = None if official is None else official.stations.get(name)
    area = None if official is None or listed is None else official.poll.area(listed.area)
    return {
        "id": name,
        "area": None if area is None else area.names,
        "eligible": None if listed is None else listed.eligible,
        "abroad": listed is not None and listed.abroad,
    }


def zone_of(office: Office) -> str:
    identity = office.keep.mission.identity
    return "UTC" if identity is None else identity.zone


def report(office: Office, one: Report) -> Model:
    """A report as its observer and the office see it; the same that phones get as JSON."""
    return {
        "report": one.n,
        "key": one.key,
        "form": one.form,
        "names": form_names(office, one),
        "contest": one.contest,
        "station": one.station,
        "observer": one.observer,
        "written": one.written,
        "received": one.received,
        "channel": one.channel,
        "standing": one.standing,
        "note": one.note,
        "flags": [flag(office, one, number) for number in one.flags],
        "asked": list(missing_of(one)) if ASKED in one.flags else [],
        "photos": [photo.sha256 for photo in one.photos],
        "summary": _summary(office, one),
    }


def _summary(office: Office, one: Report) -> Labels:
    """What was chosen, in a few words: an incident's kind and weight."""
    asked = form_asked(office, one)
    chosen = [
        option.names
        for field in (asked.fields if asked else ())
        for option in field.options
        if one.values.get(field.id) == option.id
    ]
    return {lang: " · ".join(names[lang] for names in chosen) for lang in ("kk", "ru", "en")}


def flag(office: Office, one: Report, number: str) -> Model:
    """A flag with its words: of the room's catalogue, or of the identity of the protocol's own form."""
    known = catalogue("observe").get(number)
    if known is not None:
        return {"check": number, "title": dict(known.title), "text": dict(known.text)}
    asked = form_asked(office, one)
    labels: Labels = next((rule.names for rule in asked.rules if rule.number == number), {}) if asked else {}
    return {"check": number, "title": dict(labels), "text": dict(labels)}


def form_asked(office: Office, one: Report) -> Form | None:
    """The form that a report answers; None for a protocol while the poll is not known."""
    try:
        return form_of(one.form, poll_of(office.keep.mission, office.official()), one.contest)
    except BadInput:
        return None


def form_names(office: Office, one: Report) -> Labels:
    asked = form_asked(office, one)
    return dict.fromkeys(("kk", "ru", "en"), one.form) if asked is None else asked.names


def duties_cite(office: Office) -> str:
    """The article by which remarks rest on documented facts, of the law of the poll's day or else of a later one."""
    found = next((term for term in rights(office)["terms"] if term["name"] == "duties"), None)
    return "" if found is None else str(found["cite"] or found["later_cite"])


def rights(office: Office) -> Model:
    """Rights and duties by the law of the poll's day, with their articles."""
    poll = poll_of(office.keep.mission, office.official())
    if poll is None:
        return {"terms": [], "day": "", "pack": ""}
    kept = office.extra.get("field.rights")
    if kept is None or kept[0] != poll.id:
        kept = office.extra["field.rights"] = (poll.id, rights_of(poll))
    return {"terms": kept[1], "day": poll.day.isoformat(), "pack": poll.id.partition("/")[0]}


def pack_of(office: Office) -> str:
    """The pack whose words name the articles."""
    poll = poll_of(office.keep.mission, office.official())
    return "" if poll is None else poll.id.partition("/")[0]
