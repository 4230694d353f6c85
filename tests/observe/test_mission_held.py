"""Is a record held against what the mission read before it was stopped, and a bad address said as one?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compared_world import KEY, World
from mission_world import WHO, Desk, desk, open_desk

from dauys.errors import BadInput, DauysError
from dauys.observe.known.official import fetch_of, record_address
from dauys.record.note import SigningKey


def again(here: Desk, world: World) -> Desk:
    """The program was stopped and started; the record shown now is `world`."""
    here.commission.world = world
    return open_desk(here.keep, here.commission)


def rewritten(world: World, size: int) -> World:
    """The same entries, but for one in the middle, under the same log key."""
    other = World(per_area=1).count()
    other.entries = [*world.entries[:size]]
    other.entries[3] = other.entries[3].replace(b"2022-06-05", b"2022-06-06")
    assert other.entries[3] != world.entries[3]
    return other


@pytest.fixture
def here(tmp_path: Path) -> Desk:
    return desk(tmp_path / "m", World(per_area=1).count()).set_up()


def test_a_record_rewritten_while_the_mission_was_stopped_is_refused(here: Desk) -> None:
    world = here.commission.world
    size = len(world.entries)
    longer = rewritten(world, size)
    longer.say("notice", "notice/1", {})
    for other in (rewritten(world, size), rewritten(world, size - 1), longer):
        started = again(here, other)
        with pytest.raises(DauysError, match="does not extend the one shown before"):
            started.office.refresh()
        assert started.office.official() is None and "does not extend" in started.office.fault()
    world.say("notice", "notice/1", {})
    assert again(here, world).office.refresh().size == size + 1
    assert again(here, world).office.refresh().size == size + 1


def test_another_address_of_the_same_log_is_held_too(here: Desk) -> None:
    world = here.commission.world
    other = rewritten(world, len(world.entries))
    started = again(here, other).sign_in_again()
    moved = WHO | {"source": "http://mirror.test/record/kz/2022-referendum"}
    answer = started.post("/en/setup", **moved)
    assert answer.status_code == 422 and "does not extend the one shown before" in answer.text
    identity = here.keep.mission.identity
    assert identity is not None and identity.source == WHO["source"], "nothing was kept of it"
    started.commission.world = world
    assert started.post("/en/setup", **moved).status_code == 200


def test_another_key_at_the_same_address_is_refused(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    files: Any = here.commission.world.files(SigningKey.from_seed(KEY.name, b"\x07" * 32))
    monkeypatch.setattr(World, "files", lambda self: files)
    started = again(here, here.commission.world).sign_in_again()
    answer = started.post("/en/setup", **WHO)
    assert answer.status_code == 422 and "this mission follows the record of" in answer.text


@pytest.mark.parametrize("address", ["http://[::1", "http://℀/"])
def test_what_is_no_address_is_said(here: Desk, address: str) -> None:
    with pytest.raises(BadInput, match="this is no address"):
        record_address(address)
    answer = here.post("/en/setup", **WHO | {"source": address})
    assert answer.status_code == 422 and "this is no address" in answer.text


def test_a_folder_whose_name_cannot_be_one_is_said() -> None:
    with pytest.raises(BadInput, match="there is no record"):
        fetch_of("a" * 400)
