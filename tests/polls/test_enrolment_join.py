"""At the real centre: does a machine that opened its package with the wire cut ever use what the centre gave away since?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from joined_world import POLL, Machine, World, world_of

from dauys.errors import BadInput
from dauys.pollbook.centre import decided
from dauys.pollbook.gathered.states import alarms
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.rules.custody import CustodyError

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    with world_of(connection, tmp_path, {"A-1": 3, "A/2": 2, "B-1": 2}) as made:
        yield made


def offline(world: World, name: str) -> Machine:
    """A machine that enrols with the newest package of A-1 while its wire is cut."""
    code = (world.folder / "A-1.code").read_text().strip()
    world.wires.cut = True
    keep = enrol(world.folder / "A-1.package", code, world.folder / name, "http://centre")
    machine = Machine(keep, Link(connect(keep, lambda: world.now, world.wires), lambda: world.now), world.dice)
    machine.link.once()
    world.wires.cut = False
    return machine


@pytest.mark.parametrize("void", [False, True], ids=["made again", "void"])
def test_a_package_made_again_leaves_one_machine(world: World, void: bool) -> None:
    packing_out.write(world.folder, [world.packed("A-1")])
    first = offline(world, "first")
    with pytest.raises(Refused, match=r"P\.018"):
        first.do(acts.do_open, officer="chair", at=world.at(8))
    if void:
        assert packing_out.lose(world.connection, POLL, "A-1")[1] == "void"
    second = world.start("A-1")
    who = second.voters[0]
    second.check_in(who, world.at(9))
    second.link.once()
    first.link.once()
    assert first.link.status.check == "P.019"
    for deed in (
        lambda: first.do(acts.do_open, officer="chair", at=world.at(10)),
        lambda: first.check_in(who, world.at(10)),
    ):
        with pytest.raises(Refused, match=r"P\.041"):
            deed()
    world.wires.cut = True  # the one that the centre knows works without it
    second.check_in(second.voters[1], world.at(11))
    world.wires.cut = False
    second.link.once()
    assert alarms(world.connection, POLL) == [] and first.keep.book.head.n == 0
    first.keep.close()


def test_one_package_on_two_laptops_is_one_station(world: World) -> None:
    packing_out.write(world.folder, [world.packed("A-1")])
    first, second = offline(world, "first"), offline(world, "second")
    second.link.once()
    first.link.once()
    second.do(acts.do_open, officer="chair", at=world.at(8))
    assert (second.keep.book.stopped, bool(first.keep.book.stopped), first.keep.book.head.n) == ("", True, 0)
    first.keep.close(), second.keep.close()


def test_a_right_withdrawn_after_void_is_used_by_nobody(world: World) -> None:
    """While the package is there it is not settled; once it is void, no machine that has it on its list ever opens."""
    packing_out.write(world.folder, [world.packed("A-1")])
    first, later = offline(world, "first"), offline(world, "later")
    later.keep.close()
    who = first.voters[0]
    decided.withdraw(world.connection, POLL, "w", who, world.at(8))
    with pytest.raises(CustodyError, match=r"P\.052"):
        decided.settle(world.connection, POLL, "w")
    packing_out.lose(world.connection, POLL, "A-1")
    decided.settle(world.connection, POLL, "w")
    first.link.once()
    with pytest.raises(Refused, match=r"P\.041"):
        first.do(acts.do_open, officer="chair", at=world.at(8))
    first.keep.close()
    ((one, package, _),) = packing_out.write(world.folder, [world.packed("A-1")])
    for folder, why in (("first", "is stopped"), ("later", "another package")):  # the new code takes no old list over
        with pytest.raises(BadInput, match=why):
            enrol(package, one.code, world.folder / folder, "http://centre")
    assert one.log.generation == 1
