"""What happened at a station's pollbook, in which order, and who says so? An append-only log, chained and signed.

Event n is the canonical JSON (dauys.record.canonical) of

    {"n", "at", "kind", "body", "prev"}     prev: SHA-256 (hex) of the bytes of event n-1

`n` counts from 1; `prev` of event 1 is `LogId.start`. A station sends its log in batches, signed by its Ed25519 key.
Nothing in a log is a name: voters stand in it by their entitlement, officers by their id at the station.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol, cast
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dauys.errors import BadInput, DauysError, Numbered
from dauys.record.canonical import parse, read, written

MAX_BATCH_EVENTS = 10_000
MAX_BATCH_BYTES = 8 << 20
MAX_EVENT_BYTES = 4096
LARGEST_COUNT = 1_000_000
PAPER = 500
"""The generation of a lost machine plus this is the log that its officers' paper is typed into: from 501 on."""
SALT_BYTES = 10
ONCE = 8
"""Random bytes in whatever is sent to the centre: no two requests are the same, and what answers one answers no other."""
BALLOTS = ("delivered", "handed-to-member", "returned", "spoilt", "cancelled")
AFTER_CLOSE = ("ballots", "envelope-of")
"""Events that may follow `close`: they touch no right."""
CHANNEL_LOGS = ("remote",)
"""Channels that keep a log of their own, as a station does. No station may have such a name."""


def is_channel(holder: str) -> bool:
    return holder.partition("/")[0] in CHANNEL_LOGS


class LogError(Numbered):
    """An event, a batch or a chain that cannot be taken."""


@dataclass(frozen=True, slots=True)
class LogId:
    """Whose log it is. A station that lost its disk is enrolled again under the next generation: another log."""

    poll: str
    station: str
    generation: int

    def __post_init__(self) -> None:
        for name, text in (("poll", self.poll), ("station", self.station)):
            if not isinstance(text, str) or not text or not text.isprintable() or len(text) > 200:
                raise LogError(f"the {name} of a log is a printable text of at most 200 characters", "P.001")
        if type(self.generation) is not int or not 1 <= self.generation <= 1000:
            raise LogError("the generation of a log is a number from 1 to 1000", "P.001")

    @property
    def holder(self) -> str:
        """The name under which it holds entitlements: `station/<id>/<generation>`, or `remote/<generation>`."""
        kind = "" if self.station in CHANNEL_LOGS else "station/"
        return f"{kind}{self.station}/{self.generation}"

    @property
    def paper(self) -> LogId:
        """The log that what the officers of this machine signed on paper is typed into, should it be lost."""
        return LogId(self.poll, self.station, PAPER + self.generation)

    @property
    def paper_of(self) -> LogId | None:
        """Of which machine this is the paper; None for a machine's own log."""
        if self.generation <= PAPER or self.station in CHANNEL_LOGS:
            return None
        return LogId(self.poll, self.station, self.generation - PAPER)

    @property
    def start(self) -> str:
        """`prev` of event 1: SHA-256 over a tag, poll, station and generation, each ended by a zero byte."""
        parts = ("dauys pollbook log", self.poll, self.station, str(self.generation))
        return sha256(b"".join(part.encode() + b"\0" for part in parts)).hexdigest()

    def __str__(self) -> str:
        return f"{self.poll} {self.holder}"


@dataclass(frozen=True, slots=True)
class Head:
    """How long a log is, and the hash of its last event."""

    n: int
    hash: str

    @classmethod
    def before(cls, log: LogId) -> Head:
        """The head of a log without events."""
        return cls(0, log.start)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `at` is ISO 8601 with an offset, by the station's own clock; the members of `body` depend on `kind`.

    Raises LogError P.001 for anything that is not one of `KINDS` with exactly its members.
    """

    n: int
    at: str
    kind: str
    body: Mapping[str, Any]
    prev: str
    _who: UUID | None = field(default=None, init=False, repr=False, compare=False)
    _bytes: bytes | None = field(default=None, init=False, repr=False, compare=False)
    _head: Head | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if type(self.n) is not int or self.n < 1:
            raise LogError(f"an event is numbered from 1 on, found {str(self.n)[:20]}", "P.001")
        if not isinstance(self.prev, str) or not _HASH.fullmatch(self.prev):
            raise LogError(f"`prev` of event {self.n} is no SHA-256 in hex", "P.001")
        try:
            fine = datetime.fromisoformat(self.at).tzinfo is not None
        except (ValueError, TypeError):
            fine = False
        if not fine:
            raise LogError(f"event {self.n} is dated {str(self.at)[:40]!r}; expected ISO 8601 with an offset", "P.001")
        if self.kind not in KINDS or not isinstance(self.body, Mapping):
            raise LogError(f"event {self.n} is of no known kind: {str(self.kind)[:40]!r}", "P.001")
        required, optional = KINDS[self.kind]
        if not required.keys() <= self.body.keys() <= required.keys() | optional.keys():
            found = ", ".join(sorted(map(str, self.body)))[:100]
            raise LogError(f"`{self.kind}` has the members {', '.join(required)}; event {self.n} has {found}", "P.001")
        for name, value in self.body.items():
            if not (required.get(name) or optional[name])(value):
                raise LogError(f"event {self.n}, {self.kind}: {name} cannot be {str(value)[:40]!r}", "P.001")

    @property
    def entitlement(self) -> UUID | None:
        """The entitlement that the event is about; None where it names none."""
        if self._who is None and (found := self.body.get("entitlement")) is not None:
            object.__setattr__(self, "_who", UUID(found))
        return self._who

    def to_bytes(self) -> bytes:
        """The canonical JSON: what is stored, hashed and sent. It is made once and kept."""
        if self._bytes is None:
            made = written({"n": self.n, "at": self.at, "kind": self.kind, "body": self.body, "prev": self.prev})
            object.__setattr__(self, "_bytes", made)  # a frozen event says the same for ever
        assert self._bytes is not None
        return self._bytes

    @property
    def head(self) -> Head:
        """The head of the log that ends with this event. It is made once and kept."""
        if self._head is None:
            object.__setattr__(self, "_head", Head(self.n, sha256(self.to_bytes()).hexdigest()))
        assert self._head is not None
        return self._head

    @classmethod
    def from_bytes(cls, data: bytes) -> Event:
        """The event that canonical bytes stand for; raises LogError P.001."""
        if len(data) > MAX_EVENT_BYTES:
            raise LogError(f"an event of {len(data):,} bytes; at most {MAX_EVENT_BYTES:,} are allowed", "P.001")
        return cls.of(parsed(data, "an event"))

    @classmethod
    def of(cls, value: object) -> Event:
        """The event that parsed JSON stands for; raises LogError P.001."""
        if not isinstance(value, dict) or value.keys() != {"n", "at", "kind", "body", "prev"}:
            raise LogError("an event has the members at, body, kind, n, prev", "P.001")
        event = cls(**cast(dict[str, Any], value))
        if len(event.to_bytes()) > MAX_EVENT_BYTES:
            raise LogError(f"event {event.n} has more than {MAX_EVENT_BYTES:,} bytes", "P.001")
        return event


_HASH = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SALT = re.compile(r"[0-9a-f]{20}")


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 300 and value.isprintable() and value.strip() == value


def _texts(value: object) -> bool:
    return isinstance(value, list | tuple) and 0 < len(value) <= 9 and all(map(_text, value))


def _matching(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _whole(least: int, most: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _base64(length: int) -> Callable[[object], bool]:
    return lambda value: _unbase64(value, length) is not None


_number, _waiting, _epoch = _whole(1, (1 << 31) - 1), _whole(0, LARGEST_COUNT), _whole(0, (1 << 15) - 1)
_signature, _key = _base64(64), _base64(32)
_uuid, _salt = _matching(_UUID), _matching(_SALT)
is_once = _matching(re.compile(rf"[0-9a-f]{{{2 * ONCE}}}"))


def _grant(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and value.keys() == {"why", "request", "sig"}
        and _text(value["why"])
        and _text(value["request"])
        and _signature(value["sig"])
    )


Members = Mapping[str, Callable[[object], bool]]
_HAND_OUT: Members = {"entitlement": _uuid, "channel": _text, "officer": _text, "salt": _salt}

KINDS: Mapping[str, tuple[Members, Members]] = {
    "open": ({"officer": _text}, {}),
    "check-in": (_HAND_OUT, {"sig": _signature, "members": _texts, "typed": _texts}),
    "undo": ({"of": _number, "reason": _text, "officer": _text}, {"request": _text}),
    "reported": ({**_HAND_OUT, "typed": _texts}, {}),
    "reported-undo": ({"entitlement": _uuid, "reason": _text, "officer": _text}, {}),
    "struck-out": ({"of": _number, "officer": _text}, {}),
    "release": ({"entitlement": _uuid, "epoch": _epoch, "request": _text}, {"to": _text}),
    "receive": ({"entitlement": _uuid, "epoch": _epoch, "grant": _grant}, {}),
    "certificate": ({"entitlement": _uuid, "epoch": _epoch, "number": _text, "officer": _text}, {}),
    "certificate-back": ({"entitlement": _uuid, "epoch": _epoch, "reason": _text, "officer": _text}, {}),
    "mobile-request": ({"entitlement": _uuid, "officer": _text}, {"members": _texts}),
    "mobile-out": ({"entitlement": _uuid, "officer": _text, "members": _texts}, {}),
    "mobile-back": ({"entitlement": _uuid, "officer": _text}, {}),
    "ballots": (
        {"what": BALLOTS.__contains__, "count": _whole(1, LARGEST_COUNT), "officer": _text},
        {"member": _text, "undoes": _number, "reason": _text},
    ),
    "envelope": ({"id": _uuid, "reason": _text, "officer": _text}, {"entitlement": _uuid, "sig": _signature}),
    "envelope-of": ({"of": _number, "entitlement": _uuid}, {}),
    "envelope-undo": ({"of": _number, "reason": _text, "officer": _text}, {}),
    "officer-key": ({"officer": _text, "key": _key}, {"sig": _signature}),
    "queue": ({"count": _waiting, "officer": _text}, {}),
    "close": ({"officer": _text}, {}),
}
"""Required and optional members of each kind's body. `officer` did it; `member` (ballots) got or gave the ballots; `undoes`: that
entry of the same ballots is taken back; `request` (undo): of a station at which an electronic voter votes on paper; `struck-out`:
the voting system has taken that electronic ballot out (`of`: the undo); `mobile-out`, `mobile-back`: the mobile box carries the
right, and does so no more; `certificate-back`: the certificate of that epoch was noted by mistake; `envelope-of`: whose envelope
`of` is; `typed`: who typed it in, in a paper log alone; `reported`: such a line that the machine sent, and no use."""


def follow(head: Head, events: Iterable[Event]) -> Head:
    """The head after these events; raises LogError where they do not continue the chain."""
    for event in events:
        if event.n != head.n + 1:
            raise LogError(f"the log has {head.n} events; the next one is no event {event.n}", "P.006")
        if event.prev != head.hash:
            raise LogError(f"event {event.n} does not continue the chain; the log is damaged or another's", "P.005")
        head = event.head
    return head


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of a log from `first` on. `head` is the log's head after them, `once` makes it unlike any before.

    Without events it is a sign of life: `first` is the number of the next event. `sig` is Ed25519 over `signed_bytes`.
    """

    log: LogId
    first: int
    events: tuple[Event, ...]
    head: str
    once: str
    sig: bytes

    def signed_bytes(self) -> bytes:
        """What the station signs: see `message`."""
        return message(self.log, self.first, len(self.events), self.head, self.once)

    def to_bytes(self) -> bytes:
        """Canonical JSON: `{"poll","station","generation","first","events":[...],"head","once","sig"}`."""
        log = self.log
        rest = {
            "first": self.first, "generation": log.generation, "head": self.head, "once": self.once, "poll": log.poll,
            "sig": base64.b64encode(self.sig).decode(), "station": log.station,
        }  # fmt: skip
        return b'{"events":[' + b",".join(event.to_bytes() for event in self.events) + b"]," + written(rest)[1:]

    @classmethod
    def from_bytes(cls, data: bytes) -> Batch:
        """Reads a batch and checks that it is one chain; the signature is checked by `verify_batch`.

        Raises LogError P.001 or P.005.
        """
        if len(data) > MAX_BATCH_BYTES:
            raise LogError(f"a batch of {len(data):,} bytes; send at most {MAX_BATCH_BYTES:,} at once", "P.001")
        value = parsed(data, "a batch", read)  # whether it is canonical shows when it is written again
        match value:
            case {
                "poll": str(poll), "station": str(station), "generation": int(generation), "first": int(first),
                "events": list(items), "head": str(head), "once": str(once), "sig": str(text), **rest,
            } if not rest and type(first) is int and first >= 1 and _HASH.fullmatch(head) and is_once(once):  # fmt: skip
                sig = _unbase64(text, 64)
                if sig is not None and len(items) <= MAX_BATCH_EVENTS:
                    events = tuple(map(Event.of, items))
                    batch = cls(LogId(poll, station, generation), first, events, head, once, sig)
                    batch.check_chain()
                    if batch.to_bytes() != data:
                        raise LogError("a batch is canonical JSON (RFC 8785); this one is another text", "P.001")
                    return batch
        members = f"poll, station, generation, first, at most {MAX_BATCH_EVENTS:,} events, head, once, sig"
        raise LogError(f"not a batch of a pollbook's log: {members}", "P.001")

    def check_chain(self) -> None:
        """Raises LogError where the events are not one chain from `first` to `head`."""
        if not self.events:
            return
        if follow(Head(self.first - 1, self.events[0].prev), self.events).hash != self.head:
            raise LogError("the events of the batch do not end in its head", "P.005")


def message(log: LogId, first: int, count: int, head: str, once: str) -> bytes:
    """What a station signs of a batch: tag, poll, station, generation, first n, count, head hash, once, a line each.

    The head hash covers the events, and through the chain all that came before.
    """
    lines = (log.poll, log.station, log.generation, first, count, head, once)
    return b"dauys pollbook sync v2\n" + "".join(f"{line}\n" for line in lines).encode()


def sign_batch(log: LogId, first: int, events: Iterable[Event], head: str, key: Ed25519PrivateKey) -> Batch:
    """The events from `first` on, signed by the station; `head` is the hash of the last of them (or of the log)."""
    unsigned = Batch(log, first, tuple(events), head, secrets.token_hex(ONCE), b"")
    return replace(unsigned, sig=key.sign(unsigned.signed_bytes()))


class Signed(Protocol):
    """A batch, however it is held."""

    @property
    def log(self) -> LogId: ...

    @property
    def sig(self) -> bytes: ...

    def signed_bytes(self) -> bytes: ...


def verify_batch(batch: Signed, public: bytes) -> None:
    """Raises LogError P.004 where the batch is not signed by this 32-byte key."""
    if not signed_by(batch.signed_bytes(), batch.sig, public):
        station = batch.log.station
        raise LogError(f"the batch is not signed by the key with which station {station} was enrolled", "P.004")


def signed_by(message: bytes, sig: bytes, public: bytes) -> bool:
    """Whether `sig` is the Ed25519 signature of `message` by the 32-byte key `public`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(sig, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def parsed(data: bytes, what: str, how: Callable[[bytes], object] = parse) -> object:
    """The JSON of canonical bytes; raises LogError P.001."""
    try:
        return how(data)
    except DauysError as error:
        raise LogError(f"{what} is canonical JSON (RFC 8785): {error}", "P.001") from None


def _unbase64(text: object, length: int | None) -> bytes | None:
    """The bytes of canonical base64 of that length (None: of any); None for anything else."""
    try:
        found = base64.b64decode(str(text).encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if length in (None, len(found)) and base64.b64encode(found).decode() == text else None


def read_base64(text: object, length: int | None, what: str, check: str) -> bytes:
    """Bytes written in base64; raises BadInput with the check's number."""
    found = _unbase64(text, length)
    if found is None:
        raise BadInput(f"{what} is not readable", found=str(text)[:20], expected="base64", check=check)
    return found
