"""A machine burns and its paper is typed in; somebody on the roll twice loses one right: at the centre, with real stations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import KEYS, POLL, VAULT, OneConnection, World, applied, iin_of, rows, world_of

from dauys.cli import pollbook as office
from dauys.cli.main import tree as dauys
from dauys.errors import BadInput, DauysError
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.gathered.states import Look, alarms, listed
from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand
from dauys.pollbook.paper.by_hand import Typing, both_typed, lost_log, read_lines
from dauys.pollbook.settling import withdrawals
from dauys.pollbook.settling.asked import State, state
from dauys.pollbook.settling.withdrawals import Asked, Settled
from dauys.polls.declaring import declare
from dauys.polls.pollbook_join import seal, withdraw
from dauys.publish.bundle import write_bundle
from dauys.publish.verify import verify
from dauys.record import log
from dauys.record.entry import Entry
from dauys.record.tiles import folder_fetch
from dauys.roll.freeze import total
from dauys.roll.frozen import CHANGES, RollReader
from dauys.roll.story import story
from independent_roll import roll_and_check_ins
from independent_verifier import canonical as canonical_there
from independent_verifier import tree
from independent_verifier import verify as verify_independently

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 6, "B-1": 4}) as made:
        yield made


def right(serial: int) -> UUID:
    return UUID(bytes=VAULT.entitlement("test/joined", VAULT.voter(iin_of(serial))))


def typed_by_two(folder: Path, *lines: str) -> list[by_hand.Line]:
    for name in ("first", "second"):
        (folder / f"{name}.csv").write_text("\n".join(["iin,officer", *lines]) + "\n", encoding="utf-8")
    return both_typed(folder / "first.csv", folder / "second.csv")


def typing(world: World, station: str = "A-1") -> Typing:
    return Typing(lost_log(world.connection, world.poll.id, station), ("anna", "boris"), KEYS.commission, world.now)


def reader(world: World) -> RollReader:
    found = RollReader(["A-1", "A/2", "B-1"])
    for _, data in log.read(world.connection, world.poll.id):
        entry = Entry.from_bytes(data)
        if entry.kind in ("roll", "roll-stations", *CHANGES):
            found.read(entry.kind, entry.id, entry.body)
    found.close()
    return found


def test_a_burnt_machine_is_completed_from_paper_and_its_found_disk_counts_once(world: World, tmp_path: Path) -> None:
    machine = world.start("A-1")
    for serial in (1, 2):
        machine.check_in(right(serial), world.at(9))
    machine.link.once()
    machine.check_in(right(3), world.at(10))  # never sent: it burns
    with pytest.raises(DauysError, match="no machine of station A-1 is declared lost"):
        typing(world)
    packing_out.lose(world.connection, world.poll.id, "A-1")
    world.at(12)
    lines = typed_by_two(tmp_path, *(f"{iin_of(serial)},member{1 + serial % 2}" for serial in (2, 3, 4)))
    done = by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    assert (done.log.generation, done.noted, done.reported, done.before, done.alarms) == (501, 2, 1, 0, ())
    again = by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    assert (again.noted, again.before, again.reported) == (0, 2, 1)
    seal(world.connection, world.poll.id, KEYS.commission, world.now)
    found = sums_at(world.connection, world.poll.id, "A-1")
    assert found is not None and (found.sealed, found.sums.received, found.sums.eligible) == (4, 4, 6)
    assert {name: one.issued for name, one in found.sums.members.items()} == {"member1": 3, "member2": 1}
    entries = [entry for _, entry in log.of_kind(world.connection, world.poll.id, "check-ins")]
    assert [(entry.body["generation"], entry.body["used"]) for entry in entries] == [(1, 2), (501, 2)]
    rows = listed(world.connection, world.poll.id, world.now, Look(number="A-1")).rows
    assert [one.paper for one in rows] == [False, True]
    # a new machine is generation 2, and the voters of the first one are not its own
    replacement = world.start("A-1")
    assert replacement.keep.log.generation == 2 and replacement.voters == []
    # the disk is found: voter 3 stands in both, once on paper and once in the log
    machine.link.once()
    assert [alarm.number for alarm in alarms(world.connection, world.poll.id)] == ["P.108"]
    back = by_hand.take_back(world.connection, VAULT, None, typing(world), "the disk was found, event 4")
    assert (back.noted, back.alarms) == (1, ())
    found = sums_at(world.connection, world.poll.id, "A-1")
    assert found is not None and found.sums.received == 4


def test_paper_against_another_stations_use_is_kept_with_its_alarms(world: World, tmp_path: Path) -> None:
    machine, other = world.start("A-1"), world.start("B-1")
    other.check_in(right(7), world.at(9))
    other.link.once()
    machine.link.once()
    packing_out.lose(world.connection, world.poll.id, "A-1")
    lines = typed_by_two(tmp_path, f"{iin_of(7)},member1")  # a voter of B-1, who voted there
    done = by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    assert done.noted == 1 and [alarm.check for alarm in done.alarms] == ["P.101", "P.102"]
    assert [done.rows[alarm.n] for alarm in done.alarms] == [2, 2]
    ((_, findings),) = audit_poll(world.connection, POLL)
    assert [one.check for one in findings] == ["P.101", "P.102"]
    undone = by_hand.take_back(world.connection, VAULT, lines, typing(world), "both misread the line")
    assert (undone.noted, undone.alarms) == (1, ()) and [*audit_poll(world.connection, POLL)] == [(10, [])]
    with pytest.raises(BadInput, match="was not typed in"):
        by_hand.take_back(world.connection, VAULT, typed_by_two(tmp_path, f"{iin_of(1)},m"), typing(world), "x")
    with pytest.raises(BadInput, match="not on the roll of this poll"):
        by_hand.type_in(world.connection, VAULT, typed_by_two(tmp_path, f"{iin_of(99)},member1"), typing(world), bytes)


def custody(world: World, who: UUID) -> tuple[str, int, int]:
    query = sa.text("SELECT holder, epoch, state FROM entitlement WHERE id = :id")
    row = world.connection.execute(query, {"id": who}).one()
    return row.holder, row.epoch, row.state


def test_what_was_typed_by_mistake_is_the_lost_machines_again(world: World, tmp_path: Path) -> None:
    machine = world.start("A-1")
    machine.check_in(right(2), world.at(9))  # never sent
    packing_out.lose(world.connection, POLL, "A-1")
    lines = typed_by_two(tmp_path, *(f"{iin_of(serial)},member1" for serial in (1, 2)))
    for _ in range(2):  # typed again: as at first
        assert by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes).noted == 2
        assert custody(world, right(1)) == ("station/A-1/501", 0, 1)
        assert by_hand.take_back(world.connection, VAULT, lines, typing(world), "misread by both").noted == 2
        assert custody(world, right(1)) == ("station/A-1/1", 0, 0)
    seal(world.connection, POLL, KEYS.commission, world.now)
    replacement = world.start("A-1")
    # the disk is found: voter 2 has voted, and nobody is alarmed; voter 1 has not, and votes once that log is closed
    world.at(20)
    machine.do(acts.do_close, officer="chair", at=world.now)
    machine.link.once()
    assert custody(world, right(2)) == ("station/A-1/1", 0, 1) and not alarms(world.connection, POLL)
    world.at(19)
    assert replacement.link.wire.question("find", {"iin": iin_of(1)})["why"] is None
    replacement.link.wire.question("ask", {"request": "q", "entitlement": str(right(1))})
    replacement.link.once()
    replacement.check_in(right(1), world.now)
    replacement.link.once()
    assert custody(world, right(1)) == ("station/A-1/2", 1, 1)
    assert not alarms(world.connection, POLL) and [*audit_poll(world.connection, POLL)] == [(10, [])]


def test_one_ballot_that_stood_in_both_is_the_found_machines(world: World, tmp_path: Path) -> None:
    machine = world.start("A-1")
    event = machine.check_in(right(1), world.at(9))
    packing_out.lose(world.connection, POLL, "A-1")
    lines = typed_by_two(tmp_path, f"{iin_of(1)},member1")
    by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    machine.link.once()
    assert [(alarm.number, alarm.n) for alarm in alarms(world.connection, POLL)] == [("P.108", event.n)]
    ((_, findings),) = audit_poll(world.connection, POLL)
    assert [one.check for one in findings] == ["P.102"]
    assert by_hand.take_back(world.connection, VAULT, None, typing(world), "the same ballot").noted == 1
    assert custody(world, right(1)) == ("station/A-1/1", 0, 1)
    again = by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    assert (again.noted, again.reported) == (0, 1) and [*audit_poll(world.connection, POLL)] == [(10, [])]
    machine.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.now)
    machine.link.once()
    assert custody(world, right(1)) == ("station/A-1/501", 0, 1), "the signature stands"
    by_hand.take_back(world.connection, VAULT, lines, typing(world), "misread by both")
    assert custody(world, right(1)) == ("station/A-1/1", 0, 0)
    assert [alarm.number for alarm in alarms(world.connection, POLL)] == ["P.108", "P.108"]
    assert [*audit_poll(world.connection, POLL)] == [(10, [])]


def test_what_the_found_machine_had_let_go_goes_on_when_the_paper_is_taken_back(world: World, tmp_path: Path) -> None:
    machine, other = world.start("A-1"), world.start("B-1")
    other.link.wire.question("find", {"iin": iin_of(1)})
    other.link.wire.question("ask", {"request": "q", "entitlement": str(right(1))})
    machine.link.once()  # hears of it, lets it go, and is gone before it says so
    packing_out.lose(world.connection, POLL, "A-1")
    lines = typed_by_two(tmp_path, f"{iin_of(1)},member1")
    assert by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes).alarms == ()
    for one in (machine, other, other):
        one.link.once()
    assert [alarm.number for alarm in alarms(world.connection, POLL)] == ["P.108"]
    assert custody(world, right(1)) == ("station/A-1/1", 0, 2), "and nobody is given it beside the typed check-in"
    by_hand.take_back(world.connection, VAULT, lines, typing(world), "misread by both")
    other.link.once()
    other.check_in(right(1), world.at(9))
    other.link.once()
    assert custody(world, right(1)) == ("station/B-1/1", 1, 1) and len(alarms(world.connection, POLL)) == 1
    assert [*audit_poll(world.connection, POLL)] == [(10, [])]


def test_the_commands_take_paper_in_and_back(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = world.start("A-1")
    packing_out.lose(world.connection, world.poll.id, "A-1")
    machine.check_in(right(2), world.at(9))
    typed_by_two(tmp_path, f"{iin_of(1)},member1", f"{iin_of(2)},member1")
    monkeypatch.setattr(office, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(office, "keys_of", lambda poll, folder: KEYS)
    monkeypatch.setattr(office, "vault_of", lambda *_: VAULT)
    monkeypatch.setattr(office, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))

    def said(*args: str) -> tuple[int, dict[str, Any]]:
        by = ("--by", "anna", "boris", "--at", world.now.isoformat(), "--json")
        done = CliRunner().invoke(dauys, ["pollbook", *args, *by], standalone_mode=False)
        assert done.exception is None, done.exception
        return int(done.return_value), json.loads(done.stdout)

    files = str(tmp_path / "first.csv"), str(tmp_path / "second.csv")
    code, found = said("paper", POLL, "A-1", *files)
    assert (code, found["noted"], found["generation"], found["alarms"]) == (0, 2, 501, [])
    machine.link.once()
    code, found = said("paper-undo", POLL, "A-1", "--found", "--reason", "the disk was found")
    assert (code, found["noted"]) == (0, 1)
    code, found = said("paper-undo", POLL, "A-1", files[0], "--reason", "another station's sheet")
    assert (code, found["noted"], found["reported"], found["before"]) == (0, 1, 1, 0)
    entries = [entry.body for _, entry in log.of_kind(world.connection, POLL, "check-ins")]
    assert [(one["generation"], one["used"]) for one in entries] == [(501, 2), (1, 1), (501, 1), (501, 0)]


def test_only_what_two_people_typed_alike_is_taken(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(f"iin,officer\n{iin_of(1)},m1\n{iin_of(2)},m1\n", encoding="utf-8")
    second.write_text(f"iin,officer,channel\n{iin_of(2)},m2,\n{iin_of(3)},m1,mobile\n", encoding="utf-8")
    with pytest.raises(BadInput) as differ:
        both_typed(first, second)
    assert "row 2 of first.csv, row 3 of first.csv, row 3 of second.csv" in str(differ.value)
    assert iin_of(1) not in str(differ.value) and iin_of(1) not in repr(list(read_lines(first).values()))
    for text, field in (("iin,officer\n123,m1\n", "iin"), (f"iin,officer\n{iin_of(1)},\n", "officer"),
                        (f"iin,officer,channel\n{iin_of(1)},m,pigeon\n", "channel"),
                        (f"iin,officer\n{iin_of(1)},m\n{iin_of(1)},m\n", "iin")):  # fmt: skip
        first.write_text(text, encoding="utf-8")
        with pytest.raises(BadInput) as fault:
            read_lines(first)
        assert fault.value.field == field and iin_of(1) not in str(fault.value)
    for by in (
        ("anna", "Anna "),
        ("anna", "account/anna"),
        ("account/Anna", " anna"),
        ("anna", "account/"),
        ("", "boris"),
    ):
        with pytest.raises(DauysError, match="two different people"):
            Typing(lost=None, by=by, key=KEYS.commission, at=None)  # type: ignore[arg-type]
    Typing(lost=None, by=("account/anna", "boris"), key=KEYS.commission, at=None)  # type: ignore[arg-type]


def duplicate(world: World, goes: int, stays: int, home: str = "", station: str = "") -> int:
    """A set that says so, approved, with the pair that it was decided by. `home`: the station of the entry that goes; `station`:
    the same, where it is none of this poll's."""
    (row,) = rows({home or ("B-1" if goes > 6 else "A-1"): 1}, goes)
    row |= {"station": station or row["station"]}
    number = applied(
        world.connection, [row | {"status": "duplicate", "since": "2022-06-01", "source": "pair"}], world.now
    )
    one, other = sorted(UUID(bytes=VAULT.voter(iin_of(serial))) for serial in (goes, stays))
    world.connection.execute(
        sa.text(
            "INSERT INTO roll_pair (one, other, score, evidence, print, found, run, proposed, state, set_id, goes) "
            "VALUES (:one, :other, 99, '{}', '', now(), 1, 1, 'same', :set, :goes) "
            "ON CONFLICT (one, other) DO UPDATE SET state = 'same', set_id = :set, goes = :goes"
        ),
        {"one": one, "other": other, "set": number, "goes": UUID(bytes=VAULT.voter(iin_of(goes)))},
    )
    return number


def ask(world: World, number: int, reason: str = "twice on the roll") -> Asked:
    return withdrawals.withdraw_set(world.connection, VAULT, world.poll, number, reason, "vera", world.now)


def settled(world: World) -> Settled:
    return withdraw(world.connection, world.poll, KEYS.commission, world.now)


def test_a_right_is_withdrawn_when_its_station_let_it_go(world: World, tmp_path: Path) -> None:
    machine = world.start("A-1")
    number = duplicate(world, goes=1, stays=7)
    assert ask(world, number) == Asked(1, 0, 0, 0, 0) and settled(world) == Settled(0, 0, 0, 1)
    assert ask(world, number).before == 1
    machine.link.once()  # hears of it and lets it go
    machine.link.once()
    with pytest.raises(DauysError, match=r"P\.022"):
        machine.check_in(right(1), world.at(10))
    assert settled(world) == Settled(1, 0, 0, 0)
    assert settled(world) == Settled(0, 0, 0, 0)
    read = reader(world)
    assert read.eligible == {"A-1": 5, "A/2": 0, "B-1": 4} and read.total == total(world.connection, world.poll.id) == 9
    assert [(step.added, dict(step.reasons)) for step in story(world.connection, world.poll)][1:] == [
        (-1, {"twice on the roll": -1})
    ]
    assert not alarms(world.connection, world.poll.id)
    declare(world.connection, world.poll, KEYS, "final", world.now, close=True)
    log.sign_checkpoint(world.connection, POLL, KEYS.log)
    folder = write_bundle(world.connection, POLL, KEYS, tmp_path / "bundle")
    assert [check for check in verify(folder_fetch(folder)) if not check.ok] == []
    assert [check for check in verify_independently(folder)["checks"] if not check["ok"]] == []


def test_a_withdrawal_that_does_not_follow_is_found_by_both_readers(world: World) -> None:
    assert ask(world, duplicate(world, goes=1, stays=2)).asked == 1 and settled(world).withdrawn == 1
    true = [json.loads(data) for _, data in log.read(world.connection, POLL)]
    stations = {"A-1", "A/2", "B-1"}

    def found(change: dict[str, Any], entry_id: str = "withdrawals/A-1/2") -> tuple[bool, bool]:
        more = true[-1] | {"id": entry_id, "body": true[-1]["body"] | change}
        theirs = [fine for fine, _ in roll_and_check_ins([*true, more], stations, tree, canonical_there)]
        ours = RollReader(stations)
        try:
            for entry in [*true, more]:
                if entry["kind"] in ("roll", "roll-stations", "withdrawals"):
                    ours.read(entry["kind"], entry["id"], entry["body"])
            ours.close()
        except DauysError:
            return False, all(theirs)
        return True, all(theirs)

    other = {"commitments": ["ab" * 32]}
    assert found(other) == (True, True)
    for change, name in (
        ({}, "withdrawals/A-1/2"), (other, "withdrawals/A-1/3"), (other | {"station": "Z"}, "withdrawals/Z/1"),
        (other | {"count": 2}, "withdrawals/A-1/2"), (other | {"reason": ""}, "withdrawals/A-1/2"),
        ({"count": 7, "commitments": [f"{n:02x}" * 32 for n in range(7)]}, "withdrawals/A-1/2"),
    ):  # fmt: skip
        assert found(change, name) == (False, False), change


def test_before_any_package_is_made_the_centre_withdraws_by_itself(world: World) -> None:
    assert ask(world, duplicate(world, goes=1, stays=2)).asked == 1
    assert settled(world).withdrawn == 1
    assert right(1) not in world.start("A-1").voters


def test_the_right_that_was_used_stays_and_the_other_one_goes(world: World) -> None:
    machine, other = world.start("A-1"), world.start("B-1")
    machine.check_in(right(1), world.at(9))
    machine.link.once()
    assert ask(world, duplicate(world, goes=1, stays=7)).used == 1
    for _ in range(2):
        other.link.once()
    assert settled(world) == Settled(1, 0, 0, 0)
    with pytest.raises(DauysError, match=r"P\.022"):
        other.check_in(right(7), world.at(10))
    assert not alarms(world.connection, world.poll.id)


def test_one_person_who_used_both_rights_is_an_alarm(world: World) -> None:
    machine, other = world.start("A-1"), world.start("B-1")
    other.check_in(right(7), world.at(8))
    other.link.once()
    number = duplicate(world, goes=1, stays=7)
    assert ask(world, number).asked == 1
    world.wires.cut = True
    machine.check_in(right(1), world.at(9))  # offline, and before it heard
    world.wires.cut = False
    machine.link.once()
    assert settled(world) == Settled(0, 1, 1, 0)
    assert [alarm.number for alarm in alarms(world.connection, world.poll.id)] == ["P.109"]
    assert state(world.connection, world.poll.id) == State(0, 0, 2, 1)


def test_what_is_not_withdrawn_by_the_end_stays(world: World) -> None:
    world.start("A-1")
    (row,) = rows({"A-1": 1}, 2)
    dead = applied(world.connection, [row | {"status": "died", "since": "2022-06-04", "source": "registry"}], world.now)
    with pytest.raises(DauysError, match="The reason stands"):
        ask(world, dead, " ")
    assert ask(world, dead).asked == 1
    world.at(20)
    assert settled(world) == Settled(0, 0, 0, 0) and state(world.connection, POLL) == State(0, 0, 0, 0, kept=1)
    (alive,) = rows({"A-1": 1}, 3)
    assert ask(world, applied(world.connection, [alive], world.now)) == Asked(0, 0, 0, 0, 1)
