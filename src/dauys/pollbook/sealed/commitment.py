"""How does a voter see later that his check-in is counted, when the record names nobody? Salted commitments and codes.

The commitment is SHA-256(b"dauys check-in v1\\0" + poll + b"\\0" + station + b"\\0" + salt + entitlement), salt of 10 and
entitlement of 16 bytes. The record holds commitments only, many at a time and sorted. The voter's code spells salt and
entitlement: whoever has it finds the commitment in the record without asking anybody. The code tells neither his name
nor how he voted; without it, a commitment tells nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from dauys.pollbook.log.events import SALT_BYTES
from dauys.pollbook.log.spelling import spell, unspell, without_sign
from dauys.record.entry import Entry

ENTRY_KIND = "check-ins"


def commitment(poll: str, station: str, salt: bytes, entitlement: UUID) -> str:
    """The commitment of one check-in, in hex."""
    place = poll.encode() + b"\0" + station.encode() + b"\0"
    return sha256(b"dauys check-in v1\0" + place + salt + entitlement.bytes).hexdigest()


def code_of(salt: bytes, entitlement: UUID) -> str:
    """The voter's code: 42 characters of Base32 and one check character, in groups of five."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return spell(salt + entitlement.bytes)


def new_salt(entitlement: UUID) -> bytes:
    """A random salt for this right, drawn so that the voter's code ends in no sign."""
    return without_sign(lambda: secrets.token_bytes(SALT_BYTES) + entitlement.bytes)[:SALT_BYTES]


def read_code(text: str) -> tuple[bytes, UUID]:
    """Salt and entitlement of a code as typed or scanned; raises BadInput P.038 for a mistyped one."""
    data = unspell(text, SALT_BYTES + 16, "the voter's code")
    return data[:SALT_BYTES], UUID(bytes=data[SALT_BYTES:])


@dataclass(frozen=True, slots=True)
class Found:
    """Where a check-in stands in the record. `undone`: a later entry takes it back."""

    station: str
    entry: str
    undone: str = ""


def find_code(text: str, poll: str, entries: Iterable[Entry]) -> Found | None:
    """The check-in of a code among the entries of a record, read in order; None where it is not there (yet)."""
    salt, entitlement = read_code(text)
    wanted: dict[str, str] = {}
    found: Found | None = None
    for entry in entries:
        if entry.kind != ENTRY_KIND or entry.poll != poll:
            continue
        station = str(entry.body["station"])
        mine = wanted.setdefault(station, commitment(poll, station, salt, entitlement))
        if mine in entry.body["commitments"]:
            found = Found(station, entry.id)
        if found is not None and mine in entry.body["undone"]:
            found = Found(found.station, found.entry, entry.id)
    return found
