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
from dauys.count.tally import Tally, lines, tally_columns
from dauys.law.form import Identity
from dauys.registers.poll import Contest, Poll, Station
from dauys.stations.batch import Batch, Column, Mask
from dauys.stations.readers import read_protocols, twice

FAULTY_NAMED = 20
"""Stations with errors that a dry run names; intake names them all."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """One contest of a file: sums of the protocols without errors, how many raised which error, what is not in the file.

    `faulty` names the first stations (FAULTY_NAMED, by id) with an error, and their errors.
    """

    contest: Contest
    tally: Tally
    decision: Decision
    quarantined: int
    missing: int
    raised: Mapping[str, int]
    faulty: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        """{"contest","stations":{...},"totals","raised":{number: protocols},"faulty","decision"}."""
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
            "faulty": [{"station": station, "checks": list(checks)} for station, checks in self.faulty.items()],
            "decision": self.decision.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of stations as columns, sorted by id: ids, places of their areas in the poll, voters on their lists.

    `given` are the ids in the list's own order, and `ranks` where each of them stands in the sorted columns; `text` is
    what the hash of all of them is taken of (`count.tally.lines`).
    """

    ids: pl.Series
    areas: Column
    eligible: Column
    given: pl.Series
    ranks: Column
    text: bytes

    @classmethod
    def of(cls, poll: Poll, stations: Sequence[Station]) -> Listed:
        """The list of a poll; every station's area is one of the poll's."""
        codes = {area.code: n for n, area in enumerate(poll.areas)}
        given = pl.Series([station.id for station in stations], dtype=pl.String)
        order = given.arg_sort().to_numpy()
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        areas = np.array([codes[station.area] for station in stations], dtype=np.int64)
        eligible = np.array([station.eligible for station in stations], dtype=np.int64)
        return cls(given.sort(), areas[order], eligible[order], given, ranks, lines(given))

    def places(self, batch: Batch, after: int) -> Column:
        """Where each station of a batch stands in the columns; `after` protocols came before this batch.

        Raises BadInput F.020 at the first that is not on the list.
        """
        ids = pl.Series(batch.stations, dtype=pl.String)
        if ids.equals(self.given.slice(after, len(ids))):  # the file has the list's own order: the common case
            return self.ranks[after : after + len(ids)]
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
class _Sheet:
    """One contest of a file, a row for each station of the list: where its protocol stands in the file (0: it did not come)
    and its fields. Of an optional field that the file has, `given` says which protocols give it.
    """

    rows: Column
    columns: dict[str, Column]
    given: dict[str, Mask]

    @classmethod
    def empty(cls, contest: Contest, listed: Listed) -> _Sheet:
        columns = {name: np.zeros(len(listed.ids), np.int64) for name in contest.form.required}
        return cls(np.zeros(len(listed.ids), np.int64), columns, {})

    def take(self, batch: Batch, places: Column) -> None:
        """Puts a batch where its stations stand. Raises BadInput F.021 for a station that stands in the file already."""
        rows = batch.row_numbers()
        before = self.rows[places]
        self.rows[places] = rows
        if before.any() or not np.array_equal(self.rows[places], rows):
            first: dict[int, int] = {}
            for place, (station, row) in enumerate(zip(places.tolist(), before.tolist(), strict=True)):
                earlier = row or first.setdefault(station, batch.row(place))
                if earlier != batch.row(place):
                    raise twice(batch, place, earlier)
        for name, values in batch.values.items():
            if name not in self.columns:
                self.columns[name] = np.zeros(len(self.rows), np.int64)
                self.given[name] = np.zeros(len(self.rows), np.bool_)
            self.columns[name][places] = values
            if name in self.given:
                self.given[name][places] = ~batch.missing[name] if name in batch.missing else True

    def broken(self, identity: Identity) -> Mask:
        """The protocols that break an identity, among those that give all its fields."""
        broken = identity.relation.violations(self.columns) & (self.rows > 0)
        for name in self.given.keys() & identity.relation.fields:
            broken &= self.given[name]
        return broken


def dry_run(
    path: Path, poll: Poll, stations: Sequence[Station] | Listed, columns: Mapping[str, str | list[str]] | None = None
) -> list[DryRun]:
    """Reads a file and counts it, contest by contest; the form's identities are checked where their fields are given, nothing
    else.

    Raises BadInput for a file that intake would refuse, naming file, row and field. Memory is bounded by the list, not by
    the file: the first protocol of a station that is not listed, or has one already, ends the reading.
    """
    listed = stations if isinstance(stations, Listed) else Listed.of(poll, stations)
    sheets = {contest.id: _Sheet.empty(contest, listed) for contest in poll.contests}
    taken = dict.fromkeys(sheets, 0)
    for batch in read_protocols(path, poll, columns, chunk_rows=1_000_000, once=False):
        if len(sheets) > 1:  # a table of several contests may lack what one of them asks for
            batch.check_against(poll.contest(batch.contest).form)
        sheets[batch.contest].take(batch, listed.places(batch, taken[batch.contest]))
        taken[batch.contest] += len(batch)
    return [_count(poll, contest, sheets[contest.id], listed) for contest in poll.contests]


def _count(poll: Poll, contest: Contest, sheet: _Sheet, listed: Listed) -> DryRun:
    broken = np.zeros(len(listed.ids), dtype=np.bool_)
    raised: dict[str, Mask] = {}
    for identity in contest.form.identities:
        if identity.applies_to(sheet.columns):
            violations = sheet.broken(identity)
            if violations.any():
                broken |= violations & (not identity.warns)
                raised[identity.number] = violations
    faulty = {
        str(listed.ids[row]): tuple(number for number, mask in raised.items() if mask[row])
        for row in np.flatnonzero(broken)[:FAULTY_NAMED].tolist()
    }
    came = sheet.rows > 0
    good = came & ~broken
    every = bool(good.all())
    counted = slice(None) if every else good  # a slice copies nothing
    tally = tally_columns(
        listed.ids if every else listed.ids.filter(pl.Series(good)),
        listed.areas[counted],
        [area.code for area in poll.areas],
        {name: sheet.columns[name][counted] for name in contest.form.required},
        listed.text if every else None,
    )
    outstanding: dict[int, list[Outstanding]] = {}
    for row in np.flatnonzero(~good).tolist():
        voters = int(listed.eligible[row])
        outstanding.setdefault(int(listed.areas[row]), []).append(Outstanding.of(voters, poll.ballot_limit.cap(voters)))
    counts = {
        area.code: AreaCount(tally.areas[area.code], area.weight, "counted", Outstanding.total(outstanding.get(n, ())))
        for n, area in enumerate(poll.areas)
    }
    decision = decide(contest.rule, counts, on=poll.day)
    times = {number: int(mask.sum()) for number, mask in raised.items()}
    return DryRun(contest, tally, decision, int(broken.sum()), int((~came).sum()), times, faulty)
