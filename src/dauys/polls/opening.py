"""How a poll begins: its law, its areas and every one of its stations enter the record before anything is counted."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.polls.keys import Keys, origin
from dauys.record import log
from dauys.record.canonical import written
from dauys.record.entry import Entry, sign_entry
from dauys.record.parts import sign_whole
from dauys.registers.cells import LARGEST
from dauys.registers.poll import COMMISSION, PLACE, Poll, Station
from dauys.stations.overview import poll_of
from dauys.store.engine import Connection, driver

STATIONS_PER_ENTRY = 200
"""An entry has at most 65,535 bytes; a station with a key and a long name takes about 200."""
STATION_BYTES = 60_000
"""Bytes of stations in one entry; what is around them takes far less than the rest."""
FORM_BYTES = 20_000
"""Of the values of one protocol: a correction holds them twice, and its reason beside them."""
COLUMNS = ("id", "area", "eligible", "key", "abroad", *PLACE)
"""What the table of stations has of each, beside the poll."""


def open_poll(connection: Connection, poll: Poll, stations: Sequence[Station], keys: Keys, at: datetime) -> None:
    """Writes the poll and its stations to the record and the registers, once; the same call again changes nothing.

    Raises DauysError if the record of that poll says something else: a poll is not redefined after it was opened.
    """
    _check(poll, stations)
    log.open_log(connection, poll.id, origin(poll.id))
    try:
        placed = log.append(connection, poll.id, list(_entries(poll, stations, keys, at)))
    except log.ReplayConflict:
        raise DauysError(
            f"{poll.id} was opened with another description or another list of stations, and a poll is not redefined: "
            "open this one under another name"
        ) from None
    if not placed[0].new:
        return
    with (
        driver(connection).cursor() as cursor,
        cursor.copy(f"COPY station (poll, {', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["text", "text", "text", "int4", "bytea", "bool", "text", "text"])
        for station in stations:
            copy.write_row((poll.id, *(getattr(station, name) for name in COLUMNS)))


def _entries(poll: Poll, stations: Sequence[Station], keys: Keys, at: datetime) -> Iterator[Entry]:
    body = poll.to_json() | {
        "stations": len(stations),
        "keys": {name: b64encode(key).decode() for name, key in keys.public.items()},
    }
    stamp = at.isoformat()
    yield from sign_whole(Entry(poll.id, "poll", "poll", stamp, COMMISSION, body), keys.commission)
    for number, chunk in enumerate(_chunks(stations)):
        entry = Entry(poll.id, "stations", f"stations/{number}", stamp, COMMISSION, {"stations": chunk})
        yield sign_entry(entry, keys.commission)


def _chunks(stations: Sequence[Station]) -> Iterator[list[dict[str, Any]]]:
    """As many stations as an entry holds: fewer than usual where their addresses are long."""
    chunk: list[dict[str, Any]] = []
    size = 0
    for body in (station.to_json() for station in stations):
        length = len(written(body)) + 1
        if chunk and (len(chunk) == STATIONS_PER_ENTRY or size + length > STATION_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(body)
        size += length
    if chunk:
        yield chunk


def _check(poll: Poll, stations: Sequence[Station]) -> None:
    codes = {area.code for area in poll.areas}
    if not stations:
        raise DauysError(f"{poll.id} has no stations: name a list of stations in its poll.yaml")
    for contest in poll.contests:
        if len(written(dict.fromkeys(contest.form.names, LARGEST))) > FORM_BYTES:
            raise DauysError(
                f"the form of {contest.id} has {len(contest.form.names):,} fields: its protocols do not fit into the record. "
                "Give the fields shorter names, or split the contest"
            )
    seen: set[str] = set()
    for station in stations:
        if station.area not in codes:
            raise DauysError(f"station {station.id} is in {station.area}, which is no area of {poll.id} on {poll.day}")
        if station.id in seen:
            raise DauysError(f"station {station.id} is in the list twice")
        seen.add(station.id)


load_poll = poll_of
"""The poll as its record defines it. Raises DauysError if there is no such poll here."""


def load_stations(connection: Connection, poll_id: str) -> list[Station]:
    """All stations of a poll, by id."""
    rows = connection.execute(
        sa.text(f"SELECT {', '.join(COLUMNS)} FROM station WHERE poll = :poll ORDER BY id"),  # noqa: S608 - names of ours
        {"poll": poll_id},
    ).all()
    return [
        Station(row.id, row.area, row.eligible, None if row.key is None else bytes(row.key), row.abroad, row.address,
                row.settlement)
        for row in rows
    ]  # fmt: skip
