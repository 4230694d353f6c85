"""How does a photo come in: within its limit, by its bytes, without what it need not tell, once?

A photo streams to the disk and is refused as soon as it has more bytes than `LARGEST` (O.110): a film of any length never
stands in memory. What is taken is stored in the mission's folder under the SHA-256 of the bytes that are stored, so that the same
picture sent twice is one file, and its name in a record proves it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool

from dauys.errors import BadInput
from dauys.observe.field.pictures import bare, kind_of
from dauys.observe.mission.model import Photo
from dauys.observe.mission.visit import Keeping
from dauys.regular_file import read_regular

LARGEST = 10 << 20
"""Bytes of one photo: a phone's page shrinks a picture to some hundred thousand before it is sent."""


async def receive(keep: Keeping, pieces: AsyncIterator[bytes]) -> Photo:
    """Takes a photo in as it comes over the wire. Raises BadInput O.110 while it streams, O.111."""
    with tempfile.TemporaryFile(prefix="dauys-photo-") as file:
        size = 0
        async for piece in pieces:
            size += len(piece)
            if size > LARGEST:
                raise too_large(size)
            await run_in_threadpool(file.write, piece)
        return await run_in_threadpool(_store, keep, file)


def store(keep: Keeping, path: Path) -> Photo:
    """Takes a photo in that lies in a file. Raises BadInput O.110, O.111."""
    size = path.stat().st_size
    if size > LARGEST:
        raise too_large(size)
    return _keep(keep, read_regular(path, LARGEST))


def kind_kept(keep: Keeping, sha256: str) -> Photo | None:
    """The photo that is stored under this name; None where there is none."""
    path = keep.photo(sha256)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        kind = kind_of(file.read(16))
        return None if kind is None else Photo(sha256, os.fstat(file.fileno()).st_size, kind)


def too_large(size: int) -> BadInput:
    """The one message for a photo that is too large; `size` bytes have come by then."""
    message = "the photo is too large: take it with a lower resolution, or let the phone's page shrink it"
    found, expected = f"{size / (1 << 20):.1f} MiB by now", f"at most {LARGEST >> 20} MiB"
    return BadInput(message, field="photo", found=found, expected=expected, check="O.110")


def _store(keep: Keeping, file: BinaryIO) -> Photo:
    file.seek(0)
    return _keep(keep, file.read(LARGEST))


def _keep(keep: Keeping, data: bytes) -> Photo:
    kind, clean = bare(data)
    return Photo(keep.store_photo(clean), len(clean), kind)
