"""Batches that come at once are worked on together, in order and in bounded groups; each hears its own answer, or why not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any, cast

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from pollbook_sample import CENTRE, MORNING, POLL, key, who

from dauys.errors import DauysError
from dauys.pollbook.log.events import MAX_BATCH_BYTES, Event, Head, LogError, LogId, sign_batch
from dauys.pollbook.log.words import digest
from dauys.pollbook.rules.grants import Answer
from dauys.pollbook.serving import service
from dauys.pollbook.serving.intake import AT_ONCE, SYNC, Intake
from dauys.pollbook.wire.received import Sent

KEY = key(1).public_key().public_bytes_raw()


class NoDatabase:
    """Stands in for an engine: what is done in a transaction is the test's own."""

    @contextmanager
    def begin(self) -> Any:
        yield None


def batch(station: int, count: int = 1, poll: str = POLL) -> bytes:
    log, head, events = LogId(poll, str(station), 1), Head.before(LogId(poll, str(station), 1)), []
    for number in range(count):
        body = {"entitlement": str(who(number)), "channel": "polling-day", "officer": "m1", "salt": f"{number:020x}"}
        events.append(Event(head.n + 1, MORNING.isoformat(), "check-in", body, head.hash))
        head = events[-1].head
    return sign_batch(log, 1, events, head.hash, key(1)).to_bytes()


Work = Callable[[Sequence[Sent]], Sequence[Answer | LogError]]


def answered(sent: Sequence[Sent]) -> Sequence[Answer | LogError]:
    return [Answer(one.log, KEY, digest(one.to_bytes()), Head(len(one.events), one.head)) for one in sent]


def key_of(poll: str) -> Any:
    if poll != POLL:
        raise DauysError("there is no such poll")
    return CENTRE


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """The app that stands behind."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"pages"})


def taking() -> Intake:
    return Intake(cast(sa.Engine, NoDatabase()), key_of, lambda: MORNING)


def client_of(monkeypatch: pytest.MonkeyPatch, work: Work, intake: Intake | None = None) -> httpx.AsyncClient:
    monkeypatch.setattr(service, "answers", lambda connection, sent, at, key: list(work(sent)))
    intake = intake or taking()
    transport = httpx.ASGITransport(intake.before(behind), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://centre")


def test_what_waits_is_worked_on_together_and_each_hears_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """While two are worked on, seven come; the groups have at most 1,000 events, but for one batch that alone has more."""
    groups: list[list[str]] = []
    begun, go = threading.Semaphore(0), threading.Event()

    def work(sent: Sequence[Sent]) -> Sequence[Answer | LogError]:
        groups.append([one.log.station for one in sent])
        begun.release()
        assert go.wait(10)
        return answered(sent)

    async def day() -> None:
        intake = taking()
        async with client_of(monkeypatch, work, intake) as client:
            sizes = {0: 1, 1: 1, 2: 450, 3: 450, 4: 300, 5: 2500, 6: 1, 7: 1, 8: 1}
            tasks, sent = [], [batch(station, size) for station, size in sizes.items()]
            for station in sizes:
                tasks.append(asyncio.create_task(client.post(SYNC, content=sent[station])))
                if station < AT_ONCE:
                    await asyncio.to_thread(begun.acquire)
                while intake.waiting < station + 1 - AT_ONCE:  # they come in this order
                    await asyncio.sleep(0.001)
            go.set()
            for station, reply in enumerate(await asyncio.gather(*tasks)):
                assert reply.status_code == 200
                log = LogId(POLL, str(station), 1)
                centre = CENTRE.public_key().public_bytes_raw()
                said = Answer.from_bytes(reply.content, log, KEY, sent[station], centre)
                assert said.acknowledged.n == sizes[station]
            assert (await client.post(SYNC, content=batch(9))).status_code == 200  # and all over again

    asyncio.run(day())
    assert sorted(groups) == [["0"], ["1"], ["2", "3"], ["4"], ["5"], ["6", "7", "8"], ["9"]]


def test_a_failure_is_heard_by_its_group_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away: 503, nothing is acknowledged; the next batch is taken when it is back."""
    faults: list[Exception] = [
        sa.exc.OperationalError("BEGIN", {}, Exception("gone")), psycopg.OperationalError("the server closed the connection"),
        ZeroDivisionError("a defect"),
    ]  # fmt: skip

    def work(sent: Sequence[Sent]) -> Sequence[Answer | LogError]:
        if faults:
            raise faults.pop(0)
        return answered(sent)

    async def day() -> None:
        async with client_of(monkeypatch, work) as client:
            replies = [await client.post(SYNC, content=batch(1)) for _ in range(4)]
            assert [reply.status_code for reply in replies] == [503, 503, 500, 200]
            assert replies[0].headers["retry-after"] == "3" and "database" in replies[0].json()["error"]["message"]

    asyncio.run(day())


def test_what_cannot_be_taken_is_refused_and_everything_else_goes_to_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(sent: Sequence[Sent]) -> Sequence[Answer | LogError]:
        said = zip(sent, answered(sent), strict=True)
        return [LogError("nobody knows it", "P.003") if one.log.station == "9" else answer for one, answer in said]

    async def day() -> None:
        async with client_of(monkeypatch, work) as client:
            for content, status, check in (
                (b"{}", 400, "P.001"), (b" " * (MAX_BATCH_BYTES + 1), 413, "P.001"), (batch(9), 403, "P.003"),
                (batch(1, poll="test/no-such"), 400, ""), (batch(1)[:-2], 400, "P.001"),
            ):  # fmt: skip
                reply = await client.post(SYNC, content=content)
                assert (reply.status_code, reply.json()["error"]["check"]) == (status, check)
            together = await asyncio.gather(
                *(
                    client.post(SYNC, content=one)
                    for one in (batch(1, poll="test/no-such"), batch(2), batch(9), batch(3))
                )
            )
            assert [reply.status_code for reply in together] == [400, 200, 403, 200]
            assert b'"station":"3"' in together[3].content
            assert (await client.get(SYNC)).status_code == 418
            assert (await client.post(f"{SYNC}/", content=batch(1))).text == "pages"

    asyncio.run(day())
