"""The processes that share the work of an import: what becomes of them when the one that gives it is killed?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dauys.errors import DauysError
from dauys.roll.parallel import mapped

PROGRAM = """
from itertools import count
from time import sleep
from dauys.roll.parallel import mapped

if __name__ == "__main__":
    for number in mapped(abs, count(), 2):
        print(number, flush=True)
        sleep(0.01)
"""


def test_no_process_outlives_the_one_that_gives_it_work(tmp_path: Path) -> None:
    """It has the roll's keys and people in its memory, and nobody would ever end it."""
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen([sys.executable, str(tmp_path / "program.py")], stdout=subprocess.PIPE, text=True) as giver:
        assert giver.stdout is not None
        while giver.stdout.readline() != "9\n":
            assert giver.poll() is None
        started = psutil.Process(giver.pid).children(recursive=True)
        giver.kill()
    assert len(started) >= 2
    assert not psutil.wait_procs(started, timeout=30)[1]


def test_what_came_before_a_fault_is_told_first() -> None:
    def items() -> Iterator[str]:
        yield from ("1", "x")
        raise KeyError("later")

    for processes in (0, 1):
        found = mapped(int, items(), processes)
        assert next(found) == 1
        with pytest.raises(ValueError, match="invalid literal"):
            next(found)


def test_a_process_that_dies_ends_the_work() -> None:
    with pytest.raises(DauysError, match="nothing was kept"):
        list(mapped(os._exit, [3, 3], 1))
