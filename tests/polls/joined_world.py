"""A poll with a frozen roll, a centre that answers over its real routes, and stations with their real stores: in one process.

The centre works in the one connection of the test, which is rolled back; each request is a savepoint in it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from dauys.law.packs import load_form, load_rule
from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.serving.routes import Office, router
from dauys.polls.keys import Keys
from dauys.polls.opening import open_poll
from dauys.polls.pollbook_join import channels_of
from dauys.polls.standing import _cache, _definitions
from dauys.record.note import SigningKey
from dauys.registers.areas import Area
from dauys.registers.poll import Contest, Poll, Station
from dauys.roll.changes import approve
from dauys.roll.freeze import freeze
from dauys.roll.iin import check_digit
from dauys.roll.importing import add_versions, new_set
from dauys.roll.vault import Vault
from site_client import InThisThread

POLL = "test/joined"
DAY = date(2022, 6, 5)
VAULT = Vault(bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96)))
KEYS = Keys(SigningKey.from_seed(f"dauys/{POLL}", bytes(32)), Ed25519PrivateKey.from_private_bytes(b"\x05" * 32), None)
CONTEST = Contest(
    "q1",
    dict.fromkeys(("kk", "ru", "en"), "Question"),
    load_form("kz/referendum-protocol"),
    load_rule("kz/referendum-constitution"),
)
VOTING = {
    "any-station": {"on": True, "cite": "Pilot 1"},
    "mobile": {"on": True, "until": "12:00", "members": 2, "cite": "P"},
}
STATIONS = {"A-1": "A", "A/2": "A", "B-1": "B"}


def the_poll() -> Poll:
    labels = dict.fromkeys(("kk", "ru", "en"), "Joined")
    return Poll(
        id=POLL, kind="referendum", day=DAY, names=labels, timezone="Asia/Almaty", opens=time(7), closes=time(20),
        areas=tuple(Area(code=code, kind="area", names=labels) for code in "AB"), contests=(CONTEST,),
        reports=(time(10), time(14), time(20)), voting=VOTING,
    )  # fmt: skip


def with_an_area_further_west(poll: Poll) -> Poll:
    """The poll of a few districts: an area where it is an hour earlier is on its map, and has no station."""
    west = Area(code="W", kind="area", names=poll.names, timezone="Asia/Qyzylorda")
    return replace(poll, areas=(*poll.areas, west))


def iin_of(serial: int) -> str:
    first = f"7910283{serial:04}"
    digit = check_digit([int(c) for c in first])
    return iin_of(serial + 4000) if digit is None else f"{first}{digit}"


def rows(voters: dict[str, int], first: int = 1) -> list[dict[str, str]]:
    """Voters of each station, with valid IINs."""
    made: list[dict[str, str]] = []
    for station, count in voters.items():
        for _ in range(count):
            serial = first + len(made)
            made.append(
                {"iin": iin_of(serial), "born": "1979-10-28", "surname": f"Ахметов{serial}", "given": "Нұрлан",
                 "station": station, "area": STATIONS[station], "status": "eligible", "locality": "Акбулак",
                 "street": "Абая"}
            )  # fmt: skip
    return made


def applied(connection: sa.Connection, people: list[dict[str, str]], at: datetime) -> int:
    number = new_set(connection, "anna", at, "import", "test", DAY)
    add_versions(connection, VAULT, number, people)
    approve(connection, number, "boris", at)
    return number


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
class Wires(httpx.BaseTransport):
    """The way to the centre: `cut`, or losing answers on their way back."""

    app: FastAPI
    cut: bool = False
    lose: bool = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut")
        answer = InThisThread(self.app).handle_request(request)
        if self.lose:
            raise httpx.ReadError("lost")
        return answer


@dataclass
class Machine:
    """A station at work."""

    keep: Keep
    link: Link
    dice: random.Random

    def do(self, act: Any, *args: Any, **more: Any) -> Event:
        with self.keep.acting() as book:
            return self.keep.append(act(book, *args, **more))

    def check_in(self, who: UUID, at: datetime, channel: str = "polling-day", **more: Any) -> Event:
        return self.do(
            acts.do_check_in, who, officer="member1", salt=self.dice.randbytes(10), at=at, channel=channel, **more
        )

    @property
    def voters(self) -> list[UUID]:
        return [voter.entitlement for voter in self.keep.package.voters if not voter.away]


@dataclass
class World:
    """The centre of a poll and its stations. `now` is everybody's clock."""

    connection: sa.Connection
    folder: Path
    poll: Poll
    wires: Wires
    clock: list[datetime]
    stations: dict[str, Machine] = field(default_factory=dict)
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def now(self) -> datetime:
        return self.clock[0]

    def at(self, hour: int, minute: int = 0) -> datetime:
        """Moves the clock to this time of the day."""
        self.clock[0] = self.poll.moment(time(hour, minute)).astimezone(UTC)
        return self.clock[0]

    @property
    def packing(self) -> packing_out.Packing:
        listed = {name: Station(name, area, 9) for name, area in STATIONS.items()}
        return packing_out.Packing(self.poll, listed, channels_of(self.poll), KEYS.commission, VAULT)

    def packed(self, station: str) -> packing_out.Packed:
        return packing_out.pack(
            self.connection, self.packing, station, packing_out.TRIAL_OFFICERS, self.now, self.dice.randbytes
        )

    def start(self, station: str) -> Machine:
        """Gives a station its package, enrols and opens it."""
        machine = self.enrolled(self.packed(station))
        machine.do(acts.do_open, officer="chair", at=self.now)
        return machine

    def enrolled(self, packed: packing_out.Packed) -> Machine:
        """A machine that begins with this package."""
        ((one, package, _),) = packing_out.write(self.folder, [packed])
        where = self.folder / f"{packing_out.file_name(one.log.station)}.{one.log.generation}"
        keep = enrol(package, one.code, where, "http://centre")
        machine = Machine(keep, self.link(keep), self.dice)
        self.stations[one.log.station] = machine
        machine.link.once()
        return machine

    def link(self, keep: Keep) -> Link:
        """A station's way to this centre."""
        return Link(connect(keep, lambda: self.now, self.wires), lambda: self.now)

    def close(self) -> None:
        for machine in self.stations.values():
            machine.link.wire.close()
            machine.keep.close()


def wires_to(connection: sa.Connection, poll: Poll, clock: list[datetime]) -> Wires:
    """The way to a centre that works in this connection."""
    app = FastAPI()
    office = Office(lambda _: KEYS.commission, lambda _: channels_of(poll), lambda: VAULT, lambda: clock[0])
    app.include_router(router(cast(sa.Engine, OneConnection(connection)), office))
    return Wires(app)


@contextmanager
def world_of(connection: sa.Connection, folder: Path, voters: dict[str, int]) -> Iterator[World]:
    """A poll whose roll is frozen, on the morning of its day."""
    poll, clock = the_poll(), [datetime(2022, 6, 5, 1, 30, tzinfo=UTC)]
    before = clock[0] - timedelta(days=20)
    for kept in (_cache, _definitions):  # of a test before, whose poll had this name and was undone
        kept.clear()
    if connection.scalar(sa.text("SELECT EXISTS (SELECT FROM roll_set) OR EXISTS (SELECT FROM entitlement)")):
        connection.exec_driver_sql(
            "TRUNCATE voter, roll_set, roll_addition, roll_station, roll_freeze, entitlement, roll_withdrawal CASCADE"
        )
    listed = [Station(name, area, voters.get(name, 0)) for name, area in STATIONS.items()]
    open_poll(connection, poll, listed, KEYS, before)
    applied(connection, rows(voters), before)
    freeze(connection, VAULT, poll, KEYS.commission, before, processes=0)
    world = World(connection, folder, replace(poll), wires_to(connection, poll, clock), clock)
    try:
        yield world
    finally:
        world.close()


def right(serial: int) -> UUID:
    """The right of the voter with this serial number."""
    return UUID(bytes=VAULT.entitlement(POLL, VAULT.voter(iin_of(serial))))


def held(world: World, who: UUID) -> tuple[str, int, int]:
    """Who holds a right by the centre, its epoch and its state."""
    query = sa.text("SELECT holder, epoch, state FROM entitlement WHERE id = :id")
    return tuple(world.connection.execute(query, {"id": who}).one())


def synced(*machines: Machine) -> None:
    """All that the machines have to say and to hear is said and heard."""
    for machine in machines:
        while machine.link.once():
            continue
