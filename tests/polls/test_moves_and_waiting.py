"""Does a voter who is told to go to his own station keep his right, and does a waiting page say what became of what it waits for?"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from joined_world import KEYS, POLL, VOTING, Machine, World, held, iin_of, right, synced, world_of

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_tablet import Tablet
from station_world import manned

from dauys.pollbook.centre import decided
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.machine import acts, box
from dauys.pollbook.machine import envelope_acts as slips
from dauys.pollbook.station import door as station_door
from dauys.pollbook.station.book_sums import sums_of
from dauys.polls.pollbook_join import envelopes, resolve_envelopes

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    with world_of(connection, tmp_path, {"A-1": 3, "B-1": 2}) as made:
        yield made


def at_table(world: World, machine: Machine) -> Tablet:
    return Tablet(manned(machine.keep, machine.link, lambda: world.now), "member1")


def asked(tablet: Tablet, serial: int) -> str:
    """Asks for the right of somebody from elsewhere; the page on which he waits."""
    page = tablet.post("/elsewhere", iin=iin_of(serial)).text
    form = dict(re.findall(r'name="(who|request)" value="([^"]*)"', page))
    sent = tablet.post("/elsewhere/ask", **form)
    assert sent.headers["location"] == f"/en/waiting/{right(serial)}", sent.text
    return f"/waiting/{right(serial)}"


def sound(world: World) -> bool:
    found = [one for _, some in audit_poll(world.connection, POLL) for one in some]
    return alarms(world.connection, POLL) == found == []


def towns(world: World) -> tuple[Machine, Machine]:
    home, away = world.start("A-1"), world.start("B-1")
    synced(home, away)
    world.at(10)
    return home, away


# Told to go there


def test_who_is_sent_to_his_own_station_votes_there(world: World) -> None:
    home, away = towns(world)
    tablet = at_table(world, away)
    waits = asked(tablet, 1)
    world.at(10, 5)
    assert "press the button first" in tablet.get(waits).text
    page = tablet.post("/call-off", **tablet.fields(waits, "/call-off")).text
    assert "The right is asked for no more." in page and "has not heard that it was asked for" in page
    assert tablet.get("").text.count(waits) == 0, "nobody waits any more"
    synced(home)  # its network is back for a moment, while he walks there
    world.wires.cut = True
    home.check_in(right(1), world.at(10, 30))
    world.wires.cut = False
    synced(home, away, home)
    assert held(world, right(1)) == ("station/A-1/1", 0, 1) and sound(world)


def test_a_request_ends_by_itself_when_its_station_is_silent(world: World) -> None:
    home, away = towns(world)
    tablet = at_table(world, away)
    waits = asked(tablet, 1)
    world.wires.cut = True
    page = tablet.post("/call-off", who=str(right(1))).text
    assert "The centre cannot be reached now" in page and "ten minutes at most" in page
    world.wires.cut = False
    world.at(10, 9)
    again = asked(tablet, 2)  # somebody else, who stays
    world.at(10, 12)
    synced(home)
    assert held(world, right(1)) == ("station/A-1/1", 0, 0), "what nobody waits for any more is let go"
    assert held(world, right(2)) == ("station/A-1/1", 0, 2), "who waits is asked for as ever"
    synced(away)
    assert tablet.get(again).headers["location"] == f"/en/voter/{right(2)}"
    assert tablet.get(waits).headers["location"] == "/en/elsewhere"
    assert world.connection.scalar(sa.text("SELECT count(*) FROM pollbook_request WHERE NOT granted")) == 0
    home.check_in(right(1), world.now)
    synced(home)
    assert sound(world)


def test_the_waiting_page_says_that_it_is_over_and_asks_again(world: World) -> None:
    home, away = towns(world)
    tablet = at_table(world, away)
    waits = asked(tablet, 1)
    world.at(10, 11)
    synced(away)
    page = tablet.get(waits).text
    assert "is asked for no more" in page and "refresh" not in page
    tablet.post("/elsewhere/ask", **tablet.fields(waits, "/elsewhere/ask"))
    assert "Hand out nothing yet." in tablet.get(waits).text
    synced(away, home, away)
    assert tablet.get(waits).headers["location"] == f"/en/voter/{right(1)}"
    assert held(world, right(1)) == ("station/B-1/1", 1, 0) and sound(world)


def test_what_was_let_go_comes_and_is_not_called_off(world: World) -> None:
    home, away = towns(world)
    tablet = at_table(world, away)
    waits = asked(tablet, 1)
    world.at(10, 5)
    form = tablet.fields(waits, "/call-off")
    synced(home)
    assert tablet.post("/call-off", **form).headers["location"] == f"/en{waits}"
    synced(away)
    assert tablet.get(waits).headers["location"] == f"/en/voter/{right(1)}"
    away.check_in(right(1), world.now)
    synced(away)
    assert held(world, right(1)) == ("station/B-1/1", 1, 1) and sound(world)


def test_his_own_station_gets_back_in_one_tap_what_it_just_let_go(world: World) -> None:
    home, away = towns(world)
    at_home, tablet = at_table(world, home), at_table(world, away)
    asked(tablet, 1)
    synced(home)  # lets it go; the other station is cut off, and nobody has it
    world.wires.cut = True
    page = at_home.post("/elsewhere", iin=iin_of(1)).text
    assert "on the list of this station" in page and "go to his own station" not in page
    world.wires.cut = False
    form = at_home.fields(f"/voter/{right(1)}", "/elsewhere/ask")
    assert at_home.post("/elsewhere/ask", **form).headers["location"] == f"/en/waiting/{right(1)}"
    synced(home)
    assert held(world, right(1)) == ("station/A-1/1", 1, 0)
    home.check_in(right(1), world.now)
    synced(away, home)
    assert "went to another station" in tablet.get(f"/waiting/{right(1)}").text
    synced(home, away)
    assert "already received a ballot" in tablet.get(f"/waiting/{right(1)}").text
    assert held(world, right(1))[::2] == ("station/A-1/1", 1) and sound(world)


def test_from_elsewhere_asks_for_what_was_let_go_too(world: World) -> None:
    home, away = towns(world)
    asked(at_table(world, away), 1)
    synced(home)
    at_home = at_table(world, home)
    waits = asked(at_home, 1)
    synced(home)
    assert at_home.get(waits).headers["location"] == f"/en/voter/{right(1)}" and sound(world)


def test_what_was_let_go_for_the_commission_is_offered_to_nobody(world: World) -> None:
    home, away = towns(world)
    decided.withdraw(world.connection, POLL, "w", right(1), world.now)
    synced(home)
    assert held(world, right(1)) == ("station/A-1/1", 0, 2)
    for machine in (home, away):
        page = at_table(world, machine).post("/elsewhere", iin=iin_of(1)).text
        assert "P.056" in page and "elsewhere/ask" not in page
    assert "elsewhere/ask" not in at_table(world, home).get(f"/voter/{right(1)}").text


# What became of it


@pytest.mark.parametrize("what", ["used", "withdrawn"])
def test_the_waiting_page_hears_what_became_of_the_right(world: World, what: str) -> None:
    home, away = towns(world)
    tablet = at_table(world, away)
    waits = asked(tablet, 1)
    if what == "used":
        home.check_in(right(1), world.now)
        synced(home)
    else:
        world.connection.execute(
            sa.text("UPDATE entitlement SET holder = 'withdrawn', epoch = 1 WHERE id = :id"), {"id": right(1)}
        )
    synced(away)
    page = tablet.get(waits).text
    assert {"used": "already received a ballot", "withdrawn": "withdrew this right"}[what] in page
    assert "refresh" not in page and "envelope" not in page
    assert waits not in tablet.get("").text


# One tap, one envelope


def enveloped(tablet: Tablet, waits: str, **changes: str) -> httpx.Response:
    fields = tablet.fields(f"{waits}/envelope", "/envelope")
    return tablet.post("/envelope", **fields | {"reason": "no answer"} | changes)


def test_a_second_tap_makes_no_second_envelope(world: World) -> None:
    home, away = towns(world)
    tablet = at_table(world, away)
    waits = asked(tablet, 1)
    world.at(10, 5)
    first = enveloped(tablet, waits)  # its answer is lost; the page is opened again, and the form sent again
    number = str(away.keep.book.envelopes[0].id)[:8].upper()
    assert number in first.text and number in tablet.get(f"/envelope/{away.keep.book.envelopes[0].n}").text
    again = enveloped(tablet, waits)
    assert again.status_code == 409 and "P.075" in again.text and number in again.text
    world.wires.cut = True
    again = tablet.post("/envelope", id=str(right(7)), who="", whose=iin_of(1), reason="cut")
    assert "P.075" in again.text, "nor by another page, that cannot say whose right it is"
    other = tablet.post("/envelope", id=str(right(8)), who="", whose=iin_of(2), reason="cut")
    assert other.status_code == 200
    assert "P.075" in tablet.post("/envelope", id=str(right(9)), who="", whose=iin_of(2), reason="cut").text
    world.wires.cut = False
    synced(away)
    assert [one.at.entitlement for one in envelopes(world.connection, world.poll).lines] == [right(1), right(2)]
    world.at(20)
    for machine in (home, away):
        machine.do(acts.do_close, officer="chair", at=world.now)
    synced(home, away)
    assert resolve_envelopes(world.connection, world.poll, KEYS.commission, world.now) == 2
    assert [one.counts for one in envelopes(world.connection, world.poll).lines] == [True, True] and sound(world)


def test_an_envelope_noted_by_mistake_is_taken_back(world: World) -> None:
    home, away = towns(world)
    tablet = at_table(world, away)
    waits = asked(tablet, 1)
    world.at(10, 5)
    fields = tablet.fields(f"{waits}/envelope", "/envelope") | {"reason": "no answer"}
    assert "Noted by mistake?" in tablet.post("/envelope", **fields).text
    synced(away)
    form = tablet.fields(f"/envelope/{away.keep.book.envelopes[0].n}", "/envelope-back")
    assert "P.032" in tablet.post("/envelope-back", **form).text
    assert tablet.post("/envelope-back", **form, reason="wrong person picked").status_code == 303
    assert "P.076" in tablet.post("/envelope-back", **form, reason="again").text
    assert "P.046" in tablet.post("/envelope", **fields).text, "an old page notes it again"
    assert away.keep.book.envelopes == [] and sums_of(away.keep.book).members == {}
    assert enveloped(tablet, waits).status_code == 200
    synced(away)
    lines = envelopes(world.connection, world.poll).lines
    assert [one.number for one in lines] == [str(away.keep.book.envelopes[0].id)[:8].upper()]
    sums = sums_at(world.connection, POLL, "B-1")
    assert sums is not None and sums.sums.members["member1"].issued == sums.sums.envelopes == 1
    away.do(acts.do_close, officer="chair", at=world.at(20))
    (left,) = away.keep.book.envelopes
    with pytest.raises(acts.Refused, match=r"P\.023"):
        away.do(slips.do_envelope_undo, left.n, reason="late", officer="member1", at=world.now)
    synced(home, away)
    assert sound(world)


# The mobile box on its way


def test_the_box_on_its_way_keeps_its_rights(world: World) -> None:
    home, away = towns(world)
    table, tablet = at_table(world, home), at_table(world, away)
    with pytest.raises(acts.Refused, match=r"P\.030"):  # he did not ask for it
        home.do(box.do_out, right(1), members=("member1", "member2"), officer="member1", at=world.now)
    for serial in (1, 2):
        table.post("/mobile", who=str(right(serial)))
    assert "2 to visit, 0 on the way" in table.get("").text
    world.at(12, 30)
    assert "P.030" in table.post("/box", what="out", **{str(right(1)): "1"}).text, "one member alone"
    ticked = {str(right(serial)): "1" for serial in (1, 2)}
    assert table.post("/box", what="out", second="member2", **ticked).status_code == 303
    assert "on its way with this voter" in table.get(f"/voter/{right(1)}").text
    sent = table.post("/hand-out", who=str(right(1)), salt="7" * 20, channel="polling-day")
    assert sent.status_code == 409 and "P.074" in sent.text
    synced(home)
    assert "The mobile box of that station carries" in tablet.post("/elsewhere", iin=iin_of(2)).text
    waits = asked(tablet, 2)
    synced(home, away)
    assert held(world, right(2)) == ("station/A-1/1", 0, 0)
    assert "The mobile box of that station carries" in tablet.get(waits).text
    with pytest.raises(acts.Refused, match=r"P\.074"):
        home.do(acts.do_close, officer="chair", at=world.at(20))
    world.at(12, 35)
    members = {"who": str(right(1)), "salt": "8" * 20, "channel": "mobile", "second": "member2"}
    assert table.post("/hand-out", **members).status_code == 303
    assert "P.030" in refused(home, box.do_back, right(1), officer="member1", at=world.now)
    assert table.post("/box", what="back", **{str(right(2)): "1"}).status_code == 303
    synced(home, away)
    assert tablet.get(waits).headers["location"] == f"/en/voter/{right(2)}"
    undone = home.keep.book.used_by[right(1)]
    home.do(acts.do_undo, undone, reason="nobody at home", officer="member1", at=world.now)
    synced(home)
    assert world.connection.scalar(sa.text("SELECT count(*) FROM pollbook_in_box")) == 0
    home.check_in(right(1), world.now)
    away.check_in(right(2), world.now)
    synced(home, away)
    assert sound(world)


def refused(machine: Machine, act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(acts.Refused) as found:
        machine.do(act, *args, **more)
    return str(found.value)
