"""Where do the public pages get what they show? One narrow door to the database, which tests can replace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, Protocol

import sqlalchemy as sa

from dauys.polls import pollbook_find
from dauys.polls.keys import Keys
from dauys.polls.opening import load_poll
from dauys.polls.standing import Standing, StationView, standing, station_view
from dauys.publish.record_files import newest_checkpoint
from dauys.publish.recorded_facts import MILESTONES
from dauys.record import log
from dauys.record.entry import Entry
from dauys.registers.poll import Poll
from dauys.stations.overview import Held


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station in a list, with the protocols that came from it."""

    id: str
    area: str
    eligible: int
    abroad: bool
    protocols: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class RecordState:
    """The signed states of the record as (size, note with cosignatures), oldest first, and the accredited witnesses."""

    checkpoints: tuple[tuple[int, str], ...]
    witnesses: tuple[str, ...]


class Source(Protocol):
    """What the pages ask. A poll or station that does not exist is a DauysError."""

    def polls(self) -> Sequence[Poll]: ...

    def poll(self, poll_id: str) -> Poll: ...

    def size(self, poll_id: str) -> int: ...

    def standing(self, poll_id: str) -> Standing: ...

    def station(self, poll_id: str, station_id: str) -> StationView: ...

    def stations(self, poll_id: str, area: str, start: int, count: int) -> Sequence[StationRow]:
        """The stations of an area by id, from the `start`-th on (0 is the first), at most `count`."""

    def quarantine(self, poll_id: str, start: int, count: int) -> Sequence[StationRow]:
        """The stations that have a protocol in quarantine, likewise; only those protocols."""

    def corrections(self, poll_id: str) -> Sequence[tuple[int, Entry]]:
        """The record's corrections, of protocols and of turnout reports, and annulments with their places."""

    def milestones(self, poll_id: str) -> Sequence[tuple[int, Entry]]:
        """The record's declarations, its closing and its publications with their places, in order."""

    def record(self, poll_id: str) -> RecordState: ...

    def electronic(self, poll_id: str) -> int | None:
        """How many voted electronically, by the record; None where the poll knows no such way."""


CHANGES = ("correction", "turnout-correction", "annulment")
"""Kinds of entries that change what was reported."""

_COLUMNS = "s.id, s.area, s.eligible, s.abroad, p.contest, p.state, p.version, p.seq, p.values AS fields, p.checks"
_STATIONS = sa.text(
    f"SELECT {_COLUMNS} FROM (SELECT * FROM station WHERE poll = :poll AND area = :area "  # noqa: S608 - fixed columns
    "ORDER BY id OFFSET :start LIMIT :count) s LEFT JOIN protocol p ON p.poll = s.poll AND p.station = s.id "
    "ORDER BY s.id, p.contest"
)
_QUARANTINE = sa.text(
    f"SELECT {_COLUMNS} FROM protocol p JOIN station s ON s.poll = p.poll AND s.id = p.station "  # noqa: S608
    "WHERE p.poll = :poll AND p.state = 'quarantined' ORDER BY s.id, p.contest OFFSET :start LIMIT :count"
)


SIGNED_EVERY = 10.0
"""Seconds from one checkpoint that is signed for the page of a station to the next: each costs a look at the whole tree."""


def no_keys(poll_id: str) -> Keys | None:
    """The keys of a site that signs nothing."""
    return None


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """The source of a running site. `keys` gives those of a poll, where this installation holds them.

    Who opens the page of a station whose protocol no checkpoint covers yet is given one, signed as /record/POLL/checkpoint
    signs: without the log's key nothing is.
    """

    engine: sa.Engine
    keys: Callable[[str], Keys | None] = no_keys
    _signed: dict[str, float] = field(default_factory=dict, repr=False, compare=False)

    def polls(self) -> Sequence[Poll]:
        with self.engine.connect() as connection:
            return [load_poll(connection, poll) for poll in log.polls(connection)]

    def poll(self, poll_id: str) -> Poll:
        with self.engine.connect() as connection:
            return load_poll(connection, poll_id)

    def size(self, poll_id: str) -> int:
        with self.engine.connect() as connection:
            return log.size(connection, poll_id)

    def standing(self, poll_id: str) -> Standing:
        with self._snapshot() as connection:
            return standing(connection, poll_id)

    def station(self, poll_id: str, station_id: str) -> StationView:
        with self._snapshot() as connection:
            view = station_view(connection, poll_id, station_id)
        if all(protocol.proof or not protocol.values for protocol in view.protocols) or not self._sign(poll_id):
            return view
        with self._snapshot() as connection:
            return station_view(connection, poll_id, station_id)

    def stations(self, poll_id: str, area: str, start: int, count: int) -> Sequence[StationRow]:
        return self._rows(_STATIONS, {"poll": poll_id, "area": area, "start": start, "count": count})

    def quarantine(self, poll_id: str, start: int, count: int) -> Sequence[StationRow]:
        return self._rows(_QUARANTINE, {"poll": poll_id, "start": start, "count": count})

    def corrections(self, poll_id: str) -> Sequence[tuple[int, Entry]]:
        with self.engine.connect() as connection:
            found = [item for kind in CHANGES for item in log.of_kind(connection, poll_id, kind)]
        return sorted(found, key=lambda item: item[0])

    def electronic(self, poll_id: str) -> int | None:
        with self.engine.connect() as connection:
            return pollbook_find.electronic(connection, load_poll(connection, poll_id))

    def milestones(self, poll_id: str) -> Sequence[tuple[int, Entry]]:
        with self.engine.connect() as connection:
            found = [item for kind in MILESTONES for item in log.of_kind(connection, poll_id, kind)]
        return sorted(found, key=lambda item: item[0])

    def record(self, poll_id: str) -> RecordState:
        with self.engine.connect() as connection:
            return RecordState(tuple(log.checkpoints(connection, poll_id)), tuple(log.witnesses(connection, poll_id)))

    def _sign(self, poll_id: str) -> bool:
        """Signs the present state, unless that was just done, or this installation cannot."""
        now, keys = monotonic(), self.keys(poll_id)
        if keys is None or now - self._signed.get(poll_id, -SIGNED_EVERY) < SIGNED_EVERY:
            return False
        self._signed[poll_id] = now
        with self.engine.begin() as connection:
            newest_checkpoint(connection, poll_id, keys)
        return True

    def _snapshot(self) -> sa.Connection:
        """All statements of one page see one moment."""
        return self.engine.connect().execution_options(isolation_level="REPEATABLE READ")

    def _rows(self, query: sa.TextClause, values: Mapping[str, Any]) -> Sequence[StationRow]:
        with self.engine.connect() as connection:
            found = connection.execute(query, values).all()
            annulments = log.of_kind(connection, values["poll"], "annulment")
        rows: dict[str, StationRow] = {}
        protocols: dict[str, list[Held]] = {}
        for row in found:
            rows.setdefault(row.id, StationRow(row.id, row.area, row.eligible, row.abroad, ()))
            if row.contest is not None:
                held = Held(
                    row.contest, row.id, row.area, row.state, row.version, row.seq, row.fields, tuple(row.checks)
                )
                protocols.setdefault(row.id, []).append(held)
        return [
            replace(station, protocols=_annulled(station, protocols.get(station.id, []), annulments))
            for station in rows.values()
        ]


def _annulled(
    station: StationRow, protocols: Sequence[Held], annulments: Sequence[tuple[int, Entry]]
) -> tuple[Held, ...]:
    """The protocols with what is annulled of the station, by itself or with its area, marked: void, or voted on again."""
    void: dict[str, str] = {}
    for _, entry in annulments:
        body = entry.body
        if station.area == body.get("area") or (station.id == body.get("station") and body["contest"] not in void):
            void[body["contest"]] = "repeat-pending" if body["repeat"] else "annulled"
    given = {protocol.contest for protocol in protocols}
    marked = [replace(protocol, state=void.get(protocol.contest, protocol.state)) for protocol in protocols]
    missing = ((contest, state) for contest, state in void.items() if contest not in given)
    return (*marked, *(Held(contest, station.id, station.area, state, 0, -1, {}, ()) for contest, state in missing))
