"""What may a station ask the centre besides handing in its log? Signed questions about one voter, and their answers.

    {"poll", "station", "generation", "at", "once", "what", "body", "sig"}    canonical JSON, Ed25519 by the station's key

`once` is random: the centre answers a question once (P.007), so that one that was caught on its way tells nobody anything later.
No clock has to be right for that; `at` is written down by the station, and decides nothing.

The answer is a Reply, which the centre signs (wire.replies). `find` {"iin"}, from the electronic channel {"iin", "born"}:
where this voter's right is, and who he is where he may vote here; of whom the channel does not say the day of birth nothing is
said. A station adds {"n", "epoch"}: how far its log goes, and in which epoch it has that right elsewhere, if at all. Who was
added to the roll since his station's list was made is given to it (the grant comes with a later sync, as after
`ask`). `ask` {"request", "entitlement"}: let it come here. `call-off` {"entitlement"}: nobody waits for it here any more.
`envelope` {"id", "iin"}: whose is a provisional envelope that was taken here while the centre could not be asked? A machine that
was declared lost may ask this, too. `wait` {}: is there word (serving.waiting)? `whole` {"mark", "n", "head"}: the log ends
here, to a centre that was put back (pollbook.put_back.restored). A station puts nobody on the roll: the commission does.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.pollbook.log.events import ONCE, LogError, LogId, is_once, read_base64, signed_by
from dauys.record.canonical import canonical, parse

PREFIX = "/api/pollbook"
"""Where a centre hears its stations: the two ends of one wire."""
WHAT = ("find", "ask", "call-off", "envelope", "wait", "whole", "withdrawn")
LARGEST = 16_384


@dataclass(frozen=True, slots=True)
class Question:
    """One question of an enrolled station. `at` is its clock; `once` makes it another one than any before."""

    log: LogId
    at: str
    what: str
    body: Mapping[str, Any]
    sig: bytes = b""
    once: str = field(default_factory=lambda: secrets.token_hex(ONCE))

    def _members(self) -> dict[str, Any]:
        log = self.log
        names = {"poll": log.poll, "station": log.station, "generation": log.generation}
        return {**names, "at": self.at, "once": self.once, "what": self.what, "body": dict(self.body)}

    def signed_bytes(self) -> bytes:
        return b"dauys pollbook question v1\n" + canonical(self._members())

    def to_bytes(self, key: Ed25519PrivateKey) -> bytes:
        """The question with the station's signature."""
        return canonical({**self._members(), "sig": base64.b64encode(key.sign(self.signed_bytes())).decode()})

    def good(self, public: bytes) -> bool:
        """Whether the station with this key asks it."""
        return signed_by(self.signed_bytes(), self.sig, public)

    @classmethod
    def from_bytes(cls, data: bytes) -> Question:
        """Reads one; who asks it says `good`. Raises LogError P.001."""
        if len(data) > LARGEST:
            raise LogError(f"a question has at most {LARGEST:,} bytes", "P.001")
        try:
            value = parse(data)
        except DauysError as error:
            raise LogError(f"a question is canonical JSON (RFC 8785): {error}", "P.001") from None
        match value:
            case {
                "poll": str(poll), "station": str(station), "generation": int(generation), "at": str(at),
                "once": str(once), "what": str(what), "body": dict(body), "sig": str(sig), **rest,
            } if not rest and what in WHAT and is_once(once):  # fmt: skip
                try:
                    aware = datetime.fromisoformat(at).tzinfo is not None
                except ValueError:
                    aware = False
                if aware:
                    raw = read_base64(sig, 64, "the signature of a question", "P.004")
                    return cls(LogId(poll, station, generation), at, what, body, raw, once)
        raise LogError(
            f"not a question of a station: poll, station, generation, at, once, what ({', '.join(WHAT)}), body, sig",
            "P.001",
        )
