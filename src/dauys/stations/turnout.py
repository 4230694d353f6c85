"""How many have a ballot so far? Turnout reports of the day: checked against the last one, entered, stored, corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Protocol

import numpy as np
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.record.entry import Entry
from dauys.record.log import append, is_closed
from dauys.registers.poll import Poll
from dauys.stations.batch import Batch, Column
from dauys.stations.checks import Previous, turnout_checks
from dauys.stations.corrections import sealed
from dauys.stations.ledger import Receipt, earlier, lock, look_up, moment
from dauys.stations.stated import stated
from dauys.store.engine import Connection, driver, many


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
    F.014, F.015, F.020, F.021, F.024, F.033, F.034.
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
                place, "the station has reported another number for this hour: a clerk may correct it", "F.034",
                field="received", found=str(received), expected=f"{there[1].body['received']} of "
                f"{there[1].body['eligible']}, as in entry {there[0]}",
            )  # fmt: skip
        else:
            receipts[place] = _receipt(station, reports.hour, there[1].checks, there[0], True)
    if fresh and is_closed(connection, poll.id):
        raise batch.refuse(
            fresh[0], "the poll is closed and takes no new report", "F.024", field="station",
            found=batch.stations[fresh[0]], expected="a correction of a report that is in",
        )  # fmt: skip
    placed = append(connection, poll.id, entries, absent=True)  # `earlier` has looked, under the lock
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


@dataclass(frozen=True, slots=True)
class Report:
    """One report as it stands: `version` corrections have been made, `seq` is the entry that holds now."""

    station: str
    area: str
    hour: str
    eligible: int
    received: int
    version: int
    seq: int
    checks: tuple[str, ...]

    @property
    def numbers(self) -> dict[str, int]:
        return {"eligible": self.eligible, "received": self.received}


_REPORT = (
    "SELECT t.station, s.area, t.at, t.eligible, t.received, t.version, t.seq, t.checks FROM turnout t "
    "JOIN station s ON s.poll = t.poll AND s.id = t.station WHERE t.poll = :poll"
)


def report_of(connection: Connection, poll_id: str, station: str, hour: str) -> Report | None:
    """What a station has reported for an hour, if it has."""
    query = sa.text(f"{_REPORT} AND t.station = :station AND t.at = :hour")
    row = connection.execute(query, {"poll": poll_id, "station": station, "hour": hour}).one_or_none()
    return None if row is None else _report(row)


def held_reports(connection: Connection, poll_id: str, limit: int = 100) -> list[Report]:
    """Reports with an error: in the record, not in the sums."""
    held = "EXISTS (SELECT FROM unnest(t.checks) AS raised WHERE raised LIKE 'F%')"
    query = sa.text(f"{_REPORT} AND {held} ORDER BY t.at, t.station LIMIT :limit")
    return [_report(row) for row in connection.execute(query, {"poll": poll_id, "limit": limit})]


def reported(connection: Connection, poll_id: str) -> dict[str, int]:
    """How many stations have reported, by hour."""
    query = sa.text("SELECT at, count(*) AS stations FROM turnout WHERE poll = :poll GROUP BY at ORDER BY at")
    return {row.at: row.stations for row in connection.execute(query, {"poll": poll_id})}


def silent(
    connection: Connection, poll_id: str, hour: str, area: str | None, start: int, limit: int
) -> list[tuple[str, str]]:
    """Stations that have not reported for an hour, as (station, area): whom to call."""
    query = sa.text(
        "SELECT s.id, s.area FROM station s WHERE s.poll = :poll AND (CAST(:area AS text) IS NULL OR s.area = :area) "
        "AND NOT EXISTS (SELECT FROM turnout t WHERE t.poll = s.poll AND t.station = s.id AND t.at = :hour) "
        "ORDER BY s.area, s.id OFFSET :start LIMIT :limit"
    )
    rows = connection.execute(query, {"poll": poll_id, "area": area, "hour": hour, "start": start, "limit": limit})
    return [(row.id, row.area) for row in rows]


def _report(row: sa.Row[tuple[object, ...]]) -> Report:
    return Report(row.station, row.area, row.at, row.eligible, row.received, row.version, row.seq, tuple(row.checks))


def correct_report(
    connection: Connection,
    poll: Poll,
    *,
    station: str,
    hour: str,
    after: Mapping[str, int],
    reason: str,
    by: str,
    at: datetime | str,
    of: int | None = None,
    before: Mapping[str, int] | None = None,
    sig: str | None = None,
    seal: Ed25519PrivateKey | None = None,
) -> Receipt:
    """Replaces the numbers of a station's report of an hour; `after` is {"eligible","received"}.

    Signed, compared (`of`, `before`) and replayed as a correction of a protocol is (corrections.correct); it may come after
    the poll has closed. A protocol that waits because of the old number (F.110) still waits: a clerk confirms it.
    Raises BadInput F.011, F.014, F.015, F.018, F.020, F.026, F.029 to F.033, F.035.
    """
    if set(after) != {"eligible", "received"}:
        raise BadInput("a report has a list and ballots handed out", field="after", check="F.035",
                       found=", ".join(after), expected="eligible, received")  # fmt: skip
    batch = Batch(hour, [station], {name: np.array([after[name]], np.int64) for name in ("eligible", "received")})
    told = _hour(poll, hour, batch)
    batch.check_numbers()
    stated(reason, "reason", "a correction states its reason")
    lock(connection, poll.id)
    stations = look_up(connection, poll.id, batch)
    report = report_of(connection, poll.id, station, hour)
    if report is None:
        raise BadInput("the station has not reported for this hour: send the report", field="station", found=station,
                       check="F.029")  # fmt: skip
    ids = [f"turnout-correction/{station}/{hour}/{number}" for number in range(1, report.version + 2)]
    for seq, entry in earlier(connection, poll.id, ids).values():
        body = entry.body
        same = body["after"] == dict(after) and body["reason"] == reason and by in (entry.by, body.get("clerk"))
        if same and of in (None, body["of"]) and (before is None or dict(before) == body["before"]):
            return _receipt(station, hour, entry.checks, seq, True)
    if (of is not None and of != report.seq) or (before is not None and dict(before) != report.numbers):
        raise BadInput(
            "the report has changed since: look at it again", field="before" if of in (None, report.seq) else "of",
            found=None if of is None else str(of), expected=f"entry {report.seq} with {report.numbers}", check="F.030",
        )  # fmt: skip
    if dict(after) == report.numbers:
        raise BadInput("the correction changes nothing", field="after", check="F.032", expected="other numbers")
    previous = _previous(connection, poll, batch, stations.areas, stations.known.listed, told)
    (checks,) = turnout_checks(batch.values["eligible"], batch.values["received"], previous)
    correction = {"station": station, "time": hour, "of": report.seq, "before": report.numbers, "after": dict(after),
                  "reason": reason}  # fmt: skip
    entry = sealed(connection, poll.id, "turnout-correction", ids[-1], at, by, correction, sig, seal, checks)
    (placed,) = append(connection, poll.id, [entry])
    connection.execute(
        sa.text(
            "UPDATE turnout SET eligible = :eligible, received = :received, version = version + 1, seq = :seq, "
            "checks = :checks WHERE poll = :poll AND station = :station AND at = :hour"
        ),
        {**after, "seq": placed.seq, "checks": list(checks), "poll": poll.id, "station": station, "hour": hour},
    )
    return _receipt(station, hour, checks, placed.seq, False)


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
            "AND station = ANY(ARRAY(SELECT json_array_elements_text(CAST(:ids AS json)))) AND at < :hour "
            "ORDER BY station, at DESC"
        ),
        {"poll": poll.id, "ids": many(batch.stations), "hour": f"{hour:%H:%M}"},
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
