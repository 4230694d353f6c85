"""What tests share: one embedded PostgreSQL for the session."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dauys.store.engine import open_store


@pytest.fixture(scope="session")
def engine() -> Iterator[sa.Engine]:
    """A migrated database. Use your own poll id, or the fixture `connection`, which leaves nothing behind."""
    # Not pytest's own folder: the path of a Unix socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="dauys") as folder:
        engine = open_store(Path(folder))
        yield engine
        engine.dispose()


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction that is undone after the test."""
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()
