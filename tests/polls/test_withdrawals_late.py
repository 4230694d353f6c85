"""The hour of closing comes, and a right is asked back, or is to be: nobody is asked any more, and none is with nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import KEYS, POLL, VAULT, Machine, OneConnection, World, applied, held, rows, synced
from noted_world import Noted
from test_decided_since import changes, died, findings, lift, numbers, put_back
from test_decisions_forgotten import withdrawn_ahead
from test_lists_since import here
from test_one_person import X, Y
from test_one_person_envelopes import enveloped
from test_paper_and_withdrawals import ask, duplicate, settled
from test_pollbook_desk import Clerk, fact
from test_pollbook_envelopes import close, leave, resolved, stands
from test_returns import back, mistaken, outcome

from dauys.cli import roll as office
from dauys.cli.main import tree as dauys
from dauys.pollbook.machine import acts
from dauys.pollbook.settling.asked import State, state
from dauys.pollbook.settling.returns import given_back
from dauys.pollbook.settling.rows import LATE
from dauys.pollbook.settling.withdrawals import Asked, Settled

pytestmark = pytest.mark.database
__all__ = ["enveloped"]


def asks_for(world: World, who: UUID) -> int:
    query = sa.text(
        "SELECT count(*) FROM pollbook_request WHERE entitlement = :who AND asker = 'withdrawn' AND NOT granted"
    )
    return int(world.connection.scalar(query, {"who": who}) or 0)


def votes(world: World, machine: Machine, who: UUID) -> None:
    """The voter was in the queue at the hour, and the centre has what he did."""
    machine.check_in(who, world.now)
    synced(machine)
    assert held(world, who)[2] == 1 and numbers(world) == findings(world) == []


def left_over(world: World) -> State:
    """How all that was asked for stands, and that it stays so."""
    assert settled(world) == Settled(0, 0, 0, 0)
    return state(world.connection, POLL)


def test_after_the_hour_nobody_is_asked(world: World) -> None:
    a = world.start("A-1")
    synced(a)
    world.at(20, 3)
    number = died(world, ("A-1", 1))
    assert ask(world, number) == Asked(0, 0, 0, 0, 0, late=1)
    assert left_over(world) == State(0, 0, 0, 0) and asks_for(world, X) == 0
    synced(a)
    assert here(a, X) and changes(world) == []
    votes(world, a, X)
    assert ask(world, number) == Asked(0, 0, 1, 0, 0) and left_over(world) == State(0, 0, 0, 0)


def test_each_station_has_the_hour_of_its_own_area(world: World) -> None:
    """X's list is closed to changes, wherever his right is; Y's, an hour further west, is not."""
    areas = tuple(replace(one, timezone="Asia/Qyzylorda") if one.code == "B" else one for one in world.poll.areas)
    world.poll = replace(world.poll, areas=areas)
    world.at(20, 30)
    number = died(world, ("A-1", 1), ("B-1", 10))
    assert ask(world, number) == Asked(0, 1, 0, 0, 0, late=1)
    assert settled(world) == Settled(1, 0, 0, 0) and changes(world) == [("withdrawals", 1)]
    assert (held(world, X)[0], held(world, Y)[0]) == ("station/A-1/1", "withdrawn")


@pytest.mark.parametrize("heard", ["before the hour", "after it"])
def test_who_was_asked_for_in_time_and_is_not_withdrawn_by_the_hour_is_given_back(world: World, heard: str) -> None:
    """The station lets him go, and the centre hears of it when its list does not change any more: he is in the queue."""
    a = world.start("A-1")
    synced(a)
    world.at(19, 59)
    died(world, ("A-1", 1))
    a.link.once()  # hears of it, and lets him go
    assert not here(a, X)
    if heard == "before the hour":
        synced(a)
        assert held(world, X)[2] == 2
    world.at(20)
    assert left_over(world) == State(0, 0, 0, 0, kept=1) and asks_for(world, X) == 0
    assert [(one.reason, dict(one.outcomes)) for one in given_back(world.connection, POLL)] == [(LATE, {"kept": 1})]
    world.at(20, 3)
    synced(a)
    assert left_over(world) == State(0, 0, 0, 0, kept=1)
    synced(a)
    assert here(a, X) and a.keep.book.came[X].why == "returned" and changes(world) == []
    votes(world, a, X)


def test_where_no_machine_takes_him_back_he_is_free(world: World) -> None:
    """A-1 has closed: nobody waits for him, and the commission does not have him."""
    a = world.start("A-1")
    synced(a)
    world.at(19, 59)
    died(world, ("A-1", 1))
    synced(a)
    world.at(20)
    assert settled(world).waiting == 0
    a.do(acts.do_close, officer="chair", at=world.now)
    synced(a)
    world.at(20, 3)
    assert left_over(world) == State(0, 0, 0, 0, kept=1)
    assert held(world, X) == ("station/A-1/1", 0, 2) and asks_for(world, X) == 0


def test_a_use_that_is_taken_back_after_the_hour_is_nobody_s_to_ask_for(world: World) -> None:
    a = world.start("A-1")
    event = a.check_in(X, world.now)
    synced(a)
    died(world, ("A-1", 1))
    assert state(world.connection, POLL).used == 1
    world.at(20, 3)
    a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.now)
    synced(a)
    assert left_over(world) == State(0, 0, 0, 0, kept=1) and asks_for(world, X) == 0
    synced(a)
    votes(world, a, X)


def test_the_other_right_of_one_person_is_not_asked_for_and_opens_no_envelope(enveloped: World) -> None:
    """X was used while nobody heard A-1; Y left an envelope, and it is known that they are one person."""
    world = enveloped
    a, b, c = (world.start(name) for name in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    ask(world, duplicate(world, goes=10, stays=1))
    assert settled(world).waiting == 1
    leave(world, c, 1, Y)
    a.check_in(X, world.now)
    world.at(20, 3)
    synced(a)
    assert left_over(world).asked == 0 and asks_for(world, Y) == 0
    synced(b)
    assert here(b, Y)
    close(world, a, b, c)
    assert resolved(world) == 1 and [line[1:3] for line in stands(world)] == [(False, "P.056")]
    assert numbers(world) == findings(world) == []


def test_a_pair_that_is_decided_after_the_hour(enveloped: World) -> None:
    world = enveloped
    a, b, c = (world.start(name) for name in ("A-1", "B-1", "A/2"))
    a.check_in(X, world.now)
    leave(world, c, 1, Y)
    synced(a, b, c)
    world.at(20, 3)
    assert ask(world, duplicate(world, goes=10, stays=1)) == Asked(0, 0, 0, 0, 0, late=1)
    assert left_over(world) == State(0, 0, 0, 0)
    close(world, a, b, c)
    assert resolved(world) == 1 and [line[1:3] for line in stands(world)] == [(False, "P.056")]


def test_what_waits_at_the_hour_a_person_calls_off(world: World) -> None:
    a = world.start("A-1")
    synced(a)
    number = died(world, ("A-1", 1))
    mistaken(world, number)
    world.at(20)
    assert back(world, number) == outcome(kept=1)
    assert left_over(world) == State(0, 0, 0, 0, kept=1) and asks_for(world, X) == 0


@pytest.mark.parametrize("again", [True, False])
def test_who_was_let_go_for_a_forgotten_decision_goes_home_at_any_hour(world: World, again: bool) -> None:
    """The record never heard of it. Decided again, or decided otherwise since, he is with nobody no longer."""
    a = world.start("A-1")
    synced(a)
    copy = world.connection.begin_nested()
    died(world, ("A-1", 1))
    synced(a)
    put_back(world, copy)
    synced(a)
    lift(world)
    assert held(world, X)[2] == 2 and asks_for(world, X) == 1
    world.at(20, 3)
    if again:
        assert ask(world, died(world, ("A-1", 1))).before == 1
    else:
        assert back(world, int(applied(world.connection, rows({"A-1": 1}, 1), world.now))).returned == 1
    for _ in range(2):
        settled(world)
    synced(a)
    assert here(a, X) and state(world.connection, POLL).asked == 0 and changes(world) == []
    votes(world, a, X)


def test_what_a_list_shows_as_withdrawn_before_the_hour_is_in_the_record_after_it(noted: Noted) -> None:
    a, world = withdrawn_ahead(noted), noted.world
    a.link.show_withdrawn(X)
    world.at(20, 3)
    number = died(world, ("A-1", 1))
    assert settled(world) == Settled(1, 0, 0, 0) and changes(world) == [("withdrawals", 1)]
    mistaken(world, number)
    assert back(world, number) == outcome(late=1)


def test_the_command_says_that_it_is_too_late(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "open_store", lambda: OneConnection(world.connection))
    monkeypatch.setattr(office, "keys_of", lambda poll, folder: KEYS)
    monkeypatch.setattr(office, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(office, "_vault", lambda connection: VAULT)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))

    def said(number: int, *more: str) -> str:
        args = [
            "withdraw",
            POLL,
            "--set",
            str(number),
            "--by",
            "vera",
            "--reason",
            "died",
            "--at",
            world.now.isoformat(),
        ]
        done = CliRunner().invoke(dauys, ["roll", *args, *more], standalone_mode=False)
        assert done.exception is None, done.exception
        return done.stdout

    a = world.start("A-1")
    synced(a)
    died(world, ("A-1", 1))
    assert "2 waiting for their holders" in said(died(world, ("A-1", 2)))
    world.at(20, 3)
    number = died(world, ("A-1", 3))
    text = said(number)
    assert "1 too late: the hour of closing of their stations has come" in text
    assert text.endswith("0 withdrawn, 0 waiting for their holders, 0 used, 2 not asked for any more\n")
    found = json.loads(said(number, "--json"))
    assert (found["asked"], found["late"], found["poll"]["waiting"], found["poll"]["kept"]) == (0, 1, 0, 2)


def test_the_desk_says_that_it_is_too_late(world: World) -> None:
    a = world.start("A-1")
    synced(a)
    died(world, ("A-1", 1))
    world.at(20, 3)
    number, clerk, page = died(world, ("A-1", 2)), Clerk(world, "vera"), f"/en/desk/withdrawals/{POLL}"
    code, text = clerk.send(page, "withdraw", set=str(number), reason="died")
    assert (code, fact(text, "done"), fact(text, "waiting")) == (200, ["asked"], ["0"])
    assert "Not asked back, for the hour of closing of their stations has come: 1" in text
    assert LATE in text and "not asked for any more: 1" in text
    assert "час закрытия наступил раньше" in clerk.site.get(page.replace("/en/", "/ru/")).text
