"""What answers at the machine of the electronic channel? A small JSON API for the voting system, and a page for people.

    POST /api/remote/open                                   electronic ballots are taken from now on
    POST /api/remote/ask     {"iin","born"} or {"entitlement"}    {"state": "granted"} or {"state": "waiting", "holder"}
    POST /api/remote/use     {"entitlement","salt"}         a ballot was taken: {"code"}; `salt`: 20 random hex digits of its own
    POST /api/remote/undo    {"entitlement","reason"}       there is no such ballot after all
    GET  /api/remote/struck                                 ballots that paper replaced and that are still to be taken out
    POST /api/remote/struck  {"event"}                      that one is taken out
    GET  /api/remote/state                                  in numbers
    POST /api/remote/close                                  no way back

Each request bears the token of enrolment (`Authorization: Bearer`). A refusal is 4xx with {"error": {"check", "message",
"cite"}}. What was answered is on the disk. The ballot itself, its secrecy, and who sits at home before the screen are the
voting system's.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from dauys.errors import BadInput, DauysError
from dauys.page_forms import LANGUAGES, Safety, limited
from dauys.pollbook.channel.machine import Channel, Model
from dauys.pollbook.log.events import SALT_BYTES
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.answers import HEADERS, Render, asset

API = "/api/remote"
LARGEST = 4096
"""Bytes of a request."""

STATUS = {"P.071": 401, "P.001": 400, "P.047": 400, "P.048": 400}
Answer = Callable[[Mapping[str, Any]], Model]


def create_app(channel: Channel, token: str, render: Render, language: Callable[[Request], str]) -> ASGIApp:
    """The channel's API and page as an ASGI app. `language` is the best one of `LANGUAGES` for a request."""

    def front(request: Request) -> Response:
        return RedirectResponse(f"/{language(request)}", 303, {"Vary": "Accept-Language", "Cache-Control": "no-store"})

    def page(request: Request) -> Response:
        response = render(request, "station/channel.html", channel.page() | {"asset": asset}, 200)
        response.headers["Cache-Control"] = "no-store"
        return response

    def endpoint(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            try:
                _must_have(request, token)
                body = await _body(request) if request.method == "POST" else {}
                return JSONResponse(await run_in_threadpool(answer, body), headers={"Cache-Control": "no-store"})
            except DauysError as error:
                return _refusal(error)

        return answered

    posts: Mapping[str, Answer] = {
        "open": lambda body: channel.begin(),
        "ask": lambda body: channel.ask(_who(body)) if "entitlement" in body else channel.find(*_person(body)),
        "use": lambda body: channel.use(_who(body), _salt(body)),
        "undo": lambda body: channel.take_back(_who(body), _text(body, "reason")),
        "struck": lambda body: channel.struck_out(_number(body, "event")),
        "close": lambda body: channel.end(),
    }
    gets: Mapping[str, Answer] = {"struck": lambda body: channel.struck(), "state": lambda body: channel.state()}
    routes: list[Route | Mount] = [
        Route("/", front),
        Mount("/static", StaticFiles(directory=str(resources.files("dauys.pollbook") / "static"))),
        *(Route(f"/{lang}", page) for lang in LANGUAGES),
        *(Route(f"{API}/{name}", endpoint(answer), methods=["POST"]) for name, answer in posts.items()),
        *(Route(f"{API}/{name}", endpoint(answer), methods=["GET"]) for name, answer in gets.items()),
    ]
    return Safety(Starlette(routes=routes), HEADERS)


def _must_have(request: Request, token: str) -> None:
    """Raises BadInput P.071 for who does not have the token; the comparison takes the same time however much of it is right."""
    said = request.headers.get("authorization", "").encode()
    if not token or not hmac.compare_digest(said, f"Bearer {token}".encode()):
        raise BadInput("this is for the electronic voting system, by the token in the channel's folder", check="P.071")


async def _body(request: Request) -> Mapping[str, Any]:
    data = await limited(request, LARGEST)
    if data is None:
        raise BadInput(f"a request has at most {LARGEST:,} bytes", check="P.001")
    try:
        value = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadInput("a request is a JSON object", check="P.001")
    return value


def _refusal(error: DauysError) -> Response:
    check = str(getattr(error, "check", "") or "")
    said: Model = {
        "check": check,
        "message": str(getattr(error, "message", error)),
        "cite": str(getattr(error, "cite", "")),
    }
    if isinstance(error, BadInput):
        said |= {"field": error.field, "expected": error.expected}
    if isinstance(error, Refused):
        said |= {name: error.facts[name] for name in ("holder", "until", "left") if name in error.facts}
    return JSONResponse({"error": said}, STATUS.get(check, 409), {"Cache-Control": "no-store"})


def _text(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str) or not found.isprintable() or len(found) > 200:
        raise BadInput("a text is needed here", field=name, expected="one line, at most 200 characters", check="P.047")
    return found.strip()


def _person(body: Mapping[str, Any]) -> tuple[str, str]:
    return _text(body, "iin"), _text(body, "born")


def _who(body: Mapping[str, Any]) -> UUID:
    try:
        return UUID(_text(body, "entitlement"))
    except ValueError:
        raise BadInput("this is no entitlement", field="entitlement", expected="a UUID", check="P.047") from None


def _salt(body: Mapping[str, Any]) -> bytes:
    text = _text(body, "salt")
    if len(text) != 2 * SALT_BYTES or set(text) - set("0123456789abcdef"):
        raise BadInput("this is no salt", field="salt", expected=f"{2 * SALT_BYTES} random hex digits", check="P.047")
    return bytes.fromhex(text)


def _number(body: Mapping[str, Any], name: str) -> int:
    found = body.get(name)
    if type(found) is not int or found < 1:
        raise BadInput("a number is needed here", field=name, expected="the number of an event", check="P.047")
    return found
