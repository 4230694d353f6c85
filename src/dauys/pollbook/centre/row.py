"""What is at hand of a log while the centre applies a batch to it, and how an alarm about it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.known import HEARD, Alarm, Heard
from dauys.store.engine import Connection, driver

Cursor = psycopg.Cursor[Any]


@dataclass(slots=True)
class Row:
    """A log's row while a batch is applied to it."""

    id: int
    log: LogId
    key: bytes
    n: int
    head: str
    closed: bool
    check_ins: int
    centre: bytes = b""
    """The centre's public key, where who calls has it: what it signed before it was put back from a copy is known by it."""
    machine: Heard = HEARD


def cursor(connection: Connection) -> Cursor:
    """A psycopg cursor in the connection's transaction."""
    return driver(connection).cursor(row_factory=namedtuple_row)


def alarm(cur: Cursor, row: Row, n: int, who: UUID | None, check: str, text: str, at: datetime) -> Alarm:
    """Keeps an alarm about event `n` of the log."""
    cur.execute(
        "INSERT INTO pollbook_alarm (poll, log, n, entitlement, number, text, at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (row.log.poll, row.id, n, who, check, text, at),
    )
    return Alarm(check, row.log, n, who, text)
