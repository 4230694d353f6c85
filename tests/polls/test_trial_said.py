"""A poll that is a trial: does every page of the centre's desk say so, and every print?"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from joined_world import POLL, VAULT, OneConnection, World
from test_pollbook_desk import ENVELOPES, PAPER, RIGHTS, Clerk, world

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_tablet import Tablet
from station_world import manned

from dauys.cli import main, pollbook, pollbook_status
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper.lost_list import lost_list
from dauys.pollbook.station import door as station_door
from dauys.registers import poll as polls
from dauys.stations import desk_annulments, desk_files, desk_protocols, desk_turnout
from dauys.stations.accounts import first_account
from dauys.stations.routes import desk_router
from dauys.web.app import create_app
from dauys.web.render import environment
from site_client import SiteClient

pytestmark = pytest.mark.database
__all__ = ["world"]

SAYS = 'id="trial"'


def test_the_pollbook_pages_of_the_desk_say_it(world: World) -> None:
    world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    anna = Clerk(world, "anna")
    for page in (f"/en/desk/pollbook/{POLL}", PAPER, f"{PAPER}?station=A-1", RIGHTS, ENVELOPES):
        for lang, word in (("en", "This is a trial."), ("kk", "ынақ"), ("ru", "роб")):
            text = anna.site.get(page.replace("/en/", f"/{lang}/")).text
            assert SAYS in text and word in text.partition(SAYS)[2].partition("</aside>")[0], page


def test_the_desk_of_protocols_says_it(world: World) -> None:
    first_account(world.connection, "anna", "a long pass phrase")
    engine = cast(sa.Engine, OneConnection(world.connection))
    site = SiteClient(create_app(engine, [desk_router(engine)], world.folder), base_url="http://centre")
    site.post("/en/desk/in", data={"name": "anna", "password": "a long pass phrase"})
    assert "data-trial" in site.get("/en/desk").text
    pages = (*desk_protocols.PAGES, *desk_turnout.PAGES, *desk_files.PAGES, *desk_annulments.PAGES)
    found = {page.path: site.get(f"/en/desk{page.path.replace('{poll:path}', POLL)}") for page in pages}
    shown = {path: answer.text for path, answer in found.items() if answer.status_code == 200}
    assert len(shown) > 5 and [path for path in shown if SAYS not in shown[path]] == []


def test_no_other_poll_says_it() -> None:
    banner: Any = environment("en").from_string('{% extends "layout.html" %}')
    shell = {"wall": False, "languages": {}}
    said = {
        name: SAYS in banner.render(shell | {"poll": name})
        for name in ("kz/2026", "kz/trial-2026", "test/x", "kz/test")
    }
    assert said == {"kz/2026": False, "kz/trial-2026": True, "test/x": True, "kz/test": False}
    assert said == {name: polls.is_trial(name) for name in said} and SAYS not in banner.render(shell)
    assert [SAYS in banner.render(shell | {"poll": {"id": name}}) for name in said] == list(said.values())


@pytest.mark.parametrize("name", ["kz/2026", "kz/trial-2026"])
def test_the_desks_of_claims_and_of_observers_say_it_of_each_poll(name: str) -> None:
    words = dict.fromkeys(("kk", "ru", "en"), "Joined")
    claims = {"poll": name, "names": words, "claim_cite": "", "claims": []}
    watched = {"poll": {"id": name, "names": words, "zone": "UTC"}, "waiting": [], "organisations": [], "unanswered": 0}
    shell = {"wall": False, "languages": {}, "fault": None, "done": None, "path": "/en/desk"}
    for template, model in (
        ("roll/desk_claims.html", {"waiting": [claims]}),
        ("observers/desk.html", {"work": [watched]}),
    ):
        page = environment("en").get_template(template).render(shell | model)
        assert ("data-trial" in page) is polls.is_trial(name)


def test_a_stations_pages_and_prints_say_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    machine = world.start("A-1")
    desk = Tablet(manned(machine.keep, machine.link, lambda: world.now), "member1")
    assert "nothing here is a real vote" in desk.get("").text
    assert "This is a trial." in desk.get("/list").text.partition("<main")[2], "a print has no header"


def test_a_lost_machines_print_says_it(world: World) -> None:
    world.start("A-1")
    lost, _ = packing_out.lose(world.connection, POLL, "A-1")
    model = lost_list(world.connection, VAULT, world.poll, lost, "anna", world.now)
    page = environment("en").get_template("centre/lost_list.html")
    assert "This is a trial." in page.render(model, style="")
    model["station"]["trial"] = False
    assert "This is a trial." not in page.render(model, style="")


def test_a_command_that_judges_a_trial_of_another_day_by_the_clock_of_now_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    monkeypatch.setattr(pollbook, "vault_of", lambda *_: VAULT)
    for module in (pollbook, pollbook_status):
        monkeypatch.setattr(module, "open_store", lambda: OneConnection(world.connection))
    printed = ["pollbook", "print", POLL, "A-1", "--out", str(world.folder / "list.html"), "--by", "anna"]
    for command in (["pollbook", "status", POLL], printed):
        for named, remarks in (([], 1), (["--at", world.now.isoformat()], 0)):
            with pytest.raises(SystemExit):
                main.main([*command, *named, "--json"])
            told = capsys.readouterr()
            assert told.err.count("give --at") == remarks and json.loads(told.out)["poll"] == POLL
    pollbook_status.say_whose_clock(replace(world.poll, id="kz/2026"), None)  # it has no other clock
    monkeypatch.setattr(pollbook_status, "moment", lambda _: world.now)
    pollbook_status.say_whose_clock(world.poll, None)  # it is held today
    assert capsys.readouterr().err == ""
