"""Is anything lost or doubled when the process, or the whole database server, is killed with -9 in the middle of the night?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dauys_command import answer, environ

from conftest import Ran

pytestmark = [pytest.mark.database, pytest.mark.xdist_group("kazakhstan")]

MOMENTS = ["turnout at 14:00", "05 Jun 22:", "preliminary result", "07 Jun 20:48"]
"""What the night says just before it is killed: in the reports, among protocols, at a declaration, among corrections."""


def start_and_kill(folder: Path, moment: str, server: bool) -> None:
    night = subprocess.Popen(
        [sys.executable, "-m", "dauys", "run", "kz/2022-referendum"],
        cwd=folder,
        env=environ(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert night.stderr is not None
    for line in night.stderr:
        if moment in line:
            break
    else:
        pytest.fail(f"the night ended before {moment!r}")
    os.kill(night.pid, signal.SIGKILL)
    night.wait(timeout=30)
    night.stderr.close()
    if server:
        postmaster = int((folder / ".dauys/postgres/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)


def test_the_night_survives_kill_9(kazakhstan: Ran, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kill")
    for number, moment in enumerate(MOMENTS):
        start_and_kill(folder, moment, server=number in (0, 2))
    result = answer(folder, "run", "kz/2022-referendum")
    assert {**result, "bundle": None} == {**kazakhstan.result, "bundle": None}
    state, undisturbed = ((f / "out/kz/2022-referendum/checkpoint").read_text() for f in (folder, kazakhstan.folder))
    assert state.splitlines()[:3] == undisturbed.splitlines()[:3]  # the same entries in the same order, byte for byte
