"""Who observes a poll, and what did observers say? Everything here stands in the record; a badge is looked at without being kept.

GET  /{lang}/polls/{poll}/observers         who is accredited, refused, suspended; rights and duties; samples; what was observed
GET  /{lang}/polls/{poll}/observers/badge   is this badge good? A script of the page answers by itself; without it the form is
POST /{lang}/polls/{poll}/observers/badge   sent here. `badge`: its text, which stands in no address
GET  /{lang}/polls/{poll}/observers/rules   what the law of the poll's day says, for observers and for the commission
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.badge import look_at
from dauys.observe.accreditation.follows import Register
from dauys.observe.accreditation.photos import held
from dauys.observe.accreditation.said import rules_said
from dauys.page_forms import DEEPEST, limited
from dauys.polls.opening import load_poll
from dauys.polls.standing import standing
from dauys.publish import views
from dauys.publish.twins import Model, Render, paired
from dauys.record import log
from dauys.record.entry import Entry
from dauys.registers.poll import COMMISSION, Poll
from dauys.store.engine import Connection

PER_PAGE = 50
LARGEST = 8192
"""Bytes of the form."""
SHOWN = ("organisation", "organisation-suspended", "badge-suspended")


class _Observed(Convertor[str]):
    """A poll's id that leaves the pages of stations alone, one of which may be called `observers`."""

    regex = "(?:(?!/stations/).)+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("observed", _Observed())


def router(engine: sa.Engine, render: Render, clock: Callable[[], datetime]) -> APIRouter:
    """The pages, their twins, and the form."""
    routes = APIRouter()
    page = paired(routes, render)

    @lru_cache(maxsize=16)
    def law(poll: str) -> Model:
        with engine.connect() as connection:
            return rules_said(load_poll(connection, poll))

    def head(connection: Connection, poll: str) -> Model:
        now = standing(connection, poll)
        areas = {area.code: dict(area.names) for area in now.poll.areas}
        return {**views.head(now), "area_names": areas}

    @page(
        "/polls/{poll:observed}/observers/badge",
        "publish/badge.html",
        lambda _: {"answer": None, "fault": None, "typed": ""},
    )
    def badge(lang: str, poll: str) -> Model:
        """What a badge is held against: the commission's key, and every suspension."""
        with engine.connect() as connection:
            return {**head(connection, poll), **against(connection, load_poll(connection, poll))}

    @page("/polls/{poll:observed}/observers/rules", "publish/observer_rules.html")
    def rules(lang: str, poll: str) -> Model:
        """Rights and duties of observers, and what the commission has to do, with the articles."""
        with engine.connect() as connection:
            return {**head(connection, poll), "law": law(poll)}

    @page("/polls/{poll:observed}/observers", "publish/observers.html")
    def observers(lang: str, poll: str, start: int = Query(0, ge=0, le=DEEPEST)) -> Model:
        """Organisations, samples, observations with the commission's answers, audits and reports, from the record."""
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            forms = {
                contest.id: {f.name: dict(f.labels) for f in contest.form.fields}
                for contest in load_poll(connection, poll).contests
            }
            return {**head(connection, poll), "fields": forms, **of_record(connection, poll, start)}

    def answer(poll: str, text: str) -> tuple[Model, int]:
        with engine.connect() as connection:
            opened = load_poll(connection, poll)
            model = {
                **head(connection, poll),
                **against(connection, opened),
                "typed": "",
                "answer": None,
                "fault": None,
            }
        on = clock().astimezone(ZoneInfo(opened.timezone)).date()
        badges = dict.fromkeys(model["badges"], True)
        try:
            key = b64decode(model["key"])
            said = look_at(text, poll, key, badges, dict.fromkeys(model["codes"], True), on)
        except BadInput as fault:
            return model | {"fault": fault.check, "typed": text[:2000]}, 422
        return model | {"answer": said.to_json()}, 200

    @routes.post("/{lang:lang}/polls/{poll:observed}/observers/badge", include_in_schema=False)
    async def look(lang: str, poll: str, request: Request) -> Response:
        data = await limited(request, LARGEST)
        if data is None:
            raise DauysError("the text is too long for a badge")
        text = parse_qs(data.decode("ascii", "replace")).get("badge", [""])[0]
        model, status = await run_in_threadpool(answer, poll, text)
        response = render(request, "publish/badge.html", model, status)
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes


def against(connection: Connection, poll: Poll) -> Model:
    """`{"key","badges","codes"}`: the commission's public key (base64); what is suspended: commitments of badges, codes."""
    register = _register(connection, poll.id)
    keys = log.entry_at(connection, poll.id, 0).body["keys"]
    return {
        "key": keys.get(COMMISSION, ""),
        "badges": sorted(mark for mark, suspended in register.badges.items() if suspended),
        "codes": sorted(code for code, one in register.organisations.items() if one.suspended),
    }


def of_record(connection: Connection, poll: str, start: int) -> Model:
    """What the record holds about observers; observations newest first, from `start` on.

    `photos_sent`: of the photos that they name, those that the commission has. The pictures themselves are on no public page.
    """
    organisations = {
        entry.body["code"]: _about(seq, entry) | {"suspensions": []}
        for seq, entry in log.of_kind(connection, poll, "organisation")
    }
    for seq, entry in log.of_kind(connection, poll, "organisation-suspended"):
        organisations[entry.body["organisation"]]["suspensions"].append(_about(seq, entry))
    for one in organisations.values():
        one["suspended"] = bool(one["suspensions"]) and one["suspensions"][-1]["suspended"]
    seeds = {entry.body["of"]: _about(seq, entry) for seq, entry in log.of_kind(connection, poll, "observer-seed")}
    samples = [
        _about(seq, entry) | {"told": seeds.get(seq)} for seq, entry in log.of_kind(connection, poll, "observer-sample")
    ]
    total, rows = _observations(connection, poll, start)
    answers: dict[int, list[Model]] = {}
    for seq, entry in log.of_kind(connection, poll, "observation-answer"):
        answers.setdefault(entry.body["of"], []).append(_about(seq, entry))
    return {
        "organisations": list(organisations.values()),
        "names": {code: one["names"] for code, one in organisations.items()},
        "refused": [_about(*one) for one in log.of_kind(connection, poll, "organisation-refused")],
        "badges": [_about(*one) for one in log.of_kind(connection, poll, "badge-suspended")],
        "samples": samples,
        "observations": [_about(seq, entry) | {"answers": answers.get(seq, [])} for seq, entry in rows],
        "photos_sent": sorted(held(connection, poll, {name for _, entry in rows for name in entry.body["photos"]})),
        "audits": [_about(*one) for one in log.of_kind(connection, poll, "observer-audit")],
        "reports": [_about(*one) for one in log.of_kind(connection, poll, "observer-report")],
        "pages": views.pages(start, PER_PAGE, total),
    }


def _about(seq: int, entry: Entry) -> Model:
    """The body of an entry, with its place, its moment and its author."""
    return {"seq": seq, "at": entry.at, "by": entry.by, **entry.body}


def _register(connection: Connection, poll: str) -> Register:
    register = Register()
    for kind in SHOWN:
        for seq, entry in log.of_kind(connection, poll, kind):
            register.take(seq, kind, entry.body)
    return register


def _observations(connection: Connection, poll: str, start: int) -> tuple[int, list[tuple[int, Entry]]]:
    """How many there are, and a page of them, newest first."""
    given: dict[str, Any] = {"poll": poll, "start": start, "page": PER_PAGE}
    total = connection.scalar(sa.text("SELECT count(*) FROM entry WHERE poll = :poll AND kind = 'observation'"), given)
    rows = connection.execute(
        sa.text(
            "SELECT seq, body FROM entry WHERE poll = :poll AND kind = 'observation' ORDER BY seq DESC "
            "LIMIT :page OFFSET :start"
        ),
        given,
    )
    return int(total or 0), [(row.seq, Entry.from_bytes(bytes(row.body))) for row in rows]
