"""Where do our copies and the published protocols differ, and what follows? The page, and what it sends to the record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import FileResponse

from dauys.errors import BadInput
from dauys.observe.compare.answer import Answer, station_json
from dauys.observe.compare.entries import Said, next_number, observation, observations, same
from dauys.observe.compare.gather import mission_answer
from dauys.observe.compare.standing import STANDINGS, Standing
from dauys.observe.known.model import MissionError
from dauys.observe.known.official import Official
from dauys.observe.office.sending import is_sent
from dauys.observe.office.visit import Model, Page, Visit

KEPT = "comparison"
SENT = "observation-of/"
"""Notes of the mission's log: what was sent of a station, `observation-of/CONTEST/STATION`."""
TELL = frozenset({"differ", "corrected", "not-published", "quarantined"})
"""Standings of which an observation can be sent."""
SHOWN = 200
"""Stations side by side on one page; the twin has all of them."""
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/heic")
"""What is shown as a picture; anything else is only handed over."""
_HASH = re.compile("[0-9a-f]{64}")


def comparison(visit: Visit) -> Model | str:
    """Differences first, each side by side; a form sends one station's observation (`station`, `note`) to the record."""
    official, mission = visit.office.official(), visit.mission
    base: Model = {"drawn": mission.sample is not None, "read": official is not None, "answer": None, "contests": (),
                   "contest": None, "compare": {"stations": None, "differences": []}}  # fmt: skip
    if official is None or mission.sample is None or mission.identity is None:
        return base
    named = visit.text("contest") if visit.form is not None else visit.request.query_params.get("contest")
    contest = official.poll.contest(named or official.poll.contests[0].id)
    found = _answer(visit, official, contest.id)
    if visit.form is not None:
        return _send(visit, official, found)
    in_record = observations(official, mission.identity.code, contest.id)
    apart = [one for one in found.comparison.stations if one.standing != "agree" and one.copy is not None]
    areas = {area.code: area for area in official.poll.areas}
    tests = {test.name: test.labels for test in contest.rule.tests}
    return base | {
        "answer": found,
        "compare": found.to_json() | {"observations": _told(in_record)},
        "contests": official.poll.contests,
        "contest": contest,
        "counts": [(name, found.comparison.counts[name]) for name in STANDINGS if found.comparison.counts[name]],
        "apart": [_side_by_side(visit, official, found, one, in_record, areas) for one in apart[:SHOWN]],
        "more": max(0, len(apart) - SHOWN),
        "without": [one for one in found.comparison.stations if one.copy is None],
        "labels": tests,
        "fields": {field.name: field.labels for field in contest.form.fields},
        "zone": mission.identity.zone,
        "can_send": "://" in mission.identity.source,
    }  # fmt: skip


def photo(visit: Visit) -> Model | str | FileResponse:
    """A picture that belongs to a report of this mission."""
    name = str(visit.request.path_params.get("sha256", ""))
    found = next(
        (one for report in visit.mission.reports.values() for one in report.photos if one.sha256 == name), None
    )
    path = visit.office.keep.photo(name) if found is not None and _HASH.fullmatch(name) else None
    if found is None or path is None or not path.is_file():
        raise BadInput("there is no such picture", field="photo", found=name[:80], check="O.157")
    kind = found.kind if found.kind in PICTURES else "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})


def _answer(visit: Visit, official: Official, contest: str) -> Answer:
    """Computed once for a state of the log and the record."""
    key = (visit.mission.size, official.size, contest)
    kept = visit.office.extra.get(KEPT)
    if kept is None or kept[0] != key:
        kept = visit.office.extra[KEPT] = key, mission_answer(visit.mission, official, contest, visit.at)
    found: Answer = kept[1]
    return found


def _send(visit: Visit, official: Official, found: Answer) -> str:
    """Signs and sends one observation; what says the same of the same entry is not sent twice."""
    identity, contest = visit.mission.identity, found.comparison.contest
    assert identity is not None
    if "://" not in identity.source:
        raise MissionError(
            "the official record is a folder: it takes nothing. Name the address of the commission's site"
        )
    station = visit.text("station")
    one = next((one for one in found.comparison.stations if one.station == station), None)
    if one is None or one.copy is None or one.standing not in TELL:
        raise BadInput(
            "of this station there is nothing to say to the record: its copy is not verified, or it agrees",
            field="station", found=station, check="O.158",
        )  # fmt: skip
    number = next_number(visit.mission, official, identity.code, contest, station)
    name, body = observation(identity.code, contest, one, number, visit.text("note"))
    if (kept := visit.mission.notes.get(f"{SENT}{contest}/{station}")) is not None and same(kept["body"], body):
        raise MissionError("this was sent already, and nothing has changed since")
    visit.office.send("observation", name, body)
    visit.append("note", {"name": f"{SENT}{contest}/{station}", "id": name, "body": body})
    if (poke := visit.office.extra.get("poke")) is not None:  # its photos go now, not with the next round
        poke()
    return f"/compare?contest={contest}#s-{station}"


def _side_by_side(
    visit: Visit,
    official: Official,
    found: Answer,
    one: Standing,
    told: Mapping[str, list[Said]],
    areas: Mapping[str, Any],
) -> Model:
    """One station as the template shows it: every field with both numbers, photos, what was sent and answered."""
    assert one.copy is not None
    contest = found.comparison.contest
    published = {} if one.published is None else one.published.values
    differing = {difference.field for difference in one.differences}
    note = visit.mission.notes.get(f"{SENT}{contest}/{one.station}")
    in_record = told.get(one.station, [])
    sent = None if note is None else visit.mission.sent.get(str(note["id"]))
    names = [name for name in official.poll.contest(contest).form.names if name in one.copy.values or name in published]
    identity = visit.mission.identity
    assert identity is not None
    _, body = observation(identity.code, contest, one, 1)
    return {
        "standing": one,
        "json": station_json(one),
        "area": areas[one.area].names,
        "rows": [
            (name, one.copy.values.get(name), published.get(name), name in differing, [o.get(name) for o in one.copy.others])
            for name in names
        ],
        "photos": _photos(visit, one.copy.photos, {str(name) for said in in_record for name in said.body.get("photos", ())}
                          | set(note["body"]["photos"] if note is not None and sent is not None else ())),
        "told": in_record,
        "waits": note is not None and sent is None and not any(said.id == note["id"] for said in in_record),
        "index": None if sent is None else sent.index,
        "can_tell": one.standing in TELL and (note is None or not same(note["body"], body)),
    }  # fmt: skip


def _photos(visit: Visit, names: tuple[str, ...], named: set[str]) -> list[tuple[str, str, str]]:
    """Each photo of a copy, where it is (`here`; `waits`: an observation in the record names it; `sent`), and why it waits."""
    outbox = visit.office.extra.get("outbox")
    waiting = {} if outbox is None else outbox.photos.waiting()
    return [
        (name, "sent", "") if is_sent(visit.mission, name)
        else (name, "waits", waiting[name].why if name in waiting else "") if name in named
        else (name, "here", "")
        for name in names
    ]  # fmt: skip


def _told(observed: Mapping[str, list[Said]]) -> list[dict[str, Any]]:
    return [
        {"id": one.id, "index": one.index, "station": station, "of": one.body.get("of"), "fields": one.body.get("fields"),
         "answer": one.answer, "answered": one.answered, "reason": one.reason, "because": one.because}
        for station, several in observed.items()
        for one in several
    ]  # fmt: skip


PAGES = (
    Page("/compare", "compare/compare.html", comparison, "Comparison", twin="compare"),
    Page("/compare/photo/{sha256}", "", photo),
)
