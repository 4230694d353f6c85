"""How does an idle station hear at once that it is asked for something? It waits at the centre until there is word for it.

    POST /api/pollbook/wait       a signed Question "wait"    a signed Reply {"word": true}: sync now; false: there was none

Word is that a right is asked of the station, or given to it. Who writes that (`moves`, `centre`) notifies in the same transaction
(PostgreSQL, LISTEN and NOTIFY), so that every process of the centre hears of it, after the commit. Nothing rests on it: a
station that hears nothing syncs after some seconds as ever, and no answer here says anything but "sync now".
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from anyio import to_thread
from fastapi import Request
from fastapi.responses import Response

from dauys.errors import DauysError
from dauys.page_forms import limited
from dauys.pollbook.centre import moves
from dauys.pollbook.centre.mark import standing
from dauys.pollbook.centre.take import CHANNEL, cursor
from dauys.pollbook.log.events import LogError, LogId
from dauys.pollbook.serving.intake import Asked, away, refused, too_large
from dauys.pollbook.serving.service import KeyOf, not_of_the_lost
from dauys.pollbook.wire.questions import LARGEST, Question
from dauys.pollbook.wire.replies import Reply
from dauys.store.engine import AWAY, FAULTS, driver

LONGEST = 50.0
"""Seconds that a station waits at most before it asks again."""

LOOK = 0.3
"""Seconds between looks whether the site is closing; one task looks for all who wait, and so does who listens."""

AGAIN = 2.0
"""Seconds until the database is listened to again after it was away."""

Holder = tuple[str, str]
"""Poll and holder."""


class Bell:
    """Who waits in this process, and who is called. `ring` may come from any thread."""

    def __init__(self) -> None:
        self._waiting: dict[Holder, set[asyncio.Future[bool]]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def stand(self, holder: Holder) -> asyncio.Future[bool]:
        """A place in the queue, to be waited at with `wait`, and left in any case with `leave`."""
        self._loop = asyncio.get_running_loop()
        place: asyncio.Future[bool] = self._loop.create_future()
        self._waiting[holder].add(place)
        return place

    async def wait(self, place: asyncio.Future[bool], seconds: float) -> bool:
        """Whether the bell rings for that place within so many seconds."""
        try:
            return await asyncio.wait_for(place, seconds)
        except TimeoutError:
            return False

    def leave(self, holder: Holder, place: asyncio.Future[bool]) -> None:
        """Leaves the queue."""
        self._waiting[holder].discard(place)
        if not self._waiting[holder]:
            del self._waiting[holder]

    def send_home(self, closing: Callable[[], bool]) -> None:
        """From now on nobody is kept once the site is closing."""
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._until(closing))

    async def _until(self, closing: Callable[[], bool]) -> None:
        while self._waiting and not closing():
            await asyncio.sleep(LOOK)
        for place in [place for places in self._waiting.values() for place in places]:
            if not place.done():
                place.set_result(False)

    def ring(self, holder: Holder) -> None:
        """Calls everybody who waits as this holder."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._call, holder)

    def _call(self, holder: Holder) -> None:
        for place in self._waiting.get(holder, ()):
            if not place.done():
                place.set_result(True)


class Ear:
    """Listens to what the transactions of all processes notify, in a thread of its own, and rings the bell."""

    def __init__(self, engine: sa.Engine, bell: Bell) -> None:
        self._engine = engine
        self._bell = bell
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.listening = threading.Event()

    def open(self, closing: Callable[[], bool] = lambda: False) -> None:
        """Begins to listen, once, until the site is closing."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=[closing], name="pollbook ear", daemon=True)
                self._thread.start()

    def join(self, seconds: float) -> bool:
        """Waits until nothing is listened to any more; whether that is so."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def _run(self, closing: Callable[[], bool]) -> None:
        pause = threading.Event()
        while not closing():
            try:
                self._listen(closing)
            except (*FAULTS, OSError):  # away: stations sync by themselves meanwhile
                self.listening.clear()
                pause.wait(AGAIN)

    def _listen(self, closing: Callable[[], bool]) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            try:
                raw = driver(connection)
                raw.execute(f"LISTEN {CHANNEL}")
                self.listening.set()
                while not closing():
                    for word in raw.notifies(timeout=LOOK):
                        poll, _, holder = word.payload.partition("\n")
                        self._bell.ring((poll, holder))
            finally:  # closed, and not given back: nobody else is to listen by it, and a broken one is not asked to roll back
                connection.invalidate()


def waiting(
    engine: sa.Engine,
    key: KeyOf,
    bell: Bell | None = None,
    seconds: float = LONGEST,
    clock: Callable[[], datetime | None] = lambda: None,
) -> Callable[[Request], Awaitable[Response]]:
    """The route's endpoint; `key` is the centre's for a poll. With a `bell` it listens to no database: somebody else rings.
    `clock`: what is asked for and over by then is no word."""
    ringing = Bell() if bell is None else bell
    ear = Ear(engine, ringing) if bell is None else None

    async def wait(request: Request) -> Response:
        data = await limited(request, LARGEST)
        if data is None:
            return too_large()
        sender, signing = None, None
        try:
            asked = Question.from_bytes(data)
            sender, signing = Asked(asked.log, data), key(asked.log.poll)
            if ear is not None:
                ear.open(lambda: closing(request.app))
            holder = (asked.log.poll, asked.log.holder)
            place = ringing.stand(holder)  # before the look: what is written after it rings
            ringing.send_home(lambda: closing(request.app))
            try:
                word = await to_thread.run_sync(is_word, engine, asked, clock()) or await ringing.wait(place, seconds)
            finally:
                ringing.leave(holder, place)
        except DauysError as error:
            return refused(error, sender, signing)
        except AWAY:
            return away(sender, signing)
        return Response(Reply.to(asked.log, data, {"word": word}).to_bytes(signing), media_type="application/json")

    return wait


def closing(app: Any) -> bool:
    """Whether the site is about to stop (web.app)."""
    return bool(getattr(app.state, "closing", False))


def is_word(engine: sa.Engine, asked: Question, at: datetime | None) -> bool:
    """Whether there is word already. Raises LogError P.003, P.004, P.078."""
    log: LogId = asked.log
    with engine.connect() as connection:
        row = cursor(connection).execute(
            "SELECT key, lost FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)",
            (log.poll, log.station, log.generation),
        ).fetchone()  # fmt: skip
        if row is None or not row.key:
            raise LogError(f"{log} is not enrolled here", "P.003")
        if asked.what != "wait" or not asked.good(bytes(row.key)):
            raise LogError(
                f"the question is not signed by the key with which station {log.station} was enrolled", "P.004"
            )
        if row.lost:
            raise not_of_the_lost(log)
        if standing(cursor(connection), log.poll) is not None:
            return False
        return bool(moves.asked_of(connection, log, at)) or moves.may_receive(connection, log, at)
