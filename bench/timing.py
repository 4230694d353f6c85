"""What is one line of the table, and how are two ways of doing the same timed against each other?"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

HEADER = ("job", "ours, s", "beside", "s", "ratio of the best", "of the medians", "wanted", "met", "peak, MiB")


@dataclass(frozen=True, slots=True)
class Line:
    """One job: seconds of each repeat of ours and of what it is held against, the limit wanted, and whether it is met.

    `most_ratio` and `most_seconds` are the limits (None: none); `peak` is the most memory of the process, in MiB.
    """

    job: str
    ours: Sequence[float]
    beside: str
    theirs: Sequence[float]
    most_ratio: float | None = None
    most_seconds: float | None = None
    most_mib: int | None = None
    peak: int | None = None

    @property
    def met(self) -> bool:
        """Whether the best repeat keeps every limit that there is."""
        return (
            (self.most_ratio is None or min(self.ours) <= self.most_ratio * min(self.theirs))
            and (self.most_seconds is None or min(self.ours) <= self.most_seconds)
            and (self.most_mib is None or (self.peak or 0) <= self.most_mib)
        )

    def cells(self) -> tuple[str, ...]:
        """The line as text, under HEADER."""
        wanted = [f"≤ {self.most_ratio:g} ×"] if self.most_ratio is not None else []
        wanted += [f"< {self.most_seconds:g} s"] if self.most_seconds is not None else []
        wanted += [f"≤ {self.most_mib} MiB"] if self.most_mib is not None else []
        return (
            self.job,
            f"{min(self.ours):.3f}",
            self.beside,
            f"{min(self.theirs):.3f}",
            f"{min(self.ours) / min(self.theirs):.1f}",
            f"{statistics.median(self.ours) / statistics.median(self.theirs):.1f}",
            ", ".join(wanted) or "-",
            ("yes" if self.met else "NO") if wanted else "-",
            "-" if self.peak is None else str(self.peak),
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def interleaved(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int
) -> tuple[list[float], list[float]]:
    """Seconds of each, turn by turn, so that whatever else the machine does meets both; one turn before is not counted."""
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 1):
        for times, work in zip(found, (ours, theirs), strict=True):
            start = time.perf_counter()
            work()
            if turn:
                times.append(time.perf_counter() - start)
    return found


def peak_mib() -> int:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def table(lines: Sequence[Line]) -> str:
    """A table for the screen and for Markdown."""
    rows = [HEADER, *(line.cells() for line in lines)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADER))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]])
