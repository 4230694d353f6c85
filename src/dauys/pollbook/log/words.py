"""Which word of the centre does a machine believe? One that the centre signed, to what that machine has just sent.

A word is canonical JSON with the member `sig`: Ed25519 by the centre's key of the poll, over a tag and the JSON without `sig`.
Its member `of` is the SHA-256 (hex) of the very bytes that it answers. What is sent has a random `once`, so that no two requests
are the same bytes: a word that was kept on the wire, or comes late, answers nothing that anybody waits for. One rule for
replies, refusals (wire.replies) and answers to batches (rules.grants).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.pollbook.log.events import LogError, parsed, read_base64, signed_by
from dauys.record.canonical import canonical


def digest(request: bytes) -> str:
    """By which a word names what it answers."""
    return sha256(request).hexdigest()


def said(members: Mapping[str, Any], tag: bytes, key: Ed25519PrivateKey) -> bytes:
    """The word with the centre's signature."""
    return canonical({**members, "sig": base64.b64encode(key.sign(tag + canonical(members))).decode()})


def heard(data: bytes, tag: bytes, what: str, centre: bytes) -> dict[str, Any]:
    """The members of a word that the centre with this public key signed.

    Raises LogError P.001 for what is none, P.014 where it is not signed by the centre.
    """
    value = parsed(data, what)
    if not isinstance(value, dict) or not isinstance(text := value.pop("sig", None), str):
        raise LogError(f"not {what} of the centre", "P.001")
    try:
        sig = read_base64(text, 64, "sig", "P.014")
    except BadInput:
        sig = b""
    if not signed_by(tag + canonical(value), sig, centre):
        raise LogError(f"{what} is not signed by the centre whose key came with the list", "P.014")
    return value


def must_answer(of: str, request: bytes) -> None:
    """Raises LogError P.008 unless the word is to these bytes, which its hearer has just sent and still waits for."""
    if of != digest(request):
        raise LogError("this answers something else than what was sent", "P.008")
