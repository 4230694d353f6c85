"""Two commands, or a command and a machine, at the same time: who comes second waits, or comes again, and acts on what is true then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from beside import Beside, committed, over
from joined_world import POLL, VOTING, World, held, right, synced, world_of
from test_decided_since import add, findings, numbers, wants
from test_given_back_free import FREE, given_back
from test_lists_since import here
from test_one_person import X
from test_one_person_overlaps import minutes
from test_paper_and_withdrawals import ask, settled
from test_pollbook_envelopes import close, leave, resolved, stands
from test_returns import back, duplicate_again, mistaken, outcome

from dauys.errors import BadInput
from dauys.pollbook.machine import acts
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.settling.asked import State, state
from dauys.pollbook.settling.withdrawals import Asked, Settled
from dauys.stations.ledger import lock

pytestmark = pytest.mark.database


@pytest.fixture
def world(store: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Its own connection is held until a test says `committed`."""
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    with store.connect() as connection, world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as made:
        made.at(9)
        yield made


def withdraws(world: World, number: int) -> tuple[Asked, Settled]:
    """`dauys roll withdraw`."""
    lock(world.connection, POLL)
    return ask(world, number, "died"), settled(world)


def is_withdrawn(world: World) -> bool:
    """Whether X is in the end, at no machine, and nobody is blamed for anything."""
    machines = world.stations.values()
    minutes(world, *machines)
    assert numbers(world) == findings(world) == []
    return held(world, X)[0] == "withdrawn" and not any(here(machine, X) for machine in machines)


def test_a_check_in_comes_in_while_it_is_asked_back(world: World) -> None:
    a = world.start("A-1")
    number = duplicate_again(world, 1)
    a.check_in(X, world.now)
    committed(world)
    synced(a)
    command = Beside(world, lambda there: withdraws(there, number))
    assert command.waits
    committed(world)
    assert command.did() == (Asked(0, 0, 1, 0, 0), Settled(0, 0, 0, 0))
    assert not is_withdrawn(world) and held(world, X) == ("station/A-1/1", 0, 1)


def test_a_batch_is_sent_again_while_it_is_taken(world: World) -> None:
    """Its machine has waited long enough."""
    a = world.start("A-1")
    synced(a)
    committed(world)
    a.check_in(X, world.now)
    world.wires.lose = True
    a.link.once()
    again = Beside(world, lambda there: over(there, a).link.once())
    assert again.waits
    committed(world)
    again.did()
    assert a.link.waiting == 0 and held(world, X) == ("station/A-1/1", 0, 1) and numbers(world) == []


def test_it_is_asked_back_while_a_check_in_comes_in(world: World) -> None:
    a = world.start("A-1")
    number = duplicate_again(world, 1)
    committed(world)
    assert withdraws(world, number) == (Asked(1, 0, 0, 0, 0), Settled(0, 0, 0, 1))
    a.check_in(X, world.now)
    batch = Beside(world, lambda there: synced(over(there, a)))
    assert batch.waits
    committed(world)
    batch.did()
    assert settled(world) == Settled(0, 1, 0, 0)
    assert not is_withdrawn(world) and held(world, X) == ("station/A-1/1", 0, 1)


@pytest.mark.parametrize("before", [False, True])
def test_the_minute_waits_for_no_batch(world: World, before: bool) -> None:
    """It comes again. `before`: X was used already, and that was taken back."""
    a = world.start("A-1")
    used = a.check_in(X, world.now) if before else None
    synced(a)
    ask(world, duplicate_again(world, 1), "died")
    if used is not None:
        a.do(acts.do_undo, used.n, reason="wrong line", officer="member1", at=world.now)
        synced(a)
    committed(world)
    a.check_in(X, world.now)
    synced(a)
    minute = Beside(world, settled)
    assert not minute.waits and minute.did() == Settled(0, 0, 0, 0 if before else 1)
    committed(world)
    settled(world)
    assert held(world, X) == ("station/A-1/1", 0, 1) and state(world.connection, POLL) == State(0, 0, 1, 0)


@pytest.mark.parametrize("by", ["withdrawn", "moves"])
def test_what_no_list_has_goes_while_the_list_is_made(world: World, by: str) -> None:
    """The list waits, and has him as somebody who is not here."""
    b = world.start("B-1")
    number = duplicate_again(world, 1)
    if by == "moves":
        wants(b, 1, "q")
    committed(world)
    if by == "moves":
        synced(b)
    else:
        assert withdraws(world, number)[1].withdrawn == 1
    package = Beside(world, lambda there: there.packed("A-1"))
    assert package.waits
    committed(world)
    a = world.enrolled(package.did())
    assert X not in a.voters and here(b, X) is (by == "moves")
    assert is_withdrawn(world) is (by == "withdrawn")


@pytest.mark.parametrize("by", ["withdrawn", "moves"])
def test_a_list_is_made_while_what_it_has_should_go(world: World, by: str) -> None:
    """Nobody waits for the list; its machine is asked."""
    b = world.start("B-1")
    number = duplicate_again(world, 1)
    if by == "moves":
        wants(b, 1, "q")
    committed(world)
    package = world.packed("A-1")
    if by == "moves":
        sync = Beside(world, lambda there: synced(over(there, b)))
        assert not sync.waits
        sync.did()
    else:
        command = Beside(world, lambda there: withdraws(there, number))
        assert not command.waits and command.did()[1] == Settled(0, 0, 0, 1)
    committed(world)
    a = world.enrolled(package)
    assert held(world, X) == ("station/A-1/1", 0, 0) and X in a.voters
    assert is_withdrawn(world) is (by == "withdrawn")
    assert here(b, X) is (by == "moves")


def test_it_is_asked_back_while_it_moves(world: World) -> None:
    """A-1 let X go for B-1, which is given him; then B-1 is asked."""
    a, b = world.start("A-1"), world.start("B-1")
    number = duplicate_again(world, 1)
    wants(b, 1, "q")
    synced(a)
    committed(world)
    synced(b)
    command = Beside(world, lambda there: withdraws(there, number))
    assert command.waits
    committed(world)
    assert command.did() == (Asked(1, 0, 0, 0, 0), Settled(0, 0, 0, 1))
    assert held(world, X) == ("station/B-1/1", 1, 0) and is_withdrawn(world)


def test_it_moves_while_it_is_asked_back(world: World) -> None:
    """Who gives waits for nobody: what he had read before would be what he goes by."""
    a, b = world.start("A-1"), world.start("B-1")
    number = duplicate_again(world, 1)
    wants(b, 1, "q")
    synced(a)
    committed(world)
    lock(world.connection, POLL)
    ask(world, number, "died")
    sync = Beside(world, lambda there: synced(over(there, b)))
    assert not sync.waits
    sync.did()
    committed(world)
    assert not here(b, X) and held(world, X) == ("station/A-1/1", 0, 2) and is_withdrawn(world)


def test_of_two_that_ask_for_it_one_is_given_it(world: World) -> None:
    a, b, c = (world.start(station) for station in ("A-1", "B-1", "A/2"))
    for machine, request in ((b, "q1"), (c, "q2")):
        wants(machine, 1, request)
    synced(a)
    committed(world)
    synced(b)
    sync = Beside(world, lambda there: synced(over(there, c)))
    assert not sync.waits
    sync.did()
    committed(world)
    synced(a, b, c)
    assert (here(b, X), here(c, X)) == (True, False) and numbers(world) == findings(world) == []


def given_up(world: World) -> int:
    """X is withdrawn, and that was a mistake."""
    number = duplicate_again(world, 1)
    assert withdraws(world, number)[1].withdrawn == 1
    mistaken(world, number)
    return number


def test_a_machine_begins_while_it_is_given_back(world: World) -> None:
    number = given_up(world)
    package = world.packed("A-1")
    committed(world)
    assert back(world, number) == outcome(returned=1, free=1)
    begins = Beside(world, lambda there: there.enrolled(package))
    assert begins.waits
    committed(world)
    assert here(begins.did(), X) and held(world, X)[0] == "station/A-1/1"


def test_it_is_given_back_while_a_machine_begins(world: World) -> None:
    number = given_up(world)
    package = world.packed("A-1")
    committed(world)
    a = world.enrolled(package)
    command = Beside(world, lambda there: back(there, number))
    assert command.waits
    committed(world)
    assert command.did() == outcome(returned=1)
    synced(a)
    assert here(a, X) and numbers(world) == findings(world) == []


def test_a_machine_begins_while_what_is_free_is_asked_back(world: World) -> None:
    """It is given who is at rest, and waits for nobody: not for the minute, nor for a right that somebody is at."""
    for serial in (1, 2):
        given_back(world, serial)
    package = world.packed("A-1")
    number = duplicate_again(world, 1)
    committed(world)
    lock(world.connection, POLL)
    ask(world, number, "died")
    begins = Beside(world, lambda there: there.enrolled(package))
    assert not begins.waits
    a = begins.did()
    assert not here(a, X) and here(a, right(2))
    assert held(world, X) == FREE and settled(world).withdrawn == 1
    committed(world)
    world.stations["A-1"] = over(world, a)
    assert is_withdrawn(world) and here(a, right(2))


def test_what_is_free_is_asked_back_while_a_machine_begins(world: World) -> None:
    given_back(world)
    package = world.packed("A-1")
    number = duplicate_again(world, 1)
    committed(world)
    a = world.enrolled(package)
    command = Beside(world, lambda there: withdraws(there, number))
    assert command.waits
    committed(world)
    assert command.did() == (Asked(1, 0, 0, 0, 0), Settled(0, 0, 0, 1))
    assert held(world, X) == ("station/A-1/1", 2, 0) and here(a, X)
    assert is_withdrawn(world)


def one_lies(world: World, serial: int) -> UUID:
    """Who is on no list of A-1 left an envelope at B-1, whose list is closed: 1, for there is none, or 50, who was added since."""
    b = world.start("B-1")
    if serial == 50:
        synced(world.start("A-1"))
        packing_out.lose(world.connection, POLL, "A-1")
        add(world, serial)
    leave(world, b, 1, right(serial))
    close(world, b)
    world.at(20, 30)
    committed(world)
    return right(serial)


@pytest.mark.parametrize("serial", [1, 50])
def test_a_list_is_made_while_nobody_waits_any_longer(world: World, serial: int) -> None:
    """It waits for all of that, and holds nothing meanwhile for which that would wait."""
    who = one_lies(world, serial)
    lock(world.connection, POLL, alone=True)
    package = Beside(world, lambda there: there.packed("A-1"))
    assert package.waits
    assert resolved(world, final=True) == 1
    committed(world)
    assert who not in world.enrolled(package.did()).voters
    assert stands(world)[0][1:] == (True, "P.065", True) and held(world, who) == ("envelope/B-1/1", 1, 1)


@pytest.mark.parametrize("serial", [1, 50])
@pytest.mark.parametrize("begun", [False, True])
def test_nobody_waits_any_longer_while_a_list_is_made(world: World, serial: int, begun: bool) -> None:
    """The commission sees it then: a machine has the list, or may have it."""
    one_lies(world, serial)
    package = world.packed("A-1")
    if begun:
        committed(world)
        world.enrolled(package)
    command = Beside(world, lambda there: resolved(there, final=True))
    assert command.waits
    committed(world)
    with pytest.raises(BadInput, match=f"A-1/{package.log.generation}") as refused:
        command.did()
    assert refused.value.check == "P.063" and stands(world)[0][1:] == (None, "P.063", False)
