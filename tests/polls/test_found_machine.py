"""A lost machine is found: whose are the envelopes that it took while nobody could say it?"""

from __future__ import annotations

import stat
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from joined_world import POLL, VAULT, Machine, World, iin_of, right, synced
from test_pollbook_envelopes import close, leave, resolved, stands, world

from dauys.cli.main import tree
from dauys.pollbook.log.events import LogId
from dauys.pollbook.machine import unnamed
from dauys.pollbook.machine.sync import CentreRefused
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.settling import named

pytestmark = pytest.mark.database
__all__ = ["world"]


def cut_and_lost(world: World) -> tuple[Machine, Machine]:
    """B-1 took an envelope of a voter of A-1 while its wire was cut, and was given up for lost."""
    home, there = world.start("A-1"), world.start("B-1")
    world.at(9)
    synced(home, there)
    world.wires.cut = True
    unnamed.keep_iin(there.keep, UUID(int=1), iin_of(1))
    leave(world, there, 1, None)
    world.wires.cut = False
    packing_out.lose(world.connection, POLL, "B-1")
    world.at(11)
    return home, there


def test_a_lost_machine_that_is_found_says_whose_its_envelope_is(world: World) -> None:
    home, there = cut_and_lost(world)
    synced(there)
    assert unnamed.kept(there.keep) == [] and stands(world) == [(1, None, "P.063", False)]
    close(world, home, there)
    assert resolved(world) == 1 and stands(world) == [(1, True, "P.065", True)]


def test_it_hears_nothing_else_and_of_no_envelope_that_is_not_in_its_log(world: World) -> None:
    _, there = cut_and_lost(world)
    for what, body in (
        ("find", {"iin": iin_of(1)}),
        ("ask", {"request": "r", "entitlement": str(right(1))}),
        ("call-off", {"entitlement": str(right(1))}),
    ):
        with pytest.raises(CentreRefused, match=r"P\.078"):
            there.link.wire.question(what, body)
    with pytest.raises(CentreRefused, match=r"P\.081"):
        there.link.wire.question("envelope", {"id": str(UUID(int=2)), "iin": iin_of(1)})


def test_the_clerks_get_it_off_the_disk_of_a_machine_that_cannot_ask(world: World, tmp_path: Path) -> None:
    """Its log came in; then the centre stopped it, or it can be connected no more: its store says it, to a file for two clerks."""
    home, there = cut_and_lost(world)
    world.wires.cut = True
    there.keep.close()
    command = ["station", "envelopes", "--folder", str(world.folder / "B-1.1"), "--out", str(tmp_path / "who.csv")]
    done = CliRunner().invoke(tree, command, standalone_mode=False, catch_exceptions=False)
    assert done.return_value == 0 and iin_of(1) not in done.output
    head, line = (tmp_path / "who.csv").read_text().split()
    number, n, iin = line.split(",")
    assert (head, number, iin) == ("number,event,iin", "00000000", iin_of(1))
    assert stat.S_IMODE((tmp_path / "who.csv").stat().st_mode) == 0o600
    assert n == str(next(one.n for one in there.keep.book.envelopes))
    del home


def test_two_clerks_name_an_envelope_of_a_lost_machine(world: World) -> None:
    _, there = cut_and_lost(world)
    unnamed.forget(there.keep, UUID(int=1))
    synced(there)
    assert stands(world) == [(1, None, "P.060", False)]
    place = LogId(POLL, "B-1", 1), there.keep.book.envelopes[0].n
    for by in ("anna", "boris"):
        named.name_one(world.connection, VAULT, place, iin_of(1), ("the disk says so", by), world.now)
    assert stands(world) == [(1, None, "P.063", False)]
