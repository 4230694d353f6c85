"""What answers on the site's address: the app factory, which joins the rooms' routers, static files and safety headers.

uvicorn.run(create_app(open_store()), ...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path

import sqlalchemy as sa
from anyio import Event
from anyio.lowlevel import checkpoint
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dauys.errors import BadInput, DauysError
from dauys.polls.keys import Keys
from dauys.publish import law_pages, live, pages
from dauys.publish.source import DatabaseSource, Source, no_keys
from dauys.store.engine import AWAY, data_folder
from dauys.web.render import language, render

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def create_app(
    engine: sa.Engine,
    routers: Iterable[APIRouter] = (),
    maps: Path | None = None,
    keys: Callable[[str], Keys | None] = no_keys,
) -> FastAPI:
    """The site over a database. `routers` are those of other rooms; `maps` is where drawn maps are kept; `keys` sign."""
    return site(DatabaseSource(engine, keys), routers, data_folder() / "maps" if maps is None else maps)


def site(source: Source, routers: Iterable[APIRouter] = (), maps: Path | None = None) -> FastAPI:
    """The site over anything that answers like a `Source`.

    Routes of other rooms show their pages with `request.app.state.render(request, template, model, status=200)`. Whoever
    stops the server first sets `app.state.closing`, so that open event streams end by themselves.
    """
    # the interactive API pages would load scripts from elsewhere: only the schema is served
    app = FastAPI(title="Dauys", docs_url=None, redoc_url=None)
    app.state.render = render
    app.state.closing = False
    for router in (
        *routers,
        live.router(source),
        law_pages.router(source, render),
        pages.router(source, render, maps),
    ):
        app.include_router(router)

    @app.get("/", include_in_schema=False)
    def front(request: Request) -> RedirectResponse:
        return RedirectResponse(f"/{language(request)}/", 307, {"Vary": "Accept-Language", "Cache-Control": "no-store"})

    app.mount("/static", StaticFiles(directory=str(resources.files("dauys.web") / "static")), "static")
    app.add_exception_handler(HTTPException, _problem)
    app.add_exception_handler(DauysError, _problem)
    app.add_exception_handler(RequestValidationError, _unread)
    for away in AWAY:
        app.add_exception_handler(away, _away)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(_Heads)
    app.add_middleware(_Safety)
    return app


def _problem(request: Request, error: Exception) -> Response:
    """What went wrong, as a page or as JSON.

    A DauysError means on reading that there is no such thing, on sending that it cannot be taken.
    """
    status = error.status_code if isinstance(error, HTTPException) else 404 if request.method == "GET" else 400
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    program = request.url.path.endswith(".json") or request.url.path.startswith(("/record/", "/api/"))
    if program or request.method != "GET":
        return JSONResponse({"error": detail}, status)
    known = error if isinstance(error, BadInput) and error.check else None
    model = {"status": status, "detail": "" if detail == "Not Found" else detail, "fault": known}
    return render(request, "problem.html", model, status)


def _unread(request: Request, error: Exception) -> Response:
    """A part of the address is not what it should be: a row to start at that is no number."""
    assert isinstance(error, RequestValidationError)
    parts = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
    return _problem(request, HTTPException(422, f"this part of the address cannot be read: {parts}"))


def _away(request: Request, error: Exception) -> Response:
    """The database does not answer: it starts, or another machine is taking over (docs/cluster.md), or it gave up one of two
    that waited for each other."""
    gone = HTTPException(503, "the database does not answer at this moment: try again in a few seconds")
    response = _problem(request, gone)
    response.headers["Retry-After"] = "3"
    return response


class _Heads:
    """Answers HEAD as GET, without the body (RFC 9110 §9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        begun = Event()

        async def nothing_more() -> Message:
            await begun.wait()
            return {"type": "http.disconnect"}  # a stream of events ends once it has begun

        async def head_alone(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                begun.set()
            await checkpoint()  # who sends without an end is stopped here

        await self.app({**scope, "method": "GET"}, nothing_more, head_alone)
        await send({"type": "http.response.body", "body": b""})


class _Safety:
    """Adds the safety headers to every answer; lets static files with a content mark be kept for ever."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            await JSONResponse({"error": "no address has a NUL"}, 400, HEADERS)(scope, receive, send)
            return
        marked = scope["type"] == "http" and scope["path"].startswith("/static/") and b"v=" in scope["query_string"]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [*RAW_HEADERS]
                if marked and message["status"] == 200:
                    extra.append((b"cache-control", b"public, max-age=31536000, immutable"))
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        await self.app(scope, receive, with_headers)
