"""Where does a mission keep what it knows, so that nothing acknowledged is ever lost and nothing is changed afterwards?

One folder: `mission.sqlite` (write-ahead log, `synchronous=FULL`, one program at a time), `mission.key` (Ed25519, for its owner
only), `photos/<sha256>`, `frame.csv`. An event is on the disk before `append` returns. Each is canonical JSON and bears the
SHA-256 of the one before: whoever has the head of the chain sees every later change. Opening reads and checks the whole chain.

What is secret or of the program's own (the seed before it is revealed, marks of passwords, sessions, entries that wait to be
sent) lies beside the log, under `kept`.
"""

from __future__ import annotations

import base64
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys import own_file
from dauys.errors import BadInput
from dauys.observe.known.model import Event, Mission, MissionError
from dauys.record.canonical import canonical, parse

APPLICATION = 0x44617573
"""SQLite's application id of a mission's store: "Daus"."""

VERSION = 1
STORE, KEY, PHOTOS, FRAME = "mission.sqlite", "mission.key", "photos", "frame.csv"
FIRST = sha256(b"dauys mission").hexdigest()
"""What the first event names as the one before it."""

_TABLES = """
CREATE TABLE event (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


class Keep:
    """An open store. Used by several threads, by one program. `public` is the mission's key in base64."""

    def __init__(self, folder: Path, database: sqlite3.Connection, key: Ed25519PrivateKey) -> None:
        """Not for callers: `create` and `open_keep` make one."""
        self.folder = folder
        self.key = key
        self.public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        self._database = database
        self._lock = threading.RLock()
        self._open = self._torn = False
        self._live, self._head = Mission(), FIRST
        self._shown: Mission | None = None
        self._read()

    @property
    def mission(self) -> Mission:
        """The state after the last event: a picture that nobody changes any more."""
        with self._lock:
            if self._shown is None:
                self._shown = self._live.picture()
            return self._shown

    def append(self, kind: str, body: Mapping[str, Any], by: str, at: datetime) -> Event:
        """Folds and stores one event durably, or changes nothing: MissionError; BadInput O.021 where the disk fails.

        Inside `acting` it is on the disk when the block ends.
        """
        with self._writing():
            event = Event(self._live.size, at.isoformat(), by, kind, dict(body))
            data = _bytes_of(event, self._head)
            try:
                self._live.apply(event)
            except MissionError:
                raise
            except BaseException:  # a body that lacks something: who knows how far it came
                self._torn = True
                raise
            self._head, self._shown = sha256(data).hexdigest(), None
            self._execute("INSERT INTO event VALUES (?, ?)", (event.n, data))
        return event

    @contextmanager
    def acting(self) -> Iterator[Mission]:
        """The state for one act: look, decide and `append` inside. No other thread comes between; all of it is stored, or none.

        What is raised inside and not caught there undoes the whole block.
        """
        with self._writing():
            yield self._live

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, or a part of the one that is open. What was folded in and is not stored is taken back."""
        with self._lock:
            inner, before = self._open, self._live.size
            self._open = True
            try:
                yield
                if not inner:
                    with _disk(self.folder):
                        self._database.commit()
            except BaseException:
                if not inner:
                    with suppress(sqlite3.Error):
                        self._database.rollback()
                if self._torn or self._live.size != before:
                    with suppress(Exception):
                        self._read()
                raise
            finally:
                self._open = inner

    def _execute(self, text: str, values: Sequence[Any]) -> None:
        with _disk(self.folder):
            self._database.execute(text, values)

    def events(self, first: int = 0) -> list[Event]:
        """The events from `first` on."""
        with self._lock, _disk(self.folder):
            rows = self._database.execute("SELECT bytes FROM event WHERE n >= ? ORDER BY n", (first,)).fetchall()
        return [_event_of(data)[0] for (data,) in rows]

    def head(self) -> str:
        """The hash of the chain: SHA-256 (hex) of the last event's bytes."""
        with self._lock:
            return self._head

    def keep(self, name: str, value: str) -> None:
        """Keeps a text that is not an event; an empty one forgets it."""
        with self._writing():
            if value:
                self._execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))
            else:
                self._execute("DELETE FROM kept WHERE name = ?", (name,))

    def kept(self, name: str) -> str | None:
        with self._lock, _disk(self.folder):
            row = self._database.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def photo(self, sha256: str) -> Path:
        """Where the picture's bytes lie, whether they are there or not. Raises MissionError for what is no SHA-256."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise MissionError("a picture is named by its SHA-256")
        return self.folder / PHOTOS / sha256

    def store_photo(self, data: bytes) -> str:
        """Stores a picture durably, once; its SHA-256 (hex)."""
        name = sha256(data).hexdigest()
        self.write(f"{PHOTOS}/{name}", data)
        return name

    def write(self, name: str, data: bytes) -> Path:
        """A file of the folder, whole or not at all, on the disk when this returns; what is there already stays."""
        path = self.folder / name
        if path.exists():
            return path
        with _disk(self.folder):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            own_file.write(path, data)
        return path

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _read(self) -> None:
        """The whole chain from the disk. Raises BadInput O.021."""
        mission, before = Mission(), FIRST
        with _disk(self.folder):
            for n, data in self._database.execute("SELECT n, bytes FROM event ORDER BY n"):
                try:
                    event, named = _event_of(data)
                    if event.n != n or named != before:
                        raise MissionError(f"event {n} does not follow event {n - 1}")
                    mission.apply(event)
                except (MissionError, KeyError, TypeError, ValueError) as error:
                    raise _damaged(self.folder, str(error)) from None
                before = sha256(data).hexdigest()
        self._live, self._head, self._shown, self._torn = mission, before, None, False


def create(folder: Path) -> Keep:
    """A new mission in a folder that has none. Raises BadInput O.020 where one is there."""
    if (folder / STORE).exists():
        raise BadInput(
            "there is a mission already; it is never overwritten",
            file=folder,
            expected="another --folder",
            check="O.020",
        )
    with _disk(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / PHOTOS).mkdir(mode=0o700, exist_ok=True)
        _key_in(folder)
        with own_file.making(folder / STORE, _TABLES, APPLICATION, VERSION):
            pass
    return open_keep(folder)


def open_keep(folder: Path) -> Keep:
    """The mission of a folder, read through. Raises BadInput: O.020 none here, O.021 damaged, O.022 in use."""
    path = folder / STORE
    if not path.is_file():
        raise BadInput("there is no mission here", file=folder, expected="`dauys mission new`", check="O.020")
    with _disk(folder):
        if not own_file.is_one(path):
            raise _damaged(folder, "its beginning is not that of a store")
        if not (folder / KEY).is_file():
            raise _damaged(folder, f"{KEY} is missing: put it back from a copy")
        database = own_file.connect(path)
        try:
            if own_file.marks(database) != (APPLICATION, VERSION):
                raise BadInput("this file is no mission's store, or of another version", file=path, check="O.020")
            if (found := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise _damaged(folder, str(found))
            return Keep(folder, database, _key_in(folder))
        except BaseException:
            database.close()
            raise


def _key_in(folder: Path) -> Ed25519PrivateKey:
    """The mission's key: the one of the folder, or a new one."""
    path = folder / KEY
    if not path.exists():
        own_file.write(path, f"{Ed25519PrivateKey.generate().private_bytes_raw().hex()}\n".encode())
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except ValueError:
        raise _damaged(folder, f"{KEY} is no key: put it back from a copy") from None


def _bytes_of(event: Event, before: str) -> bytes:
    body = {"n": event.n, "at": event.at, "by": event.by, "kind": event.kind, "body": event.body, "before": before}
    return canonical(body)


def _event_of(data: bytes) -> tuple[Event, str]:
    """An event and what it names as the one before. Raises MissionError."""
    match parse(data):
        case {
            "n": int(n), "at": str(at), "by": str(by), "kind": str(kind), "body": dict(body), "before": str(before), **rest
        } if not rest:  # fmt: skip
            return Event(n, at, by, kind, body), before
    raise MissionError("an event that is not written as one")


def chain(events: Sequence[Event]) -> str:
    """The head that a whole log amounts to: for whoever checks a copy of it."""
    before = FIRST
    for event in events:
        before = sha256(_bytes_of(event, before)).hexdigest()
    return before


def _disk(folder: Path) -> AbstractContextManager[None]:
    """What SQLite and the disk say, as one message."""

    def in_use() -> BadInput:
        return BadInput("another program has this mission open; end it first", file=folder, check="O.022")

    return own_file.disk(in_use, lambda why: _damaged(folder, why))


def _damaged(folder: Path, why: str) -> BadInput:
    message = f"the mission's store cannot be trusted or written ({why}); keep it as it is, and look at the disk"
    return BadInput(message, file=folder, check="O.021")
