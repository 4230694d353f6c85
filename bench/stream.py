"""A table far larger than memory should hold, read as batches of protocols: what is the most that is held?

`python -m bench.stream 5` does the same once with a file of five gigabytes (it is deleted afterwards).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from bench.intake import FIELDS, batches, sample_poll
from bench.timing import Line, peak_mib, table
from dauys.stations.readers import read_protocols

PAGE = "Протокол участковой комиссии о результатах голосования. "
"""Repeated, it is in a column that nobody asked for: about 100 bytes of UTF-8."""
MILLION = 1_000_000
"""As many stations as the largest nation has."""


def measure(quick: bool) -> list[Line]:
    """One line: seconds beside a bare Polars scan of the same file, and the peak, which may be 100 MiB above the start."""
    return [_line(100_000 if quick else 400_000, 9)]


def _line(rows: int, pages: int) -> Line:
    with tempfile.TemporaryDirectory(prefix="dauys") as folder:
        path = Path(folder) / "wide.csv"
        _write(path, rows, PAGE * pages)
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
    job = f"stream: CSV of {size:,.0f} MB, {rows:,} protocols ({before} MiB before)"
    return Line(job, [ours], "Polars scan and sum", [theirs], most_mib=before + 100, peak=peak)


def _write(path: Path, rows: int, text: str) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(("station", *FIELDS, "text")) + "\n")
        for batch in batches(rows):
            columns = (batch.names(), *(column.tolist() for column in batch.values.values()))
            out.writelines(f"{','.join(map(str, row))},{text}\n" for row in zip(*columns, strict=True))


if __name__ == "__main__":
    print(table([_line(MILLION, round(int(sys.argv[1]) * 1e9 / MILLION / len(PAGE.encode())))]))
