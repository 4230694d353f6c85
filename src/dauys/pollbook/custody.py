"""Who holds a voter's right, who may use it up, and who may give it to the next one? The rules, for both sides.

An entitlement is one voter's right in one poll. At any time exactly one holder has it in custody. Each change of custody
raises its epoch by one. The rules (docs/custody.md argues that they suffice):

1. Only the holder uses it up (`check-in`), and only once; `undo` takes a use back, and only where it was made.
2. Only the holder lets it go (`release`, `certificate`), unused, in its own log; from then on it cannot use it.
3. Only the centre gives it to the next one (a grant), and only when the holder's release, or the end of the holder's
   log (`close`), is in what the centre has of that log.
4. A holder takes a grant (`receive`) only for itself, and only for an epoch later than any it knows.
5. No clock moves custody. A lease that ends stops its station; it frees nothing.

`after` is the station's side: what one event does to one entitlement in one log. `Centre` is the centre's side as a
small value; the centre's database implements the same rules and is tested against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from dauys.errors import DauysError
from dauys.pollbook.grants import Grant, Request, why_given
from dauys.pollbook.log import Batch, Event, Head, LogError, LogId, verify_batch

CERTIFICATE = "certificate"
"""The holder of an entitlement whose voter carries an absentee certificate: the centre grants it where he shows it."""

WITHDRAWN = "withdrawn"
"""The holder of an entitlement that the commission took back after the freeze (pollbook.decided): nobody uses it there."""

UNLISTED = "roll/"
"""Begins the holder of an entitlement that was added after the freeze and stands on no list: only the centre has it."""


class CustodyError(DauysError):
    """Something that the rules of custody forbid. `check` is its number (checks.yaml)."""

    def __init__(self, message: str, check: str) -> None:
        self.check = check
        super().__init__(f"[{check}] {message}")


# The station's side


class Standing(StrEnum):
    """How an entitlement stands in one log."""

    HERE = "here"
    USED = "used"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Place:
    """One entitlement in one log: the latest epoch that this log knows, and the event that made it so (0: the list)."""

    standing: Standing
    epoch: int
    n: int = 0


def after(place: Place | None, event: Event) -> Place:
    """The entitlement's place after an event that names it; for `undo`, the entitlement of the check-in it names.

    `place` None: this log has never heard of it. Raises CustodyError where the rules forbid it.
    """
    match event.kind:
        case "receive":
            epoch = int(event.body["epoch"])
            if place is not None and place.standing is not Standing.AWAY:
                raise CustodyError("the right is here already", "P.036")
            if place is not None and epoch <= place.epoch:
                raise CustodyError(f"an old grant: epoch {epoch} was here before", "P.036")
            return Place(Standing.HERE, epoch, event.n)
        case _ if place is None:
            raise CustodyError("the voter is not on this list", "P.020")
        case "check-in":
            _must_be_here(place)
            return replace(place, standing=Standing.USED, n=event.n)
        case "undo":
            if place.standing is not Standing.USED or place.n != event.body["of"]:
                raise CustodyError(f"event {event.body['of']} is no check-in that stands", "P.031")
            return replace(place, standing=Standing.HERE, n=event.n)
        case "release" | "certificate":
            _must_be_here(place)
            if place.epoch != event.body["epoch"]:
                raise CustodyError(f"epoch {event.body['epoch']} is asked for, epoch {place.epoch} is here", "P.037")
            return replace(place, standing=Standing.AWAY, n=event.n)
    return place


def _must_be_here(place: Place) -> None:
    if place.standing is Standing.USED:
        raise CustodyError("the right was used here", "P.021")
    if place.standing is Standing.AWAY:
        raise CustodyError("the right is held elsewhere", "P.022")


# The centre's side


class State(StrEnum):
    """What the centre knows of an entitlement: RELEASED means that its holder let it go and nobody has it yet."""

    UNUSED = "unused"
    USED = "used"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Custody:
    """Holder, epoch and state of one entitlement; `n` is the check-in that used it."""

    holder: str
    epoch: int
    state: State = State.UNUSED
    n: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What the centre has of one log. `hashes[n-1]` is that of event n; `check_ins` are those that stand."""

    key: bytes
    hashes: tuple[str, ...] = ()
    check_ins: Mapping[int, UUID] = field(default_factory=dict)
    closed: bool = False
    lost: bool = False
    stopped: str = ""

    @property
    def complete(self) -> bool:
        """Whether nothing can follow that touches custody: closed, and one history."""
        return self.closed and not self.stopped


@dataclass(frozen=True, slots=True)
class Alarm:
    """A broken guarantee or an attempt at one. Never dropped; `check` is its number (P.1xx)."""

    check: str
    log: LogId
    n: int
    entitlement: UUID | None
    text: str


Use = tuple[LogId, int]
"""A check-in that stands: its log and its number there."""


@dataclass(frozen=True, slots=True)
class Centre:
    """Everything that the centre decides custody by. A value: each function below gives the next one."""

    poll: str
    custody: Mapping[UUID, Custody] = field(default_factory=dict)
    logs: Mapping[LogId, Known] = field(default_factory=dict)
    requests: Mapping[str, Request] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    uses: Mapping[UUID, tuple[Use, ...]] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()

    def head(self, log: LogId) -> Head:
        """How far the centre has a log."""
        hashes = self.logs[log].hashes
        return Head(len(hashes), hashes[-1]) if hashes else Head.before(log)

    def known(self, holder: str) -> Known | None:
        """The log of a holder; None for `certificate`."""
        return next((known for log, known in self.logs.items() if log.holder == holder), None)

    def incomplete(self) -> list[LogId]:
        """The logs that may still bring something: as long as there is one, no envelope is resolved."""
        return [log for log, known in self.logs.items() if not known.complete and log.paper_of is None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a batch: how far the log is acknowledged, and what the station is to do."""

    centre: Centre
    acknowledged: Head
    send_from: int | None = None
    stopped: str = ""
    alarms: tuple[Alarm, ...] = ()


def enrol(centre: Centre, log: LogId, key: bytes) -> Centre:
    """A station's log begins, under the station's public key. Enrolling it again with the same key changes nothing.

    The next generation begins only when the last one is declared lost. It holds nothing: what the lost log held stays
    with the lost log. Raises CustodyError P.019.
    """
    if (known := centre.logs.get(log)) is not None:
        if known.key != key:
            raise CustodyError(f"{log} is enrolled with another key; enrol the next generation", "P.019")
        return centre
    earlier = [other for other in centre.logs if other.station == log.station and other.paper_of is None]
    if log.paper_of is not None:
        earlier = [other for other in centre.logs if other == log.paper_of]
    elif log.poll != centre.poll or log.generation != len(earlier) + 1:
        raise CustodyError(f"{log} is not the next generation of a station of {centre.poll}", "P.019")
    if any(not centre.logs[other].lost for other in earlier) or (log.paper_of is not None and not earlier):
        raise CustodyError(f"station {log.station} works; declare it lost before it is enrolled again", "P.019")
    return replace(centre, logs={**centre.logs, log: Known(key)})


def declare_lost(centre: Centre, log: LogId) -> Centre:
    """The commission gives a station's machine up for lost. Custody stays where it is: it may be found, or still work."""
    return replace(centre, logs={**centre.logs, log: replace(centre.logs[log], lost=True)})


def take(centre: Centre, batch: Batch) -> Taken:
    """Applies what is new in a batch; what was taken before is acknowledged again and changes nothing.

    Raises LogError P.003 (not enrolled), P.004 (not its key), P.005 (not one chain).
    """
    known = centre.logs.get(batch.log)
    if known is None:
        raise LogError(f"{batch.log} is not enrolled here", "P.003")
    verify_batch(batch, known.key)
    batch.check_chain()
    if known.stopped:
        return Taken(centre, centre.head(batch.log), stopped=known.stopped)
    if batch.first > len(known.hashes) + 1:
        return Taken(centre, centre.head(batch.log), send_from=len(known.hashes) + 1)
    if (n := _parting(centre, batch)) is not None:
        alarm = Alarm("P.106", batch.log, n, None, f"two histories: event {n} was another one before")
        stopped = replace(centre, logs={**centre.logs, batch.log: replace(known, stopped=alarm.text)})
        stopped = replace(stopped, alarms=(*centre.alarms, alarm))
        return Taken(stopped, centre.head(batch.log), stopped=alarm.text, alarms=(alarm,))
    before = centre
    for event in batch.events[len(known.hashes) + 1 - batch.first :]:
        centre = apply(centre, batch.log, event)
    return Taken(centre, centre.head(batch.log), alarms=centre.alarms[len(before.alarms) :])


def _parting(centre: Centre, batch: Batch) -> int | None:
    """The first event in which a batch differs from what the centre has of the log; None where it does not."""
    hashes = (batch.log.start, *centre.logs[batch.log].hashes)
    said = [batch.events[0].prev if batch.events else batch.head, *(event.head.hash for event in batch.events)]
    pairs = zip(hashes[batch.first - 1 :], said, strict=False)
    return next((n for n, (ours, theirs) in enumerate(pairs, batch.first - 1) if ours != theirs), None)


def apply(centre: Centre, log: LogId, event: Event) -> Centre:
    """One new event of a log. What breaks a rule is kept and raises an alarm; it moves no custody."""
    known = centre.logs[log]
    who = known.check_ins.get(event.body["of"]) if event.kind == "undo" else event.entitlement
    late = known.closed and event.kind != "ballots"
    known = replace(known, hashes=(*known.hashes, event.head.hash), closed=known.closed or event.kind == "close")
    centre = replace(centre, logs={**centre.logs, log: known})
    if late:
        centre = _alarm(centre, log, event, who, "P.107", f"`{event.kind}` after the list was closed")
    match event.kind:
        case "check-in" if who is not None:
            return _check_in(centre, log, event, who)
        case "undo":
            return _undo(centre, log, event, who)
        case "release" | "certificate" if who is not None:
            return _let_go(centre, log, event, who)
        case "receive" if who is not None:
            return _receive(centre, log, event, who)
    return centre


def _check_in(centre: Centre, log: LogId, event: Event, who: UUID) -> Centre:
    uses = (*centre.uses.get(who, ()), (log, event.n))
    known = centre.logs[log]
    known = replace(known, check_ins={**known.check_ins, event.n: who})
    centre = replace(centre, uses={**centre.uses, who: uses}, logs={**centre.logs, log: known})
    custody = centre.custody.get(who)
    if custody is not None and custody.holder == log.holder and custody.state is State.UNUSED:
        return put(centre, who, replace(custody, state=State.USED, n=event.n))
    typed = None if log.paper_of else log.paper.holder
    if custody is not None and (custody.holder, custody.state) == (typed, State.USED):
        return _alarm(
            centre, log, event, who, "P.108", "a found log has what was typed from its paper: one ballot or two?"
        )
    text = "a right was used that was not this station's to use"
    centre = _alarm(centre, log, event, who, "P.101", text)
    return centre if len(uses) == 1 else _alarm(centre, log, event, who, "P.102", "a right was used twice")


def _undo(centre: Centre, log: LogId, event: Event, who: UUID | None) -> Centre:
    of = int(event.body["of"])
    if who is None:
        return _alarm(centre, log, event, None, "P.104", f"event {of} is no check-in that stands")
    known = centre.logs[log]
    known = replace(known, check_ins={n: one for n, one in known.check_ins.items() if n != of})
    uses = tuple(use for use in centre.uses[who] if use != (log, of))
    centre = replace(centre, uses={**centre.uses, who: uses}, logs={**centre.logs, log: known})
    custody = centre.custody.get(who)
    if custody is None or (custody.holder, custody.state, custody.n) != (log.holder, State.USED, of):
        return centre  # the undone check-in had raised the alarm
    return put(centre, who, replace(custody, state=State.UNUSED, n=0))


def _let_go(centre: Centre, log: LogId, event: Event, who: UUID) -> Centre:
    custody = centre.custody.get(who)
    if custody != Custody(log.holder, event.body["epoch"]):
        return _alarm(centre, log, event, who, "P.103", "a right was let go that was not this station's to let go")
    if event.kind == "certificate":
        return put(centre, who, Custody(CERTIFICATE, custody.epoch + 1))
    return put(centre, who, replace(custody, state=State.RELEASED))


def _receive(centre: Centre, log: LogId, event: Event, who: UUID) -> Centre:
    given = centre.grants.get(event.body["grant"]["request"])
    if given is None or (given.entitlement, given.epoch, given.to) != (who, event.body["epoch"], log.holder):
        return _alarm(centre, log, event, who, "P.105", "custody was taken that the centre did not give")
    return replace(centre, grants={name: one for name, one in centre.grants.items() if one != given})


def put(centre: Centre, who: UUID, custody: Custody) -> Centre:
    """The centre with that custody of that right."""
    return replace(centre, custody={**centre.custody, who: custody})


def _alarm(centre: Centre, log: LogId, event: Event, who: UUID | None, check: str, text: str) -> Centre:
    return replace(centre, alarms=(*centre.alarms, Alarm(check, log, event.n, who, text)))


def ask(centre: Centre, request: str, who: UUID, to: LogId) -> Centre:
    """Somebody stands at `to` whose right is elsewhere. Asking moves nothing; asking twice changes nothing.

    Raises CustodyError: P.020 not on the roll, P.021 used, P.050 already there, P.051 that station cannot take it.
    """
    custody = centre.custody.get(who)
    if custody is None:
        raise CustodyError("the voter is not on the roll of this poll", "P.020")
    if request in centre.requests:
        return centre
    if custody.state is State.USED or centre.uses.get(who):
        raise CustodyError(f"the right was used at {custody.holder}", "P.021")
    if custody.holder == to.holder and custody.state is State.UNUSED:
        raise CustodyError("the right is held by this very station", "P.050")
    must_take(centre, to)
    return replace(centre, requests={**centre.requests, request: Request(request, who, custody.epoch, to.holder)})


def asked_of(centre: Centre, log: LogId) -> tuple[Request, ...]:
    """What this log's holder is asked to let go, as far as the centre knows."""
    return tuple(
        request
        for request in centre.requests.values()
        if centre.custody[request.entitlement] == Custody(log.holder, request.epoch)
    )


def may_grant(centre: Centre, who: UUID) -> bool:
    """Rule 3: whether nobody can use this entitlement any more unless the centre gives it to him."""
    custody = centre.custody[who]
    if centre.uses.get(who):
        return False
    if custody.state is State.RELEASED or custody.holder.startswith(UNLISTED):
        return True
    holder = centre.known(custody.holder)
    closed = holder is not None and holder.complete
    return custody.state is State.UNUSED and (custody.holder == CERTIFICATE or closed)


def grant(centre: Centre, request: str, to: LogId) -> tuple[Centre, Grant]:
    """Gives custody to who asked for it. The grant is unsigned; the one who holds the centre's key signs it.

    Raises CustodyError: P.052 the holder has not let it go, P.053 it went elsewhere meanwhile, P.051.
    """
    if (given := centre.grants.get(request)) is not None:
        return centre, given
    asked = centre.requests.get(request)
    custody = None if asked is None else centre.custody[asked.entitlement]
    if asked is None or custody is None or asked.to != to.holder:
        raise CustodyError("there is no such request of this station", "P.053")
    if custody.epoch != asked.epoch:
        raise CustodyError(f"the right went to {custody.holder} meanwhile", "P.053")
    if not may_grant(centre, asked.entitlement):
        raise CustodyError(f"{custody.holder} holds the right and has not let it go", "P.052")
    must_take(centre, to)
    why = why_given(custody.holder, to, released=custody.state is State.RELEASED)
    given = Grant(centre.poll, asked.entitlement, custody.epoch + 1, to.holder, why, request)
    centre = put(centre, given.entitlement, Custody(to.holder, given.epoch))
    return replace(centre, grants={**centre.grants, request: given}), given


def granted_to(centre: Centre, log: LogId) -> tuple[Grant, ...]:
    """What was given to this log's holder and is not yet in its log: told again with every answer."""
    return tuple(given for given in centre.grants.values() if given.to == log.holder)


def must_take(centre: Centre, to: LogId) -> None:
    """Raises CustodyError P.051 unless that log can still receive."""
    known = centre.logs.get(to)
    if known is None or known.closed or known.stopped:
        raise CustodyError(f"{to.holder} is not open", "P.051")
