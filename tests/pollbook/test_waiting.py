"""Does an idle station hear at once that it is asked, and does nothing hang on that it does?"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from pollbook_sample import CENTRE, MORNING, POLL, key, who

from dauys.errors import DauysError
from dauys.pollbook.centre import moves
from dauys.pollbook.centre import take as centre
from dauys.pollbook.log.events import LogId
from dauys.pollbook.machine.sync import Link, Unreached
from dauys.pollbook.machine.syncing import Syncing
from dauys.pollbook.serving.waiting import CHANNEL, Bell, Ear, waiting
from dauys.pollbook.wire.questions import Question
from dauys.pollbook.wire.replies import Reply
from dauys.record import log as record
from dauys.store.engine import Connection

ONE, TWO = (LogId(POLL, name, 1) for name in ("1", "2"))


class OneConnection:
    """Stands in for the engine: whoever connects has the test's connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._lock:
            yield self._connection


@pytest.fixture
def centre_of(connection: Connection) -> Connection:
    record.open_log(connection, POLL, "dauys/test")
    for number, log in ((1, ONE), (2, TWO)):
        centre.enrol(connection, log, key(number).public_key().public_bytes_raw(), MORNING)
        connection.execute(
            sa.text(
                "INSERT INTO entitlement (poll, id, home, holder, voter, set_id) VALUES (:p, :id, :h, :holder, :id, 1)"
            ),
            {"p": POLL, "id": who(number), "h": log.station, "holder": log.holder},
        )
    return connection


def asked(log: LogId, signer: Any) -> bytes:
    return Question(log, MORNING.isoformat(), "wait", {}).to_bytes(signer)


@pytest.mark.database
def test_word_is_given_at_once_or_when_it_comes_and_to_nobody_else(centre_of: Connection) -> None:
    bell = Bell()
    app = FastAPI()
    for path, seconds in (("/short", 0.05), ("/long", 20)):
        one = cast(sa.Engine, OneConnection(centre_of))
        app.add_api_route(path, waiting(one, lambda poll: CENTRE, bell, seconds), methods=["POST"])

    async def all_of_it() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://centre") as client:

            async def wait(data: bytes, path: str = "/short") -> bool | int:
                response = await client.post(path, content=data)
                if response.status_code != 200:
                    return response.status_code
                log = LogId(POLL, response.json()["station"], 1)
                word = Reply.from_bytes(response.content, log, data, CENTRE.public_key().public_bytes_raw()).body[
                    "word"
                ]
                assert isinstance(word, bool)
                return word

            assert await wait(asked(ONE, key(1))) is False and await wait(asked(ONE, CENTRE)) == 403
            stranger = LogId(POLL, "9", 1)
            assert await wait(asked(stranger, key(1))) == 403 and await wait(b"{}") == 400 and len(bell) == 0
            both = []
            for number, log in ((1, ONE), (2, TWO)):
                both.append(asyncio.create_task(wait(asked(log, key(number)), "/long")))
                while len(bell) < number and not both[-1].done():
                    await asyncio.sleep(0.01)
            bell.ring((POLL, ONE.holder))
            assert await both[0] is True and not both[1].done() and len(bell) == 1
            bell.ring((POLL, TWO.holder))
            assert await both[1] is True
            last = asyncio.create_task(wait(asked(ONE, key(1)), "/long"))
            while not len(bell) and not last.done():
                await asyncio.sleep(0.01)
            app.state.closing = True  # the site ends: nobody is kept
            assert await last is False
            app.state.closing = False
            moves.ask(centre_of, "r", who(1), TWO, MORNING)  # it is written: no bell needs to ring
            assert await wait(asked(ONE, key(1))) is True and await wait(asked(TWO, key(2))) is False
            centre_of.execute(sa.text("UPDATE entitlement SET state = 2 WHERE id = :id"), {"id": who(1)})
            assert await wait(asked(ONE, key(1))) is False and await wait(asked(TWO, key(2))) is True

    asyncio.run(all_of_it())
    assert len(bell) == 0


@pytest.mark.database
def test_what_a_transaction_notifies_rings_after_its_commit(engine: sa.Engine) -> None:
    bell, name = Bell(), str(uuid4())
    ear = Ear(engine, bell)
    ear.open()
    assert ear.listening.wait(10)

    async def heard() -> list[bool]:
        found = []
        for commits in (False, True):
            place = bell.stand((POLL, name))
            with engine.connect() as connection:
                connection.execute(
                    sa.text("SELECT pg_notify(:channel, :word)"), {"channel": CHANNEL, "word": f"{POLL}\n{name}"}
                )
                connection.commit() if commits else connection.rollback()
            found.append(await bell.wait(place, 5 if commits else 0.2))
            bell.leave((POLL, name), place)
        return found

    assert asyncio.run(heard()) == [False, True]


@pytest.mark.database
def test_a_database_that_goes_and_a_site_that_stops_are_borne_in_silence(
    engine: sa.Engine,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dauys.pollbook.serving.waiting.AGAIN", 0.05)
    ends = threading.Event()
    ear = Ear(engine, Bell())
    ear.open(ends.is_set)
    assert ear.listening.wait(10)
    listens = "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN ' || :channel AND datname = current_database()"
    with engine.connect() as connection:
        for pid in connection.scalars(sa.text(listens), {"channel": CHANNEL}).all():
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    again = time.monotonic() + 5
    while ear.listening.is_set() and time.monotonic() < again:
        time.sleep(0.01)
    assert ear.listening.wait(10)  # it came back
    ends.set()
    assert ear.join(5)
    assert [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
    assert capfd.readouterr().err == ""


class Wire:
    """A centre that has word when it is told to, or none, or is away."""

    def __init__(self) -> None:
        self.word = threading.Event()
        self.away = False
        self.waits = 0

    def wait(self) -> bool:
        self.waits += 1
        if self.away:
            raise Unreached("cut")
        found = self.word.wait(0.2)
        self.word.clear()
        return found


class Exchange:
    """A link that only notes when it was used."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.times: list[float] = []
        self.first = threading.Event()  # until then the first exchange goes on
        self.first.set()
        self.status = type("Status", (), {"cut": None, "fault": ""})()

    def once(self) -> bool:
        self.first.wait(5)
        self.times.append(time.monotonic())
        return False


def test_a_station_that_hears_word_syncs_at_once() -> None:
    wire = Wire()
    link = Exchange(wire)
    syncing = Syncing(cast(Link, link), every=60, listens=True)
    syncing.start()
    try:
        time.sleep(0.05)
        told = time.monotonic()
        wire.word.set()
        while len(link.times) < 2 and time.monotonic() < told + 5:
            time.sleep(0.01)
        assert link.times[1] - told < 1
    finally:
        syncing.stop()


def test_a_centre_that_is_away_is_not_asked_again_and_again() -> None:
    wire = Wire()
    wire.away = True
    link = Exchange(wire)
    syncing = Syncing(cast(Link, link), every=60, listens=True)
    syncing.start()
    time.sleep(0.1)
    syncing.stop()
    assert wire.waits == 1 and isinstance(Unreached("x"), DauysError)


def test_nobody_waits_at_the_centre_before_it_knows_his_key() -> None:
    """The first exchange tells it. Who came before that was refused, and heard of nothing for ten seconds."""
    wire = Wire()
    link = Exchange(wire)
    link.first.clear()
    syncing = Syncing(cast(Link, link), every=60, listens=True)
    syncing.start()
    time.sleep(0.05)
    assert wire.waits == 0
    link.first.set()
    ends = time.monotonic() + 5
    while not wire.waits and time.monotonic() < ends:
        time.sleep(0.01)
    syncing.stop()
    assert wire.waits
