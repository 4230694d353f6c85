"""Which reply to a question, and which refusal, does a station believe? One that the centre signed, to that very request.

    {"poll", "station", "generation", "of", "said", "sig"}      canonical JSON, Ed25519 by the centre's key of the poll
    {"poll", "station", "generation", "of", "error": {"message", "check"}, "sig"}     a refusal

`of` is the SHA-256 (hex) of the request as it was sent. A question, a batch and an enrolment have a `once` of their own in those
bytes, so that a reply is worth nothing to any other request, machine or log (pollbook.log.words). An enrolment and a batch are
refused in the same form: what stops a machine for good is the centre's own word, and of now. Answers to batches have a form of
their own (pollbook.rules.grants).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.pollbook.log import words
from dauys.pollbook.log.events import LogError, LogId

SAID, ERROR = "said", "error"
_REPLY = b"dauys pollbook reply v1\n"


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
        return cls(log, words.digest(request), SAID, said)

    @classmethod
    def refusing(cls, log: LogId, request: bytes, message: str, check: str) -> Reply:
        """The refusal of the bytes that were sent."""
        return cls(log, words.digest(request), ERROR, {"message": message, "check": check})

    def _members(self) -> dict[str, Any]:
        log = self.log
        names = {"poll": log.poll, "station": log.station, "generation": log.generation}
        return {**names, "of": self.of, self.kind: dict(self.body)}

    def to_bytes(self, key: Ed25519PrivateKey) -> bytes:
        """The reply with the centre's signature."""
        return words.said(self._members(), _REPLY, key)

    @classmethod
    def from_bytes(cls, data: bytes, log: LogId, request: bytes, centre: bytes) -> Reply:
        """The reply to what this log's machine sent, by the centre with the public key `centre`; raises LogError P.008."""
        try:
            reply = cls._of(words.heard(data, _REPLY, "a reply", centre))
        except DauysError:
            raise LogError("what answers is no reply that the centre signed", "P.008") from None
        if reply.log != log:
            raise LogError("the centre's reply is to another station", "P.008")
        words.must_answer(reply.of, request)
        return reply

    @classmethod
    def _of(cls, value: object) -> Reply:
        match value:
            case {
                "poll": str(poll), "station": str(station), "generation": int(generation), "of": str(of), **rest,
            } if len(rest) == 1:  # fmt: skip
                ((kind, body),) = rest.items()
                if kind in (SAID, ERROR) and isinstance(body, dict):
                    return cls(LogId(poll, station, generation), of, kind, body)
        raise LogError("a reply has the members poll, station, generation, of, said or error, sig", "P.008")
