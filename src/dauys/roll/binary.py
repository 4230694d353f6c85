"""Which bytes are a row in PostgreSQL's binary COPY?

PostgreSQL, COPY, "Binary Format". Pure: a process that only packs rows needs no database.
"""

from __future__ import annotations

from datetime import date
from struct import Struct

OPENING = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What begins a binary COPY (PostgreSQL, COPY, "Binary Format"): signature, flags, no extension."""

CLOSING = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
length = Struct("!i").pack
"""What begins a field: how many bytes it has."""

_DAY_ZERO = date(2000, 1, 1).toordinal()


def fields(count: int) -> bytes:
    """What begins a row of so many fields."""
    return count.to_bytes(2, "big")


def cell(data: bytes) -> bytes:
    """A field: its length and its bytes (text in UTF-8, uuid and bytea as they are)."""
    return length(len(data)) + data


def whole(number: int, size: int = 8) -> bytes:
    """A field of a whole number: size 2, 4 or 8."""
    return cell(number.to_bytes(size, "big", signed=True))


def day(value: date | None) -> bytes:
    """A field of a date, or of none."""
    return NULL if value is None else whole(value.toordinal() - _DAY_ZERO, 4)
