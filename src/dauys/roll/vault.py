"""Who is behind a row, and who may know it? Keyed hashes for names, AES-256-GCM for persons, keys in a file outside the database.

The key file (`keys/roll.key` in the data folder, JSON, readable by its owner alone) has three keys of 32 bytes:

* `index`: HMAC-SHA256 makes a voter's id out of the IIN, and the id of the voter's right in a poll out of both.
* `seal`: a person is encrypted with AES-256-GCM, bound to the voter's id. The nonce is 12 bytes of BLAKE2b over the voter's id
  and the person, keyed with HMAC-SHA256(seal, "dauys roll nonce"): the same person is the same bytes, so that a change shows
  without opening anything, and others have nonces as good as random ones. One key serves 2**32 versions (NIST SP 800-38D §8.3).
* `block`: keyed BLAKE2b makes the numbers that likely duplicates share (`roll.voter.blocks`).

Without the file nobody is found and nothing opens. No message of this module holds anything personal.
"""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b, sha256
from operator import add
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dauys.errors import DauysError

KEY = 32
NONCE = 12
ID = 16
BLOCK = 8
SALT = 10
NAMES = ("index", "seal", "block")


class VaultError(DauysError):
    """Keys that are not there, or a sealed person that these keys do not open."""


def keyed(key: bytes, about: bytes = b"") -> Callable[[Iterable[bytes]], list[bytes]]:
    """HMAC-SHA256 under one key (RFC 2104) of each message after what it is `about`: a nation's roll takes 30 million of them.

    Said as two hashes, for that takes half the time of the library's own and of copies of hashes begun.
    """
    padded = key.ljust(sha256().block_size, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    begun = inner + about

    def hashed(messages: Iterable[bytes]) -> list[bytes]:
        return [sha256(outer + sha256(begun + message).digest()).digest() for message in messages]

    return hashed


class Vault:
    """The roll's keys, in use. It prints as `Vault`, and pickles to go to a process of one's own.

    What an import does to millions it does to many at once; to one, as to many of which there is one.
    """

    __slots__ = ("_block", "_decrypt", "_encrypt", "_index", "_keys", "_nonce", "_voter")

    def __init__(self, index: bytes, seal: bytes, block: bytes) -> None:
        if {len(index), len(seal), len(block)} != {KEY}:
            raise VaultError(f"a key of the roll has {KEY} bytes")
        self._keys = (index, seal, block)
        self._index, self._voter = keyed(index), keyed(index, b"iin:")
        # hashes that have their key already: each use copies one, which saves the block that the key is
        self._block = blake2b(digest_size=BLOCK, key=block)
        self._nonce = blake2b(digest_size=NONCE, key=keyed(seal)([b"dauys roll nonce"])[0])
        aead = AESGCM(seal)
        self._encrypt, self._decrypt = aead.encrypt, aead.decrypt

    def __repr__(self) -> str:
        return "Vault"

    def __reduce__(self) -> tuple[type[Vault], tuple[bytes, bytes, bytes]]:
        return Vault, self._keys

    def voters(self, iins: Iterable[bytes]) -> list[bytes]:
        """The ids of the voters with these IINs (their digits), 16 bytes each."""
        return [hashed[:ID] for hashed in self._voter(iins)]

    def voter(self, iin: str) -> bytes:
        """The id of one of them."""
        return self.voters((iin.encode(),))[0]

    def entitlement(self, poll: str, voter: bytes | UUID) -> bytes:
        """The id of a voter's right in a poll, 16 bytes. Whoever has it cannot tell the voter."""
        raw = voter.bytes if isinstance(voter, UUID) else voter
        return self._index((b"entitlement:" + poll.encode() + b":" + raw,))[0][:ID]

    def right(self, poll: str, voter: bytes | UUID) -> UUID:
        """The same id as the database and the pollbook write it."""
        return UUID(bytes=self.entitlement(poll, voter))

    def salt(self, purpose: bytes, entitlement: bytes) -> bytes:
        """Ten bytes that nobody guesses, the same each time: what a commitment in the record is salted with."""
        return self._index((b"salt:" + purpose + b":" + entitlement,))[0][:SALT]

    def blocks(self, texts: Iterable[bytes]) -> list[bytes]:
        """Eight bytes for each, the same for the same text; in the database a signed number, big-endian."""
        return _digests(self._block, texts)

    def block(self, text: bytes) -> bytes:
        """Those of one text."""
        return self.blocks((text,))[0]

    def seals(self, voters: Sequence[bytes], plains: Sequence[bytes]) -> list[bytes]:
        """Of each 12 bytes of nonce, the encrypted text, 16 bytes of tag; opened only as that voter's."""
        nonces = _digests(self._nonce, map(add, voters, plains))
        return list(map(add, nonces, map(self._encrypt, nonces, plains, voters)))

    def seal(self, voter: bytes, plain: bytes) -> bytes:
        """One of them."""
        return self.seals((voter,), (plain,))[0]

    def open(self, voter: bytes, sealed: bytes) -> bytes:
        """What was sealed. Raises VaultError if it was changed, moved to another voter, or sealed with other keys."""
        try:
            return self._decrypt(sealed[:NONCE], sealed[NONCE:], voter)
        except (InvalidTag, ValueError):
            raise VaultError(
                "a sealed person does not open: the roll's key file belongs to another roll, or the row was changed; "
                "bring the right keys/roll.key back from your backup"
            ) from None


def _digests(begun: blake2b, messages: Iterable[bytes]) -> list[bytes]:
    """What a hash that has its key already makes of each message."""
    copy, found = begun.copy, []
    for message in messages:
        hashed = copy()
        hashed.update(message)
        found.append(hashed.digest())
    return found


def key_file(folder: Path) -> Path:
    """Where the roll's keys lie in a data folder."""
    return folder / "keys" / "roll.key"


def new_vault() -> Vault:
    """Fresh keys, kept nowhere."""
    return Vault(*(secrets.token_bytes(KEY) for _ in NAMES))


def make_vault(path: Path) -> Vault:
    """Fresh keys, written to a file that only its owner reads. Raises VaultError if the file is there already."""
    keys = {name: b64encode(secrets.token_bytes(KEY)).decode() for name in NAMES}
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(keys) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise VaultError(f"{path} is there already: a new key would make the whole roll unreadable") from None
    return load_vault(path)


def load_vault(path: Path) -> Vault:
    """The keys of the file. Raises VaultError, without a byte of them, for anything but a good and private file."""
    try:
        others = path.stat().st_mode & 0o077
        keys = json.loads(path.read_text(encoding="utf-8"))
        raw = [b64decode(keys[name], validate=True) for name in NAMES]
    except FileNotFoundError:
        raise VaultError(
            f"the keys of the roll are not in {path}: bring them back from your backup; "
            "without them nobody on the roll is found"
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise VaultError(f"{path} is not a key file of the roll: bring the right one back from your backup") from None
    if others:
        raise VaultError(f"{path} can be read by others than its owner: chmod 600 {path}")
    return Vault(*raw)
