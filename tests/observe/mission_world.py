"""A mission's office for tests: a real store in a folder, a small record in another, a commission that takes or refuses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from compared_world import World
from starlette.types import ASGIApp

from dauys.observe.known.keep import Keep, create
from dauys.observe.known.official import read_record
from dauys.observe.mission.app import create_app
from dauys.observe.office import door as the_door
from dauys.observe.office.door import Door
from dauys.observe.office.running import Outbox, Reading
from dauys.observe.office.visit import Office
from dauys.record.entry import Entry
from dauys.web.render import language, render
from site_client import SiteClient

MORNING = datetime.fromisoformat("2022-05-30T09:00:00+06:00")
the_door.PASSWORD_COST = 1 << 6  # tests set a password each: the real cost is tried in test_mission_office
PASSWORD = "steppe eagle 17"
RECORD = "http://commission.test/record/kz/2022-referendum"
WHO = {
    "code": "adil",
    "name-kk": "Әділ",
    "name-ru": "Адил",
    "name-en": "Adil",
    "source": RECORD,
    "log_key": "",
    "coalition": "",
}


@dataclass
class Commission:
    """What answers at the record's address: it takes entries, once each, or says `status`; `cut`: nobody answers."""

    world: World
    taken: list[Entry] = field(default_factory=list)
    status: int = 201
    cut: bool = False

    def post(self, address: str, data: bytes) -> tuple[int, str]:
        from dauys.errors import DauysError

        assert address == "http://commission.test/api/polls/kz/2022-referendum/observers/entries"
        if self.cut:
            raise DauysError("the wire is cut")
        if self.status != 201:
            return self.status, json.dumps({"error": {"message": "suspended"}})
        entry = Entry.from_bytes(data)
        assert entry.to_bytes() == data
        for place, one in enumerate(self.taken):
            if one.id == entry.id:
                return (200, json.dumps({"index": 100 + place})) if one == entry else (409, "{}")
        self.taken.append(entry)
        return 201, json.dumps({"index": 99 + len(self.taken)})


class Browser:
    """A browser without a screen, over the app itself. Its cookies stay, unless a request brings its own."""

    def __init__(self, app: ASGIApp, site: str = "http://mission.test") -> None:
        self._app, self._site, self.cookies = app, site, httpx.Cookies()

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("POST", path, **more)

    def ask(
        self, method: str, path: str, follow_redirects: bool = True, cookies: Any = None, **more: Any
    ) -> httpx.Response:
        with SiteClient(self._app, self._site, follow_redirects) as client:
            client.cookies = self.cookies if cookies is None else cookies
            answer = client.request(method, path, **more)
            if cookies is None:
                self.cookies = client.cookies
            return answer


@dataclass
class Desk:
    """The office in a browser. `post` bears the mark of the session's forms."""

    keep: Keep
    commission: Commission
    office: Office
    door: Door
    client: Browser
    mark: str = ""

    def get(self, path: str) -> httpx.Response:
        return self._read(self.client.get(path))

    def post(self, path: str, /, files: Any = None, **fields: str) -> httpx.Response:
        return self._read(self.client.post(path, data={"mark": self.mark, **fields}, files=files))

    def _read(self, answer: httpx.Response) -> httpx.Response:
        if answer.headers.get("content-type", "").startswith("text/html") and (
            found := re.search(r'name="mark" value="([0-9a-f]+)"', answer.text)
        ):
            self.mark = found[1]
        return answer

    def sign_in(self) -> Desk:
        self.post("/en/in", code=self.door.code)
        self.post("/en/password", password=PASSWORD, again=PASSWORD)
        return self

    def sign_in_again(self) -> Desk:
        """With the password that was chosen before the program was stopped."""
        self.post("/en/in", code=PASSWORD)
        self.get("/en/setup")
        return self

    def set_up(self) -> Desk:
        self.sign_in()
        assert self.post("/en/setup", **WHO).status_code == 200
        return self


def desk(folder: Path, world: World | None = None, at: datetime = MORNING) -> Desk:
    """An office that nobody has signed in to yet; time stands still but for a second with each look at the clock."""
    world = world or World(per_area=3)
    keep, commission = create(folder), Commission(world)
    return open_desk(keep, commission, at)


def open_desk(keep: Keep, commission: Commission, at: datetime = MORNING) -> Desk:
    """The office over a store."""
    ticks = iter(range(1_000_000))

    def clock() -> datetime:
        return at + timedelta(seconds=next(ticks))

    reading = Reading(keep, lambda source, key, before, held: read_record(commission.world.fetch(), key, before, held))
    outbox = Outbox(keep, clock, commission.post)
    door = Door(keep, clock, keep.public)
    office = Office(
        keep, clock, reading.official, reading.refresh, outbox.send, reading.fault, lambda: len(outbox.waiting()),
        extra={"door": door, "reading": reading, "outbox": outbox, "witness": None},
    )  # fmt: skip
    return Desk(keep, commission, office, door, Browser(create_app(office, door, render, language)))
