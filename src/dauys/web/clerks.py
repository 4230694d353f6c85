"""How do other rooms' pages for clerks get behind the desk's sign-in? Who asks is looked at first; the room answers with a page.

A room gives its pages as plain values and knows neither accounts nor routes:

    (path below `/{language}/desk`, answer, whether forms are sent to it)

`answer` is called in a thread with who asks, the request, and the form that he sent (None where he only looks).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from dauys.page_forms import LANGUAGES, Form, form_of

Officer = TypeVar("Officer")
"""Who is at the desk, as the room wants to know him."""

Answer = Callable[[Officer, Request, Form | None], Response]
DeskPage = tuple[str, Answer[Officer], bool]

LARGEST = 512 << 10
"""Bytes of a form: a lost machine's list of 3,000 lines takes 100,000."""


def clerks_router(
    pages: Iterable[DeskPage[Officer]], who: Callable[[Request], Officer | None], largest: int = LARGEST
) -> APIRouter:
    """The pages in every language. `who` is None for nobody who may be here: he is sent to the sign-in."""
    routes = APIRouter(include_in_schema=False)

    def serving(answer: Answer[Officer]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            officer = await run_in_threadpool(who, request)
            if officer is None:  # nothing of a form is read before
                return RedirectResponse(f"/{request.url.path.split('/')[1]}/desk/in", 303)
            form = await form_of(request, largest)
            return await to_thread.run_sync(answer, officer, request, form)

        return endpoint

    for path, answer, sends in pages:
        methods = ["GET", "POST"] if sends else ["GET"]
        for language in LANGUAGES:
            routes.add_api_route(f"/{language}/desk{path}", serving(answer), methods=methods)
    return routes
