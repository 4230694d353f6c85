"""How does a photo come in: within its limit, by its bytes, without what it need not tell, once?

A photo streams to the disk and is refused as soon as it has more bytes than `LARGEST` (O.110): a film of any length never
stands in memory. What is taken is stored in the mission's folder under the SHA-256 of the bytes that are stored, so that the same
picture sent twice is one file, and its name in a record proves it. One observer can send `MOST_SENT` photos, and of them
`MOST_WAITING` that no report of his names (O.112): a stolen code fills no disk.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool

from dauys.errors import BadInput
from dauys.observe.accreditation.pictures import LARGEST, bare, kind_of, too_large
from dauys.observe.known.reports import Photo
from dauys.observe.office.visit import Keeping
from dauys.regular_file import read_regular

MOST_SENT, MOST_WAITING = 200, 60


async def receive(keep: Keeping, pieces: AsyncIterator[bytes], observer: str) -> Photo:
    """Takes an observer's photo in as it comes over the wire. Raises BadInput O.110 while it streams, O.111, O.112."""
    with tempfile.TemporaryFile(prefix="dauys-photo-") as file:
        size = 0
        async for piece in pieces:
            size += len(piece)
            if size > LARGEST:
                raise too_large(size)
            await run_in_threadpool(file.write, piece)
        return await run_in_threadpool(_store, keep, file, observer)


def store(keep: Keeping, path: Path, observer: str = "") -> Photo:
    """Takes a photo in that lies in a file; that of the office is counted for nobody. Raises BadInput O.110 to O.112."""
    size = path.stat().st_size
    if size > LARGEST:
        raise too_large(size)
    return _keep(keep, read_regular(path, LARGEST), observer)


def kind_kept(keep: Keeping, sha256: str) -> Photo | None:
    """The photo that is stored under this name; None where there is none."""
    path = keep.photo(sha256)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        kind = kind_of(file.read(16))
        return None if kind is None else Photo(sha256, os.fstat(file.fileno()).st_size, kind)


def _store(keep: Keeping, file: BinaryIO, observer: str) -> Photo:
    file.seek(0)
    return _keep(keep, file.read(LARGEST), observer)


def _keep(keep: Keeping, data: bytes, observer: str) -> Photo:
    kind, clean = bare(data)
    if observer:
        _count(keep, observer, hashlib.sha256(clean).hexdigest())
    return Photo(keep.store_photo(clean), len(clean), kind)


def _count(keep: Keeping, observer: str, sha256: str) -> None:
    """Notes that the photo came of the observer. Raises BadInput O.112 where he has sent too many."""
    with keep.acting() as mission:
        place = f"photos of {observer}"
        sent = (keep.kept(place) or "").split()
        if sha256 in sent:
            return
        reports = (one for one in mission.reports.values() if one.observer == observer)
        waiting = set(sent) - {photo.sha256 for one in reports for photo in one.photos}
        if len(sent) >= MOST_SENT or len(waiting) >= MOST_WAITING:
            message = (
                "you have sent as many photos as one observer can: send the reports they belong to, or ask the office"
            )
            found = f"{len(sent)} photos, {len(waiting)} of them in no report"
            expected = f"at most {MOST_SENT}, and {MOST_WAITING} in no report"
            raise BadInput(message, field="photo", found=found, expected=expected, check="O.112")
        keep.keep(place, " ".join((*sent, sha256)))
