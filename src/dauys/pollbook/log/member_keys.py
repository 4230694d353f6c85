"""Did each member sign for the ballots that he handed out? By the keys that the station's own log names, one after the other.

A member's key is an event of the log (`officer-key`); from then on every ballot in his name, checked in or handed out with a
provisional envelope, has his signature. A new key is signed by the one before; one that nothing signs (he forgot his PIN) holds,
too, and is said to be one. The station's own program keeps to this (`acts`); here it is seen whether it did.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dauys.pollbook.log.events import LogId, signed_by
from dauys.record.canonical import canonical

UNSIGNED, REPLACED = "P.110", "P.111"
BALLOTS = ("check-in", "envelope")
"""The events by which an officer hands out a ballot."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """An event that a member did not sign for: P.110; or a key that took another one's place unsigned: P.111."""

    check: str
    n: int
    officer: str
    text: str


def hand_out_bytes(log: LogId, body: Mapping[str, Any]) -> bytes:
    """What the officer signs for a ballot: the body of its `check-in` or `envelope` without `sig`, for this log."""
    return _message(b"dauys pollbook hand-out v1\n", log, body)


def officer_key_bytes(log: LogId, body: Mapping[str, Any]) -> bytes:
    """What the key before signs of the next one: the event's body without `sig`, for this log."""
    return _message(b"dauys pollbook officer key v1\n", log, body)


def _message(tag: bytes, log: LogId, body: Mapping[str, Any]) -> bytes:
    said = {name: value for name, value in body.items() if name != "sig"}
    return tag + log.start.encode() + b"\n" + canonical(said)


def wrongs(log: LogId, events: Iterable[tuple[int, str, Mapping[str, Any]]], since: int = 0) -> list[Wrong]:
    """What is wrong in a log; `events` are number, kind and body, in order, of at least its `officer-key` events and `BALLOTS`.

    Up to event `since` it was looked at before: of that part only the keys are read.
    """
    keys: dict[str, bytes] = {}
    found = []
    for n, kind, body in events:
        if kind == "officer-key":
            officer, before = body["officer"], keys.get(body["officer"])
            keys[officer] = b64decode(body["key"])
            if n > since and before is not None and (fault := _new_key(log, body, before)) is not None:
                found.append(Wrong(fault[0], n, officer, fault[1]))
        elif kind in BALLOTS and n > since and (own := keys.get(body["officer"])) is not None:
            if "sig" not in body:
                found.append(Wrong(UNSIGNED, n, body["officer"], "a ballot without its member's signature"))
            elif not signed_by(hand_out_bytes(log, body), b64decode(body["sig"]), own):
                found.append(Wrong(UNSIGNED, n, body["officer"], "the signature for a ballot is not its member's"))
    return found


def _new_key(log: LogId, body: Mapping[str, Any], before: bytes) -> tuple[str, str] | None:
    if "sig" not in body:
        return REPLACED, "a member's key was replaced by one that nothing signs"
    if not signed_by(officer_key_bytes(log, body), b64decode(body["sig"]), before):
        return UNSIGNED, "a member's new key is not signed by the one before"
    return None
