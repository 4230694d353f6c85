"""How does a package become a working station: its folder, its keys, and what the centre is told?

A station's folder holds `pollbook.db` (dauys.pollbook.machine.keep), `pollbook.key` (the 32 bytes, in hex, that open it; for its
owner alone) and, while the station runs, `serving.json`. Enrolling twice with the same package is enrolling once: after
a crash the command is called again.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys import own_file
from dauys.errors import BadInput
from dauys.pollbook.machine.keep import Keep, create, open_keep
from dauys.pollbook.wire.package import LARGEST_PACKAGE, enrolment, unseal

STORE, KEY = "pollbook.db", "pollbook.key"
SEAL_BYTES = 32

CENTRE, TO_TELL = "centre", "enrolment"
"""What the store keeps beside the book: the centre's address, and the enrolment as it is sent."""


def default_folder() -> Path:
    """`station` in the data folder (DAUYS_HOME, or `.dauys` where the command was called)."""
    return Path(os.environ.get("DAUYS_HOME", ".dauys")) / "station"


def enrol(package: Path, code: str, folder: Path, centre: str) -> Keep:
    """Opens the package, makes the station's key and its store; the centre is told by `sync.Wire.tell`.

    Until the centre has answered, the station can do nothing: another machine may have the same package, or a later one.
    Raises BadInput: P.011, P.012, P.014, P.038 of the package; P.016 where the folder is another station's, is stopped, or
    was made from another package of it, whose list is not this one.
    """
    address = _address(centre)
    try:
        if package.stat().st_size > LARGEST_PACKAGE:
            raise BadInput("the file is too large for a package", file=package, check="P.011")
        data = package.read_bytes()
    except OSError as error:
        raise BadInput(f"the package cannot be read: {error.strerror}", file=package, check="P.011") from None
    opened = unseal(data, code)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / STORE
    if path.exists():
        keep = open_keep(path, seal_key(folder), opened.log)
        if keep.package != opened or keep.book.stopped:
            why = "is stopped" if keep.book.stopped else "was made from another package of this station"
            keep.close()
            raise BadInput(f"what is in the folder {why}; enrol in an empty folder", file=folder, check="P.016")
    else:
        keep = create(path, opened, seal_key(folder, make=True), Ed25519PrivateKey.generate())
    told = enrolment(data, code, keep.public).to_bytes().decode()
    keep.keep(CENTRE, address)
    keep.keep(TO_TELL, told)
    return keep


def open_station(folder: Path) -> Keep:
    """The store of an enrolled station. Raises BadInput P.015, P.016, P.017."""
    if not (folder / STORE).is_file():
        message = "there is no station here; make it with `dauys station enrol PACKAGE --centre URL`"
        raise BadInput(message, file=folder, check="P.016")
    return open_keep(folder / STORE, seal_key(folder))


def seal_key(folder: Path, *, make: bool = False) -> bytes:
    """The key outside the store. One that was made before the power went is used again; it is never overwritten."""
    path = folder / KEY
    if make and not path.exists():
        own_file.write(path, os.urandom(SEAL_BYTES).hex().encode())
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        raise BadInput("the key of the store is not in the folder", file=path, check="P.016") from None
    except ValueError:
        key = b""
    if len(key) != SEAL_BYTES:
        raise BadInput("this is no key of a station's store", file=path, expected="64 hex digits", check="P.015")
    return key


def _address(centre: str) -> str:
    """The centre's address without a path of its own at the end."""
    address = centre.strip().rstrip("/")
    if not address.startswith(("http://", "https://")) or not address.partition("://")[2]:
        message = "the centre is named by its address"
        raise BadInput(message, field="--centre", found=centre, expected="http://HOST:PORT or https://HOST")
    return address
