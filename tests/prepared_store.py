"""How do many tests get a database of their own without each making one? They copy a prepared one that nobody has used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

PLACE = "TESTS_PREPARED_STORE"
"""The variable that names the folder of the prepared store."""

MAKE = "import sys; from pathlib import Path; from dauys.store.engine import open_store; open_store(Path(sys.argv[1])).dispose()"


def prepare_store(folder: Path) -> Path:
    """Puts the files of a new, migrated and stopped server into `folder/postgres`, as `open_store(folder)` would make them.

    Returns `folder`. What a new user's first command does is tested without it (test_kazakhstan_2022.py, test_two_stations.py).
    """
    data = folder / "postgres"
    if not data.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", _prepared() / "postgres", data], check=True)  # the files' owner and rights are kept
    return folder


def _prepared() -> Path:
    """Made once for all processes of a run (tests/conftest.py): by the first that asks, the others wait for it."""
    made = Path(os.environ[PLACE]) / "store"
    done = made / "done"
    try:
        made.mkdir()
    except FileExistsError:
        for _ in range(600):
            if done.exists():
                return made
            time.sleep(0.1)
        raise AssertionError(f"{made} was not finished") from None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAUYS_")}
    subprocess.run([sys.executable, "-c", MAKE, str(made)], check=True, env=environment)
    (made / "postgres/.handle_pids.json").unlink(missing_ok=True)
    done.touch()
    return made
