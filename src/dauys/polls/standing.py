"""How does a poll stand in the database now? What the pages, the exports and the answer of `dauys run` read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.polls.opening import load_poll, load_stations
from dauys.polls.result import AreaStanding, ContestStanding, Held, Sheet, Snapshot, contest_standing, stage_of
from dauys.record import log
from dauys.record.entry import Entry
from dauys.record.merkle import inclusion_proof, root
from dauys.registers.poll import Contest, Poll, Station
from dauys.stations.overview import protocol
from dauys.store.engine import Connection

__all__ = ["AreaStanding", "ContestStanding", "Standing", "StationView", "TurnoutPoint", "standing", "station_view"]


@dataclass(frozen=True, slots=True)
class TurnoutPoint:
    """One report hour: how many stations reported, their lists as of then, ballots received; and per area (list, ballots)."""

    at: str
    stations: int
    eligible: int
    received: int
    areas: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the front page shows, after `size` entries of the record."""

    poll: Poll
    size: int
    stage: str
    contests: tuple[ContestStanding, ...]
    turnout: tuple[TurnoutPoint, ...]
    as_of: str


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One entry about a station: its place, kind, time, author, values (or None).

    A correction has its reason and, where the commission sealed it, the clerk who did it; an annulment reason and article.
    """

    seq: int
    kind: str
    at: str
    by: str
    values: Mapping[str, int] | None
    reason: str | None
    signed: bool
    clerk: str | None = None
    cite: str | None = None


@dataclass(frozen=True, slots=True)
class ProtocolView:
    """The protocol in force of one contest at one station, its history, and the proof that it is in the record.

    `state` is one of `dauys.polls.result.STATES`; without a protocol there are no values, and no proof.
    """

    contest: Contest
    state: str
    values: Mapping[str, int]
    checks: tuple[str, ...]
    history: tuple[HistoryItem, ...]
    proof: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class StationView:
    """A station with its protocols and its turnout reports as (hour, list, ballots received).

    `corrected` are the entries, with their places, that changed a report.
    """

    poll: Poll
    station: Station
    protocols: tuple[ProtocolView, ...]
    turnout: tuple[tuple[str, int, int], ...]
    corrected: tuple[tuple[int, Entry], ...] = ()


def snapshot(connection: Connection, poll_id: str) -> Snapshot:
    """Every protocol of the poll as it stands. One transaction sees one size."""
    poll, stations = _defined(connection, poll_id)
    size = log.size(connection, poll_id)
    kinds = {
        "protocol": int(bool(connection.scalar(_any("protocol"), {"poll": poll_id}))),
        "turnout": int(bool(connection.scalar(_any("turnout"), {"poll": poll_id}))),
        "check-ins": int(bool(connection.scalar(_CHECK_INS, {"poll": poll_id}))),
    }
    declared = [entry.body["stage"] for _, entry in log.of_kind(connection, poll_id, "declaration")]
    held: dict[str, dict[str, Held]] = {contest.id: {} for contest in poll.contests}
    rows = connection.execute(
        sa.text(
            "SELECT contest, station, seq, CAST(values AS text), array_to_string(checks, ' '), version "
            "FROM protocol WHERE poll = :poll"
        ),
        {"poll": poll_id},
    ).all()
    said = json.loads(f"[{','.join(row[3] for row in rows)}]")  # a night of them at once
    for (contest, station, seq, _, checks, version), values in zip(rows, said, strict=True):
        held[contest][station] = Held(seq, values, tuple(checks.split()), version)
    annulled = {
        (entry.body["contest"], entry.body.get("station") or entry.body["area"]): bool(entry.body["repeat"])
        for _, entry in log.of_kind(connection, poll_id, "annulment")
    }
    sheets = tuple(Sheet.of(poll, contest, stations, held[contest.id], annulled) for contest in poll.contests)
    as_of = log.entry_at(connection, poll_id, size - 1).at
    return Snapshot(poll, size, stage_of(kinds, declared), as_of, sheets)


def standing(connection: Connection, poll_id: str) -> Standing:
    """The whole standing; computed once for each size of the record."""
    size = log.size(connection, poll_id)
    key = (str(connection.engine.url), poll_id, size)
    if key not in _cache:
        now = snapshot(connection, poll_id)
        contests = tuple(contest_standing(sheet) for sheet in now.sheets)
        turnout = _turnout(connection, now.poll)
        if len(_cache) >= CACHED:
            _cache.pop(next(iter(_cache)))
        _cache[key] = Standing(now.poll, now.size, now.stage, contests, turnout, now.as_of)
    return _cache[key]


CACHED = 8
_cache: dict[tuple[str, str, int], Standing] = {}


def station_view(connection: Connection, poll_id: str, station_id: str) -> StationView:
    """One station. Raises DauysError if the poll has no such station."""
    poll, stations = _defined(connection, poll_id)
    station = next((s for s in stations if s.id == station_id), None)
    if station is None:
        raise DauysError(f"{poll_id} has no station {station_id!r}")
    turnout = connection.execute(
        sa.text("SELECT at, eligible, received FROM turnout WHERE poll = :poll AND station = :station ORDER BY at"),
        {"poll": poll_id, "station": station_id},
    )
    protocols = tuple(_protocol_view(connection, poll, contest, station) for contest in poll.contests)
    reports = tuple((row.at, row.eligible, row.received) for row in turnout)
    corrections = log.of_kind(connection, poll_id, "turnout-correction")
    corrected = tuple((seq, entry) for seq, entry in corrections if entry.body["station"] == station_id)
    return StationView(poll, station, protocols, reports, corrected)


def _protocol_view(connection: Connection, poll: Poll, contest: Contest, station: Station) -> ProtocolView:
    now = protocol(connection, poll.id, contest.id, station.id)
    versions = 0 if now is None else now.version
    ids = [f"protocol/{contest.id}/{station.id}"]
    ids += [f"correction/{contest.id}/{station.id}/{n}" for n in range(1, versions + 1)]
    ids += [f"annulment/{contest.id}/{where}" for where in (station.id, station.area)]
    rows = connection.execute(
        sa.text("SELECT seq, body FROM entry WHERE poll = :poll AND id = ANY(:ids) ORDER BY seq"),
        {"poll": poll.id, "ids": ids},
    )
    found = [(item.seq, Entry.from_bytes(bytes(item.body))) for item in rows]
    history = tuple(_history_item(seq, entry) for seq, entry in found)
    repeats = {entry.id: bool(entry.body["repeat"]) for _, entry in found if entry.kind == "annulment"}
    state = "missing" if now is None else now.state
    if repeats:  # an annulled area annuls its stations, as in stations.csv
        again = repeats.get(f"annulment/{contest.id}/{station.area}", any(repeats.values()))
        state = "repeat-pending" if again else "annulled"
    if now is None:
        return ProtocolView(contest, state, {}, (), history, None)
    return ProtocolView(contest, state, now.values, now.checks, history, _proof(connection, poll.id, now.seq))


def _history_item(seq: int, entry: Entry) -> HistoryItem:
    body = entry.body
    values = body.get("after") or body.get("values")
    return HistoryItem(
        seq, entry.kind, entry.at, entry.by, values, body.get("reason"), entry.sig is not None,
        body.get("clerk"), body.get("cite"),
    )  # fmt: skip


def _proof(connection: Connection, poll_id: str, seq: int) -> dict[str, Any] | None:
    """The inclusion proof against the newest signed state that covers the entry; None while there is none."""
    signed = [size for size, _ in log.checkpoints(connection, poll_id) if size > seq]
    if not signed:
        return None
    size = signed[-1]
    leaves = _leaves(connection, poll_id, size)
    hashes = [part.hex() for part in inclusion_proof(leaves, seq)]
    return {"index": seq, "size": size, "leaf": leaves[seq].hex(), "root": root(leaves).hex(), "hashes": hashes}


def _leaves(connection: Connection, poll_id: str, size: int) -> list[bytes]:
    key = (str(connection.engine.url), poll_id, size)
    if key not in _leaf_cache:
        _leaf_cache.clear()
        _leaf_cache[key] = log.leaf_hashes(connection, poll_id, 0, size)
    return _leaf_cache[key]


_leaf_cache: dict[tuple[str, str, int], list[bytes]] = {}


def _defined(connection: Connection, poll_id: str) -> tuple[Poll, list[Station]]:
    """The poll and its stations: they never change once opened, so they are read once."""
    key = (str(connection.engine.url), poll_id)
    if key not in _definitions:
        _definitions[key] = (load_poll(connection, poll_id), load_stations(connection, poll_id))
    return _definitions[key]


_definitions: dict[tuple[str, str], tuple[Poll, list[Station]]] = {}


_CHECK_INS = sa.text("SELECT 1 FROM entry WHERE poll = :poll AND kind = 'check-ins' LIMIT 1")


@lru_cache
def _any(table: str) -> sa.TextClause:
    return sa.text(f"SELECT 1 FROM {table} WHERE poll = :poll LIMIT 1")  # noqa: S608 - two fixed names


def _turnout(connection: Connection, poll: Poll) -> tuple[TurnoutPoint, ...]:
    """Sums of the reports by hour and area; a report with an error is kept and not summed."""
    rows = connection.execute(
        sa.text(
            "SELECT t.at, s.area, count(*) AS stations, sum(t.eligible) AS eligible, sum(t.received) AS received "
            "FROM turnout t JOIN station s ON s.poll = t.poll AND s.id = t.station "
            "WHERE t.poll = :poll AND NOT EXISTS (SELECT FROM unnest(t.checks) AS raised WHERE raised LIKE 'F%') "
            "GROUP BY t.at, s.area ORDER BY t.at, s.area"
        ),
        {"poll": poll.id},
    ).all()
    points = []
    for at in dict.fromkeys(row.at for row in rows):
        here = [row for row in rows if row.at == at]
        points.append(
            TurnoutPoint(
                at=at,
                stations=sum(int(row.stations) for row in here),
                eligible=sum(int(row.eligible) for row in here),
                received=sum(int(row.received) for row in here),
                areas={row.area: (int(row.eligible), int(row.received)) for row in here},
            )
        )
    return tuple(points)
