"""Who signs for a poll: the log, the commission, the stations.

The log's key belongs to the installation and lies in its data folder. In a reconstruction the commission's and the stations'
keys are derived from public text, so that the whole record can be made again byte for byte: they show the form of custody, not
custody. In any other poll the commission's key is made here once, and stations bring their own public keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.record.note import NoteError, SigningKey
from dauys.registers.poll import COMMISSION, Poll


@dataclass(frozen=True, slots=True)
class Keys:
    """The private keys that this installation holds for a poll. `station(id)` is None where stations sign for themselves."""

    log: SigningKey
    commission: Ed25519PrivateKey
    station: Callable[[str], Ed25519PrivateKey] | None

    @property
    def public(self) -> dict[str, bytes]:
        """Name to raw public key, as the record's `poll` entry publishes them."""
        return {COMMISSION: self.commission.public_key().public_bytes_raw()}


def origin(poll_id: str) -> str:
    """The name of a poll's log on its checkpoints (C2SP tlog-checkpoint, origin)."""
    return f"dauys/{poll_id}"


def keys_of(poll: Poll, folder: Path) -> Keys:
    """The keys of an opened poll, from `folder` (the data folder's `keys`).

    Raises DauysError if they are not there: a new key could not go on where the lost one stopped. And where the files of that
    name are another poll's: `test/x` and `test-x` have one name, which the name inside the log's key tells apart.
    """
    return _keys(poll, folder, SigningKey.load)


def new_keys(poll: Poll, folder: Path) -> Keys:
    """The keys for a poll that is about to be opened: those in `folder`, or fresh ones, kept there.

    Raises DauysError where the files of that name are another poll's.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def kept(path: Path) -> SigningKey:
        if not path.exists():
            name = origin(poll.id) if path.name.endswith(".log.key") else COMMISSION
            SigningKey.generate(name).save(path)
        return SigningKey.load(path)

    return _keys(poll, folder, kept)


def throwaway_keys(poll: Poll) -> Keys:
    """Keys that nothing keeps: for looking at a poll without opening it."""
    return _keys(poll, Path(), lambda path: SigningKey.generate(origin(poll.id)))


def _keys(poll: Poll, folder: Path, load: Callable[[Path], SigningKey]) -> Keys:
    stem = poll.id.replace("/", "-")
    try:
        path = folder / f"{stem}.log.key"
        log = load(path)
        if log.name != origin(poll.id):
            raise DauysError(
                f"{path} is the key of {log.name.removeprefix('dauys/')}: the key files of {poll.id} have the same names; "
                "give one of the two polls another name, or another data folder (DAUYS_HOME)"
            )
        if poll.reconstruction:
            return Keys(log, derived_key(poll.id, COMMISSION), lambda station: derived_key(poll.id, station))
        return Keys(log, load(folder / f"{stem}.commission.key").private, None)
    except NoteError as error:
        raise DauysError(
            f"the keys of {poll.id} are not in {folder} ({error}): bring them back from your backup; "
            "without them nothing more of this poll can be signed"
        ) from error


def derived_key(poll_id: str, name: str) -> Ed25519PrivateKey:
    """The public-knowledge key of a reconstruction: seed SHA-256("dauys reconstruction key,<poll>,<name>")."""
    seed = hashlib.sha256(f"dauys reconstruction key,{poll_id},{name}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)
