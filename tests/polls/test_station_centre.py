"""Who was added to the roll: does his right reach him by the pages, once, and does the real centre say what tests' own one says?"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from joined_world import KEYS, POLL, VAULT, Machine, World, applied, rows, world_of

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_tablet import Tablet
from station_world import FakeCentre, manned

from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.log.events import Batch, LogError, LogId
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.enrolling import enrol, open_station
from dauys.pollbook.machine.sync import CentreRefused, Link, NotTheCentre, connect
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.packing.lists import find
from dauys.pollbook.rules import custody, decided
from dauys.pollbook.rules.audit import Finding
from dauys.pollbook.rules.channels import Ruling
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.decided import unlisted
from dauys.pollbook.rules.grants import Answer
from dauys.pollbook.serving import service
from dauys.pollbook.settling import additions
from dauys.pollbook.station import door as station_door
from dauys.pollbook.wire.package import Enrolment
from dauys.pollbook.wire.questions import Question
from dauys.pollbook.wire.replies import Reply
from dauys.polls.pollbook_join import channels_of
from dauys.record.canonical import canonical
from dauys.roll.freeze import add_set

pytestmark = pytest.mark.database
(NEW,) = rows({"A-1": 1}, first=50)
IIN = NEW["iin"]
WHO = UUID(bytes=VAULT.entitlement(POLL, VAULT.voter(IIN)))


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 4, "A/2": 3, "B-1": 2}) as world:
        yield world


def added(world: World, station: str = "A-1", first: int = 50) -> None:
    """The commission puts a voter on the frozen roll."""
    number = applied(world.connection, rows({station: 1}, first=first), world.now)
    add_set(world.connection, VAULT, world.poll, number, "address proved", KEYS.commission, world.now, additions)


def right(world: World) -> tuple[str, int, int]:
    query = sa.text("SELECT holder, epoch, state FROM entitlement WHERE id = :id")
    return tuple(world.connection.execute(query, {"id": WHO}).one())


def audited(world: World) -> list[Finding]:
    """What the audit finds in all logs that the centre has."""
    return [found for _, several in audit_poll(world.connection, POLL) for found in several]


def synced(*machines: Machine) -> None:
    for machine in machines:
        while machine.link.once():
            continue


def lost(world: World, station: str) -> Machine:
    """Its machine is gone, and another one works; the lost one's disk may be found."""
    packing_out.lose(world.connection, POLL, station)
    return world.start(station)


@pytest.mark.parametrize("on_the_list", [True, False])
def test_what_a_lost_machine_may_have_used_is_not_given_to_the_next_one(
    world: World, on_the_list: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He was added; the machine handed out his ballot, could not send it, and was given up: on its list, or come to it."""
    if on_the_list:
        added(world)
        assert right(world) == (unlisted("A-1"), 0, 0)
    first = world.start("A-1")
    if not on_the_list:
        added(world)
        assert first.link.wire.question("find", {"iin": IIN})["holder"] == first.keep.log.holder
        synced(first)
    held = right(world)
    assert held == ("station/A-1/1", 0 if on_the_list else 1, 0)
    first.check_in(WHO, world.at(9))  # never sent
    second = lost(world, "A-1")
    said = second.link.wire.question("find", {"iin": IIN})
    assert (said["line"], said["why"]["check"], said["holder"]) == (None, "P.034", "station/A-1/1")
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    for lang, text in (("en", "Perhaps used on the lost machine"), ("ru", "Неясно из-за утраченной машины")):
        tablet = Tablet(manned(second.keep, second.link, lambda: world.now), "member1", lang)
        page = tablet.post("/elsewhere", iin=IIN).text
        assert text in page and "P.034" in page and "elsewhere/ask" not in page
    with pytest.raises(NotTheCentre, match="not a question of a station"):  # what it cannot read it does not sign
        second.link.wire.question("add", {"request": "r", "person": {"iin": IIN}})
    synced(second, second)
    assert right(world) == held
    second.do(acts.do_close, officer="chair", at=world.at(20))
    other = world.start("B-1")
    other.link.wire.question("ask", {"request": "r2", "entitlement": str(WHO)})
    synced(second, other, other)
    with pytest.raises(acts.Refused, match=r"P\.020"):
        other.check_in(WHO, world.now)
    synced(first)  # its disk is found
    assert right(world)[::2] == ("station/A-1/1", 1) and alarms(world.connection, POLL) == []


def test_the_next_machine_gets_who_was_added_after_the_lost_ones_list(world: World) -> None:
    """No list had him, so nobody can have used his right: he is on the next list, and votes without any connection."""
    world.start("A-1")
    added(world)
    assert right(world) == (unlisted("A-1"), 0, 0)
    second = lost(world, "A-1")
    assert right(world) == ("station/A-1/2", 0, 0)
    second.check_in(WHO, world.at(9))
    synced(second)
    assert right(world) == ("station/A-1/2", 0, 1) and alarms(world.connection, POLL) == []


def test_by_the_pages_a_voter_on_no_list_gets_his_ballot_once_the_commission_added_him(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station_door, "COST", 1 << 4)
    here, there = world.start("A-1"), world.start("B-1")
    tablet, away = (Tablet(manned(m.keep, m.link, lambda: world.now), "member1") for m in (here, there))
    page = tablet.post("/elsewhere", iin=IIN).text
    assert "not on the roll" in page and "http://centre/en/roll" in page and "/add" not in page
    added(world)
    assert tablet.post("/elsewhere", iin=IIN).headers["location"] == f"/en/waiting/{WHO}"
    synced(here)
    assert tablet.get(f"/waiting/{WHO}").headers["location"] == f"/en/voter/{WHO}"
    form = tablet.fields(f"/voter/{WHO}", "/hand-out")
    assert tablet.post("/hand-out", **form).status_code == 303
    synced(here, here)
    assert "already received a ballot" in away.post("/elsewhere", iin=IIN).text
    assert tablet.post("/elsewhere", iin=IIN).headers["location"] == f"/en/voter/{WHO}"
    assert right(world) == ("station/A-1/1", 1, 1) and alarms(world.connection, POLL) == []


def test_the_centre_grants_nothing_that_the_law_does_not_know(world: World) -> None:
    """A station that asks all the same, for a right left over in a closed log: off by law is off. At home it needs no way."""
    first, other = world.start("A-1"), world.start("B-1")
    who, iin = first.voters[0], first.keep.package.voters[0].iin
    first.do(acts.do_close, officer="chair", at=world.at(20))
    synced(first)
    channels = channels_of(world.poll)
    off = dataclasses.replace(channels, rulings={**channels.rulings, "any-station": Ruling("off", "art. 9", "no")})

    def asked(machine: Machine, what: str, body: dict[str, str], ruled: Any = off) -> dict[str, Any]:
        question = Question(machine.keep.log, world.now.isoformat(), what, body)
        signed = Question.from_bytes(question.to_bytes(machine.keep.key))
        return service.reply(world.connection, signed, VAULT, ruled, world.now)

    said = asked(other, "find", {"iin": iin})
    assert (said["line"], said["why"]["check"], said["why"]["way"], said["why"]["off"]) == (
        None,
        "P.026",
        "any-station",
        "off",
    )
    with pytest.raises(CustodyError, match=r"P\.026.*art\. 9"):
        asked(other, "ask", {"request": "r", "entitlement": str(who)})
    synced(other)
    assert who not in other.keep.book.places
    second = lost(world, "A-1")
    asked(second, "ask", {"request": "s", "entitlement": str(who)})
    synced(second, second)
    assert second.keep.book.came[who].why == "found-log"
    asked(other, "ask", {"request": "r", "entitlement": str(first.voters[1])}, channels)
    synced(other, other)
    assert other.keep.book.came[first.voters[1]].why == "move", "do_receive holds the law of any station against it"


def test_a_question_that_was_caught_on_its_way_is_not_answered_again(world: World) -> None:
    machine = world.start("A-1")
    iin = machine.keep.package.voters[0].iin
    asked = Question(machine.keep.log, world.now.isoformat(), "find", {"iin": iin})
    caught = asked.to_bytes(machine.keep.key)
    for data, status in (
        (caught, 200),
        (caught, 400),
        (dataclasses.replace(asked, once="0" * 16).to_bytes(machine.keep.key), 200),
    ):
        answer = world.wires.handle_request(httpx.Request("POST", "http://centre/api/pollbook/question", content=data))
        assert answer.status_code == status
        assert ("line" in answer.json().get("said", {})) == (status == 200)
    changed = json.loads(caught) | {"once": "1" * 16}
    with pytest.raises(LogError, match=r"P\.004"):
        service.reply(
            world.connection, Question.from_bytes(canonical(changed)), VAULT, channels_of(world.poll), world.now
        )


def test_the_real_centre_stops_a_machine_by_its_own_word_alone(world: World) -> None:
    """A copied package (P.019), another key in the log (P.004), two histories (P.106): each stops for good, signed; once."""
    first = world.start("A-1")
    (folder,) = (one for one in world.folder.iterdir() if one.name == "A-1.1")
    shutil.copytree(folder, world.folder / "copy")
    copy = open_station(world.folder / "copy")
    twin = Link(connect(copy, lambda: world.now, world.wires), lambda: world.now)
    second, packed = world.start("B-1"), world.packed("A/2")
    ((one, package, _),) = packing_out.write(world.folder, [packed])
    both = [enrol(package, one.code, world.folder / name, "http://centre") for name in ("mine", "theirs")]
    links = [Link(connect(keep, lambda: world.now, world.wires), lambda: world.now) for keep in both]
    assert [link.once() for link in links] == [False, False]
    assert both[0].book.told and not both[0].book.stopped
    assert (links[1].status.check, both[1].book.told) == ("P.019", False) and "[P.019]" in both[1].book.stopped
    key = sa.text("UPDATE pollbook_log SET key = :key WHERE station = 'B-1'")
    world.connection.execute(key, {"key": bytes(32)})
    assert not second.link.once()
    assert second.link.status.check == "P.004" and "[P.004]" in second.keep.book.stopped
    for keep, link, number in ((copy, twin, 0), (first.keep, first.link, 1)):
        with keep.acting() as book:
            salt = bytes(9) + bytes([number])
            keep.append(acts.do_check_in(book, first.voters[number], officer="member1", salt=salt, at=world.at(9)))
        link.once()
    assert "two histories" in first.keep.book.stopped and not copy.book.stopped
    twin.once()
    assert "two histories" in copy.book.stopped, "whichever of the two is true, neither goes on"
    # whose key the centre has forgotten shows the answer that the centre signed for it: the books were put back
    assert [alarm.number for alarm in alarms(world.connection, POLL)] == ["P.106", "P.120"]
    with pytest.raises(CentreRefused, match=r"P\.041"):
        first.link.wire.question("find", {"iin": IIN})
    for keep in (copy, *both):
        keep.close()


class Twin(httpx.BaseTransport):
    """Both centres hear everything that a station says, and must say the same."""

    def __init__(self, real: httpx.BaseTransport, fake: FakeCentre) -> None:
        self.real, self.fake, self.compared = real, fake, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        data, path = request.read(), request.url.path.removeprefix("/api/pollbook")
        answer = self.real.handle_request(request)
        self.compared += 1
        if path == "/enrol":
            asked = Enrolment.from_bytes(data)
            self.fake.centre = custody.enrol(self.fake.centre, asked.log, asked.key)
            return answer
        status, said = self.fake.handle(request.url.path, data)
        assert (status == 200) == answer.is_success, (answer.text, said)
        if status != 200:
            assert json.loads(said)["error"]["check"] == answer.json()["error"]["check"]
        elif path == "/question":
            centre, log = KEYS.commission.public_key().public_bytes_raw(), Question.from_bytes(data).log
            ours, theirs = (dict(Reply.from_bytes(one, log, data, centre).body) for one in (answer.content, said))
            ours.pop("home_address", None), theirs.pop("home_address", None)  # the sample's stations have others
            assert ours == theirs
        else:
            log = Batch.from_bytes(data).log
            known = self.fake.centre.logs[log].key
            pair = [
                Answer.from_bytes(one, log, known, data, KEYS.commission.public_key().public_bytes_raw())
                for one in (answer.content, said)
            ]
            given = [{dataclasses.replace(grant, sig=b"") for grant in one.grants} for one in pair]
            told = [(one.acknowledged, one.send_from, one.stopped, set(one.requests)) for one in pair]
            assert given[0] == given[1] and told[0] == told[1]
        return answer


def test_the_tests_own_centre_answers_as_the_real_one(world: World) -> None:
    """A day of moves, additions, a lost machine and its found disk, told to both."""
    people = {
        name: [find(world.connection, VAULT, POLL, row["iin"]) for row in listed] for name, listed in PEOPLE.items()
    }
    lists = {name: [one.voter for one in several if one is not None] for name, several in people.items()}
    fake = FakeCentre(lists, channels_of(world.poll))
    fake.centre, fake.key = dataclasses.replace(fake.centre, poll=POLL), KEYS.commission
    twin = Twin(world.wires, fake)
    world.wires = twin  # type: ignore[assignment]

    def start(station: str) -> Machine:
        generation = packing_out.next_generation(world.connection, POLL, station)
        fake.centre = decided.listed(fake.centre, LogId(POLL, station, generation))
        return world.start(station)

    def add(station: str, first: int) -> str:
        added(world, station, first)
        iin = rows({station: 1}, first=first)[0]["iin"]
        standing = find(world.connection, VAULT, POLL, iin)
        assert standing is not None
        fake.add(station, standing.voter)
        return iin

    def ask(machine: Machine, iin: str, request: str) -> None:
        standing = find(world.connection, VAULT, POLL, iin)
        assert standing is not None
        body = {"request": request, "entitlement": str(standing.voter.entitlement)}
        try:
            machine.link.wire.question("ask", body)
        except CentreRefused:
            return

    early = add("A-1", 60)
    here, there = start("A-1"), start("B-1")
    late, other = add("A-1", 61), add("B-1", 62)
    own = [voter.iin for voter in here.keep.package.voters]
    everybody = [*own, early, late, other, IIN]

    def look_and_sync(*machines: Machine) -> None:
        for machine in machines:
            for iin in everybody:
                try:
                    machine.link.wire.question("find", {"iin": iin})
                except CentreRefused as error:  # by both alike
                    assert (error.check, machine) == ("P.078", here), "only the lost machine"
            synced(machine)

    ask(there, late, "r0")
    look_and_sync(there, here)
    ask(there, own[0], "r1")
    ask(there, early, "r2")
    ask(here, own[0], "r3")
    look_and_sync(here, there, here, there)
    here.check_in(here.voters[1], world.at(9))
    look_and_sync(there)
    packing_out.lose(world.connection, POLL, "A-1")
    fake.centre = custody.declare_lost(fake.centre, here.keep.log)
    again = start("A-1")
    look_and_sync(again, there)
    ask(again, own[2], "r4")
    assert audited(world) == [], "a log that is not closed, and what went by it"
    here.do(acts.do_close, officer="chair", at=world.at(20))
    ask(again, own[2], "r4")  # he stands there again: what was asked for in the morning is over
    look_and_sync(here, again, there, again)
    assert (
        audited(world) == [] and twin.compared > 80 and not fake.centre.alarms and alarms(world.connection, POLL) == []
    )
    assert {grant.why for machine in (here, there, again) for grant in machine.keep.book.came.values()} == {
        "move", "addition", "found-log", "ahead",
    }  # fmt: skip


PEOPLE = {"A-1": rows({"A-1": 4, "A/2": 3, "B-1": 2})[:4], "B-1": rows({"A-1": 4, "A/2": 3, "B-1": 2})[7:]}
