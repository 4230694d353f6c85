"""A nation's protocols, from file to decision, beside a bare Polars read and sum of the same file by area."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from bench.timing import Line, interleaved
from dauys.polls.dry_run import Listed, dry_run
from dauys.registers.poll_file import areas_of, read_poll, read_stations

REPOSITORY = Path(__file__).resolve().parents[1]
POLL = REPOSITORY / "tests/end_to_end/russia2020/poll.yaml"
COUNTS = ("voters", "issued", "in_box", "invalid", "yes", "no")


def measure(quick: bool) -> list[Line] | str:
    """One line; or why there is none. The list of stations is loaded before: it is known when a file comes in."""
    described = read_poll(POLL)
    assert described.stations is not None
    assert described.protocols is not None
    source = described.protocols
    if not source.file.exists():
        return f"the table of the 2020 vote is not beside the repository ({source.file.name})"
    stations = read_stations(described.stations)
    poll = replace(described.poll, areas=areas_of(stations))
    listed = Listed.of(poll, stations)

    def ours() -> None:
        (run,) = dry_run(source.file, poll, listed, source.columns)
        assert (run.tally.stations, run.decision.outcome) == (96_765, "adopted")

    def theirs() -> None:
        sums = pl.read_csv(source.file).group_by("region").agg(pl.col(COUNTS).sum())
        assert len(sums) == 87

    times = interleaved(ours, theirs, 15 if quick else 40)
    return [Line("tally: 96,765 protocols, file to decision", times[0], "Polars read and sum", times[1], most_ratio=3)]
