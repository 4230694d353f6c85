"""A table far larger than memory should hold, read as batches of protocols: what is the most that is held?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import polars as pl

from bench.intake import FIELDS, batches, sample_poll
from bench.timing import Line, peak_mib
from dauys.stations.readers import read_protocols

PAGE = "Протокол участковой комиссии о результатах голосования. " * 9
"""About a kilobyte of UTF-8 in each row that nobody asked for."""


def measure(quick: bool) -> list[Line]:
    """One line: seconds beside a bare Polars scan of the same file, and the peak, which may be 100 MiB above the start."""
    rows = 100_000 if quick else 400_000
    with tempfile.TemporaryDirectory(prefix="dauys") as folder:
        path = Path(folder) / "wide.csv"
        _write(path, rows)
        size = path.stat().st_size / 1e6
        columns = {"station": "station", **{name: name for name in FIELDS}}
        before = peak_mib()
        start = time.perf_counter()
        read = sum(len(batch) for batch in read_protocols(path, sample_poll("bench/stream"), columns))
        ours, peak = time.perf_counter() - start, peak_mib()
        assert read == rows
        start = time.perf_counter()
        pl.scan_csv(path).select(pl.col(FIELDS).sum()).collect(engine="streaming")
        theirs = time.perf_counter() - start
    job = f"stream: CSV of {size:.0f} MB, {rows:,} protocols ({before} MiB before)"
    return [Line(job, [ours], "Polars scan and sum", [theirs], most_mib=before + 100, peak=peak)]


def _write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(("station", *FIELDS, "text")) + "\n")
        for batch in batches(rows):
            columns = (batch.names(), *(column.tolist() for column in batch.values.values()))
            out.writelines(f"{','.join(map(str, row))},{PAGE}\n" for row in zip(*columns, strict=True))
