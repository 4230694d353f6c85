"""Two stations and their centre in one town, for tests of voters who stand at the other one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from pollbook_sample import who
from station_tablet import Tablet
from station_world import ADDRESS, Clock, FakeCentre, enrolled, iin, person, station_of

from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.channels import Channels
from dauys.pollbook.station.visit import Station


@dataclass
class Town:
    """Two stations and their centre."""

    centre: FakeCentre
    clock: Clock
    here: Station
    there: Station

    def sync(self, *stations: Station) -> None:
        for station in stations:
            while station.syncing.link.once():
                continue


def town_of(folder: Path, channels: Channels | None = None) -> Town:
    folder.mkdir(exist_ok=True)
    centre, clock = (
        FakeCentre({"1": [person(n) for n in range(1, 4)], "2": [person(n) for n in range(101, 104)]}, channels),
        Clock(),
    )
    here, there = (station_of(enrolled(centre, folder, name), centre, clock) for name in "12")
    for station in (here, there):
        Tablet(station, "c1").post("/day", what="open")
    town = Town(centre, clock, here, there)
    town.sync(here, there)
    return town


def next_machine(town: Town, folder: Path) -> Station:
    """The machine of the station here is lost, and this is the next: all voters of its list are with the one before it."""
    lost = town.here.keep.log
    town.centre.centre = custody.declare_lost(town.centre.centre, lost)
    town.centre.lists = {"1": [replace(line, away=lost.holder) for line in town.centre.lists["1"]]}
    (folder / "next").mkdir()
    file, code = town.centre.package(folder / "next", "1", 2)
    station = station_of(enrol(file, code, folder / "next" / "1", ADDRESS), town.centre, town.clock)
    town.sync(station)
    return station


def asked(town: Town, tablet: Tablet, number: int, typed: str = "") -> str:
    """Asks for the right of a voter of another station; the path on which he waits."""
    page = tablet.post("/elsewhere", iin=typed or iin(number)).text
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.S) if "elsewhere/ask" in form)
    sent = tablet.client.post(
        "/en/elsewhere/ask", data=dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    )
    assert sent.headers["location"] == f"/en/waiting/{who(number)}", sent.text
    return f"/waiting/{who(number)}"
