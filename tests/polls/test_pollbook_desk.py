"""The desk does what the commands do: a lost machine's paper typed by two clerks, rights withdrawn and given back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from fastapi import Request
from joined_world import KEYS, POLL, VAULT, VOTING, OneConnection, World, iin_of, world_of
from test_paper_and_withdrawals import duplicate, right

from dauys.cli.site_pages import clerks_door
from dauys.pollbook.desk import clerks as centre_desk
from dauys.pollbook.desk import stations as centre_pages
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import two_typists
from dauys.pollbook.paper.by_hand import lost_log
from dauys.polls.pollbook_join import envelopes, give_back, late, resolve_envelopes, seal, withdraw
from dauys.polls.pollbook_protocols import to_correct
from dauys.record import log
from dauys.roll.changes import propose_back, roll_back
from dauys.roll.pages import Officer
from dauys.stations.accounts import make_account, sign_in
from dauys.stations.ledger import lock
from dauys.stations.requests import COOKIE
from dauys.stations.states import Role
from dauys.web.app import create_app
from dauys.web.clerks import clerks_router
from site_client import SiteClient

pytestmark = pytest.mark.database
PASSWORD = "a long pass phrase"
PAPER, RIGHTS = f"/en/desk/pollbook-paper/{POLL}", f"/en/desk/withdrawals/{POLL}"
ENVELOPES = f"/en/desk/envelopes/{POLL}"


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 6, "B-1": 4}) as made:
        yield made


class Clerk:
    """Somebody at the desk, by the word of the shell."""

    def __init__(self, world: World, name: str) -> None:
        self.mark = f"mark of {name}"
        self.site = site(world, lambda request: Officer(f"account/{name}", self.mark))

    def send(self, page: str, act: str, **fields: str) -> tuple[int, str]:
        answer = self.site.post(page, data={"mark": self.mark, "act": act, **fields})
        assert answer.headers["cache-control"] == "no-store"
        return answer.status_code, answer.text


def site(world: World, who: Callable[[Request], Officer | None]) -> SiteClient:
    engine = cast(sa.Engine, OneConnection(world.connection))
    desk = centre_desk.Desk(
        lambda: VAULT,
        lambda: world.now,
        lambda poll: KEYS.commission,
        lock,
        seal,
        withdraw,
        give_back,
        envelopes,
        resolve_envelopes,
        to_correct,
        world.dice.randbytes,
    )
    routers = [
        centre_pages.router(engine, lambda request: None, lambda: world.now, late),
        clerks_router(centre_desk.pages(engine, desk), who),
    ]
    app = create_app(engine, routers, world.folder)
    return SiteClient(app, base_url="http://centre", follow_redirects=False)


def fact(text: str, name: str) -> list[str]:
    return re.findall(rf'data-{name}="([^"]*)"', text)


def test_two_clerks_type_a_lost_machines_paper_and_take_a_line_back(world: World) -> None:
    machine = world.start("A-1")
    machine.check_in(right(1), world.at(9))
    machine.link.once()
    anna, boris = Clerk(world, "anna"), Clerk(world, "boris")
    assert "No machine is declared lost" in anna.site.get(PAPER).text
    assert anna.site.get(f"{PAPER}?station=A-1").status_code == 404
    packing_out.lose(world.connection, POLL, "A-1")
    stations = anna.site.get(f"/en/desk/pollbook/{POLL}").text
    assert f'href="{PAPER}?station=A-1&amp;machine=1"' in stations
    page, paper = (
        f"{PAPER}?station=A-1&machine=1",
        f"{iin_of(1)} member1\n\n{iin_of(2)}; member2\n{iin_of(3)} member1 mobile\n",
    )
    assert anna.site.get(page).status_code == 200
    code, text = anna.send(page, "type", lines=f"{iin_of(1)} member1\n{iin_of(2)[:-1]} member2")
    assert code == 422 and "P.048" in text and "Row: 2" in text
    code, text = anna.send(page, "type", lines=paper)
    assert (code, fact(text, "done"), fact(text, "typed")) == (200, ["kept"], ["0"])
    assert iin_of(2) in text  # her own, to go on with
    stored = world.connection.execute(sa.text("SELECT * FROM pollbook_typing")).one()
    assert iin_of(1).encode() not in bytes(stored.sealed) and stored.lines == 3
    assert fact(anna.send(page, "type", lines=paper)[1], "done") == ["kept"]  # alone she is one person, however often
    seen = boris.site.get(page).text
    assert fact(seen, "other") == ["anna"] and iin_of(2) not in seen  # neither sees the other's
    code, text = boris.send(page, "type", lines=f"{iin_of(1)} member1\n{iin_of(2)} member1\n{iin_of(4)} member1")
    assert fact(text, "done") == ["differs"]
    assert "Your rows that differ: 2, 3" in text and "Rows of anna that you do not have: 4" in text
    assert world.connection.scalar(sa.text("SELECT count(*) FROM pollbook_log WHERE generation > 500")) == 0
    code, text = boris.send(page, "type", lines=paper.replace(";", ","))
    assert (fact(text, "done"), fact(text, "typed")) == (["taken"], ["2"])
    assert "Taken in: 2" in text and "reported by the machine already: 1" in text
    assert world.connection.scalar(sa.text("SELECT count(*) FROM pollbook_typing")) == 0
    found = sums_at(world.connection, POLL, "A-1")
    assert found is not None and (found.sums.received, found.sums.mobile_received, found.sealed) == (3, 1, 3)
    # taken back by two: who proposed it does not confirm it
    code, text = anna.send(page, "propose", lines=f"{iin_of(2)} member2", reason=f"it was {iin_of(3)}")
    assert code == 422 and "P.077" in text and fact(text, "proposal") == []
    code, text = anna.send(page, "propose", lines=f"{iin_of(2)} member2", reason="another station's sheet")
    assert fact(text, "proposal") == ["anna"] and "Confirm: take back" not in text
    at = world.connection.scalar(sa.text("SELECT at FROM pollbook_typing")).isoformat()
    code, text = anna.send(page, "confirm", by="account/anna", at=at)
    assert code == 422 and "P.058" in text
    assert iin_of(2) in boris.site.get(page).text  # who confirms sees what
    code, text = boris.send(page, "confirm", by="account/anna", at=at.replace("2022", "2021"))
    assert code == 422 and "P.053" in text
    code, text = boris.send(page, "confirm", by="account/anna", at=at)
    assert (fact(text, "done"), fact(text, "typed")) == (["taken back"], ["1"])
    entries = [entry.body for _, entry in log.of_kind(world.connection, POLL, "check-ins")]
    assert [(one["generation"], one["used"]) for one in entries] == [(1, 1), (501, 2), (501, 1)]
    assert list(audit_poll(world.connection, POLL)) == [(10, [])]  # paper of a lost machine is no broken rule


def test_a_line_that_was_only_counted_can_be_taken_back(world: World) -> None:
    machine, anna, boris = world.start("A-1"), Clerk(world, "anna"), Clerk(world, "boris")
    machine.check_in(right(1), world.at(9))
    machine.link.once()
    packing_out.lose(world.connection, POLL, "A-1")
    page, line = f"{PAPER}?station=A-1&machine=1", f"{iin_of(1)} member1"
    assert 'value="propose"' not in anna.site.get(page).text, "nothing was typed yet"
    for clerk in (anna, boris):
        code, text = clerk.send(page, "type", lines=line)
    assert (code, fact(text, "done"), fact(text, "typed")) == (200, ["taken"], ["0"])
    assert 'value="propose"' in anna.site.get(page).text
    anna.send(page, "propose", lines=line, reason="misread")
    at = world.connection.scalar(sa.text("SELECT at FROM pollbook_typing")).isoformat()
    code, text = boris.send(page, "confirm", by="account/anna", at=at)
    assert fact(text, "done") == ["taken back"] and "Taken back: 1" in text
    assert 'value="propose"' not in text and "reported by the machine already: 1" in text


def test_the_disk_is_found_and_what_stands_in_both_is_taken_back(world: World) -> None:
    machine, anna, boris = world.start("A-1"), Clerk(world, "anna"), Clerk(world, "boris")
    packing_out.lose(world.connection, POLL, "A-1")
    page = f"{PAPER}?station=A-1"
    anna.send(page, "type", lines=f"{iin_of(99)} member1")
    code, text = boris.send(page, "type", lines=f"{iin_of(99)} member1")
    assert code == 422 and "P.020" in text and "Row: 1" in text
    assert fact(anna.send(page, "forget")[1], "done") == ["forgotten"]
    anna.send(page, "type", lines=f"{iin_of(2)} member1")
    assert fact(boris.send(page, "type", lines=f"{iin_of(2)} member1")[1], "done") == ["taken"]
    machine.check_in(right(2), world.at(9))
    machine.link.once()
    stations = f"/en/desk/pollbook/{POLL}"
    text = anna.site.get(stations).text
    assert (fact(text, "standing"), fact(text, "settled")) == (["1"], [])
    assert "P.032" in boris.send(page, "propose", found="yes", reason=" ")[1]
    assert fact(boris.send(page, "propose", found="yes", reason="the disk was found")[1], "proposal") == ["boris"]
    lost = lost_log(world.connection, POLL, "A-1")
    (proposed,) = two_typists.kept(world.connection, lost, two_typists.BACK)
    text = anna.send(page, "confirm", by=proposed.by, at=proposed.at.isoformat())[1]
    assert (fact(text, "done"), fact(text, "typed")) == (["taken back"], ["0"])
    text = anna.site.get(stations).text
    assert (fact(text, "standing"), fact(text, "settled")) == ([], ["1"]) and "of these settled: 1" in text


def test_clerks_withdraw_rights_and_give_them_back(world: World) -> None:
    anna, boris = Clerk(world, "anna"), Clerk(world, "boris")
    number = str(duplicate(world, goes=1, stays=7))
    assert fact(anna.site.get(RIGHTS).text, "set") == [number]
    assert "P.032" in anna.send(RIGHTS, "withdraw", set=number, reason=" ")[1]
    assert "P.047" in anna.send(RIGHTS, "withdraw", set="all", reason="x")[1]
    assert "P.077" in anna.send(RIGHTS, "withdraw", set=number, reason=f"{iin_of(1)} twice")[1]
    text = anna.send(RIGHTS, "withdraw", set=number, reason="twice on the roll")[1]
    assert (fact(text, "done"), fact(text, "withdrawn")) == (["asked"], ["1"])
    text = anna.send(RIGHTS, "back", set=number, reason="two people")[1]
    assert "one person would have two rights: 1" in text and fact(text, "returned") == ["0"]
    propose_back(world.connection, int(number), "olga", world.now, "they are two people")
    roll_back(world.connection, int(number), "account/boris", world.now, "they are two people")
    code, text = boris.send(RIGHTS, "back", set=number, reason="two people")
    assert code == 422 and "P.058" in text
    text = anna.send(RIGHTS, "back", set=number, reason="two people")[1]
    assert (fact(text, "done"), fact(text, "returned"), fact(text, "withdrawn")) == (["back"], ["1"], ["0"])
    assert "once a machine works): 1" in text, "his station has none yet, and the clerk hears so"
    assert "two people" in text.partition("Given back")[2]  # why, and by whom, stays on the page
    names = [entry.id for _, entry in log.of_kind(world.connection, POLL, "restorations")]
    assert names == ["restorations/A-1/1"]
    (machine := world.start("A-1")).link.once()
    assert machine.keep.book.places[right(1)].standing == "here"


def test_two_clerks_say_at_the_desk_whose_envelope_it_is(
    connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "P"})
    with world_of(connection, tmp_path, {"A-1": 6, "B-1": 4}) as world:
        anna, boris = Clerk(world, "anna"), Clerk(world, "boris")
        there = world.start("B-1")
        taken = there.do(acts.do_envelope, UUID(int=5 << 96), reason="cut", officer="member1", at=world.at(9))
        there.link.once()
        assert "Say whose it is" in anna.site.get(ENVELOPES).text
        form = {"station": "B-1", "generation": "1", "event": str(taken.n), "reason": "the commission's act"}
        assert anna.send(ENVELOPES, "name", **form | {"event": "x"}, iin=iin_of(1))[0] == 422
        texts = [
            clerk.send(ENVELOPES, "name", **form, iin=iin_of(n)) for clerk, n in ((anna, 1), (boris, 2), (boris, 1))
        ]
        assert [(status, fact(text, "said")) for status, text in texts] == [
            (200, ["none"]),
            (200, ["false"]),
            (200, ["true"]),
        ]
        assert fact(texts[0][1], "by") == ["anna"] and all(iin_of(1) not in text for _, text in texts)
        assert anna.send(ENVELOPES, "name", **form, iin=iin_of(1))[0] == 422
        (line,) = envelopes(world.connection, world.poll).lines
        assert (line.at.entitlement, line.named) == (right(1), "clerks")


def test_clerks_see_the_envelopes_and_resolve_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = Clerk(world, "anna")
    assert "No envelope was taken" in anna.site.get(ENVELOPES).text
    monkeypatch.setattr(
        world, "poll", replace(world.poll, voting={"envelope": {"on": True, "two": "none", "cite": "P"}})
    )
    home, there = world.start("A-1"), world.start("B-1")
    there.do(acts.do_envelope, UUID(int=5 << 96), reason="no answer", officer="member1", at=world.at(9), who=right(1))
    for machine in (home, there):
        machine.link.once()
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "to_correct", lambda *_: ["A-1", "B-1"])
        assert fact(Clerk(world, "carla").site.get(ENVELOPES).text, "to-correct") == ["A-1 B-1"]
    text = anna.site.get(f"/en/desk/pollbook/{POLL}").text
    assert f'href="{ENVELOPES}" data-envelopes="1"' in text and "not resolved: 1" in text
    # the poll in the record knows no envelopes: the law says so, and so does the page
    text = anna.site.get(ENVELOPES).text
    assert (fact(text, "envelope"), fact(text, "missing"), fact(text, "check")) == (["00000005"], ["2"], ["P.026"])
    assert fact(text, "to-correct") == []
    assert fact(anna.send(ENVELOPES, "resolve")[1], "done") == ["0"]
    code, text = anna.send(ENVELOPES, "resolve", final="yes")
    assert code == 409 and "too early" in text
    world.at(21)
    for _ in range(2):
        code, text = anna.send(ENVELOPES, "resolve", final="yes")
        assert (code, fact(text, "done"), fact(text, "final"), fact(text, "counts")) == (200, [], ["anna"], [])
    assert fact(anna.send(ENVELOPES, "resolve")[1], "final") == [], "taken back"
    anna.send(ENVELOPES, "resolve", final="yes")
    text = Clerk(world, "boris").send(ENVELOPES, "resolve", final="yes")[1]
    assert (fact(text, "done"), fact(text, "counts"), fact(text, "counted")) == (["1"], ["false"], ["0"])
    for lang in ("kk", "ru"):
        assert "00000005" in anna.site.get(ENVELOPES.replace("/en/", f"/{lang}/")).text


def test_the_pages_are_for_clerks_and_for_their_own_forms(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dauys.cli.site_pages.now", lambda: world.now)
    world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    real = site(world, clerks_door(cast(sa.Engine, OneConnection(world.connection))))
    make_account(world.connection, "a1", Role.STATION, PASSWORD, poll=POLL, station="A-1")
    make_account(world.connection, "vera", Role.CLERK, PASSWORD)
    for name, status in (("", 303), ("a1", 303), ("vera", 200)):
        token = sign_in(world.connection, name, PASSWORD, world.now) if name else "x"
        real.cookies.set(COOKIE, str(token))
        assert [real.get(page).status_code for page in (PAPER, RIGHTS, ENVELOPES)] == [status] * 3
    anna = Clerk(world, "anna")
    for page in (PAPER, RIGHTS, ENVELOPES):
        assert site(world, lambda request: None).post(page, data={"act": "type"}).headers["location"] == "/en/desk/in"
        code, text = anna.send(f"{page}?station=A-1", "withdraw", mark="another")
        assert code == 403 and "P.046" in text
        answer = anna.site.post(page, data={"mark": anna.mark}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    for lang, word in (("kk", "Жоғалған"), ("ru", "утраченной")):
        assert word in anna.site.get(f"{PAPER}?station=A-1".replace("/en/", f"/{lang}/")).text
        assert anna.site.get(RIGHTS.replace("/en/", f"/{lang}/")).status_code == 200
    assert anna.site.get(RIGHTS.replace(POLL, "no/poll")).status_code == 404
