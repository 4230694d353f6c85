"""What do the machines of made-up stations send? Signed batches like any station's, made in bulk.

A check-in is written from a template, byte by byte what `log.events.Event` writes; the first batch of each machine is read
back by `Batch.from_bytes`, which would refuse anything else.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.pollbook.log.events import ONCE, Batch, Event, Head, LogId, message, sign_batch

_EVENTS = b'{"events":['


@dataclass(slots=True)
class Machine:
    """One station's machine: its key, and how far its log goes."""

    log: LogId
    begin: datetime
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    head: Head = field(init=False)

    def __post_init__(self) -> None:
        self.head = Head.before(self.log)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def at(self, n: int) -> str:
        """Event n happens at this time: one every seven seconds."""
        return (self.begin + timedelta(seconds=7 * n)).isoformat()

    def events(self, *said: tuple[str, dict[str, object]]) -> bytes:
        """A batch of these events: kind and body."""
        first, made = self.head.n + 1, []
        for kind, body in said:
            made.append(Event(self.head.n + 1, self.at(self.head.n), kind, body, self.head.hash))
            self.head = made[-1].head
        return sign_batch(self.log, first, made, self.head.hash, self.key).to_bytes()

    def check_ins(self, rights: Sequence[bytes]) -> bytes:
        """A batch of check-ins of these rights, 16 bytes each."""
        first, prev, events = self.head.n + 1, self.head.hash, []
        for n, right in enumerate(rights, first):
            who = right.hex()
            event = (
                f'{{"at":"{self.at(n)}","body":{{"channel":"polling-day","entitlement":"{who[:8]}-{who[8:12]}-{who[12:16]}-'
                f'{who[16:20]}-{who[20:]}","officer":"m1","salt":"{n:020x}"}},"kind":"check-in","n":{n},"prev":"{prev}"}}'
            ).encode()
            prev = sha256(event).hexdigest()
            events.append(event)
        self.head = Head(first + len(rights) - 1, prev)
        once = secrets.token_hex(ONCE)
        sig = self.key.sign(message(self.log, first, len(rights), prev, once))
        around = Batch(self.log, first, (), prev, once, sig).to_bytes()
        made = _EVENTS + b",".join(events) + around[len(_EVENTS) :]
        if first == 1:
            Batch.from_bytes(made)
        return made
