"""The polls that the end-to-end tests share: each is run by the command, once for a file of tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dauys_command import SMALL, answer, known_keys, newcomer

from prepared_store import prepare_store


@dataclass(frozen=True)
class Ran:
    """A poll that was run by `dauys run`: the folder it was called in, its JSON answer, its bundle."""

    folder: Path
    result: Any
    bundle: Path


@pytest.fixture(scope="session")
def kazakhstan(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The night of 2022, undisturbed; what test_kill.py kills is a smaller one. The command sets up what it needs."""
    folder = tmp_path_factory.mktemp("kz")
    result = newcomer(folder, "run", "kz/2022-referendum")
    return Ran(folder, result, folder / result["bundle"])


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("small")
    prepare_store(folder / ".dauys")
    known_keys(folder)
    result = answer(folder, "run", SMALL)
    return Ran(folder, result, folder / result["bundle"])
