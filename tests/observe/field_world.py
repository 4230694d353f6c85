"""A mission for tests of what comes in from the field: six stations of a small poll, three observers of two organisations."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from dauys.observe.field.intake import Incoming, note_poll, take
from dauys.observe.known.model import Event, Mission
from dauys.observe.known.official import Official
from dauys.observe.known.reports import Photo, Report
from dauys.observe.mission.app import create_app
from dauys.observe.office.door import Door, mark_of
from dauys.observe.office.following import Live
from dauys.observe.office.visit import Office
from dauys.registers.poll import Area, Poll, Station
from dauys.registers.poll_file import read_poll
from dauys.web.render import language, render
from site_client import completed

SMALL = Path(__file__).parents[1] / "end_to_end" / "small" / "poll.yaml"
STATIONS = ("KZ10-0120", "KZ10-0121", "KZ10-0122", "KZ10-0123", "KZ11-0001", "KZ11-0002")
CODE = "ABCDE23456"
NIGHT = datetime.fromisoformat("2022-06-05T21:30:00+06:00")
NOON = datetime.fromisoformat("2022-06-05T12:00:00+06:00")
COPY = {
    "eligible": "1000",
    "received": "612",
    "participated": "608",
    "yes": "512",
    "no": "88",
    "invalid": "3",
    "not_counted": "5",
}


class Notebook:
    """A mission's store in memory, with its photos in a folder: `known.keep` without its disk."""

    public = ""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mission, self._events, self._lock = folder, Mission(), [], threading.RLock()  # type: ignore[var-annotated]
        self._kept: dict[str, str] = {}

    def append(self, kind: str, body: Mapping[str, Any], by: str, at: datetime) -> Event:
        event = Event(len(self._events), at.isoformat(), by, kind, dict(body))
        self.mission.apply(event)
        self._events.append(event)
        return event

    def events(self, first: int = 0) -> list[Event]:
        return list(self._events[first:])

    def head(self) -> str:
        return ""

    @contextmanager
    def acting(self) -> Iterator[Mission]:
        with self._lock:
            yield self.mission

    def keep(self, name: str, value: str) -> None:
        self._kept[name] = value

    def kept(self, name: str) -> str | None:
        return self._kept.get(name)

    def photo(self, sha256: str) -> Path:
        return self.folder / sha256

    def write(self, name: str, data: bytes) -> Path:
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def store_photo(self, data: bytes) -> str:
        name = sha256(data).hexdigest()
        self.write(name, data)
        return name


@cache
def poll() -> Poll:
    return read_poll(SMALL).poll


@cache
def official() -> Official:
    """The record as it was read before anything came in."""
    found = poll()
    stations = {name: Station(name, found.areas[0].code, 1000) for name in STATIONS}
    return Official(found, stations, {}, 2, "", False)


def area() -> Area:
    return poll().areas[0]


def mission(folder: Path, at: datetime = NOON - timedelta(hours=4)) -> Notebook:
    """Drawn, with O-1 and O-2 (two organisations) at 0123, O-1 at 0120 and 0121, O-3 nowhere."""
    keep = Notebook(folder)

    def note(kind: str, **body: object) -> None:
        keep.append(kind, body, "office", at)

    names = {"kk": "Миссия", "ru": "Миссия", "en": "Mission"}
    note("identity", code="adil", names=names, poll="test/small", source="bundle", zone="Asia/Almaty")
    note("frame", sha256="f" * 64, stations=6, record_size=2)
    note("plan", plan={}, commitment="c" * 64)
    keep.append("drawn", {"frame_sha256": "f" * 64, "stations": list(STATIONS)}, "office", at)
    secret = mark_of(CODE)
    for name, organisation in (("O-1", "adil"), ("O-2", "erkin"), ("O-3", "adil")):
        note(
            "observer", id=name, name=name, organisation=organisation, secret=secret, phone="+7 701 000 00 0" + name[-1]
        )
    for name, station in (("O-1", STATIONS[3]), ("O-2", STATIONS[3]), ("O-1", STATIONS[0]), ("O-1", STATIONS[1])):
        note("assigned", observer=name, station=station)
    note_poll(keep, poll(), at)
    return keep


def incoming(
    key: str,
    form: str = "protocol",
    answers: Mapping[str, str] | None = None,
    observer: str = "O-1",
    station: str = STATIONS[3],
    written: str = "",
    sent: str = "",
    contest: str = "charter",
    channel: str = "phone",
    photos: tuple[Photo, ...] = (),
) -> Incoming:
    typed = COPY if answers is None else answers
    return Incoming(
        key, observer, station, form, typed, channel, contest if form == "protocol" else "", written, sent, photos
    )


def send(keep: Notebook, report: Incoming, at: datetime = NIGHT) -> Report:
    return take(keep, report, at, official())


def site(keep: Notebook, clock: datetime = NIGHT, live: Live | None = None) -> tuple[ASGIApp, Door]:
    """The mission's pages over a store, at a standing clock."""

    def nothing(kind: str, entry: str, body: Mapping[str, Any]) -> None:
        return None

    door = Door(keep, lambda: clock, "test")
    office = Office(keep, lambda: clock, official, official, nothing)
    office.extra["door"] = door
    keep.keep("password", mark_of("steppe eagle 17", 2))
    return create_app(office, door, render, language, live), door


class Phone:
    """A browser without a screen over the app itself: `who` is signed in as an observer, or the office."""

    def __init__(self, app: ASGIApp, door: Door, who: str = "O-1") -> None:
        self._app, self.cookies = app, httpx.Cookies()
        if who == "office":
            session = door.office_sign_in(door.code)
            self.cookies.set(door.office_cookie, session.token, domain="mission.test")
        elif who:
            session = door.observer_sign_in(who, CODE)
            self.cookies.set(door.observer_cookie, session.token, domain="mission.test")
        self.mark = session.mark if who else ""

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://mission.test", cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        return completed(asked())

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def post(self, path: str, /, files: Any = None, **fields: str) -> httpx.Response:
        return self.ask("POST", path, data={"mark": self.mark, **fields}, files=files)
