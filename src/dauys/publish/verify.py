"""Does a published bundle prove its result? Every check by number, from the public files alone, without a database.

The record is streamed once (polls.replay folds it); every declaration is counted and decided again at its place; every other
file is rendered again from the record and compared. A fault is the answer of a check, never an exception.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import polars as pl

from dauys.errors import DauysError
from dauys.polls.replay import Fault, Replay
from dauys.polls.result import Snapshot, contest_json, contest_standing
from dauys.polls.shapes import expect_shape
from dauys.publish.differences import difference, first_difference, same, says_reconstruction
from dauys.publish.rendering import PUBLISHED, Rendering
from dauys.record import checkpoint as checkpoints_of
from dauys.record.checkpoint import Checkpoint
from dauys.record.entry import Entry
from dauys.record.merkle import Frontier, leaf_hash, root
from dauys.record.note import NoteError, VerifierKey
from dauys.record.note import parse as parse_note
from dauys.record.parts import Joining
from dauys.record.tiles import (
    WIDTH,
    Fetch,
    Tile,
    TileError,
    partial_tiles_of,
    read_entries,
    read_tile,
    split_bundle,
    split_hashes,
    tiles_of,
)
from dauys.record.witness import verify_cosignatures
from dauys.registers.spreadsheet import meant

CHECKS = {
    "V.01": "the bundle is whole and readable",
    "V.02": "the log signed the checkpoint",
    "V.03": "the entries are those that the checkpoint commits to",
    "V.04": "earlier checkpoints and cosignatures agree with the record",
    "V.05": "every entry is canonical, of a known shape, once, and in its place",
    "V.06": "every entry is signed by its author where it must be",
    "V.07": "every station of the list is there, or named as missing",
    "V.08": "every protocol's own sums are as recorded",
    "V.09": "every correction names what it replaces, and why",
    "V.10": "every declared sum adds up from the stations it covers",
    "V.11": "every declared decision follows from the sums under the law",
    "V.12": "every published file says what the record says",
    "V.13": "a reconstruction is called one in every file",
    "V.14": "the roll adds up, and ballots handed out are check-ins",
    "V.15": "what observers say is theirs, and agrees with what it points at",
}
"""Number to what is checked; the list for readers is docs/checks.md."""

SHOWN_FAULTS = 5


class MovedOn(DauysError):
    """The record grew while it was read, so that its files could not be compared with it. It says nothing against the log."""


@dataclass(frozen=True, slots=True)
class Check:
    """The answer to one check; `found` and `expected` hold the first faults."""

    id: str
    what: str
    ok: bool
    found: Any = None
    expected: Any = None

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "what": self.what, "ok": self.ok, "found": self.found, "expected": self.expected}


Progress = Callable[[int, int], None]


class Verification:
    """One run over one bundle: collects faults by check while it goes through the files in the order of CHECKS."""

    def __init__(self, fetch: Fetch, log_key: str | None, witnesses: Sequence[str], progress: Progress) -> None:
        self._fetch = fetch
        self._key, self._key_given = log_key, log_key is not None
        self._trusted, self._claimed = list(witnesses), list[str]()
        self._progress = progress
        self._faults: dict[str, list[tuple[Any, Any]]] = {number: [] for number in CHECKS}
        self._notes: dict[str, Any] = {}
        self._earlier_sizes: set[int] = set()
        self._note = b""  # the checkpoint as it was read first: a site that is read may go on meanwhile
        self.replay = Replay()

    def run(self) -> list[Check]:
        """All checks, in order. A bundle that cannot be read at all fails V.01 and every check that it kept from running.

        Raises MovedOn where the files are at fault only because the record grew while it was read.
        """
        state = self._state()
        if state is None:
            for number in list(CHECKS)[2:]:
                self._fault(number, "not checked: the record cannot be read", None)
            return self._checks()
        tree, roots, leaves = self._entries(state)
        self._tree(state, tree, roots, leaves)
        self._earlier(state, roots)
        self.replay.check_list()
        self.replay.check_identities()
        self.replay.check_roll()
        for fault in self.replay.faults:
            self._replayed(fault)
        if self.replay.unsigned:
            self._notes["V.06"] = f"{self.replay.unsigned:,} protocols of stations with a key came in unsigned (W.109)"
        self._files(self._snapshot(state.size))
        checks = self._checks()
        if [check.id for check in checks if not check.ok] == ["V.12"]:
            self._still(state)
        return checks

    def _checks(self) -> list[Check]:
        checks = []
        for number, what in CHECKS.items():
            faults = self._faults[number]
            if not faults:
                checks.append(Check(number, what, True, self._notes.get(number)))
                continue
            found = [fault for fault, _ in faults[:SHOWN_FAULTS]]
            if len(faults) > SHOWN_FAULTS:
                found.append(f"and {len(faults) - SHOWN_FAULTS:,} more")
            checks.append(Check(number, what, False, found, faults[0][1]))
        return checks

    def _fault(self, number: str, found: Any, expected: Any = None) -> None:
        self._faults[number].append((found, expected))

    def _replayed(self, fault: Fault) -> None:
        shown = f"entry {fault.seq}: {fault.what}" + ("" if fault.found is None else f": {fault.found}")
        self._fault(fault.check, shown, fault.expected)

    def _file(self, path: str) -> bytes | None:
        try:
            return self._fetch(path)
        except DauysError as error:
            self._fault("V.01", str(error), path)
            return None

    def _state(self) -> Checkpoint | None:
        """V.01, V.02: the signed state that everything else is held against; unsigned if its signature is bad.

        Raises DauysError where neither is there: nothing can be said of what is no record, or of whom the wire does not reach.
        """
        keys_data, note = self._file("keys.json"), self._file("checkpoint")
        if keys_data is None and note is None:
            raise DauysError(f"there is no record to check: {self._faults['V.01'][-1][0]}")
        if keys_data is not None:
            self._published(keys_data)
        if note is None:
            self._fault("V.02", "there is no checkpoint")
            return None
        self._note = note
        try:
            claimed = Checkpoint.parse(parse_note(note).text)
        except NoteError as error:
            self._fault("V.01", f"the checkpoint is not readable: {error}")
            self._fault("V.02", "not a checkpoint")
            return None
        try:
            if self._key is None:
                raise NoteError("no key of the log is known: give --key")
            checkpoints_of.verify(note, VerifierKey.parse(self._key))
            source = "as given" if self._key_given else "from the bundle itself: compare it with the commission's"
            self._notes["V.02"] = f"{self._key} ({source})"
        except NoteError as error:
            self._fault("V.02", str(error), f"a signature of {self._key}")
        if beyond := {size for size in self._earlier_sizes if not 0 < size <= claimed.size}:
            self._fault("V.04", f"an earlier checkpoint of {max(beyond)} entries", f"from 1 to {claimed.size}")
        return claimed

    def _published(self, data: bytes) -> None:
        """V.01: what keys.json names: the log's key (one that was given counts instead), witnesses, earlier sizes."""
        try:
            said = json.loads(data)
        except (ValueError, RecursionError) as error:
            self._fault("V.01", f"keys.json is not readable: {error}")
            return
        said = said if isinstance(said, dict) else {}
        key, witnesses, sizes = said.get("log"), said.get("witnesses"), said.get("checkpoints")
        if not isinstance(key, str) or not _all(witnesses, str) or not _all(sizes, int):
            self._fault("V.01", "keys.json has another shape", "log: key, witnesses: [key], checkpoints: [size]")
            return
        self._key = self._key or key
        self._claimed = [key for key in witnesses if key not in self._trusted]
        self._earlier_sizes = set(sizes)

    def _still(self, state: Checkpoint) -> None:
        """Raises MovedOn if the log has signed a later state since: the files beside it are then of that one."""
        try:
            note = self._fetch("checkpoint")
            checkpoints_of.verify(note, VerifierKey.parse(self._key or ""))
            later = Checkpoint.parse(parse_note(note).text)
        except DauysError:
            return
        if later.origin == state.origin and later.size > state.size:
            raise MovedOn(
                f"the record grew from {state.size:,} to {later.size:,} entries while it was read, and the files beside it "
                "with it: everything else is proven; run it again"
            )

    def _entries(self, state: Checkpoint) -> tuple[Frontier, dict[int, bytes], list[bytes]]:
        """One pass over all entries: the tree, the roots at earlier sizes, and each declaration counted at its place."""
        tree, leaves, joining = Frontier(), [], Joining()
        roots: dict[int, bytes] = {}
        try:
            for seq, data in enumerate(read_entries(self._fetch, state.size)):
                leaf = leaf_hash(data)
                leaves.append(leaf)
                tree.append(leaf)
                try:
                    entry = Entry.from_bytes(data)
                except DauysError as error:
                    self._fault("V.05", f"entry {seq}: {error}")
                    continue
                self._apply(joining.take(seq, entry))
                if seq + 1 in self._earlier_sizes:
                    roots[seq + 1] = tree.root()
                if seq % 5000 == 0:
                    self._progress(seq, state.size)
        except TileError as error:
            self._fault("V.01", str(error))
        self._apply(joining.rest())
        self._progress(len(leaves), state.size)
        self._notes["V.05"] = f"{len(leaves):,} entries"
        return tree, roots, leaves

    def _apply(self, entries: Iterable[tuple[int, Entry]]) -> None:
        for seq, entry in entries:
            if entry.kind == "declaration":
                self._declaration(seq, entry)
            self.replay.apply(seq, entry)

    def _declaration(self, seq: int, entry: Entry) -> None:
        """V.10, V.11: counts and decides again what was declared."""
        try:
            now = self.replay.snapshot(seq)
            expect_shape(entry, now.poll)
            claimed = {body["contest"]: body for body in entry.body["contests"]}
        except DauysError as error:
            self._fault("V.10", f"entry {seq}: the declaration cannot be counted again ({error})")
            return
        for sheet in now.sheets:
            counted = contest_json(contest_standing(sheet))
            said = claimed.get(sheet.contest.id, {})
            for part in ("stations", "covers", "totals", "areas"):
                if not same(said.get(part), counted[part]):
                    found, expected = difference(said.get(part), counted[part])
                    self._fault("V.10", f"entry {seq}, {sheet.contest.id}, {part}: {found}", expected)
            if not same(said.get("decision"), counted["decision"]):
                found, expected = difference(said.get("decision"), counted["decision"])
                self._fault("V.11", f"entry {seq}, {sheet.contest.id}: {found}", expected)
            if said.keys() - counted.keys():
                self._fault("V.10", f"entry {seq}, {sheet.contest.id}: more than a declaration", sorted(counted))

    def _tree(self, state: Checkpoint, tree: Frontier, roots: Iterable[int], leaves: list[bytes]) -> None:
        """V.03: root, and every tile and bundle of this state and the earlier ones."""
        if tree.size != state.size or tree.root() != state.root:
            found = f"{tree.size} entries with root {tree.root().hex()}"
            self._fault("V.03", found, f"{state.size} entries with root {state.root.hex()}")
        levels = [leaves]
        while len(levels[-1]) >= WIDTH:
            below = levels[-1]
            levels.append([root(below[at : at + WIDTH]) for at in range(0, len(below) - WIDTH + 1, WIDTH)])
        # of a record that ends early, the tiles of what is there: its checkpoint may claim any size
        earlier = (tile for size in roots for tile in partial_tiles_of(size))
        hashes = (tile for tile in tiles_of(tree.size) if tile.level is not None)  # the entries have been read
        for tile in dict.fromkeys((*earlier, *hashes)):
            self._tile(tile, levels)
        self._notes["V.03"] = state.root.hex()

    def _tile(self, tile: Tile, levels: list[list[bytes]]) -> None:
        level, first = tile.level or 0, tile.index * WIDTH
        expected = levels[level][first : first + tile.width] if level < len(levels) else []
        try:
            data = read_tile(self._fetch, tile)
            found = list(map(leaf_hash, split_bundle(data))) if tile.level is None else split_hashes(data)
        except TileError as error:
            self._fault("V.03", str(error))
            return
        if found != expected:
            at = next((n for n, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), 0)
            self._fault("V.03", f"{tile.path} differs from the record at place {at}")

    def _earlier(self, state: Checkpoint, roots: dict[int, bytes]) -> None:
        """V.04: every earlier checkpoint is signed and a prefix; cosignatures of known witnesses are good."""
        try:
            trusted, claimed = (list(map(VerifierKey.parse, keys)) for keys in (self._trusted, self._claimed))
            witnesses = [*trusted, *claimed]
            cosigned = verify_cosignatures(parse_note(self._note), witnesses)
            self._notes["V.04"] = (
                f"{len(roots)} earlier checkpoints; cosigned by {len(cosigned.keys() & set(trusted))} of {len(trusted)} "
                f"witnesses that you named, and by {len(cosigned.keys() & set(claimed))} of {len(claimed)} that only the "
                "bundle names"
            )
            for key in trusted:
                if key not in cosigned:
                    self._fault("V.04", f"{key.name}, a witness you named, has not cosigned this checkpoint", str(key))
            notes = [(size, self._fetch(f"checkpoints/{size}")) for size in roots]
        except DauysError as error:
            self._fault("V.04", str(error))
            return
        for size, earlier in notes:
            try:
                then = Checkpoint.parse(parse_note(earlier).text)
                verify_cosignatures(parse_note(earlier), witnesses)
                if not self._faults["V.02"]:  # else by the same wrong key
                    checkpoints_of.verify(earlier, VerifierKey.parse(self._key or ""))
            except DauysError as error:
                self._fault("V.04", f"checkpoints/{size}: {error}")
                continue
            if (then.origin, then.size, then.root) != (state.origin, size, roots[size]):
                self._fault("V.04", f"checkpoints/{size}: root {then.root.hex()}", roots[size].hex())

    def _snapshot(self, size: int) -> Snapshot | None:
        try:
            return self.replay.snapshot(size)
        except DauysError as error:
            self._fault("V.05", str(error))
            return None

    def _files(self, now: Snapshot | None) -> None:
        """V.07, V.12, V.13: every file beside the record, rendered again."""
        if now is None:
            for number in ("V.07", "V.12", "V.13"):
                self._fault(number, "not checked: the record does not define the poll")
            return
        made = Rendering(now)
        for name in PUBLISHED:
            found = self._file(name)
            if found is None:
                self._fault("V.12", f"{name} is missing", name)
                continue
            if now.poll.reconstruction and not says_reconstruction(name, found):
                self._fault("V.13", f"{name} does not say that it is a reconstruction")
            parts = first_difference(name, found, made.file(name))
            if parts is not None:
                self._fault("V.12", f"{name}: {parts}")
            if name == "stations.csv":
                self._stations(found, now)
        missing = sum(standing.missing for standing in made.standings)
        self._notes["V.07"] = f"{len(self.replay.stations):,} stations, protocols missing: {missing:,}"

    def _stations(self, found: bytes, now: Snapshot) -> None:
        """V.07: the published table has exactly one row for each station of the record's list and each contest."""
        try:
            table = pl.read_csv(io.BytesIO(found), columns=["station", "contest"], infer_schema=False)
        except (pl.exceptions.PolarsError, ValueError) as error:
            self._fault("V.07", f"stations.csv cannot be read: {error}")
            return
        named = table.select("contest", "station").fill_null("").rows()
        rows = [(meant(contest), meant(station)) for contest, station in named]
        listed = {(sheet.contest.id, station.id) for sheet in now.sheets for station in sheet.stations}
        for contest, station in sorted(listed - set(rows))[:SHOWN_FAULTS]:
            self._fault("V.07", f"{station} ({contest}) is on the list and not in stations.csv", station)
        for contest, station in [row for row in rows if row not in listed][:SHOWN_FAULTS]:
            self._fault("V.07", f"{station} ({contest}) is in stations.csv and not on the list")
        if len(rows) != len(set(rows)):
            self._fault("V.07", "a station is in stations.csv twice")


def verify(
    fetch: Fetch, log_key: str | None = None, witnesses: Sequence[str] = (), progress: Progress = lambda done, of: None
) -> list[Check]:
    """All checks of the bundle that `fetch(path)` reads. `log_key` and `witnesses` are keys known from elsewhere.

    Raises MovedOn where a site went on while it was read: to be run again.
    """
    return Verification(fetch, log_key, witnesses, progress).run()


def _all(values: Any, kind: type) -> TypeGuard[list[Any]]:
    """Whether it is a list of that type only."""
    return isinstance(values, list) and all(type(value) is kind for value in values)
