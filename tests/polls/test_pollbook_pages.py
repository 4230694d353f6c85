"""What the commission sees of its stations, what everybody sees of the check-ins, and the protocol's form at the desk."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from joined_world import KEYS, POLL, OneConnection, World, world_of

from dauys.cli.site_pages import centre_door
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.desk import stations as centre_pages
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.sealed.commitment import code_of
from dauys.polls.pollbook_join import late, seal
from dauys.polls.pollbook_protocols import beside
from dauys.publish import pollbook_pages
from dauys.stations.accounts import first_account, make_account
from dauys.stations.routes import desk_router
from dauys.stations.states import Role
from dauys.web.app import create_app
from dauys.web.render import render
from site_client import SiteClient

pytestmark = pytest.mark.database
PASSWORD = "a long pass phrase"


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 4, "B-1": 3}) as world:
        yield world


@pytest.fixture
def site(world: World) -> SiteClient:
    engine = cast(sa.Engine, OneConnection(world.connection))
    first_account(world.connection, "anna", PASSWORD)
    make_account(world.connection, "a1", Role.STATION, PASSWORD, poll=POLL, station="A-1")
    routers = [
        centre_pages.router(engine, centre_door(engine), lambda: world.now, late),
        pollbook_pages.router(engine, render),
        desk_router(engine, beside=beside(lambda poll: KEYS.commission, lambda: world.now)),
    ]
    return SiteClient(create_app(engine, routers, world.folder), base_url="http://centre", follow_redirects=False)


def signed_in(site: SiteClient, name: str) -> None:
    assert site.post("/en/desk/in", data={"name": name, "password": PASSWORD}).status_code == 303


def facts(text: str, name: str) -> list[str]:
    return re.findall(rf'data-{name}="([^"]*)"', text)


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_everybody_sees_the_sums_and_the_holder_of_a_code_his_own(world: World, site: SiteClient, lang: str) -> None:
    machine, address = world.start("A/2"), f"/{lang}/polls/{POLL}/pollbook"
    event = machine.check_in(machine.voters[0], world.at(9))
    code = code_of(bytes.fromhex(event.body["salt"]), machine.voters[0])
    machine.link.once()

    def asked(text: str) -> tuple[int, list[str], list[str]]:
        answer = site.post(address, data={"code": text})
        assert code not in str(answer.url) and code not in answer.headers.get("location", "")
        return answer.status_code, facts(answer.text, "state"), facts(answer.text, "station")[:1]

    assert asked(code) == (200, ["waiting"], ["A/2"])
    seal(world.connection, POLL, KEYS.commission, world.now)
    assert asked(f" {code.lower()} ") == (200, ["counted"], ["A/2"])
    assert asked(code_of(bytes(10), machine.voters[0]))[1] == ["unknown"]
    assert asked("nonsense")[0] == 422
    page = site.get(address)
    assert facts(page.text, "used") == ["1"] and facts(page.text, "station") == ["A/2"]
    assert site.get(f"{address}.json").json()["stations"] == [{"station": "A/2", "area": "A", "used": 1}]
    machine.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.now)
    machine.link.once()
    seal(world.connection, POLL, KEYS.commission, world.now)
    assert asked(code)[1] == ["undone"]


def test_the_stations_page_is_for_clerks(world: World, site: SiteClient) -> None:
    machine = world.start("A-1")
    machine.check_in(machine.voters[0], world.at(9))
    machine.link.once()
    address = f"/en/desk/pollbook/{POLL}"
    assert site.get(address).headers["location"] == "/en/desk/in"
    signed_in(site, "a1")
    assert site.get(address).headers["location"] == "/en/desk"
    signed_in(site, "anna")
    assert f'href="{address}"' in site.get("/en/desk").text
    world.at(10, 30)
    page = site.get(address)
    assert page.status_code == 200 and facts(page.text, "station") == ["A-1", "A/2", "B-1"]
    assert "call them" in page.text and "10:00" in page.text and "no-store" in page.headers["cache-control"]
    assert "Нұрлан" not in page.text  # nobody's name
    assert site.get("/en/desk/pollbook/no/poll").status_code == 404


def test_the_desks_first_page_says_that_the_centre_checks_its_books(world: World, site: SiteClient) -> None:
    signed_in(site, "anna")
    assert facts(site.get("/en/desk").text, "stopped") == []
    mark(cursor(world.connection), POLL, "anna says so", world.now)
    page = site.get("/ru/desk").text
    assert facts(page, "stopped") == ["P.090"] and "Центр сверяет свои книги" in page


def test_the_protocols_form_begins_with_the_pollbook_and_shows_each_difference(world: World, site: SiteClient) -> None:
    machine = world.start("A-1")
    for who in machine.voters[:3]:
        machine.check_in(who, world.at(9))
    machine.do(acts.do_close, officer="chair", at=world.at(20))
    machine.link.once()
    signed_in(site, "a1")
    address = f"/en/desk/{POLL}/send"
    form = site.get(address).text
    filled = dict(re.findall(r'name="(\w+)" inputmode="numeric".*?value="(\d*)"', form, re.DOTALL))
    assert (filled["eligible"], filled["received"], filled["participated"]) == ("6", "3", "")
    mark = re.findall(r'name="mark" value="([^"]*)"', form)[0]
    said: dict[str, Any] = {
        "eligible": 6,
        "received": 4,
        "participated": 3,
        "yes": 2,
        "no": 1,
        "invalid": 0,
        "not_counted": 0,
    }
    sent = site.post(address, data=said | {"mark": mark}, headers={"origin": "http://centre"})
    assert sent.status_code == 200 and facts(sent.text, "state") == ["accepted"]
    assert "B.102" in sent.text and "Another number handed out" in sent.text
    row = re.findall(r"B\.102.*?<td>(\d+)</td><td>(\d+)</td>", sent.text[sent.text.index("<table>") - 40 :], re.DOTALL)
    assert ("3", "4") in row
    station = site.get(f"/en/polls/{POLL}/stations/A-1").text
    assert "B.102" in station and "Another number handed out" in station


def test_every_station_of_the_poll_is_listed_and_open_only_once_its_chair_opened_it(
    world: World, site: SiteClient
) -> None:
    signed_in(site, "anna")
    address = f"/en/desk/pollbook/{POLL}"

    def stand(query: str = "") -> tuple[dict[str, str], dict[str, str]]:
        text = site.get(address + query).text
        rows = dict(re.findall(r'data-station="([^"]*)" data-is="([^"]*)"', text))
        return rows, dict(re.findall(r'data-step="([^"]*)" data-many="([^"]*)"', text))

    assert stand() == (dict.fromkeys(("A-1", "A/2", "B-1"), "none"), {"none": "3"})
    world.packed("A/2")
    machine = world.start("A-1")  # its chair has opened it, and it has not told yet
    assert stand()[0] == {"A-1": "enrolled", "A/2": "package", "B-1": "none"}
    machine.link.once()
    assert stand()[1] == {"none": "1", "package": "1", "open": "1"}
    assert stand("?step=package") == ({"A/2": "package"}, {"none": "1", "package": "1", "open": "1"})
    assert list(stand("?area=A")[0]) == ["A-1", "A/2"] and list(stand("?number=/2")[0]) == ["A/2"]
    assert stand("?area=B&step=open")[0] == {} and 'data-found="0"' in site.get(f"{address}?area=B&step=open").text
    assert stand("?step=nonsense")[0].keys() == {"A-1", "A/2", "B-1"}
    machine.do(acts.do_close, officer="chair", at=world.at(20))
    machine.link.once()
    assert stand("?number=a-")[0] == {"A-1": "closed"}
    packing_out.lose(world.connection, POLL, "A-1")
    world.packed("A-1")
    assert stand()[1] == {"none": "1", "package": "2"}  # its newest machine
    assert site.get(address).text.count('data-station="A-1"') == 2
    for lang, word in (("kk", "пакет"), ("ru", "пакет")):
        assert word in site.get(address.replace("/en/", f"/{lang}/")).text


def test_ten_thousand_stations_are_paged_in_one_look(world: World, site: SiteClient) -> None:
    world.connection.execute(
        sa.text(
            "INSERT INTO station (poll, id, area, eligible) SELECT :p, 'N-' || n, 'B', 1 FROM generate_series(1, 10009) n"
        ),
        {"p": POLL},
    )
    signed_in(site, "anna")
    address, seen, start = f"/en/desk/pollbook/{POLL}?area=B", set(), 0
    begun = time.perf_counter()
    for start in range(0, 300, 100):
        seen |= set(facts(site.get(f"{address}&from={start}").text, "station"))
    assert time.perf_counter() - begun < 3 and len(seen) == 300
    last = site.get(f"{address}&from=10000").text
    assert len(facts(last, "station")) == 10 and "Next page" not in last and "from=9900" in last
    assert facts(site.get(f"{address}&number=10009").text, "station") == ["N-10009"]
