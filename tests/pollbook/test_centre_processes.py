"""The wire is cut, the centre and its database server and a station are killed with -9 under load: nobody twice, nothing lost.

Everything is a process of its own, as on the day: `dauys serve` and two `dauys station`; officers are their pages' forms.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from dauys.pollbook.log.events import Event, LogId
from dauys.pollbook.machine.enrolling import enrol, open_station
from dauys.pollbook.machine.sync import connect
from dauys.pollbook.rules.audit import audit
from dauys.pollbook.sealed.commitment import code_of
from dauys.pollbook.station import door as station_door
from dauys.pollbook.station.door import Door
from dauys.polls import pollbook_find
from dauys.polls.replay import Replay
from dauys.record import log
from dauys.record.entry import Entry
from dauys.store.engine import open_store
from forked_dauys import Dauys
from prepared_store import prepare_store

pytestmark = pytest.mark.database
POLL, PIN = "test/pollday", "739164"
STATIONS = {"P-1": 24, "P-2": 24}
EACH = 14
"""How many come to each station."""
CLOCK = "2022-06-05T09:00:00+06:00"
PATIENCE = 800
"""Looks at how many are sealed, at most: two minutes and more. With a station that tries at once it takes a second."""
YAML = f"""
poll: {POLL}
kind: referendum
day: 2022-06-05
timezone: Asia/Almaty
names: {{kk: Сынақ, ru: Проба, en: A trial}}
hours: {{open: "07:00", close: "20:00"}}
areas: {{from: stations}}
voting:
  any-station: {{on: true, cite: Pilot decision 1}}
contests:
  - {{id: q1, question: {{kk: а, ru: б, en: c}}, form: kz/referendum-protocol, rule: kz/referendum-constitution}}
stations: {{file: stations.csv, columns: {{id: id, area: area, eligible: eligible}}}}
"""
SETUP = (
    *("open poll", "roll synthetic voters.csv --poll poll", "roll import voters.csv --poll poll --by anna"),
    *("roll approve 1 --by boris", f"roll freeze {POLL}", f"pollbook packages {POLL} --out packages --trial"),
)


@dataclass
class Clock:
    """One that stands."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


class Process:
    """A `dauys` command that serves: its address, and kill -9."""

    def __init__(self, folder: Path, *args: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DAUYS_")}
        environment["DAUYS_HOME"] = str(folder / ".dauys")
        self.running = Dauys(folder, *args, "--json", env=environment, stdout=subprocess.PIPE)

    @cached_property
    def site(self) -> str:
        """Its address, as soon as it serves."""
        assert self.running.stdout is not None
        line = self.running.stdout.readline()
        assert line, f"it ended with {self.running.wait()}"
        return str(json.loads(line)["site"])

    def kill(self, how: int = signal.SIGKILL) -> None:
        if self.running.poll() is None:
            self.running.send_signal(how)
        self.running.wait(timeout=20)
        assert self.running.stdout is not None
        self.running.stdout.close()


class Officer:
    """Somebody at a station's pages."""

    def __init__(self, site: str, name: str) -> None:
        self.client = httpx.Client(base_url=f"{site}/en", timeout=10)
        assert self.client.post("/in", data={"officer": name, "pin": PIN}).status_code == 303

    def send(self, page: str, action: str, **more: str) -> httpx.Response:
        """The form of a page with that action, as a browser sends it."""
        text = self.client.get(page).text
        for form in re.findall(r"<form.*?</form>", text, re.S):
            if f'action="/en{action}"' in form or (action == page and "action=" not in form):
                fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
                return self.client.post(action, data=fields | more)
        return httpx.Response(409, text=text)

    def hand_out(self, who: UUID) -> bool:
        """Whether the page says that a ballot is to be handed out: an acknowledged check-in."""
        answer = self.send(f"/voter/{who}", "/hand-out")
        return answer.status_code == 303 and "/done/" in answer.headers["location"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Day:
    """A poll on its day: the centre at a port that stays its own, and the stations."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.web = httpx.Client(timeout=5)
        (folder / "poll").mkdir()
        (folder / "poll/poll.yaml").write_text(YAML, encoding="utf-8")
        rows = [f"{station},A,{voters}" for station, voters in STATIONS.items()]
        (folder / "poll/stations.csv").write_text("\n".join(["id,area,eligible", *rows]) + "\n")
        prepare_store(folder / ".dauys")
        self.centre = self.serve()
        assert self.centre.site
        for call in SETUP:  # all join the centre's database server
            assert Process(folder, *call.split()).running.wait(timeout=60) == 0, call
        self.stations: dict[str, Process] = {}
        self.voters: dict[str, list[UUID]] = {}
        for station in STATIONS:
            code = (folder / f"packages/{station}.code").read_text().strip()
            keep = enrol(
                folder / f"packages/{station}.package", code, folder / station, f"http://127.0.0.1:{self.port}"
            )
            connect(keep, Clock(keep.package.lease)).tell()
            door = Door(keep, Clock(keep.package.lease))
            for officer in ("chair", "member1"):
                session = door.sign_in(officer, door.first_pin(officer))
                door.choose(session, PIN, PIN)
            self.voters[station] = [voter.entitlement for voter in keep.package.voters]
            keep.close()
            self.start(station)
        for process in self.stations.values():
            Officer(process.site, "chair").send("/day", "/day", what="open")

    def serve(self) -> Process:
        return Process(self.folder, "serve", "--port", str(self.port), "--seal-every", "0.3")

    def start(self, station: str) -> None:
        args = ("station", "--folder", station, "--port", "0", "--every", "0.3", "--clock", CLOCK)
        self.stations[station] = Process(self.folder, *args)

    def kill_centre(self) -> None:
        """The process and the whole database server, in the middle of whatever they do."""
        postmaster = int((self.folder / ".dauys/postgres/postmaster.pid").read_text().split()[0])
        self.centre.running.kill()
        os.kill(postmaster, signal.SIGKILL)

    def sealed(self) -> int:
        """How many check-ins stand in the record, by the public page."""
        try:
            said = self.web.get(f"{self.centre.site}/en/polls/{POLL}/pollbook.json").json()
        except httpx.HTTPError:
            return -1
        return int(said["sums"]["used"])

    def until(self, number: int) -> None:
        """Until so many are sealed. However long a loaded machine takes: it ends early only where nobody works any more."""
        for _ in range(PATIENCE):
            found = self.sealed()
            if found == number:
                return
            ended = [
                one.running.args for one in (self.centre, *self.stations.values()) if one.running.poll() is not None
            ]
            assert found < number and not ended, f"{found} are sealed, not {number}; ended: {ended}"
            time.sleep(0.15)
        raise AssertionError(f"{self.sealed()} are sealed, not {number}")

    def end(self) -> None:
        self.web.close()
        for process in (*self.stations.values(), self.centre):
            process.kill(signal.SIGINT)


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    monkeypatch.setattr(station_door, "COST", 1 << 14)  # as the processes have it
    made = Day(tmp_path)
    yield made
    made.end()


def hand_out_all(officer: Officer, voters: list[UUID], told: set[UUID], enough: threading.Event) -> None:
    """Hands out one after the other until the station dies; `told` are those that the page acknowledged."""
    for who in voters:
        try:
            if officer.hand_out(who):
                told.add(who)
        except httpx.HTTPError:
            return
        if len(told) >= 8:
            enough.set()


def test_nobody_twice_and_nothing_lost(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    told: dict[str, set[UUID]] = {station: set() for station in STATIONS}
    for station, process in day.stations.items():
        officer = Officer(process.site, "member1")
        for who in day.voters[station][:5]:
            assert officer.hand_out(who)
            told[station].add(who)
            assert not officer.hand_out(who)  # a second time: no
    day.until(10)
    # another station asks for a voter who has voted: the centre says so
    iin = next(voter.iin for voter in list_of(day, "P-1") if voter.entitlement == day.voters["P-1"][0])
    found = Officer(day.stations["P-2"].site, "member1").send("/elsewhere", "/elsewhere", iin=iin)
    assert "Hand out ballot" not in found.text
    # under load: the centre falls with its database, then a station
    threads, enough = [], {station: threading.Event() for station in STATIONS}
    for station, process in day.stations.items():
        officer = Officer(process.site, "member1")
        work = (officer, day.voters[station][5:EACH], told[station], enough[station])
        threads.append(threading.Thread(target=hand_out_all, args=work))
        threads[-1].start()
    enough["P-1"].wait(20)
    day.kill_centre()
    day.stations["P-1"].kill()
    day.centre.kill()
    for thread in threads:
        thread.join(30)
    offline = len(told["P-2"])
    assert offline == EACH, "the station whose wire was cut stopped working"
    # whoever heard nobody waits longer and longer between his tries; started when the centre answers, he tries at once
    day.stations["P-2"].kill()
    day.centre = day.serve()
    assert day.centre.site
    for station in STATIONS:
        day.start(station)
    again = Officer(day.stations["P-1"].site, "member1")
    lost = [who for who in told["P-1"] if again.hand_out(who)]
    assert lost == []  # an acknowledged check-in is there after kill -9
    for who in day.voters["P-1"][:EACH]:
        if who not in told["P-1"]:
            again.hand_out(who)  # the one tap that was not answered may be there already
    before = len(told["P-1"])
    day.until(2 * EACH)
    checked = reconciled(day, told)
    with capsys.disabled():
        print(
            f"\n  {checked} check-ins at 2 stations, {before} and {offline} acknowledged; centre, database and both stations "
            "killed with -9: 0 double, 0 lost"
        )


def list_of(day: Day, station: str) -> Any:
    """The station's list, out of its package."""
    from dauys.pollbook.wire.package import unseal

    code = (day.folder / f"packages/{station}.code").read_text().strip()
    return unseal((day.folder / f"packages/{station}.package").read_bytes(), code).voters


def reconciled(day: Day, told: dict[str, set[UUID]]) -> int:
    """Holds everything against everything: the stations' stores, the centre's logs, rights, record; returns the check-ins."""
    for process in day.stations.values():
        process.kill(signal.SIGINT)
    engine = open_store(day.folder / ".dauys")
    logs: dict[LogId, list[Event]] = {}
    homes = {who: LogId(POLL, station, 1) for station, voters in day.voters.items() for who in voters}
    with engine.connect() as connection:
        for row in connection.execute(sa.text("SELECT id, station, generation FROM pollbook_log")).all():
            bodies = connection.scalars(
                sa.text("SELECT body FROM pollbook_event WHERE log = :log ORDER BY n"), {"log": row.id}
            )
            logs[LogId(POLL, row.station, row.generation)] = [Event.from_bytes(bytes(body)) for body in bodies]
        for station in STATIONS:
            keep = open_station(day.folder / station)
            assert list(keep.events(1, 10_000)) == logs[keep.log]
            assert told[station] <= keep.book.used_by.keys()
            for one in keep.book.check_ins.values():
                found = pollbook_find.find(connection, POLL, code_of(one.salt, one.entitlement))
                assert (found.state, found.station) == ("counted", station)
            keep.close()
        assert audit(logs, homes) == []
        used = set(connection.scalars(sa.text("SELECT id FROM entitlement WHERE state = 1")))
        assert connection.scalar(sa.text("SELECT count(*) FROM pollbook_alarm")) == 0
        replay = Replay()
        for seq, data in log.read(connection, POLL):
            replay.apply(seq, Entry.from_bytes(data))
        replay.check_roll()
        assert replay.faults == []
    engine.dispose()
    checked = [event.entitlement for events in logs.values() for event in events if event.kind == "check-in"]
    assert len(checked) == len(set(checked)) == len(used) == 2 * EACH
    assert set().union(*told.values()) <= used
    return len(checked)
