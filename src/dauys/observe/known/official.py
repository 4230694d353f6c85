"""What does the official record say by now: the poll, its stations, each station's protocol with its place?

The record is read from its signed checkpoint and its entries alone, from a folder or over HTTP. Every entry is hashed: what is
said here is what the checkpoint's root commits to, and a later reading must extend an earlier one. Whether the entries keep the
rules of a poll (signatures of authors, sums, decisions) is the question of `dauys verify`, not asked again here.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.entries import ABOUT_OBSERVERS
from dauys.record.checkpoint import Checkpoint
from dauys.record.checkpoint import verify as verify_checkpoint
from dauys.record.entry import Entry
from dauys.record.merkle import Frontier, leaf_hash
from dauys.record.note import NoteError, VerifierKey
from dauys.record.parts import Joining
from dauys.record.tiles import Fetch, NotPublished, TileError, folder_fetch, read_entries
from dauys.record.witness_run import http_fetch
from dauys.registers.poll import Poll, Station

SECONDS = 300.0
"""In which a record over HTTP is to be read."""

Held = Mapping[str, tuple[int, str]]
"""By a log's verifier key: the size and the root (hex) that were read of it before."""
NOTHING_HELD: Held = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Version:
    """What a protocol said before a correction: its values, its entry, and why the next entry replaced it."""

    values: Mapping[str, int]
    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """One station's protocol of one contest as the record has it now.

    `index` is the entry that says so (the protocol, or its last correction); `at` when the protocol entered (ISO 8601), for
    the order of arrival; `counted` whether it is in the official sums (no F number, not annulled); `earlier` what it said
    before each correction, oldest first.
    """

    values: Mapping[str, int]
    index: int
    at: str
    counted: bool
    checks: tuple[str, ...] = ()
    earlier: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class Official:
    """The record up to `size` entries under `root` (hex), as its signed checkpoint says. Key of `protocols`: (contest, station).

    `note` is the signed checkpoint as it was served: evidence, should another one be shown. `log_key` is the verifier key it
    was checked with. `annulled` maps (contest, station or area) to whether the vote is repeated. `observers` are the entries
    about observers (observe.accreditation) by their place, `declaration` is the body of the last one.
    """

    poll: Poll
    stations: Mapping[str, Station]
    protocols: Mapping[tuple[str, str], Published]
    size: int
    root: str
    declared: bool
    """Whether a declaration of the result stands in the record."""
    log_key: str = ""
    note: str = ""
    as_of: str = ""
    annulled: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    observers: Mapping[int, Entry] = field(default_factory=dict)
    declaration: Mapping[str, Any] | None = None
    tree: bytes = b""
    """The tree after these entries (record.merkle.Frontier): from it the next reading goes on."""

    def is_annulled(self, contest: str, station: str) -> bool:
        """Whether the station's vote is annulled, itself or with its area."""
        area = self.stations[station].area if station in self.stations else ""
        return (contest, station) in self.annulled or (contest, area) in self.annulled


def read_official(
    source: str, log_key: str = "", before: Official | None = None, held: Held = NOTHING_HELD
) -> Official:
    """The record at an address (`http://host/record/POLL`, or a page of the poll) or in a bundle's folder.

    With `before` only what is new is read, and it must extend what was read then. Without `log_key` the key is the one that
    the record itself names at first sight, and pinned by `before` from then on. `held` is what an earlier run of the program
    read: the record must extend that, too. Raises DauysError.
    """
    return read_record(fetch_of(source), log_key, before, held)


def fetch_of(source: str) -> Fetch:
    """Reads the files of a record at an address or in a folder. Raises BadInput where there is neither."""
    if source.startswith(("http://", "https://")):
        return http_fetch(record_address(source), SECONDS)
    try:
        there = bool(source) and Path(source).is_dir()
    except (OSError, ValueError):  # longer than a name may be, or with a byte that none has
        there = False
    if not there:
        raise BadInput(
            "there is no record", found=source, expected="the folder of a bundle, or http://HOST/record/POLL"
        )
    return folder_fetch(Path(source))


def record_address(address: str) -> str:
    """Where the record lies: the address of a poll's page (`/en/polls/POLL/`) leads to `/record/POLL`. Raises BadInput O.012."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise BadInput(
            "this is no address", field="source", found=address, expected="http://HOST/record/POLL", check="O.012"
        ) from None
    _, page, poll = parts.path.partition("/polls/")
    path = f"/record/{poll}" if page else parts.path
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))


def read_record(fetch: Fetch, log_key: str = "", before: Official | None = None, held: Held = NOTHING_HELD) -> Official:
    """The same, from whatever `fetch(path)` reads (record.tiles)."""
    key = _key(fetch, log_key, before)
    try:
        note = fetch("checkpoint").decode("utf-8", "strict")
        claimed = verify_checkpoint(note, key)
    except UnicodeDecodeError:
        raise DauysError("the checkpoint of the record is no text") from None
    except NotPublished:
        raise DauysError("there is no record here: it has no checkpoint") from None
    except NoteError as error:
        raise DauysError(f"the record's checkpoint is not signed by {key.name}: {error}") from None
    then = held.get(str(key), (0, ""))
    for size, root in (then, *([] if before is None else [(before.size, before.root)])):
        if claimed.size < size:
            raise _another(f"it had {size:,} entries and now claims {claimed.size:,}")
        if claimed.size == size and claimed.root.hex() != root:
            raise _another(f"two roots for {size:,} entries, {root} and {claimed.root.hex()}")
    if before is not None and claimed.size == before.size:
        return before
    fold = _Fold(before)
    tree = Frontier() if before is None else Frontier.from_bytes(before.tree)
    try:
        for data in read_entries(fetch, claimed.size, tree.size):
            tree.append(leaf_hash(data))
            if tree.size == then[0] and tree.root().hex() != then[1]:
                raise _another(f"its first {tree.size:,} entries are not the {tree.size:,} read then")
            fold.apply(tree.size - 1, data)
    except TileError as error:
        raise DauysError(f"the record cannot be read to its end: {error}") from None
    if tree.size != claimed.size or tree.root() != claimed.root:
        if before is not None:
            raise _another(f"{claimed.size:,} entries do not continue the {before.size:,} read then")
        raise DauysError("the entries of the record are not those that its signed checkpoint commits to")
    return fold.official(claimed, str(key), note, tree)


def official_frame(official: Official) -> tuple[bytes, str]:
    """(CSV, SHA-256 in hex): the frozen list of stations, byte for byte as `observe.sample.frame.record_frame` writes it."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "area", "eligible", "abroad"))
    rows.writerows((one.id, one.area, one.eligible, int(one.abroad)) for one in official.stations.values())
    data = text.getvalue().encode()
    return data, hashlib.sha256(data).hexdigest()


def _key(fetch: Fetch, given: str, before: Official | None) -> VerifierKey:
    """The log's key: as given, as pinned, or as the record names it. Raises DauysError where these differ."""
    pinned = before.log_key if before is not None else ""
    if given and pinned and given.strip() != pinned:
        raise DauysError(f"this mission follows the record of {pinned}, not of {given.strip()}")
    if given or pinned:
        return VerifierKey.parse(given or pinned)
    try:
        return VerifierKey.parse(json.loads(fetch("keys.json"))["log"])
    except NotPublished:
        raise DauysError(
            "the record names no key (keys.json): give the log's key as the commission printed it"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DauysError("keys.json of the record does not name its key: give the key yourself") from None


def _another(how: str) -> DauysError:
    return DauysError(
        f"the record shown now does not extend the one shown before: {how}. Keep both checkpoints: they are evidence"
    )


class _Fold:
    """What the entries amount to, one after another, on from an earlier reading."""

    def __init__(self, before: Official | None) -> None:
        self._poll = None if before is None else before.poll
        self._stations = {} if before is None else dict(before.stations)
        self._protocols = {} if before is None else dict(before.protocols)
        self._annulled = {} if before is None else dict(before.annulled)
        self._observers = {} if before is None else dict(before.observers)
        self._declaration = None if before is None else before.declaration
        self._as_of = "" if before is None else before.as_of
        self._joining = Joining()

    def apply(self, index: int, data: bytes) -> None:
        """Takes one entry. Raises DauysError for one that is not readable as its kind."""
        try:
            for at, entry in self._joining.take(index, Entry.from_bytes(data)):
                if (act := _ACTS.get(entry.kind)) is not None:
                    act(self, at, entry)
                self._as_of = entry.at
        except (KeyError, TypeError, ValueError, AttributeError, DauysError) as error:
            raise DauysError(
                f"entry {index} of the record is not what its kind should be ({error}): run `dauys verify`, it says more"
            ) from None

    def official(self, claimed: Checkpoint, key: str, note: str, tree: Frontier) -> Official:
        if self._joining.rest():
            raise DauysError("the last entry of the record lacks its parts: run `dauys verify`, it says more")
        if self._poll is None:
            raise DauysError("the record does not begin with a poll")
        return Official(
            self._poll, self._stations, self._protocols, claimed.size, claimed.root.hex(),
            self._declaration is not None, key, note, self._as_of, self._annulled, self._observers, self._declaration,
            tree.to_bytes(),
        )  # fmt: skip

    def _take_poll(self, index: int, entry: Entry) -> None:
        if index:
            raise DauysError("only the first entry defines the poll")
        self._poll = Poll.from_json(entry.body)

    def _take_stations(self, index: int, entry: Entry) -> None:
        for body in entry.body["stations"]:
            station = Station.from_json(body)
            self._stations[station.id] = station

    def _take_protocol(self, index: int, entry: Entry) -> None:
        key = (str(entry.body["contest"]), str(entry.body["station"]))
        if key[1] not in self._stations:  # `dauys verify` says so (V.07); it is in no sum
            return
        self._hold(key, Published(_counts(entry.body["values"]), index, entry.at, True, entry.checks))

    def _take_correction(self, index: int, entry: Entry) -> None:
        body = entry.body
        key = (str(body["contest"]), str(body["station"]))
        held = self._protocols.get(key)
        earlier = () if held is None else (*held.earlier, Version(held.values, held.index, str(body["reason"])))
        at = entry.at if held is None else held.at
        self._hold(key, Published(_counts(body["after"]), index, at, True, entry.checks, earlier))

    def _take_annulment(self, index: int, entry: Entry) -> None:
        contest, target = str(entry.body["contest"]), str(entry.body.get("station") or entry.body["area"])
        self._annulled[contest, target] = bool(entry.body["repeat"])
        for key, held in self._protocols.items():
            if key[0] == contest and target in (key[1], self._area(key[1])):
                self._protocols[key] = replace(held, counted=False)

    def _take_declaration(self, index: int, entry: Entry) -> None:
        self._declaration = entry.body

    def _keep(self, index: int, entry: Entry) -> None:
        self._observers[index] = entry

    def _hold(self, key: tuple[str, str], found: Published) -> None:
        void = key in self._annulled or (key[0], self._area(key[1])) in self._annulled
        errors = any(number.startswith("F") for number in found.checks)  # an error keeps it out of every sum
        self._protocols[key] = replace(found, counted=False) if void or errors else found

    def _area(self, station: str) -> str:
        return self._stations[station].area if station in self._stations else ""


def _counts(values: Mapping[str, Any]) -> Mapping[str, int]:
    if not all(type(value) is int for value in values.values()):
        raise DauysError("a value of a protocol is no whole number")
    return dict(values)


_ACTS = {
    "poll": _Fold._take_poll,
    "stations": _Fold._take_stations,
    "protocol": _Fold._take_protocol,
    "correction": _Fold._take_correction,
    "annulment": _Fold._take_annulment,
    "declaration": _Fold._take_declaration,
} | dict.fromkeys(ABOUT_OBSERVERS, _Fold._keep)
