"""Do the officers read an article in the language of the page, and a poll's own citation as it was written?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from pollbook_sample import POLL, all_on
from station_tablet import Tablet
from station_world import Clock, FakeCentre, enrolled, station_of

from dauys.law.citation_words import said
from dauys.law.system import load_system
from dauys.pollbook.rules.channels import CALLING_ACT, Ruling, channels_on
from dauys.pollbook.station.visit import Station
from dauys.web import render

LAW = channels_on(load_system("kz").rules(date(2022, 6, 5)), "referendum", "Asia/Almaty").rulings


@pytest.fixture
def station(cheap_pins: None, tmp_path: Path, centre: FakeCentre, clock: Clock) -> Iterator[Station]:
    channels = all_on()
    rulings = {name: replace(one, cite=LAW[name].cite) for name, one in channels.rulings.items()}
    rulings |= {"early": Ruling("off", "Pilot decision 3", pilot=True), "polling-day": Ruling("on", CALLING_ACT)}
    fresh = FakeCentre(centre.lists, replace(channels, rulings=rulings))
    made = station_of(enrolled(fresh, tmp_path, "1"), fresh, clock)
    yield made
    made.keep.close()


def test_the_ways_to_vote_name_their_articles(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    def here(cite: str, lang: str, pack: str) -> tuple[tuple[str, str], ...]:
        assert pack == POLL.partition("/")[0], "the law is that of the pack that the poll's id begins with"
        return said(cite, lang, "kz")

    monkeypatch.setattr(render, "said", here)
    pages = {lang: Tablet(station, "c1", lang).get("/day").text for lang in ("kk", "ru", "en")}
    assert "статьи 37–46 Конституционного закона «О выборах" in pages["ru"] and "акт о назначении" in pages["ru"]
    assert "37–46-баптары" in pages["kk"] and "тағайындайтын акт" in pages["kk"]
    assert "Elections law 37 to 46, by Referendum law 9, 30(2)" in pages["en"] and CALLING_ACT in pages["en"]
    for lang in ("kk", "ru"):
        english = re.findall(r'<span lang="en">([^<]*)</span>', pages[lang])
        assert english == ["Pilot decision 3"] and "law" not in pages[lang].partition("<main")[2]


def test_no_page_shows_a_citation_without_its_words() -> None:
    found = [
        (file.name, bare)
        for room in ("pollbook", "roll")
        for file in sorted(Path(str(resources.files(f"dauys.{room}") / "templates")).rglob("*.html"))
        for bare in re.findall(r"\{\{ ?[\w.]*cite ?\}\}", file.read_text("utf-8"))
    ]
    assert found == []
