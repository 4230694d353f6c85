"""How do thousands of batches a second come in, and their answers go out? Read one by one, worked on together.

The thread that serves reads each batch as it comes, which is short; what came while the last ones were worked on goes into one
transaction, in one of two threads that mostly wait for the database. Answers are signed after the commit. `Intake.before` puts
all that in front of an app: its routing, and what it adds to pages, would cost more than the batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.responses import JSONResponse, Response

from dauys.errors import BadInput, DauysError, Numbered
from dauys.pollbook.centre.together import MOST, MOST_EVENTS
from dauys.pollbook.log.events import MAX_BATCH_BYTES, LogError, LogId
from dauys.pollbook.rules.grants import Answer
from dauys.pollbook.serving import service
from dauys.pollbook.serving.service import KeyOf
from dauys.pollbook.wire.questions import PREFIX
from dauys.pollbook.wire.received import Sent, received
from dauys.pollbook.wire.replies import Reply
from dauys.store.engine import AWAY

SYNC = f"{PREFIX}/sync"

SWITCH = 0.0002
"""Seconds after which a thread that computes lets another one run (sys.setswitchinterval), for whoever serves.

With Python's 5 ms the thread that reads the stations' requests waits so long each time for one that makes a page.
"""

AT_HAND = 100_000
"""Bytes of a batch that is read between two others; a longer one is read beside them."""

AT_ONCE = 2
"""Groups that are worked on at the same time: while one waits for the disk, the other goes on. Whatever both touch, the
database makes one of them wait; should each wait for the other, it refuses one, and those stations send again."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[MutableMapping[str, Any], Receive, Callable[[Message], Awaitable[None]]], Awaitable[None]]

Said = tuple[Answer | LogError, Ed25519PrivateKey] | DauysError
"""What is said to a batch, and the key that signs it, after the commit; or why the centre has none of that poll."""


class Intake:
    """Takes the stations' batches. `key` is the centre's for a poll, `clock` that of the edge."""

    def __init__(self, engine: sa.Engine, key: KeyOf, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._key = key
        self._clock = clock
        self._gathered = Gathered(self._work)

    @property
    def waiting(self) -> int:
        """How many batches wait for the group before them."""
        return len(self._gathered.waiting)

    async def reply(self, data: bytes | None) -> Response:
        """The response to one request; None is a body longer than any batch may be."""
        if data is None:
            return too_large()
        try:
            sent = received(data) if len(data) <= AT_HAND else await to_thread.run_sync(received, data)
            said = await self._gathered.reply(sent)
        except DauysError as error:  # it names no log that can be read, or its poll is not this centre's
            return refused(error)
        except AWAY:
            return away()
        if isinstance(said, DauysError):
            return refused(said)
        answer, key = said
        if isinstance(answer, LogError):
            return refused(answer, Asked(sent.log, data), key)
        return Response(answer.to_bytes(key), media_type="application/json")

    def before(self, app: App) -> App:
        """The app, with the batches taken out before it."""

        async def first(
            scope: MutableMapping[str, Any], receive: Receive, send: Callable[[Message], Awaitable[None]]
        ) -> None:
            if scope["type"] != "http" or scope["path"] != SYNC or scope["method"] != "POST":
                await app(scope, receive, send)
                return
            parts, size, more = [], 0, True
            while more and size <= MAX_BATCH_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                more = message.get("more_body", False)
            response = await self.reply(b"".join(parts) if size <= MAX_BATCH_BYTES else None)
            await response(scope, receive, send)

        return first

    def _work(self, several: Sequence[Sent]) -> list[Said]:
        """What came while the last ones were worked on, in one transaction: one commit serves them all."""
        keys = {poll: self._key_of(poll) for poll in {sent.log.poll for sent in several}}
        known = [sent for sent in several if not isinstance(keys[sent.log.poll], DauysError)]
        with self._engine.begin() as connection:
            answers = iter(service.answers(connection, known, self._clock(), self._key))
        held = [keys[sent.log.poll] for sent in several]
        return [key if isinstance(key, DauysError) else (next(answers), key) for key in held]

    def _key_of(self, poll: str) -> Ed25519PrivateKey | DauysError:
        try:
            return self._key(poll)
        except DauysError as error:
            return error


class Gathered:
    """Batches that wait while others are worked on are worked on together, in order of arrival; two groups at once."""

    def __init__(self, work: Callable[[Sequence[Sent]], list[Said]]) -> None:
        self._work = work
        self.waiting: deque[tuple[Sent, asyncio.Future[Said]]] = deque()
        self._running = 0
        self._workers: set[asyncio.Task[None]] = set()
        self._threads = CapacityLimiter(AT_ONCE)  # its own: however many pages are being made, check-ins go on

    async def reply(self, sent: Sent) -> Said:
        """What is said to one batch, when its group is done."""
        mine: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self.waiting.append((sent, mine))
        if self._running < AT_ONCE:
            self._running += 1
            worker = asyncio.create_task(self._run())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return await mine

    async def _run(self) -> None:
        """Goes on until nothing waits; between that and saying so there is no pause in which something could come."""
        try:
            while self.waiting:
                await self._next()
        finally:
            self._running -= 1

    async def _next(self) -> None:
        group = [self.waiting.popleft()]
        events = len(group[0][0].events)
        while self.waiting and len(group) < MOST and events + len(self.waiting[0][0].events) <= MOST_EVENTS:
            group.append(self.waiting.popleft())
            events += len(group[-1][0].events)
        try:
            said = await to_thread.run_sync(self._work, [sent for sent, _ in group], limiter=self._threads)
        except Exception as error:  # noqa: BLE001 - it is raised in each request, whose handlers answer it
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), one in zip(group, said, strict=True):
            if not future.done():  # the station hung up
                future.set_result(one)


class Asked(NamedTuple):
    """What a machine sent, and of which log it is."""

    log: LogId
    data: bytes


def refused(error: DauysError, asked: Asked | None = None, key: Ed25519PrivateKey | None = None) -> Response:
    """The response to what cannot be taken, signed where it is known who asks and with which key: else no station believes it."""
    check, message = getattr(error, "check", None) or "", str(error)
    if isinstance(error, Numbered):
        message = error.words
    elif isinstance(error, BadInput):
        message = error.message
    status = 403 if check in _UNKNOWN else 400
    return _refusal(check, message, status, asked, key)


def away(asked: Asked | None = None, key: Ed25519PrivateKey | None = None) -> Response:
    """The response where the database did nothing: it starts, another machine takes over, or two waited for each other."""
    message = "the database does not answer at this moment"
    return _refusal("", message, 503, asked, key, {"Retry-After": "3"})


def too_large() -> Response:
    """The response to a body longer than any batch may be."""
    return _refusal("P.001", f"send at most {MAX_BATCH_BYTES:,} bytes at once", 413)


_UNKNOWN = ("P.003", "P.004", "P.019")
"""The centre does not know who speaks."""


def _refusal(
    check: str, message: str, status: int, asked: Asked | None = None, key: Ed25519PrivateKey | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    if asked is None or key is None:
        return JSONResponse({"error": {"message": message, "check": check}}, status, headers)
    said = Reply.refusing(asked.log, asked.data, message, check).to_bytes(key)
    return Response(said, status, headers, media_type="application/json")
