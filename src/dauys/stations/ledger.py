"""What is known already when something comes in: the list, the last reports, what stands in the record; and receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import sqlalchemy as sa

from dauys.errors import BadInput, DauysError
from dauys.record.entry import Entry, EntryError, check_signature
from dauys.stations.batch import Batch
from dauys.stations.checks import Known
from dauys.store.engine import Connection, many


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a protocol or a turnout report. A replay's receipt equals the first one's."""

    station: str
    contest: str
    state: str
    checks: tuple[str, ...]
    seq: int
    replayed: bool = field(default=False, compare=False)

    def to_json(self) -> dict[str, object]:
        return {
            "station": self.station,
            "contest": self.contest,
            "state": self.state,
            "checks": list(self.checks),
            "seq": self.seq,
            "replayed": self.replayed,
        }


@dataclass(frozen=True, slots=True)
class Stations:
    """The stations of a batch as the list has them, row by row, and what they last reported."""

    areas: list[str]
    keys: list[bytes | None]
    known: Known


def moment(at: datetime | str) -> str:
    """An aware datetime, or its ISO 8601 text, as text. Raises BadInput F.027 without an offset, or in no such year."""
    try:
        found = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        good = found.tzinfo is not None and 1000 <= found.year <= 9000
    except ValueError:
        good = False
    if not good:
        raise BadInput(
            "the time is not ISO 8601 with an offset", field="at", found=str(at), expected="2022-06-05T21:00:00+06:00",
            check="F.027",
        )  # fmt: skip
    return at if isinstance(at, str) else at.isoformat()


def lock(connection: Connection, poll_id: str, *, alone: bool = False) -> None:
    """Makes this transaction the only one that changes the poll until it ends. Raises DauysError without a record.

    Who only names the poll, as a machine that enrols or a package that is made, does not wait; unless it is to be `alone`.
    """
    how = "UPDATE" if alone else "NO KEY UPDATE"
    query = sa.text(f"SELECT 1 FROM log WHERE poll = :poll FOR {how}")  # noqa: S608 - words of ours
    row = connection.execute(query, {"poll": poll_id})
    if row.one_or_none() is None:
        raise DauysError(f"there is no record of {poll_id!r}: open the poll first")


def annulled(connection: Connection, poll_id: str, contest: str) -> frozenset[str]:
    """The areas and stations whose result in a contest is annulled."""
    prefix = f"annulment/{contest}/"
    query = sa.text("SELECT id FROM entry WHERE poll = :poll AND kind = 'annulment' AND starts_with(id, :prefix)")
    return frozenset(
        found.removeprefix(prefix) for found in connection.scalars(query, {"poll": poll_id, "prefix": prefix})
    )


_STATIONS = sa.text(
    "SELECT s.id, s.area, s.eligible, s.key, t.received AS reported, t.eligible AS reported_eligible FROM station s "
    "LEFT JOIN LATERAL (SELECT received, eligible FROM turnout WHERE poll = s.poll AND station = s.id "
    "ORDER BY at DESC LIMIT 1) t ON true WHERE s.poll = :poll AND "
    "s.id = ANY(ARRAY(SELECT json_array_elements_text(CAST(:ids AS json))))"
)


def look_up(connection: Connection, poll_id: str, batch: Batch) -> Stations:
    """What the list and the last turnout reports say of the batch's stations. Raises BadInput F.020."""
    found = {row.id: row for row in connection.execute(_STATIONS, {"poll": poll_id, "ids": many(set(batch.stations))})}
    for place, station in enumerate(batch.stations):
        if station not in found:
            raise batch.refuse(
                place, "the station is not on the list", "F.020", field="station", found=station,
                expected=f"a station of {poll_id}",
            )  # fmt: skip
    rows = [found[station] for station in batch.stations]
    _, areas, eligible, raw, reported, on_list = zip(*rows, strict=True) if rows else ((),) * 6
    keys = [None if key is None else bytes(key) for key in raw]
    signs = np.array([key is not None for key in keys], np.bool_)
    last, then = (np.array([-1 if n is None else n for n in part], np.int64) for part in (reported, on_list))
    return Stations(list(areas), keys, Known(np.array(eligible, np.int64), last, then, signs))


def signed_by_station(entry: Entry, key: bytes | None, batch: Batch, place: int) -> None:
    """Raises BadInput F.026 unless the entry bears a good signature of its station's key."""
    station = entry.body["station"]
    good = key is not None and entry.by == station
    try:
        good = good and key is not None and check_signature(entry, key)
    except EntryError:
        good = False
    if not good:
        message = "the signature is not that of the station over this entry"
        if key is None:
            message = "the station has no key on the list to check the signature with"
        raise batch.refuse(
            place, message, "F.026", field="sig",
            expected=f"Ed25519 over the canonical JSON of the entry, with by {station!r} and its at",
        )  # fmt: skip


def earlier(connection: Connection, poll_id: str, ids: Sequence[str]) -> dict[str, tuple[int, Entry]]:
    query = sa.text(
        "SELECT id, seq, body FROM entry WHERE poll = :poll AND id = "
        "ANY(ARRAY(SELECT json_array_elements_text(CAST(:ids AS json))))"
    )
    rows = connection.execute(query, {"poll": poll_id, "ids": many(ids)})
    return {row.id: (row.seq, Entry.from_bytes(bytes(row.body))) for row in rows}
