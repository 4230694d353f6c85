"""How does an open page follow the mission without being loaded again? A stream tells that something came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from dauys.observe.known.model import Mission
from dauys.observe.known.official import Official
from dauys.observe.office.door import Door
from dauys.observe.office.visit import Office

EVENTS = "/events"

Gone = Callable[[], Awaitable[bool]]
"""Whether the reader has gone away."""
Follow = Callable[[Gone], AsyncIterator[str]]
"""The text of server-sent events `size` for one reader, each with a number that has grown."""


@dataclass(frozen=True, slots=True)
class Live:
    """What the shell lends: the script that open pages of the site run, and the stream about a number."""

    script: Path
    stream: Callable[[Callable[[], int]], Follow]


def grown(mission: Mission, official: Official | None) -> int:
    """A number that grows with every event of the mission's log and every entry of the record that was read."""
    return mission.size + (0 if official is None else official.size)


def routes(office: Office, door: Door, live: Live) -> list[Route]:
    """The stream, for whoever is signed in as the office, and the script."""
    follow = live.stream(lambda: grown(office.keep.mission, office.official()))

    async def events(request: Request) -> Response:
        if await run_in_threadpool(door.office_session, request) is None:
            return JSONResponse({"error": {"message": "sign in first"}}, 401)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(follow(request.is_disconnected), media_type="text/event-stream", headers=headers)

    def script(request: Request) -> Response:
        return FileResponse(live.script, headers={"Cache-Control": "no-cache"})

    return [Route(EVENTS, events), Route(f"/static/{live.script.name}", script)]
