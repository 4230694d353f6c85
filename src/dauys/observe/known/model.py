"""What does a mission know? The fold of its log: who it is, what was drawn, who observes where, what came in and was verified.

A mission's log is a list of events that only grows. Everything that a page, an estimate or the report shows is computed from
`Mission`, and every report names the event that it came by (`Report.n`), so that each number can be traced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from dauys.errors import DauysError
from dauys.observe.known.reports import Photo, Report
from dauys.observe.known.told import Told

_Key = TypeVar("_Key")
Body = Mapping[str, Any]
Spans = tuple[tuple[str, str], ...]
"""When something held, oldest first: from and to (ISO 8601); the last has an empty end while it holds."""

STANDINGS = ("new", "verified", "rejected")


class MissionError(DauysError):
    """What a mission does not do: a second draw, a suspended observer, a station that was not drawn."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log: its place from 0, when (ISO 8601), by whom (`office`, an observer's id, `import`), what."""

    n: int
    at: str
    by: str
    kind: str
    body: Body


@dataclass(frozen=True, slots=True)
class Identity:
    """Who observes which poll: the accredited organisation's `code`, its `names` by language, where the official record is.

    `source`: the address of a site's record or the folder of a bundle; `log_key`: its verifier key (C2SP), once it is known.
    `coalition`: codes of the organisations whose observers work together.
    """

    code: str
    names: Mapping[str, str]
    poll: str
    source: str
    zone: str
    log_key: str = ""
    coalition: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frozen:
    """The frame: SHA-256 of its bytes (observe.sample.frame), stations, the size of the record it was read from (0: a file).

    `file` is its name in the mission's folder.
    """

    sha256: str
    stations: int
    record_size: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Sampled:
    """The sample: the answer of `dauys sample --json` as it stands (observe.sample.draw.Draw.to_json)."""

    draw: Body
    n: int
    drawn: frozenset[str]

    @property
    def stations(self) -> tuple[str, ...]:
        return tuple(self.draw["stations"])


@dataclass(frozen=True, slots=True)
class Observer:
    """Somebody who observes. `secret` is the scrypt mark of the code by which the phone signs in; `suspended`: why, or empty.

    `area` is where he lives, for the assignment.
    """

    id: str
    name: str
    organisation: str
    secret: str = ""
    badge: str = ""
    phone: str = ""
    suspended: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """An entry that went into the official record: its id, kind, and its place there where the receipt named one."""

    id: str
    kind: str
    index: int | None


@dataclass
class Mission:
    """The state after `size` events."""

    size: int = 0
    identity: Identity | None = None
    frame: Frozen | None = None
    plan: Body | None = None
    commitment: str = ""
    sample: Sampled | None = None
    observers: dict[str, Observer] = field(default_factory=dict)
    assigned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Station to the observers who are there now: one of each organisation."""
    suspensions: dict[str, Spans] = field(default_factory=dict)
    """Observer to when he was suspended."""
    stays: dict[tuple[str, str], Spans] = field(default_factory=dict)
    """Observer and station to when he was assigned there."""
    reports: dict[int, Report] = field(default_factory=dict)
    by_key: dict[str, int] = field(default_factory=dict)
    audits: dict[str, Body] = field(default_factory=dict)
    """What an audit's page recorded, by its name: plan, draws and results (observe.audit)."""
    sent: dict[str, Sent] = field(default_factory=dict)
    notes: dict[str, Body] = field(default_factory=dict)
    """Anything that a page keeps under a name of its own."""
    _told: Told | None = field(default=None, repr=False, compare=False)

    @property
    def told(self) -> Told:
        """What the reports say, in indexes: made when it is first asked for, then kept up to date."""
        if self._told is None:
            self._told = Told(self.reports.values())
        return self._told

    def apply(self, event: Event) -> None:
        """Folds one event in. Raises MissionError where it may not follow; the state is then as before."""
        if event.n != self.size:
            raise MissionError(f"event {event.n} does not follow event {self.size - 1}")
        act = _ACTS.get(event.kind)
        if act is None:
            raise MissionError(f"a kind of event that nobody defined: {event.kind}")
        act(self, event)
        self.size += 1

    def picture(self) -> Mission:
        """The same state, which later events do not change: what it holds is never changed in place."""
        other = copy(self)
        other._told = None
        for one in fields(self):
            if isinstance(part := getattr(self, one.name), dict) and one.name != "plan":
                setattr(other, one.name, dict(part))
        return other

    def where(self, observer: str) -> tuple[str, ...]:
        """The stations of an observer, by id."""
        return tuple(sorted(station for station, there in self.assigned.items() if observer in there))


def fold(events: Iterable[Event]) -> Mission:
    """The mission that a whole log amounts to."""
    mission = Mission()
    for event in events:
        mission.apply(event)
    return mission


def held(spans: Spans, at: datetime) -> bool:
    """Whether it held at that moment: from its beginning on, and at its end no more."""
    return any(
        datetime.fromisoformat(begin) <= at and (not end or at < datetime.fromisoformat(end)) for begin, end in spans
    )


def moment_of(report: Report) -> datetime:
    """When the report was written, as it was settled."""
    return datetime.fromisoformat(report.written)


def _identity(mission: Mission, event: Event) -> None:
    body = event.body
    if mission.sample is not None and mission.identity is not None and body["poll"] != mission.identity.poll:
        raise MissionError("a mission that has drawn its sample keeps its poll: make another mission for another poll")
    mission.identity = Identity(
        body["code"], dict(body["names"]), body["poll"], body["source"], body["zone"], body.get("log_key", ""),
        tuple(body.get("coalition", ())),
    )  # fmt: skip


def _frame(mission: Mission, event: Event) -> None:
    if mission.commitment:
        raise MissionError("the frame is frozen: a design was committed to over it")
    mission.frame = Frozen(
        event.body["sha256"], event.body["stations"], event.body["record_size"], event.body.get("file", "")
    )


def _plan(mission: Mission, event: Event) -> None:
    if mission.frame is None:
        raise MissionError("freeze the list of stations first: a design is one over a frame")
    if mission.commitment:
        raise MissionError("a design was committed to: it stays, or a mission could choose among samples")
    mission.plan, mission.commitment = dict(event.body["plan"]), event.body["commitment"]


def _drawn(mission: Mission, event: Event) -> None:
    if mission.sample is not None:
        raise MissionError("the sample is drawn already: a station of a sample is never replaced by another")
    if mission.frame is None or mission.frame.sha256 != event.body["frame_sha256"]:
        raise MissionError("this is not the list that the sample is to be drawn from")
    mission.sample = Sampled(dict(event.body), event.n, frozenset(event.body["stations"]))


def _observer(mission: Mission, event: Event) -> None:
    body = event.body
    before = mission.observers.get(body["id"])
    if before is not None and before.organisation != body["organisation"] and mission.where(before.id):
        raise MissionError(f"{before.id} is at a station: take him from there before he changes his organisation")
    mission.observers[body["id"]] = Observer(
        body["id"], body["name"], body["organisation"], body.get("secret", before.secret if before else ""),
        body.get("badge", ""), body.get("phone", ""), before.suspended if before else "",
        body.get("area", ""),
    )  # fmt: skip


def _suspended(mission: Mission, event: Event) -> None:
    """`why` empty: the suspension ends."""
    who = _known(mission, event.body["observer"])
    mission.observers[who.id] = replace(who, suspended=event.body["why"])
    _span(mission.suspensions, who.id, bool(event.body["why"]), event.at)


def _assigned(mission: Mission, event: Event) -> None:
    who, station = _known(mission, event.body["observer"]), event.body["station"]
    there = mission.assigned.get(station, ())
    if who.suspended:
        raise MissionError(f"{who.id} is suspended: {who.suspended}")
    for other in there:
        if other != who.id and mission.observers[other].organisation == who.organisation:
            raise MissionError(
                f"{other} of the same organisation is at station {station}: one observer of an organisation at a time"
            )
    mission.assigned[station] = tuple(sorted({*there, who.id}))
    _span(mission.stays, (who.id, station), True, event.at)


def _unassigned(mission: Mission, event: Event) -> None:
    station, who = event.body["station"], event.body["observer"]
    mission.assigned[station] = tuple(name for name in mission.assigned.get(station, ()) if name != who)
    _span(mission.stays, (who, station), False, event.at)


def _span(spans: dict[_Key, Spans], key: _Key, holds: bool, at: str) -> None:
    """Opens or ends a span at this moment; what holds already keeps its beginning."""
    there = spans.get(key, ())
    if holds != (bool(there) and not there[-1][1]):
        spans[key] = (*there, (at, "")) if holds else (*there[:-1], (there[-1][0], at))


def _report(mission: Mission, event: Event) -> None:
    body = event.body
    if body["key"] in mission.by_key:
        raise MissionError("this report came already")
    photos = tuple(Photo(one["sha256"], one["size"], one["kind"]) for one in body.get("photos", ()))
    report = mission.reports[event.n] = Report(
        event.n, body["key"], body["observer"], body["station"], body["form"], dict(body["values"]), body["written"],
        event.at, body["channel"], body.get("contest", ""), photos, tuple(body.get("flags", ())),
    )  # fmt: skip
    mission.by_key[report.key] = report.n
    if mission._told is not None:
        mission._told.add(report)


def _judged(mission: Mission, event: Event) -> None:
    """The office verified or rejected a report; `values` are the answers as verified, where they changed."""
    body = event.body
    report = mission.reports.get(body["report"])
    if report is None:
        raise MissionError(f"no report {body['report']}")
    if body["standing"] not in STANDINGS:
        raise MissionError(f"a report is new, verified or rejected, not {body['standing']}")
    judged = mission.reports[report.n] = replace(
        report, standing=body["standing"], values=dict(body.get("values", report.values)), note=body.get("note", ""),
        by=event.by,
    )  # fmt: skip
    if mission._told is not None:
        mission._told.judge(report, judged)


def _audit(mission: Mission, event: Event) -> None:
    mission.audits[event.body["name"]] = dict(event.body)


def _sent(mission: Mission, event: Event) -> None:
    body = event.body
    mission.sent[body["id"]] = Sent(body["id"], body["entry_kind"], body.get("index"))


def _note(mission: Mission, event: Event) -> None:
    mission.notes[event.body["name"]] = dict(event.body)


def _known(mission: Mission, observer: str) -> Observer:
    found = mission.observers.get(observer)
    if found is None:
        raise MissionError(f"no observer {observer} in this mission")
    return found


_ACTS = {
    "identity": _identity,
    "frame": _frame,
    "plan": _plan,
    "drawn": _drawn,
    "observer": _observer,
    "suspended": _suspended,
    "assigned": _assigned,
    "unassigned": _unassigned,
    "report": _report,
    "judged": _judged,
    "audit": _audit,
    "sent": _sent,
    "note": _note,
}
