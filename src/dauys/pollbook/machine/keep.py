"""Where does a station keep its pollbook, so that nothing acknowledged is ever lost and nobody reads the disk?

One SQLite file (write-ahead log, `synchronous=FULL`, one program at a time). An event is on the disk before `append`
returns; none is stored before the centre has answered this machine once under its own signature (docs/custody.md). The file
holds: the package's content, the later lines of the list, the station's signing key, the lease (each AES-256-GCM under the
station's key, which lies outside the file) and the log (which holds nobody's name), each event with a mark (HMAC-SHA256
under the same key): the chain protects every event but the last one.

Opening reads everything: the chain of the log, each seal. A file that is damaged, of another station, or in use is
refused with one message. A file that was put back from an old copy is whole; the centre's next answer tells
(`Book.hear`).
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dauys import own_file
from dauys.errors import BadInput
from dauys.pollbook.log.events import MAX_BATCH_EVENTS, Batch, Event, LogError, LogId, sign_batch
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.grants import Answer
from dauys.pollbook.wire.package import NONCE_BYTES, Package, Voter
from dauys.record.canonical import canonical, parse

APPLICATION = 0x44617579
"""SQLite's application id of a station's store: "Dauy"."""

VERSION = 2
"""Version 1 kept the mark by which the machine had last said that this is all, and an answer that names no batch: nobody reads
these any more. Such a file is opened, and is then of this version."""

_TABLES = """
CREATE TABLE kept (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE event (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL, mark BLOB NOT NULL) STRICT;
CREATE TABLE late (entitlement BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""


class Keep:
    """An open store and the book that it amounts to. Used by several threads, by one program."""

    def __init__(self, path: Path, database: sqlite3.Connection, seal_key: bytes, package: Package) -> None:
        """Not for callers: `create` and `open_keep` make one."""
        self.path = path
        self._database = database
        self._seal = AESGCM(seal_key)
        self._mark = hmac.digest(seal_key, b"dauys pollbook event", sha256)
        self._lock = threading.RLock()
        self.package = package
        self.acknowledged = 0
        self.book = Book.of(package)
        self.key: Ed25519PrivateKey

    @property
    def log(self) -> LogId:
        return self.package.log

    @contextmanager
    def acting(self) -> Iterator[Book]:
        """The book, for one act: read, decide and `append` inside, so that no other thread comes between."""
        with self._lock:
            yield self.book

    def append(self, event: Event) -> Event:
        """Stores an event durably and folds it into the book; only then may anybody be told.

        Raises LogError or CustodyError where it may not follow, BadInput P.015 where the disk fails; the book is then
        unchanged, and so is the file.
        """
        with self._lock:
            if not self.book.told:
                raise LogError("the centre does not know this machine yet; nothing is noted before", "P.018")
            self.book.check(event)
            data = event.to_bytes()
            with _disk(self.path), self._database:
                row = (event.n, data, hmac.digest(self._mark, data, sha256))
                self._database.execute("INSERT INTO event VALUES (?, ?, ?)", row)
            self.book.apply(event)
            return event

    def events(self, first: int = 1, most: int = MAX_BATCH_EVENTS) -> list[Event]:
        """Events from `first` on."""
        with self._lock, _disk(self.path):
            rows = self._database.execute(
                "SELECT bytes FROM event WHERE n >= ? ORDER BY n LIMIT ?", (first, most)
            ).fetchall()
        return [Event.from_bytes(data) for (data,) in rows]

    def batch(self, first: int | None = None, most: int = 1000) -> Batch:
        """What the centre has not acknowledged (or from `first` on), signed; without events it is a sign of life."""
        with self._lock:
            first = self.acknowledged + 1 if first is None else min(first, self.book.head.n + 1)
            events = self.events(first, most)
            head = events[-1].head.hash if events else self.book.head.hash
            return sign_batch(self.log, first, events, head, self.key)

    @property
    def public(self) -> bytes:
        """The public half of this machine's own key, 32 bytes: what the centre knows it by."""
        return self.key.public_key().public_bytes_raw()

    def hear(self, answer: Answer) -> str:
        """Keeps what the centre acknowledged, its lease and its stop; returns why to stop, or nothing."""
        with self._lock:
            stopped = self.book.hear(answer)
            newest = answer.acknowledged.n >= self.acknowledged
            if not stopped:
                self.acknowledged = max(self.acknowledged, answer.acknowledged.n)
            self._keep(
                acknowledged=str(self.acknowledged),
                lease=self.book.lease.isoformat(),
                stopped=self.book.stopped,
                told="yes",
                lost="yes" if self.book.lost else "",
                **({"answer": answer.said.decode()} if newest and answer.said else {}),
            )
            return stopped

    @property
    def last_word(self) -> bytes:
        """The answer by which the centre acknowledged the most, as it signed it: for a centre that has forgotten it."""
        with self._lock, _disk(self.path):
            return (self._read("answer") or "").encode()

    def stop(self, why: str) -> None:
        """Stops this machine for good: the centre does not take its key. What it has stays as it is."""
        with self._lock:
            self.book.stopped = why
            self._keep(stopped=why)

    def add_voter(self, voter: Voter) -> None:
        """Keeps the line of somebody whose right comes by a grant. Store it before the `receive`."""
        with self._lock:
            sealed = self._sealed(canonical(voter.to_json()), voter.entitlement.bytes)
            with _disk(self.path), self._database:
                self._database.execute("INSERT OR REPLACE INTO late VALUES (?, ?)", (voter.entitlement.bytes, sealed))
            self.book.add_voter(voter)

    def keep(self, name: str, value: str) -> None:
        """Keeps a text of the program's own (an officer's PIN hash, the printed list's number) under `x-<name>`."""
        with self._lock:
            self._keep(**{f"x-{name}": value})

    def kept(self, name: str) -> str | None:
        """What was kept so."""
        with self._lock, _disk(self.path):
            return self._read(f"x-{name}")

    def forget(self, name: str) -> None:
        """Deletes what was kept so."""
        with self._lock, _disk(self.path), self._database:
            self._database.execute("DELETE FROM kept WHERE name = ?", (f"x-{name}",))

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _keep(self, **values: str) -> None:
        with _disk(self.path), self._database:
            for name, value in values.items():
                sealed = self._sealed(value.encode(), name.encode())
                self._database.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, sealed))

    def _read(self, name: str) -> str | None:
        row = self._database.execute("SELECT sealed FROM kept WHERE name = ?", (name,)).fetchone()
        return None if row is None else _unsealed(self._seal, row[0], name.encode(), self.path).decode()

    def _sealed(self, plain: bytes, name: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, plain, name)

    def _load(self) -> None:
        """Everything after the package: key, late lines, log, what the centre said."""
        secret = self._read("key")
        if secret is None:
            raise _damaged(self.path, "the station's key is not in it")
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
        for who, sealed in self._database.execute("SELECT entitlement, sealed FROM late"):
            self.book.add_voter(Voter.from_json(parse(_unsealed(self._seal, sealed, who, self.path))))
        try:
            for n, data, mark in self._database.execute("SELECT n, bytes, mark FROM event ORDER BY n"):
                if not hmac.compare_digest(mark, hmac.digest(self._mark, data, sha256)):
                    raise _damaged(self.path, f"event {n} was changed")
                if (event := Event.from_bytes(data)).n != n:
                    raise _damaged(self.path, f"event {event.n} stands in the place of event {n}")
                self.book.apply(event)
        except (LogError, CustodyError) as error:
            raise _damaged(self.path, str(error)) from None
        self.acknowledged = int(self._read("acknowledged") or 0)
        self.book.stopped = self._read("stopped") or ""
        self.book.told = self._read("told") is not None
        self.book.lost = bool(self._read("lost"))
        if (lease := self._read("lease")) is not None:
            self.book.lease = datetime.fromisoformat(lease)
        if self.acknowledged > self.book.head.n:
            lost = f"the centre has {self.acknowledged} events of it, the file {self.book.head.n}"
            raise _damaged(self.path, lost)


def create(path: Path, package: Package, seal_key: bytes, station_key: Ed25519PrivateKey) -> Keep:
    """A new store for a package. `seal_key` (32 bytes) must be kept outside the file. An existing file is refused."""
    if path.exists():
        raise BadInput("there is a store already; it is never overwritten", file=path, check="P.016")
    with _disk(path), own_file.making(path, _TABLES, APPLICATION, VERSION) as (database, draft):
        keep = Keep(draft, database, seal_key, package)
        log = package.log
        names = {"poll": log.poll, "station": log.station, "generation": log.generation}
        content = canonical({**names, "content": package.content()}).decode()
        keep._keep(package=content, key=station_key.private_bytes_raw().hex())
    return open_keep(path, seal_key)


def open_keep(path: Path, seal_key: bytes, expected: LogId | None = None) -> Keep:
    """The store at `path`, read through. Raises BadInput: P.015 damaged, P.016 not this one's store, P.017 in use."""
    if not path.is_file():
        raise BadInput("there is no store; enrol the station first", file=path, check="P.016")
    with _disk(path):
        if not own_file.is_one(path):
            raise BadInput("this file is no station's store, or its beginning is damaged", file=path, check="P.016")
        database = own_file.connect(path)
        try:
            return _opened(path, database, seal_key, expected)
        except BaseException:
            database.close()
            raise


def _opened(path: Path, database: sqlite3.Connection, seal_key: bytes, expected: LogId | None) -> Keep:
    application, version = own_file.marks(database)
    if application != APPLICATION or version not in (1, VERSION):
        raise BadInput("this file is no station's store, or of another version", file=path, check="P.016")
    if (found := database.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
        raise _damaged(path, str(found))
    row = database.execute("SELECT sealed FROM kept WHERE name = 'package'").fetchone()
    if row is None:
        raise _damaged(path, "the list is not in it")
    value = parse(_unsealed(AESGCM(seal_key), row[0], b"package", path))
    if not isinstance(value, dict):
        raise _damaged(path, "its list is none")
    log = LogId(str(value["poll"]), str(value["station"]), int(str(value["generation"])))
    if expected is not None and log != expected:
        raise BadInput("the store of another station", file=path, found=log, expected=str(expected), check="P.016")
    keep = Keep(path, database, seal_key, Package.of_content(log, value["content"]))
    keep._load()
    if version < VERSION:
        with database:
            database.execute("DELETE FROM kept WHERE name IN ('mark', 'answer')")
            database.execute(f"PRAGMA user_version = {VERSION}")
    return keep


def _disk(path: Path) -> AbstractContextManager[None]:
    """What SQLite and the disk say, as one message."""

    def in_use() -> BadInput:
        return BadInput("another program has the store open; end it first", file=path, check="P.017")

    return own_file.disk(in_use, lambda why: _damaged(path, why))


def _unsealed(seal: AESGCM, sealed: object, name: bytes, path: Path) -> bytes:
    with suppress(InvalidTag, ValueError, TypeError):
        if isinstance(sealed, bytes):
            return seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name)
    raise _damaged(path, "a sealed part does not open with this key")


def _damaged(path: Path, why: str) -> BadInput:
    message = f"the store cannot be trusted ({why}); keep it as it is, and tell the centre"
    return BadInput(message, file=path, check="P.015")
