"""The integer test (Kobak et al.) on 96,765 real stations, beside a plain NumPy loop over a thousand replicates.

Ours is the test under the same null without a draw: chances of every station, then expectation, spread, percentile and P-value of
all three counts (`integers`). The loop draws both binomials of all stations a thousand times and counts, as one would write
it first. The second line is the article's own stream of draws repeated (`redraws`), checked to its last digit: its order
of draws is fixed by what it must give, so it can only be as fast as NumPy's generator.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from bench.timing import Line, peak_mib
from dauys.observe.indicators.counts import Counts, mapping, read_counts
from dauys.observe.indicators.integers import KINDS, chances, usable
from dauys.observe.indicators.redraws import DRAWS, redraw

RUSSIA = Path(__file__).resolve().parents[2] / "shared/data/russia2020/ru2020_referendum_uik.csv.gz"
KOBAK = {"either": 3675.201, "share": 2831.627, "turnout": 1746.820}


def measure(quick: bool) -> list[Line] | str:
    """The test three times, the loop once; with `quick` the loop is a tenth, and its time is taken ten times."""
    if not RUSSIA.exists():
        return "shared/data/russia2020 is not beside the repository"
    tested = usable(read_counts(RUSSIA, mapping("registered=voters,issued=issued,cast=in_box,yes=yes")))
    parts = 10 if quick else 1
    ours = [_seconds(lambda: _test(tested)) for _ in range(3)]
    loop = parts * _seconds(lambda: _loop(tested, DRAWS // parts))
    drawn: dict[str, float] = {}

    def repeat() -> None:
        drawn.update({kind: round(one.excess, 3) for kind, one in redraw(tested).items()})

    repeated = _seconds(repeat)
    assert drawn == KOBAK, drawn
    beside = f"NumPy loop, {DRAWS:,} draws" + (f" ({parts} x a part)" if quick else "")
    return [
        Line("integers: 90,579 stations, no draw", ours, beside, [loop], most_ratio=1 / 5, peak=peak_mib()),
        Line("integers: the article's draws (3675.201)", [repeated], beside, [loop], peak=peak_mib()),
    ]


def _test(tested: Counts) -> None:
    made = chances(tested)
    assert all(made.excess(kind).above for kind in KINDS)


def _loop(tested: Counts, draws: int) -> None:
    voters, cast = tested["registered"], tested["cast"]
    turnout, share = tested["issued"] / voters, tested["yes"] / cast
    stream = np.random.RandomState(42)
    found = np.zeros((draws, 3))
    for number in range(draws):
        at = []
        for base, chance in ((cast, share), (voters, turnout)):
            percent = 100 * stream.binomial(base, chance) / base
            at.append(np.abs(percent - np.round(percent)) <= 0.05)
        found[number] = (at[0] | at[1]).sum(), at[0].sum(), at[1].sum()
    assert 17_000 < found[:, 0].mean() < 18_000


def _seconds(work: object) -> float:
    assert callable(work)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
