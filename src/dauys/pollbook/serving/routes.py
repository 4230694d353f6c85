"""Where do stations send their logs and questions? `/api/pollbook/...` at the centre, for the stations' own programs.

    POST /api/pollbook/enrol      an Enrolment            204
    POST /api/pollbook/sync       a signed Batch          a signed Answer
    POST /api/pollbook/question   a signed Question       a signed Reply: find, ask, call-off, envelope
    POST /api/pollbook/wait       a signed Question       a signed Reply {"word": ...}: sync now, or not (serving.waiting)
    POST /api/pollbook/shown      an Answer of before     a signed Reply {"forgotten": ...} (pollbook.put_back.restored)

A station is known by its signature, and by nothing else. What cannot be taken answers 4xx with `{"error": {"message", "check"}}`,
signed as a Reply (wire.replies) where it can be read whose it is and this centre has that poll. What was taken is durable
before the answer leaves. Where the database did nothing (it is away, or gave up one of two that waited for each other) the answer
is 503, in the same form: the station asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Request
from fastapi.responses import Response

from dauys.errors import DauysError
from dauys.page_forms import limited
from dauys.pollbook.log.events import MAX_BATCH_BYTES, LogId
from dauys.pollbook.put_back import restored
from dauys.pollbook.put_back.journal import Journal
from dauys.pollbook.put_back.restored import Shown
from dauys.pollbook.rules.channels import Channels
from dauys.pollbook.rules.grants import Answer
from dauys.pollbook.serving import service
from dauys.pollbook.serving.intake import Asked, Intake, away, refused, too_large
from dauys.pollbook.serving.waiting import waiting
from dauys.pollbook.wire.package import Enrolment
from dauys.pollbook.wire.questions import PREFIX, Question
from dauys.pollbook.wire.replies import Reply
from dauys.roll.vault import Vault
from dauys.store.engine import AWAY, Connection

AT_ONCE = 8
"""Requests that are worked on at the same time: more would only wait for each other in the database."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the centre answers with: its key for a poll, the channels of a poll, the roll's keys, and the clock of the edge.
    `questions`: for how many voters a station may ask in an hour; `journal`: what the database may not forget."""

    key: Callable[[str], Ed25519PrivateKey]
    channels: Callable[[str], Channels]
    vault: Callable[[], Vault]
    clock: Callable[[], datetime]
    questions: int = service.QUESTIONS
    journal: Journal | None = None


class OfALog(Protocol):
    """What a machine sends: it names its log."""

    @property
    def log(self) -> LogId: ...


T = TypeVar("T", bound=OfALog)


def router(engine: sa.Engine, office: Office, intake: Intake | None = None) -> APIRouter:
    """The stations' routes. `intake`: the one that stands before the app, if any."""
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)
    limiter = CapacityLimiter(AT_ONCE)
    taking = intake or Intake(engine, office.key, office.clock)

    def route(
        path: str, read: Callable[[bytes], T], work: Callable[[Connection, T], Mapping[str, Any] | None],
        check: Callable[[Connection, T], None] | None = None,
    ) -> None:  # fmt: skip
        # `check`: refuses what is not to be noted in the journal, in which all else is
        def begin(asked: T) -> AbstractContextManager[Connection]:
            if check is None or office.journal is None:
                return engine.begin()
            with engine.begin() as connection:
                check(connection, asked)
            return office.journal.acting(engine, asked.log.poll, asked.log.station, office.clock())

        def answered(data: bytes) -> Response:
            try:
                asked = read(data)
                key = office.key(asked.log.poll)
            except DauysError as error:  # nobody who is known, or no poll whose key this centre has
                return refused(error)
            except AWAY:
                return away()
            try:
                with begin(asked) as connection:
                    said = work(connection, asked)
            except DauysError as error:
                return refused(error, Asked(asked.log, data), key)
            except AWAY:
                return away(Asked(asked.log, data), key)
            if said is None:
                return Response(status_code=204)
            return Response(Reply.to(asked.log, data, said).to_bytes(key), media_type="application/json")

        async def endpoint(request: Request) -> Response:
            data = await limited(request, MAX_BATCH_BYTES)
            return too_large() if data is None else await to_thread.run_sync(answered, data, limiter=limiter)

        routes.add_api_route(path, endpoint, methods=["POST"])

    async def sync(request: Request) -> Response:
        return await taking.reply(await limited(request, MAX_BATCH_BYTES))

    def enrol(connection: Connection, asked: Enrolment) -> None:
        service.enrol(connection, asked, office.clock())

    def question(connection: Connection, asked: Question) -> Mapping[str, Any]:
        channels = office.channels(asked.log.poll)
        return service.reply(connection, asked, office.vault(), channels, office.clock(), office.questions)

    def said_before(_: Connection, asked: Shown) -> None:
        Answer.of_centre(asked.data, office.key(asked.log.poll).public_key().public_bytes_raw())

    def shown(connection: Connection, asked: Shown) -> Mapping[str, Any]:
        centre = office.key(asked.log.poll).public_key().public_bytes_raw()
        return {"forgotten": restored.shown(connection, Answer.of_centre(asked.data, centre), office.clock())}

    routes.add_api_route("/sync", sync, methods=["POST"])
    routes.add_api_route("/wait", waiting(engine, office.key, clock=office.clock), methods=["POST"])
    route("/enrol", Enrolment.from_bytes, enrol, service.must_prove)
    route("/question", Question.from_bytes, question)
    route("/shown", Shown.from_bytes, shown, said_before)
    return routes
