"""How is a page of a mission called, answered, shown and refused? Sign-in included; which pages there are says `mission.app`."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from anyio import CapacityLimiter, to_thread
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from dauys.errors import BadInput, DauysError
from dauys.observe.known.model import MissionError
from dauys.observe.office.door import Door, Session, Shut
from dauys.observe.office.forms import Sent, from_here, read_form
from dauys.observe.office.visit import Model, Office, Page, Visit
from dauys.observe.office.words import base_words, refusal
from dauys.page_forms import LANGUAGES

MENU = ("", "/setup", "/sample", "/people", "/field", "/estimate", "/compare", "/indicators", "/audit", "/report")
"""The order of the menu: that of the job."""
_STATUS = {"O.023": 401, "O.024": 403, "O.027": 409}
_LOG = logging.getLogger(__name__)

Render = Callable[[Request, str, Mapping[str, Any], int], HTMLResponse]
"""Shows a template: request, its name, the model, the status."""


class Shown:
    """How each page is called and answered."""

    def __init__(self, office: Office, door: Door, render: Render, pages: Sequence[Page], events: str = "") -> None:
        """`events`: where the stream is that open pages follow; empty: there is none."""
        self._office, self._door, self._render, self._events = office, door, render, events
        named = {page.path: page.menu for page in pages if page.menu}
        self._menu = [(path, named[path]) for path in sorted(named, key=lambda path: _place(path))]
        self._tries = CapacityLimiter(4)
        """Passwords and codes that are tried at once: each takes up to 16 MiB."""

    def answering(self, page: Page, *, twin: bool = False) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            session = await run_in_threadpool(self._door.office_session, request)
            if session is None and not page.public:
                if twin:
                    return JSONResponse({"error": {"message": "sign in first"}}, 401)
                return RedirectResponse(f"/{_language(request)}/in", 303, {"Cache-Control": "no-store"})
            sent = await read_form(request)
            try:
                return await run_in_threadpool(self._answer, page, request, session, sent, twin)
            finally:
                if sent is not None:
                    await run_in_threadpool(sent.close)

        return endpoint

    def _answer(self, page: Page, request: Request, session: Session | None, sent: Sent | None, twin: bool) -> Response:
        lang = _language(request)
        form = None if sent is None else sent.fields
        try:
            if form is not None:
                from_here(request)
                mark = "" if session is None else session.mark
                if session is not None and not hmac.compare_digest(form.get("mark", "").encode(), mark.encode()):
                    raise BadInput("the page has expired; open it again", check="O.024")
            if session is not None and not self._door.has_password and page.path not in ("/password", "/out"):
                return RedirectResponse(f"/{lang}/password", 303)
            files = {} if sent is None else sent.files
            found = page.act(Visit(self._office, request, lang, form, files, self._office.clock()))
        except DauysError as error:
            return self.refused(request, error, session, twin=twin)
        if page.path == "/out" and session is not None and form is not None:
            self._door.sign_out(session)
            response: Response = RedirectResponse(f"/{lang}/in", 303, {"Cache-Control": "no-store"})
            response.delete_cookie(self._door.office_cookie, path="/")
            return response
        if isinstance(found, Response):
            found.headers.setdefault("Cache-Control", "no-store")
            return found
        if isinstance(found, str):
            return RedirectResponse(f"/{lang}{found}", 303, {"Cache-Control": "no-store"})
        if twin:
            return JSONResponse(found[page.twin], headers={"Cache-Control": "no-store"})
        return self.show(request, page.template, found, session=session)

    def refused(
        self, request: Request, error: DauysError, session: Session | None = None, *, twin: bool = False
    ) -> Response:
        """The page that says why something was not done; the same as JSON."""
        said = refusal(error)
        status = 429 if isinstance(error, Shut) else 409 if isinstance(error, MissionError) else 422
        status = _STATUS.get(said["check"], status)
        if twin:
            body = error.as_json() if isinstance(error, BadInput) else {"message": str(error)}
            return JSONResponse({"error": body}, status)
        return self.show(request, "mission/refused.html", {"refusal": said}, status, session)

    def show(
        self, request: Request, template: str, model: Model, status: int = 200, session: Session | None = None
    ) -> Response:
        """A template in the mission's layout. A session of the office brings the menu; anybody's brings its forms' mark."""
        in_office = session is not None and session.who == "office"
        words = {
            "asset": asset,
            "menu": self._menu,
            "here": _menu_path(request),
            "signed_in": in_office,
            "stream": self._events if in_office else "",
            "mark_field": "" if session is None else Markup('<input type="hidden" name="mark" value="{}">').format(session.mark),
        }  # fmt: skip
        response = self._render(request, template, base_words(self._office) | words | model, status)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def sign_in(self, request: Request) -> Response:
        sent = await read_form(request)
        form = None if sent is None else sent.fields
        if sent is not None:
            sent.close()
        return await to_thread.run_sync(self._sign_in, request, form, limiter=self._tries)

    def _sign_in(self, request: Request, form: Mapping[str, str] | None) -> Response:
        """The office's door. A code in the address (the link that was printed) is only filled in, never used by a GET."""
        lang, code = _language(request), request.query_params.get("code", "")[:20]
        model: Model = {"refusal": None, "has_password": self._door.has_password, "code": code}
        if form is None:
            return self.show(request, "mission/sign_in.html", model)
        try:
            from_here(request)
            session = self._door.office_sign_in(
                form.get("code", "")[:400], request.client.host if request.client else ""
            )
        except DauysError as error:
            status = 429 if isinstance(error, Shut) else _STATUS.get(getattr(error, "check", ""), 422)
            return self.show(request, "mission/sign_in.html", model | {"refusal": refusal(error), "code": ""}, status)
        response = RedirectResponse(f"/{lang}", 303, {"Cache-Control": "no-store"})
        secure = request.url.scheme == "https"
        response.set_cookie(
            self._door.office_cookie, session.token, httponly=True, samesite="strict", secure=secure, path="/"
        )
        return response

    def cut(self, request: Request, error: Exception) -> Response:
        """The wire was cut while something was being sent: nobody hears the answer, and nothing of it was taken."""
        _LOG.warning(
            "%s %r: the wire was cut while it was being sent; nothing was taken", request.method, request.url.path
        )
        return Response(status_code=400)

    def problem(self, request: Request, error: Exception) -> Response:
        """What has no page."""
        status = error.status_code if isinstance(error, HTTPException) else 400
        detail = error.detail if isinstance(error, HTTPException) else str(error)
        first = request.url.path.split("/")[1]
        if first not in LANGUAGES or request.url.path.endswith(".json"):
            return JSONResponse({"error": {"message": detail}}, status)
        said = refusal(DauysError(detail)) | {"status": status}
        session = self._door.office_session(request)
        return self.show(request, "mission/refused.html", {"refusal": said}, status, session)


def _language(request: Request) -> str:
    return request.url.path.split("/")[1].removesuffix(".json")  # the overview's twin is /en.json


def _menu_path(request: Request) -> str:
    """The path of the menu that a page belongs to: `/people` for `/en/people/badges`."""
    parts = request.url.path.split("/")
    return f"/{parts[2]}" if len(parts) > 2 and parts[2] else ""


def _place(path: str) -> int:
    return MENU.index(path) if path in MENU else len(MENU)


@cache
def asset(name: str) -> str:
    """The address of a static file, with a mark that changes with its content."""
    content = (resources.files("dauys.observe") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:10]}"
