"""The record of a morning on which check-ins have come, and no report and no protocol yet: it is what it says it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from joined_world import KEYS, POLL, World, right, synced

from dauys.polls.pollbook_join import seal
from dauys.polls.standing import snapshot
from dauys.publish.bundle import write_bundle
from dauys.publish.verify import verify
from dauys.record import log
from dauys.record.tiles import folder_fetch
from independent_verifier import verify as verify_independently

pytestmark = pytest.mark.database


@pytest.mark.parametrize("came", [False, True])
def test_both_verifiers_read_the_same_stage_as_the_site(world: World, tmp_path: Path, came: bool) -> None:
    machine = world.start("A-1")
    synced(machine)
    if came:
        machine.check_in(right(1), world.at(9, 5))
        synced(machine)
    seal(world.connection, POLL, KEYS.commission, world.at(9, 10))
    assert snapshot(world.connection, POLL).stage == ("voting" if came else "opening")
    log.sign_checkpoint(world.connection, POLL, KEYS.log)
    folder = write_bundle(world.connection, POLL, KEYS, tmp_path / "bundle")
    assert [check for check in verify(folder_fetch(folder)) if not check.ok] == []
    assert [check for check in verify_independently(folder)["checks"] if not check["ok"]] == []
