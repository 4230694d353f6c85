"""Is anything lost or doubled when the process, or the whole database server, is killed with -9 in the middle of the night?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dauys_command import STATE, answer, environ

pytestmark = pytest.mark.database

MOMENTS = ["turnout at 14:00", "preliminary result", "07 Jun 20:48"]
"""What the night says just before it is killed: in the reports, at a declaration, among corrections."""


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
    heard: list[str] = []
    for line in night.stderr:
        heard.append(line)
        if moment in line:
            break
    else:
        pytest.fail(f"the night ended before {moment!r}: {''.join(heard[-3:])}")
    os.kill(night.pid, signal.SIGKILL)
    night.wait(timeout=30)
    night.stderr.close()
    if server:
        postmaster = int((folder / ".dauys/postgres/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)


def test_the_night_survives_kill_9(tmp_path: Path) -> None:
    for number, moment in enumerate(MOMENTS):
        start_and_kill(tmp_path, moment, server=number == 1)
    result = answer(tmp_path, "run", "kz/2022-referendum")
    assert result["stations"] == {
        "expected": 10_012,
        "counted": 10_012,
        "quarantined": 0,
        "missing": 0,
        "annulled": 0,
        "repeat_pending": 0,
    }
    assert result["totals"]["yes"] == 6_163_516
    # the same entries in the same order as a night that nothing disturbed, byte for byte
    assert (tmp_path / "out/kz/2022-referendum/checkpoint").read_text().splitlines()[:3] == STATE
    # the dead are forgotten: the last command stopped the server that the killed ones had started
    assert not (tmp_path / ".dauys/postgres/postmaster.pid").exists()
