"""What is published, and how does it reach a folder whole? The verification bundle (docs/architecture.md)."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from dauys.errors import BadInput
from dauys.polls.keys import Keys
from dauys.polls.standing import snapshot
from dauys.publish.record_files import write_record
from dauys.publish.rendering import PUBLISHED, Rendering, render
from dauys.record import log
from dauys.store.engine import Connection

__all__ = ["PUBLISHED", "place_for", "published_file", "render", "write_bundle"]

OURS = frozenset({*PUBLISHED, "checkpoint", "checkpoints", "tile", "keys.json"})
"""What lies in the folder of a bundle."""


def published_file(connection: Connection, poll_id: str, name: str) -> bytes:
    """One of the PUBLISHED files as of now; rendered once for each state of the record."""
    state = (str(connection.engine.url), poll_id, log.size(connection, poll_id))
    with _RENDERING:
        for earlier in [key for key in _rendered if key[:2] == state[:2] and key[:3] != state]:
            del _rendered[earlier]
        if (*state, name) not in _rendered:
            _rendered[*state, name] = render(snapshot(connection, poll_id), name)
        return _rendered[*state, name]


_RENDERING = threading.Lock()
_rendered: dict[tuple[str, str, int, str], bytes] = {}


def place_for(folder: Path) -> Path:
    """The folder as a place where a bundle may be put, and replaced: nothing, an empty folder, or an earlier bundle.

    Raises BadInput for anything else: what somebody keeps there would be lost.
    """
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise BadInput("a bundle is a folder, and this is a file", file=folder, expected="another name with --out")
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    bundle = {"checkpoint", "keys.json"} <= there <= OURS
    if not folder.name or (there and not bundle):
        raise BadInput(
            "the bundle would replace this folder", file=folder, found=", ".join(sorted(there - OURS)) or None,
            expected="an empty or a new folder, or an earlier bundle: name another with --out",
        )  # fmt: skip
    return folder


def write_bundle(connection: Connection, poll_id: str, keys: Keys, folder: Path) -> Path:
    """Writes the bundle of a poll to `folder`, all of it or nothing: it is made beside and then put in place.

    An earlier bundle there is replaced; anything else is not (`place_for`).
    """
    place_for(folder)
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
    except OSError as error:
        raise BadInput(
            f"no bundle can be written there: {error.strerror}", file=folder, expected="a folder: --out"
        ) from None
    write_record(connection, poll_id, keys, fresh)
    made = Rendering(snapshot(connection, poll_id))
    for name in PUBLISHED:
        (fresh / name).write_bytes(made.file(name))
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return folder
