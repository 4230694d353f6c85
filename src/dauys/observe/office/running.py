"""What goes on beside a mission's pages: the official record is read again, what waits is sent, a witness looks after the log.

A mission works with the wire cut: what cannot be sent is signed, kept, and sent again. Each entry has an id of its own, so that
sending one twice changes nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from dauys.errors import DauysError
from dauys.observe.known.keep import Keep
from dauys.observe.known.model import MissionError
from dauys.observe.known.official import Held, Official, read_official, record_address
from dauys.observe.office.sending import Photos, Put, put, said_of
from dauys.record.entry import Entry, sign_entry
from dauys.record.note import COSIGNATURE, SigningKey, VerifierKey
from dauys.record.witness import WitnessRefusal
from dauys.record.witness_run import witness_once

SECONDS, CONNECTING = 20.0, 5.0
"""For one entry to be sent; for a connection to be made."""

Post = Callable[[str, bytes], tuple[int, str]]
"""Sends the bytes to an address: status and text of the answer. Raises DauysError where there is none."""


class Refused(DauysError):
    """The official record does not take an entry; sending it again would not help."""


def post(address: str, data: bytes) -> tuple[int, str]:
    """Over HTTP."""
    try:
        answer = httpx.post(
            address,
            content=data,
            headers={"Content-Type": "application/json"},
            timeout=httpx.Timeout(SECONDS, connect=CONNECTING),
        )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise DauysError(f"{address} cannot be reached: {error}") from None
    return answer.status_code, answer.text[:2000]


RECORDS = "records"
"""What is kept of each record that the mission followed, by its log's key: poll, source, size, root, signed checkpoint."""

Read = Callable[[str, str, Official | None, Held], Official]


class Reading:
    """The official record as it was read last. Used by several threads; one of them reads at a time.

    What was followed is kept in the mission's folder: the record must extend it after a stop of the program, too, and from
    whatever address it is read.
    """

    def __init__(self, keep: Keep, read: Read = read_official) -> None:
        self._keep, self._read = keep, read
        self._lock = threading.Lock()
        self._found: tuple[str, Official] | None = None
        self._fault = ""

    def official(self) -> Official | None:
        """What was read last, of the record that the mission follows now; None: nothing yet."""
        identity, found = self._keep.mission.identity, self._found
        return found[1] if identity is not None and found is not None and found[0] == identity.source else None

    def fault(self) -> str:
        """Why it could not be read the last time; empty where it could."""
        return self._fault

    def mission_is_set_up(self) -> bool:
        return self._keep.mission.identity is not None

    def look(self, source: str, log_key: str) -> Official:
        """Reads the record of another source, before the mission follows it; what was read is not read again then."""
        with self._lock:
            before = self._found[1] if self._found is not None and self._found[0] == source else None
            found = self._held(source, log_key, before)
            self._found = source, found
            return found

    def refresh(self) -> Official:
        """Reads again. Raises DauysError: no record named, not to be read, or one that does not extend what was read."""
        identity = self._keep.mission.identity
        if identity is None:
            raise MissionError("say first where the official record is")
        with self._lock:
            try:
                found = self._held(identity.source, identity.log_key, self.official())
                if found.poll.id != identity.poll:
                    raise MissionError(
                        f"this is the record of {found.poll.id}, and the mission observes {identity.poll}"
                    )
                self._remember(identity.source, found)
            except DauysError as error:
                self._fault = str(error)
                raise
            self._found, self._fault = (identity.source, found), ""
            return found

    def _held(self, source: str, log_key: str, before: Official | None) -> Official:
        """Reads, and holds what is read against what was followed before. Raises DauysError."""
        known = self._known()
        found = self._read(source, log_key, before, {key: (one["size"], one["root"]) for key, one in known.items()})
        for key, one in known.items():
            if key != found.log_key and (one["source"], one["poll"]) == (source, found.poll.id):
                raise DauysError(
                    f"this mission follows the record of {key} at this address, not of {found.log_key}. "
                    "Keep both checkpoints: they are evidence. A new log needs a new mission"
                )
        return found

    def _remember(self, source: str, found: Official) -> None:
        known = self._known()
        now = {"poll": found.poll.id, "source": source, "size": found.size, "root": found.root, "note": found.note}
        if known.get(found.log_key) != now:
            self._keep.keep(RECORDS, json.dumps(known | {found.log_key: now}))

    def _known(self) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = json.loads(self._keep.kept(RECORDS) or "{}")
        return known


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that is signed and not in the record yet. `why`: what stood in the way the last time."""

    id: str
    kind: str
    entry: bytes
    why: str = ""


class Outbox:
    """What a mission says to the official record. Used by several threads. `photos` go to the commission beside it."""

    def __init__(self, keep: Keep, clock: Callable[[], datetime], post: Post = post, put: Put = put) -> None:
        self._keep, self._clock, self._post = keep, clock, post
        self.photos = Photos(keep, clock, site_of, put)
        self._lock = threading.RLock()
        kept = json.loads(keep.kept("outbox") or "[]")
        self._waiting = tuple(Waiting(one["id"], one["kind"], one["entry"].encode(), one["why"]) for one in kept)
        """Replaced, never changed: pages read it while something is being sent, which may take long."""

    def waiting(self) -> Sequence[Waiting]:
        return self._waiting

    def send(self, kind: str, entry_id: str, body: Mapping[str, Any]) -> int | None:
        """Signs an entry as the organisation and sends it: its place in the record, or None where it waits for the wire.

        What was sent already is not sent again. Raises MissionError where it is not known who signs, Refused where the
        record does not take it; then nothing is kept.
        """
        with self._lock:
            mission = self._keep.mission
            if (sent := mission.sent.get(entry_id)) is not None:
                return sent.index
            if any(one.id == entry_id for one in self._waiting):
                return None
            identity = mission.identity
            if identity is None:
                raise MissionError("say first who the mission is and where the official record is")
            at = self._clock()
            entry = Entry(
                identity.poll, kind, entry_id, at.isoformat(timespec="seconds"), f"organisation/{identity.code}", body
            )
            waits = Waiting(entry_id, kind, sign_entry(entry, self._keep.key).to_bytes())
            try:
                return self._deliver(waits)
            except Refused:
                raise
            except DauysError as error:
                self._store(*self._waiting, replace(waits, why=str(error)))
                return None

    def flush(self) -> None:
        """Tries again to send what waits, oldest first; stops where the wire is cut. What is refused stays, with its reason."""
        with self._lock:
            for one in self._waiting:
                others = [other for other in self._waiting if other.id != one.id]
                try:
                    self._deliver(one)
                except DauysError as error:
                    said = replace(one, why=str(error))
                    self._store(*(said if other.id == one.id else other for other in self._waiting))
                    if not isinstance(error, Refused):
                        break
                else:
                    self._store(*others)

    def drop(self, entry_id: str) -> None:
        """Gives up an entry that waits."""
        with self._lock:
            self._store(*(one for one in self._waiting if one.id != entry_id))

    def _deliver(self, one: Waiting) -> int | None:
        identity = self._keep.mission.identity
        assert identity is not None
        status, text = self._post(entries_address(identity.source, identity.poll), one.entry)
        if status not in (200, 201):
            refused = 400 <= status < 500 and status not in (408, 425, 429)
            raise (Refused if refused else DauysError)(
                f"the official record did not take it ({status}): {said_of(text)}"
            )
        try:
            index = json.loads(text)["index"]
        except (ValueError, KeyError, TypeError):
            raise DauysError("the official record took it and gave no receipt") from None
        body = {"id": one.id, "entry_kind": one.kind, "index": index, "entry": one.entry.decode()}
        self._keep.append("sent", body, "office", self._clock())
        return int(index)

    def _store(self, *waiting: Waiting) -> None:
        self._waiting = waiting
        kept = [{"id": o.id, "kind": o.kind, "entry": o.entry.decode(), "why": o.why} for o in waiting]
        self._keep.keep("outbox", json.dumps(kept))


def entries_address(source: str, poll: str) -> str:
    """Where the site of a record takes what organisations sign. Raises DauysError for a folder, which takes nothing."""
    if not source.startswith(("http://", "https://")):
        raise DauysError("the official record is a folder: it takes nothing. Name the address of the commission's site")
    return f"{site_of(source)}/api/polls/{poll}/observers/entries"


def site_of(source: str) -> str:
    """The site that a record's address is on: `http://host/record/POLL` is on `http://host`, below whatever path."""
    parts = urlsplit(record_address(source))
    return f"{parts.scheme}://{parts.netloc}{parts.path.partition('/record/')[0]}"


class Witness:
    """The mission's own witness: it cosigns the checkpoints of the official record, and refuses one that rewrites it."""

    def __init__(self, keep: Keep, name: str, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._keep = keep
        self._folder = keep.folder / "witness"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / "witness.key"
        if not path.exists():
            SigningKey.generate(name, COSIGNATURE).save(path)
        self._key = SigningKey.load(path)
        self.said: dict[str, Any] = {"at": "", "size": 0, "posted": False, "refused": "", "fault": ""}

    @property
    def vkey(self) -> str:
        """What the commission needs to accredit the witness."""
        return str(self._key.vkey)

    def round(self, at: datetime) -> None:
        """One look at the log. What was found stands in `said`."""
        identity = self._keep.mission.identity
        if identity is None:
            return
        source = record_address(identity.source) if "://" in identity.source else identity.source
        pinned = VerifierKey.parse(identity.log_key) if identity.log_key else None
        said: dict[str, Any] = {
            "at": at.isoformat(),
            "size": self.said["size"],
            "posted": False,
            "refused": "",
            "fault": "",
        }
        try:
            report = witness_once(source, self._key, self._folder, int(self._seconds()), log_key=pinned)
            said |= {"size": report.size, "posted": report.posted}
        except WitnessRefusal as error:
            said["refused"] = str(error)
        except (DauysError, OSError) as error:
            said["fault"] = str(error)
        self.said = said


class Beside:
    """A thread that reads the record again, sends what waits and lets the witness look, every so many seconds."""

    def __init__(
        self, reading: Reading, outbox: Outbox, witness: Witness | None, clock: Callable[[], datetime], every: float
    ) -> None:
        self._reading, self._outbox, self._witness = reading, outbox, witness
        self._clock, self._every = clock, every
        self._ended, self._poked = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="mission", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._poked.set()
        if self._thread.is_alive():
            self._thread.join(timeout=SECONDS)

    def poke(self) -> None:
        """Goes round now."""
        self._poked.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._round()
            self._poked.wait(self._every)
            self._poked.clear()

    def _round(self) -> None:
        if self._reading.mission_is_set_up():
            for act in (self._reading.refresh, self._outbox.flush, self._outbox.photos.flush):
                try:
                    act()
                except (DauysError, OSError):  # it stands in `fault` and in `why`; the next round tries again
                    continue
            if self._outbox.photos.more:
                self.poke()
            if self._witness is not None:
                self._witness.round(self._clock())
