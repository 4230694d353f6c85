"""A poll of a day whose law is loaded, in the one connection of a test, and its site without a network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter

from dauys.observe.accreditation import applications
from dauys.observe.accreditation.applications import Asked
from dauys.polls.keys import Keys
from dauys.polls.opening import open_poll
from dauys.polls.replay import Fault, Replay
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.record.note import SigningKey
from dauys.registers.poll import Poll, Station
from dauys.registers.poll_file import find_poll, read_poll
from dauys.stations.batch import one
from dauys.stations.intake import receive as receive_protocol
from dauys.web.app import create_app
from site_client import completed

POLL: Poll = replace(
    read_poll(find_poll("kz/2022-referendum")).poll, id="kz/2024-seen", day=date(2024, 10, 6), reconstruction=False
)
CONTEST = POLL.contests[0].id
KEYS = Keys(
    SigningKey.from_seed(f"dauys/{POLL.id}", bytes(32)), Ed25519PrivateKey.from_private_bytes(b"\x05" * 32), None
)
MISSION = Ed25519PrivateKey.from_private_bytes(b"\x06" * 32)
STATIONS = [Station("s1", POLL.areas[0].code, 1000), Station("s2", POLL.areas[1].code, 1000)]
AT = datetime(2024, 8, 20, 5, tzinfo=UTC)
VALUES = {
    "eligible": 1000,
    "received": 700,
    "participated": 690,
    "yes": 500,
    "no": 150,
    "invalid": 30,
    "not_counted": 10,
}
ASKED = Asked(
    "association", {"kk": "Қала", "ru": "Город", "en": "City Watch"}, "observes elections", "", ("*",),
    b64encode(MISSION.public_key().public_bytes_raw()).decode(), "", "office@city.example",
)  # fmt: skip


def photo(n: int = 0) -> bytes:
    """A small JPEG, one of 256, that holds nothing but the picture."""
    frame, scan = b"\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0", b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    return b"\xff\xd8" + frame + scan + bytes([n, 0]) + b"\xff\xd9"


class OneConnection:
    """Stands in for the engine: all its transactions are savepoints of one."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        with self._connection.begin_nested():
            yield self._connection

    def connect(self) -> OneConnection:
        return self

    def execution_options(self, **_: object) -> OneConnection:
        return self

    def __enter__(self) -> sa.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        return


@dataclass
class World:
    """The poll, open; `now` is the site's clock."""

    connection: sa.Connection
    now: datetime = AT

    @property
    def engine(self) -> Any:
        return OneConnection(self.connection)

    def tick(self, **step: float) -> datetime:
        self.now += timedelta(**step)
        return self.now

    def apply(self, token: bytes = b"t", **change: Any) -> int:
        return applications.apply(self.connection, POLL, replace(ASKED, **change), token, self.now)

    def accredited(self, code: str = "qala", **change: Any) -> int:
        """Applies and is accredited; the entry's place."""
        number = self.apply(code.encode(), **change)
        return applications.accredit(
            self.connection,
            POLL,
            number,
            code,
            date(2025, 8, 20),
            "the charter names it",
            "",
            "anna",
            KEYS.commission,
            self.now,
        )

    def protocol(self, station: str = "s1", **change: int) -> int:
        """The place of a protocol that comes in."""
        batch = one(CONTEST, station, {**VALUES, **change})
        return receive_protocol(self.connection, POLL, batch, by="import", at=self.now)[0].seq

    def entry(
        self, kind: str, place: str, key: Ed25519PrivateKey = MISSION, code: str = "qala", /, **body: Any
    ) -> Entry:
        said = Entry(
            POLL.id,
            kind,
            f"{kind}/{place}",
            self.now.isoformat(),
            f"organisation/{code}",
            {"organisation": code, **body},
        )
        return sign_entry(said, key)

    def observed(self, of: int | None, n: int = 1, station: str = "s1", **fields: tuple[int, int | None]) -> Entry:
        pairs = {name: {"copy": copy, "published": published} for name, (copy, published) in fields.items()}
        return self.entry(
            "observation", f"qala/{CONTEST}/{station}/{n}", contest=CONTEST, station=station, of=of, fields=pairs, photos=[],
            note="the copy on the wall",
        )  # fmt: skip

    def shows(
        self, *photos: str, n: int = 1, station: str = "s1", code: str = "qala", key: Ed25519PrivateKey = MISSION
    ) -> Entry:
        """An observation that names photos."""
        return self.entry(
            "observation", f"{code}/{CONTEST}/{station}/{n}", key, code, contest=CONTEST, station=station, of=None, fields={},
            photos=list(photos), note="the copy on the wall",
        )  # fmt: skip

    def kinds(self) -> list[str]:
        return [Entry.from_bytes(data).kind for _, data in log.read(self.connection, POLL.id)]

    def faults(self) -> list[Fault]:
        """What the fold of the record finds at fault."""
        replay = Replay()
        for seq, data in log.read(self.connection, POLL.id):
            replay.apply(seq, Entry.from_bytes(data))
        replay.check_list()
        replay.check_identities()
        return replay.faults

    def site(self, *routers: APIRouter) -> Site:
        return Site(create_app(self.engine, routers))


@dataclass
class Site:
    """Requests to the site in this process."""

    app: Any

    def get(self, path: str, **headers: str) -> httpx.Response:
        return completed(self._send("GET", path, b"", headers))

    def post(self, path: str, data: bytes | dict[str, str], **headers: str) -> httpx.Response:
        if isinstance(data, dict):
            headers["content-type"] = "application/x-www-form-urlencoded"
            data = urlencode(data).encode()
        return completed(self._send("POST", path, data, headers))

    def put(self, path: str, data: bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
        return completed(self._send("PUT", path, data, headers))

    async def _send(
        self, method: str, path: str, data: bytes | AsyncIterator[bytes], headers: dict[str, str]
    ) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://centre") as client:
            return await client.request(method, path, content=data, headers=headers)


def world_of(connection: sa.Connection) -> World:
    open_poll(connection, POLL, STATIONS, KEYS, AT)
    return World(connection)
