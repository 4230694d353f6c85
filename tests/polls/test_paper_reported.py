"""A signature on the paper of a lost machine whose log has that check-in already is counted once, and is never forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from joined_world import KEYS, POLL, VAULT, Machine, World, held, iin_of, right, synced, world_of
from noted_world import Noted, lifted, opened, put_back
from test_decided_since import findings, numbers, wants
from test_lists_since import here
from test_paper_and_withdrawals import typed_by_two, typing

from dauys.errors import BadInput
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.gathered.sums import reports_at, sums_at
from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.sync import CentreRefused
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand
from dauys.polls.pollbook_join import seal

pytestmark = pytest.mark.database

X = right(1)


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 6, "B-1": 4}) as made:
        made.at(9)
        yield made


def burnt(world: World, unsent: bool = True) -> tuple[Machine, Machine]:
    """X is checked in at A-1 by mistake, which the centre hears; that is taken back, unheard, and the machine is gone."""
    a, b = world.start("A-1"), world.start("B-1")
    event = a.check_in(X, world.now)
    synced(a, b)
    if unsent:
        a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.now)
    packing_out.lose(world.connection, POLL, "A-1")
    return a, b


def type_in(world: World, folder: Path) -> tuple[int, int, int]:
    """Two people type X's line: noted, reported, before."""
    lines = typed_by_two(folder, f"{iin_of(1)},member1")
    typed = by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    return typed.noted, typed.reported, typed.before


def take_back(world: World, folder: Path | None) -> tuple[int, int, int]:
    lines = None if folder is None else typed_by_two(folder, f"{iin_of(1)},member1")
    back = by_hand.take_back(world.connection, VAULT, lines, typing(world), "misread")
    return back.noted, back.reported, back.before


def found(world: World, machine: Machine) -> None:
    """Its disk is read, and its chair closes."""
    world.at(20)
    machine.do(acts.do_close, officer="chair", at=world.now)
    synced(machine)
    world.at(19)


def paper(world: World) -> list[Event]:
    """What the log of A-1's paper says, event by event."""
    query = sa.text(
        "SELECT v.body FROM pollbook_event v JOIN pollbook_log l ON l.id = v.log "
        "WHERE l.poll = :poll AND l.holder = 'station/A-1/501' ORDER BY v.n"
    )
    return [Event.from_bytes(bytes(data)) for data in world.connection.scalars(query, {"poll": POLL})]


def received(world: World) -> tuple[int, int | None]:
    """Ballots of A-1, by the logs and in the record."""
    seal(world.connection, POLL, KEYS.commission, world.now)
    sums: Any = sums_at(world.connection, POLL, "A-1")
    return sums.sums.received, sums.sealed


def gets_none(world: World, other: Machine) -> bool:
    try:
        wants(other, 1, "q")
    except CentreRefused as error:
        assert error.check == "P.021"
    synced(other)
    return not here(other, X)


def test_a_ballot_by_hand_after_an_undo_that_nobody_heard(world: World, tmp_path: Path) -> None:
    """He signed by hand: his right is not free when the disk is found, he is counted once, and a person hears of it."""
    a, b = burnt(world)
    assert [type_in(world, tmp_path) for _ in range(2)] == [(0, 1, 0)] * 2
    assert [one.kind for one in paper(world)] == ["reported"], "typed again, nothing is noted again"
    assert received(world) == (1, 1) and numbers(world) == []
    found(world, a)
    assert gets_none(world, b)
    assert held(world, X)[0] == "station/A-1/501" and received(world) == (1, 1)
    (alarm,) = alarms(world.connection, POLL)
    assert (alarm.number, alarm.station, alarm.generation, alarm.stands) == ("P.108", "A-1", 1, 1)
    assert "took back" in alarm.text and findings(world) == []
    assert type_in(world, tmp_path) == (0, 0, 1)


def test_the_disk_that_is_found_before_the_paper_is_typed(world: World, tmp_path: Path) -> None:
    a, b = burnt(world)
    synced(a)
    assert type_in(world, tmp_path) == (1, 0, 0)
    found(world, a)
    assert gets_none(world, b) and received(world) == (1, 1) and numbers(world) == findings(world) == []


@pytest.mark.parametrize("when", ["before the disk is found", "after it"])
def test_a_line_that_both_misread_is_taken_back(world: World, tmp_path: Path, when: str) -> None:
    a, b = burnt(world)
    type_in(world, tmp_path)
    if when == "after it":
        found(world, a)
        assert [take_back(world, tmp_path) for _ in range(2)] == [(1, 0, 0), (0, 0, 1)]
    else:
        assert [take_back(world, tmp_path) for _ in range(2)] == [(0, 1, 0), (0, 0, 1)]
        found(world, a)
    assert not gets_none(world, b) and received(world) == (0, 0) and findings(world) == []


def test_a_line_is_typed_again_after_it_was_taken_back(world: World, tmp_path: Path) -> None:
    a, b = burnt(world)
    assert (type_in(world, tmp_path), take_back(world, tmp_path)) == ((0, 1, 0), (0, 1, 0))
    assert type_in(world, tmp_path) == (0, 1, 0)
    found(world, a)
    assert gets_none(world, b) and received(world) == (1, 1)
    assert (take_back(world, tmp_path), type_in(world, tmp_path)) == ((1, 0, 0), (1, 0, 0))
    assert received(world) == (1, 1) and findings(world) == []


@pytest.mark.parametrize("typed_again", [True, False])
def test_what_is_the_same_ballot_is_kept_as_reported(world: World, tmp_path: Path, typed_again: bool) -> None:
    """The machine had not sent the check-in: typed, found in its log, and taken back from the paper; then the machine takes it back, too."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    event = a.check_in(X, world.now)
    packing_out.lose(world.connection, POLL, "A-1")
    assert type_in(world, tmp_path) == (1, 0, 0)
    synced(a)
    assert numbers(world) == ["P.108"] and received(world) == (2, 2)
    assert take_back(world, None) == (1, 0, 0) and received(world) == (1, 1)
    if typed_again:
        assert type_in(world, tmp_path) == (0, 1, 0)
    typed, undo, line = paper(world)
    assert (typed.kind, undo.kind, line.kind) == ("check-in", "undo", "reported")
    assert line.body["salt"] != typed.body["salt"], "in the record its commitment would be the one that is taken back"
    a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.now)
    found(world, a)
    assert gets_none(world, b) and received(world) == (1, 1) and findings(world) == []


def test_a_machine_whose_paper_has_a_counted_line_stays_lost(world: World, tmp_path: Path) -> None:
    burnt(world, unsent=False)
    type_in(world, tmp_path)
    with pytest.raises(Exception, match="its paper is typed in"):
        packing_out.not_lost(world.connection, POLL, "A-1", world.now, "anna")
    with pytest.raises(BadInput, match="not typed in"):
        by_hand.take_back(
            world.connection, VAULT, typed_by_two(tmp_path, f"{iin_of(2)},member1"), typing(world), "misread"
        )


@pytest.mark.parametrize("first", ["the sheets", "the disk"])
def test_the_sheets_are_typed_again_when_the_centre_was_put_back(noted: Noted, tmp_path: Path, first: str) -> None:
    """The line, and what became of it, was forgotten with the rest; the disk is read again, before or after."""
    world = noted.world
    noted.hold()
    a, b = opened(noted, "A-1", "a"), opened(noted, "B-1", "b")
    event = a.check_in(X, world.now)
    synced(a, b)
    noted.lose("A-1")
    noted.hold()
    copy = world.connection.begin_nested()
    type_in(world, tmp_path)
    a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.now)
    found(world, a)
    assert held(world, X)[0] == "station/A-1/501"
    put_back(noted, copy)
    noted.hold()
    assert held(world, X)[0] == "station/A-1/1"
    if first == "the sheets":
        assert type_in(world, tmp_path) == (0, 1, 0)
    synced(a, b)
    assert type_in(world, tmp_path) == ((0, 0, 1) if first == "the sheets" else (1, 0, 0))
    synced(a, b)
    lifted(world, "its clock was right: the list was closed at eight")
    assert gets_none(world, b) and held(world, X)[0] == "station/A-1/501"
    assert received(world) == (1, 1) and findings(world) == []
    assert numbers(world) == ["P.108", "P.120"][first == "the disk" :], "P.120: it was put back"


def test_no_hour_counts_one_ballot_twice(world: World, tmp_path: Path) -> None:
    """Checked in at nine, typed at eleven, taken back at the found machine at three: at two it was the machine's, then the paper's."""
    a, _ = burnt(world, unsent=False)
    (event,) = a.keep.book.check_ins.values()
    world.at(11)
    assert type_in(world, tmp_path) == (0, 1, 0)
    new = world.start("A-1")
    world.at(15)
    synced(new)
    synced(new)
    a.do(acts.do_undo, event.n, reason="wrong person", officer="member1", at=world.now)
    synced(a)
    ready = reports_at(world.connection, POLL, world.poll.moment(time(14)), ()).ready
    assert {row[0]: row[2] for row in ready}["A-1"] == 1
    assert received(world) == (1, 1)


def test_a_use_beside_another_station_s_log_is_not_the_machine_s(world: World, tmp_path: Path) -> None:
    """B-1 used X's right, which was not its own; then he stands on A-1's paper, and no log of A-1 has a use: two ballots."""
    a, b = world.start("A-1"), world.start("B-1")
    synced(a, b)
    stray = "INSERT INTO pollbook_stray SELECT poll, :who, id, 1, false FROM pollbook_log WHERE station = 'B-1'"
    world.connection.execute(sa.text(stray), {"who": X})
    packing_out.lose(world.connection, POLL, "A-1")
    assert type_in(world, tmp_path) == (1, 0, 0) and numbers(world) == ["P.102"]
