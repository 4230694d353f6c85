"""How do the tests ask a site for its pages? Over the app itself, in the thread that asks.

Starlette's `TestClient` changes threads ten times and more for each request, which takes longer than most pages do. Here one
request runs to its end in its caller's thread, and what the app would give to a thread of its own (`anyio.to_thread`, under
every `def` of FastAPI) is called at once. That the site works with threads, and packs what it sends, is tested over real sockets,
in tests/end_to_end and tests/pollbook/test_centre_processes.py.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextvars import copy_context
from typing import Any, TypeVar

import httpx
from anyio import to_thread
from httpx._transports import asgi

T = TypeVar("T")


class SiteClient(httpx.Client):
    """A browser without a screen before an app, whose start and end (lifespan) are not called.

    `client` is the address that the app sees. What the app raises is raised here, unless `raises` is False.
    """

    def __init__(
        self,
        app: Any,
        base_url: str = "http://testserver",
        follow_redirects: bool = True,
        raises: bool = True,
        client: tuple[str, int] = ("testclient", 50_000),
    ) -> None:
        self.app = app
        transport = InThisThread(app, raises, client)
        # no page is packed here and unpacked at once
        plain = {"Accept-Encoding": "identity"}
        super().__init__(base_url=base_url, follow_redirects=follow_redirects, transport=transport, headers=plain)


class InThisThread(httpx.BaseTransport):
    """The way to an app without a wire."""

    def __init__(self, app: Any, raises: bool = True, client: tuple[str, int] = ("testclient", 50_000)) -> None:
        self._app = httpx.ASGITransport(app, raise_app_exceptions=raises, client=client)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if isinstance(request.stream, Iterable) and not isinstance(request.stream, httpx.AsyncByteStream):
            request.stream = _Sent(request.stream)
        answer = completed(self._answered(request))
        answer.read()
        return answer

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        answer = await self._app.handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        body = b"".join([part async for part in answer.stream])
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))


class _Sent(httpx.AsyncByteStream):
    """A body in parts, each made when the app asks for it."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


class _Idle(threading.local):
    """The event loops of this thread that nothing runs in. A second one is made when an app asks another app."""

    def __init__(self) -> None:
        self.loops: list[asyncio.AbstractEventLoop] = []


_IDLE = _Idle()
_LOOPS: set[asyncio.AbstractEventLoop] = set()


def completed(work: Coroutine[Any, Any, T]) -> T:
    """What the work returns or raises, run to its end in this thread; also within other such work."""
    outer = _get_running_loop()
    if _IDLE.loops:
        loop = _IDLE.loops.pop()
    else:
        _LOOPS.add(loop := asyncio.new_event_loop())
    _set_running_loop(None)
    try:
        return loop.run_until_complete(work)
    finally:
        _set_running_loop(outer)
        _IDLE.loops.append(loop)


@atexit.register
def _close() -> None:
    for loop in _LOOPS:
        loop.close()


_in_a_thread: Any = to_thread.run_sync


async def _at_once(function: Callable[..., Any], *args: Any, **how: Any) -> Any:
    if _get_running_loop() not in _LOOPS:
        return await _in_a_thread(function, *args, **how)
    return copy_context().run(function, *args)


to_thread.run_sync = _at_once
# httpx would look for trio's part, which is not installed, on the whole path in each request
asgi.create_event = asyncio.Event
