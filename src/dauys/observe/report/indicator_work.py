"""The indicators of an official record or of a table, made once and kept: what they say, of what, and by which event.

What was made lies as JSON in the mission's folder under its SHA-256; an event of the log (a note) names it with the record's size
and root, so that the report can say what was looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from dauys.errors import BadInput
from dauys.observe.indicators.counts import Counts, Ints, mapping, read_counts
from dauys.observe.indicators.report import Options, report
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Keeping, Office
from dauys.observe.report.background import background
from dauys.observe.report.counts_of import counts_of
from dauys.observe.report.traces import note_of
from dauys.registers.poll import Contest
from dauys.regular_file import read_regular

PREFIX = "indicators/"
"""Of the notes' names; what follows is the contest, or `file`."""
FILE = "file"
LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """Indicators that were made: the note's body, the event it came by, and the answer of `dauys indicators --json`."""

    note: Mapping[str, Any]
    n: int
    at: str
    body: Mapping[str, Any]

    @property
    def cells(self) -> Ints | None:
        """The fingerprint; None where it could not be made."""
        found = self.body["indicators"]["fingerprint"].get("cells")
        if found is None:
            return None
        cells: Ints = np.zeros((101, 101), dtype=np.int64)
        for turnout, share, votes in found:
            cells[turnout, share] = votes
        return cells


def made(keep: Keeping, name: str) -> Made | None:
    """The newest ones of a contest, or of a file (`FILE`); None where none were made, or their file is gone."""
    found = note_of(keep, PREFIX + name)
    if found is None:
        return None
    path = keep.folder / "indicators" / f"{found.body['sha256']}.json"
    if not path.is_file():
        return None
    return Made(found.body, found.n, found.at, _body(path))


def make_of_record(office: Office, official: Official, contest: Contest, draws: int) -> None:
    """Starts them for the record as it was read; `draws` of the article's integer test repeated (0: none)."""
    counts = counts_of(official, contest)
    facts = {
        "source": "record", "contest": contest.id, "record_size": official.size, "root": official.root,
        "option": contest.options[0],
    }  # fmt: skip
    _start(office, contest.id, counts, draws, facts)


def make_of_file(office: Office, path: Path, columns: str, draws: int) -> None:
    """Starts them for a table that was sent. Raises BadInput with its row and field."""
    counts = read_counts(path, mapping(columns))
    data = read_regular(path, LARGEST)
    _start(office, FILE, counts, draws, {"source": "file", "file_sha256": sha256(data).hexdigest(), "columns": columns})


def being_made(office: Office, name: str) -> bool:
    return background(office.extra).running(PREFIX + name)


def fault(office: Office, name: str) -> str:
    return background(office.extra).fault(PREFIX + name)


def _start(office: Office, name: str, counts: Counts, draws: int, facts: Mapping[str, Any]) -> None:
    if being_made(office, name):
        raise BadInput("they are being made already: wait for them", check="O.171")

    def work() -> None:
        body = report(counts, Options(draws=draws, model=draws > 0)).body
        data = json.dumps(plain(body), ensure_ascii=False, allow_nan=False).encode()
        digest = sha256(data).hexdigest()
        office.keep.write(f"indicators/{digest}.json", data)
        note = {"name": PREFIX + name, "sha256": digest, "stations": len(counts), "draws": draws, **facts}
        office.keep.append("note", note, "office", office.clock())

    background(office.extra).start(PREFIX + name, work)


def plain(value: Any) -> Any:
    """As JSON has it; what is no number (the deviations of a region without spread) is null."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


@lru_cache(maxsize=4)
def _body(path: Path) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
