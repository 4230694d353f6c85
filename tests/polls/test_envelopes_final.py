"""The commission waits no longer for logs that are missing: two people say so, and no machine that is there is passed over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import (
    KEYS,
    POLL,
    VOTING,
    Machine,
    OneConnection,
    World,
    held,
    right,
    synced,
    with_an_area_further_west,
    world_of,
)
from test_decided_since import add
from test_pollbook_envelopes import BY_TWO, close, leave, resolved, stands

from dauys.cli import pollbook as office
from dauys.cli.main import tree
from dauys.errors import BadInput, DauysError
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.machine import acts
from dauys.pollbook.machine import envelope_acts as slips
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.settling.envelopes import said_final, with_another
from dauys.polls.pollbook_join import resolve_envelopes

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 4, "B-1": 3}) as made:
        made.at(9)
        yield made


def one_lies(world: World) -> tuple[Machine, Machine]:
    """A voter of A-1 left an envelope at B-1, whose list is closed; A-1 is open, and heard at a quarter past eight."""
    home, there = world.start("A-1"), world.start("B-1")
    leave(world, there, 1, home.voters[0])
    close(world, there)
    world.at(20, 15)
    synced(home)
    return home, there


def test_the_last_station_closes_where_there_is_one(world: World) -> None:
    """Not an hour later, where the country's west has no station of this poll."""
    one_lies(world)
    world.poll = with_an_area_further_west(world.poll)
    world.at(19, 59)
    with pytest.raises(DauysError, match=r"closes at 05\.06\. 20:00 \(Asia/Almaty\)"):
        resolved(world, final=True)
    packing_out.lose(world.connection, POLL, "A-1")
    world.at(20)
    assert resolved(world, final=True) == 1


def test_a_machine_that_was_heard_just_now_is_not_passed_over(world: World) -> None:
    """A minute before its chair closes: the envelope is not void for ever."""
    home, _ = one_lies(world)
    world.at(20, 30)
    with pytest.raises(BadInput, match=r"heard within 15 minutes, and not closed: A-1/1\. ") as refused:
        resolved(world, final=True)
    assert refused.value.check == "P.063" and [line[1:] for line in stands(world)] == [(None, "P.063", False)]
    home.do(acts.do_close, officer="chair", at=world.now)
    synced(home)
    assert resolved(world, final=True) == 1 and stands(world)[0][1:] == (True, "P.065", True)


@pytest.mark.parametrize("how", ["silent", "lost"])
def test_a_machine_that_is_gone_is_waited_for_no_longer(world: World, how: str) -> None:
    one_lies(world)
    if how == "lost":
        packing_out.lose(world.connection, POLL, "A-1")
        synced(world.stations["A-1"])  # who has it does not keep the envelopes from being opened
    else:
        world.clock[0] += timedelta(minutes=15, seconds=1)
    assert resolved(world, final=True) == 1 and stands(world)[0][1:] == (False, "P.064", True)
    (row,) = world.connection.execute(sa.text("SELECT final, by FROM pollbook_envelope"))
    assert (row.final, row.by) == (True, list(BY_TWO))
    assert all("found" not in text.lower() for text in catalogue()["P.064"].title.values()), "nobody looked for it"


@pytest.mark.parametrize("by", [("anna", " "), ("anna", "account/ANNA"), ("anna", "boris", "vera")])
def test_two_different_people_say_so(world: World, by: tuple[str, ...]) -> None:
    one_lies(world)
    world.at(21)
    with pytest.raises(BadInput) as refused:
        resolve_envelopes(world.connection, world.poll, KEYS.commission, world.now, by)
    assert refused.value.check == "P.058" and stands(world)[0][1] is None


def test_the_command_asks_for_both_names(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(office, "keys_of", lambda poll, folder: KEYS)
    monkeypatch.setattr(office, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))

    def said(*args: str) -> Any:
        done = CliRunner().invoke(tree, ["pollbook", "envelopes", POLL, *args, "--json"], standalone_mode=False)
        return done.exception or json.loads(done.stdout)

    home, _ = one_lies(world)
    at = ("--at", world.at(20, 20).isoformat())
    for args in (("--final",), ("--by", *BY_TWO), ("--final", "--by", "anna", "ANNA")):
        refused = said(*args, *at)
        assert isinstance(refused, BadInput) and refused.check == "P.058"
    assert "A-1/1" in str(said("--final", "--by", *BY_TWO, *at))
    ahead = said("--final", "--by", *BY_TWO, "--at", "2999-06-05T21:00:00+06:00")  # by then nobody was heard for long
    assert "that is said of now" in str(ahead) and not stands(world)[0][3]
    close(world, home)
    done = said("--final", "--by", *BY_TWO, *at)
    assert (done["now"], done["counted"], done["missing_logs"]) == (1, 1, 0)
    assert "anna" not in json.dumps(done)


def test_what_is_resolved_is_not_taken_back_by_a_machine_that_is_found(world: World) -> None:
    """B-1 is lost with the envelope, which counts. It has not heard that, and takes it back; then it hears, and takes nothing back."""
    home, there = world.start("A-1"), world.start("B-1")
    for n in (1, 2):
        leave(world, there, n, home.voters[n - 1])
    synced(home, there)
    close(world, home)
    packing_out.lose(world.connection, POLL, "B-1")
    world.at(21)
    assert resolved(world, final=True) == 2 and [line[1] for line in stands(world)] == [True, True]
    before = sums_at(world.connection, POLL, "B-1")
    first, second = there.keep.book.envelopes
    there.do(slips.do_envelope_undo, first.n, reason="wrong", officer="member1", at=world.now)
    synced(there)
    assert [alarm.number for alarm in alarms(world.connection, POLL)] == ["P.104"]
    after = sums_at(world.connection, POLL, "B-1")
    assert before is not None and after is not None and after.sums == before.sums
    assert [line[1] for line in stands(world)] == [True, True]
    with pytest.raises(acts.Refused, match=r"P\.087"):
        there.do(slips.do_envelope_undo, second.n, reason="wrong", officer="member1", at=world.now)


def test_who_was_added_to_a_package_that_is_void_is_with_no_log(world: World) -> None:
    """50 is on A-1's second package, which nobody began and is void: his envelope counts, and waits for no log that will never be."""
    a, b = world.start("A-1"), world.start("B-1")
    packing_out.lose(world.connection, POLL, "A-1")
    add(world, 50)
    world.packed("A-1")
    leave(world, b, 50, right(50))
    packing_out.lose(world.connection, POLL, "A-1")  # makes that package void
    assert held(world, right(50))[0] == "roll/A-1"
    world.start("A/2")
    close(world, a, b, world.stations["A/2"])
    world.at(21)
    assert resolved(world) == 1 and stands(world)[0][1] is True


def test_the_first_ones_word_is_over_with_what_it_was_about(world: World) -> None:
    """Anna says so while A-1 is silent. It is heard again: it can close. All is resolved: of what is to come nobody has said so."""
    home, _ = one_lies(world)
    close(world, world.start("A/2"))
    by_anna = (world.connection, world.poll, KEYS.commission)
    assert resolve_envelopes(*by_anna, world.at(20, 40), ("anna",)) == 0
    assert said_final(world.connection, POLL) == ["anna"]
    world.at(20, 41)
    synced(home)
    assert said_final(world.connection, POLL) == [] and with_another(world.connection, POLL, "boris") == ("boris",)
    assert resolve_envelopes(*by_anna, world.at(21), ("anna",)) == 0
    close(world, home)
    assert resolved(world) == 1
    assert world.connection.scalar(sa.text("SELECT count(*) FROM pollbook_final")) == 0


def test_a_package_that_nobody_began_is_void_first(world: World) -> None:
    """A/2's machine never came; one of its voters left an envelope. Nobody can have used his right: it counts."""
    a, b = world.start("A-1"), world.start("B-1")
    world.packed("A/2")
    leave(world, b, 1, right(7))
    close(world, a, b)
    world.at(21)
    with pytest.raises(BadInput, match=f"packages of A/2/1, .*dauys pollbook lost {POLL} STATION") as refused:
        resolved(world, final=True)
    assert refused.value.check == "P.063" and stands(world)[0][1] is None
    assert packing_out.lose(world.connection, POLL, "A/2")[1] == "void"
    assert resolved(world) == 1 and stands(world)[0][1:3] == (True, "P.065")


def test_of_whose_station_no_list_was_ever_made(world: World) -> None:
    """With the wire there he would have been given his right at once."""
    a, b = world.start("A-1"), world.start("B-1")
    leave(world, b, 1, right(7))
    close(world, a, b)
    world.at(21)
    with (
        world.connection.engine.connect() as other,
        other.begin(),
    ):  # a package of A/2 is being made, or somebody knocks with one
        other.execute(
            sa.text("SELECT pg_advisory_xact_lock(hashtext('pollbook ' || :poll || ' ' || 'A/2'))"), {"poll": POLL}
        )
        with pytest.raises(psycopg.errors.LockNotAvailable), world.connection.begin_nested():
            world.connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            resolved(world)
    assert resolved(world) == 1 and stands(world)[0][1:3] == (True, "P.065")


def says(world: World, by: str) -> tuple[int, list[str]]:
    """One person says so, as at the desk: how many are resolved, and whose word waits for another one's."""
    final = with_another(world.connection, POLL, by)
    done = resolve_envelopes(world.connection, world.poll, KEYS.commission, world.now, final)
    return done, said_final(world.connection, POLL)


def test_what_two_people_said_is_good_once(world: World) -> None:
    """Then a machine that was given up is found, with another envelope in its log: nobody says so alone because of before."""
    one_lies(world)
    late = world.start("A/2")
    leave(world, late, 2, world.stations["A-1"].voters[1])
    packing_out.lose(world.connection, POLL, "A/2")
    world.at(21)
    assert [says(world, by) for by in BY_TWO] == [(0, ["anna"]), (1, [])]
    synced(late)
    assert [line[1:] for line in stands(world)] == [(None, "P.063", False), (False, "P.064", True)]
    world.at(21, 20)
    assert says(world, "boris") == (0, ["boris"])
    assert says(world, "vera") == (1, [])
