"""Where do stations send their logs and questions? `/api/pollbook/...` at the centre, for the stations' own programs.

    POST /api/pollbook/enrol      an Enrolment            204
    POST /api/pollbook/sync       a signed Batch          a signed Answer
    POST /api/pollbook/question   a signed Question       find, ask, add

A station is known by its signature, and by nothing else. What cannot be taken answers 4xx with
`{"error": {"message", "check"}}`; what was taken is durable before the answer leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from dauys.errors import BadInput, DauysError
from dauys.pollbook import service
from dauys.pollbook.channels import Channels
from dauys.pollbook.custody import CustodyError
from dauys.pollbook.log import MAX_BATCH_BYTES, Batch, LogError
from dauys.pollbook.package import Enrolment
from dauys.pollbook.questions import Question
from dauys.pollbook.together import MOST
from dauys.roll.vault import Vault

SWITCH = 0.0002
"""Seconds after which a thread that computes lets another one run (sys.setswitchinterval), for whoever serves these routes.

With Python's 5 ms the thread that reads the stations' requests waits so long each time for the one that works on a group.
"""

AT_ONCE = 8
"""Batches that are worked on at the same time: more would only wait for each other in the database."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the centre answers with: its key for a poll, the channels of a poll, the roll's keys, and the clock of the edge."""

    key: Callable[[str], Ed25519PrivateKey]
    channels: Callable[[str], Channels]
    vault: Callable[[], Vault]
    clock: Callable[[], datetime]


def router(engine: sa.Engine, office: Office) -> APIRouter:
    """The stations' routes."""
    routes = APIRouter(prefix="/api/pollbook", include_in_schema=False)
    limiter = CapacityLimiter(AT_ONCE)

    def route(path: str, work: Callable[[bytes], Response]) -> None:
        async def endpoint(request: Request) -> Response:
            data = await _body(request)
            return _too_large() if data is None else await to_thread.run_sync(_guarded, work, data, limiter=limiter)

        routes.add_api_route(path, endpoint, methods=["POST"])

    def sync(several: Sequence[bytes]) -> list[Response]:
        """What came while the last ones were worked on, in one transaction: one commit serves them all."""
        replies: list[Response | None] = [None] * len(several)
        batches: dict[int, Batch] = {}
        for place, data in enumerate(several):
            try:
                batches[place] = Batch.from_bytes(data)
                office.key(batches[place].log.poll)
            except DauysError as error:
                batches.pop(place, None)
                replies[place] = _refused(error)
        with engine.begin() as connection:
            said = service.answer(connection, list(batches.values()), office.clock(), office.key)
        for place, one in zip(batches, said, strict=True):
            replies[place] = (
                _refused(one) if isinstance(one, LogError) else Response(one, media_type="application/json")
            )
        return [reply for reply in replies if reply is not None]

    gathered = Gathered(sync)

    async def take(request: Request) -> Response:
        data = await _body(request)
        return _too_large() if data is None else await gathered.reply(data)

    def enrol(data: bytes) -> Response:
        with engine.begin() as connection:
            service.enrol(connection, Enrolment.from_bytes(data), office.clock())
        return Response(status_code=204)

    def question(data: bytes) -> Response:
        asked = Question.from_bytes(data)
        with engine.begin() as connection:
            channels = office.channels(asked.log.poll)
            return JSONResponse(service.reply(connection, asked, office.vault(), channels, office.clock()))

    routes.add_api_route("/sync", take, methods=["POST"])
    route("/enrol", enrol)
    route("/question", question)
    return routes


class Gathered:
    """Requests that wait while others are worked on are worked on together. One worker thread; order of arrival."""

    def __init__(self, work: Callable[[Sequence[bytes]], list[Response]]) -> None:
        self._work = work
        self._waiting: list[tuple[bytes, asyncio.Future[Response]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def reply(self, data: bytes) -> Response:
        """The reply to one request, when its group is done."""
        mine: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting.append((data, mine))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._run())
        return await mine

    async def _run(self) -> None:
        while self._waiting:
            group = [self._waiting.pop(0)]
            size = len(group[0][0])
            while self._waiting and len(group) < MOST and size + len(self._waiting[0][0]) <= MAX_BATCH_BYTES:
                group.append(self._waiting.pop(0))
                size += len(group[-1][0])
            try:
                replies = await to_thread.run_sync(self._work, [data for data, _ in group])
            except Exception as error:  # noqa: BLE001 - it is raised in each request, whose handlers answer it
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), reply in zip(group, replies, strict=True):
                if not future.done():  # the station hung up
                    future.set_result(reply)


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is longer than any batch may be."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BATCH_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _guarded(work: Callable[[bytes], Response], data: bytes) -> Response:
    try:
        return work(data)
    except DauysError as error:
        return _refused(error)


def _refused(error: DauysError) -> Response:
    if isinstance(error, LogError | CustodyError):
        status = 403 if error.check in _UNKNOWN else 400
        return _refusal(error.check, str(error).removeprefix(f"[{error.check}] "), status)
    if isinstance(error, BadInput):
        return _refusal(error.check or "", error.message, 400)
    return _refusal("", str(error), 400)


def _too_large() -> Response:
    return _refusal("P.001", f"send at most {MAX_BATCH_BYTES:,} bytes at once", 413)


_UNKNOWN = ("P.003", "P.004", "P.019")
"""The centre does not know who speaks."""


def _refusal(check: str, message: str, status: int) -> Response:
    return JSONResponse({"error": {"message": message, "check": check}}, status)
