"""A mission and the commission meet in the record alone: what the one signs the other takes in, and both read it the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from accredited_world import ASKED, KEYS, POLL, World, world_of

from dauys.observe.accreditation import api
from dauys.observe.accreditation.applications import suspend
from dauys.observe.known.keep import Keep, create
from dauys.observe.known.official import official_frame, read_official
from dauys.observe.office.running import Outbox
from dauys.observe.sample.draw import seed_sha256
from dauys.polls.declaring import declare
from dauys.publish.bundle import write_bundle
from dauys.record import log

pytestmark = pytest.mark.database
SOURCE = f"http://centre/record/{POLL.id}"


@pytest.fixture
def world(connection: sa.Connection) -> World:
    return world_of(connection)


def mission_of(world: World, folder: Path) -> tuple[Keep, Outbox, list[str]]:
    """A mission whose wire leads to the commission's site; the addresses that it sent to."""
    keep, sent = create(folder), []
    identity: Mapping[str, Any] = {
        "code": "qala", "names": dict(ASKED.names), "poll": POLL.id, "source": SOURCE, "zone": POLL.timezone,
    }  # fmt: skip
    keep.append("identity", identity, "office", world.now)
    site = world.site(api.router(world.engine, lambda: world.now))

    def post(address: str, entry: bytes) -> tuple[int, str]:
        sent.append(address)
        answer = site.post(address.removeprefix("http://centre"), entry)
        return answer.status_code, answer.text

    return keep, Outbox(keep, lambda: world.now, post), sent


def test_what_a_mission_sends_stands_in_the_record_and_is_read_back(world: World, tmp_path: Path) -> None:
    keep, outbox, sent = mission_of(world, tmp_path / "mission")
    world.accredited(key=keep.public)
    write_bundle_of(world, tmp_path / "before")
    official = read_official(str(tmp_path / "before"))
    body = {
        "organisation": "qala", "frame_sha256": official_frame(official)[1], "record_size": official.size, "design": {"n": 1},
        "stations": 1, "commitment": seed_sha256("quiet rivers"),
    }  # fmt: skip
    place = outbox.send("observer-sample", "observer-sample/qala/1", body)
    assert place is not None and sent == [f"http://centre/api/polls/{POLL.id}/observers/entries"]
    told = outbox.send(
        "observer-seed", "observer-seed/qala/1", {"organisation": "qala", "of": place, "seed": "quiet rivers"}
    )
    assert told == place + 1
    assert {one.id: one.index for one in keep.mission.sent.values()} == {
        "observer-sample/qala/1": place, "observer-seed/qala/1": told,
    }  # fmt: skip
    write_bundle_of(world, tmp_path / "after")
    after = read_official(str(tmp_path / "after"), before=official)
    assert {seq for seq, entry in after.observers.items() if entry.by == "organisation/qala"} == {place, told}
    assert world.faults() == []

    suspend(world.connection, POLL, "qala", True, "a breach", "", KEYS.commission, world.now)
    report = {"organisation": "qala", "sha256": "ab" * 32, "title": "Seen", "log_size": 1, "log_head": keep.head()}
    with pytest.raises(Exception, match="suspended"):
        outbox.send("observer-report", "observer-report/qala/1", report)
    keep.close()


def write_bundle_of(world: World, folder: Path) -> None:
    if "declaration" not in world.kinds():
        world.protocol()
        world.protocol("s2")
        declare(world.connection, POLL, KEYS, "preliminary", world.now, close=False)
    log.sign_checkpoint(world.connection, POLL.id, KEYS.log)
    write_bundle(world.connection, POLL.id, KEYS, folder)
