"""What does a station know at this moment? Its list and its log, folded: who is here, who voted, by whose hand.

A Book is made by reading: `Book.of(package, events)`, and kept up by `apply` with each event that is stored. It is
never the truth itself; the log is. What may be done now, and the event that does it, is in `dauys.pollbook.machine.acts`.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from dauys.pollbook.log.events import AFTER_CLOSE, Event, Head, LogError, LogId, follow
from dauys.pollbook.log.spelling import number_of
from dauys.pollbook.rules import custody, holders
from dauys.pollbook.rules.channels import MOBILE
from dauys.pollbook.rules.custody import Place, Standing
from dauys.pollbook.rules.grants import Answer, Grant
from dauys.pollbook.wire.package import Package, Voter


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A ballot was handed out. `at` is the station's clock; `undone` the number of the event that took it back, or 0."""

    n: int
    at: str
    entitlement: UUID
    channel: str
    officer: str
    salt: bytes
    members: tuple[str, ...] = ()
    undone: int = 0

    @property
    def clock(self) -> str:
        """The time of day for a message: `10:32`."""
        return f"{datetime.fromisoformat(self.at):%H:%M}"


@dataclass(frozen=True, slots=True)
class Ballots:
    """Ballots that moved: see `dauys.pollbook.log.events.events.BALLOTS`. `member` got or gave them, where one did."""

    n: int
    what: str
    count: int
    member: str = ""
    undone: int = 0
    """The event that took it back, or 0."""


@dataclass(frozen=True, slots=True)
class InBox:
    """A right that the mobile box carries: since when it is on its way, and which members went along."""

    at: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A provisional envelope that lies at the station, of a right that could not be reached. `officer` handed out its ballot."""

    n: int
    id: UUID
    entitlement: UUID | None
    reason: str
    officer: str

    @property
    def number(self) -> str:
        """What stands on it."""
        return number_of(self.id)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A member's own key, 32 bytes: the event that brought it (0: the package), when, and whether the one before signed it."""

    key: bytes
    n: int = 0
    at: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Struck:
    """An electronic ballot that paper replaced (event `n`, an undo of event `of`): it must be taken out of the electronic
    ballot box. `out`: the event by which the voting system says that it is; 0 while it does not."""

    n: int
    of: int
    at: str
    entitlement: UUID
    salt: bytes
    request: str
    out: int = 0


@dataclass(slots=True)
class Book:
    """A station's state. `lease`, `stopped`, `lost` and `told` come from the centre's answers and are no part of the log.

    `told`: the centre knows this log's key. A station's store begins without it (machine.keep). `lost`: it was declared lost; its
    officers went on by hand, or with another machine.
    """

    package: Package
    head: Head
    lease: datetime
    places: dict[UUID, Place]
    voters: dict[UUID, Voter]
    stopped: str = ""
    told: bool = True
    lost: bool = False
    opened: str = ""
    closed: str = ""
    hashes: list[str] = field(default_factory=list)
    check_ins: dict[int, CheckIn] = field(default_factory=dict)
    used_by: dict[UUID, int] = field(default_factory=dict)
    went: dict[UUID, str] = field(default_factory=dict)
    came: dict[UUID, Grant] = field(default_factory=dict)
    certificates: dict[UUID, str] = field(default_factory=dict)
    """Given here, by number, while that is this log's last word on the right."""
    backs: dict[UUID, str] = field(default_factory=dict)
    """Of these: those that were noted by mistake, and when they were asked back."""
    mobile: dict[UUID, str] = field(default_factory=dict)
    in_box: dict[UUID, InBox] = field(default_factory=dict)
    """Rights that the mobile box carries (pollbook.machine.box)."""
    ballots: list[Ballots] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    taken_back: set[UUID] = field(default_factory=set)
    """Envelopes that were noted by mistake, by their ids."""
    struck: dict[int, Struck] = field(default_factory=dict)
    """By the number of the undo; in the log of an electronic channel alone."""
    keys: dict[str, OwnKey] = field(default_factory=dict)
    """Of the officers who sign for each ballot: the key that holds now."""
    queue: tuple[str, int] | None = None
    """How many people wait, by the latest report, and when that was."""

    @classmethod
    def of(cls, package: Package, events: Iterable[Event] = ()) -> Book:
        """The state after these events; raises LogError or CustodyError where they cannot be this station's log."""
        places = {
            voter.entitlement: Place(Standing.AWAY if voter.away else Standing.HERE, voter.epoch)
            for voter in package.voters
        }
        voters = {voter.entitlement: voter for voter in package.voters}
        went = {voter.entitlement: voter.away for voter in package.voters if voter.away}
        keys = {officer.id: OwnKey(officer.key) for officer in package.officers if officer.key is not None}
        book = cls(package, Head.before(package.log), package.lease, places, voters, went=went, keys=keys)
        for event in events:
            book.apply(event)
        return book

    @property
    def log(self) -> LogId:
        return self.package.log

    def apply(self, event: Event) -> None:
        """Folds one more event in; raises LogError or CustodyError, and is then unchanged."""
        place = self.check(event)
        self.head = event.head
        self.hashes.append(self.head.hash)
        body, who = event.body, self.subject(event)
        if who is not None and place is not None:
            self.places[who] = place
        match event.kind:
            case "open":
                self.opened = self.opened or event.at
            case "close":
                self.closed = event.at
            case "check-in":
                assert who is not None
                members = tuple(body.get("members", ()))
                salt = bytes.fromhex(body["salt"])
                self.check_ins[event.n] = CheckIn(
                    event.n, event.at, who, body["channel"], body["officer"], salt, members
                )
                self.used_by[who] = event.n
                self.in_box.pop(who, None)
            case "undo":
                was = self.check_ins[body["of"]]
                undone = CheckIn(
                    was.n, was.at, was.entitlement, was.channel, was.officer, was.salt, was.members, event.n
                )
                self.check_ins[was.n] = undone
                del self.used_by[was.entitlement]
                if "request" in body:
                    struck = Struck(event.n, was.n, event.at, was.entitlement, was.salt, body["request"])
                    self.struck[event.n] = struck
            case "struck-out":
                self.struck[body["of"]] = replace(self.struck[body["of"]], out=event.n)
            case "receive":
                grant = Grant.of_event(self.log, event)
                self.came[grant.entitlement] = grant
                self.went.pop(grant.entitlement, None)
                self.certificates.pop(grant.entitlement, None)
                self.backs.pop(grant.entitlement, None)
            case "release":
                assert who is not None
                self.went[who] = body.get("to", holders.NOBODY)
            case "certificate":
                assert who is not None
                self.went[who], self.certificates[who] = holders.CERTIFICATE, body["number"]
            case "certificate-back":
                assert who is not None
                self.backs[who] = event.at
            case "mobile-request":
                assert who is not None
                self.mobile.setdefault(who, event.at)
            case "mobile-out":
                assert who is not None
                self.in_box[who] = InBox(event.at, tuple(body["members"]))
            case "mobile-back":
                assert who is not None
                del self.in_box[who]
            case "ballots":
                if (of := body.get("undoes")) is None:
                    self.ballots.append(Ballots(event.n, body["what"], body["count"], body.get("member", "")))
                else:
                    self.ballots = [replace(one, undone=event.n) if one.n == of else one for one in self.ballots]
            case "officer-key":
                self.keys[body["officer"]] = OwnKey(b64decode(body["key"]), event.n, event.at, "sig" in body)
            case "queue":
                self.queue = (event.at, body["count"])
            case "envelope":
                self.envelopes.append(Envelope(event.n, UUID(body["id"]), who, body["reason"], body["officer"]))
            case "envelope-undo":
                self.taken_back |= {one.id for one in self.envelopes if one.n == body["of"]}
                self.envelopes = [one for one in self.envelopes if one.n != body["of"]]
            case "envelope-of":
                named = {body["of"]: who}
                self.envelopes = [replace(one, entitlement=named.get(one.n, one.entitlement)) for one in self.envelopes]

    def check(self, event: Event) -> Place | None:
        """The place of the event's entitlement after it; raises LogError or CustodyError where it may not follow."""
        follow(self.head, (event,))
        if self.closed and event.kind not in AFTER_CLOSE:
            raise LogError(f"the list was closed at {self.closed}; `{event.kind}` cannot follow", "P.010")
        who = self.subject(event)
        if event.kind == "struck-out" and event.body["of"] not in self.struck:
            raise LogError(f"event {event.body['of']} strikes no electronic ballot", "P.073")
        if event.kind == "envelope-of" and all(one.n != event.body["of"] for one in self.unnamed):
            raise LogError(f"event {event.body['of']} is no envelope without a name", "P.081")
        if event.kind == "envelope-undo" and all(one.n != event.body["of"] for one in self.envelopes):
            raise LogError(f"event {event.body['of']} is no envelope that lies here", "P.076")
        undoes = event.body.get("undoes")
        if undoes is not None and all(one.n != undoes or one.undone for one in self.ballots):
            raise LogError(f"event {undoes} is no note of ballots that stands", "P.082")
        self._check_box(event, who)
        if event.kind == "certificate-back" and (who not in self.certificates or who in self.backs):
            raise custody.CustodyError("no certificate was given here that could be taken back", "P.080")
        if who is None or event.kind in ("envelope", "envelope-of"):
            return None
        return custody.after(self.places.get(who), event)

    def _check_box(self, event: Event, who: UUID | None) -> None:
        """While the mobile box carries a right, only what happens at the voter's home is noted of it. At the end it is back."""
        if event.kind == "close" and self.in_box:
            many = len(self.in_box)
            raise LogError(f"the mobile box is on its way, for {many} voters; note how it came back", "P.074")
        if event.kind == "mobile-back" and who not in self.in_box:
            raise LogError("the mobile box does not carry this right", "P.030")
        at_home = event.kind == "check-in" and event.body["channel"] == MOBILE
        if who in self.in_box and event.kind in ("check-in", "release", "certificate") and not at_home:
            raise custody.CustodyError("the mobile box is on its way with this right", "P.074")

    @property
    def unnamed(self) -> list[Envelope]:
        """Envelopes of which nobody knows yet whose they are."""
        return [one for one in self.envelopes if one.entitlement is None]

    def subject(self, event: Event) -> UUID | None:
        """The entitlement that an event concerns; for `undo` that of its check-in."""
        if event.kind != "undo":
            return event.entitlement
        if (undone := self.check_ins.get(event.body["of"])) is None or undone.undone:
            raise custody.CustodyError(f"event {event.body['of']} is no check-in that stands", "P.031")
        return undone.entitlement

    def check_in_of(self, who: UUID) -> CheckIn | None:
        """The check-in that stands for this entitlement."""
        n = self.used_by.get(who)
        return None if n is None else self.check_ins[n]

    def add_voter(self, voter: Voter) -> None:
        """The line of somebody who came by a grant: names for the page; custody comes by `receive` alone."""
        self.voters.setdefault(voter.entitlement, voter)

    def hear(self, answer: Answer) -> str:
        """Takes in what the centre says: the later lease; a reason to stop. Returns the reason, empty where there is none.

        A centre that holds more of this log than this machine, or other events, means that the disk is an old copy. That
        there is an answer, signed and to this log's own key, says that the centre knows it.
        """
        self.told, self.lost = True, answer.lost
        said = answer.acknowledged
        ours = self.hashes[said.n - 1] if 0 < said.n <= len(self.hashes) else self.log.start
        if answer.stopped:
            self.stopped = answer.stopped
        elif said.n > self.head.n or said.hash != ours:
            self.stopped = (
                f"the centre has event {said.n} of this log and this machine has another or none: an old copy"
            )
        if answer.lease is not None:
            self.lease = max(self.lease, answer.lease)
        return self.stopped
