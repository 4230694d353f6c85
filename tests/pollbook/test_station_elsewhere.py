"""Does a voter of another station get his right by release and grant alone, and a clear answer where it cannot come?"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pollbook_sample import all_on, who
from station_tablet import Tablet
from station_town import Town, asked, town_of
from station_world import iin, person

from dauys.pollbook.machine.sync import CentreRefused
from dauys.pollbook.rules.custody import Custody, State, put

pytestmark = pytest.mark.usefixtures("cheap_pins")


def test_the_right_comes_when_its_station_lets_it_go(town: Town) -> None:
    tablet = Tablet(town.here, "m1")
    waits = asked(town, tablet, 101)
    page = tablet.get(waits).text
    assert '<meta http-equiv="refresh" content="2">' in page and "It is held by No. 2" in page
    assert tablet.get("").text.count(f"/waiting/{who(101)}") == 1
    town.sync(town.here)
    assert tablet.get(waits).status_code == 200, "it came before it was let go"
    town.sync(town.there, town.here)
    assert tablet.get(waits).headers["location"] == f"/en/voter/{who(101)}"
    assert tablet.hand_out(101).status_code == 303
    at_home = Tablet(town.there, "m1")
    assert "held by No. 1" in at_home.get(f"/voter/{who(101)}").text
    assert at_home.post("/hand-out", who=str(who(101)), salt="3" * 20, channel="polling-day").status_code == 409
    town.sync(town.here, town.there)
    assert not town.centre.centre.alarms and len(town.centre.centre.uses[who(101)]) == 1


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "provisional envelope"), ("ru", "временный конверт"), ("kk", "уақытша конверт")]
)
def test_a_right_that_an_envelope_used_is_where_that_lies(town: Town, lang: str, said: str) -> None:
    """Its own officers hear where, and hand out nothing."""
    town.centre.centre = put(
        town.centre.centre, who(102), Custody(f"envelope/{town.there.keep.log.station}/1", 1, State.USED, 3)
    )
    page = Tablet(town.here, "m1", lang).post("/elsewhere", iin=iin(102)).text
    assert said in page and "answer no" in page


def test_a_right_that_was_used_meanwhile_does_not_come(town: Town) -> None:
    tablet = Tablet(town.here, "m1")
    waits = asked(town, tablet, 102)
    assert Tablet(town.there, "m1").hand_out(102).status_code == 303
    town.sync(town.here, town.there, town.here, town.there)
    assert tablet.get(waits).status_code == 200
    assert "already received a ballot" in tablet.post("/elsewhere", iin=iin(102)).text
    assert not town.centre.centre.alarms


def test_a_silent_station_keeps_the_right_and_an_envelope_may_be_left(town: Town) -> None:
    tablet = Tablet(town.here, "m1")
    waits = asked(town, tablet, 103)
    town.clock.now += timedelta(seconds=50)
    page = tablet.get(waits).text
    assert "The other station does not answer" in page and 'action="/en/envelope"' not in page
    page = tablet.get(f"{waits}/envelope").text
    assert "refresh" not in page, "what is typed there is not lost"
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page[page.index('action="/en/envelope"') :]))
    taken = [tablet.client.post("/en/envelope", data={**fields, "reason": "no answer"}) for _ in range(2)]
    assert [one.status_code for one in taken] == [200, 200] and len(town.here.keep.book.envelopes) == 1
    assert town.here.keep.book.envelopes[0].entitlement == who(103)
    assert fields["id"][:8].upper() in taken[0].text
    row = re.findall(r'<th scope="row">Dana \(m1\)</th>(.*?)</tr>', Tablet(town.here, "c1").get("/ballots").text)[0]
    assert re.findall(r">(−?\d+)<", row)[1] == "1", "the ballot in the envelope is one that she handed out"
    chair = Tablet(town.here, "c1")
    page = chair.get(f"{waits}/envelope").text
    assert "Ballots are handed out by" in page and 'action="/en/envelope"' not in page
    assert "P.028" in chair.post("/envelope", id=str(who(7)), who=str(who(102)), reason="no answer").text


def test_with_the_wire_cut_the_page_says_what_to_do(town: Town) -> None:
    tablet = Tablet(town.here, "m1")
    town.centre.cut = True
    town.sync(town.here)
    page = tablet.post("/elsewhere", iin=iin(101)).text
    assert "The centre cannot be reached now." in page and "his own station" in page
    assert "No connection with the centre since 10:32. You may go on" in page
    assert tablet.hand_out(1).status_code == 303, "its own voters need no wire"
    assert "1 waiting to be sent" in tablet.get("").text
    own = tablet.post("/elsewhere", iin=iin(2))
    assert own.headers["location"] == f"/en/voter/{who(2)}"


def test_where_the_law_does_not_let_him_the_article_is_said(tmp_path: Path) -> None:
    town = town_of(tmp_path, all_on(any_station="the law knows none", envelope="none"))
    tablet = Tablet(town.here, "m1")
    page = tablet.post("/elsewhere", iin=iin(101)).text
    assert "This voter votes elsewhere: No. 2 (town 2)." in page and "art. 9" in page and "P.026" in page
    on = "Other ways that are on in this poll: with an absentee certificate, with the mobile box"
    assert all(on in shown and "provisional envelope" not in shown for shown in (page, tablet.get("/elsewhere").text))
    assert "elsewhere/ask" not in page
    assert tablet.post("/elsewhere", iin=iin(101)[:-1] + str((int(iin(101)[-1]) + 1) % 10)).status_code == 422
    sent = tablet.post("/elsewhere/ask", who=str(who(101)), request="0" * 8 + "-0000-0000-0000-" + "0" * 12)
    assert sent.status_code == 403 and "P.046" in sent.text
    assert tablet.post("/envelope", id=str(who(5)), reason="x").status_code == 409


@pytest.mark.parametrize("officer", ["c1", "m1"])
def test_somebody_on_no_list_is_sent_to_the_commission_and_then_gets_his_ballot(town: Town, officer: str) -> None:
    tablet, new = Tablet(town.here, officer), iin(500)
    page = tablet.post("/elsewhere", iin=new).text
    assert "not on the roll" in page and "Call the centre" in page and "http://centre.test/en/roll" in page
    assert "/add" not in page and tablet.get("/add").status_code == 404
    town.centre.add("1", person(500, entitlement=who(900)))
    assert tablet.post("/elsewhere", iin=new).headers["location"] == f"/en/waiting/{who(900)}"
    assert "It is held by the centre." in tablet.get(f"/waiting/{who(900)}").text
    town.sync(town.here)
    assert tablet.get(f"/waiting/{who(900)}").headers["location"] == f"/en/voter/{who(900)}"
    assert Tablet(town.here, "m1").hand_out(900).status_code == 303
    town.sync(town.here)
    assert not town.centre.centre.alarms and town.centre.centre.uses[who(900)]
    assert tablet.post("/elsewhere", iin=new).headers["location"] == f"/en/voter/{who(900)}", "he is on the list now"


def test_an_addition_of_another_station_goes_by_the_law_and_never_twice(town: Town, tmp_path: Path) -> None:
    tablet = Tablet(town.here, "m1")
    town.centre.add("2", person(500, entitlement=who(900)))
    page = tablet.post("/elsewhere", iin=iin(500)).text
    assert "The right is held by the centre." in page and "elsewhere/ask" in page
    waits = asked(town, tablet, 900, iin(500))
    town.sync(town.here)  # no list has him: nobody must let him go
    assert tablet.get(waits).headers["location"] == f"/en/voter/{who(900)}"
    page = Tablet(town.there, "m1").post("/elsewhere", iin=iin(500)).text
    assert re.search(r"The right is held by [^.]*No\. 1", page), page
    off = town_of(tmp_path / "off", all_on(any_station="the law knows none"))
    off.centre.add("2", person(500, entitlement=who(900)))
    page = Tablet(off.here, "m1").post("/elsewhere", iin=iin(500)).text
    assert "This voter votes elsewhere" in page and "P.026" in page
    with pytest.raises(CentreRefused, match=r"P\.026|any-station is off"):
        off.here.syncing.link.wire.question("ask", {"request": "r", "entitlement": str(who(900))})
    assert not off.centre.centre.requests, "a station that asks all the same gets nothing"


def test_a_line_that_was_lost_is_fetched_again(town: Town) -> None:
    """The grant is in the log, the line is not: asking for the voter once more brings it."""
    tablet = Tablet(town.here, "m1")
    asked(town, tablet, 101)
    town.sync(town.there, town.here)
    del town.here.keep.book.voters[who(101)]
    town.here.__post_init__()
    again = tablet.post("/elsewhere", iin=iin(101))
    assert again.headers["location"] == f"/en/waiting/{who(101)}"
    assert tablet.get(f"/waiting/{who(101)}").headers["location"] == f"/en/voter/{who(101)}"


def test_the_address_of_another_areas_station_comes_from_the_centre(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package names the stations of its own area; of the voter's own station the centre says where it is."""
    monkeypatch.delitem(cast(dict[str, Any], town.here.keep.package.stations), "2")
    tablet = Tablet(town.here, "m1")
    assert "The right is held by Station 2 (town 2)." in tablet.post("/elsewhere", iin=iin(101)).text
    Tablet(town.there, "m1").hand_out(102)
    town.sync(town.there)
    assert "received a ballot: Station 2 (town 2)." in tablet.post("/elsewhere", iin=iin(102)).text
