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


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of stations as columns: ids, places of their areas in the poll, voters on their lists."""

    ids: pl.Series
    areas: Column
    eligible: Column

    @classmethod
    def of(cls, poll: Poll, stations: Sequence[Station]) -> Listed:
        """The list of a poll; every station's area is one of the poll's."""
        codes = {area.code: n for n, area in enumerate(poll.areas)}
        return cls(
            pl.Series([station.id for station in stations], dtype=pl.String),
            np.array([codes[station.area] for station in stations], dtype=np.int64),
            np.array([station.eligible for station in stations], dtype=np.int64),
        )

    def places(self, batch: Batch, after: int) -> Column:
        """Where each station of a batch stands in the list; `after` many protocols came before this batch.

        Raises BadInput F.020 at the first that is not on the list.
        """
        ids = pl.Series(batch.stations, dtype=pl.String)
        if ids.equals(self.ids.slice(after, len(ids))):  # the file has the list's own order: the common case
            return np.arange(after, after + len(ids))
        found = ids.to_frame("station").join(
            self.ids.to_frame("station").with_row_index("place"), on="station", how="left", maintain_order="left"
        )["place"]
        if found.null_count():
            place = int(found.is_null().arg_max() or 0)
            raise batch.refuse(
                place, "the station is not on the list", "F.020", field="station", found=batch.stations[place]
            )
        return found.cast(pl.Int64).to_numpy()


@dataclass(frozen=True, slots=True)
class _Read:
    """All protocols of one contest in a file, as columns: ids, their places in the list, the form's required fields."""

    ids: pl.Series
    places: Column
    columns: Mapping[str, Column]

    @classmethod
    def of(cls, contest: Contest, batches: Sequence[Batch], places: Sequence[Column]) -> _Read:
        none = np.zeros(0, np.int64)
        return cls(
            pl.concat([pl.Series("", dtype=pl.String), *(pl.Series("", batch.stations) for batch in batches)]),
            np.concatenate([none, *places]),
            {
                name: np.concatenate([none, *(batch.values[name] for batch in batches)])
                for name in contest.form.required
            },
        )


def dry_run(
    path: Path, poll: Poll, stations: Sequence[Station] | Listed, columns: Mapping[str, str | list[str]] | None = None
) -> list[DryRun]:
    """Reads a file and counts it, contest by contest; the form's identities are checked, nothing else.

    Raises BadInput for a file that intake would refuse, naming file, row and field. Memory is bounded by the list, not by
    the file: the first protocol of a station that is not listed, or is there already, ends the reading.
    """
    listed = stations if isinstance(stations, Listed) else Listed.of(poll, stations)
    batches: dict[str, list[Batch]] = {contest.id: [] for contest in poll.contests}
    places: dict[str, list[Column]] = {contest.id: [] for contest in poll.contests}
    for batch in read_protocols(path, poll, columns, chunk_rows=1_000_000):
        places[batch.contest].append(listed.places(batch, sum(map(len, batches[batch.contest]))))
        batches[batch.contest].append(batch)
    return [
        _count(poll, contest, _Read.of(contest, batches[contest.id], places[contest.id]), listed)
        for contest in poll.contests
    ]


def _count(poll: Poll, contest: Contest, read: _Read, listed: Listed) -> DryRun:
    broken = np.zeros(len(read.ids), dtype=np.bool_)
    raised: dict[str, int] = {}
    for identity in contest.form.identities:
        if identity.applies_to(read.columns) and (violations := identity.relation.violations(read.columns)).any():
            broken |= violations
            raised[identity.number] = int(violations.sum())
    ids, places, columns = read.ids, read.places, read.columns
    if raised:
        ids, places = ids.filter(pl.Series(~broken)), places[~broken]
        columns = {name: column[~broken] for name, column in columns.items()}
    tally = tally_columns(ids, listed.areas[places], [area.code for area in poll.areas], columns)
    out = np.ones(len(listed.ids), dtype=np.bool_)
    out[places] = False
    outstanding: dict[int, list[Outstanding]] = {}
    for row in np.flatnonzero(out).tolist():
        voters = int(listed.eligible[row])
        outstanding.setdefault(int(listed.areas[row]), []).append(Outstanding.of(voters, poll.ballot_limit.cap(voters)))
    counts = {
        area.code: AreaCount(tally.areas[area.code], area.weight, "counted", Outstanding.total(outstanding.get(n, ())))
        for n, area in enumerate(poll.areas)
    }
    decision = decide(contest.rule, counts, on=poll.day)
    missing = len(listed.ids) - len(read.ids)
    return DryRun(contest, tally, decision, int(broken.sum()), missing, raised)
