"""How does a member's private key lie in the station's store? Sealed by a key that scrypt makes of his PIN (station_keys)."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dauys.pollbook.machine.keep import Keep

SALT_BYTES, NONCE_BYTES = 16, 12


def open_key(keep: Keep, officer: str, pin: str, cost: int) -> Ed25519PrivateKey | None:
    """The officer's private key that holds now; None where he has none here, or this PIN does not open it."""
    own = keep.book.keys.get(officer)
    text = None if own is None else keep.kept(_name(officer, own.key))
    if own is None or text is None:
        return None
    kept = json.loads(text)
    salt, sealed = b64decode(kept["salt"]), b64decode(kept["sealed"])
    try:
        plain = AESGCM(_key(pin, salt, cost)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], own.key)
    except InvalidTag:
        return None
    return Ed25519PrivateKey.from_private_bytes(plain)


def keep_key(keep: Keep, officer: str, pin: str, private: Ed25519PrivateKey, cost: int) -> None:
    """Seals a private key by a PIN; the one before under the same name is replaced."""
    public, salt, nonce = private.public_key().public_bytes_raw(), os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(_key(pin, salt, cost)).encrypt(nonce, private.private_bytes_raw(), public)
    kept = {"salt": b64encode(salt).decode(), "sealed": b64encode(sealed).decode()}
    keep.keep(_name(officer, public), json.dumps(kept))


def _name(officer: str, public: bytes) -> str:
    return f"officer-key-{officer}-{public.hex()[:16]}"


def _key(pin: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(pin.encode("utf-8", "replace")[:100], salt=b"officer key" + salt, n=cost, r=8, p=1, dklen=32)
