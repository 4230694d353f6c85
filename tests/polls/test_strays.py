"""Two check-ins of one right are said to be two, whichever the centre hears first."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from joined_world import POLL, VAULT, World, iin_of
from test_paper_and_withdrawals import typed_by_two, typing

from dauys.pollbook.gathered.states import alarms, whole
from dauys.pollbook.gathered.sums import sums_at
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand

pytestmark = pytest.mark.database

WHO = UUID(bytes=VAULT.entitlement(POLL, VAULT.voter(iin_of(1))))


def numbers(world: World) -> list[str]:
    return sorted(one.number for one in alarms(world.connection, POLL))


@pytest.mark.parametrize("paper_first", [True, False])
def test_a_right_that_moved_and_stands_on_paper_too_is_used_twice(
    world: World, tmp_path: Path, paper_first: bool
) -> None:
    a, b = world.start("A-1"), world.start("B-1")
    b.link.wire.question("find", {"iin": iin_of(1)})
    b.link.wire.question("ask", {"request": "q", "entitlement": str(WHO)})
    for machine in (a, b, a, b):
        machine.link.once()
    b.check_in(WHO, world.now)
    packing_out.lose(world.connection, POLL, "A-1")
    lines = typed_by_two(tmp_path, f"{iin_of(1)},member1")
    steps = [lambda: by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes), b.link.once]
    for step in steps if paper_first else reversed(steps):
        step()
    assert numbers(world) == ["P.101", "P.102"]
    assert [one.settled for one in alarms(world.connection, POLL)] == [False, False]
    by_hand.take_back(world.connection, VAULT, lines, typing(world), "both misread the line")
    assert [(one.settled, one.stands) for one in alarms(world.connection, POLL)] == [(True, 1)] * 2
    total = whole(world.connection, POLL)
    assert (total.alarms, total.settled) == (2, 2)


def test_what_was_taken_back_because_the_machine_was_found_is_not_noted_again(world: World, tmp_path: Path) -> None:
    a = world.start("A-1")
    a.link.once()
    a.check_in(WHO, world.now)
    packing_out.lose(world.connection, POLL, "A-1")
    lines = typed_by_two(tmp_path, f"{iin_of(1)},member1")
    noted = by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    a.link.once()
    assert [one.settled for one in alarms(world.connection, POLL)] == [False]  # one ballot, or two?
    by_hand.take_back(world.connection, VAULT, None, typing(world), "its disk was found")
    assert [one.settled for one in alarms(world.connection, POLL)] == [True]
    again = by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)
    assert (noted.noted, again.noted, again.reported) == (1, 0, 1)
    sums = sums_at(world.connection, POLL, "A-1")
    assert numbers(world) == ["P.108"] and sums is not None and sums.sums.received == 1
