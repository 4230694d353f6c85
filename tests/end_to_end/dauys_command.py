"""How do the end-to-end tests use Dauys? As a new user would: the command, in a folder of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = REPOSITORY / "tests/end_to_end/small"
RUSSIA = REPOSITORY / "tests/end_to_end/russia2020"
SHARED = REPOSITORY.parent / "shared/data"

STATE = ["dauys/kz/2022-referendum", "70147", "07P2EtMypUt3OuYfpDoR8eaZaQ3c9R8V2xVcSiZFhjg="]
"""Origin, size and root of the record of kz/2022-referendum: the same on every machine, until the record says more."""


def command(folder: Path, *args: str | Path, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `dauys ARGS` in `folder`, with its data there, and checks the exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "dauys", *map(str, args)],
        cwd=folder,
        env=environ(folder) | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == code, f"dauys {' '.join(map(str, args))}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def answer(folder: Path, *args: str | Path, code: int = 0) -> Any:
    """The JSON answer of a command."""
    return json.loads(command(folder, *args, "--json", code=code).stdout)


def environ(folder: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAUYS_")}
    return inherited | {"DAUYS_HOME": str(folder / ".dauys"), "PYTHONUNBUFFERED": "1"}


def independent(bundle: Path, *args: str) -> tuple[bool, set[str]]:
    """What the second verifier says: whether all is well, and the numbers of the checks that failed."""
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "tests/independent_verifier.py"), str(bundle), *args],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    body = json.loads(done.stdout)
    assert done.returncode == (0 if body["ok"] else 1)
    return body["ok"], {check["id"] for check in body["checks"] if not check["ok"]}


def copy_of(bundle: Path, folder: Path) -> Path:
    """A copy of a bundle to plant faults in."""
    return Path(shutil.copytree(bundle, folder / "bundle"))
