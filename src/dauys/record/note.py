"""Who signed this text? Signed notes after C2SP `signed-note`, with Ed25519 keys.

A note is text ending in a line feed, an empty line, and signature lines `— <key name> base64(key id || signature)`.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dauys.errors import DauysError

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_SIGNATURES = 100
_ALGORITHMS = (ED25519, COSIGNATURE)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(DauysError):
    """A note, a signature or a key that is malformed, or that does not verify."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under; `algorithm` is 0x01 (a log) or 0x04 (a witness)."""

    name: str
    public: bytes
    algorithm: int = ED25519

    def __post_init__(self) -> None:
        strange = "+" in self.name or any(char.isspace() for char in self.name) or _CONTROL.search(self.name)
        if not self.name or strange or not self.name.isprintable():
            raise NoteError(f"a key name has neither spaces nor '+', found {self.name!r}")
        if self.algorithm not in _ALGORITHMS:
            raise NoteError(f"signature type 0x{self.algorithm:02x} is not known; expected 0x01 or 0x04")
        try:
            Ed25519PublicKey.from_public_bytes(self.public)
        except ValueError:
            raise NoteError(f"the key of {self.name} is not an Ed25519 public key of 32 bytes") from None

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256 over name, line feed, signature type and public key."""
        return key_id(self.name, self.algorithm, self.public)

    def signed(self, signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def __str__(self) -> str:
        """The `vkey`: name, 8 hex digits of the key id, base64 of signature type and public key, joined by '+'."""
        return _format(self.name, self.key_id, self.algorithm, self.public)

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        name, digits, algorithm, public = _parse_key(vkey.strip(), "a verifier key")
        key = cls(name, public, algorithm)
        if key.key_id.hex() != digits:
            raise NoteError(f"the verifier key of {name} does not fit its id {digits}; copy it again, whole")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. Saved as one line, `PRIVATE+KEY+<name>+<key id>+<base64 of signature type and 32-byte seed>`,

    the form that Go's `note` package reads and writes.
    """

    name: str
    private: Ed25519PrivateKey
    algorithm: int = ED25519

    @classmethod
    def generate(cls, name: str, algorithm: int = ED25519) -> SigningKey:
        return cls(name, Ed25519PrivateKey.generate(), algorithm)

    @classmethod
    def from_seed(cls, name: str, seed: bytes, algorithm: int = ED25519) -> SigningKey:
        if len(seed) != 32:
            raise NoteError(f"the seed of a signing key has 32 bytes, found {len(seed)}")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed), algorithm)

    @property
    def vkey(self) -> VerifierKey:
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw(), self.algorithm)

    def to_text(self) -> str:
        key = self.vkey
        return "PRIVATE+KEY+" + _format(self.name, key.key_id, self.algorithm, self.private.private_bytes_raw())

    @classmethod
    def from_text(cls, text: str) -> SigningKey:
        line = text.strip()
        if not line.startswith("PRIVATE+KEY+"):
            raise NoteError("a signing key starts with PRIVATE+KEY+")
        name, digits, algorithm, seed = _parse_key(line.removeprefix("PRIVATE+KEY+"), "a signing key")
        key = cls.from_seed(name, seed, algorithm)
        if key.vkey.key_id.hex() != digits:
            raise NoteError(f"the signing key of {name} does not fit its id {digits}; the file is damaged")
        return key

    def save(self, path: Path) -> None:
        """Writes a new file that only its owner can read. A key that is already there is never overwritten."""
        text = self.to_text()  # raises NoteError before there is a file, for a name that no key can have
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise NoteError(f"{path} exists already; a key is never overwritten. Move it away first") from None
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        try:
            if path.stat().st_mode & 0o077:
                raise NoteError(f"{path} can be read by others; a signing key must be private (chmod 600 {path})")
            return cls.from_text(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise NoteError(f"the signing key {path} cannot be read: {error}") from None


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, not yet verified."""

    name: str
    key_id: bytes
    blob: bytes

    def __str__(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.blob).decode()}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        parts = line.removesuffix("\n").split(" ")
        if len(parts) != 3 or parts[0] != "—" or not parts[1] or "+" in parts[1]:
            raise NoteError(f"not a signature line: {line[:80]!r}")
        data = _base64(parts[2], "a signature")
        if len(data) < 5:
            raise NoteError(f"the signature of {parts[1]} is too short")
        return cls(parts[1], data[:4], data[4:])

    def by(self, key: VerifierKey) -> bool:
        """Whether this line claims to be made with the key."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class Note:
    """A text (with its final line feed) and the lines under it. `str(note)` is the whole note."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def with_signature(self, signature: Signature) -> Note:
        """The note with one more line; a line of the same key is replaced."""
        others = [s for s in self.signatures if (s.name, s.key_id) != (signature.name, signature.key_id)]
        return Note(self.text, (*others, signature))


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


def sign(text: str, *keys: SigningKey) -> str:
    """The note of `text`, signed by Ed25519 keys (signature type 0x01)."""
    _check_text(text)
    if not keys:
        raise NoteError("a note needs at least one key")
    return str(Note(text, tuple(_sign(text, key) for key in keys)))


def parse(data: str | bytes) -> Note:
    """Reads a note; nothing is verified yet. Raises NoteError if it is malformed."""
    try:
        note = data.decode() if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        raise NoteError("a signed note is UTF-8 text") from None
    if found := _CONTROL.search(note):
        raise NoteError(f"a signed note has no control characters, found 0x{ord(found[0]):02x}")
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise NoteError("not a signed note: expected text, an empty line and signature lines")
    signatures = lines.removesuffix("\n").split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise NoteError(f"a note with {len(signatures)} signatures; at most {MAX_SIGNATURES} are read")
    return Note(text + "\n", tuple(Signature.parse(line) for line in signatures))


def verify(note: Note | str | bytes, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The keys (of type 0x01) that signed the note; signatures of unknown keys are ignored.

    Raises NoteError when a known key's signature is bad, or when none of the keys signed.
    """
    note = note if isinstance(note, Note) else parse(note)
    message = note.text.encode()
    signed = []
    known = [key for key in keys if key.algorithm == ED25519]
    for key in known:
        claims = [signature for signature in note.signatures if signature.by(key)]
        if any(len(claim.blob) != 64 or not key.signed(claim.blob, message) for claim in claims):
            raise NoteError(f"the signature of {key.name} is not valid for this text")
        if claims:
            signed.append(key)
    if not signed:
        raise NoteError(f"not signed by {' or '.join(key.name for key in known) or 'any known key'}")
    return tuple(signed)


def _sign(text: str, key: SigningKey) -> Signature:
    if key.algorithm != ED25519:
        raise NoteError(f"the key of {key.name} is a witness's; it signs checkpoints only")
    return Signature(key.name, key.vkey.key_id, key.private.sign(text.encode()))


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends in a line feed")
    if found := _CONTROL.search(text):
        raise NoteError(f"the text of a note has no control characters, found 0x{ord(found[0]):02x}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoteError("the text of a note is UTF-8; found half of a surrogate pair") from None


def _format(name: str, identifier: bytes, algorithm: int, key: bytes) -> str:
    return f"{name}+{identifier.hex()}+{base64.b64encode(bytes([algorithm]) + key).decode()}"


def _parse_key(text: str, what: str) -> tuple[str, str, int, bytes]:
    parts = text.split("+", 2)  # base64 may hold a '+' of its own
    if len(parts) != 3 or not re.fullmatch(r"[0-9a-f]{8}", parts[1]):
        raise NoteError(f"{what} reads NAME+8 hex digits+base64, found {text[:20]!r}")
    data = _base64(parts[2], what)
    if len(data) != 33:
        raise NoteError(f"{what} holds a type byte and 32 bytes, found {len(data)} bytes")
    return parts[0], parts[1], data[0], data[1:]


def _base64(text: str, what: str) -> bytes:
    try:
        found = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found or base64.b64encode(found).decode() != text:
        raise NoteError(f"{what} is not base64: {text[:80]!r}")
    return found
