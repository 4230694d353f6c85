"""What does a station not do by a slip: open unknown to the centre, close too early, keep a stranger's session, speak English?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pollbook_sample import MORNING, all_on, who
from station_tablet import Tablet
from station_world import PIN, Clock, FakeCentre, enrolled, person, station_of

from dauys.law.system import load_system
from dauys.page_forms import LANGUAGES
from dauys.pollbook.rules.channels import channels_on
from dauys.pollbook.rules.custody import Known
from dauys.pollbook.station import door as station_door
from dauys.pollbook.station.visit import Station

ENGLISH = re.compile(r'lang="en">(?!English)[^<]*')


@pytest.fixture(autouse=True, scope="module")
def cheap_pins() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(station_door, "COST", 1 << 4)
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def centre() -> FakeCentre:
    return FakeCentre({"1": [person(n) for n in range(1, 5)]}, all_on(early="the law knows none", envelope="none"))


def made(centre: FakeCentre, folder: Path, clock: Clock, tell: bool = True) -> Station:
    return station_of(enrolled(centre, folder, "1", tell), centre, clock)


@pytest.fixture
def station(centre: FakeCentre, tmp_path: Path, clock: Clock) -> Iterator[Station]:
    one = made(centre, tmp_path, clock)
    yield one
    one.keep.close()


@pytest.mark.parametrize("number", ["P.004", "P.019", "P.106"])
def test_a_station_that_is_stopped_has_one_page_that_says_so(
    centre: FakeCentre, tmp_path: Path, clock: Clock, number: str
) -> None:
    station = made(centre, tmp_path, clock, tell=number != "P.019")
    if number == "P.019":  # its package was made again
        centre.package(tmp_path, "1")
    elif number == "P.004":
        centre.centre = replace(centre.centre, logs={station.keep.log: Known(bytes(32))})
    else:
        centre.stopped = "two histories: event 2 was another one before"
    station.syncing.link.once()
    shown = "P.041" if number == "P.106" else number
    for lang in LANGUAGES:
        tablet = Tablet(station, "m1", lang)
        for path in ("", "/elsewhere", f"/voter/{who(1)}", "/ballots"):
            page = tablet.get(path).text
            assert f'class="badge">{shown}<' in page and page.count("<h1") == 1 and "hand-out" not in page
            assert lang == "en" or not re.search(r"Keep this machine|does not take", page)
        session = station.door.session(next(iter(tablet.client.cookies.values())))
        assert session is not None
        form = {"mark": session.mark, "who": str(who(1)), "salt": "0" * 20}
        assert tablet.client.post(f"/{lang}/hand-out", data=form).status_code == 409
        assert tablet.get("/list").status_code == 200, "what was noted there is still shown, to go on by hand"
    assert not station.keep.book.check_ins
    station.keep.close()


def test_where_no_law_is_loaded_the_reason_is_said_in_words(tmp_path: Path, clock: Clock) -> None:
    """By the station's own rules (the mobile box) and by the centre's answer (voting at any station); no rule's name is shown."""
    unread = channels_on(load_system("kz").rules(date(2021, 6, 5)), "referendum", "Asia/Almaty").rulings
    channels = all_on()
    channels = replace(
        channels, rulings={**channels.rulings, **{name: unread[name] for name in ("mobile", "any-station")}}
    )
    centre = FakeCentre({"1": [person(1)], "2": [person(101)]}, channels)
    station = made(centre, tmp_path, clock)
    said = {"en": "the law of that day is not loaded here", "kk": "Сол күнгі заң", "ru": "закон этого дня"}
    names = {
        "en": ("with the mobile box", "at any station"),
        "kk": ("жылжымалы", "кез келген"),
        "ru": ("переносн", "на любом"),
    }
    for lang in LANGUAGES:
        tablet = Tablet(station, "m1", lang)
        pages = (tablet.post("/mobile", who=str(who(1))).text, tablet.post("/elsewhere", iin=person(101).iin).text)
        for page, name in zip(pages, names[lang], strict=True):
            text = re.sub(r"<[^>]*>", " ", page[page.index("<main") : page.index("</main")])
            assert "P.026" in text and said[lang].lower() in text.lower() and name in text.lower()
            assert not re.search(r"referendum\.|election\.|any-station|not-loaded", text)
            assert lang == "en" or "law of 2021" not in text
    station.keep.close()


def test_what_somebody_on_the_wire_says_is_not_shown_as_the_centres_word(
    centre: FakeCentre, tmp_path: Path, clock: Clock
) -> None:
    station = made(centre, tmp_path, clock)
    Tablet(station, "c1").post("/day", what="open")
    centre.key = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    titles = {"en": "Not the centre&#39;s reply", "kk": "Жауап орталықтікі емес", "ru": "Ответ не от центра"}
    for lang in LANGUAGES:
        page = Tablet(station, "m1", lang).post("/elsewhere", iin=person(9).iin)
        assert page.status_code == 422 and titles[lang] in page.text and "P.008" in page.text
        assert "not on the roll" not in page.text and "elsewhere/ask" not in page.text
    station.keep.close()


def test_a_station_that_the_centre_does_not_know_says_so_and_does_nothing(
    centre: FakeCentre, tmp_path: Path, clock: Clock
) -> None:
    station = made(centre, tmp_path, clock, tell=False)
    said = {"en": "cannot be opened before it does", "kk": "учаске ашылмайды", "ru": "участок не открыть"}
    centre.cut = True
    station.syncing.link.once()
    for lang in LANGUAGES:
        chair = Tablet(station, "c1", lang)
        page = chair.get("/day").text
        assert said[lang] in page and 'value="open"' not in page
        refused = chair.post("/day", what="open")
        assert refused.status_code == 409 and "P.018" in refused.text
    assert station.keep.book.head.n == 0
    centre.cut = False
    station.syncing.link.once()
    chair = Tablet(station, "c1")
    assert chair.post("/day", what="open").status_code == 303 and said["en"] not in chair.get("/day").text
    centre.cut = True
    assert Tablet(station, "m1").hand_out(1).status_code == 303
    station.keep.close()


def test_a_machine_with_a_void_package_says_in_three_languages_what_to_do(
    centre: FakeCentre, tmp_path: Path, clock: Clock
) -> None:
    station = made(centre, tmp_path, clock, tell=False)
    centre.package(tmp_path, "1")
    station.syncing.link.once()
    for lang, text in (("en", "in an empty folder"), ("kk", "бос қапшықта"), ("ru", "в пустой папке")):
        chair = Tablet(station, "c1", lang)
        page = chair.get("/day").text
        assert text in page and "P.019" in page and 'value="open"' not in page
    assert not station.keep.book.opened
    station.keep.close()


def test_a_chosen_pin_ends_every_other_session_of_its_officer(station: Station, clock: Clock) -> None:
    first = station.door.first_pin("m1")
    seen, own = (station.door.sign_in("m1", first) for _ in range(2))
    other = station.door.sign_in("m2", PIN)
    station.door.choose(own, "739152", "739152")
    assert station.door.session(seen.token) is None
    assert station.door.session(own.token) is own and station.door.session(other.token) is other
    again = station_door.Door(station.keep, clock)
    assert again.session(seen.token) is None and again.session(own.token) is not None, "also after a restart"
    left_open = station.door.sign_in("m1", "739152")
    station.door.choose(own, "482915", "482915", "739152")
    assert station.door.session(left_open.token) is None


def test_changing_a_pin_needs_the_present_one(station: Station) -> None:
    tablet = Tablet(station, "m1")
    assert 'name="present"' in tablet.get("/pin").text
    for present in ("", "000000"):
        said = tablet.post("/pin", pin="482915", again="482915", present=present)
        assert said.status_code == 401 and "P.043" in said.text
    assert station.door.sign_in("m1", PIN)
    for _ in range(station_door.TRIES):
        tablet.post("/pin", pin="482915", again="482915", present="000000")
    assert tablet.post("/pin", pin="482915", again="482915", present=PIN).status_code == 429, (
        "it is guessed no faster here"
    )
    page = Tablet(station)
    first = station.door.first_pin("m2")
    page.client.post("/en/in", data={"officer": "m2", "pin": first})
    assert 'name="present"' not in page.get("/pin").text


def test_only_an_open_station_has_the_button_that_hands_out(station: Station, clock: Clock) -> None:
    tablet, chair, page = Tablet(station, "m1"), Tablet(station, "c1"), f"/voter/{who(1)}"
    before = tablet.get(page).text
    assert "/hand-out" not in before and "The station is not open yet." in before
    chair.post("/day", what="open")
    assert "/hand-out" in tablet.get(page).text
    clock.now += timedelta(hours=14)
    assert Tablet(station, "c1").post("/day", what="close", sure="yes").status_code == 303
    after = Tablet(station, "m1").get(page).text
    assert "/hand-out" not in after and "Nobody is checked in any more." in after


def test_the_list_is_closed_neither_early_nor_unopened(station: Station, clock: Clock) -> None:
    keep = station.keep
    keep.book.package = replace(keep.package, closes="20:00")
    clock.now = MORNING - timedelta(days=1)
    eve = Tablet(station, "c1")
    assert "P.039" in eve.post("/day", what="close", sure="yes").text
    assert "P.033" in eve.post("/day", what="open").text and not keep.book.opened
    clock.now = MORNING
    chair = Tablet(station, "c1")
    assert chair.post("/day", what="open").status_code == 303
    for lang in LANGUAGES:
        said = Tablet(station, "c1", lang).post("/day", what="close", sure="yes")
        assert said.status_code == 409 and "P.039" in said.text and "20:00" in said.text and "art. 1" in said.text
    clock.now = MORNING.replace(hour=20, minute=0)
    assert chair.post("/day", what="close", sure="yes").status_code == 303 and keep.book.closed


def test_a_station_that_never_opened_is_closed_after_the_day_alone(station: Station, clock: Clock) -> None:
    """So that what is left on its list can be settled, and no slip on the day takes it from its voters."""
    station.keep.book.package = replace(station.keep.package, closes="20:00")
    clock.now = MORNING.replace(hour=21)
    assert "P.024" in Tablet(station, "c1").post("/day", what="close", sure="yes").text
    clock.now = MORNING + timedelta(days=1)
    chair = Tablet(station, "c1")
    assert "P.033" in chair.post("/day", what="open").text
    assert chair.post("/day", what="close", sure="yes").status_code == 303


def test_early_voting_opens_on_its_days_where_it_is_on(tmp_path: Path, clock: Clock) -> None:
    centre = FakeCentre({"1": [person(1)]}, all_on())
    clock.now = MORNING - timedelta(days=2)
    station = made(centre, tmp_path, clock)
    assert Tablet(station, "c1").post("/day", what="open").status_code == 303
    station.keep.close()


@pytest.mark.parametrize("lang", ("kk", "ru"))
def test_refusals_are_not_english(station: Station, clock: Clock, lang: str) -> None:
    """Each with its number, the words of the catalogue, and what there is to know beside them."""
    chair, tablet = Tablet(station, "c1", lang), Tablet(station, "m1", lang)
    chair.post("/day", what="open")
    clock.now = MORNING + timedelta(hours=3)
    tap = {"who": str(who(1)), "salt": "1" * 20}
    found = {
        "P.026": tablet.post("/hand-out", **tap, channel="early"),
        "P.027": tablet.post("/mobile", who=str(who(1))),
        "P.028": chair.post("/hand-out", **tap),
        "P.029": tablet.post("/day", what="close", sure="yes"),
        "P.030": tablet.post("/hand-out", **tap, channel="mobile"),
        "P.045": tablet.post("/pin", pin="111111", again="111111"),
        "P.047": chair.post("/ballots", what="delivered", count="x", seen="0"),
        "P.048": tablet.post("/elsewhere", iin="12"),
    }
    knows = {"P.026": ("заң оны білмейді", "закон этого не знает"), "P.027": ("12:00", "12:00"),
             "P.045": ("алты цифр", "Шесть цифр"), "P.047": ("1 000 000", "1 000 000")}  # fmt: skip
    for check, page in found.items():
        text = page.text[page.text.index("<main") : page.text.index("</main")]
        assert page.status_code >= 400 and check in text, (check, text)
        assert [left for left in ENGLISH.findall(text) if "art. " not in left] == [], text
        assert not re.search(r">[^<]*[a-z]{3,} [a-z]{3,} [a-z]{2,}", text.replace("art. ", "")), text
        if check in knows:
            assert knows[check][("kk", "ru").index(lang)] in text
    assert "art. 9" in found["P.026"].text and "art. 2" in found["P.027"].text
