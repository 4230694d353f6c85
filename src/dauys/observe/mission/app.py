"""What answers in a mission's office: its pages, the observers' phones, sign-in and safety, over one store.

Pages are server-rendered and work without JavaScript. `create_app` is given how a page is shown (`render`, from the shell).
Who asks for a page of the office must have its session, but for public pages; a form bears its session's mark. The phones'
routes come from `ROUTES`: they see to their own sessions (`Door.observer_session`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from dauys.errors import DauysError
from dauys.observe.compare import pages as compare_pages
from dauys.observe.field import phone, queue_pages
from dauys.observe.mission import home, night_pages, people_pages, sample_pages, setup_pages
from dauys.observe.office import following
from dauys.observe.office.door import Door
from dauys.observe.office.following import Live
from dauys.observe.office.shown import Render, Shown
from dauys.observe.office.visit import Office, Page
from dauys.observe.report import audit_pages, indicator_pages, report_pages
from dauys.page_forms import LANGUAGES, Safety

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=()",
}

PAGES: tuple[Page, ...] = (
    *home.PAGES,
    *setup_pages.PAGES,
    *sample_pages.PAGES,
    *people_pages.PAGES,
    *queue_pages.PAGES,
    *night_pages.PAGES,
    *compare_pages.PAGES,
    *indicator_pages.PAGES,
    *audit_pages.PAGES,
    *report_pages.PAGES,
)
"""Every page of the office. A hand whose pages land adds its line."""

ROUTES: tuple[Callable[[Office, Door, Shown], Sequence[BaseRoute]], ...] = (phone.routes,)
"""Makers of routes that are no pages of the office: `routes(office, door, shown)`. The observers' phones come from here."""


def create_app(
    office: Office, door: Door, render: Render, language: Callable[[Request], str], live: Live | None = None
) -> ASGIApp:
    """The mission's pages as an ASGI app. `language` is the best one of `LANGUAGES` for a request.

    Without `live` open pages are loaded again every minute, as they are in a browser without JavaScript.
    """

    def front(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        path = request.url.path.rstrip("/")
        headers = {"Vary": "Accept-Language", "Cache-Control": "no-store"}
        return RedirectResponse(f"/{language(request)}{path}{query}", 303, headers)

    shown = Shown(office, door, render, PAGES, "" if live is None else following.EVENTS)
    office.extra["show"] = shown.show  # a report is printed from the page that it is
    routes: list[BaseRoute] = [
        Route("/", front),
        Route("/in", front),
        Route("/o", front),
        Route("/o/in", front),
        *(() if live is None else following.routes(office, door, live)),
        Mount("/static", _Static(directory=str(resources.files("dauys.observe") / "static"))),
    ]
    for make in ROUTES:
        routes += make(office, door, shown)
    for lang in LANGUAGES:
        routes.append(Route(f"/{lang}/in", shown.sign_in, methods=["GET", "POST"]))
        for page in PAGES:
            routes.append(Route(f"/{lang}{page.path}", shown.answering(page), methods=["GET", "POST"]))
            if page.twin:
                routes.append(Route(f"/{lang}{page.path}.json", shown.answering(page, twin=True)))
    faults = {HTTPException: shown.problem, DauysError: shown.problem, ClientDisconnect: shown.cut}
    app = Starlette(routes=routes, exception_handlers=faults)
    return Safety(app, HEADERS)


class _Static(StaticFiles):
    """Static files; one that is asked for by its mark can be kept for ever. A worker may serve the phone's pages (`/`)."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        scope: Scope = args[2] if len(args) > 2 else kwargs["scope"]
        marked = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = "max-age=31536000, immutable" if marked else "no-cache"
        response.headers["Service-Worker-Allowed"] = "/"
        return response
