"""What does the record say, from the record alone? The fold of all entries, with everything in it that contradicts itself.

The verifier and the declaration read a poll through this fold; it needs no database and no pack. A fault never stops it:
it is noted under the number of its check (docs/verify.md, V.05 to V.11, V.14 and V.15) and the fold goes on.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dauys.errors import DauysError
from dauys.observe.accreditation.entries import ABOUT_OBSERVERS, SENT
from dauys.observe.accreditation.follows import Body, Register, Standing, follows
from dauys.pollbook.sealed.check_ins import ANSWERS, CheckInReader, places
from dauys.pollbook.sealed.envelopes import ENVELOPES, EnvelopeReader
from dauys.polls.result import Held, Sheet, Snapshot, stage_of
from dauys.polls.shapes import expect_shape
from dauys.record.entry import Entry, check_signature
from dauys.record.parts import PART, part_id
from dauys.registers.poll import COMMISSION, Contest, Poll, Station
from dauys.roll.frozen import CHANGES, RollReader
from dauys.stations.words import agree

AFTER_CLOSING = ABOUT_OBSERVERS | {
    "correction", "turnout-correction", "annulment", "declaration", "publication", "check-ins", PART,
}  # fmt: skip
"""Kinds that still come in then: a station that is heard late is in the record, too, and so is what observers saw."""
SIGNED = AFTER_CLOSING | {"poll", "stations", "closing", "roll", "roll-stations", ENVELOPES, *CHANGES}
"""Kinds that nobody may leave unsigned."""

UNSIGNED = "W.109"
"""The warning of a protocol that a station with a key sent in without its signature."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One contradiction: the number of the check, the entry, and what stands against what."""

    check: str
    seq: int
    what: str
    found: Any = None
    expected: Any = None


@dataclass(slots=True)
class Replay:
    """The state of a poll after the entries applied so far, and the faults met on the way."""

    poll: Poll | None = None
    stations: dict[str, Station] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)  # of the poll's officers; stations hold their own
    held: dict[str, dict[str, Held]] = field(default_factory=dict)
    annulled: dict[tuple[str, str], bool] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    signatures: int = 0
    unsigned: int = 0  # protocols of stations that have a key and did not use it
    announced: int = 0  # stations, by the poll's own entry
    declared: list[str] = field(default_factory=list)
    as_of: str = ""
    _roll_reader: RollReader | None = None
    _check_in_reader: CheckInReader | None = None
    _envelope_reader: EnvelopeReader | None = None
    _ids: set[str] = field(default_factory=set)
    _parts: set[str] = field(default_factory=set)  # ids of those that hold a body of the entries so far
    _closed: bool = False
    _adopted: dict[int, bool] = field(default_factory=dict)
    _reports: dict[tuple[str, str], tuple[int, int, int]] = field(default_factory=dict)  # seq, list, ballots handed out
    _latest: dict[str, str] = field(default_factory=dict)  # the last hour that each station has reported for
    _observers: Register = field(default_factory=Register)
    _changes: dict[int, tuple[str, Body]] = field(default_factory=dict)  # corrections and annulments
    _replaced: dict[int, tuple[str, str, Mapping[str, int]]] = field(default_factory=dict)  # values no longer in force
    _to_check: dict[str, list[tuple[int, Mapping[str, int], tuple[str, ...]]]] = field(default_factory=dict)

    def apply(self, seq: int, entry: Entry) -> None:
        """Takes one entry, in order; one with parts whole (record.parts), and after it its parts."""
        if (seq == 0) != (entry.kind == "poll"):
            self._fault(
                "V.05", seq, "the first entry, and only it, defines the poll", entry.kind, "poll" if not seq else None
            )
        if entry.id in self._ids:
            self._fault("V.05", seq, "this id is in the record twice", entry.id)
        self._ids.add(entry.id)
        if self._closed and entry.kind not in AFTER_CLOSING:
            self._fault("V.05", seq, "this came in after the poll was closed", entry.id)
        self._parts.update(part_id(entry.id, n + 1) for n in range(entry.parts))
        self.as_of = entry.at
        self.kinds[entry.kind] = self.kinds.get(entry.kind, 0) + 1
        try:
            expected = expect_shape(entry, self.poll)
            if entry.id != expected:
                self._fault("V.05", seq, "the id is not that of what the entry says", entry.id, expected)
            if entry.kind != "poll" or self.poll is None:
                getattr(self, f"_{entry.kind.replace('-', '_')}")(seq, entry)
            if self.poll is not None and entry.poll != self.poll.id:
                self._fault("V.05", seq, "this is an entry of another poll", entry.poll, self.poll.id)
            self._check_author(seq, entry)
        except DauysError as error:
            self._fault("V.05", seq, f"the entry {entry.id} has not the shape of its kind ({error})")

    def sheet(self, contest: Contest) -> Sheet:
        """Every station of the list with the protocol that holds for it now."""
        assert self.poll is not None
        return Sheet.of(self.poll, contest, list(self.stations.values()), self.held.get(contest.id, {}), self.annulled)

    def snapshot(self, size: int) -> Snapshot:
        """The poll after the `size` entries applied so far. Raises DauysError where no entry defined the poll."""
        if self.poll is None:
            raise DauysError("the record does not begin with a poll")
        stage = stage_of(self.kinds, self.declared)
        return Snapshot(self.poll, size, stage, self.as_of, tuple(self.sheet(c) for c in self.poll.contests))

    def check_list(self) -> None:
        """V.07: the list of stations is as long as the poll's first entry says."""
        if self.poll is not None and len(self.stations) != self.announced:
            self._fault("V.07", 0, "the poll announces another number of stations", len(self.stations), self.announced)

    def check_identities(self) -> None:
        """V.08 over all protocols at once: the F numbers of the form that each should have raised, and did."""
        for contest_id, rows in self._to_check.items():
            if self.poll is None:
                return
            form = self.poll.contest(contest_id).form
            raised: list[set[str]] = [set() for _ in rows]
            alike: dict[frozenset[str], list[int]] = {}  # protocols that give the same fields
            for n, (_, values, _) in enumerate(rows):
                alike.setdefault(frozenset(values), []).append(n)
            for given, at in alike.items():
                columns = {name: np.array([rows[n][1][name] for n in at], dtype=np.int64) for name in given}
                for identity in form.identities:
                    if identity.applies_to(given):
                        for n in np.flatnonzero(identity.relation.violations(columns)).tolist():
                            raised[at[n]].add(identity.number)
            numbers = {identity.number for identity in form.identities}
            for (seq, _, checks), expected in zip(rows, raised, strict=True):
                if numbers.intersection(checks) != expected:
                    self._fault(
                        "V.08", seq, "the protocol's own sums", sorted(numbers.intersection(checks)), sorted(expected)
                    )

    def check_roll(self) -> None:
        """V.14 at the end: the frozen roll is whole, and nobody votes besides it."""
        with self._noting("V.14", 0):
            if self._roll_reader is not None:
                self._roll_reader.close()
        readers = [one for one in (self._check_in_reader, self._envelope_reader) if one is not None]
        if self._roll_reader is not None and readers:
            used, voters = sum(reader.total for reader in readers), self._roll_reader.total
            if used > voters:
                self._fault(
                    "V.14", 0, "more check-ins, and envelopes that count, than voters on the roll", used, voters
                )

    def _check_handed_out(self, seq: int, entry: Entry) -> None:
        """V.14: a protocol of a station with a pollbook says as many ballots as check-ins stood and envelopes counted, or bears
        the check."""
        station, said = entry.body["station"], entry.body["values"].get("received")
        readers = [one for one in (self._check_in_reader, self._envelope_reader) if one is not None]
        counts = [reader.used[station] for reader in readers if station in reader.used]
        used = sum(counts) if counts else None
        if used is not None and said is not None and used != said and not ANSWERS.intersection(entry.checks):
            self._fault("V.14", seq, f"{entry.id}: ballots handed out are not the check-ins", said, used)

    @contextmanager
    def _noting(self, check: str, seq: int) -> Iterator[None]:
        try:
            yield
        except DauysError as error:
            self._fault(check, seq, str(error))

    def _fault(self, check: str, seq: int, what: str, found: Any = None, expected: Any = None) -> None:
        self.faults.append(Fault(check, seq, what, found, expected))

    def _check_author(self, seq: int, entry: Entry) -> None:
        """A station's key speaks for its own protocols only; everything of the whole poll is the commission's."""
        if entry.kind in SENT and entry.by != COMMISSION:  # V.15 looks at who sends and at the signature
            self.signatures += 1
            return
        key = self.keys.get(entry.by)
        if key is None and entry.kind == "protocol" and entry.by == entry.body["station"]:
            key = self.stations[entry.by].key if entry.by in self.stations else None
        if entry.sig is None:
            station = self.stations.get(entry.body["station"]) if entry.kind == "protocol" else None
            if entry.kind in SIGNED or key is not None:
                self._fault("V.06", seq, f"{entry.id} is not signed by {entry.by}")
            elif station is not None and station.key is not None:
                self.unsigned += 1
                if UNSIGNED not in entry.checks:
                    self._fault(
                        "V.06", seq, f"{entry.id} is not signed by its station and not marked so", None, UNSIGNED
                    )
            return
        self.signatures += 1
        if key is None:
            self._fault("V.06", seq, f"{entry.id} is signed by {entry.by}, who has no key for that in the record")
        elif not check_signature(entry, key):
            self._fault("V.06", seq, f"the signature of {entry.by} under {entry.id} is not valid")

    def _poll(self, seq: int, entry: Entry) -> None:
        self.poll = Poll.from_json(entry.body)
        self.keys.update((name, b64decode(key)) for name, key in entry.body["keys"].items())
        self.announced = entry.body["stations"]

    def _part(self, seq: int, entry: Entry) -> None:
        if entry.id not in self._parts:
            self._fault("V.05", seq, "a part of nothing that stands before it", entry.id)

    def _stations(self, seq: int, entry: Entry) -> None:
        if self.kinds.keys() - {"poll", "stations", PART}:
            self._fault("V.07", seq, "the list of stations goes on after the poll has begun", entry.id)
        for body in entry.body["stations"]:
            station = Station.from_json(body)
            if station.id in self.stations:
                self._fault("V.07", seq, "a station is in the list twice", station.id)
            self.stations[station.id] = station

    def _turnout(self, seq: int, entry: Entry) -> None:
        body = entry.body
        station, hour = body["station"], body["time"]
        if station not in self.stations:
            self._fault("V.07", seq, "a turnout report of a station that is not in the list", station)
        self._reports[station, hour] = (seq, body["eligible"], body["received"])
        self._latest[station] = max(hour, self._latest.get(station, hour))

    def _turnout_correction(self, seq: int, entry: Entry) -> None:
        body = entry.body
        place, after = (body["station"], body["time"]), body["after"]
        of, *numbers = self._reports.get(place, (None,))
        if of != body["of"]:
            self._fault("V.09", seq, f"{entry.id} replaces another entry than the one in force", body["of"], of)
        elif numbers != [body["before"]["eligible"], body["before"]["received"]]:
            self._fault("V.09", seq, f"{entry.id} misstates what it replaces", body["before"], numbers)
        if not body["reason"].strip():
            self._fault("V.09", seq, f"{entry.id} gives no reason")
        if of is not None:
            self._reports[place] = (seq, after["eligible"], after["received"])

    def _protocol(self, seq: int, entry: Entry) -> None:
        contest, station = entry.body["contest"], entry.body["station"]
        if station not in self.stations:
            self._fault("V.07", seq, "a protocol of a station that is not in the list", station)
            return
        by_station = self.held.setdefault(contest, {})
        if station in by_station:
            self._fault("V.05", seq, "a second protocol instead of a correction", entry.id)
        self._check_handed_out(seq, entry)
        self._take(seq, entry, by_station, entry.body["values"], 0)

    def _correction(self, seq: int, entry: Entry) -> None:
        body = entry.body
        by_station = self.held.setdefault(body["contest"], {})
        if body["station"] not in self.stations:
            self._fault("V.07", seq, "a correction for a station that is not in the list", body["station"])
            return
        before = by_station.get(body["station"])
        if before is None or before.seq != body["of"]:
            at = None if before is None else before.seq
            self._fault("V.09", seq, f"{entry.id} replaces another entry than the one in force", body["of"], at)
        elif dict(before.values) != body["before"]:
            self._fault("V.09", seq, f"{entry.id} misstates what it replaces", body["before"], dict(before.values))
        if not body["reason"].strip():
            self._fault("V.09", seq, f"{entry.id} gives no reason")
        if before is not None:
            self._replaced[before.seq] = body["contest"], body["station"], before.values
        self._changes[seq] = entry.kind, body
        self._take(seq, entry, by_station, body["after"], 1 if before is None else before.version + 1)

    def _take(
        self, seq: int, entry: Entry, by_station: dict[str, Held], values: Mapping[str, int], version: int
    ) -> None:
        assert self.poll is not None
        own = {identity.number for identity in self.poll.contest(entry.body["contest"]).form.identities}
        found = {number for number in entry.checks if number.startswith("F")} - own
        if found != (expected := self._other_errors(entry, values)):
            self._fault("V.08", seq, "held back, or let in, against the checks", sorted(found), sorted(expected))
        by_station[entry.body["station"]] = Held(seq, values, entry.checks, version)
        self._to_check.setdefault(entry.body["contest"], []).append((seq, values, entry.checks))

    def _other_errors(self, entry: Entry, values: Mapping[str, int]) -> set[str]:
        """The errors beside the form's own sums: F.105 and F.110 (docs/checks.md). A correction answers both."""
        errors: set[str] = set()
        if entry.kind == "protocol":
            words = entry.body.get("words", {})
            if any(name not in values or not agree(values[name], text) for name, text in words.items()):
                errors.add("F.105")
            station = entry.body["station"]
            last = self._reports.get((station, self._latest.get(station, "")), (0, 0, -1))[2]
            if "received" in values and values["received"] < last:
                errors.add("F.110")
        return errors

    def _roll(self, seq: int, entry: Entry) -> None:
        day = None if self.poll is None else self.poll.day
        self._roll_reader = self._roll_reader or RollReader(self.stations, day)
        with self._noting("V.14", seq):
            self._roll_reader.read(entry.kind, entry.id, entry.body)

    _roll_stations = _additions = _withdrawals = _restorations = _roll

    def _check_ins(self, seq: int, entry: Entry) -> None:
        voting = None if self.poll is None else self.poll.voting
        self._check_in_reader = self._check_in_reader or CheckInReader(places(self.stations, voting))
        with self._noting("V.14", seq):
            self._check_in_reader.read(entry.id, entry.body)

    def _envelopes(self, seq: int, entry: Entry) -> None:
        self._envelope_reader = self._envelope_reader or EnvelopeReader(self.stations)
        with self._noting("V.14", seq):
            self._envelope_reader.read(entry.id, entry.body)

    def _about_observers(self, seq: int, entry: Entry) -> None:
        """V.15: who says it may, and it agrees with what it points at."""
        for fault in (*(found := follows(seq, entry, self)).author, *found.content):
            self._fault("V.15", seq, f"{entry.id}: {fault}")
        self._observers.take(seq, entry.kind, entry.body)

    _organisation = _organisation_refused = _organisation_suspended = _badge_suspended = _about_observers
    _observer_sample = _observer_seed = _observer_audit = _observer_report = _about_observers
    _observation = _observation_answer = _about_observers

    @property
    def zone(self) -> str:
        """The poll's time zone; with the methods after it, what V.15 asks of the record so far (observe.accreditation)."""
        return self.poll.timezone if self.poll else "UTC"

    def standing(self, code: str) -> Standing | None:
        return self._observers.organisations.get(code)

    def badge(self, commitment: str) -> bool:
        return self._observers.badges.get(commitment, False)

    def area_of(self, station: str) -> str | None:
        return self.stations[station].area if station in self.stations else None

    def listed(self) -> Iterable[Station]:
        return self.stations.values()

    def said(self, place: int) -> tuple[str, Body] | None:
        return self._observers.entries.get(place) or self._changes.get(place)

    def values(self, place: int, contest: str, station: str) -> Mapping[str, int] | None:
        held = self.held.get(contest, {}).get(station)
        if held is not None and held.seq == place:
            return held.values
        *whose, values = self._replaced.get(place, ("", "", {}))
        return values if whose == [contest, station] else None

    def sampled(self, organisation: str) -> int | None:
        return self._observers.samples.get(organisation)

    def committed(self, organisation: str, contest: str, name: str) -> str | None:
        return self._observers.audits.get((organisation, contest, name))

    def _annulment(self, seq: int, entry: Entry) -> None:
        target = entry.body.get("station") or entry.body["area"]
        if "station" in entry.body and target not in self.stations:
            self._fault("V.07", seq, "an annulment for a station that is not in the list", target)
        self.annulled[entry.body["contest"], target] = bool(entry.body["repeat"])
        self._changes[seq] = entry.kind, entry.body

    def _closing(self, seq: int, entry: Entry) -> None:
        self._closed = True

    def _publication(self, seq: int, entry: Entry) -> None:
        """V.11: the law changes because of a declaration that says adopted, and for nothing else."""
        if not self._adopted.get(entry.body["because"], False):
            self._fault("V.11", seq, f"{entry.id} does not follow from a result that is adopted", entry.body["because"])

    def _declaration(self, seq: int, entry: Entry) -> None:
        self.declared.append(entry.body["stage"])
        self._adopted[seq] = self._closed and all(
            isinstance(contest.get("decision"), dict) and contest["decision"].get("outcome") == "adopted"
            for contest in entry.body["contests"]
        )
        if entry.body["size"] != seq:
            self._fault("V.10", seq, "a declaration covers all entries before it", entry.body["size"], seq)
