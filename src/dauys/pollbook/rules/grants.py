"""Which words of the centre does a station believe? Grants of custody and answers to a sync, each signed by the centre.

A grant gives one entitlement, in one epoch, to one holder. It is worth nothing to anybody else and nothing twice: a
station takes only an epoch that it has not seen (dauys.pollbook.rules.custody). An answer acknowledges a log up to an event.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.pollbook.log import words
from dauys.pollbook.log.events import Event, Head, LogError, LogId, is_channel, read_base64, signed_by
from dauys.pollbook.rules.holders import RETURNED, UNLISTED
from dauys.record.canonical import canonical

LEFT_OVER = "found-log"
"""Why a right is given that an earlier machine of the same station had when its log ended."""

WHY = ("move", "certificate", "addition", LEFT_OVER, "channel", "ahead", "returned")
"""Why custody comes: the voter moved; showed a certificate; was added to the roll; a lost station's log was found
complete; another channel takes over or gives back; it was asked for ahead of any list of its station; it was withdrawn by mistake
and is given back."""


def why_given(holder: str, to: LogId, *, released: bool, ahead: bool = False) -> str:
    """What a grant says of why. Only to another machine of its own station a right is left over; elsewhere its voter moves.

    `ahead`: no list of its station was ever made. Nor is what was added on any while nobody but the centre holds it.
    """
    if holder == "certificate":
        return holder
    if holder == f"{RETURNED}{to.station}":
        return "returned"
    if ahead or holder.startswith(UNLISTED):  # at his own station an addition that waited for its machine
        return "addition" if holder == f"{UNLISTED}{to.station}" else "ahead"
    if is_channel(holder) != is_channel(to.holder):
        return "channel"
    left = not released and holder.rpartition("/")[0] == to.holder.rpartition("/")[0]
    return LEFT_OVER if left else "move"


BOOKS = "books"
"""To whom a request is that asks for no right: the machine is to say that the centre has all of its log (put_back.restored)."""


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks that an entitlement, in the custody that has this `epoch`, be let go to the holder `to`."""

    id: str
    entitlement: UUID
    epoch: int
    to: str

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "entitlement": str(self.entitlement), "epoch": self.epoch, "to": self.to}


def back_request(log: LogId, n: int) -> str:
    """Under which name a log asks, by its event n, for the right whose certificate it takes back."""
    return f"back/{log.holder}/{n}"


LASTS = timedelta(minutes=10)
"""How long a station's request asks for a right. Its voter stands and waits; after that he is asked for again, or gone."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Custody of an entitlement, from the centre to the holder `to`. `request` is what asked for it."""

    poll: str
    entitlement: UUID
    epoch: int
    to: str
    why: str
    request: str
    sig: bytes = b""

    def signed_bytes(self) -> bytes:
        body = {
            "poll": self.poll,
            "entitlement": str(self.entitlement),
            "epoch": self.epoch,
            "to": self.to,
            "why": self.why,
            "request": self.request,
        }
        return b"dauys pollbook grant v1\n" + canonical(body)

    def signed(self, key: Ed25519PrivateKey) -> Grant:
        return replace(self, sig=key.sign(self.signed_bytes()))

    def good(self, centre: bytes) -> bool:
        """Whether the centre with this public key gave it."""
        return self.why in WHY and signed_by(self.signed_bytes(), self.sig, centre)

    def body(self) -> dict[str, Any]:
        """The body of the `receive` event that takes it into a log."""
        sig = base64.b64encode(self.sig).decode()
        grant = {"why": self.why, "request": self.request, "sig": sig}
        return {"entitlement": str(self.entitlement), "epoch": self.epoch, "grant": grant}

    def to_json(self) -> dict[str, Any]:
        return {**self.body(), "to": self.to}

    @classmethod
    def of_event(cls, log: LogId, event: Event) -> Grant:
        """The grant that a `receive` event of this log rests on."""
        body, grant = event.body, event.body["grant"]
        sig = read_base64(grant["sig"], 64, "the signature of a grant", "P.036")
        who = UUID(body["entitlement"])
        return cls(log.poll, who, body["epoch"], log.holder, grant["why"], grant["request"], sig)


HOW = ("used", "withdrawn", "elsewhere", "over", "mobile")
"""What became of a right that was asked for: it was used; the commission withdrew it; somebody else got it; nobody asked again
for ten minutes; the mobile box carries it, and whoever asks waits until that is back."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What a station has to know of a right that it asked for and does not have. `how`: one of `HOW`, or of a later version."""

    entitlement: UUID
    how: str


_ANSWER = b"dauys pollbook answer v3\n"
"""Begins what the centre signs of an answer. Version 1 did not name the station's key, version 2 not what it answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the centre says to a batch: it holds the log up to `acknowledged`.

    `key`: the station's public key (32 bytes) by which the centre knows this log, and with which the batch was signed. One
    log's package can lie on several machines; the answer is for the one that has this key, and opens no other. `of`: the digest
    of the batch that it answers (pollbook.log.words); who does not wait for the answer to that very batch believes nothing of it.
    `send_from`: the number from which to send again, where the batch left a gap. `stopped`: why the station must stop.
    `lease`: until when it may check in without being heard again. `requests` ask for releases; `grants` give custody; `fates`
    say what became of what it asked for, for as long as there is something to say. `lost`: it was declared lost, and hands out
    nothing more.
    """

    log: LogId
    key: bytes
    of: str
    acknowledged: Head
    send_from: int | None = None
    stopped: str = ""
    lease: datetime | None = None
    requests: tuple[Request, ...] = ()
    grants: tuple[Grant, ...] = ()
    fates: tuple[Fate, ...] = ()
    lost: bool = False
    said: bytes = field(default=b"", compare=False, repr=False)
    """The bytes that the centre signed, where it was read from them: what a machine shows to a centre that has forgotten."""

    def to_bytes(self, key: Ed25519PrivateKey) -> bytes:
        """Canonical JSON with the centre's signature."""
        return words.said(self._body(), _ANSWER, key)

    @classmethod
    def from_bytes(cls, data: bytes, log: LogId, station: bytes, request: bytes, centre: bytes) -> Answer:
        """The answer to what this log's machine, which has the public key `station`, has just sent: `request`, by the centre with
        the public key `centre`.

        Raises LogError P.001, P.002 (another log's), P.008 (another batch's), P.009 (another machine's), P.014 (not its own).
        """
        answer = cls.of_centre(data, centre)
        if answer.log != log:
            raise LogError(f"the answer is for {answer.log}, not for {log}", "P.002")
        if answer.key != station:
            raise LogError(
                "the answer is for another machine with a package of this log: it opens nothing here", "P.009"
            )
        words.must_answer(answer.of, request)
        return answer

    @classmethod
    def of_centre(cls, data: bytes, centre: bytes) -> Answer:
        """An answer to whichever machine and batch, by the centre with this public key. Raises LogError P.001, P.014."""
        value = words.heard(data, _ANSWER, "an answer", centre)
        try:
            answer = cls._of(value)
        except (KeyError, TypeError, ValueError, DauysError):  # signed by the centre, and yet of another version
            raise LogError(
                "the centre's answer has another shape than expected; are both of one version?", "P.001"
            ) from None
        return replace(answer, said=data)

    def _body(self) -> dict[str, Any]:
        return {
            "poll": self.log.poll,
            "station": self.log.station,
            "generation": self.log.generation,
            "key": base64.b64encode(self.key).decode(),
            "of": self.of,
            "n": self.acknowledged.n,
            "head": self.acknowledged.hash,
            "send_from": self.send_from,
            "stopped": self.stopped,
            "lease": None if self.lease is None else self.lease.isoformat(),
            "requests": [request.to_json() for request in self.requests],
            "grants": [grant.to_json() for grant in self.grants],
            **({"fates": {str(fate.entitlement): fate.how for fate in self.fates}} if self.fates else {}),
            **({"lost": True} if self.lost else {}),
        }

    @classmethod
    def _of(cls, value: dict[str, Any]) -> Answer:
        poll, lease = value["poll"], value["lease"]
        requests = (Request(r["id"], UUID(r["entitlement"]), r["epoch"], r["to"]) for r in value["requests"])
        grants = (
            Grant(poll, UUID(g["entitlement"]), g["epoch"], g["to"], g["grant"]["why"], g["grant"]["request"],
                  read_base64(g["grant"]["sig"], 64, "the signature of a grant", "P.036"))
            for g in value["grants"]
        )  # fmt: skip
        return cls(
            LogId(poll, value["station"], value["generation"]),
            read_base64(value["key"], 32, "the station's key", "P.001"),
            str(value["of"]),
            Head(value["n"], value["head"]),
            value["send_from"],
            value["stopped"],
            None if lease is None else datetime.fromisoformat(lease),
            tuple(requests),
            tuple(grants),
            tuple(Fate(UUID(who), str(how)) for who, how in value.get("fates", {}).items()),
            value.get("lost") is True,
        )


LEASE = timedelta(hours=16)
"""How long a station may check in after it was last heard: a polling day and its evening. No right moves when it ends."""

SILENT = timedelta(minutes=15)
"""A station that is not closed and was not heard for so long stands among those to call. Before, its envelopes are waited for."""
