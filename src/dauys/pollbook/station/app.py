"""What answers at a station: the officers' pages, their sign-in and safety, over one store.

Pages are server-rendered and work without JavaScript. `create_app` is given how a page is shown (`render`, from the shell):
this room knows models, not words. Who asks must be an officer with a session, but for the door itself; a form bears its
session's mark; nothing personal stands in an address.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from dauys.errors import BadInput, DauysError
from dauys.page_forms import LANGUAGES, Safety, from_here, limited
from dauys.pollbook.log.events import LogError
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.answers import HEADERS, Render, asset
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.station import box as station_box
from dauys.pollbook.station import day as station_day
from dauys.pollbook.station import elsewhere as station_elsewhere
from dauys.pollbook.station import keys as station_keys
from dauys.pollbook.station import pages as station_pages
from dauys.pollbook.station.door import Session
from dauys.pollbook.station.paper import list_of
from dauys.pollbook.station.visit import Model, Page, Station, Visit
from dauys.pollbook.station.words import base_words, refusal

LARGEST_FORM = 1 << 16
MOST_FIELDS = 1_500
"""The mobile box leaves for as many voters as a form has room for: a hospital may have hundreds."""
_WHILE_STOPPED = ("/list", "/protocol", "/pin", "/out")
"""What a stopped station still shows: what was noted there, to go on by hand. Instead of all else there is one page."""

_STATUS = {"P.043": 401, "P.044": 429, "P.046": 403, "P.028": 403, "P.029": 403}


def create_app(station: Station, render: Render, language: Callable[[Request], str]) -> ASGIApp:
    """The station's pages as an ASGI app. `language` is the best one of `LANGUAGES` for a request."""

    def front(request: Request) -> Response:
        return RedirectResponse(f"/{language(request)}", 303, {"Vary": "Accept-Language", "Cache-Control": "no-store"})

    shown = _Pages(station, render)
    routes: list[Route | Mount] = [
        Route("/", front),
        Mount("/static", StaticFiles(directory=str(resources.files("dauys.pollbook") / "static"))),
    ]
    for lang in LANGUAGES:
        routes.append(Route(f"/{lang}/paper", shown.paper))
        routes.append(Route(f"/{lang}/in", shown.sign_in, methods=["GET", "POST"]))
        for page in (
            *station_pages.PAGES,
            *station_day.PAGES,
            *station_elsewhere.PAGES,
            *station_keys.PAGES,
            *station_box.PAGES,
        ):
            routes.append(Route(f"/{lang}{page.path}", shown.answering(page), methods=["GET", "POST"]))
    app = Starlette(routes=routes, exception_handlers={HTTPException: shown.problem, DauysError: shown.problem})
    app.state.render = render
    return Safety(app, HEADERS)


class _Pages:
    """How each page is called and answered."""

    def __init__(self, station: Station, render: Render) -> None:
        self._station = station
        self._render = render
        log = station.keep.log
        self._cookie = f"dauys_{hashlib.sha256(str(log).encode()).hexdigest()[:12]}"
        """A name of its own: cookies do not tell ports apart, and two stations may be tried on one machine."""
        self._tries = CapacityLimiter(4)
        """PINs that are tried at once: each takes 16 MiB."""

    def answering(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            session = await run_in_threadpool(self._station.door.session, request.cookies.get(self._cookie))
            if session is None:
                return RedirectResponse(f"/{_language(request)}/in", 303)
            form = await _form_of(request)
            return await run_in_threadpool(self._answer, page, request, session, form)

        return endpoint

    def _answer(self, page: Page, request: Request, session: Session, form: Mapping[str, str] | None) -> Response:
        lang, keep = _language(request), self._station.keep
        officer = keep.package.officer(session.officer)
        assert officer is not None
        try:
            if form is not None:
                _from_here(request)
                if not hmac.compare_digest(form.get("mark", "").encode(), session.mark.encode()):
                    raise BadInput("the page has expired; open it again", check="P.046")
            pin = self._station.door.pin_of(officer.id)
            if (pin is None or pin.first) and page.path not in ("/pin", "/out"):
                return RedirectResponse(f"/{lang}/pin", 303)
            if keep.book.stopped and page.path not in _WHILE_STOPPED:
                return self._show(request, "station/stopped.html", session, {}, 200 if form is None else 409)
            if officer.role not in page.roles:
                facts = {"role": officer.role, "roles": tuple(page.roles)}
                raise Refused(f"this is for: {', '.join(page.roles)}", "P.029", facts=facts)
            visit = Visit(self._station, request, lang, session, officer, form, self._station.clock())
            found = page.act(visit)
        except DauysError as error:
            return self._refused(request, session, error, form)
        if isinstance(found, str):
            response: Response = RedirectResponse(f"/{lang}{found}", 303, {"Cache-Control": "no-store"})
            if page.path == "/out":
                response.delete_cookie(self._cookie, path="/")
            return response
        return self._show(request, page.template, session, found)

    def _refused(
        self, request: Request, session: Session, error: DauysError, form: Mapping[str, str] | None
    ) -> Response:
        said = refusal(error, self._station.keep.book, (form or {}).get("who", ""))
        status = _STATUS.get(said["check"], 409 if isinstance(error, Refused | CustodyError | LogError) else 422)
        return self._show(request, "station/refused.html", session, {"refusal": said}, status)

    def _show(
        self, request: Request, template: str, session: Session | None, model: Model, status: int = 200
    ) -> Response:
        whole = base_words(self._station, session) | {"asset": asset} | model
        response = self._render(request, template, whole, status)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def sign_in(self, request: Request) -> Response:
        form = await _form_of(request)
        return await to_thread.run_sync(self._sign_in, request, form, limiter=self._tries)

    def _sign_in(self, request: Request, form: Mapping[str, str] | None) -> Response:
        lang, officers = _language(request), self._station.keep.package.officers
        model: Model = {"officers": officers, "refusal": None, "chosen": (form or {}).get("officer", "")}
        if form is None:
            return self._show(request, "station/sign_in.html", None, model)
        try:
            _from_here(request)
            session = self._station.door.sign_in(form.get("officer", ""), "".join(form.get("pin", "").split()))
        except DauysError as error:
            said = refusal(error, self._station.keep.book, "")
            status = _STATUS.get(said["check"], 422)
            return self._show(request, "station/sign_in.html", None, model | {"refusal": said}, status)
        response = RedirectResponse(f"/{lang}", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(self._cookie, session.token, httponly=True, samesite="strict", secure=secure, path="/")
        return response

    async def paper(self, request: Request) -> Response:
        """The list for paper, for the command `station print`, which knows the token in the station's folder."""
        said = request.headers.get("authorization", "").encode()
        token = f"Bearer {self._station.paper_token}".encode()
        if not self._station.paper_token or not hmac.compare_digest(said, token):
            raise HTTPException(403, "this address is for `dauys station print`")
        model = await run_in_threadpool(list_of, self._station, self._station.clock(), printed=True)
        return self._show(request, "station/paper.html", None, model)

    def problem(self, request: Request, error: Exception) -> Response:
        """What has no page."""
        status = error.status_code if isinstance(error, HTTPException) else 400
        detail = error.detail if isinstance(error, HTTPException) else str(error)
        first = request.url.path.split("/")[1]
        if request.method != "GET" or first not in LANGUAGES:
            return JSONResponse({"error": detail}, status)
        said = {"check": "", "message": detail, "status": status}
        refused = refusal(DauysError(detail), self._station.keep.book, "") | said
        return self._show(request, "station/refused.html", None, {"refusal": refused}, status)


async def _form_of(request: Request) -> Mapping[str, str] | None:
    """The fields of a form; None where nothing was sent. Raises HTTPException 413."""
    if request.method != "POST":
        return None
    data = await limited(request, LARGEST_FORM)
    if data is None:
        raise HTTPException(413, f"a form has at most {LARGEST_FORM:,} bytes")
    try:
        return dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise HTTPException(400, "this is no form") from None


def _from_here(request: Request) -> None:
    """Raises BadInput P.046 where another site sends this."""
    if not from_here(request.headers):
        raise BadInput("the request comes from another site; open the page here", check="P.046")


def _language(request: Request) -> str:
    return request.url.path.split("/")[1]
