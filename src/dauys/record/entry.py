"""What is one entry of the record, which bytes is it, and who signed it?

The shape and its kinds stand in docs/architecture.md, "Entries". `sig` is Ed25519 (RFC 8032), base64, over the
canonical JSON of the other members.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dauys.errors import DauysError
from dauys.record.canonical import canonical, parse

MAX_ENTRY_BYTES = 65_535
"""The length prefix of an entry bundle has two bytes (C2SP tlog-tiles, "Log entries")."""

_MEMBERS = frozenset({"poll", "kind", "id", "at", "by", "body"})
_OPTIONAL = frozenset({"checks", "sig"})


class EntryError(DauysError):
    """An entry that cannot stand in the record."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a poll. `at` is ISO 8601 with an offset; `body` depends on `kind`; `sig` is base64 or absent.

    `checks` are the numbers of the checks that the receiver found raised, in order (docs/checks.md). `parts` is how many
    entries after it hold its body (record.parts): 0 where it holds it itself, or where they are not joined yet.
    """

    poll: str
    kind: str
    id: str
    at: str
    by: str
    body: Mapping[str, Any]
    sig: str | None = None
    checks: tuple[str, ...] = ()
    parts: int = field(default=0, init=False, compare=False)
    _signed: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("poll", "kind", "id", "by"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text:
                raise EntryError(f"the member {name!r} of an entry is text, found {text!r}")
        if not isinstance(self.body, Mapping):
            raise EntryError(f"the body of entry {self.id!r} is an object, found {self.body!r}")
        try:
            at = datetime.fromisoformat(self.at)
            if at.tzinfo is None or not 1000 <= at.year <= 9000:  # no time zone leads such a year out of the calendar
                raise ValueError
        except (ValueError, TypeError):
            raise EntryError(f"entry {self.id!r} is dated {self.at!r}; expected ISO 8601 with an offset") from None
        if self.sig is not None:
            _signature_bytes(self.sig, self.id)

    def to_bytes(self) -> bytes:
        """The canonical JSON, the leaf of the log. Raises EntryError beyond 65,535 bytes."""
        data = self._written()
        if len(data) > MAX_ENTRY_BYTES:
            raise EntryError(f"entry {self.id!r} has {len(data):,} bytes, more than {MAX_ENTRY_BYTES:,}; split it")
        return data

    def size(self) -> int:
        """Bytes of the canonical JSON, however many."""
        return len(self._written())

    def _written(self) -> bytes:
        data = canonical(self._authored() | {"checks": list(self.checks)}) if self.checks else self.signed_bytes()
        if self.sig is not None:  # "sig" is the last of the member names in order
            data = b'%b,"sig":"%b"}' % (data[:-1], self.sig.encode())
        return data

    def signed_bytes(self) -> bytes:
        """What the signature covers: the canonical JSON without `sig` and `checks`. It is made once and kept."""
        if self._signed is None:
            self._keep_signed(canonical(self._authored()))
        assert self._signed is not None
        return self._signed

    def with_body(self, body: Mapping[str, Any], parts: int) -> Entry:
        """The same entry with the body that its parts hold (record.parts): its bytes and its signature stay what they are."""
        said = replace(self, body=body)
        said._keep_signed(self.signed_bytes())
        object.__setattr__(said, "parts", parts)
        return said

    def _keep_signed(self, data: bytes) -> None:
        object.__setattr__(self, "_signed", data)  # a frozen entry says the same for ever

    def _authored(self) -> dict[str, Any]:
        return {"at": self.at, "body": self.body, "by": self.by, "id": self.id, "kind": self.kind, "poll": self.poll}

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry:
        """The entry that canonical bytes stand for. Raises DauysError for anything but one well-formed entry."""
        if len(data) > MAX_ENTRY_BYTES:
            raise EntryError(f"an entry of {len(data):,} bytes; at most {MAX_ENTRY_BYTES:,} are allowed")
        value = parse(data)
        if not isinstance(value, dict) or value.keys() - _OPTIONAL != _MEMBERS:
            found = ", ".join(sorted(value)) if isinstance(value, dict) else type(value).__name__
            raise EntryError(f"an entry has at, body, by, id, kind, poll and maybe checks and sig; found {found}")
        if value.get("sig", "") is None:
            raise EntryError("the member 'sig' of an entry is text or absent, found null")
        checks = value.pop("checks", None)
        if checks is not None and (
            not isinstance(checks, list) or not checks or not all(isinstance(c, str) for c in checks)
        ):
            raise EntryError(f"the member 'checks' of an entry is a list of check numbers or absent, found {checks!r}")
        entry = cls(**cast(dict[str, Any], value), checks=tuple(cast(list[str], checks or ())))
        if checks is None:
            entry._keep_signed(data if entry.sig is None else data[: -len(f',"sig":"{entry.sig}"}}')] + b"}")
        return entry


def sign_entry(entry: Entry, private_key: Ed25519PrivateKey) -> Entry:
    """The entry with its author's signature."""
    return replace(entry, sig=base64.b64encode(private_key.sign(entry.signed_bytes())).decode())


def check_signature(entry: Entry, public_key: bytes) -> bool:
    """Whether the entry bears a good signature of this 32-byte Ed25519 public key; False when it bears none."""
    if entry.sig is None:
        return False
    try:
        _public_key(public_key).verify(_signature_bytes(entry.sig, entry.id), entry.signed_bytes())
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=65_536)
def _public_key(public_key: bytes) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError:
        raise EntryError(f"{public_key.hex()} is not an Ed25519 public key") from None


def _signature_bytes(sig: str, entry_id: str) -> bytes:
    try:
        found = base64.b64decode(sig, validate=True)
    except (binascii.Error, ValueError, TypeError):
        found = b""
    if len(found) != 64 or base64.b64encode(found).decode() != sig:
        raise EntryError(f"the signature of entry {entry_id!r} is not base64 of 64 bytes")
    return found
