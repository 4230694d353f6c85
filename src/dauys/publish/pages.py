"""Which public pages are there? The routes of the result site: each page and, from the same model, its JSON twin.

Every page is `model -> template`; the model is made in `publish.views` of plain values. JSON is the model itself.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.convertors import Convertor, register_url_convertor

from dauys.errors import DauysError
from dauys.page_forms import DEEPEST
from dauys.polls.standing import StationView
from dauys.publish import checks_page, views
from dauys.publish.focus import STEPS
from dauys.publish.law_source import law_packs
from dauys.publish.maps import Drawing, tiles
from dauys.publish.outlines import outlines
from dauys.publish.source import Source
from dauys.publish.twins import Render, paired
from dauys.publish.views import Model
from dauys.registers.poll import Poll

PER_PAGE = 100
"""Stations on one page of a list."""


class _Poll(Convertor[str]):
    """A poll's id before the id of a station, which may be any text: as little as will do."""

    regex = "[a-z0-9-]+(?:/[a-z0-9-]+)*?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("poll", _Poll())


def router(source: Source, render: Render, maps: Path | None = None) -> APIRouter:
    """All pages. `maps` is the folder where drawn maps are kept (None: nowhere)."""
    routes = APIRouter()
    page = paired(routes, render)

    @lru_cache(maxsize=16)
    def drawings(poll_id: str) -> list[Drawing]:
        poll = source.poll(poll_id)
        codes = [area.code for area in poll.areas]
        outlined = outlines(poll.id, codes, maps)
        return [tiles(poll.id, codes), *([outlined] if outlined else [])]

    def with_maps(model: Model) -> Model:
        poll = source.poll(model["poll"]["id"])
        packs = {contest.rule.id.partition("/")[0] for contest in poll.contests} & set(law_packs())
        return {"maps": drawings(poll.id), "steps": STEPS, "law": min(packs, default=None)}

    def found(poll: Poll, area: str) -> None:
        if area not in {a.code for a in poll.areas}:
            raise HTTPException(404)

    @routes.get("/{lang:lang}/", include_in_schema=False)
    def front(lang: str, request: Request) -> Response:
        polls = source.polls()
        if len(polls) == 1:
            return RedirectResponse(f"/{lang}/polls/{polls[0].id}/", 307, {"Cache-Control": "no-store"})
        return render(request, "publish/front.html", views.front(polls))

    @routes.get("/{lang:lang}.json")
    def front_json(lang: str) -> JSONResponse:
        """The polls there are."""
        return JSONResponse(views.front(source.polls()))

    @page("/polls/{poll:poll}/stations/{station:path}", "publish/station.html")
    def station(lang: str, poll: str, station: str) -> Model:
        """One station: form, checks, history, inclusion proof, turnout reports."""
        return views.station(source.standing(poll), _station(source, poll, station))

    @page("/polls/{poll:path}/areas/{area}", "publish/area.html")
    def area(lang: str, poll: str, area: str, start: int = Query(0, ge=0, le=DEEPEST)) -> Model:
        """One territory and its stations, a hundred at a time from `start`."""
        now = source.standing(poll)
        found(now.poll, area)
        rows = source.stations(poll, area, start, PER_PAGE)
        return views.area(now, area, rows, start, PER_PAGE)

    @page("/polls/{poll:path}/areas", "publish/areas.html", with_maps)
    def areas(lang: str, poll: str) -> Model:
        """Every territory with its totals."""
        return views.result(source.standing(poll))

    @page("/polls/{poll:path}/turnout", "publish/turnout.html")
    def turnout(lang: str, poll: str) -> Model:
        """Turnout by hour, with every denominator."""
        return views.turnout(source.standing(poll)) | {"electronic": source.electronic(poll)}

    @page("/polls/{poll:path}/quarantine", "publish/quarantine.html")
    def quarantine(lang: str, poll: str, start: int = Query(0, ge=0, le=DEEPEST)) -> Model:
        """Protocols in quarantine, corrections and annulments."""
        rows = source.quarantine(poll, start, PER_PAGE)
        return views.quarantine(source.standing(poll), rows, source.corrections(poll), start, PER_PAGE)

    @page("/polls/{poll:path}/checks", "publish/checks.html")
    def checks(lang: str, poll: str) -> Model:
        """Every check with its number."""
        return views.head(source.standing(poll)) | checks_page.catalogue(source.poll(poll))

    @page("/polls/{poll:path}/record", "publish/record.html")
    def record(lang: str, poll: str) -> Model:
        """The record's checkpoint, cosignatures, and where its files are."""
        return views.record(source.standing(poll), source.record(poll))

    @page("/polls/{poll:path}/downloads", "publish/downloads.html")
    def downloads(lang: str, poll: str) -> Model:
        """The files to take away."""
        return views.downloads(source.standing(poll))

    @page("/polls/{poll:path}/reconstruction", "publish/reconstruction.html")
    def reconstruction(lang: str, poll: str) -> Model:
        """What is reconstructed and what is published."""
        now = source.standing(poll)
        if not now.poll.reconstruction:
            raise HTTPException(404)
        return views.head(now)

    @page("/polls/{poll:path}/", "publish/result.html", with_maps)
    def result(lang: str, poll: str) -> Model:
        """The result: decision, bounds, totals, territories."""
        return views.result(source.standing(poll))

    return routes


def _station(source: Source, poll: str, station: str) -> StationView:
    """The station of an address: an id that ends in `.json` or `/` has a slash after it there (web.render.station_path)."""
    try:
        return source.station(poll, station)
    except DauysError:
        if not station.endswith("/"):
            raise
        return source.station(poll, station[:-1])
