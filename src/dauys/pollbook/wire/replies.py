"""Which reply to a question, and which refusal, does a station believe? One that the centre signed, to that very request.

    {"poll", "station", "generation", "of", "said", "sig"}      canonical JSON, Ed25519 by the centre's key of the poll
    {"poll", "station", "generation", "of", "error": {"message", "check"}, "sig"}     a refusal

`of` is the SHA-256 (hex) of the request as it was sent. A question has its own `once` and its station's signature in those
bytes, so that a reply is worth nothing to any other question, machine or log. An enrolment and a batch are refused in the same
form: what stops a machine for good is the centre's own word. Answers to batches have a form of their own (pollbook.rules.grants).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.pollbook.log.events import LogError, LogId, parsed, read_base64, signed_by
from dauys.record.canonical import canonical

SAID, ERROR = "said", "error"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the centre says to one request of a log's machine: `body` under `said`, or under `error` a refusal of it."""

    log: LogId
    of: str
    kind: str
    body: Mapping[str, Any]

    @classmethod
    def to(cls, log: LogId, request: bytes, said: Mapping[str, Any]) -> Reply:
        """The reply to the bytes that were sent."""
        return cls(log, sha256(request).hexdigest(), SAID, said)

    @classmethod
    def refusing(cls, log: LogId, request: bytes, message: str, check: str) -> Reply:
        """The refusal of the bytes that were sent."""
        return cls(log, sha256(request).hexdigest(), ERROR, {"message": message, "check": check})

    def _members(self) -> dict[str, Any]:
        log = self.log
        names = {"poll": log.poll, "station": log.station, "generation": log.generation}
        return {**names, "of": self.of, self.kind: dict(self.body)}

    def signed_bytes(self) -> bytes:
        return b"dauys pollbook reply v1\n" + canonical(self._members())

    def to_bytes(self, key: Ed25519PrivateKey) -> bytes:
        """The reply with the centre's signature."""
        return canonical({**self._members(), "sig": base64.b64encode(key.sign(self.signed_bytes())).decode()})

    @classmethod
    def from_bytes(cls, data: bytes, log: LogId, request: bytes, centre: bytes) -> Reply:
        """The reply to what this log's machine sent, by the centre with the public key `centre`; raises LogError P.008."""
        try:
            reply, sig = cls._of(parsed(data, "a reply"))
        except DauysError:
            raise LogError("what answers is no reply that the centre signed", "P.008") from None
        if not signed_by(reply.signed_bytes(), sig, centre):
            raise LogError("the reply is not signed by the centre whose key came with the list", "P.008")
        if (reply.log, reply.of) != (log, sha256(request).hexdigest()):
            raise LogError("the centre's reply is to another question, or to another station", "P.008")
        return reply

    @classmethod
    def _of(cls, value: object) -> tuple[Reply, bytes]:
        match value:
            case {
                "poll": str(poll), "station": str(station), "generation": int(generation), "of": str(of),
                "sig": str(sig), **rest,
            } if len(rest) == 1:  # fmt: skip
                ((kind, body),) = rest.items()
                if kind in (SAID, ERROR) and isinstance(body, dict):
                    return cls(LogId(poll, station, generation), of, kind, body), read_base64(sig, 64, "sig", "P.008")
        raise LogError("a reply has the members poll, station, generation, of, said or error, sig", "P.008")
