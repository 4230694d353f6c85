"""What does a guess at a password or a PIN cost? The tests' own are cheap (tests/conftest.py); these are those of the programs."""

from __future__ import annotations

import runpy
from types import ModuleType

import pytest

from dauys.observe.office import door as mission_door
from dauys.pollbook.station import door as station_door
from dauys.stations import accounts

MEBIBYTE = 1 << 20


@pytest.mark.parametrize(
    ("module", "name", "memory"),
    [
        (accounts, "COST", 64 * MEBIBYTE),
        (station_door, "COST", 16 * MEBIBYTE),
        (mission_door, "PASSWORD_COST", 16 * MEBIBYTE),
        (mission_door, "CODE_COST", MEBIBYTE),  # a code is made by chance: 49 bits
    ],
)
def test_each_guess_takes_memory(module: ModuleType, name: str, memory: int) -> None:
    """scrypt takes 128 * N * r bytes (RFC 7914, section 6), r = 8; N of the file itself, whatever a test has set."""
    assert module.__file__ is not None
    cost = runpy.run_path(module.__file__)[name]
    assert 128 * cost * 8 >= memory and cost & (cost - 1) == 0
