"""How a poll begins: its law, its areas and every one of its stations enter the record before anything is counted."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.polls.keys import Keys, origin
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION, Poll, Station
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
    yield sign_entry(Entry(poll.id, "poll", "poll", stamp, COMMISSION, body), keys.commission)
    for number, first in enumerate(range(0, len(stations), STATIONS_PER_ENTRY)):
        chunk = [station.to_json() for station in stations[first : first + STATIONS_PER_ENTRY]]
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


def load_poll(connection: Connection, poll_id: str) -> Poll:
    """The poll as its record defines it. Raises DauysError if there is no such poll here."""
    if log.size(connection, poll_id) == 0:
        known = ", ".join(log.polls(connection)) or "none yet"
        raise DauysError(f"there is no poll {poll_id!r} here; polls that were opened: {known}")
    return Poll.from_json(log.entry_at(connection, poll_id, 0).body)


def load_stations(connection: Connection, poll_id: str) -> list[Station]:
    """All stations of a poll, by id."""
    rows = connection.execute(
        sa.text("SELECT id, area, eligible, key, abroad FROM station WHERE poll = :poll ORDER BY id"), {"poll": poll_id}
    )
    return [
        Station(row.id, row.area, row.eligible, None if row.key is None else bytes(row.key), row.abroad) for row in rows
    ]
