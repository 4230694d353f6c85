"""The report: as a page, as PDF, as JSON; kept as it was written, its hash in the record. And each trace: an event, an entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from itertools import islice
from typing import Any

from starlette.responses import Response

from dauys.errors import BadInput, DauysError
from dauys.observe.audit import sheets
from dauys.observe.field.forms import PROTOCOL, PROTOCOL_NAMES, load_forms
from dauys.observe.known.model import MissionError
from dauys.observe.known.official import Official, fetch_of
from dauys.observe.office.visit import Model, Page, Visit
from dauys.observe.report.background import background
from dauys.observe.report.contests import area_names, official_of, zone_of
from dauys.observe.report.figures import chance, decimal, share
from dauys.observe.report.gather import gather
from dauys.observe.report.indicator_pages import cards, pictures
from dauys.observe.report.indicator_work import made
from dauys.observe.report.labels import label
from dauys.observe.report.night_picture import night
from dauys.observe.report.observed import INCIDENT, KIND, WEIGHTS
from dauys.observe.report.paper import inlined, kept_file, kept_reports, write_report
from dauys.record.merkle import ProofError, inclusion_proof_from, leaf_hash, verify_inclusion
from dauys.record.tiles import TileError, nodes_of, read_entries

KEPT = "report"
SECRET = frozenset({"secret", "phone", "name"})
"""Members of an observer's event that a printed trace does not need."""
SEEDED = frozenset({"drawn"})
"""Kinds of event that hold the sample's seed."""


def report(visit: Visit) -> Model | str:
    """`/report`: the page; a form keeps it as it is now, as PDF and JSON, and sends their hashes to the record."""
    if visit.form is not None:
        _keep(visit)
        return "/report"
    if visit.office.official() is None or visit.mission.identity is None:
        return {"ready": False, "report": {"report": None}}
    return model_of(visit) | {"ready": True, "printing": False}


def model_of(visit: Visit) -> Model:
    """The report's content (`report`), and beside it what the page shows of it in its language."""
    official, lang = official_of(visit), visit.lang
    body = _gathered(visit, official)
    return {
        "report": body,
        "has_browser": sheets.browser() is not None,
        "going": background(visit.office.extra).running(KEPT),
        "fault": background(visit.office.extra).fault(KEPT),
        "refresh": 3 if background(visit.office.extra).running(KEPT) else 0,
        "kept": kept_reports(visit.office.keep),
        "mission_zone": zone_of(visit),
        "areas": area_names(official, lang),
        "labels": {test.name: test.labels for contest in official.poll.contests for test in contest.rule.tests},
        "fields": {field.name: field.labels for contest in official.poll.contests for field in contest.form.fields},
        "form_names": {PROTOCOL: PROTOCOL_NAMES} | {name: form.names for name, form in load_forms().items()},
        "incident_kinds": _options(KIND),
        "weights": [(name, label(f"weight_{name}", lang)) for name in WEIGHTS],
        "said": lambda name: label(name, lang),
        "limits": [limit_text(one, lang) for one in body["limits"]],
        "nights": {
            (contest["id"], one["name"]): night(one, f"n{place}-{number}", lang)
            for place, contest in enumerate(body["contests"])
            for number, one in enumerate(contest["estimates"])
            if one.get("snapshots")
        },
        "shown": {contest["id"]: _indicators(visit, contest, official) for contest in body["contests"]},
        "share": lambda value, places=2: share(value, lang, places),
        "decimal": lambda value, places=2: decimal(value, lang, places),
        "chance": lambda value: chance(value, lang),
    }


def _gathered(visit: Visit, official: Official) -> dict[str, Any]:
    """Made once for a state of log and record, and again when a minute has passed."""
    key = (visit.mission.size, official.size, visit.at.replace(second=0, microsecond=0))
    kept = visit.office.extra.get(KEPT)
    if kept is None or kept[0] != key:
        kept = visit.office.extra[KEPT] = key, gather(visit.office, visit.at)
    body: dict[str, Any] = kept[1]
    return body


def limit_text(limit: Mapping[str, Any], lang: str) -> str:
    """A limit as a sentence with its numbers."""
    numbers = {name: decimal(value, lang, 0) for name, value in limit.items() if isinstance(value, int)}
    return label(limit["name"], lang).format(**{"n": "–", "all": "–"} | numbers)


def _indicators(visit: Visit, contest: Mapping[str, Any], official: Official) -> Model | None:
    """The headlines of the indicators with their pictures; None where none were made."""
    found = made(visit.office.keep, contest["id"])
    if found is None or contest["indicators"] is None:
        return None
    shown = cards({"indicators": contest["indicators"]["indicators"]}, visit.lang, area_names(official, visit.lang))
    drawn = [
        (svg.replace('"own-', f'"{contest["id"]}-own-').replace('"clean-', f'"{contest["id"]}-clean-'), said)
        for svg, said in pictures(found, visit.lang)
    ]
    return {"made": found, "cards": shown, "pictures": drawn}


def _options(field: str) -> dict[str, Mapping[str, str]]:
    """The answers of a question of the form about incidents, with their words."""
    form = load_forms()[INCIDENT]
    return {option.id: option.names for one in form.fields if one.id == field for option in one.options}


def pdf(visit: Visit) -> Response:
    """`/report.pdf`: the page as it is now, printed. Raises BadInput O.183 where there is no Chromium."""
    return Response(
        _printed(visit), media_type="application/pdf", headers={"Content-Disposition": "inline; filename=report.pdf"}
    )


def _printed(visit: Visit) -> bytes:
    if sheets.browser() is None:
        raise BadInput(
            "the PDF is printed by Chromium, which this machine does not have", check="O.183",
            expected="Chromium installed, or the page printed from a browser",
        )  # fmt: skip
    show = visit.office.extra["show"]
    response: Response = show(
        visit.request,
        "report/report.html",
        model_of(visit) | {"ready": True, "printing": True, "refresh": 0, "going": False},
    )
    return inlined(bytes(response.body).decode())


def _keep(visit: Visit) -> None:
    """Writes the report as it is now and sends its hashes. The PDF is left out where there is no Chromium."""
    official_of(visit)
    if background(visit.office.extra).running(KEPT):
        raise MissionError("the report is being written already: wait for it")
    body = _gathered(visit, official_of(visit))
    data = json.dumps(body, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False).encode()

    def work() -> None:
        write_report(visit, body, data, _printed(visit) if sheets.browser() is not None else None)

    background(visit.office.extra).start(KEPT, work)


def kept(visit: Visit) -> Response:
    """`/report/kept`: a report as it was kept, by its SHA-256."""
    name, data, kind = kept_file(visit.office.keep, visit.request.query_params.get("sha256", ""))
    return Response(data, media_type=kind, headers={"Content-Disposition": f"attachment; filename={name}"})


def event(visit: Visit) -> Model:
    """`/report/event`: one event of the mission's log, and its neighbours."""
    n = _place(visit, visit.mission.size)
    found = next(islice(iter(visit.office.keep.events(n)), 1), None)
    if found is None:
        raise BadInput("there is no such event in the log", field="n", found=n, check="O.184")
    body = dict(found.body)
    if found.kind == "observer":
        body |= dict.fromkeys(SECRET & body.keys(), "…")
    told = any(one.kind == "observer-seed" for one in visit.mission.sent.values())
    if found.kind in SEEDED and not told and "seed" in body:
        body["seed"] = label("seed_hidden", visit.lang)
    return {
        "n": n, "event": found, "text": json.dumps(body, ensure_ascii=False, indent=1), "size": visit.mission.size,
        "head": visit.office.keep.head(), "mission_zone": zone_of(visit),
    }  # fmt: skip


def entry(visit: Visit) -> Model:
    """`/report/entry`: one entry of the official record as it lies there, proven under the root that was read.

    Raises BadInput: O.184 no such place, O.185 where it cannot be read; DauysError for one that the root does not commit to.
    """
    official, identity = official_of(visit), visit.mission.identity
    assert identity is not None
    n = _place(visit, official.size)
    try:
        fetch = fetch_of(identity.source)
        data = next(iter(read_entries(fetch, official.size, n)))
        proof = inclusion_proof_from(nodes_of(fetch, official.size), n, official.size)
    except TileError as error:
        raise BadInput("the entry cannot be read", field="n", found=n, expected=str(error), check="O.185") from error
    try:
        verify_inclusion(leaf_hash(data), n, official.size, proof, bytes.fromhex(official.root))
    except ProofError:
        raise DauysError(
            f"entry {n} as the record shows it now does not stand under the root that was read, {official.root}. "
            "Keep a copy of both: they are evidence"
        ) from None
    found = json.loads(data)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    return {
        "n": n, "official": official, "text": text[:200_000], "leaf": leaf_hash(data).hex(),
        "sha256": sha256(data).hexdigest(), "kind": found.get("kind", ""), "id": found.get("id", ""),
    }  # fmt: skip


def _place(visit: Visit, size: int) -> int:
    typed = visit.request.query_params.get("n", "")
    if not typed.isascii() or not typed.isdecimal() or len(typed) > 12 or int(typed) >= size:
        raise BadInput(
            "there is no such place", field="n", found=typed[:20], expected=f"0 to {size - 1:,}", check="O.184"
        )
    return int(typed)


PAGES = (
    Page("/report", "report/report.html", report, "The report", twin="report"),
    Page("/report.pdf", "", pdf),
    Page("/report/kept", "", kept),
    Page("/report/event", "report/event.html", event),
    Page("/report/entry", "report/entry.html", entry),
)
