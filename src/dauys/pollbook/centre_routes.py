"""Where do stations send their logs and questions? `/api/pollbook/...` at the centre, for the stations' own programs.

    POST /api/pollbook/enrol      an Enrolment            204
    POST /api/pollbook/sync       a signed Batch          a signed Answer
    POST /api/pollbook/question   a signed Question       find, ask
    POST /api/pollbook/wait       a signed Question       200 there is word: sync; 204 none (pollbook.waiting)

A station is known by its signature, and by nothing else. What cannot be taken answers 4xx with
`{"error": {"message", "check"}}`; what was taken is durable before the answer leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from dauys.errors import DauysError
from dauys.pollbook import service
from dauys.pollbook.channels import Channels
from dauys.pollbook.intake import PREFIX, Intake, refused, too_large
from dauys.pollbook.log import MAX_BATCH_BYTES
from dauys.pollbook.package import Enrolment
from dauys.pollbook.questions import Question
from dauys.pollbook.waiting import waiting
from dauys.roll.vault import Vault

AT_ONCE = 8
"""Requests that are worked on at the same time: more would only wait for each other in the database."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the centre answers with: its key for a poll, the channels of a poll, the roll's keys, and the clock of the edge."""

    key: Callable[[str], Ed25519PrivateKey]
    channels: Callable[[str], Channels]
    vault: Callable[[], Vault]
    clock: Callable[[], datetime]


def router(engine: sa.Engine, office: Office, intake: Intake | None = None) -> APIRouter:
    """The stations' routes. `intake`: the one that stands before the app, if any."""
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)
    limiter = CapacityLimiter(AT_ONCE)
    taking = intake or Intake(engine, office.key, office.clock)

    def route(path: str, work: Callable[[bytes], Response]) -> None:
        async def endpoint(request: Request) -> Response:
            data = await _body(request)
            return too_large() if data is None else await to_thread.run_sync(_guarded, work, data, limiter=limiter)

        routes.add_api_route(path, endpoint, methods=["POST"])

    async def sync(request: Request) -> Response:
        return await taking.reply(await _body(request))

    def enrol(data: bytes) -> Response:
        with engine.begin() as connection:
            service.enrol(connection, Enrolment.from_bytes(data), office.clock())
        return Response(status_code=204)

    def question(data: bytes) -> Response:
        asked = Question.from_bytes(data)
        with engine.begin() as connection:
            channels = office.channels(asked.log.poll)
            return JSONResponse(service.reply(connection, asked, office.vault(), channels, office.clock()))

    routes.add_api_route("/sync", sync, methods=["POST"])
    routes.add_api_route("/wait", waiting(engine), methods=["POST"])
    route("/enrol", enrol)
    route("/question", question)
    return routes


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
        return refused(error)
