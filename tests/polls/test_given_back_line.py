"""Somebody was added, withdrawn and given back before his station ever had his line: how do its officers find him?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from joined_world import World, iin_of, right, synced, world_of
from test_list_and_rehearsal import added
from test_paper_and_withdrawals import ask, duplicate, settled
from test_returns import back, mistaken, outcome

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_tablet import Tablet
from station_world import manned

from dauys.pollbook.station import door as station_door

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    with world_of(connection, tmp_path, {"A-1": 4, "B-1": 2}) as made:
        yield made


def test_a_right_that_came_without_a_name_is_found_by_its_iin(world: World) -> None:
    lang = "kk"
    machine = world.start("A-1")
    desk = Tablet(manned(machine.keep, machine.link, lambda: world.now), "member1", lang)

    def search(text: str) -> str:
        assert desk.post("/find", text=text).headers["location"] == f"/{lang}/found"
        return desk.get("/found").text

    assert "data-nameless" not in search("Ахметов50") and "data-nameless" not in search("Ахметов")
    added(world, 50)
    number = duplicate(world, goes=50, stays=3)
    ask(world, number)
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    assert back(world, number) == outcome(returned=1)
    synced(machine)
    who, iin = right(50), iin_of(50)
    assert machine.keep.book.places[who].standing == "here" and who not in machine.keep.book.voters
    for text in ("Ахметов50", "Ахметов"):  # nobody is like it, or others are
        assert 'data-nameless="1"' in search(text)
    assert f'name="iin" value="{iin}"' in search(iin)
    form = desk.fields("/found", "/elsewhere")
    said = desk.client.post(f"/{lang}/elsewhere", data=form).headers["location"]
    assert desk.get(said.removeprefix(f"/{lang}")).headers["location"] == f"/{lang}/voter/{who}"
    assert desk.post("/hand-out", **desk.fields(f"/voter/{who}", "/hand-out")).status_code == 303
    assert 'data-nameless="' not in search("Ахметоff")


def test_the_page_is_headed_by_whose_voter_he_is(world: World) -> None:
    """At his own station nobody is `a voter of another station`; before anybody is asked for it is neither."""
    home, other = world.start("A-1"), world.start("B-1")
    at_home, there = (Tablet(manned(one.keep, one.link, lambda: world.now), "member1") for one in (home, other))

    def head(page: str) -> str:
        return page.partition("<h1>")[2].partition("</h1>")[0]

    assert head(at_home.get("/elsewhere").text) == "From elsewhere"
    iin, who = iin_of(1), right(1)
    assert head(there.post("/elsewhere", iin=iin).text) == "A voter of another station"
    other.link.wire.question("ask", {"request": "q", "entitlement": str(who)})
    synced(home, other)
    assert other.keep.book.places[who].standing == "here"
    assert head(at_home.post("/elsewhere", iin=iin).text) == "A voter of this station"
    assert head(there.post("/elsewhere", iin=iin_of(700)).text) == "From elsewhere"
    world.wires.cut = True
    assert head(at_home.post("/elsewhere", iin=iin).text) == "A voter of this station"
    assert head(there.post("/elsewhere", iin=iin_of(2)).text) == "From elsewhere"
    world.wires.cut = False
    added(world, 60)
    withdrawn = sa.text("UPDATE entitlement SET holder = 'withdrawn' WHERE id = :who")
    world.connection.execute(withdrawn, {"who": right(60)})
    page = at_home.post("/elsewhere", iin=iin_of(60)).text
    assert head(page) == "A voter of this station" and "votes elsewhere" not in page
