"""The polls that the end-to-end tests share: each is run by the command, once for a file of tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dauys_command import SMALL, answer, known_keys

from prepared_store import prepare_store


@dataclass(frozen=True)
class Ran:
    """A poll that was run by `dauys run`: the folder it was called in, its JSON answer, its bundle."""

    folder: Path
    result: Any
    bundle: Path


def ran(folder: Path, poll: str | Path) -> Ran:
    """The poll, run there. What Dauys needs is set up by the command, unless it is there."""
    result = answer(folder, "run", poll)
    return Ran(folder, result, folder / result["bundle"])


@pytest.fixture(scope="session")
def kazakhstan(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The night of 2022, undisturbed; what test_kill.py kills is a smaller one."""
    return ran(tmp_path_factory.mktemp("kz"), "kz/2022-referendum")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("small")
    prepare_store(folder / ".dauys")
    known_keys(folder)
    return ran(folder, SMALL)
