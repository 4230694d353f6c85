"""What would a file of protocols say? From file to checks, sums and decision, with no database and nothing kept.

For whoever wants to look before sending in: a territorial commission before the night, a journalist with a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.decision import Decision, decide
from dauys.count.tally import Tally, tally_columns
from dauys.registers.poll import Contest, Poll, Station
from dauys.stations.batch import Batch, Column
from dauys.stations.readers import read_protocols


@dataclass(frozen=True, slots=True)
class DryRun:
    """One contest of a file: sums of the protocols without errors, how many raised which error, what is not in the file."""

    contest: Contest
    tally: Tally
    decision: Decision
    quarantined: int
    missing: int
    raised: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """{"contest","stations":{...},"totals","raised":{number: protocols},"decision"}."""
        counted = self.tally.stations
        return {
            "contest": self.contest.id,
            "stations": {
                "expected": counted + self.quarantined + self.missing,
                "counted": counted,
                "quarantined": self.quarantined,
                "missing": self.missing,
            },
            "covers": self.tally.covers,
            "totals": dict(self.tally.national),
            "raised": dict(self.raised),
            "decision": self.decision.to_json(),
        }


def dry_run(
    path: Path, poll: Poll, stations: Sequence[Station], columns: Mapping[str, str | list[str]] | None = None
) -> list[DryRun]:
    """Reads a file and counts it, contest by contest; the form's identities are checked, nothing else.

    Raises BadInput for a file that intake would refuse, naming file, row and field.
    """
    batches: dict[str, list[Batch]] = {contest.id: [] for contest in poll.contests}
    for batch in read_protocols(path, poll, columns, chunk_rows=1_000_000):
        batches[batch.contest].append(batch)
    codes = {area.code: n for n, area in enumerate(poll.areas)}
    listed = _Listed(
        pl.Series([station.id for station in stations], dtype=pl.String),
        np.array([codes[station.area] for station in stations], dtype=np.int64),
        np.array([station.eligible for station in stations], dtype=np.int64),
    )
    return [_count(poll, contest, batches[contest.id], listed) for contest in poll.contests]


@dataclass(frozen=True, slots=True)
class _Listed:
    """The list of stations as columns: ids, places of their areas in the poll, voters on their lists."""

    ids: pl.Series
    areas: Column
    eligible: Column


def _count(poll: Poll, contest: Contest, batches: Sequence[Batch], listed: _Listed) -> DryRun:
    none = np.zeros(0, np.int64)
    columns = {
        name: np.concatenate([batch.values[name] for batch in batches] or [none]) for name in contest.form.required
    }
    ids = pl.concat([pl.Series("", batch.stations, dtype=pl.String) for batch in batches] or [listed.ids.clear()])
    broken = np.zeros(len(ids), dtype=np.bool_)
    raised: dict[str, int] = {}
    for identity in contest.form.identities:
        if identity.applies_to(columns) and (violations := identity.relation.violations(columns)).any():
            broken |= violations
            raised[identity.number] = int(violations.sum())
    places, good = _places(listed, ids, batches), ~broken
    tally = tally_columns(
        ids.filter(pl.Series(good)) if raised else ids,
        listed.areas[places[good]],
        [area.code for area in poll.areas],
        {name: column[good] for name, column in columns.items()},
    )
    out = np.ones(len(listed.ids), dtype=np.bool_)
    out[places[good]] = False
    outstanding: dict[int, list[Outstanding]] = {}
    for row in np.flatnonzero(out).tolist():
        voters = int(listed.eligible[row])
        outstanding.setdefault(int(listed.areas[row]), []).append(Outstanding.of(voters, poll.ballot_limit.cap(voters)))
    counts = {
        area.code: AreaCount(tally.areas[area.code], area.weight, "counted", Outstanding.total(outstanding.get(n, ())))
        for n, area in enumerate(poll.areas)
    }
    decision = decide(contest.rule, counts, on=poll.day)
    return DryRun(contest, tally, decision, int(broken.sum()), len(listed.ids) - len(ids), raised)


def _places(listed: _Listed, ids: pl.Series, batches: Sequence[Batch]) -> Column:
    """Where each station stands in the list. Raises BadInput F.020 at the first that is not on it."""
    if len(ids) <= len(listed.ids) and ids.equals(listed.ids.head(len(ids))):
        return np.arange(len(ids))  # the file has the list's own order: the common case, and a hundred times quicker
    found = ids.to_frame("station").join(
        listed.ids.to_frame("station").with_row_index("place"), on="station", how="left", maintain_order="left"
    )["place"]
    if found.null_count():
        place = int(found.is_null().arg_max() or 0)
        for batch in batches:
            if place < len(batch):
                raise batch.refuse(
                    place, "the station is not on the list", "F.020", field="station", found=batch.stations[place]
                )
            place -= len(batch)
    return found.cast(pl.Int64).to_numpy()
