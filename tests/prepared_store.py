"""How do many tests get a database of their own without each making one? They copy a prepared one that nobody has used."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:  # the process that hands out the files to others reads no module for nothing: they wait for it
    import sqlalchemy as sa

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


@contextmanager
def prepared_engine() -> Iterator[sa.Engine]:
    """An engine on such a database, whose server ends with it; nobody else's, whatever `DAUYS_DATABASE_URL` says."""
    from dauys.store import embedded
    from dauys.store.engine import open_store

    # not pytest's own folder: the path of a Unix socket has at most 107 bytes
    with tempfile.TemporaryDirectory(prefix="dauys") as folder:
        with patch.dict(os.environ):
            os.environ.pop("DAUYS_DATABASE_URL", None)
            engine = open_store(prepare_store(Path(folder)))
        _plan_once(engine)
        yield engine
        engine.dispose()
        embedded.stop(Path(folder))


def _plan_once(engine: sa.Engine) -> None:
    """Each statement is planned once, not in each test anew: that takes longer than to carry it out, and changes no answer.

    psycopg forgets what it prepared at every ROLLBACK, with which each test ends; the server keeps it.
    """
    import sqlalchemy as sa
    from psycopg._preparing import PrepareManager

    class Kept(PrepareManager):
        prepare_threshold = 1  # a text of several statements, which cannot be prepared, is known by its first time
        prepared_max = 1000

        def clear(self) -> bool:
            return False

    @sa.event.listens_for(engine, "do_connect")
    def settle(_dialect: Any, _record: Any, _args: Any, given: dict[str, Any]) -> None:
        given["options"] = "-c plan_cache_mode=force_generic_plan"

    @sa.event.listens_for(engine, "connect")
    def keep(connection: Any, _record: Any) -> None:
        connection._prepared = Kept()

    engine.dispose()


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
