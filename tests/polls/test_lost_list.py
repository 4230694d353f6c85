"""A machine that told its key and died before it opened: the centre prints its list, its station works by hand, two type it in."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import KEYS, POLL, VAULT, VOTING, Machine, OneConnection, World, applied, iin_of, rows, world_of

sys.path.insert(0, str(Path(__file__).parents[1] / "pollbook"))
from station_tablet import Tablet
from station_world import manned

from dauys.cli import main, pollbook_not_lost, pollbook_status
from dauys.cli import pollbook as commands
from dauys.errors import BadInput
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.log.events import LogId
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper.by_hand import Line, Typing, lost_log, type_in
from dauys.pollbook.paper.lost_list import left, lost_list, printed
from dauys.pollbook.settling import additions
from dauys.roll.freeze import add_set

pytestmark = pytest.mark.database
STRUCK = {"kk": "Кімді сызып тастау керек", "ru": "Кого вычеркнуть", "en": "Who is to be struck"}


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 4, "A/2": 2}) as world:
        yield world


def told(world: World, station: str) -> Machine:
    """A machine that told its key, and is not opened."""
    ((one, package, _),) = packing_out.write(world.folder, [world.packed(station)])
    keep = enrol(package, one.code, world.folder / "told", "http://centre")
    machine = Machine(keep, Link(connect(keep, lambda: world.now, world.wires), lambda: world.now), world.dice)
    world.stations[station] = machine
    machine.link.once()
    assert keep.book.told and not keep.book.opened
    return machine


def standings(model: dict[str, list[dict[str, str]]]) -> list[str]:
    return [line["standing"] for line in model["lines"]]


def test_a_machine_that_dies_before_it_opens_leaves_its_station_a_list(world: World) -> None:
    told(world, "A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    lost = lost_log(world.connection, POLL, "A-1")
    model = lost_list(world.connection, VAULT, world.poll, lost, "anna", world.at(7))
    assert standings(model) == ["here"] * 4 and model["sums"] == {"eligible": 4, "received": 0}
    assert [line["number"] for line in model["lines"]] == [1, 2, 3, 4] and model["machine"] == 1
    assert [(one.station, one.by, one.lines) for one in printed(world.connection, POLL)] == [("A-1", "anna", 4)]
    second = world.start("A-1")
    assert not second.voters, "the new machine has none of them"

    typing = Typing(lost, ("anna", "boris"), KEYS.commission, world.at(20))
    signed = [Line(iin_of(serial), "member1", "polling-day", serial) for serial in (1, 3)]
    typed = type_in(world.connection, VAULT, signed, typing, os.urandom)
    assert (typed.noted, typed.alarms) == (2, ()) and not alarms(world.connection, POLL)
    model = lost_list(world.connection, VAULT, world.poll, lost, "anna", world.now)
    assert sorted(standings(model)) == ["here", "here", "used", "used"]
    assert {line["check_in"]["officer"] for line in model["lines"] if line["check_in"]} == {"member1"}


def test_it_shows_what_the_machine_had_sent(world: World) -> None:
    machine, other = world.start("A-1"), world.start("A/2")
    gone, used, mobile, _ = machine.voters
    machine.check_in(used, world.at(9, 12))
    machine.do(acts.do_mobile_request, mobile, officer="chair", at=world.now)
    other.link.wire.question("ask", {"request": "r", "entitlement": str(gone)})
    for each in (machine, machine, other):
        each.link.once()
    machine.check_in(machine.voters[3], world.at(10))  # is not sent
    packing_out.lose(world.connection, POLL, "A-1")
    lost = LogId(POLL, "A-1", 1)
    model = lost_list(world.connection, VAULT, world.poll, lost, "anna", world.at(10, 30))
    by_name = {line["name"]: line for line in model["lines"]}
    names = {v.entitlement: f"{v.surname} {v.given}" for v in machine.keep.package.voters}
    assert by_name[names[used]]["check_in"] == {"clock": "09:12", "officer": "member1"}
    assert by_name[names[mobile]]["mobile"] == "09:12" and by_name[names[mobile]]["standing"] == "here"
    assert (by_name[names[gone]]["standing"], by_name[names[gone]]["where"]["id"]) == ("away", "A/2")
    assert standings(model).count("here") == 2, "what it did not send, only its own prints can show"
    assert (model["printed_at"], model["sent_until"]) == ("10:30", "09:12")
    with pytest.raises(BadInput, match="who prints it"):
        lost_list(world.connection, VAULT, world.poll, lost, " ", world.now)


def test_whom_the_machine_was_told_to_let_go_may_have_left_unheard(world: World) -> None:
    machine, other = world.start("A-1"), world.start("A/2")
    other.link.wire.question("ask", {"request": "r", "entitlement": str(machine.voters[0])})
    machine.link.once()  # it hears of that, and lets go; then its wire is cut
    packing_out.lose(world.connection, POLL, "A-1")
    lost = LogId(POLL, "A-1", 1)
    model = lost_list(world.connection, VAULT, world.poll, lost, "anna", world.at(10), to_strike=True)
    assert left(world.connection, lost) == 1 and [line["where"]["id"] for line in model["lines"]] == ["A/2"]


@pytest.mark.parametrize("lang", ["kk", "ru", "en"])
def test_the_command_writes_a_page_for_its_owners_eyes(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    machine = told(world, "A-1")
    out = world.folder / "list.html"
    monkeypatch.setattr(commands, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(commands, "vault_of", lambda *_: VAULT)
    command = ["pollbook", "print", POLL, "A-1", "--out", str(out), "--by", "anna", "--language", lang]

    def called() -> int:
        with pytest.raises(SystemExit) as ended:
            main.main(command)
        return int(str(ended.value.code))

    assert called() == 2 and "declared lost" in capsys.readouterr().err and not out.exists()
    packing_out.lose(world.connection, POLL, "A-1")
    out.write_text("before")
    out.chmod(0o644)
    assert called() == 0
    page = out.read_text("utf-8")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert re.findall(r'<tr class="(\w+)">', page) == ["here"] * 4 and "<link" not in page and "<script" not in page
    for voter in machine.keep.package.voters:
        assert f"{voter.iin[:6]} {voter.iin[6:]}" in page and voter.surname in page
    said = capsys.readouterr().out
    assert str(out) in said and not any(voter.iin in said for voter in machine.keep.package.voters)
    command.append("--strike")
    assert called() == 0 and "who is to be struck" in capsys.readouterr().out
    page = out.read_text("utf-8")
    (title,), (heading,) = (re.findall(rf"<{tag}>(.*?)</{tag}>", page) for tag in ("title", "h1"))
    assert title.startswith(STRUCK[lang]) and heading.startswith(STRUCK[lang])
    assert [one.strike for one in printed(world.connection, POLL)] == [True, False]
    monkeypatch.setattr(pollbook_status, "open_store", lambda: OneConnection(world.connection))
    command[1:] = ["status", POLL]
    assert called() == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("printed ")]
    assert all(" UTC by anna: " in line for line in lines)
    assert [line.rpartition("anna: ")[2] for line in lines] == [
        "who is to be struck on the print of A-1/1",
        "the list of A-1/1",
    ]


def test_a_print_that_is_older_than_a_release_is_mended_before_anybody_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Printed at 10:00, let go at 10:30 and used elsewhere, burnt at 11:00: by that print he would get a second ballot."""
    machine, other = world.start("A-1"), world.start("A/2")
    tablet = Tablet(manned(machine.keep, machine.link, lambda: world.now), "member1", "en")
    gone, used, here, _ = machine.voters
    world.at(10)
    tablet.post("/list")
    assert "Print it now" not in tablet.get("").text
    other.link.wire.question("ask", {"request": "r", "entitlement": str(gone)})
    machine.link.once()
    assert "the print does not say so" in tablet.get("").text  # at once, not an hour later
    for each in (machine, other):
        each.link.once()
    other.check_in(gone, world.at(10, 30))
    machine.check_in(used, world.now)
    machine.link.once()
    monkeypatch.setattr(pollbook_not_lost, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setenv("DAUYS_HOME", str(world.folder))
    done = CliRunner().invoke(main.tree, ["pollbook", "lost", POLL, "A-1", "--json"], standalone_mode=False)
    assert json.loads(done.stdout)["left"] == 1
    model = lost_list(world.connection, VAULT, world.poll, LogId(POLL, "A-1", 1), "anna", world.at(11), to_strike=True)
    names = {v.entitlement: f"{v.surname} {v.given}" for v in machine.keep.package.voters}
    assert {line["name"]: line["standing"] for line in model["lines"]} == {names[gone]: "away", names[used]: "used"}
    assert model["sums"] == {"eligible": 3, "received": 1}
    assert names[here] not in str(model["lines"])


def test_an_envelope_says_nothing_of_the_list_it_was_taken_at(
    connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody was added when the machine was lost: the next one's list has him, although the found one took his envelope."""
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    with world_of(connection, tmp_path, {"A-1": 1}) as world:
        first = world.start("A-1")
        packing_out.lose(world.connection, POLL, "A-1")
        number = applied(world.connection, rows({"A-1": 1}, first=50), world.now)
        add_set(world.connection, VAULT, world.poll, number, "claim", KEYS.commission, world.now, additions)
        ((one, package, _),) = packing_out.write(world.folder / "next", [world.packed("A-1")])
        keep = enrol(package, one.code, world.folder / "next" / "store", "http://centre")
        second = Machine(keep, Link(connect(keep, lambda: world.now, world.wires), lambda: world.now), world.dice)
        world.stations["next"] = second
        second.link.once()
        (added,) = second.voters
        second.do(acts.do_open, officer="chair", at=world.at(9))
        second.check_in(added, world.now)
        first.do(acts.do_envelope, uuid4(), reason="lost", officer="member1", at=world.now, who=added)
        for machine in (second, first):
            machine.link.once()
        assert [one.text for _, some in audit_poll(world.connection, POLL) for one in some] == []
