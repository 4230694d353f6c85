"""The centre goes back to a copy of before a voter moved and voted: does a third station get his right?

Short scenes of the world that Hypothesis drives; with each planted fault one of them ends in a double use.
"""

from __future__ import annotations

from itertools import product

import pytest
from custody_faults import WHEN_PUT_BACK, planted
from custody_machine import PutBack
from custody_world import World
from pollbook_sample import who

SCENES = list(product(("nobody", "home", "others", "all"), ("none", "there", "both"), (False, True), (False, True)))


def played(fault: str, heard: str, lost: str, cut: bool, twice: bool) -> World:
    """`heard`: whose logs come in afterwards; `lost`: which machines are given up; `cut`: he did not vote; `twice`: it is the second time."""
    machine = PutBack()
    machine.world = World(fault)
    with planted(fault, machine.world):
        for at in range(4):
            machine.sync(at)
        machine.move_and_go_back(number=0, first=True, heard=heard, lost=lost, cut=cut, twice=twice)
        machine.world.check()
        machine.world.everything_ends()
    return machine.world


@pytest.mark.parametrize("heard, lost, cut, twice", SCENES)
def test_a_right_that_moved_is_not_given_again(heard: str, lost: str, cut: bool, twice: bool) -> None:
    world = played("", heard, lost, cut, twice)
    to = "station/2/1" if cut and heard == "all" else "station/1/1"  # the first grant never arrived: it is void
    assert world.centre.custody[who(0)].holder == to and world.done["go back"] == 1 + twice
    assert world.done["lift"] == 1 + twice


@pytest.mark.parametrize("fault", WHEN_PUT_BACK)
def test_each_planted_fault_is_found(fault: str) -> None:
    found = ""
    for scene in SCENES:
        try:
            played(fault, *scene)
        except AssertionError as error:
            found = str(error).partition("\n")[0]
        if found == "double use":
            return
    pytest.fail(f"in no scene is there a double use; the last that was found: {found}")
