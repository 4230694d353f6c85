"""A voter stands at another station: how long until his right is there, by real processes, beside a plain HTTP round trip?

One centre (`dauys serve`) and two stations (`dauys station`), each a process of its own, on loopback. An officer of the second
station asks for a voter of the first on the page; the first one, which has nothing to send and waits at the centre for word,
hears of it, lets the right go, the centre grants it and the second one takes it: four exchanges, each durable before the
next. The time is from the officer's tap until his waiting page turns into the voter's. Between two voters the stations are idle.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import httpx

from bench.timing import Line
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.sync import connect
from dauys.pollbook.station.door import Door
from dauys.pollbook.wire.package import Voter

POLL, PIN = "test/moves", "739164"
CLOCK = "2022-06-05T09:00:00+06:00"
IDLE, LOOK = 2.5, 0.005
"""Seconds between two voters, and between two looks at the waiting page."""

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
SETUP = f"""
from dauys.cli.main import tree
for call in ["open poll", "roll synthetic voters.csv --poll poll", "roll import voters.csv --poll poll --by anna",
             "roll approve 1 --by boris", "roll freeze {POLL}", "pollbook packages {POLL} --out packages --trial"]:
    assert not tree.main([*call.split(), "--json"], standalone_mode=False), call
"""


def measure(quick: bool) -> list[Line] | str:
    """One line: the moves, beside round trips to the same centre, turn by turn."""
    count = 5 if quick else 10
    with tempfile.TemporaryDirectory(prefix="dauys", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name).resolve()
        _poll(folder, 4 * count)
        centre = stack.enter_context(_serving(folder, "serve", "--port", "0"))
        listed = {station: _enrolled(folder, station, centre) for station in ("P-1", "P-2")}
        sites = {}
        for station in listed:
            clocked = ("station", "--folder", station, "--port", "0", "--clock", CLOCK)
            sites[station] = stack.enter_context(_serving(folder, *clocked))
            chair = _client(stack, sites[station], "chair")
            chair.post("/day", data=_fields(chair.get("/day").text, 'value="open"'))
        officer = _client(stack, sites["P-2"], "member1")
        plain = stack.enter_context(httpx.Client(base_url=centre))
        plain.get("/")
        moves, trips = [], []
        for voter in listed["P-1"][:count]:
            time.sleep(IDLE)
            moves.append(_moved(officer, voter))
            start = time.perf_counter()
            assert plain.get("/").status_code == 307
            trips.append(time.perf_counter() - start)
    job = f"moves: asked for, let go, granted, taken ({statistics.median(moves):.2f} s in the median, at most {max(moves):.2f})"
    return [Line(job, moves, "a plain HTTP round trip", trips, most_seconds=2)]


def _moved(officer: httpx.Client, voter: Voter) -> float:
    """Seconds from the tap "ask for the right" until the voter's page."""
    search = _fields(officer.get("/elsewhere").text, 'name="iin"')
    found = officer.post("/elsewhere", data=search | {"iin": voter.iin})
    asking = _fields(found.text, "/elsewhere/ask")
    start = time.perf_counter()
    where = officer.post("/elsewhere/ask", data=asking).headers["location"].removeprefix("/en")
    assert where.startswith("/waiting/"), where
    while (answer := officer.get(where)).status_code != 303:
        assert time.perf_counter() - start < 60, "the right did not come"
        time.sleep(LOOK)
    assert "/voter/" in answer.headers["location"]
    return time.perf_counter() - start


def _fields(page: str, within: str) -> dict[str, str]:
    """The hidden fields of the form in which that stands."""
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.S) if within in form)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def _poll(folder: Path, voters: int) -> None:
    """A poll of two stations whose roll is frozen, and their packages."""
    (folder / "poll").mkdir()
    (folder / "poll/poll.yaml").write_text(YAML, encoding="utf-8")
    (folder / "poll/stations.csv").write_text(f"id,area,eligible\nP-1,A,{voters}\nP-2,A,{voters}\n", encoding="utf-8")
    command = [sys.executable, "-c", SETUP]
    subprocess.run(command, cwd=folder, env=_environment(folder), check=True, capture_output=True)


def _environment(folder: Path) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DAUYS_")}
    return plain | {"DAUYS_HOME": str(folder / ".dauys"), "PYTHONUNBUFFERED": "1"}


@contextmanager
def _serving(folder: Path, *args: str) -> Iterator[str]:
    """A `dauys` command that serves; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dauys", *args, "--json"],
        cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield str(json.loads(process.stdout.readline())["site"])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        process.stdout.close()


def _enrolled(folder: Path, station: str, centre: str) -> list[Voter]:
    """A station with PINs for its chair and a member; its list."""
    code = (folder / f"packages/{station}.code").read_text(encoding="utf-8").strip()
    keep = enrol(folder / f"packages/{station}.package", code, folder / station, centre)
    morning = datetime.fromisoformat(CLOCK)
    connect(keep, lambda: morning).tell()
    door = Door(keep, lambda: morning)
    for officer in ("chair", "member1"):
        door.choose(door.sign_in(officer, door.first_pin(officer)), PIN, PIN)
    keep.close()
    return list(keep.package.voters)


def _client(stack: ExitStack, site: str, officer: str) -> httpx.Client:
    client = stack.enter_context(httpx.Client(base_url=f"{site}/en", timeout=20))
    assert client.post("/in", data={"officer": officer, "pin": PIN}).status_code == 303
    return client
