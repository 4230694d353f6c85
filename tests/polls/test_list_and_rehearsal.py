"""What stands on a list, and what only seems to: additions that are rolled back, packages made again, rehearsals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import KEYS, POLL, VAULT, OneConnection, World, applied, iin_of, rows, world_of
from test_paper_and_withdrawals import ask, reader, right, settled, typed_by_two, typing

from dauys.cli import pollbook, pollbook_not_lost, roll_rights
from dauys.cli import roll as office
from dauys.cli.main import tree
from dauys.errors import BadInput, DauysError
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand
from dauys.pollbook.put_back.journal import Journal
from dauys.pollbook.put_back.restored import unheard
from dauys.pollbook.settling import additions
from dauys.polls.pollbook_join import seal, too_early
from dauys.record import log
from dauys.registers.poll import Poll
from dauys.roll.freeze import add_set, total

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 4, "B-1": 2}) as made:
        yield made


@pytest.fixture
def roll(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The commands of the roll on the world's database."""
    monkeypatch.setattr(office, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(office, "_vault", lambda connection: VAULT)
    monkeypatch.setenv("DAUYS_HOME", str(world.folder))
    monkeypatch.setattr(roll_rights, "vault_of", lambda *_: VAULT)
    for module in (office, roll_rights):
        monkeypatch.setattr(module, "keys_of", lambda poll, folder: KEYS)

    def run(*args: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(
            tree,
            ["roll", *args, "--at", world.now.isoformat(), "--json"],
            standalone_mode=False,
            catch_exceptions=False,
        )
        return done.return_value, json.loads(done.stdout.splitlines()[-1])

    return run


def added(world: World, serial: int = 50) -> int:
    """A set that adds somebody to the frozen roll, at A-1."""
    number = applied(world.connection, rows({"A-1": 1}, first=serial), world.now)
    add_set(world.connection, VAULT, world.poll, number, "address proved", KEYS.commission, world.now, additions)
    return number


def test_who_was_added_by_a_set_that_is_rolled_back_does_not_vote(world: World, roll: Any) -> None:
    machine = world.start("A-1")
    number = added(world)
    assert reader(world).eligible["A-1"] == 5
    world.at(9)
    words = ["rollback", str(number), "--reason", "the papers were forged", "--by"]
    assert roll(*words, "vera") == (0, {"set": number, "state": "applied", "proposed_by": "vera", "asked_back": []})
    with pytest.raises(DauysError, match="a second person does it"):
        roll(*words, "account/Vera")
    code, said = roll(*words, "boris")
    asked = {"poll": "test/joined", "asked": 1, "before": 0, "used": 0, "not_listed": 0, "may": 0, "late": 0}
    assert (code, said) == (0, {"set": number, "state": "rolled back", "proposed_by": "vera", "asked_back": [asked]})
    found = machine.link.wire.question("find", {"iin": rows({"A-1": 1}, first=50)[0]["iin"]})
    machine.link.once()
    # nobody held it: it is withdrawn at once
    assert found["line"] is None and right(50) not in machine.keep.book.places
    assert total(world.connection, world.poll.id) == 6 and reader(world).eligible["A-1"] == 4


def test_an_addition_at_work_is_asked_back_of_its_station_and_stays_where_it_was_used(world: World) -> None:
    machine = world.start("A-1")
    first, second = added(world, 50), added(world, 60)
    for serial in (50, 60):
        machine.link.wire.question("find", {"iin": rows({"A-1": 1}, first=serial)[0]["iin"]})
    machine.link.once()
    machine.check_in(right(60), world.at(9))
    machine.link.once()
    for number in (first, second):
        world.connection.execute(
            sa.text("UPDATE roll_set SET state = 'rolled back', undone_by = 'boris', undone = decided WHERE id = :id"),
            {"id": number},
        )
    assert (ask(world, first).asked, ask(world, second).used) == (1, 1)
    for _ in range(2):
        machine.link.once()
    with pytest.raises(DauysError, match=r"P\.022"):
        machine.check_in(right(50), world.now)
    assert settled(world).withdrawn == 1 and reader(world).eligible["A-1"] == 5


def test_who_may_vote_by_another_set_keeps_his_right(world: World, roll: Any) -> None:
    number = added(world)
    applied(world.connection, rows({"A-1": 1}, first=50), world.now)
    world.connection.execute(  # as if by a road that does not look at later sets
        sa.text("UPDATE roll_set SET state = 'rolled back', undone_by = 'boris', undone = decided WHERE id = :id"),
        {"id": number},
    )
    code, said = roll("withdraw", world.poll.id, "--set", str(number), "--by", "vera", "--reason", "rolled back")
    assert code == 0 and (said["asked"], said["may"]) == (0, 1)


def test_a_rehearsal_has_a_poll_of_its_own(world: World) -> None:
    assert (
        world.poll.trial
        and not replace(world.poll, id="kz/2026").trial
        and replace(world.poll, id="kz/trial-2026").trial
    )
    real = replace(world.packing, poll=replace(world.poll, id="kz/2026"), trial=True)
    with pytest.raises(BadInput, match=r"P\.085"):
        packing_out.pack(world.connection, real, "A-1", packing_out.TRIAL_OFFICERS, world.now)
    assert world.start("A-1").keep.package.trial  # whoever is at its pages reads that nothing is a real vote


def test_nothing_is_sealed_before_the_first_day_of_voting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Poll, "trial", False)
    machine = world.start("A-1")
    machine.check_in(right(1), world.at(9))
    day, world.clock[0] = world.now, world.now - timedelta(days=2)  # its own clock is two days ahead
    machine.link.once()
    sealed = [seal(world.connection, world.poll.id, KEYS.commission, world.now) for _ in range(2)]
    raised = [(one.number, one.station) for one in alarms(world.connection, world.poll.id)]
    assert (sealed, raised) == ([0, 0], [("P.115", "A-1")])
    assert not log.of_kind(world.connection, world.poll.id, "check-ins")
    world.clock[0] = day
    # what a log says is kept, and counted in its time
    assert seal(world.connection, world.poll.id, KEYS.commission, day) == 1


def test_early_voting_is_not_too_early(world: World) -> None:
    poll = replace(
        world.poll,
        id="kz/2026",
        voting={"early": {"on": True, "first": "2022-06-03", "last": "2022-06-04", "cite": "P"}},
    )
    midnight = poll.moment(time(0))
    assert [too_early(poll, midnight - timedelta(days=n, seconds=s)) for n, s in ((2, 1), (2, 0), (0, 1))] == [
        True,
        False,
        False,
    ]
    plain = replace(poll, voting=None)
    assert [too_early(plain, midnight - timedelta(seconds=s)) for s in (1, 0)] == [True, False]


def test_packages_made_again_void_none_that_is_on_its_way(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pollbook, pollbook_not_lost):
        monkeypatch.setattr(module, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(pollbook, "keys_of", lambda poll, folder: KEYS)
    monkeypatch.setattr(pollbook, "vault_of", lambda *_: VAULT)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))

    def make(*args: str) -> tuple[list[str], int]:
        words = [
            "packages",
            world.poll.id,
            "--out",
            str(tmp_path / "out"),
            "--trial",
            "--at",
            world.now.isoformat(),
            "--json",
        ]
        done = CliRunner().invoke(tree, ["pollbook", *words, *args], standalone_mode=False, catch_exceptions=False)
        said = json.loads(done.stdout.splitlines()[-1])
        return [one["station"] for one in said["packages"]], said["have"]

    assert make("--station", "A-1") == (["A-1"], 0)
    code = (tmp_path / "out/A-1.code").read_text()
    assert make() == (["A/2", "B-1"], 1) and make() == ([], 3)  # only what is missing
    with pytest.raises(BadInput, match=r"P\.086.*--again A-1"):
        make("--station", "A-1")
    assert (tmp_path / "out/A-1.code").read_text() == code
    assert make("--again", "A-1") == (["A-1"], 0) and (tmp_path / "out/A-1.code").read_text() != code
    words = ["lost", world.poll.id, "B-1"]  # void: nobody has enrolled
    assert CliRunner().invoke(tree, ["pollbook", *words], standalone_mode=False).return_value == 0
    assert make() == (["B-1"], 2)


def test_a_machine_that_was_declared_lost_by_mistake_works_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = world.start("A-1")
    machine.check_in(right(1), world.at(9))
    machine.link.once()
    noted, engine = Journal(tmp_path / "journal"), cast(sa.Engine, OneConnection(world.connection))
    with noted.acting(engine, POLL, "A-1", world.now) as connection:
        packing_out.lose(connection, POLL, "A-1")
    monkeypatch.setattr(pollbook_not_lost, "open_store", lambda: engine)
    monkeypatch.setattr(pollbook_not_lost, "journal", lambda: noted)
    done = CliRunner().invoke(
        tree,
        ["pollbook", "not-lost", POLL, "A-1", "--nobody-by-hand", "chair"],
        standalone_mode=False,
        catch_exceptions=False,
    )
    assert done.return_value == 0 and "generation 1, is not lost" in done.stdout
    assert noted.hold(world.connection, world.poll.id, world.now) == ""  # nobody takes it for a copy that was put back
    added(world)
    found = machine.link.wire.question("find", {"iin": rows({"A-1": 1}, first=50)[0]["iin"]})
    machine.link.once()
    assert found["line"] is not None
    machine.check_in(right(50), world.at(10))
    machine.link.once()
    assert not alarms(world.connection, world.poll.id)
    with pytest.raises(DauysError, match="no machine of station A-1"):
        packing_out.not_lost(world.connection, world.poll.id, "A-1", world.now)


def test_a_copy_from_before_that_was_taken_back_waits_for_the_machine(world: World, tmp_path: Path) -> None:
    """Put back to when it was lost, the centre has forgotten all that it gave that machine since."""
    world.start("A-1")
    noted, engine = Journal(tmp_path / "journal"), cast(sa.Engine, OneConnection(world.connection))
    with noted.acting(engine, POLL, "A-1", world.now) as connection:
        packing_out.lose(connection, POLL, "A-1")
    with noted.acting(engine, POLL, "A-1", world.now) as connection:
        packing_out.not_lost(connection, POLL, "A-1", world.now, "chair")
    lost = sa.text("UPDATE pollbook_log SET lost = true, lost_changes = 1 WHERE poll = :poll")
    world.connection.execute(lost, {"poll": POLL})
    assert "A-1/1 works" in noted.hold(world.connection, POLL, world.now)
    assert [log.holder for log in unheard(cursor(world.connection), POLL)] == ["station/A-1/1"]


def test_what_followed_from_a_loss_keeps_the_machine_lost(world: World, tmp_path: Path) -> None:
    for station in ("A-1", "B-1"):
        world.start(station)
        packing_out.lose(world.connection, world.poll.id, station)
    world.packed("A-1")  # its rights may come to the next machine any time
    lines = typed_by_two(tmp_path, f"{iin_of(5)},member1")
    by_hand.type_in(world.connection, VAULT, lines, typing(world, "B-1"), world.dice.randbytes)
    for station, why in (("A-1", "next machine"), ("B-1", "paper is typed in")):
        with pytest.raises(DauysError, match=why):
            packing_out.not_lost(world.connection, world.poll.id, station, world.now)
