"""What came in, and is it right? The office's queue: new and flagged reports, side by side, verified or rejected; imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import FileResponse, Response

from dauys.errors import BadInput
from dauys.observe.accreditation.pictures import ENDINGS
from dauys.observe.field import photos, words
from dauys.observe.field.forms import PROTOCOL, Form, form_of, read_answers
from dauys.observe.field.intake import Incoming, note_poll, poll_of, take
from dauys.observe.field.lines import take_lines
from dauys.observe.field.rules import differ, disagreeing, newest
from dauys.observe.field.tables import decode, preview, take_table
from dauys.observe.known.model import Mission, MissionError
from dauys.observe.known.reports import Report, Value
from dauys.observe.office.visit import Model, Page, Visit
from dauys.observe.office.words import refusal
from dauys.regular_file import read_regular

SHOWN = 100
"""Reports on one page of the queue, and side by side."""
VIEWS = ("new", "flagged", "disputed", "incidents", "verified", "rejected", "all")
"""What the queue may show; `new` is what nobody judged yet."""


def queue(visit: Visit) -> Model | str:
    """Reports by `?show=`, `?form=`, `?station=`, newest first; posted, it verifies all new ones that are in order."""
    _remember(visit)
    if visit.form is not None:
        return f"/field?{urlencode({'done': _verify_clean(visit)})}"
    mission, query = visit.mission, visit.request.query_params
    show = query.get("show", "new") if query.get("show", "new") in VIEWS else "new"
    form, station = query.get("form", ""), query.get("station", "").strip()
    disputed = disputed_of(mission)
    found = [
        one
        for one in reversed(mission.reports.values())
        if _in_view(one, show, disputed) and (not form or one.form == form) and (not station or one.station == station)
    ]
    page = int(query.get("page", "1")) if query.get("page", "1").isdecimal() and len(query.get("page", "1")) < 6 else 1
    kept = found[SHOWN * (max(page, 1) - 1) : SHOWN * max(page, 1)]
    rows = [words.report(visit.office, one) | {"disputed": one.n in disputed} for one in kept]
    return {
        "rows": rows,
        "show": show,
        "form": form,
        "station": station,
        "page": max(page, 1),
        "pages": -(-len(found) // SHOWN),
        "counts": {name: sum(_in_view(one, name, disputed) for one in mission.reports.values()) for name in VIEWS},
        "clean": len(_clean(mission, disputed)),
        "done": query.get("done", ""),
        "zone": words.zone_of(visit.office),
        "queue": rows,
        "refresh": 60 if show == "new" else 0,
    }


def disputed_of(mission: Mission) -> frozenset[int]:
    """The reports (events) of stations whose observers differ in a copy of a protocol, while nobody verified one of them."""
    groups: dict[tuple[str, str], list[Report]] = {}
    for one in mission.reports.values():
        if one.form == PROTOCOL and one.standing != "rejected":
            groups.setdefault((one.contest, one.station), []).append(one)
    found: set[int] = set()
    for reports in groups.values():
        asked = newest([one for one in reports if one.standing == "verified"] or reports)
        if disagreeing(asked):
            found |= {one.n for one in asked}
    return frozenset(found)


def one(visit: Visit) -> Model | str:
    """One report beside all others of its station and form; posted, it is verified, corrected or rejected."""
    report = _report(visit)
    if visit.form is not None:
        _judge(visit, report)
        return f"/field/report?n={report.n}"
    office, mission = visit.office, visit.mission
    beside = [
        other
        for other in mission.reports.values()
        if (other.station, other.form, other.contest) == (report.station, report.form, report.contest)
        and (report.form not in ("voting",) or other.values.get("as_of") == report.values.get("as_of"))
        and (report.form != "incident" or other.n == report.n)
    ]
    asked = words.form_asked(office, report)
    against = {name for other in beside if other.standing != "rejected" for name in differ(report.values, other.values)}
    shown = beside[-SHOWN:] if report in beside[-SHOWN:] else [report, *beside[1 - SHOWN :]]
    return {
        "report": words.report(office, report),
        "shown": [_side(visit, other) for other in shown],
        "beside": len(beside),
        "fields": _fields(asked, shown),
        "against": sorted(against),
        "asked": asked,
        "typed": {name: _typed(value) for name, value in report.values.items()},
        "station": words.station(office, report.station),
        "who": mission.observers.get(report.observer),
        "judged": report.by,
        "zone": words.zone_of(office),
        "pack": words.pack_of(office),
        "heic": any(photo.kind == "image/heic" for other in shown for photo in other.photos),
    }


def photo(visit: Visit) -> Response:
    """The bytes of a photo that belongs to a report."""
    name = visit.request.query_params.get("sha256", "")
    if not any(shot.sha256 == name for report in visit.mission.reports.values() for shot in report.photos):
        raise MissionError("no report has this photo")
    found = photos.kind_kept(visit.office.keep, name)
    if found is None:
        raise MissionError("the photo is not in the mission's folder: put it back from a copy")
    headers = {"Content-Disposition": f'inline; filename="{name[:16]}{ENDINGS[found.kind]}"'}
    return FileResponse(visit.office.keep.photo(name), media_type=found.kind, headers=headers)


def import_(visit: Visit) -> Model:
    """Many reports at once: lines of text, or a table that is looked at before it is taken."""
    _remember(visit)
    office = visit.office
    poll = poll_of(visit.mission, office.official())
    model: Model = {
        "forms": words.forms(poll), "answers": None, "lines": "", "preview": None, "table": "", "form_path": "", "taken": None,
        "refused": None,
    }  # fmt: skip
    if visit.form is None:
        return model
    if visit.form.get("act") == "lines":
        text = visit.form.get("lines", "")
        answers = take_lines(office.keep, text, visit.at, office.official())
        said = [
            {
                "number": a.number,
                "line": a.line,
                "report": a.report,
                "there": a.there,
                "refusal": a.fault and refusal(a.fault),
            }
            for a in answers
        ]
        return model | {"answers": said, "lines": "\n".join(a.line for a in answers if a.fault)}
    form, _, contest = visit.text("path", 120).partition("/")
    try:
        data = _table(visit)
        text, _ = decode(data)
        if visit.form.get("act") == "take":
            taken = take_table(office.keep, data, form, visit.at, office.official(), contest)
            return model | {"taken": len(taken)}
        found = preview(office.keep, data, form, visit.at, office.official(), contest)
    except BadInput as fault:
        return model | {"refused": refusal(fault), "form_path": visit.text("path", 120)}
    rows = [{"row": row, "refusal": row.fault and refusal(row.fault)} for row in found.rows]
    return model | {"preview": found, "rows": rows[:SHOWN], "table": text, "form_path": visit.text("path", 120)}


def write(visit: Visit) -> Model | str:
    """A report that an observer gives by telephone, written down by the office."""
    _remember(visit)
    office, query = visit.office, visit.request.query_params
    path = visit.text("path", 120) or query.get("path", "arrival")[:120]
    form, _, contest = path.partition("/")
    asked = form_of(form, poll_of(visit.mission, office.official()), contest)
    model: Model = {
        "forms": words.forms(poll_of(visit.mission, office.official())), "form_path": path, "form": words.form(asked, contest),
        "typed": {}, "observer": query.get("observer", "")[:40], "station": query.get("station", "")[:120], "refused": None,
        "pack": words.pack_of(office),
    }  # fmt: skip
    if visit.form is None:
        return model
    typed = {name[2:]: value for name, value in visit.form.items() if name.startswith("a-") and value.strip()}
    observer, station = visit.text("observer", 40), visit.text("station", 120)
    try:
        pictures = tuple(
            photos.store(office.keep, path) for name, path in visit.files.items() if name.startswith("photo")
        )
        key = f"office-{visit.at.isoformat()}-{observer}-{station}"[:200]
        incoming = Incoming(key, observer, station, form, typed, "office", contest, photos=pictures)
        return f"/field/report?n={take(office.keep, incoming, visit.at, office.official()).n}"
    except BadInput as fault:
        return model | {"typed": typed, "observer": observer, "station": station, "refused": refusal(fault)}


def _in_view(one: Report, show: str, disputed: frozenset[int]) -> bool:
    match show:
        case "new" | "verified" | "rejected":
            return one.standing == show
        case "flagged":
            return one.standing == "new" and bool(one.flags)
        case "disputed":
            return one.n in disputed
        case "incidents":
            return one.form == "incident" and one.standing != "rejected"
    return True


def _clean(mission: Mission, disputed: frozenset[int]) -> list[Report]:
    """New reports that raised no flag, and that no other contradicts. An incident is always read by a person."""
    return [
        one
        for one in mission.reports.values()
        if one.standing == "new" and not one.flags and one.n not in disputed and one.form != "incident"
    ]


def _verify_clean(visit: Visit) -> int:
    with visit.office.keep.acting() as mission:  # as they stand now, all of them or none
        clean = _clean(mission, disputed_of(mission))
        for report in clean:
            visit.append("judged", {"report": report.n, "standing": "verified", "note": ""})
    return len(clean)


def _report(visit: Visit) -> Report:
    typed = visit.request.query_params.get("n", "") or visit.text("n", 12)
    found = visit.mission.reports.get(int(typed)) if typed.isascii() and typed.isdecimal() and len(typed) < 12 else None
    if found is None:
        raise MissionError(f"there is no report {typed[:12]}")
    return found


def _judge(visit: Visit, report: Report) -> None:
    """Verified, with values where they were corrected, or rejected. Raises BadInput O.117 without a reason, O.107 to O.109."""
    act, note = visit.text("act", 20), visit.text("note", 1000)
    if act == "verify":
        values = _corrected(visit, report)
        if values is not None and not note:
            raise BadInput("say why the values are corrected", field="note", expected="a reason", check="O.117")
        body: dict[str, Any] = {"report": report.n, "standing": "verified", "note": note}
        visit.append("judged", body if values is None else body | {"values": values})
    elif act in ("reject", "reopen"):
        if not note:
            raise BadInput("say why", field="note", expected="a reason", check="O.117")
        visit.append("judged", {"report": report.n, "standing": "rejected" if act == "reject" else "new", "note": note})


def _corrected(visit: Visit, report: Report) -> dict[str, Value] | None:
    """The answers as the office typed them; None where they are those of the report."""
    asked = words.form_asked(visit.office, report)
    typed = {name[2:]: value for name, value in (visit.form or {}).items() if name.startswith("a-")}
    if asked is None or not typed:
        return None
    values = read_answers(asked, typed)
    return None if values == dict(report.values) else values


def _fields(asked: Form | None, reports: Sequence[Report]) -> list[Model]:
    """The questions that anybody answered, with their words."""
    if asked is None:
        names = dict.fromkeys(name for report in reports for name in report.values)
        return [
            {"id": name, "names": dict.fromkeys(("kk", "ru", "en"), name), "kind": "count", "options": {}}
            for name in names
        ]
    return [
        {
            "id": field.id,
            "names": field.names,
            "kind": field.kind,
            "options": {one.id: one.names for one in field.options},
        }
        for field in asked.fields
        if any(field.id in report.values for report in reports)
    ]


def _side(visit: Visit, report: Report) -> Model:
    """One report as a column: as it came, and as it was verified where that differs."""
    asked = words.form_asked(visit.office, report)
    broken = [rule.names for rule in asked.broken(report.values)] if asked else []
    return words.report(visit.office, report) | {"values": dict(report.values), "broken": broken}


def _typed(value: Value) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _table(visit: Visit) -> bytes:
    """The table that was sent: a file, or the text of the one that was looked at."""
    path = visit.files.get("file")
    if path is not None:
        return read_regular(path, 64 << 20)
    text = (visit.form or {}).get("table", "")
    if not text.strip():
        raise BadInput("choose a file", field="file", expected="a table as CSV", check="O.118")
    return text.encode()


def _remember(visit: Visit) -> None:
    official = visit.office.official()
    if official is not None:
        note_poll(visit.office.keep, official.poll, visit.at)


PAGES = (
    Page("/field", "field/queue.html", queue, "Reports", twin="queue"),
    Page("/field/report", "field/report.html", one),
    Page("/field/photo", "", photo),
    Page("/field/import", "field/import.html", import_),
    Page("/field/write", "field/write.html", write),
)
