"""How does a program keep a file of its own: whole or not at all, for its owner; one of SQLite's, with nobody beside it?"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dauys.errors import BadInput

_BEGINS = b"SQLite format 3\0"


def connect(path: Path) -> sqlite3.Connection:
    """A connection that nobody else can have beside it, and that waits for the disk with each commit."""
    database = sqlite3.connect(path, timeout=0.2, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA fullfsync = ON")
        database.execute("BEGIN EXCLUSIVE")
        database.execute("COMMIT")
    except sqlite3.Error:
        database.close()
        raise
    return database


def is_one(path: Path) -> bool:
    """Whether the file begins as SQLite's files do: what does not is not opened."""
    with path.open("rb") as file:
        return file.read(len(_BEGINS)) == _BEGINS


def marks(database: sqlite3.Connection) -> tuple[int, int]:
    """The application id and the version that the file bears."""
    application, version = (
        database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    return application, version


@contextmanager
def making(path: Path, tables: str, application: int, version: int) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """A new file, for its owner only, with these tables: filled in the block beside `path`, and at its place after it."""
    draft = path.with_name(path.name + ".making")
    draft.unlink(missing_ok=True)
    database = connect(draft)
    try:
        os.chmod(draft, 0o600)  # noqa: PTH101 - before anything is in it
        database.executescript(tables)
        database.execute(f"PRAGMA application_id = {application}")
        database.execute(f"PRAGMA user_version = {version}")
        yield database, draft
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        database.close()
    draft.rename(path)
    sync_folder(path.parent)


@contextmanager
def disk(in_use: Callable[[], BadInput], damaged: Callable[[str], BadInput]) -> Iterator[None]:
    """What SQLite and the disk say, as one message of the caller's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise (in_use() if "locked" in str(error) else damaged(str(error))) from None
    except (sqlite3.Error, OSError, OverflowError) as error:
        raise damaged(str(error)) from None


def write(path: Path, data: bytes, mode: int = 0o600) -> None:
    """A file with these bytes, whole or not at all, on the disk when this returns. One that is there is replaced, its rights too.

    The draft beside it has a name of its own: two who write at once take nothing from each other. Raises OSError.
    """
    draft = path.with_name(f"{path.name}.{os.urandom(4).hex()}.making")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Returns when the names of the folder's files are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
