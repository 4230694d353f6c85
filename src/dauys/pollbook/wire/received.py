"""What did a station send? A batch; and the plain one, check-ins only, without a value for each of its events.

Nearly every event of a day is a check-in, and thousands come in a second. Their bytes leave little choice: `_CHECK_IN` is the
canonical JSON of the usual one. What matches it throughout, in one chain, is an accepted batch: `Batch.from_bytes` would take
it, too (a test holds the two against each other). Everything else is left to `Batch.from_bytes`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from struct import Struct

from dauys.errors import DauysError
from dauys.pollbook.log.events import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, Batch, LogId, is_once, message, read_base64
from dauys.record.canonical import parse

_TEXT = rb"[!#-\[\]-~](?:[ !#-\[\]-~]{0,298}[!#-\[\]-~])?"
"""Text of ASCII that `log` takes as a member and that canonical JSON writes as it is."""

_CHECK_IN = re.compile(
    rb'(\{"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?[+-]\d\d:\d\d)","body":\{"channel":"' + _TEXT + rb'",'
    rb'"entitlement":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})","officer":"' + _TEXT + rb'",'
    rb'"salt":"[0-9a-f]{20}"(?:,"sig":"[A-Za-z0-9+/]{85}[AQgw]==")?\},'
    rb'"kind":"check-in","n":([1-9][0-9]{0,8}),"prev":"([0-9a-f]{64})"\})'
)
_OPENING = b'{"events":['
_REST = b'],"first":'
_MEMBERS = {"first", "generation", "head", "once", "poll", "sig", "station"}

_ROW = Struct("!hiiiii8si16siqi")
"""A row of pollbook_event as PostgreSQL's binary COPY has it, up to the bytes of the body: a count of fields, then length and
value of log, n, kind, entitlement, at; the length of the body."""

_TIME_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
"""From where PostgreSQL's binary timestamptz counts microseconds."""


@dataclass(frozen=True, slots=True)
class CheckIns:
    """A batch of check-ins, each of another right, in one chain. Every list has one element for each event."""

    log: LogId
    first: int
    prev: str  # of the first event
    head: str
    once: str
    sig: bytes
    rights: Sequence[bytes]  # 16 bytes each
    named: str  # the same as a list of UUIDs, separated by commas
    moments: Sequence[int]
    events: Sequence[bytes]
    data: bytes

    @property
    def last(self) -> int:
        return self.first + len(self.events) - 1

    def signed_bytes(self) -> bytes:
        """What the station signed, as `Batch.signed_bytes`."""
        return message(self.log, self.first, len(self.events), self.head, self.once)

    def to_bytes(self) -> bytes:
        """As it was sent."""
        return self.data

    def batch(self) -> Batch:
        """The same with its events as values."""
        return Batch.from_bytes(self.data)

    def rows(self, log: int) -> bytes:
        """Rows of pollbook_event, in PostgreSQL's binary form, of the log with this number there."""
        pack = _ROW.pack
        parts = []
        for n, (right, moment, event) in enumerate(
            zip(self.rights, self.moments, self.events, strict=True), self.first
        ):
            parts.append(pack(6, 4, log, 4, n, 8, b"check-in", 16, right, 8, moment, len(event)))
            parts.append(event)
        return b"".join(parts)


Sent = Batch | CheckIns
"""What a station sends to the centre."""


def received(data: bytes) -> Sent:
    """What a station sent. Its signature is not checked. Raises LogError P.001, P.005."""
    return _check_ins(data) or Batch.from_bytes(data)


def _check_ins(data: bytes) -> CheckIns | None:
    """The batch where it is a plain one; None where `Batch.from_bytes` has to look, and to say what is wrong."""
    cut = data.rfind(_REST)
    if len(data) > MAX_BATCH_BYTES or cut < len(_OPENING) or not data.startswith(_OPENING):
        return None
    found = _CHECK_IN.findall(data, len(_OPENING), cut)
    if not 0 < len(found) <= MAX_BATCH_EVENTS:
        return None
    events, dates, named, numbers, prevs = zip(*found, strict=True)
    if len(_OPENING) + sum(map(len, events)) + len(events) - 1 != cut or b",".join(events) != data[len(_OPENING) : cut]:
        return None  # something else stands between them
    try:
        rest = parse(b"{" + data[cut + 2 :])
        if not isinstance(rest, dict) or rest.keys() != _MEMBERS:
            return None
        first, head, once, poll, station, generation = (
            rest[name] for name in ("first", "head", "once", "poll", "station", "generation")
        )
        if not (isinstance(head, str) and isinstance(poll, str) and isinstance(station, str)):
            return None
        if not (isinstance(once, str) and is_once(once)):
            return None
        if type(first) is not int or type(generation) is not int:
            return None
        sig = read_base64(rest["sig"], 64, "sig", "P.001")
        moments = [_microseconds(datetime.fromisoformat(date.decode())) for date in dates]
        log = LogId(poll, station, generation)
    except (DauysError, ValueError):
        return None
    hashes = [sha256(event).digest() for event in events]
    if b"".join(hashes).hex().encode() != b"".join(prevs[1:]) + head.encode():
        return None
    if [int(number) for number in numbers] != list(range(first, first + len(events))):
        return None
    listed = b",".join(named).decode()
    packed = bytes.fromhex(listed.replace("-", "").replace(",", ""))
    rights = [packed[start : start + 16] for start in range(0, len(packed), 16)]
    if len(set(rights)) < len(rights):
        return None
    return CheckIns(log, first, prevs[0].decode(), head, once, sig, rights, listed, moments, events, data)


def _microseconds(at: datetime) -> int:
    since = at - _TIME_ZERO
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
