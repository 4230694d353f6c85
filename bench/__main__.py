"""How fast is Dauys? One table: `python -m bench`, or `python -m bench --quick` (fewer repeats, no million). See docs/bench.md.

Every job runs in a process of its own, so that its peak of memory is its own. Exits with 1 when a limit is not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import (
    checkins,
    estimate,
    indicators,
    intake,
    law_rules,
    law_text,
    moves,
    nation,
    roll,
    sample,
    stream,
    tally,
    verify,
)
from bench.timing import Line, table

JOBS: dict[str, Callable[[bool], list[Line] | str]] = {
    "tally": tally.measure,
    "intake": intake.measure,
    "million": intake.measure_million,
    "verify": verify.measure,
    "stream": stream.measure,
    "law_rules": law_rules.measure,
    "law_text": law_text.measure,
    "roll": roll.measure,
    "checkins": checkins.measure,
    "moves": moves.measure,
    "nation": nation.measure,
    "estimate": estimate.measure,
    "sample": sample.measure,
    "integers": indicators.measure,
}


def main() -> int:
    """Prints the table of the jobs that were asked for; of all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Times Dauys beside the least for the same.")
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"some of: {', '.join(JOBS)} [default: all]")
    parser.add_argument("--quick", action="store_true", help="fewer repeats, smaller tables, no million")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.jobs) - JOBS.keys():
        parser.error(f"no such job: {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}")
    if given.child:
        found = JOBS[given.jobs[0]](given.quick)
        print(json.dumps(found if isinstance(found, str) else [line.to_json() for line in found]))
        return 0
    print(f"{_machine()}; {'quick' if given.quick else 'full'}; seconds are of the best repeat\n", file=sys.stderr)
    lines = [line for job in given.jobs or JOBS for line in _run(job, given.quick)]
    print(table(lines))
    return 0 if all(line.met for line in lines) else 1


def _run(job: str, quick: bool) -> list[Line]:
    command = [sys.executable, "-m", "bench", job, "--child", *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    if isinstance(found, str):
        print(f"{job}: skipped, {found}", file=sys.stderr)
        return []
    return [Line(**line) for line in found]


def _machine() -> str:
    """What it ran on: the table means little without it."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = names[0] if names else platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
