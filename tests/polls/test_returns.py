"""Somebody was taken for a duplicate, and was none: his right is given back, and still nobody has two."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import KEYS, POLL, VAULT, Machine, OneConnection, World, applied, iin_of, rows, world_of
from test_paper_and_withdrawals import ask, duplicate, reader, right, settled, typed_by_two, typing

from dauys.cli import roll as office
from dauys.cli.main import tree as dauys
from dauys.errors import DauysError
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand
from dauys.pollbook.rules.audit import audit
from dauys.pollbook.rules.custody import Standing
from dauys.pollbook.settling.asked import State, state
from dauys.pollbook.settling.returns import Back
from dauys.polls.declaring import declare
from dauys.polls.pollbook_join import give_back
from dauys.publish.bundle import write_bundle
from dauys.publish.verify import verify
from dauys.record import log
from dauys.record.tiles import folder_fetch
from dauys.roll.changes import propose_back, roll_back
from dauys.roll.freeze import total
from dauys.roll.frozen import RollReader
from dauys.roll.story import story
from independent_roll import roll_and_check_ins
from independent_verifier import canonical as canonical_there
from independent_verifier import tree
from independent_verifier import verify as verify_independently

pytestmark = pytest.mark.database
WHY = "two people of one name"


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 6, "B-1": 4}) as made:
        yield made


def back(world: World, number: int, by: str = "vera", reason: str = WHY) -> Back:
    return give_back(world.connection, world.poll, number, reason, by, KEYS.commission, world.now)


def mistaken(world: World, number: int) -> None:
    propose_back(world.connection, number, "olga", world.now, "they are two people")
    roll_back(world.connection, number, "boris", world.now, "they are two people")


def outcome(**found: int) -> Back:
    return Back(**(dict.fromkeys(Back.__slots__, 0) | found))


def test_a_right_that_was_withdrawn_by_mistake_votes(world: World, tmp_path: Path) -> None:
    machine = world.start("A-1")
    number = duplicate(world, goes=1, stays=7)
    ask(world, number)
    for _ in range(2):
        machine.link.once()
    assert settled(world).withdrawn == 1
    assert back(world, number) == outcome(may_not=1)  # the roll still says that he is a duplicate
    mistaken(world, number)
    with pytest.raises(DauysError, match="Boris  decided set"):
        back(world, number, by="account/Boris ")
    with pytest.raises(DauysError, match="The reason stands"):
        back(world, number, reason=" ")
    assert back(world, number) == outcome(returned=1)
    assert back(world, number) == outcome(not_withdrawn=1)
    with pytest.raises(DauysError, match=r"P\.022"):
        machine.check_in(right(1), world.at(10))  # not before the station has heard
    machine.link.once()
    event = machine.check_in(right(1), world.at(10))
    machine.link.once()
    read = reader(world)
    assert read.eligible == {"A-1": 6, "A/2": 0, "B-1": 4} and read.total == total(world.connection, POLL) == 10
    assert dict(story(world.connection, world.poll)[-1].reasons) == {"twice on the roll": -1, WHY: 1}
    assert not alarms(world.connection, POLL)
    assert audit({machine.keep.log: list(machine.keep.events(1, event.n))}, {right(1): machine.keep.log}) == []
    assert state(world.connection, POLL).to_json() == {
        "waiting": 0, "withdrawn": 0, "used": 0, "twice": 0, "returned": 1, "kept": 0
    }  # fmt: skip
    declare(world.connection, world.poll, KEYS, "final", world.now, close=True)
    log.sign_checkpoint(world.connection, POLL, KEYS.log)
    folder = write_bundle(world.connection, POLL, KEYS, tmp_path / "bundle")
    assert [check for check in verify(folder_fetch(folder)) if not check.ok] == []
    assert [check for check in verify_independently(folder)["checks"] if not check["ok"]] == []
    with pytest.raises(DauysError, match="closed"):
        back(world, number)


def test_withdrawn_given_back_and_withdrawn_again(world: World) -> None:
    number = duplicate(world, goes=1, stays=7)
    ask(world, number)
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    assert back(world, number) == outcome(
        returned=1, free=1
    )  # his machine is given it when it begins, and its log shows that
    machine = world.start("A-1")
    machine.link.once()
    assert right(1) not in machine.voters and machine.keep.book.places[right(1)].standing == "here"
    again = duplicate_again(world, 1)
    assert ask(world, again, "seen at the register office").asked == 1
    for _ in range(2):
        machine.link.once()
    assert settled(world).withdrawn == 1
    names = [json.loads(data)["id"] for _, data in log.read(world.connection, POLL)]
    assert [name for name in names if name.startswith(("with", "rest"))] == [
        "withdrawals/A-1/1", "restorations/A-1/1", "withdrawals/A-1/2"
    ]  # fmt: skip
    assert audit({machine.keep.log: list(machine.keep.events(1, 10))}, {}) == []  # it began on no list
    assert [found for _, found in audit_poll(world.connection, POLL) if found] == []
    assert reader(world).total == 9


def duplicate_again(world: World, serial: int) -> int:
    (row,) = rows({"A-1": 1}, serial)
    again = row | {"status": "duplicate", "since": "2022-06-01", "source": "pair"}
    return int(applied(world.connection, [again], world.now))


def test_what_its_station_has_not_let_go_stays_there(world: World) -> None:
    machine, other = world.start("A-1"), world.start("A/2")
    number = duplicate(world, goes=1, stays=7)
    ask(world, number)
    mistaken(world, number)
    assert back(world, number) == outcome(kept=1)
    machine.link.once()
    machine.check_in(right(1), world.at(9))  # nobody asks for it any more
    # another one had heard already, and lets go what nobody asks for: it gets it again
    later = duplicate(world, goes=2, stays=8)
    ask(world, later)
    machine.link.once()  # hears, and lets go
    mistaken(world, later)
    assert back(world, later) == outcome(kept=1)
    machine.link.once()  # the centre hears that it is let go
    assert settled(world).withdrawn == 0
    machine.link.once()
    machine.check_in(right(2), world.at(10))
    assert len(other.voters) == 0 and reader(world).total == 10 and not alarms(world.connection, POLL)


def test_one_person_does_not_get_two_rights_back(world: World) -> None:
    machine, other = world.start("A-1"), world.start("B-1")
    machine.check_in(right(1), world.at(9))
    machine.link.once()
    number = duplicate(world, goes=1, stays=7)
    assert ask(world, number).used == 1
    for _ in range(2):
        other.link.once()
    assert settled(world).withdrawn == 1  # the other one's right, in its place
    assert back(world, number) == outcome(may_not=1, not_withdrawn=1)
    mistaken(world, number)
    assert back(world, number).returned == 1  # they are two people: both vote
    other.link.once()
    other.check_in(right(7), world.at(10))


def custody(world: World, who: UUID) -> tuple[str, int]:
    row = world.connection.execute(sa.text("SELECT holder, state FROM entitlement WHERE id = :id"), {"id": who}).one()
    return row.holder, row.state


def pass_on(world: World) -> None:
    """Everybody hears what there is to hear."""
    for _ in range(3):
        for machine in world.stations.values():
            machine.link.once()
        settled(world)
    settled(world)


def take_back(world: World, machine: Machine, event: Event) -> None:
    machine.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.now)
    pass_on(world)


def test_a_use_that_is_taken_back_changes_which_right_of_a_pair_is_withdrawn(world: World, tmp_path: Path) -> None:
    machine, other = world.start("A-1"), world.start("B-1")
    event = machine.check_in(right(1), world.at(9))  # a wrong line was tapped
    machine.link.once()
    ask(world, duplicate(world, goes=1, stays=7))
    pass_on(world)
    assert custody(world, right(7)) == ("withdrawn", 0)  # in its place
    take_back(world, machine, event)
    assert custody(world, right(1)) == ("withdrawn", 0) and custody(world, right(7)) == ("station/B-1/1", 0)
    other.link.once()
    other.check_in(right(7), world.now)
    pass_on(world)
    assert state(world.connection, POLL) == State(0, 1, 0, 0, returned=1)
    names = [json.loads(data)["id"] for _, data in log.read(world.connection, POLL)]
    assert [name for name in names if name.startswith(("with", "rest"))] == [
        "withdrawals/B-1/1", "withdrawals/A-1/1", "restorations/B-1/1"
    ]  # fmt: skip
    assert reader(world).eligible == {"A-1": 5, "A/2": 0, "B-1": 4} and not alarms(world.connection, POLL)
    assert [*audit_poll(world.connection, POLL)] == [(10, [])]
    declare(world.connection, world.poll, KEYS, "final", world.now, close=True)
    log.sign_checkpoint(world.connection, POLL, KEYS.log)
    folder = write_bundle(world.connection, POLL, KEYS, tmp_path / "bundle")
    assert [check for check in verify(folder_fetch(folder)) if not check.ok] == []
    assert [check for check in verify_independently(folder)["checks"] if not check["ok"]] == []


def test_who_died_is_withdrawn_though_his_line_was_tapped_once(world: World) -> None:
    machine = world.start("A-1")
    dead = duplicate_again(world, 2)
    event = machine.check_in(right(2), world.at(9))
    machine.link.once()
    assert ask(world, dead).used == 1
    take_back(world, machine, event)
    assert custody(world, right(2)) == ("withdrawn", 0)
    # used, and the set turns out to be wrong: he keeps his right, whatever becomes of that use
    event = machine.check_in(right(3), world.now)
    machine.link.once()
    wrong = duplicate_again(world, 3)
    assert ask(world, wrong).used == 1
    mistaken(world, wrong)
    take_back(world, machine, event)
    assert custody(world, right(3)) == ("station/A-1/1", 0)
    assert state(world.connection, POLL) == State(0, 1, 0, 0, kept=1)


def test_of_a_pair_the_other_votes_where_the_one_was_only_mistyped(world: World, tmp_path: Path) -> None:
    """The machine of one of two rights of one person burnt; from its paper he is typed by mistake, and taken back."""
    gone, there = world.start("A-1"), world.start("B-1")
    number = duplicate(world, goes=1, stays=10)
    packing_out.lose(world.connection, POLL, "A-1")
    gone.link.once()
    line = typed_by_two(tmp_path, f"{iin_of(1)},member1")
    by_hand.type_in(world.connection, VAULT, line, typing(world), random.Random(1).randbytes)
    ask(world, number)
    pass_on(world)
    assert custody(world, right(10))[0] == "withdrawn"
    by_hand.take_back(world.connection, VAULT, line, typing(world), "misread")
    pass_on(world)
    there.link.once()
    assert there.keep.book.places[right(10)].standing is Standing.HERE
    assert custody(world, right(1))[0] == "station/A-1/1"


@pytest.mark.parametrize("seed", range(3))
def test_of_a_pair_one_right_is_left_whatever_is_tapped_and_taken_back(world: World, seed: int) -> None:
    dice = random.Random(seed)
    pair = {right(1): world.start("A-1"), right(7): world.start("B-1")}
    number = duplicate(world, goes=1, stays=7)
    used: dict[UUID, Event] = {}
    for _ in range(20):
        who = dice.choice(list(pair))
        machine = pair[who]
        match dice.choice(["use", "use", "undo", "hear", "settle", "ask"]):
            case "use" if who not in used and machine.keep.book.places[who].standing is Standing.HERE:
                used[who] = machine.check_in(who, world.at(9))
            case "undo" if who in used:
                of = used.pop(who).n
                machine.do(acts.do_undo, of, reason="wrong person", officer="member1", at=world.now)
            case "hear":
                machine.link.once()
            case "settle":
                settled(world)
            case "ask":
                ask(world, number)
    ask(world, number)
    pass_on(world)
    stands = {who: who in used for who in pair}
    twice = all(stands.values())
    for who in pair:  # none is withdrawn that was used, and none is left beside one that was
        alone = stands[who] or (who == right(7) and not stands[right(1)])
        assert custody(world, who) == ((pair[who].keep.log.holder, stands[who]) if alone else ("withdrawn", 0)), who
    assert not twice or "P.109" in {alarm.number for alarm in alarms(world.connection, POLL)}
    for who in list(used):
        take_back(world, pair[who], used.pop(who))
    assert custody(world, right(1)) == ("withdrawn", 0) and custody(world, right(7)) == ("station/B-1/1", 0)
    assert {alarm.number for alarm in alarms(world.connection, POLL)} <= {"P.109"}


def test_where_the_right_goes(world: World) -> None:
    machine = world.start("A-1")
    number = duplicate(world, goes=1, stays=7)
    ask(world, number)
    for _ in range(2):
        machine.link.once()
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    packing_out.lose(world.connection, POLL, "A-1")
    world.packed("A-1")  # generation 2, which nobody has enrolled yet: it may be void, and the lost one work on
    assert back(world, number) == outcome(returned=1, free=1)
    replacement = world.start("A-1")  # its list is made again
    replacement.link.once()
    assert right(1) in replacement.keep.book.came and replacement.keep.log.generation == 2
    replacement.check_in(right(1), world.at(9))
    second = duplicate(world, goes=8, stays=2)
    ask(world, second)
    assert settled(world).withdrawn == 1
    mistaken(world, second)
    world.at(21)
    assert back(world, second) == outcome(late=1)


def test_the_command_gives_back(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = duplicate(world, goes=1, stays=7)
    monkeypatch.setattr(office, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(office, "keys_of", lambda poll, folder: KEYS)
    monkeypatch.setattr(office, "_vault", lambda connection: VAULT)
    monkeypatch.setattr(office, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))

    def said(*more: str) -> dict[str, Any]:
        args = ["withdraw", POLL, "--set", str(number), "--by", "vera", "--reason", WHY, "--at", world.now.isoformat()]
        done = CliRunner().invoke(dauys, ["roll", *args, *more], standalone_mode=False)
        assert done.exception is None, done.exception
        assert done.return_value == 0
        return dict(json.loads(done.stdout)) if "--json" in more else {"text": done.stdout}

    assert said("--json")["poll"]["withdrawn"] == 1
    assert "1 stay withdrawn: may not vote, or would have two" in said("--undo")["text"]
    mistaken(world, number)
    found = said("--undo", "--json")
    assert (found["returned"], found["poll"]["returned"], found["poll"]["withdrawn"]) == (1, 1, 0)


def test_a_restoration_that_does_not_follow_is_found_by_both_readers(world: World) -> None:
    number = duplicate(world, goes=1, stays=2)
    ask(world, number)
    assert settled(world).withdrawn == 1
    mistaken(world, number)
    assert back(world, number).returned == 1
    true = [json.loads(data) for _, data in log.read(world.connection, POLL)]
    stations, last = {"A-1", "A/2", "B-1"}, true[-1]
    gone = next(entry for entry in true if entry["kind"] == "withdrawals")

    def found(*more: dict[str, Any], without: int = 0) -> tuple[bool, bool]:
        entries = [*(true[:-without] if without else true), *more]
        theirs = [fine for fine, _ in roll_and_check_ins(entries, stations, tree, canonical_there)]
        ours = RollReader(stations)
        try:
            for entry in entries:
                if entry["kind"] in ("roll", "roll-stations", "withdrawals", "restorations"):
                    ours.read(entry["kind"], entry["id"], entry["body"])
            ours.close()
        except DauysError:
            return False, all(theirs)
        return True, all(theirs)

    second = {"id": "restorations/A-1/2"}
    assert found() == found(gone | {"id": "withdrawals/A-1/2"}) == (True, True)  # withdrawn again
    assert found(gone | {"id": "withdrawals/A-1/2"}, last | second) == (True, True)
    for more in (
        last | second,  # what is there already
        last | second | {"body": last["body"] | {"commitments": ["ab" * 32]}},
        last | {"id": "restorations/B-1/1", "body": last["body"] | {"station": "B-1"}},
    ):
        assert found(more) == (False, False), more
    for change in ({"station": "B-1"}, {"count": 2}, {"reason": ""}):  # instead of the true one
        at = last["id"].replace("A-1", "B-1") if "station" in change else last["id"]
        assert found(last | {"id": at, "body": last["body"] | change}, without=1) == (False, False), change
