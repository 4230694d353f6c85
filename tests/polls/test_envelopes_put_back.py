"""What becomes of envelopes after the centre was put back from a copy?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from joined_world import POLL, VOTING, World, held, right, synced, world_of
from noted_world import Noted, lifted, opened, put_back, put_back_and_lifted
from test_decided_since import findings, numbers
from test_decisions_forgotten import restoring
from test_paper_and_withdrawals import ask, duplicate, settled
from test_pollbook_envelopes import close, leave, resolved, stands
from test_put_back import RIGHTS, asks
from test_put_back_lost import marked
from test_turnout_forgotten import without_its_package

from dauys.pollbook.gathered.sums import sums_at

pytestmark = pytest.mark.database


@pytest.fixture
def world(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setitem(VOTING, "envelope", {"on": True, "two": "none", "cite": "Pilot 2"})
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as made:
        made.at(9)
        yield made


def test_an_envelope_of_a_right_that_was_let_go_for_a_forgotten_decision(noted: Noted) -> None:
    """X was used, so Y was withdrawn in his place: one person. That is forgotten; Y leaves an envelope."""
    world, x, y = noted.world, right(1), right(10)
    a, b, c = opened(noted, "A-1", "a"), opened(noted, "B-1", "b"), opened(noted, "A/2", "c")
    number = duplicate(world, goes=1, stays=10)
    noted.hold()
    copy = world.connection.begin_nested()
    a.check_in(x, world.now)
    synced(a)
    ask(world, number)
    synced(a, b)
    settled(world)
    assert held(world, y)[0] == "withdrawn"
    put_back_and_lifted(noted, copy, a, b, c)
    assert held(world, y) == ("station/B-1/1", 0, 2)
    leave(world, c, 1, y)
    close(world, a, b, c)
    resolved(world)
    assert [one[1] for one in stands(world)] == [False] and held(world, y)[0] != "station/A/2/1"
    assert numbers(world) == [] and findings(world) == []


def test_an_envelope_that_does_not_count_leaves_no_request(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A-1 let X go for B-1, which burnt unheard: X is in doubt, his envelope does not count. Nobody decided anything."""
    world, x = noted.world, RIGHTS[0]
    a, b, c = opened(noted, "A-1", "a"), opened(noted, "B-1", "b"), opened(noted, "A/2", "c")
    noted.hold()
    copy = world.connection.begin_nested()
    asks(b, x, "q1")
    synced(a, b, a, b)
    put_back(noted, copy)
    noted.hold()
    noted.lose("B-1")
    synced(a, c)
    lifted(world)
    assert held(world, x) == ("station/A-1/1", 0, 2)
    leave(world, c, 1, x)
    assert restoring(noted, monkeypatch)["let_go"] == []
    close(world, a, c)
    assert resolved(world, final=True) == 1
    assert restoring(noted, monkeypatch)["let_go"] == []


def test_an_envelope_used_what_was_left_over_on_a_forgotten_list(noted: Noted) -> None:
    """A-1's package is forgotten by the first copy; the second one knows that the envelope counts, and no more why."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = world.connection.begin_nested()
    a = opened(noted, "A-1", "a")
    without_its_package(noted, copy, a, b)
    leave(world, b, 1, right(1))
    close(world, a, b)
    assert resolved(world) == 1 and held(world, right(1)) == ("envelope/B-1/1", 1, 1)
    world.at(21)
    marked(world)
    synced(a, b)
    lifted(world)
    found = sums_at(world.connection, POLL, "A-1")
    assert found is not None and found.sums.listed == 6
