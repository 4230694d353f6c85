"""What tests share: one embedded PostgreSQL for the session, and the order of their files."""

from __future__ import annotations

import atexit
import gc
import os
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from _pytest.unraisableexception import gc_collect_iterations_key

import prepared_store
from prepared_store import prepared_engine

if TYPE_CHECKING:  # the process that hands out the files to others reads no module for nothing: they wait for it
    import sqlalchemy as sa

LONGEST_FIRST = (
    "test_cluster", "test_kazakhstan_2022", "test_served", "test_russia_2020", "test_law_pages", "test_centre_processes",
    "test_station_browser", "test_custody_machine", "test_attack_bundle", "test_planted_faults",
)  # fmt: skip
"""Files that take many seconds: begun last, one would run on alone while the other processes wait."""


if "PYTEST_XDIST_WORKER" in os.environ:
    atexit.register(os._exit, 0)  # called last of all: to free one by one what ends anyway takes seconds
gc.set_threshold(1_000_000, 20, 50)  # thousands of tests keep much and throw little away


def pytest_configure(config: pytest.Config) -> None:
    """Lets pytest-xdist hand out files in the order of `pytest_collection_modifyitems`, not those of most tests first."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
    config.stash[gc_collect_iterations_key] = 0  # looks for what pyproject.toml ignores, through all that lives
    if prepared_store.PLACE not in os.environ:  # the other processes of the run inherit it
        folder = tempfile.TemporaryDirectory(prefix="dauys-prepared")
        os.environ[prepared_store.PLACE] = folder.name
        config.add_cleanup(folder.cleanup)
    if not getattr(config.option, "numprocesses", None):
        _settle()


def _settle() -> None:
    """What holds in a process that runs tests."""
    from hypothesis import settings

    from dauys.pollbook.station import door as station_door
    from dauys.stations import accounts

    settings.register_profile("dauys", deadline=None)  # no test is timed: a busy machine fails nobody
    settings.load_profile("dauys")
    accounts.COST = station_door.COST = 1 << 4  # nobody guesses; the real costs: tests/attack/test_password_costs.py


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, then the other end-to-end tests, then the rest."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: (places.get(item.path.stem, len(places)), "end_to_end" not in item.path.parts))


@pytest.fixture(scope="session")
def engine() -> Iterator[sa.Engine]:
    """A migrated database. Use your own poll id, or the fixture `connection`, which leaves nothing behind."""
    with prepared_engine() as engine:
        yield engine


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction that is undone after the test."""
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()
