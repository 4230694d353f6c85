"""A small record with the law of kz/2022, and observers' copies of it: stations with numbers by rule, changed at will."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from field_world import Notebook

from dauys.observe.compare.standing import Copy
from dauys.observe.known.official import Official, official_frame, read_record
from dauys.observe.sample.draw import Plan, draw
from dauys.observe.sample.frame import Columns, read_frame
from dauys.record.checkpoint import Checkpoint, sign
from dauys.record.entry import Entry
from dauys.record.note import SigningKey
from dauys.record.tiles import Fetch, NotPublished, render_tiles
from dauys.registers.poll import Poll, Station
from dauys.registers.poll_file import find_poll, read_poll

KEY = SigningKey.from_seed("dauys/kz/2022-referendum", b"\x05" * 32)
CLOSES = datetime.fromisoformat("2022-06-05T20:00:00+06:00")
PER_AREA = 6
CONTEST = "q1"


@cache
def law() -> Poll:
    return read_poll(find_poll("kz/2022-referendum")).poll


def ticket(*parts: object) -> int:
    return int.from_bytes(sha256("|".join(map(str, parts)).encode()).digest()[:4], "big")


def protocol(station: Station) -> dict[str, int]:
    """Numbers that fulfil the form's identities: about 70 % took part, about 77 % of them said yes."""
    took = station.eligible * (66 + ticket("t", station.id) % 9) // 100
    yes = took * (72 + ticket("y", station.id) % 11) // 100
    invalid, both = took * 2 // 100, took // 100
    return {
        "eligible": station.eligible, "received": took + 1, "participated": took, "yes": yes,
        "no": took - yes - invalid - both, "invalid": invalid, "not_counted": both,
    }  # fmt: skip


@dataclass
class World:
    """A record that grows: `say` adds an entry and gives its place, `official` reads it as a mission does."""

    per_area: int = PER_AREA
    entries: list[bytes] = field(default_factory=list)
    stations: dict[str, Station] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        poll = law()
        for area in poll.areas:
            for n in range(self.per_area):
                one = Station(f"{area.code}-{n:04}", area.code, 300 + ticket(area.code, n) % 900)
                self.stations[one.id] = one
        self.say("poll", "poll", poll.to_json() | {"stations": len(self.stations), "keys": {}})
        self.say("stations", "stations/1", {"stations": [one.to_json() for one in self.stations.values()]})

    def say(self, kind: str, name: str, body: Mapping[str, Any], minutes: int = 0, checks: tuple[str, ...] = ()) -> int:
        at = (CLOSES + timedelta(minutes=minutes)).isoformat()
        self.entries.append(Entry(law().id, kind, name, at, "commission", body, checks=checks).to_bytes())
        return len(self.entries) - 1

    def count(self, *leave_out: str, checks: Mapping[str, tuple[str, ...]] | None = None) -> World:
        """Every station's protocol, in the order of its ticket, one a minute."""
        for n, name in enumerate(sorted(self.stations, key=lambda one: ticket("came", one))):
            if name not in leave_out:
                values = protocol(self.stations[name])
                body = {"station": name, "contest": CONTEST, "values": values}
                raised = (checks or {}).get(name, ())
                self.held[name] = self.say("protocol", f"protocol/{CONTEST}/{name}", body, 60 + 3 * n, raised)
        return self

    def correct(self, name: str, **change: int) -> int:
        before = protocol(self.stations[name])
        body = {"station": name, "contest": CONTEST, "of": self.held[name], "before": before, "after": before | change,
                "reason": "a slip of the pen"}  # fmt: skip
        self.held[name] = self.say("correction", f"correction/{CONTEST}/{name}/1", body, 900)
        return self.held[name]

    def annul(self, repeat: bool = False, **where: str) -> None:
        target = next(iter(where.values()))
        body = {"contest": CONTEST, **where, "reason": "r", "cite": "c", "repeat": repeat}
        self.say("annulment", f"annulment/{CONTEST}/{target}", body, 950)

    def files(self, key: SigningKey = KEY) -> dict[str, bytes]:
        """Every published file of the record as it is now."""
        from dauys.record.merkle import Frontier

        tree = Frontier()
        made = {tile.path: data for tile, data in render_tiles(self.entries, (), tree)}
        made["checkpoint"] = sign(Checkpoint(key.name, tree.size, tree.root()), key).encode()
        return made | {"keys.json": b'{"log": "%b"}' % str(key.vkey).encode()}

    def fetch(self) -> Fetch:
        return fetch_of_files(self.files())

    def official(self, before: Official | None = None) -> Official:
        return read_record(self.fetch(), "", before)

    def folder(self, path: Path) -> Path:
        for name, data in self.files().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        return path

    def copies(self, names: list[str], **changed: Mapping[str, int]) -> dict[tuple[str, str], Copy]:
        """Honest copies of these stations; `changed` ones by id with - written as _."""
        return {
            (CONTEST, name): Copy(protocol(self.stations[name]) | dict(changed.get(name.replace("-", "_"), {})))
            for name in names
        }

    def drawn(self, folder: Path, n: int = 51) -> dict[str, Any]:
        """A sample of this record's own list, stratified by territory: the answer of `dauys sample --json`."""
        from dauys.observe.sample.drawn import as_body

        path = folder / "frame.csv"
        path.write_bytes(official_frame(self.official())[0])
        columns = Columns(("id",), ("area",))
        return as_body(draw(read_frame(path, columns), Plan(n, "proportional"), "dice 6 1 4 2"), columns)


def fetch_of_files(files: Mapping[str, bytes]) -> Fetch:
    def fetch(path: str) -> bytes:
        if path not in files:
            raise NotPublished(f"{path} is missing")
        return files[path]

    return fetch


def mission_of(world: World, folder: Path, drawn: Mapping[str, Any], source: str = "http://site/record/kz") -> Notebook:
    """The notebook of a mission that drew its sample; `tell` brings copies in."""
    book = Notebook(folder)
    body = {"code": "echo", "names": {"en": "Echo"}, "poll": law().id, "source": source, "zone": "Asia/Almaty"}
    book.append("identity", body, "office", CLOSES)
    frame = {"sha256": drawn["frame_sha256"], "stations": drawn["population"], "record_size": len(world.entries)}
    book.append("frame", frame, "office", CLOSES)
    book.append("plan", {"plan": drawn["design"], "commitment": "00" * 32}, "office", CLOSES)
    book.append("drawn", drawn, "office", CLOSES)
    for name, organisation in (("o1", "echo"), ("o2", "chorus")):
        book.append("observer", {"id": name, "name": name, "organisation": organisation}, "office", CLOSES)
    return book


def tell(
    book: Notebook, station: str, values: Mapping[str, int], minutes: int, by: str = "o1", verified: bool = True,
    photos: tuple[str, ...] = (),
) -> int:  # fmt: skip
    """A copy of a protocol, as it stands in a mission's log: the event's number."""
    at = CLOSES + timedelta(minutes=minutes)
    body = {
        "key": f"{by}/{station}", "observer": by, "station": station, "form": "protocol", "contest": CONTEST,
        "values": dict(values), "written": at.isoformat(), "channel": "phone",
        "photos": [{"sha256": one, "size": 3, "kind": "image/jpeg"} for one in photos],
    }  # fmt: skip
    n = book.append("report", body, by, at).n
    if verified:
        book.append("judged", {"report": n, "standing": "verified"}, "office", at)
    return n
