"""A voter is added again while the package of his station is made again: two commands at once, by two connections."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from beside import Beside
from joined_world import POLL, held, right, synced, world_of
from noted_world import Noted, opened, put_back
from test_decided_since import add
from test_lists_since import here

from dauys.pollbook.put_back import restored

pytestmark = pytest.mark.database


@pytest.mark.parametrize("unread", [True, False])
def test_an_addition_and_a_package_made_again_wait_for_each_other(
    store: sa.Engine, tmp_path: Path, unread: bool
) -> None:
    """He is on the list that is made again; or off it, where a machine that nobody read may have been given his right."""
    with store.connect() as connection, world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as world:
        noted = Noted(world, tmp_path / "keys" / "pollbook.journal")
        world.at(9)
        noted.hold()
        b, c = (opened(noted, station, station[-1]) for station in ("B-1", "A/2"))
        noted.hold()
        copy = connection.begin_nested()
        add(world, 50)
        noted.package("A-1")  # with him on its list
        put_back(noted, copy)
        assert noted.hold()
        if unread:
            noted.lose("B-1")
        synced(c, *(() if unread else (b,)))
        restored.lift(connection, POLL, "anna", world.now)
        connection.commit()
        add(world, 50)
        package = Beside(world, lambda there: there.packed("A-1"))
        assert package.waits
        connection.commit()
        a = noted.machine(package.did(), "a")
        assert a.keep.book.told
        assert held(world, right(50)) == (("roll/A-1" if unread else "station/A-1/1"), 0, 0)
        assert here(a, right(50)) is not unread
        connection.commit()
