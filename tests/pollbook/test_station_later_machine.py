"""Does a station's later machine raise no alarm against a commission that counted rightly? It knows its own part alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from station_tablet import Tablet
from station_town import Town, asked, next_machine

from dauys.page_forms import LANGUAGES
from dauys.pollbook.station.visit import Station

pytestmark = pytest.mark.usefixtures("cheap_pins")

NOTICE = {"en": "An earlier machine of this station", "kk": "бұрынғы машинасы да", "ru": "прежняя машина этого участка"}
OWN_COUNT = {"en": "the commission counted itself", "kk": "комиссия өзі санағанын", "ru": "комиссия сосчитала сама"}
TRUE = {"eligible": "4", "received": "2", "delivered": "100", "cancelled": "98", "participated": "2"}


def noted(tablet: Tablet, what: str, count: int, member: str = "") -> None:
    seen = tablet.fields("/ballots", "/ballots")["seen"]
    assert tablet.post("/ballots", what=what, count=str(count), member=member, seen=seen).status_code == 303


@pytest.fixture
def second(town: Town, tmp_path: Path) -> Iterator[Station]:
    """The station lost its first machine, which had handed out one ballot; the second handed out one, and is closed."""
    chair, member = Tablet(town.here, "c1"), Tablet(town.here, "m1")
    noted(chair, "delivered", 100)
    noted(chair, "handed-to-member", 10, "m1")
    assert member.hand_out(1).status_code == 303
    station = next_machine(town, tmp_path)
    chair, member = Tablet(station, "c1"), Tablet(station, "m1")
    chair.post("/day", what="open")
    waits = asked(town, member, 101)
    town.sync(station, town.there, station)
    assert member.get(waits).status_code == 303 and member.hand_out(101).status_code == 303
    noted(member, "returned", 8, "m1")
    chair.post("/day", what="close", sure="yes")
    noted(chair, "cancelled", 98)
    yield station
    station.keep.close()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_protocol_of_the_whole_station_is_not_held_against_one_machine(second: Station, lang: str) -> None:
    chair = Tablet(second, "c1", lang)
    for page in (chair.get("/protocol").text, chair.post("/protocol", **TRUE).text):
        assert NOTICE[lang] in page and OWN_COUNT[lang] in page
        assert "<input" not in page.partition("<main")[2].partition("</main>")[0], "nothing to fill in or to compare"
        assert not re.findall(r'class="badge">B\.', page) and 'class="answer' not in page


def test_what_the_machine_knows_for_itself_is_shown(second: Station) -> None:
    chair = Tablet(second, "c1")
    page = chair.get("/protocol").text
    assert "What this machine noted" in page and "<dt>Voters who received ballots</dt><dd>1</dd>" in page
    for path in ("/protocol", "/ballots"):
        row = re.findall(r'<th scope="row">Dana \(m1\)</th>(.*?)</tr>', chair.get(path).text)[0]
        assert re.findall(r"<td.*?>(.*?)</td>", row) == ["—", "1", "0", "8", "0"] and "bad" not in row


def test_at_the_first_machine_the_protocol_is_compared(town: Town) -> None:
    chair = Tablet(town.here, "c1")
    page = chair.get("/protocol").text
    assert NOTICE["en"] not in page and re.search(r'name="eligible"[^>]* value="3"', page)
    assert "B.101" in chair.post("/protocol", **TRUE).text
