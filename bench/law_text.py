"""The text of a day: replayed from the text before, beside reading the same text from a file where it would be stored.

And the whole command `dauys law rule`, from start to answer, beside a Python that starts and imports what reads options.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date

from bench.timing import Line, interleaved
from dauys.law.akn import parse_akn, write_akn
from dauys.law.facts import load_facts
from dauys.law.texts import load_text

DAY = date(2023, 12, 31)


def measure(quick: bool) -> list[Line] | str:
    """The replay alone (nothing is kept from one to the next), with all files of the work read anew, and a command."""
    facts = load_facts("kz")
    text = load_text("kz", "constitution")
    stored = write_akn(text.on(DAY, facts, "ru"))
    repeats = 10 if quick else 40

    def replayed() -> None:
        assert text.on(DAY, facts, "ru").has("art_83-1")

    def from_files() -> None:
        assert load_text("kz", "constitution").on(DAY, facts, "ru").has("art_83-1")

    def read() -> None:
        assert parse_akn(stored).has("art_83-1")

    lines = []
    for job, work, limit in (
        ("law text: a day replayed", replayed, 0.05),
        ("law text: the same, all files read anew", from_files, 0.05),
    ):
        ours, theirs = interleaved(work, read, repeats)
        lines.append(Line(job, ours, "the day stored, and read", theirs, most_seconds=limit))
    command = [sys.executable, "-m", "dauys", "law", "rule", "senate.size", "--on", str(DAY)]
    start = [sys.executable, "-c", "import click"]
    ours, theirs = interleaved(lambda: _run(command), lambda: _run(start), 3 if quick else 7)
    lines.append(Line("law rule: the whole command", ours, "a Python that starts", theirs, most_seconds=0.7))
    return lines


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)
