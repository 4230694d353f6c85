"""A pilot poll with an electronic channel: one right at home before a screen and at the stations, the record, both verifiers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from joined_faults import bundle_of, failed
from joined_world import (
    KEYS,
    POLL,
    VAULT,
    VOTING,
    Machine,
    OneConnection,
    World,
    rows,
    with_an_area_further_west,
    world_of,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_tablet import Tablet
from station_world import manned

from dauys.cli.site_pages import centre_door
from dauys.errors import BadInput, DauysError
from dauys.pollbook.channel.app import create_app
from dauys.pollbook.channel.machine import Channel
from dauys.pollbook.desk import stations as centre_pages
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms, channel_states, whole
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.machine.syncing import Syncing
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand, two_typists
from dauys.pollbook.rules.channels import NotAllowed
from dauys.pollbook.station import door as station_door
from dauys.pollbook.wire.package import unseal
from dauys.polls import pollbook_find
from dauys.polls.declaring import declare
from dauys.polls.pollbook_join import channels_of, late, report, reported, seal
from dauys.polls.pollbook_protocols import beside, fields
from dauys.publish import pages as public_pages
from dauys.publish import pollbook_pages
from dauys.publish.bundle import write_bundle
from dauys.publish.source import DatabaseSource
from dauys.record import log
from dauys.stations.accounts import first_account
from dauys.stations.batch import one as one_protocol
from dauys.stations.intake import receive
from dauys.stations.routes import desk_router
from dauys.web.app import create_app as create_site
from dauys.web.render import language, render
from site_client import SiteClient

pytestmark = pytest.mark.database
VOTERS = {"A-1": 4, "A/2": 2, "B-1": 3}
PEOPLE = rows(VOTERS)
IIN = {name: [row["iin"] for row in PEOPLE if row["station"] == name] for name in VOTERS}
REMOTE = {"on": True, "first": "2022-06-03", "last": "2022-06-05", "cite": "Pilot 3"}
PAPER = {"on": True, "cite": "Pilot 4"}
TOKEN = "t" * 40


def who(iin: str) -> UUID:
    return UUID(bytes=VAULT.entitlement(POLL, VAULT.voter(iin)))


class Remote:
    """The channel's machine, and a voting system that speaks with it."""

    def __init__(self, world: World) -> None:
        ((packed, package, _),) = packing_out.write(world.folder, [world.packed("remote")])
        assert packed.voters == 0
        self.keep = enrol(package, packed.code, world.folder / f"remote.{packed.log.generation}", "http://centre")
        self.link = Link(connect(self.keep, lambda: world.now, world.wires), lambda: world.now)
        self.link.once()
        channel = Channel(self.keep, Syncing(self.link), lambda: world.now)
        self.client = SiteClient(create_app(channel, TOKEN, render, language), base_url="http://channel")
        self.salts = 0
        assert self.post("open")["opened"]

    def post(self, name: str, **body: Any) -> dict[str, Any]:
        answer = self.client.post(f"/api/remote/{name}", json=body, headers={"authorization": f"Bearer {TOKEN}"})
        return cast(dict[str, Any], answer.json())

    def ask(self, iin: str) -> dict[str, Any]:
        return self.post("ask", iin=iin, born="1979-10-28")

    def vote(self, iin: str) -> str:
        """His electronic ballot is taken; the code that he gets."""
        assert self.ask(iin)["state"] == "granted"
        self.salts += 1
        code = self.post("use", entitlement=str(who(iin)), salt=f"{self.salts:020x}")["code"]
        self.sync()
        return str(code)

    def struck(self) -> list[dict[str, Any]]:
        answer = self.client.get("/api/remote/struck", headers={"authorization": f"Bearer {TOKEN}"})
        return cast(list[dict[str, Any]], answer.json()["struck"])

    def sync(self) -> None:
        synced(self)


def synced(*several: Machine | Remote) -> None:
    for machine in several:
        while machine.link.once():
            continue


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    monkeypatch.setitem(VOTING, "remote", REMOTE)
    monkeypatch.setitem(VOTING, "paper-beats-electronic", PAPER)
    with world_of(connection, tmp_path, VOTERS) as made:
        yield made


@pytest.fixture
def strict(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """No rule says that paper replaces an electronic ballot, and nobody votes at any station."""
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    monkeypatch.setitem(VOTING, "remote", REMOTE)
    monkeypatch.delitem(VOTING, "any-station")
    with world_of(connection, tmp_path, VOTERS) as made:
        yield made


def tablet_at(world: World, machine: Machine, lang: str = "en") -> Tablet:
    return Tablet(manned(machine.keep, machine.link, lambda: world.now), "member1", lang)


def asked_by_page(tablet: Tablet, iin: str) -> str:
    """The page that an officer gets for an IIN; where it offers to, he asks."""
    page = tablet.post("/elsewhere", iin=iin).text
    if "/elsewhere/ask" in page:
        form = page.split("/elsewhere/ask")[1].split("</form>")[0]
        said = tablet.post("/elsewhere/ask", **dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)))
        assert said.headers["location"] == f"/en/waiting/{who(iin)}"
    return page


def handed_out(tablet: Tablet, iin: str) -> int:
    form = tablet.fields(f"/voter/{who(iin)}", "/hand-out")
    return tablet.post("/hand-out", **form).status_code


def clean(world: World) -> bool:
    found = [found for _, several in audit_poll(world.connection, POLL) for found in several]
    return not alarms(world.connection, POLL) and not found


def test_paper_beats_electronic_and_each_right_is_used_once(world: World, tmp_path: Path) -> None:
    remote, away = Remote(world), world.start("B-1")
    # Before any list of A-1 is made nobody else can have his right: it comes at once
    codes = [remote.vote(IIN["A-1"][0]), remote.vote(IIN["A-1"][1])]
    assert {one.why for one in remote.keep.book.came.values()} == {"ahead"}
    home = world.start("A-1")
    assert sorted(voter.away for voter in home.keep.package.voters) == ["", "", "remote/1", "remote/1"]
    # B-1 has its list: the right comes when that station has let it go
    waits = remote.ask(IIN["B-1"][0])
    assert (waits["state"], waits["holder"]["id"]) == ("waiting", "B-1")
    synced(away)
    codes.append(remote.vote(IIN["B-1"][0]))
    # The first one comes to his own station: asked for, struck, let go, granted; and only then there is a ballot
    desk = tablet_at(world, home)
    assert "has voted electronically" in asked_by_page(desk, IIN["A-1"][0])
    synced(home)
    with pytest.raises(Refused, match=r"P\.022"):
        home.check_in(who(IIN["A-1"][0]), world.now)
    synced(remote, home)
    assert handed_out(desk, IIN["A-1"][0]) == 303
    synced(home)
    # and does not vote electronically any more
    said = remote.ask(IIN["A-1"][0])["error"]
    assert (said["check"], said["holder"]["id"]) == ("P.021", "A-1")
    # The second one stands at another station while the channel's wire is cut: he waits
    elsewhere = tablet_at(world, away)
    asked_by_page(elsewhere, IIN["A-1"][1])
    synced(away)
    assert "electronic voting" in elsewhere.get(f"/waiting/{who(IIN['A-1'][1])}").text
    with pytest.raises(Refused, match=r"P\.020"):
        away.check_in(who(IIN["A-1"][1]), world.now)
    synced(remote, away)
    assert handed_out(elsewhere, IIN["A-1"][1]) == 303
    # Paper first: the channel hears that he has voted
    home.check_in(who(IIN["A-1"][2]), world.now)
    synced(home, away)
    assert remote.ask(IIN["A-1"][2])["error"]["check"] == "P.021"
    # A right that came and was not used goes back without anything being struck
    remote.ask(IIN["B-1"][1])
    synced(away)
    assert remote.ask(IIN["B-1"][1])["state"] == "granted"
    assert "has voted electronically" not in asked_by_page(elsewhere, IIN["B-1"][1])
    synced(remote, away)
    assert handed_out(elsewhere, IIN["B-1"][1]) == 303
    struck = remote.struck()
    assert [one["entitlement"] for one in struck] == [str(who(iin)) for iin in IIN["A-1"][:2]] and clean(world)
    (state,) = channel_states(world.connection, POLL, world.now)
    assert (state.state.check_ins, state.struck, state.taken_out, state.state.step) == (1, 2, 0, "open")
    for ballot in struck:
        remote.post("struck", event=ballot["event"])
    synced(home, away, remote)
    the_evening(world, home, away, remote)
    found = [pollbook_find.find(world.connection, POLL, code) for code in codes]
    assert [(one.station, one.state) for one in found] == [("remote", "undone")] * 2 + [("remote", "counted")]
    sums = pollbook_find.totals(world.connection, POLL)
    assert (sums["stations"], sums["used"], sums["electronic"]) == (2, 5, 1)
    assert pollbook_find.electronic(world.connection, world.poll) == 1
    declare(world.connection, world.poll, KEYS, "final", world.at(23, 40), close=True)
    log.sign_checkpoint(world.connection, POLL, KEYS.log)
    write_bundle(world.connection, POLL, KEYS, world.folder / "bundle")
    assert failed(bundle_of(world, tmp_path / "true", lambda body: None, "roll")) == (set(), set())

    def off(body: dict[str, Any]) -> None:
        body["voting"]["remote"] = {"on": False, "cite": "Pilot 3"}
        del body["voting"]["paper-beats-electronic"]

    ours, theirs = failed(bundle_of(world, tmp_path / "off", off, "poll"))
    assert "V.14" in ours and "V.14" in theirs, "check-ins of a channel that no rule knows"


def the_evening(world: World, home: Machine, away: Machine, remote: Remote) -> None:
    """Reports, closing, protocols: what stations say of themselves leaves the channel out."""
    world.at(20)
    synced(home, away, remote)
    assert report(world.connection, world.poll, world.now) > 0
    assert set(reported(world.connection, POLL, "14:00")) == {"A-1", "B-1"}
    assert all("remote" not in missing for _, _, missing in late(world.connection, world.poll, world.now))
    for machine in (home, away):
        machine.do(acts.do_close, officer="chair", at=world.now)
    assert remote.post("close")["closed"]
    synced(home, away, remote)
    assert clean(world)
    for station, received in (("A-1", 2), ("B-1", 2)):
        assert fields(world.connection, POLL, station)["received"] == received
        said = {"eligible": fields(world.connection, POLL, station)["eligible"], "received": received, "participated": received,
                "yes": received, "no": 0, "invalid": 0, "not_counted": 0}  # fmt: skip
        known = beside(lambda poll: KEYS.commission, lambda: world.now)
        (receipt,) = receive(
            world.connection, world.poll, one_protocol("q1", station, said), by="account/x", at=world.now, beside=known
        )
        assert not [check for check in receipt.checks if check.startswith("B.1")], receipt
    seal(world.connection, POLL, KEYS.commission, world.now)
    engine = cast(sa.Engine, OneConnection(world.connection))
    first_account(world.connection, "anna", "a long pass phrase")
    pages = [
        centre_pages.router(engine, centre_door(engine), lambda: world.now, late),
        pollbook_pages.router(engine, render),
        public_pages.router(DatabaseSource(engine), render),
        desk_router(engine),
    ]
    site = SiteClient(create_site(engine, pages, world.folder), base_url="http://centre", follow_redirects=False)
    assert site.post("/en/desk/in", data={"name": "anna", "password": "a long pass phrase"}).status_code == 303
    page = site.get(f"/ru/desk/pollbook/{POLL}").text
    assert 'data-channel="remote"' in page and "из них электронно: 1" in page
    assert 'data-electronic="1"' in site.get(f"/kk/polls/{POLL}/pollbook").text
    assert 'data-electronic="1"' in site.get(f"/ru/polls/{POLL}/turnout").text


def test_without_the_rule_the_electronic_ballot_stands_and_his_station_names_it(strict: World) -> None:
    remote, home = Remote(strict), strict.start("A-1")
    remote.ask(IIN["A-1"][0])
    synced(home)
    remote.vote(IIN["A-1"][0])
    page = asked_by_page(tablet_at(strict, home), IIN["A-1"][0])
    assert "electronic voting" in page and "P.070" in page and "/elsewhere/ask" not in page
    with pytest.raises(DauysError, match=r"P\.021"):
        home.link.wire.question("ask", {"request": "r", "entitlement": str(who(IIN["A-1"][0]))})
    # What is not used comes back to his own station, although nobody votes at any station in this poll
    remote.ask(IIN["A-1"][1])
    synced(home)
    assert remote.ask(IIN["A-1"][1])["state"] == "granted"
    desk = tablet_at(strict, home)
    asked_by_page(desk, IIN["A-1"][1])
    synced(remote, home)
    assert handed_out(desk, IIN["A-1"][1]) == 303
    synced(home)
    assert clean(strict) and not remote.struck()


def test_on_other_days_nothing_is_taken_and_nothing_struck(world: World) -> None:
    remote = Remote(world)
    remote.vote(IIN["A-1"][0])
    home = world.start("A-1")
    world.clock[0] -= timedelta(days=1)  # the eve: no station hands out ballots
    with pytest.raises(DauysError, match=r"P\.021"):
        home.link.wire.question("ask", {"request": "r", "entitlement": str(who(IIN["A-1"][0]))})
    world.clock[0] -= timedelta(days=7)
    assert remote.ask(IIN["A-1"][1])["error"]["check"] == "P.033"


def test_a_channel_that_is_lost_has_no_paper_and_frees_nothing(world: World) -> None:
    remote = Remote(world)
    remote.vote(IIN["A-1"][0])
    packing_out.lose(world.connection, POLL, "remote")
    assert two_typists.lost_machines(world.connection, POLL) == []
    with pytest.raises(DauysError, match="nobody signs on paper"):
        by_hand.lost_log(world.connection, POLL, "remote")
    again = Remote(world)
    assert again.keep.log.holder == "remote/2"
    assert again.ask(IIN["A-1"][0])["error"]["check"] == "P.021"
    again.sync()
    assert [one.state.step for one in channel_states(world.connection, POLL, world.now)] == ["lost", "open"]
    assert whole(world.connection, POLL).logs == 0 and clean(world)


def test_a_package_for_the_channel_only_where_it_is_on(world: World) -> None:
    world.poll = with_an_area_further_west(world.poll)  # nobody waits for an hour when no station is open
    packed = world.packed("remote")
    package = unseal(packed.data, packed.code)
    assert (package.voters, package.stations, package.closes) == ((), {}, "20:00")
    poll = world.poll
    assert poll.voting is not None
    for voting, match in (
        ({**poll.voting, "remote": REMOTE | {"last": "2022-06-06"}}, "after the polling day"),
        ({**poll.voting, "remote": {"on": True, "cite": "x"}}, "missing"),
    ):
        with pytest.raises(BadInput, match=match):
            channels_of(type(poll)(**{name: getattr(poll, name) for name in poll.__slots__} | {"voting": voting}))
    world.poll = type(poll)(**{name: getattr(poll, name) for name in poll.__slots__} | {"voting": None})
    with pytest.raises(NotAllowed, match=r"P\.026"):
        world.packed("remote")
