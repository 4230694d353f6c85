"""What does a page's form bring, and who sent it: within limits, and from our own site? What every room with pages shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LANGUAGES = ("kk", "ru", "en")
"""The languages of the pages, as their addresses begin."""
DEEPEST = 100_000
"""How far into a long list an address may begin."""
LARGEST = 16 << 10
"""Bytes of a form: four texts and a long one."""

Model = dict[str, Any]
Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clerk:
    """Somebody at the desk: `name` stays with what he decides, `mark` is the secret that his forms carry."""

    name: str
    mark: str


def from_here(headers: Mapping[str, str]) -> bool:
    """False where a browser says that another site sends this (Fetch Metadata; else the Origin header)."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin.partition("://")[2] == headers.get("host")


async def limited(request: Request, most: int) -> bytes | None:
    """The body; None where it has more than `most` bytes: what comes after them is not read."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            return None
    return bytes(data)


async def form_of(request: Request, largest: int = LARGEST) -> Form | None:
    """The fields of a form that was sent; None where nothing was. Raises HTTPException 413, 415, 422, before it is read whole."""
    if request.method != "POST":
        return None
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(415, "send the page's own form")
    data = await limited(request, largest)
    if data is None:
        raise HTTPException(413, f"a form has at most {largest:,} bytes")
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, max_num_fields=40)
    except ValueError:
        raise HTTPException(422, "this is not a form") from None
    return {name: text.replace("\0", "\ufffd") for name, text in pairs}


def show(
    request: Request, template: str, model: Model, status: int, at: datetime, retry: datetime | None = None
) -> Response:
    """A page that nobody keeps, by the app's `state.render`. `retry`: when it is worth to ask again."""
    response: Response = request.app.state.render(request, template, model, status)
    response.headers["Cache-Control"] = "no-store"
    if retry is not None:
        response.headers["Retry-After"] = str(max(1, int((retry - at).total_seconds())))
    return response


class Safety:
    """Adds the safety headers of these pages to every answer."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *self._headers]}
            await send(message)

        await self._app(scope, receive, with_headers)
