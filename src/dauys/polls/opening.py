"""How a poll begins: its law, its areas and every one of its stations enter the record before anything is counted."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.polls.keys import Keys, origin
from dauys.record import log
from dauys.record.entry import MAX_ENTRY_BYTES, Entry, EntryError, sign_entry
from dauys.registers.poll import COMMISSION, Poll, Station
from dauys.stations.overview import poll_of
from dauys.store.engine import Connection, driver

STATIONS_PER_ENTRY = 200
"""An entry has at most 65,535 bytes; a station with a key and a long name takes about 200."""


def open_poll(connection: Connection, poll: Poll, stations: Sequence[Station], keys: Keys, at: datetime) -> None:
    """Writes the poll and its stations to the record and the registers, once; the same call again changes nothing.

    Raises DauysError if the record of that poll says something else: a poll is not redefined after it was opened.
    """
    _check(poll, stations)
    log.open_log(connection, poll.id, origin(poll.id))
    placed = log.append(connection, poll.id, list(_entries(poll, stations, keys, at)))
    if not placed[0].new:
        return
    with (
        driver(connection).cursor() as cursor,
        cursor.copy("COPY station (poll, id, area, eligible, key, abroad) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["text", "text", "text", "int4", "bytea", "bool"])
        for station in stations:
            copy.write_row((poll.id, station.id, station.area, station.eligible, station.key, station.abroad))


def _entries(poll: Poll, stations: Sequence[Station], keys: Keys, at: datetime) -> Iterator[Entry]:
    body = poll.to_json() | {
        "stations": len(stations),
        "keys": {name: b64encode(key).decode() for name, key in keys.public.items()},
    }
    stamp = at.isoformat()
    first = sign_entry(Entry(poll.id, "poll", "poll", stamp, COMMISSION, body), keys.commission)
    try:
        first.to_bytes()
    except EntryError as error:
        raise DauysError(
            f"{poll.id} does not fit into the one entry that defines it ({len(poll.areas):,} areas, "
            f"{len(poll.contests):,} contests, at most {MAX_ENTRY_BYTES:,} bytes): shorten the names of its areas, or count "
            "by larger ones"
        ) from error
    yield first
    for number, start in enumerate(range(0, len(stations), STATIONS_PER_ENTRY)):
        chunk = [station.to_json() for station in stations[start : start + STATIONS_PER_ENTRY]]
        entry = Entry(poll.id, "stations", f"stations/{number}", stamp, COMMISSION, {"stations": chunk})
        yield sign_entry(entry, keys.commission)


def _check(poll: Poll, stations: Sequence[Station]) -> None:
    codes = {area.code for area in poll.areas}
    if not stations:
        raise DauysError(f"{poll.id} has no stations: name a list of stations in its poll.yaml")
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
        sa.text("SELECT id, area, eligible, key, abroad FROM station WHERE poll = :poll ORDER BY id"), {"poll": poll_id}
    ).all()
    return [
        Station(row.id, row.area, row.eligible, None if row.key is None else bytes(row.key), row.abroad) for row in rows
    ]
