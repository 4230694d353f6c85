"""Does an officer read who holds a right that is not here, where its voter votes, and why it does not come?"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from pollbook_sample import MORNING, who
from station_tablet import Tablet
from station_town import Town, asked, next_machine
from station_world import iin

from dauys.page_forms import LANGUAGES
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.custody import Place, Standing
from dauys.pollbook.rules.holders import CERTIFICATE, WITHDRAWN
from dauys.pollbook.station.visit import Station

pytestmark = pytest.mark.usefixtures("cheap_pins")

THERE = {"en": "votes there", "kk": "сонда дауыс береді", "ru": "голосует там. "}
BY_HAND = {"en": "votes here by hand", "kk": "қағаз бойынша", "ru": "по бумаге"}


def certified(town: Town) -> Tablet:
    """The voter 2 of this station got a certificate the day before."""
    town.clock.now = MORNING - timedelta(days=1)
    assert Tablet(town.here, "m1").post("/certificate", who=str(who(2)), number="A 17").status_code == 303
    town.sync(town.here)
    town.clock.now = MORNING
    return Tablet(town.here, "m1")


def taken_back(tablet: Tablet) -> str:
    sent = tablet.post("/certificate-back", who=str(who(2)), reason="wrong person picked")
    assert sent.headers["location"] == f"/en/waiting/{who(2)}"
    return f"/waiting/{who(2)}"


def shown_there(town: Town, *, used: bool) -> None:
    """He shows the certificate at the other station."""
    tablet = Tablet(town.there, "m1")
    asked(town, tablet, 2)
    town.sync(town.there)
    if used:
        assert tablet.hand_out(2).status_code == 303
        town.sync(town.there)


def test_a_certificate_that_was_used_elsewhere_is_not_waited_for(town: Town) -> None:
    tablet = certified(town)
    shown_there(town, used=True)
    page = tablet.get(taken_back(tablet)).text
    assert "This voter has already received a ballot: No. 2 (town 2)." in page and "Hand out no second ballot." in page
    assert "asked for at" not in page and "envelope" not in page and "refresh" not in page
    assert f"/waiting/{who(2)}" not in tablet.get("").text
    town.clock.now += timedelta(minutes=2)
    assert "envelope" not in tablet.get(f"/waiting/{who(2)}").text


def test_taken_back_while_the_wire_was_cut_it_is_asked_as_soon_as_the_centre_has_heard(town: Town) -> None:
    tablet = certified(town)
    shown_there(town, used=True)
    town.centre.cut = True
    town.sync(town.here)
    waits = taken_back(tablet)
    assert "Hand out nothing yet" in tablet.get(waits).text
    town.centre.cut = False
    assert "already received" not in tablet.get(waits).text, "the page asks while nothing is sent"
    town.sync(town.here)
    assert "This voter has already received a ballot: No. 2 (town 2)." in tablet.get(waits).text


def test_a_certificate_that_was_shown_elsewhere_and_not_used_is_told_so(town: Town) -> None:
    tablet = certified(town)
    shown_there(town, used=False)
    page = tablet.get(taken_back(tablet)).text
    assert "The right went to another station meanwhile." in page and "envelope" not in page


def test_a_certificate_that_was_shown_nowhere_comes_back_whatever_is_tapped_again(town: Town) -> None:
    tablet = certified(town)
    waits = taken_back(tablet)
    page = tablet.get(waits).text
    assert "Hand out nothing yet" in page and "refresh" in page
    town.sync(town.here)
    assert tablet.get(waits).headers["location"] == f"/en/voter/{who(2)}"
    again = tablet.post("/certificate-back", who=str(who(2)), reason="wrong person picked")
    assert again.headers["location"] == f"/en/voter/{who(2)}"
    never = tablet.post("/certificate-back", who=str(who(1)), reason="wrong person picked")
    assert never.status_code == 409 and "P.080" in never.text


def test_who_waits_for_a_machine_that_was_declared_lost_meanwhile_is_told_so(town: Town) -> None:
    tablet = Tablet(town.here, "m1")
    waits = asked(town, tablet, 101)
    town.centre.centre = custody.declare_lost(town.centre.centre, town.there.keep.log)
    town.sync(town.here)
    assert "Hand out nothing yet" in tablet.get(waits).text
    town.clock.now += timedelta(seconds=50)
    page = tablet.get(waits).text
    assert "Perhaps used on the lost machine" in page and "does not answer" not in page
    assert f"{waits}/envelope" in page and "/call-off" in page and "refresh" in page
    questions = town.centre.heard.count("/api/pollbook/question")
    tablet.get(waits)
    assert town.centre.heard.count("/api/pollbook/question") == questions, "every two seconds is too often"
    town.centre.cut = True
    town.sync(town.here)
    assert "does not answer" in tablet.get(waits).text


def test_a_silent_station_is_asked_about_and_its_voter_waits_on(town: Town) -> None:
    tablet = Tablet(town.here, "m1")
    waits = asked(town, tablet, 102)
    town.clock.now += timedelta(seconds=50)
    assert "The other station does not answer" in tablet.get(waits).text
    Tablet(town.there, "m1").hand_out(102)
    town.sync(town.there)
    town.clock.now += timedelta(seconds=50)
    assert "This voter has already received a ballot: No. 2 (town 2)." in tablet.get(waits).text


def held(town: Town, holder: str) -> Station:
    """The station, whose voter 3 is held by somebody else."""
    town.here.keep.book.places[who(3)] = Place(Standing.AWAY, 0)
    town.here.keep.book.went[who(3)] = holder
    return town.here


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (WITHDRAWN, {"en": "Call the centre.", "kk": "Орталыққа хабарласыңыз.", "ru": "Позвоните в центр."}),
        (CERTIFICATE, {"en": "where he shows the certificate", "kk": "көрсеткен жерде", "ru": "где предъявит"}),
        ("envelope/2/1", {"en": "no second ballot", "kk": "Екінші бюллетень бермеңіз", "ru": "Второй бюллетень"}),
        ("remote/1", THERE),
    ],
)
def test_where_he_votes_is_said_by_who_holds_the_right(
    town: Town, lang: str, holder: str, said: dict[str, str]
) -> None:
    page = Tablet(held(town, holder), "m1", lang).get(f"/voter/{who(3)}").text
    assert said[lang] in page and (THERE[lang] in page) == (said is THERE)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_at_the_next_machine_of_a_station_the_lost_ones_voters_vote_by_hand(
    town: Town, tmp_path: Path, lang: str
) -> None:
    station = next_machine(town, tmp_path)
    tablet, by_hand = Tablet(station, "m1", lang), BY_HAND[lang]
    page = tablet.get(f"/voter/{who(3)}").text
    assert by_hand in page and THERE[lang] not in page and "elsewhere/ask" not in page
    assert not re.search(r"answer no.*№ 1|answer no.*No\. 1", page), "he stands in that very station"
    page = tablet.post("/elsewhere", iin=iin(3)).text
    assert "P.034" in page and by_hand in page
    town.centre.cut = True
    town.sync(station)
    assert by_hand in tablet.post("/elsewhere", iin=iin(3)).text
    station.keep.close()
