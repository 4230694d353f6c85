"""Does trouble of every kind leave each right used at most once? A short search here; DAUYS_CUSTODY_EXAMPLES makes it long."""

from __future__ import annotations

import os

import pytest
from custody_faults import FAULTS
from custody_machine import Custody, search

EXAMPLES = int(os.environ.get("DAUYS_CUSTODY_EXAMPLES", "60"))


def test_no_double_use_and_no_lost_acknowledged_check_in(capsys: pytest.CaptureFixture[str]) -> None:
    steps = search(EXAMPLES, 40, seeded="DAUYS_CUSTODY_EXAMPLES" not in os.environ)
    with capsys.disabled():
        print(f"\ncustody: {steps:,} steps, no double use, no lost acknowledged check-in")
    assert steps > 20 * EXAMPLES
    for deed in ("check-in", "undo", "release", "receive", "certificate", "grant", "lost", "forged batch refused"):
        assert Custody.done[deed] > 0, f"the search never came to: {deed}"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_search_finds_each_planted_fault(fault: str) -> None:
    with pytest.raises(AssertionError, match=r"double use|two places|lost|false alarm|count|another log"):
        search(300, 40, fault)
