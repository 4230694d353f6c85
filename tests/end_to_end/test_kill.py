"""Is anything lost or doubled when the process, or the whole database server, is killed with -9 in the middle of the night?"""

from __future__ import annotations

from pathlib import Path

import pytest
from dauys_command import SMALL, SMALL_STATE, answer, command, known_keys, start_and_kill

from prepared_store import prepare_store

pytestmark = pytest.mark.database


def test_the_night_survives_kill_9_and_running_again_changes_nothing(tmp_path: Path) -> None:
    prepare_store(tmp_path / ".dauys")
    known_keys(tmp_path)
    start_and_kill(tmp_path, SMALL, "05 Jun 20:35", server=False)
    start_and_kill(tmp_path, SMALL, "preliminary result", server=True)
    result = answer(tmp_path, "run", SMALL)
    assert [contest["stations"]["counted"] for contest in result["contests"]] == [22, 24]
    # the same entries in the same order as a night that nothing disturbed, byte for byte
    assert (tmp_path / "out/test/small/checkpoint").read_text().splitlines()[:3] == SMALL_STATE
    # the dead are forgotten: the last command stopped the server that the killed ones had started
    assert not (tmp_path / ".dauys/postgres/postmaster.pid").exists()
    said = command(tmp_path, "run", SMALL, "--out", tmp_path / "again").stdout
    assert (tmp_path / "again/checkpoint").read_text() == (tmp_path / "out/test/small/checkpoint").read_text()
    assert "charter: adopted" in said
    assert "22 of 24 stations counted, 1 in quarantine, 1 missing" in said
