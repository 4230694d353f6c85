"""Does the station know what its newest print shows, and press for a new one before somebody gets a second ballot by an old one?"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pollbook_sample import who
from station_tablet import Tablet
from station_town import Town
from station_world import Clock

from dauys.page_forms import LANGUAGES
from dauys.pollbook.machine.enrolling import open_station
from dauys.pollbook.station.app import create_app
from dauys.pollbook.station.paper import newest, only_here
from dauys.pollbook.station.visit import Station
from dauys.web.render import language, render
from site_client import SiteClient

pytestmark = pytest.mark.usefixtures("cheap_pins")

PRESSES = {"en": "is on no print could", "kk": "алғаны басылған тізімде жоқ", "ru": "чьей выдачи нет в распечатке"}


def pressed(station: Station, lang: str = "en") -> bool:
    page = Tablet(station, "m1", lang).get("").text
    assert (PRESSES[lang] in page) == ('role="alert"' in page)
    return PRESSES[lang] in page


def by_the_command(station: Station) -> httpx.Response:
    """What `dauys station print` asks for."""
    client = SiteClient(create_app(station, render, language), base_url="http://station")
    return client.get("/en/paper", headers={"authorization": f"Bearer {station.paper_token}"})


def test_looking_at_the_list_is_no_print(station: Station, clock: Clock) -> None:
    tablet, other = Tablet(station, "m1"), Tablet(station, "c1", "ru")
    clock.now += timedelta(minutes=61)
    page = tablet.get("/list").text
    assert newest(station.keep) is None and "Print this list" in page and "data-print-now" not in page
    assert "The list has not been printed yet." in tablet.get("").text
    page = tablet.post("/list", **tablet.fields("/list", "/list")).text
    assert "data-print-now" in page and "Print this list" not in page and page.count("<tr") == 41
    assert "Print it now" not in tablet.get("").text
    clock.now += timedelta(minutes=61)
    other.get("/list")
    assert "The list was last printed at 11:33." in tablet.get("").text, "somebody looked, and that silenced the page"


def test_the_command_prints(station: Station) -> None:
    station.paper_token = "t" * 20
    page = by_the_command(station)
    assert page.status_code == 200 and "<form" not in page.text
    was = newest(station.keep)
    assert was is not None and was.n == station.keep.book.head.n


def test_with_the_wire_cut_the_page_presses_for_a_print_of_what_is_not_sent(town: Town) -> None:
    """Printed at 10:32, the wire cut, a ballot handed out: by that print its voter would get a second one."""
    here, tablet = town.here, Tablet(town.here, "m1")
    tablet.post("/list")
    assert tablet.hand_out(1).status_code == 303
    assert not pressed(here), "the centre answers: it hears in a moment"
    town.centre.cut = True
    town.sync(here)
    for lang in LANGUAGES:
        assert pressed(here, lang)
        assert re.search(
            rf'role="alert".*?class="button" href="/{lang}/list"', Tablet(here, "m1", lang).get("").text, re.S
        )
    tablet.get("/list")
    assert pressed(here), "looking is no print"
    tablet.post("/list")
    assert not pressed(here), "he stands on the print"
    tablet.hand_out(2)
    assert pressed(here)
    tablet.post("/undo", n=str(here.keep.book.used_by[who(2)]), reason="wrong person picked")
    assert not pressed(here), "his ballot is back"
    tablet.hand_out(3)
    assert pressed(here)
    town.centre.cut = False
    town.sync(here)
    assert not pressed(here) and only_here(here.keep) == 0, "the centre has him: it says whom to strike"


def test_without_any_print_it_presses_at_once(town: Town) -> None:
    town.centre.cut = True
    Tablet(town.here, "m1").hand_out(1)
    town.sync(town.here)
    assert pressed(town.here)
    town.clock.now += timedelta(hours=12)
    assert Tablet(town.here, "c1").post("/day", what="close", sure="yes").status_code == 303
    assert not pressed(town.here), "nobody goes on by hand any more"


def test_what_the_print_showed_outlives_the_program(town: Town, tmp_path: Path) -> None:
    Tablet(town.here, "m1").hand_out(1)
    Tablet(town.here, "m1").post("/list")
    was = newest(town.here.keep)
    assert was is not None and was.n == town.here.keep.book.head.n
    town.here.keep.close()
    again = open_station(tmp_path / "1")
    assert newest(again) == was and only_here(again) == 0
    town.here.keep = again
