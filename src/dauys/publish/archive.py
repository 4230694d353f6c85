"""How does anyone take the whole bundle home in one file? A ZIP of it, made once for each state of the record."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from pathlib import Path

import sqlalchemy as sa

from dauys.polls.keys import Keys
from dauys.publish.bundle import write_bundle
from dauys.record import log

_MAKING = threading.Lock()


def bundle_zip(engine: sa.Engine, poll_id: str, keys: Keys, folder: Path) -> Path:
    """The archive of the poll's bundle as of now, in `folder`; the one of an earlier state is dropped.

    One at a time is made, whoever asks: the others wait and take the same file.
    """
    with _MAKING, engine.begin() as connection:
        name = poll_id.replace("/", "-")
        path = folder / f"{name}-{log.size(connection, poll_id)}.zip"
        if path.exists():
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            bundle = write_bundle(connection, poll_id, keys, Path(scratch) / name)
            fresh = Path(scratch) / "bundle.zip"
            with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                for file in sorted(bundle.rglob("*")):
                    if file.is_file():
                        archive.write(file, Path(name) / file.relative_to(bundle))
            for earlier in folder.glob(f"{name}-*.zip"):
                earlier.unlink()
            fresh.rename(path)
        return path
