"""Of the two rights of one person one, or both, were used by an envelope: the alarm stands where it was taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from joined_world import POLL, VOTING, World, held, synced, world_of
from test_decided_since import numbers
from test_one_person import X, Y
from test_paper_and_withdrawals import ask, duplicate
from test_pollbook_envelopes import close, leave, resolved

from dauys.pollbook.settling.asked import state

pytestmark = pytest.mark.database


@pytest.fixture
def enveloped(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as made:
        made.at(9)
        yield made


@pytest.mark.parametrize("goes_by_envelope", [True, False])
def test_one_of_two_rights_was_used_by_an_envelope(enveloped: World, goes_by_envelope: bool) -> None:
    """Every list is closed, envelopes are resolved; then X and Y are found to be one person, who used both."""
    world = enveloped
    a, b, c = (world.start(name) for name in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    one, other = (X, Y) if goes_by_envelope else (Y, X)
    leave(world, c, 1, one)
    (b if other == Y else a).check_in(other, world.now)
    synced(a, b, c)
    close(world, a, b, c)
    assert resolved(world) == 1 and held(world, one)[0].startswith("envelope/")
    found = ask(world, duplicate(world, goes=1, stays=10))
    assert found.used == 1 and state(world.connection, POLL).twice == 1
    assert numbers(world) == ["P.109"]


def test_both_rights_were_used_by_envelopes(enveloped: World) -> None:
    world = enveloped
    a, b, c = (world.start(name) for name in ("A-1", "B-1", "A/2"))
    synced(a, b, c)
    leave(world, c, 1, X)
    leave(world, c, 2, Y)
    close(world, a, b, c)
    assert resolved(world) == 2
    ask(world, duplicate(world, goes=1, stays=10))
    assert state(world.connection, POLL).twice == 1
    assert numbers(world) == ["P.109"]
