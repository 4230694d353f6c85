"""A slip at the table, or a cut wire, costs no voter his right: certificates are taken back, envelopes find their voters."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from joined_world import KEYS, POLL, VAULT, VOTING, Machine, World, held, iin_of, right, synced, world_of

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_tablet import Tablet
from station_world import manned

from dauys.errors import BadInput
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts, unnamed
from dauys.pollbook.machine.sync import CentreRefused
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.settling import named
from dauys.pollbook.station import door as station_door
from dauys.polls.pollbook_join import envelopes, resolve_envelopes

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    monkeypatch.setitem(VOTING, "certificate", {"on": True, "until": "18:00", "cite": "Pilot 3"})
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    with world_of(connection, tmp_path, {"A-1": 4, "B-1": 2}) as made:
        for station, place in (("A-1", "Ақбұлақ"), ("B-1", "Көкжар")):
            made.connection.execute(
                sa.text("UPDATE station SET settlement = :place WHERE id = :id"), {"place": place, "id": station}
            )
        yield made


def at_table(world: World, machine: Machine, lang: str = "en") -> Tablet:
    return Tablet(manned(machine.keep, machine.link, lambda: world.now), "member1", lang)


def certified(world: World, machine: Machine) -> Event:
    """The eve: a certificate is noted for voter 1, who never asked for one."""
    eve = world.now - timedelta(days=1)
    event = machine.do(acts.do_certificate, right(1), number="C-100", officer="member1", at=eve)
    synced(machine)
    assert held(world, right(1)) == ("certificate", 1, 0)
    return event


def sound(world: World) -> bool:
    """No alarm, and the story of each right holds by the logs alone."""
    return alarms(world.connection, POLL) == [] and not [
        one for _, some in audit_poll(world.connection, POLL) for one in some
    ]


# A certificate noted for the wrong person


def test_a_certificate_noted_for_the_wrong_person_is_taken_back_at_the_table(world: World) -> None:
    home = world.start("A-1")
    certified(world, home)
    tablet = at_table(world, home)
    page = f"/voter/{right(1)}"
    assert "noted for the wrong person" in tablet.get(page).text
    form = tablet.fields(page, "/certificate-back")
    assert "P.032" in tablet.post("/certificate-back", **form).text
    sent = [tablet.post("/certificate-back", **form, reason="wrong person picked") for _ in range(2)]  # a double tap
    assert [one.headers["location"] for one in sent] == [f"/en/waiting/{right(1)}"] * 2
    assert [event.kind for event in home.keep.events()].count("certificate-back") == 1
    assert tablet.post("/hand-out", who=str(right(1)), salt="7" * 20, channel="polling-day").status_code == 409, (
        "not before the centre gives it"
    )
    assert "It was taken back at" in tablet.get(page).text and "certificate-back" not in tablet.get(page).text
    synced(home)
    assert held(world, right(1)) == ("station/A-1/1", 2, 0)
    assert home.keep.book.certificates == home.keep.book.backs == {}
    assert tablet.get(f"/waiting/{right(1)}").headers["location"] == f"/en{page}"
    assert tablet.post("/hand-out", **tablet.fields(page, "/hand-out")).status_code == 303
    synced(home)
    assert held(world, right(1)) == ("station/A-1/1", 2, 1) and sound(world)


def test_a_certificate_that_was_shown_elsewhere_does_not_come_back(world: World) -> None:
    home, away = world.start("A-1"), world.start("B-1")
    certified(world, home)
    home.do(
        acts.do_certificate_back, right(1), reason="wrong person", officer="member1", at=world.at(9)
    )  # not sent yet
    away.link.wire.question("ask", {"request": "r1", "entitlement": str(right(1))})
    synced(away, home, home)
    assert held(world, right(1)) == ("station/B-1/1", 2, 0)
    away.check_in(right(1), world.at(10))
    with pytest.raises(acts.Refused, match=r"P\.022"):
        home.check_in(right(1), world.now)
    with pytest.raises(acts.Refused, match=r"P\.080"):
        home.do(acts.do_certificate_back, right(1), reason="again", officer="member1", at=world.now)
    synced(away, home)
    assert held(world, right(1))[::2] == ("station/B-1/1", 1) and sound(world)


def test_a_log_that_did_not_give_the_certificate_cannot_take_it_back(world: World) -> None:
    home, away = world.start("A-1"), world.start("B-1")
    certified(world, home)
    with pytest.raises(acts.Refused, match=r"P\.080"):
        away.do(acts.do_certificate_back, right(1), reason="mine", officer="member1", at=world.at(9))
    book = away.keep.book  # a program that keeps to no rule
    book.certificates[right(1)] = "C-100"
    book.places[right(1)] = home.keep.book.places[right(1)]
    away.do(acts.do_certificate_back, right(1), reason="mine", officer="member1", at=world.now)
    synced(away)
    assert held(world, right(1)) == ("certificate", 1, 0)
    assert [alarm.number for alarm in alarms(world.connection, POLL)] == ["P.103"]


def test_his_own_station_takes_a_certificate_back_whatever_the_settlement(world: World) -> None:
    home, other = world.start("A-1"), world.start("A/2")
    world.connection.execute(sa.text("UPDATE station SET settlement = 'Ақбұлақ' WHERE id = 'A/2'"))
    certified(world, home)
    page = at_table(world, other).post("/elsewhere", iin=iin_of(1)).text
    assert "P.035" in page and "elsewhere/ask" not in page, "at another station of the settlement it is worth nothing"
    page = at_table(world, home).post("/elsewhere", iin=iin_of(1)).text
    assert "must bear the number C-100" in page and "elsewhere/ask" in page
    home.link.wire.question("ask", {"request": "r1", "entitlement": str(right(1))})
    synced(home)
    assert held(world, right(1)) == ("station/A-1/1", 2, 0) and sound(world)


# An envelope taken while the wire is cut


def enveloped(world: World, machine: Machine, serial: int, lang: str = "en") -> tuple[Tablet, str, dict[str, str]]:
    """A voter stands at a station that asks for him: the page of his envelope, and the form that made it."""
    tablet = at_table(world, machine, lang)
    page = tablet.post("/elsewhere", iin=iin_of(serial)).text
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page[page.index(f'action="/{lang}/envelope"') :]))
    form = {name: form[name] for name in ("id", "who", "whose")}
    return tablet, tablet.post("/envelope", **form, reason="no network").text, form


def closed(world: World, *machines: Machine) -> None:
    for machine in machines:
        machine.do(acts.do_close, officer="chair", at=world.at(20))


def resolved(world: World, final: bool = False) -> list[tuple[bool | None, str, str]]:
    by = ("anna", "boris") if final else ()
    resolve_envelopes(world.connection, world.poll, KEYS.commission, world.now, by)
    return [(line.counts, line.check, line.named) for line in envelopes(world.connection, world.poll).lines]


@pytest.mark.parametrize("before_closing", [True, False])
def test_an_envelope_taken_with_the_wire_cut_finds_its_voter(world: World, before_closing: bool) -> None:
    home, other = world.start("A-1"), world.start("B-1")
    world.at(9)
    world.wires.cut = True
    tablet, page, form = enveloped(world, other, 1)
    assert "leave this machine switched on" in page and form["who"] == ""
    assert tablet.post("/envelope", **form, reason="no network").text.count(form["id"][:8].upper()) == 1, "a reload"
    assert tablet.post("/envelope", id=str(UUID(int=7)), reason="no network").status_code == 422, "nobody knows whose"
    other.link.once()
    assert len(other.keep.book.envelopes) == 1 and unnamed.kept(other.keep) == [UUID(form["id"])]
    if not before_closing:
        closed(world, home, other)
    world.wires.cut = False
    synced(home, other)
    assert other.keep.book.envelopes[0].entitlement == right(1) and unnamed.kept(other.keep) == []
    assert other.keep.kept(f"envelope-{form['id']}") is None, "nothing of him stays"
    if before_closing:
        closed(world, home, other)
        synced(home, other)
    assert all(iin_of(1).encode() not in event.to_bytes() for event in other.keep.events())
    assert resolved(world) == [(True, "P.065", "station")]
    assert held(world, right(1))[::2] == ("envelope/B-1/1", 1) and sound(world)


def test_an_envelope_whose_voter_came_home_all_the_same_does_not_count(world: World) -> None:
    home, other = world.start("A-1"), world.start("B-1")
    world.at(9)
    world.wires.cut = True
    enveloped(world, other, 1)
    home.check_in(right(1), world.at(10))
    closed(world, home, other)
    world.wires.cut = False
    synced(home, other)
    assert resolved(world) == [(False, "P.061", "station")] and sound(world)


def test_who_is_not_on_the_roll_yet_is_asked_for_again(world: World) -> None:
    other = world.start("B-1")
    world.at(9)
    enveloped(world, other, 77)
    asked = "SELECT count(*) FROM pollbook_question WHERE what = 'envelope'"
    for _ in range(3):
        synced(other)
        assert world.connection.scalar(sa.text(asked)) == 1, "not with every sign of life"
    world.at(9, 30)
    synced(other)
    assert world.connection.scalar(sa.text(asked)) == 2 and len(unnamed.kept(other.keep)) == 1


def test_the_centre_says_whose_right_it_is_only_for_an_envelope_that_lies_there(world: World) -> None:
    home, other = world.start("A-1"), world.start("B-1")
    world.at(9)
    world.wires.cut = True
    _, _, form = enveloped(world, other, 1)
    world.wires.cut = False
    with pytest.raises(CentreRefused, match=r"P\.081"):
        home.link.wire.question("envelope", {"id": form["id"], "iin": iin_of(1)})


def test_a_second_name_for_an_envelope_raises_an_alarm_and_changes_nothing(world: World) -> None:
    other = world.start("B-1")
    world.at(9)
    world.wires.cut = True
    enveloped(world, other, 1)
    world.wires.cut = False
    synced(other)
    n = other.keep.book.envelopes[0].n
    body = {"of": n, "entitlement": str(right(2))}
    with pytest.raises(acts.Refused, match=r"P\.081"):
        acts.next_event(other.keep.book, "envelope-of", world.now, **body)
    other.keep.book.envelopes = [dataclasses.replace(one, entitlement=None) for one in other.keep.book.envelopes]
    other.do(acts.next_event, "envelope-of", world.now, **body)
    synced(other)
    assert [alarm.number for alarm in alarms(world.connection, POLL)] == ["P.112"]
    assert [line.at.entitlement for line in envelopes(world.connection, world.poll).lines] == [right(1)]


def test_two_clerks_say_whose_envelope_it_is_where_its_machine_cannot(world: World) -> None:
    home, other = world.start("A-1"), world.start("B-1")
    event = other.do(acts.do_envelope, UUID(int=5), reason="no network", officer="member1", at=world.at(9))
    closed(world, home, other)
    synced(home, other)
    assert resolved(world) == [(None, "P.060", "")]
    place = other.keep.log, event.n

    def say(by: str, serial: int, reason: str = "named in the commission's act") -> bool | None:
        return named.name_one(world.connection, VAULT, place, iin_of(serial), (reason, by), world.now)

    with pytest.raises(BadInput, match="how it is known"):
        say("anna", 1, " ")
    with pytest.raises(BadInput, match="not on the roll"):
        say("anna", 77)
    assert [say("anna", 1), say("anna", 1), say("boris", 2)] == [None, None, False], "nobody agrees with himself"
    assert named.guessed(world.connection, POLL) == {place: ["anna", "boris"]}
    assert say("boris", 1) is True and named.guessed(world.connection, POLL) == {}
    with pytest.raises(CustodyError, match=r"P\.081"):
        say("vera", 2)
    kept = world.connection.execute(sa.text("SELECT first, second, reason, told FROM pollbook_envelope_of")).one()
    assert kept == ("anna", "boris", "named in the commission's act; named in the commission's act", None)
    assert resolved(world) == [(True, "P.065", "clerks")] and sound(world)
