"""How many have a ballot so far? Turnout reports of the day: checked against the last one, entered, stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Protocol

import numpy as np
import sqlalchemy as sa

from dauys.record.entry import Entry
from dauys.record.log import append
from dauys.registers.poll import Poll
from dauys.stations.batch import Batch, Column
from dauys.stations.checks import Previous, turnout_checks
from dauys.stations.ledger import Receipt, earlier, lock, look_up, moment
from dauys.store.engine import Connection, driver


class Hour(Protocol):
    """Reports of one hour: `hour` as HH:MM in the poll's zone; lists and ballots handed out so far, row by row."""

    @property
    def hour(self) -> str: ...
    @property
    def stations(self) -> Sequence[str]: ...
    @property
    def eligible(self) -> Column: ...
    @property
    def received(self) -> Column: ...


@dataclass(frozen=True, slots=True)
class Reports:
    """An `Hour` with the place it was read from."""

    hour: str
    stations: Sequence[str]
    eligible: Column
    received: Column
    file: Path | None = None
    rows: Sequence[int] | None = None


def report_turnout(connection: Connection, poll: Poll, reports: Hour, *, by: str, at: datetime | str) -> list[Receipt]:
    """Takes the reports of one hour; `contest` of the receipts is the hour, `state` accepted or quarantined.

    A report that raises F.111 is kept and not summed. The same report again gives the same receipt. Raises BadInput
    F.014, F.015, F.020, F.021, F.033, F.034.
    """
    batch = Batch(
        reports.hour,
        reports.stations,
        {"eligible": reports.eligible, "received": reports.received},
        file=getattr(reports, "file", None),
        rows=getattr(reports, "rows", None),
    )
    hour = _hour(poll, reports.hour, batch)
    batch.check_numbers()
    batch.check_unique()
    lock(connection, poll.id)
    stations = look_up(connection, poll.id, batch)
    ids = [f"turnout/{station}/{reports.hour}" for station in batch.stations]
    before = earlier(connection, poll.id, ids)
    previous = _previous(connection, poll, batch, stations.areas, stations.known.listed, hour)
    checks = turnout_checks(batch.values["eligible"], batch.values["received"], previous)
    stamp = moment(at)
    receipts: dict[int, Receipt] = {}
    fresh: list[int] = []
    entries: list[Entry] = []
    numbers = list(zip(batch.values["eligible"].tolist(), batch.values["received"].tolist(), strict=True))
    for place, (station, entry_id, (eligible, received)) in enumerate(zip(batch.stations, ids, numbers, strict=True)):
        body = {"station": station, "time": reports.hour, "eligible": eligible, "received": received}
        there = before.get(entry_id)
        if there is None:
            fresh.append(place)
            entries.append(Entry(poll.id, "turnout", entry_id, stamp, by, body, None, checks[place]))
        elif there[1].body != body:
            raise batch.refuse(
                place, "the station has reported another number for this hour: give the right one at the next", "F.034",
                field="received", found=str(received), expected=f"{there[1].body['received']} of "
                f"{there[1].body['eligible']}, as in entry {there[0]}",
            )  # fmt: skip
        else:
            receipts[place] = _receipt(station, reports.hour, there[1].checks, there[0], True)
    placed = append(connection, poll.id, entries)
    if placed:
        with (
            driver(connection).cursor() as cursor,
            cursor.copy("COPY turnout (poll, station, at, eligible, received, seq, checks) FROM STDIN") as copy,
        ):
            for place, where in zip(fresh, placed, strict=True):
                raised = "{" + ",".join(checks[place]) + "}"
                copy.write_row((poll.id, batch.stations[place], reports.hour, *numbers[place], where.seq, raised))
                receipts[place] = _receipt(batch.stations[place], reports.hour, checks[place], where.seq, False)
    return [receipts[place] for place in range(len(batch))]


def _receipt(station: str, hour: str, checks: tuple[str, ...], seq: int, replayed: bool) -> Receipt:
    state = "quarantined" if "F.111" in checks else "accepted"
    return Receipt(station, hour, state, checks, seq, replayed)


def _hour(poll: Poll, text: str, batch: Batch) -> time:
    hour: time | None
    try:
        hour = time.fromisoformat(text)
    except ValueError:
        hour = None
    due = ", ".join(f"{at:%H:%M}" for at in poll.reports)
    if hour is None or f"{hour:%H:%M}" != text or (poll.reports and hour not in poll.reports):
        raise batch.refuse(
            0, "no report is due at this hour", "F.033", field="time", found=text, expected=due or "HH:MM"
        )
    return hour


def _previous(
    connection: Connection, poll: Poll, batch: Batch, areas: Sequence[str], listed: Column, hour: time
) -> Previous:
    """What each station said in its last report before this hour, and whether it is still open at this hour."""
    rows = connection.execute(
        sa.text(
            "SELECT DISTINCT ON (station) station, eligible, received FROM turnout WHERE poll = :poll "
            "AND station = ANY(:ids) AND at < :hour ORDER BY station, at DESC"
        ),
        {"poll": poll.id, "ids": list(batch.stations), "hour": f"{hour:%H:%M}"},
    )
    found = {row.station: (row.received, row.eligible) for row in rows}
    pairs = np.array([found.get(station, (-1, -1)) for station in batch.stations], np.int64).reshape(-1, 2)
    now = poll.moment(hour)
    still = {area: now <= poll.closing(area) for area in set(areas)}
    return Previous(pairs[:, 0], pairs[:, 1], listed, np.array([still[area] for area in areas], np.bool_))


def split_by_hour(
    hours: Sequence[str],
    stations: Sequence[str],
    eligible: Column,
    received: Column,
    file: Path | None,
    rows: Sequence[int],
) -> list[Reports]:
    """Rows of a table as one `Reports` for each hour, the earliest first."""
    parts: list[Reports] = []
    for hour in sorted(set(hours)):
        places = [place for place, at in enumerate(hours) if at == hour]
        parts.append(
            Reports(
                hour, [stations[place] for place in places], eligible[places], received[places], file,
                [rows[place] for place in places],
            )
        )  # fmt: skip
    return parts
