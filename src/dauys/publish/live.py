"""Has the record grown? Server-sent events, so that an open page can fetch itself again the moment it has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from dauys.publish.source import Source

EVERY = 1.0
"""Seconds between two looks at the record."""
ALIVE = 15.0
"""Seconds after which a silent stream says that it is alive, so that proxies keep it open."""


def router(source: Source) -> APIRouter:
    """`GET /events/POLL`: one event `size` with `{"size": n}` at once, then one whenever the record has grown."""
    routes = APIRouter()
    watched: dict[str, Size] = {}

    @routes.get("/events/{poll:path}", response_class=StreamingResponse)
    async def events(poll: str, request: Request) -> StreamingResponse:
        await run_in_threadpool(source.poll, poll)
        look = watched.setdefault(poll, Size(lambda: source.size(poll)))

        async def gone() -> bool:
            return request.app.state.closing or await request.is_disconnected()

        stream = changes(look, gone)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    return routes


class Size:
    """The size of one record, asked of the database once per interval however many readers are listening."""

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask, self._lock = ask, asyncio.Lock()
        self._value, self._asked = 0, float("-inf")

    async def now(self) -> int:
        async with self._lock:
            if monotonic() - self._asked >= EVERY * 0.9:
                self._value = await run_in_threadpool(self._ask)
                self._asked = monotonic()
            return self._value


async def changes(size: Size, gone: Callable[[], Awaitable[bool]], every: float = EVERY) -> AsyncIterator[str]:
    """The stream's text, until the reader is `gone`."""
    last, said = -1, monotonic()
    yield "retry: 3000\n\n"
    while not await gone():
        current = await size.now()
        if current != last:
            last, said = current, monotonic()
            yield f"event: size\nid: {current}\ndata: {json.dumps({'size': current})}\n\n"
        elif monotonic() - said > ALIVE:
            said = monotonic()
            yield ": alive\n\n"
        await asyncio.sleep(every)
