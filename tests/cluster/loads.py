"""Who writes while a cluster fails over? The record's authors and the stations, as callers that send again until they hear.

A sender keeps every receipt it got. What it sent without a receipt it sends again, the same bytes, and goes on only with
the receipt: so nothing that was acknowledged is ever sent a second time, and a loss cannot be repaired by accident.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.pollbook.centre import take as centre
from dauys.pollbook.log.events import Event, Head, LogId, sign_batch
from dauys.record import log as record
from dauys.record.entry import Entry

BROKEN = (sa.exc.OperationalError, sa.exc.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""The connection went, or there was nobody to connect to: whether the transaction was committed is not known."""

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
PAUSE = 0.03
"""Seconds between two sendings of one sender: the machine's cores are for the cluster, too."""

T = TypeVar("T")


def until_heard(engine: sa.Engine, send: Callable[[sa.Connection], T]) -> T:
    """Does `send` in a transaction of its own, again and again until it was committed and we know."""
    while True:
        try:
            with engine.begin() as connection:
                return send(connection)
        except BROKEN:
            time.sleep(0.1)


@dataclass(slots=True)
class Author:
    """Appends entries to a poll's record. `receipts`: id and bytes of each acknowledged entry by its place."""

    poll: str
    name: str
    receipts: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    sent: int = 0

    def send(self, engine: sa.Engine) -> None:
        self.sent += 1
        body = {"station": self.name, "time": "12:00", "eligible": 3000, "received": self.sent}
        entry = Entry(self.poll, "turnout", f"turnout/{self.name}/{self.sent}", AT.isoformat(), self.name, body)
        (placed,) = until_heard(engine, lambda connection: record.append(connection, self.poll, [entry]))
        assert placed.seq not in self.receipts, "two entries got the same place"
        self.receipts[placed.seq] = (entry.id, entry.to_bytes())


@dataclass(slots=True)
class Station:
    """Checks its voters in and sends its log in signed batches. `receipts`: the acknowledged events in order."""

    log: LogId
    voters: list[UUID]
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    receipts: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, poll: str, name: str, voters: int) -> Station:
        """A station with so many voters, whose entitlements follow from their places on its list."""
        ids = [UUID(bytes=sha256(f"{poll} {name} {i}".encode()).digest()[:16]) for i in range(voters)]
        return cls(LogId(poll, name, 1), ids)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def send(self, engine: sa.Engine) -> None:
        """The next one to four check-ins, as one batch."""
        head = self.receipts[-1].head if self.receipts else Head.before(self.log)
        events: list[Event] = []
        for who in self.voters[head.n : head.n + 1 + head.n % 4]:
            body = {"entitlement": str(who), "channel": "polling-day", "officer": "m1", "salt": who.hex[:20]}
            before = events[-1].head if events else head
            events.append(Event(before.n + 1, AT.isoformat(), "check-in", body, before.hash))
        assert events, "the station has too few voters for this test"
        batch = sign_batch(self.log, head.n + 1, events, events[-1].head.hash, self.key)
        outcome = until_heard(engine, lambda connection: centre.take(connection, batch, AT))
        # "send from an earlier one" would be an acknowledged batch that was lost; an alarm, a right used twice
        assert (outcome.acknowledged, outcome.send_from, outcome.stopped, outcome.alarms) == (
            events[-1].head, None, "", (),
        ), outcome  # fmt: skip
        self.receipts += events


Sender = Author | Station


class Load:
    """Senders at work, each in a thread of its own, until `stop`."""

    def __init__(self, engine: sa.Engine, senders: list[Sender]) -> None:
        self.times: list[float] = []
        """When each receipt came, by the monotonic clock."""
        self.failed: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(engine, one), daemon=True) for one in senders]
        for thread in self._threads:
            thread.start()

    def _work(self, engine: sa.Engine, sender: Sender) -> None:
        try:
            while not self._stop.wait(PAUSE):
                sender.send(engine)
                self.times.append(time.monotonic())
        except BaseException as error:  # noqa: BLE001  a thread's error belongs to the test
            self.failed.append(error)

    def since(self, moment: float) -> int:
        """How many receipts came after that moment; raises what went wrong in a sender."""
        if self.failed:
            raise self.failed[0]
        return sum(1 for at in list(self.times) if at > moment)

    def longest_silence(self, after: float, before: float) -> float:
        """The longest time without a receipt between two moments, in seconds."""
        times = sorted({after, before, *(at for at in list(self.times) if after < at < before)})
        return max(later - earlier for earlier, later in pairwise(times))

    def stop(self) -> None:
        """Lets every sender wait for its last receipt, and raises what went wrong."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "a sender still waits for its receipt"
        self.since(0)
