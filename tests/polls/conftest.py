"""What tests of this room share: a poll of three stations on the morning of its day, also with a journal beside its keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # what is read while files are collected, everybody waits for
    import sqlalchemy as sa
    from joined_world import World
    from noted_world import Noted


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path) -> Iterator[World]:
    from joined_world import world_of

    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as made:
        made.at(9)
        yield made


@pytest.fixture
def noted(world: World, tmp_path: Path) -> Noted:
    from noted_world import Noted

    made = Noted(world, tmp_path / "keys" / "pollbook.journal")
    made.hold()
    return made


@pytest.fixture(scope="session")
def apart() -> Iterator[sa.Engine]:
    """A migrated database beside that of the other tests."""
    from prepared_store import prepared_engine

    with prepared_engine() as made:
        yield made


@pytest.fixture
def store(apart: sa.Engine) -> Iterator[sa.Engine]:
    """A database of the test's own: what two connections see of each other is committed, and deleted afterwards."""
    import sqlalchemy as sa

    yield apart
    apart.dispose()
    with apart.begin() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        connection.exec_driver_sql(f"{others} pg_backend_pid()")  # of a test that failed
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # in whatever order
        for table in set(sa.inspect(connection).get_table_names()) - {"migration"}:
            connection.exec_driver_sql(f"DELETE FROM {table}")
