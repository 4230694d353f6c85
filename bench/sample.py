"""A consistent sample of 2,000 of 1,000,000 stations beside the package `consistent-sampler`, which uses SHA-256 tickets as well.

The package is put into an environment of its own, which is thrown away afterwards; where it cannot be had the line is skipped
and says so. Both start from the list of ids in memory, and take turns.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
import venv
from pathlib import Path

from bench.timing import Line, peak_mib
from dauys.observe.sample.tickets import lowest

PACKAGE = "consistent-sampler==1.0.10"
DRAWN = 2_000
PEER = """
import sys, time
from consistent_sampler import sampler
ids = [f"station-{n:07d}" for n in range(int(sys.argv[1]))]
for _ in sys.stdin:
    start = time.perf_counter()
    found = list(sampler(ids, seed="bench", with_replacement=False, take=int(sys.argv[2]), output="id"))
    assert len(found) == int(sys.argv[2])
    print(time.perf_counter() - start, flush=True)
"""


def measure(quick: bool) -> list[Line] | str:
    """The draw of 2,000 of a million; with `quick`, of 200,000."""
    many, repeats = (200_000, 2) if quick else (1_000_000, 3)
    ids = [f"station-{n:07d}" for n in range(many)]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="dauys") as name:
        python = Path(name) / "bin/python"
        venv.create(name, with_pip=True)
        got = subprocess.run(
            [python, "-m", "pip", "install", "-qq", "--no-deps", PACKAGE], capture_output=True, text=True, check=False
        )
        if got.returncode:
            return f"{PACKAGE} could not be installed"
        args = [python, "-c", PEER, str(many), str(DRAWN)]
        with subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
            assert peer.stdin is not None and peer.stdout is not None
            for turn in range(repeats + 1):
                start = time.perf_counter()
                assert len(lowest("bench", ids, DRAWN)) == DRAWN
                seconds = time.perf_counter() - start
                peer.stdin.write("\n")
                peer.stdin.flush()
                said = float(peer.stdout.readline())
                if turn:
                    ours.append(seconds)
                    theirs.append(said)
            peer.stdin.close()
    peak = peak_mib()
    return [
        Line(f"sample: {DRAWN:,} of {many:,} stations", ours, "consistent-sampler", theirs, most_ratio=0.1, peak=peak)
    ]
