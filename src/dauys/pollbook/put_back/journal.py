"""What may the database not forget? A journal beside the keys: packages made, machines enrolled and lost, and how much was heard.

One file, a line of canonical JSON for each fact, appended and on the disk before anybody is told; for its owner alone. It is held
against the database when the centre starts, each minute, and before each of these acts. What the database lacks says that it
was put back from a copy: the poll is marked (`pollbook.centre.mark`), and the facts are entered again, so that a machine that was
enrolled since is known by its key, heard or not. Where the database counts more acts than stand in the journal, that was put
back, too: the mark is `blind`.

    {"poll", "what": "begun", "journal"}      the journal of a poll begins; the name of the file, the same for all polls
    {"poll", "what": "acts"}                  before each act; the database counts them, too
    {"poll", "what": "package", "station", "generation", "proof", "voters", "made", "changes"}     `proof` "": void
    {"poll", "what": "key", "station", "generation", "key"}
    {"poll", "what": "lost" | "works", "station", "generation", "changes"}     works: it was not lost after all
    {"poll", "what": "heard", "events", "series"}       so many events of all logs are in the database

A machine is declared lost, that is taken back, and it is lost all the same: `changes` is how often it was said or taken back; of
a package, how often one was made, or made void. The database counts, too (0026, 0029), and the higher number is the later word,
in whatever order the lines were written, and by whatever clock.

Where the database has fewer events than the journal, the poll is marked, and that count is over: what a machine that is gone had
sent never comes back. It begins again with the next `series`, of which the database knows from the transaction of the mark on; a
database that does not know of it is a copy of before.

Several machines may serve one database, each with a journal: what another one did is entered when it is seen.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.pollbook.centre import packages as packages_noted
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import Cursor, cursor
from dauys.pollbook.log.events import PAPER, LogId
from dauys.pollbook.put_back.restored import adopt, declared_lost, told, void_before, works_again
from dauys.record.canonical import canonical, parse
from dauys.store.engine import Connection

FILE = "pollbook.journal"
LONGEST = 4096
"""Bytes of a line, at most."""

Line = dict[str, Any]
Name = tuple[str, int]
"""Station and generation."""


@dataclass(slots=True)
class Facts:
    """What is known of one poll. `packages`: the newest line of each; `changes`: how often each machine was declared lost, or
    that was taken back (odd: lost); `events`: how many there were, in this `series`; `names`: what there is of each station;
    `began`: by its proof, the package with which the machine of a key enrolled."""

    journal: str = ""
    acts: int = 0
    packages: dict[Name, Line] = field(default_factory=dict)
    keys: dict[Name, str] = field(default_factory=dict)
    changes: dict[Name, int] = field(default_factory=dict)
    events: int = 0
    series: int = 0
    names: dict[str, set[Name]] = field(default_factory=dict)
    began: dict[Name, str] = field(default_factory=dict)

    def learn(self, line: Line) -> None:
        """One line more."""
        if "station" in line:
            self.names.setdefault(line["station"], set()).add(_name(line))
        match line["what"]:
            case "begun":
                self.journal = line["journal"]
            case "acts":
                self.acts += 1
            case "package":
                known = self.packages.get(_name(line))
                if "changes" not in line:  # of before they were counted: in order, and before all that are
                    again = known is not None and known["changes"] > 1
                    line = {**line, "changes": 2 if not line["proof"] else 3 if again else 1}
                    known = None
                if known is None or line["changes"] >= known["changes"]:
                    self.packages[_name(line)] = line
            case "key":
                self.keys[_name(line)] = line["key"]
                self.began[_name(line)] = self.packages.get(_name(line), {}).get("proof", "")
            case "lost" | "works" as what:  # a line of before they were counted: the first of its kind
                said = line.get("changes", 1 if what == "lost" else 2)
                self.changes[_name(line)] = max(said, self.changes.get(_name(line), 0))
            case "heard":
                series = line.get("series", 0)
                before = {self.series: self.events}.get(series, 0)
                if series >= self.series:
                    self.series, self.events = series, max(before, line["events"])

    def of(self, station: str | None) -> Facts:
        """Those of one station, or all; a value of its own."""
        if station is None:
            packages, keys, changes, began = dict(self.packages), dict(self.keys), dict(self.changes), dict(self.began)
        else:
            names = self.names.get(station, set())
            packages = {name: self.packages[name] for name in names if name in self.packages}
            keys = {name: self.keys[name] for name in names if name in self.keys}
            changes = {name: self.changes[name] for name in names if name in self.changes}
            began = {name: self.began[name] for name in names if name in self.began}
        return Facts(self.journal, self.acts, packages, keys, changes, self.events, self.series, began=began)

    def beyond(self, other: Facts) -> list[Line]:
        """The lines that say what is here, and not there. A key that is another one there is none."""
        found = [line for name, line in self.packages.items() if _lacks(other.packages.get(name), line)]
        found += [_line("key", name, key=key) for name, key in self.keys.items() if name not in other.keys]
        later = [(name, n) for name, n in sorted(self.changes.items()) if n > other.changes.get(name, 0)]
        return found + [_line("lost" if n % 2 else "works", name, changes=n) for name, n in later]


def _name(line: Line) -> Name:
    return line["station"], line["generation"]


def _line(what: str, name: Name, **more: Any) -> Line:
    return {"what": what, "station": name[0], "generation": name[1], **more}


def _lacks(known: Line | None, line: Line) -> bool:
    """Whether who knows that line of a package lacks this one; of the same number, where it is another package."""
    mine, theirs = ((-1, "") if one is None else (one["changes"], one["proof"]) for one in (known, line))
    return mine[0] < theirs[0] or (mine[0] == theirs[0] and mine[1] != theirs[1])


class Journal:
    """The file at `path`; several processes append to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._read = 0
        self._facts: dict[str, Facts] = {}

    @contextmanager
    def acting(self, engine: sa.Engine, poll: str, station: str, at: datetime) -> Iterator[Connection]:
        """A transaction in which a package is made, or a machine enrolled, shown or lost: first the books are held against each
        other, and what came of it is on the disk before anybody hears of it."""
        with engine.begin() as connection:
            self.hold(connection, poll, at, station)
        ours = self._append(poll, [{"what": "acts"}])
        try:
            with engine.begin() as connection:
                count = "UPDATE pollbook_journal SET acts = greatest(acts, %s) WHERE poll = %s AND id = %s"
                cursor(connection).execute(count, (ours.acts, poll, ours.journal))
                yield connection
                # from the commit on, any process gives such a machine rights: by then it is written. If there is no commit after
                # all, the poll is marked, which costs time and nothing else
                new = in_database(cursor(connection), poll, station).beyond(self._of(poll, station))
                self._append(poll, [line for line in new if line["what"] == "works"])
        finally:
            with engine.begin() as connection:
                here = in_database(cursor(connection), poll, station)
            self._append(poll, here.beyond(self._of(poll, station)))

    def hold(self, connection: Connection, poll: str, at: datetime, station: str | None = None) -> str:
        """Holds the journal against the database, of one station or as a whole; what showed that one was put back, or nothing.

        In the caller's transaction, to be committed whatever follows. Raises DauysError where the file cannot be read.
        """
        cur = cursor(connection)
        ours = self._of(poll, station)  # read first: what stands in it is in the database by now
        if not ours.journal:
            self._append(poll, [{"what": "begun", "journal": self._name()}])
            ours = self._of(poll, station)
        row = cur.execute(
            "INSERT INTO pollbook_journal (poll, id, begun, late) VALUES (%(poll)s, %(id)s, %(at)s, "
            "EXISTS (SELECT FROM pollbook_package p WHERE p.poll = %(poll)s) "
            "OR EXISTS (SELECT FROM pollbook_log l WHERE l.poll = %(poll)s)) "
            "ON CONFLICT (poll, id) DO UPDATE SET id = excluded.id RETURNING acts, series",
            {"poll": poll, "id": ours.journal, "at": at},
        ).fetchone()  # fmt: skip
        assert row is not None
        known = in_database(cur, poll, station)
        gone = station is None and (row.series, known.events) < (ours.series, ours.events)
        why = self._forgotten(connection, poll, ours, known, gone, at)
        acts = self._of(poll, "").acts  # read last: an act is in the journal before it is in the database
        if row.acts > acts:
            why = "the journal beside the keys has fewer acts than the database counts: it was put back from a copy"
            mark(cur, poll, why, at, blind=True)
            cur.execute("UPDATE pollbook_journal SET acts = %s, late = true WHERE poll = %s AND id = %s",
                        (acts, poll, ours.journal))  # fmt: skip
        if station is None:
            cur.execute(
                "UPDATE pollbook_journal j SET held = (SELECT coalesce(max(id), 0) FROM pollbook_restored r "
                "WHERE r.poll = j.poll) WHERE j.poll = %s AND j.id = %s", (poll, ours.journal),
            )  # fmt: skip
        here = in_database(cur, poll, station)
        new, series = here.beyond(self._of(poll, station)), ours.series + 1 if gone else row.series
        if station is None and (series, here.events) > (ours.series, ours.events):
            new.append({"what": "heard", "events": here.events, "series": series})
        self._append(poll, new)
        return why

    def vouches(self, connection: Connection, poll: str) -> bool:
        """Whether every machine that was enrolled is known: this journal was begun before there was any, and each other one that
        was written for the poll has been held against the database since it was marked last."""
        query = (
            "SELECT FROM pollbook_journal j WHERE poll = %(poll)s AND id = %(id)s AND NOT late AND NOT EXISTS ("
            "SELECT FROM pollbook_journal o WHERE o.poll = j.poll AND o.id <> j.id "
            "AND o.held < (SELECT max(id) FROM pollbook_restored WHERE poll = j.poll))"
        )
        return cursor(connection).execute(query, {"poll": poll, "id": self._of(poll, "").journal}).rowcount > 0

    def _forgotten(
        self, connection: Connection, poll: str, ours: Facts, here: Facts, gone: bool, at: datetime
    ) -> str:  # fmt: skip
        """Marks the poll where the database lacks what the journal has, and enters that again; `gone`: it lacks events."""
        lacking = ours.beyond(here)
        if not lacking and not gone:
            return ""
        some = ", ".join(f"{line['station']}/{line['generation']} {line['what']}" for line in lacking[:5])
        why = f"the database lacks what the journal beside the keys has: {some or 'events of the logs'}"
        mark(cursor(connection), poll, why, at, again=True, counted=ours.events if gone else 0)
        if gone:  # what was counted is over by this mark
            again = "UPDATE pollbook_journal SET series = %s WHERE poll = %s AND id = %s"
            cursor(connection).execute(again, (ours.series + 1, poll, ours.journal))
        vouched = self.vouches(connection, poll)
        for line in lacking:
            _enter(connection, LogId(poll, *_name(line)), line, here, ours, vouched)
        return why

    def _name(self) -> str:
        """That of the file; a new one for a new file."""
        return next((facts.journal for facts in list(self._facts.values()) if facts.journal), secrets.token_hex(8))

    def polls(self) -> list[str]:
        """The polls of which something is in it."""
        self._of("")
        return [poll for poll, facts in list(self._facts.items()) if facts.journal]

    def _of(self, poll: str, station: str | None = None) -> Facts:
        """What the file says now, of a poll; of one station, or of all."""
        with self._lock:
            size = self.path.stat().st_size if self.path.exists() else 0
            if size < self._read:  # another one lies there now
                self._read, self._facts = 0, {}
            if size > self._read:
                with self.path.open("rb") as file:
                    file.seek(self._read)
                    self._learn(file.read())
            return self._facts.setdefault(poll, Facts()).of(station)

    def _learn(self, data: bytes) -> None:
        whole = data[: data.rfind(b"\n") + 1]
        for text in whole.splitlines():
            try:
                line = parse(text)
                assert isinstance(line, dict)
                self._facts.setdefault(str(line.pop("poll")), Facts()).learn(line)
            except (DauysError, AssertionError, KeyError, TypeError):
                raise DauysError(
                    f"{self.path} is damaged: move it away. What it says is not known then: `dauys pollbook restored` asks for it"
                ) from None
        self._read += len(whole)

    def _append(self, poll: str, lines: Sequence[Line]) -> Facts:
        """On the disk when this returns; what the file says then."""
        if not lines:
            return self._of(poll, "")
        data = b"".join(canonical({"poll": poll, **line}) + b"\n" for line in lines)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            tail = os.pread(handle, LONGEST, max(0, size - LONGEST))
            if tail and not tail.endswith(b"\n"):  # the power went while it was written: nobody was told of that line
                os.ftruncate(handle, size - len(tail) + tail.rfind(b"\n") + 1)
            if os.write(handle, data) != len(data):
                raise DauysError(f"{self.path} cannot be written: is the disk full?")
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        return self._of(poll, "")


def in_database(cur: Cursor, poll: str, station: str | None = None) -> Facts:
    """The same facts as the database has them, of one station or of all."""
    facts = Facts()
    asked = {"poll": poll, "station": station, "paper": PAPER}
    for row in cur.execute(
        "SELECT station, generation, changes, proof, voters, made FROM pollbook_packing "
        "LEFT JOIN pollbook_package USING (poll, station, generation) WHERE poll = %(poll)s "
        "AND (%(station)s::text IS NULL OR station = %(station)s)",
        asked,
    ):
        made = {"proof": "", "voters": 0, "made": ""}  # it is void
        if row.made is not None:
            made = {"proof": bytes(row.proof).hex(), "voters": row.voters, "made": row.made.astimezone(UTC).isoformat()}
        name = (row.station, row.generation)
        facts.packages[name] = _line("package", name, **made, changes=row.changes)
    for row in cur.execute(
        "SELECT station, generation, key, lost_changes, n FROM pollbook_log "
        "WHERE poll = %(poll)s AND generation <= %(paper)s "
        "AND (%(station)s::text IS NULL OR station = %(station)s)",
        asked,
    ):
        name = (row.station, row.generation)
        facts.events += row.n
        if row.key:
            facts.keys[name] = bytes(row.key).hex()
        if row.lost_changes:
            facts.changes[name] = row.lost_changes
    return facts


def _enter(
    connection: Connection, log: LogId, line: Line, here: Facts, ours: Facts, vouched: bool
) -> None:  # fmt: skip
    """Enters one fact again; `vouched`: the journal has every machine that enrolled."""
    name = (log.station, log.generation)
    match line["what"]:
        case "package":
            known, changes = here.packages.get(name), line["changes"]
            if (
                known is not None and known["changes"] == changes
            ):  # made here, before anybody knew: it stays as the later one
                changes += 1
            elif line["proof"] == "":
                if name not in here.keys:
                    void_before(connection, log, vouched=vouched)
            else:
                told(connection, log, remade=True)
                made = datetime.fromisoformat(line["made"])
                packages_noted.note_package(connection, log, bytes.fromhex(line["proof"]), made, line["voters"])
            cursor(connection).execute(
                "INSERT INTO pollbook_packing AS c VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (poll, station, generation) DO UPDATE SET changes = greatest(c.changes, excluded.changes)",
                (log.poll, *name, changes),
            )
        case "key" if name not in here.keys:
            proof = here.packages.get(name, {}).get("proof", "")
            adopt(connection, log, bytes.fromhex(line["key"]), packed=proof != "" and proof == ours.began.get(name))
        case "lost":
            declared_lost(connection, log, line["changes"])
        case "works":  # since the copy it may have been given anything: it has to be heard, or declared lost again
            works_again(connection, log, line["changes"])
