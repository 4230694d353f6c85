"""Does trouble of every kind leave each right used at most once? A short search here; DAUYS_CUSTODY_EXAMPLES makes it long."""

from __future__ import annotations

import os

import pytest
from custody_faults import FAULTS
from custody_machine import Custody, search
from custody_stories import FOUND, stories, tell
from custody_world import World

LONG = "DAUYS_CUSTODY_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("DAUYS_CUSTODY_EXAMPLES", "25"))
DEEDS = (
    "check-in", "undo", "release", "receive", "certificate", "certificate back", "grant", "lost", "forged batch refused",
    "electronic ballot", "strike", "struck out", "mistyped",
)  # fmt: skip


def test_no_double_use_and_no_lost_acknowledged_check_in(capsys: pytest.CaptureFixture[str]) -> None:
    steps = search(EXAMPLES, 40, seeded=not LONG)
    with capsys.disabled():
        print(f"\ncustody: {steps:,} steps, no double use, no lost acknowledged check-in")
    assert steps > 20 * EXAMPLES
    for more in range(1, 4):  # a search leaves rules out of its runs; by luck, one out of all of them
        if not all(Custody.done[deed] for deed in DEEDS):
            search(EXAMPLES, 40 + more)
    for deed in DEEDS:
        assert Custody.done[deed] > 0, f"the search never came to: {deed}"


def test_a_machine_goes_on_beside_its_paper_until_it_hears_that_it_was_lost() -> None:
    world = World()
    world.lose(0, False)
    world.mistype(0, 0, True)
    assert world.done["found beside its paper"] == 1
    world.send(0, 1)
    world.deliver(0)
    world.deliver(0)
    world.check_in(0, 3)
    assert world.done["check-in refused P.087"] == 1
    world.check()
    world.everything_ends()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_found(fault: str) -> None:
    """By the story in which the search found it; with the rule as it is, the same story breaks nothing."""
    story = stories()[fault]
    tell(story)
    with pytest.raises(AssertionError, match=FOUND):
        tell(story, fault)
