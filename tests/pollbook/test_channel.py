"""The electronic channel's machine: what it may do and when, its API and token, its page, and what a station hears of it."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pollbook_sample import CENTRE, DAY, MORNING, POLL, ZONE, all_on, package, who
from station_tablet import Tablet
from station_world import Clock, FakeCentre, enrolled, iin, person, station_of

from dauys.errors import BadInput
from dauys.pollbook.channel.app import create_app
from dauys.pollbook.channel.machine import BEARER, Channel, token_of
from dauys.pollbook.log.events import Event, LogId
from dauys.pollbook.machine import acts, channel_acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.book import Book
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.machine.syncing import Syncing
from dauys.pollbook.rules.channels import Channels
from dauys.pollbook.rules.custody import Standing
from dauys.pollbook.rules.grants import Grant, Request, why_given
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.sealed.commitment import code_of
from dauys.pollbook.station import door as station_door
from dauys.pollbook.station.visit import Station
from dauys.web.render import language, render
from site_client import SiteClient

SALT = bytes(10)
PAPER_OFF = all_on(paper_beats_electronic="no rule says so")
ASKED = Request("r", who(0), 1, "station/2/1")


class Box:
    """The channel's book, holding the rights of voters 0 and 1."""

    def __init__(self, channels: Channels | None = None) -> None:
        self.package = package("remote", (), channels=channels)
        self.book, self.events = Book.of(self.package), list[Event]()
        self.do(channel_acts.do_begin, datetime(2022, 6, 1, 8, 0, tzinfo=ZONE))
        for number in (0, 1):
            given = Grant(POLL, who(number), 1, "remote/1", "channel", f"r{number}").signed(CENTRE)
            self.do(acts.do_receive, given, MORNING)

    def do(self, act: Callable[..., Event], *args: Any, **named: Any) -> Event:
        event = act(self.book, *args, **named)
        self.book.apply(event)
        self.events.append(event)
        return event

    def refused(self, check: str, act: Callable[..., Event | None], *args: Any, **named: Any) -> Refused:
        with pytest.raises(Refused) as error:
            act(self.book, *args, **named)
        assert error.value.check == check
        return error.value

    def standing(self, number: int) -> str:
        return str(self.book.places[who(number)].standing)


def days(last: str, channels: Channels | None = None) -> Channels:
    """Electronic ballots from the first of June on."""
    channels = channels or all_on()
    ruling = replace(channels["remote"], settings={"first": "2022-06-01", "last": last})
    return replace(channels, rulings={**channels.rulings, "remote": ruling})


def test_an_electronic_ballot_is_taken_once_and_on_its_days() -> None:
    box = Box()
    box.refused("P.033", channel_acts.do_use, who(0), salt=SALT, at=MORNING - timedelta(days=10))
    box.refused("P.033", channel_acts.do_use, who(0), salt=SALT, at=datetime(2022, 5, 31, 23, 59, tzinfo=ZONE))
    box.book.lease = MORNING + timedelta(days=2)
    late = box.refused("P.033", channel_acts.do_use, who(0), salt=SALT, at=datetime(2022, 6, 5, 23, 0, tzinfo=ZONE))
    assert "until 2022-06-05 23:00" in str(late)
    box.refused("P.020", channel_acts.do_use, who(2), salt=SALT, at=MORNING)
    used = box.do(channel_acts.do_use, who(0), salt=SALT, at=MORNING)
    assert used.body["officer"] == "voting-system" and used.body["channel"] == "remote"
    assert box.refused("P.021", channel_acts.do_use, who(0), salt=SALT, at=MORNING).facts["same_tap"]
    assert not box.refused("P.021", channel_acts.do_use, who(0), salt=b"x" * 10, at=MORNING).facts["same_tap"]
    box.refused("P.032", channel_acts.do_take_back, who(0), reason=" ", at=MORNING)
    box.do(channel_acts.do_take_back, who(0), reason="the box was full", at=MORNING)
    box.refused("P.072", channel_acts.do_use, who(0), salt=SALT, at=MORNING)
    box.do(channel_acts.do_use, who(0), salt=b"y" * 10, at=MORNING)
    assert box.standing(0) == Standing.USED and not box.book.struck


def test_paper_strikes_the_electronic_ballot_and_only_then_lets_the_right_go() -> None:
    box = Box()
    box.do(channel_acts.do_use, who(0), salt=SALT, at=MORNING)
    undo = box.do(channel_acts.let_go, ASKED, MORNING)
    assert (undo.kind, undo.body["request"], undo.body["reason"]) == ("undo", "r", channel_acts.PAPER)
    again = Book.of(box.package, box.events)  # the power went between the two
    again.lease = box.book.lease
    assert again.places[who(0)].standing is Standing.HERE and again.struck[undo.n].salt == SALT
    release = box.do(channel_acts.let_go, ASKED, MORNING)
    assert (release.kind, release.body["to"]) == ("release", "station/2/1")
    assert channel_acts.let_go(box.book, ASKED, MORNING) is None and box.standing(0) == Standing.AWAY
    box.refused("P.072", channel_acts.do_use, who(0), salt=SALT, at=MORNING)
    box.refused("P.022", channel_acts.do_use, who(0), salt=b"z" * 10, at=MORNING)
    box.refused("P.073", channel_acts.do_end, MORNING.replace(hour=23))
    box.refused("P.073", channel_acts.do_struck_out, 1, MORNING)
    box.do(channel_acts.do_struck_out, undo.n, MORNING)
    box.refused("P.039", channel_acts.do_end, MORNING)
    box.do(channel_acts.do_end, MORNING.replace(hour=23))


def test_what_is_not_used_goes_and_what_no_rule_strikes_stays() -> None:
    for channels in (None, PAPER_OFF):
        box = Box(channels)
        assert box.do(channel_acts.let_go, ASKED, MORNING).kind == "release"
        back = Request("w", who(1), 1, WITHDRAWN)
        box.do(channel_acts.do_use, who(1), salt=SALT, at=MORNING)
        box.refused("P.026" if channels else "P.037", channel_acts.let_go, back, MORNING)
    box.refused("P.026", channel_acts.let_go, Request("r", who(1), 1, "station/1/1"), MORNING)
    early = Box(days("2022-06-03"))  # nobody stands at any station on a day without paper ballots
    early.do(channel_acts.do_use, who(0), salt=SALT, at=datetime(2022, 6, 1, 9, 0, tzinfo=ZONE))
    early.do(channel_acts.let_go, ASKED, datetime(2022, 6, 4, 9, 0, tzinfo=ZONE))
    none = Box(days("2022-06-03", all_on(early="not in the law")))
    none.do(channel_acts.do_use, who(0), salt=SALT, at=datetime(2022, 6, 1, 9, 0, tzinfo=ZONE))
    none.refused("P.033", channel_acts.let_go, ASKED, datetime(2022, 6, 4, 9, 0, tzinfo=ZONE))


def test_it_is_closed_when_nothing_can_happen_any_more() -> None:
    kept, over = Box(days("2022-06-03")), Box(days("2022-06-03", PAPER_OFF))
    midnight = datetime(2022, 6, 4, tzinfo=ZONE)
    kept.refused("P.039", channel_acts.do_end, midnight)
    over.refused("P.039", channel_acts.do_end, midnight - timedelta(seconds=1))
    over.do(channel_acts.do_end, midnight)
    over.refused("P.023", channel_acts.do_use, who(0), salt=SALT, at=MORNING)


@pytest.mark.parametrize(("holder", "to", "released", "ahead", "why"), [
    ("station/1/1", "remote", True, False, "channel"), ("remote/1", "1", True, False, "channel"),
    ("remote/1", "1", False, False, "channel"), ("station/1/1", "remote", False, True, "ahead"),
    ("station/1/1", "2", True, False, "move"), ("remote/1", "remote", False, False, "found-log"),
    ("station/remote-1/1", "1", True, False, "move"),
])  # fmt: skip
def test_why_a_right_comes(holder: str, to: str, released: bool, ahead: bool, why: str) -> None:
    assert why_given(holder, LogId(POLL, to, 2), released=released, ahead=ahead) == why


# The machine, with a centre and two stations


@dataclass
class Town:
    centre: FakeCentre
    clock: Clock
    channel: Channel
    stations: tuple[Station, Station]
    client: SiteClient

    def post(self, name: str, token: str = "t" * 40, **body: Any) -> httpx.Response:
        return self.client.post(f"/api/remote/{name}", json=body, headers={"authorization": f"Bearer {token}"})

    def get(self, name: str) -> Any:
        return self.client.get(f"/api/remote/{name}", headers={"authorization": "Bearer " + "t" * 40}).json()

    def ask(self, number: int) -> httpx.Response:
        return self.post("ask", iin=iin(number), born="1990-01-01")

    def sync(self, *names: str) -> None:
        for name in names or ("1", "2", "remote", "1", "2"):
            one = self.channel.syncing if name == "remote" else self.stations[int(name) - 1].syncing
            while one.link.once():
                continue

    def vote(self, number: int, salt: str = "ab" * 10) -> dict[str, Any]:
        self.ask(number)
        self.sync()
        said = self.post("use", entitlement=str(who(number)), salt=salt)
        assert said.status_code == 200, said.text
        return dict(said.json())


def town_of(folder: Path, channels: Channels) -> Iterator[Town]:
    lists = {"1": [person(n) for n in range(3)], "2": [person(n) for n in range(3, 6)], "remote": []}
    centre, clock = FakeCentre(lists, channels), Clock()
    keeps = {name: enrolled(centre, folder, name) for name in lists}
    stations = station_of(keeps["1"], centre, clock), station_of(keeps["2"], centre, clock)
    for station in stations:
        with station.keep.acting() as book:
            station.keep.append(acts.do_open(book, "c1", MORNING))
    link = Link(connect(keeps["remote"], clock, centre.transport), clock)
    channel = Channel(keeps["remote"], Syncing(link), clock)
    app = create_app(channel, "t" * 40, render, language)
    town = Town(centre, clock, channel, stations, SiteClient(app, base_url="http://channel", follow_redirects=False))
    assert town.post("open").json()["opened"]
    yield town
    for keep in keeps.values():
        keep.close()


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    yield from town_of(tmp_path, all_on())


@pytest.fixture
def strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    yield from town_of(tmp_path, all_on(paper_beats_electronic="no rule says so", any_station="not in the law"))


def test_nothing_is_said_without_the_token(town: Town) -> None:
    for token in ("", "t" * 39, "x" * 40, "т" * 5):
        said = town.client.post("/api/remote/use", content=b"{}", headers={"authorization": f"Bearer {token}".encode()})
        assert said.status_code == 401 and said.json()["error"]["check"] == "P.071"
    assert town.client.get("/api/remote/struck").status_code == 401


def test_the_token_is_its_owners_alone(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="token"):
        token_of(tmp_path)
    token = token_of(tmp_path, make=True)
    assert token == token_of(tmp_path, make=True) == token_of(tmp_path) and len(token) >= 40
    assert stat.S_IMODE((tmp_path / BEARER).stat().st_mode) == 0o600


def test_a_right_comes_by_release_and_grant_and_is_used_once(town: Town) -> None:
    first = town.ask(0).json()
    assert (first["state"], first["holder"]) == ("waiting", {"kind": "station", "id": "1", "address": "town 1"})
    assert town.ask(0).json()["state"] == "waiting" and len(town.centre.centre.requests) == 1
    assert town.channel.waiting_for() == [who(0)]
    refused = town.post("use", entitlement=str(who(0)), salt="ab" * 10)
    assert (refused.status_code, refused.json()["error"]["check"]) == (409, "P.020")
    town.sync("1", "remote")
    assert (
        town.ask(0).json()
        == town.post("ask", entitlement=str(who(0))).json()
        == {"state": "granted", "entitlement": str(who(0))}
    )
    code = code_of(bytes.fromhex("ab" * 10), who(0))
    for _ in range(2):  # an answer that was lost
        assert town.post("use", entitlement=str(who(0)), salt="ab" * 10).json()["code"] == code
    assert town.post("use", entitlement=str(who(0)), salt="cd" * 10).json()["error"]["check"] == "P.021"
    assert town.ask(0).json()["error"]["holder"] == {"kind": "remote"}
    assert town.get("state")["used"] == 1 and not town.channel.waiting_for()
    page = town.client.get("/en").text
    assert 'data-used="1"' in page and "Ахметов" not in page and iin(0) not in page
    for lang in ("kk", "ru"):
        assert town.client.get(f"/{lang}").status_code == 200


def test_who_is_nobody_and_who_voted_at_a_station(town: Town) -> None:
    wrong = town.post("ask", iin=iin(0), born="1990-01-02")
    nobody = town.post("ask", iin=iin(77), born="1990-01-01")
    assert wrong.json() == nobody.json() and wrong.json()["error"]["check"] == "P.020"
    town.vote(0)
    assert town.post("ask", iin=iin(0), born="1990-01-02").json() == nobody.json()
    assert town.post("ask", entitlement=str(who(4))).json() == nobody.json()
    with town.stations[1].keep.acting() as book:
        town.stations[1].keep.append(acts.do_check_in(book, who(3), officer="m1", salt=SALT, at=MORNING))
    town.sync("2")
    said = town.ask(3).json()["error"]
    assert said["check"] == "P.021" and said["holder"]["id"] == "2"
    with town.stations[1].keep.acting() as book:
        eve = MORNING - timedelta(days=1)
        town.stations[1].keep.append(acts.do_certificate(book, who(4), number="7", officer="m1", at=eve))
    town.sync("2")
    assert town.ask(4).json()["error"]["check"] == "P.022", "a certificate is shown to officers"


def test_while_the_centre_is_not_there_voters_wait(town: Town) -> None:
    town.vote(0)
    town.ask(1)
    town.sync()
    town.centre.cut = True
    assert town.ask(2).json() == {"state": "waiting", "holder": {"kind": "centre"}}
    assert town.post("use", entitlement=str(who(1)), salt="cd" * 10).status_code == 200, "what is here needs no wire"
    town.clock.now = datetime.combine(DAY, MORNING.timetz()) + timedelta(days=1)
    assert town.ask(2).json()["error"]["check"] == "P.025"


@pytest.mark.parametrize(("body", "check"), [
    (b"[]", "P.001"), (b"{", "P.001"), (b" " * 5000, "P.001"), (b"[" * 4000, "P.001"), (b'{"entitlement": 7, "salt": "ab"}', "P.047"),
    (b'{"entitlement": "x", "salt": "ab"}', "P.047"), (b'{"entitlement": "%s", "salt": "zz"}' % str(who(0)).encode(), "P.047"),
])  # fmt: skip
def test_what_is_no_request_is_refused(town: Town, body: bytes, check: str) -> None:
    said = town.client.post("/api/remote/use", content=body, headers={"authorization": "Bearer " + "t" * 40})
    assert (said.status_code, said.json()["error"]["check"]) == (400, check)


def test_paper_replaces_the_electronic_ballot_by_the_pages_of_any_station(town: Town) -> None:
    town.vote(0)
    town.sync("remote")
    tablet = Tablet(town.stations[1], "m1")
    page = tablet.post("/elsewhere", iin=iin(0)).text
    assert "has voted electronically" in page and "is struck" in page
    form = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.split("/elsewhere/ask")[1].split("</form>")[0])
    )
    assert tablet.post("/elsewhere/ask", **form).headers["location"] == f"/en/waiting/{who(0)}"
    town.sync("2")
    with pytest.raises(Refused, match=r"P\.020"):
        acts.do_check_in(town.stations[1].keep.book, who(0), officer="m1", salt=SALT, at=MORNING)
    assert "electronic voting" in tablet.get(f"/waiting/{who(0)}").text
    town.sync("remote", "2")
    assert tablet.hand_out(0).status_code == 303
    (one,) = town.get("struck")["struck"]
    assert one["salt"] == "ab" * 10 and one["entitlement"] == str(who(0))
    assert 'data-take-out="1"' in town.client.get("/en").text
    assert town.post("use", entitlement=str(who(0)), salt="ab" * 10).json()["error"]["check"] == "P.072"
    town.clock.now = MORNING.replace(hour=23)
    assert town.post("close").json()["error"]["left"] == 1
    for _ in range(2):
        assert town.post("struck", event=one["event"]).json() == {"struck": []}
    assert town.post("close").json()["closed"] and town.post("close").status_code == 200
    town.sync()
    assert not town.centre.centre.alarms and town.centre.centre.custody[who(0)].holder == "station/2/1"


def test_after_the_channel_is_closed_no_paper_replaces_what_was_used_and_what_was_not_is_free(town: Town) -> None:
    town.vote(0)
    town.ask(1)
    town.sync()
    town.clock.now = MORNING.replace(hour=23)
    assert town.post("close").json()["closed"]
    town.sync()
    page = Tablet(town.stations[0], "m1").post("/elsewhere", iin=iin(0)).text
    assert "P.070" in page and "the channel is closed" in page and "elsewhere/ask" not in page
    town.stations[0].syncing.link.wire.question("ask", {"request": "b", "entitlement": str(who(1))})
    town.sync("1")  # the channel is not asked
    assert town.stations[0].keep.book.places[who(1)].standing is Standing.HERE and not town.centre.centre.alarms


def test_before_the_centre_knows_the_machine_nothing_is_taken(tmp_path: Path) -> None:
    centre = FakeCentre({"remote": []})
    keep = enrolled(centre, tmp_path, "remote", tell=False)
    link = Link(connect(keep, Clock(), centre.transport), Clock())
    channel = Channel(keep, Syncing(link), Clock())
    for act in (channel.begin, lambda: channel.find(iin(0), "1990-01-01"), lambda: channel.use(who(0), SALT)):
        with pytest.raises(Refused, match=r"P\.018"):
            act()
    link.once()
    assert channel.begin()["told"]
    keep.close()


def test_where_no_rule_says_so_the_electronic_ballot_stands(strict: Town) -> None:
    strict.vote(0)
    strict.sync("remote")
    for lang, words in (("en", "no paper ballot replaces it"), ("ru", "бумажный его не заменяет")):
        page = Tablet(strict.stations[0], "m1", lang).post("/elsewhere", iin=iin(0)).text
        assert words in page and "P.070" in page and "elsewhere/ask" not in page
    strict.ask(1)  # his own station gets back what he did not use, though no voter moves between stations in this poll
    strict.sync()
    assert strict.ask(1).json()["state"] == "granted"
    strict.stations[0].syncing.link.wire.question("ask", {"request": "b", "entitlement": str(who(1))})
    strict.sync("remote", "1")
    assert strict.stations[0].keep.book.places[who(1)].standing is Standing.HERE and not strict.centre.centre.alarms
