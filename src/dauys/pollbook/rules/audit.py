"""Was the guarantee kept, for every voter, by the logs alone? For whoever holds all logs and trusts neither stations nor centre.

Nothing here uses the rules by which the logs were made (`custody.after`, `custody.take`): each right's story is told again
from the events, and what does not fit is a finding with the number of the alarm that the centre should have raised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dauys.pollbook.log.events import Event, LogId


@dataclass(frozen=True, slots=True)
class Finding:
    """A right whose story does not hold. `check` is P.101, P.102, P.103 or P.105."""

    check: str
    entitlement: UUID
    text: str


@dataclass(slots=True)
class Stay:
    """A right in one log: how it came (event number, 0 from the list), how it went, if it did, and the check-ins that stand
    there or on the machine's paper."""

    log: LogId
    epoch: int
    came: int
    why: str
    went: str = ""
    standing: int = 0


def audit(
    logs: Mapping[LogId, Sequence[Event]],
    homes: Mapping[UUID, LogId],
) -> list[Finding]:
    """What is wrong over all logs. `homes`: in whose first log each right of the frozen roll begins, in epoch 0.

    A log that is missing from `logs` is not judged, and neither is what was given out of it.
    """
    stays: dict[UUID, list[Stay]] = {who: [Stay(log, 0, 0, "list")] for who, log in homes.items()}
    findings: list[Finding] = []
    closed = set()
    for log, events in logs.items():
        used: dict[int, Stay] = {}
        for event in events if log.paper_of is None else ():
            if event.kind == "close":
                closed.add(log)
            elif event.kind == "undo":
                if (was := used.pop(event.body["of"], None)) is not None:
                    was.standing -= 1
            elif (who := event.entitlement) is not None:
                _tell(stays.setdefault(who, []), log, event, who, used, findings)
    for log, events in logs.items():
        if (machine := log.paper_of) is not None:
            findings += _typed(machine, events, stays, closed)
    for who, several in stays.items():
        uses = sum(stay.standing for stay in several)
        if uses > 1:
            where = ", ".join(stay.log.holder for stay in several if stay.standing)
            findings.append(Finding("P.102", who, f"used {uses} times, at {where}"))
        findings += _given(who, several, logs, closed)
    return findings


def _tell(
    several: list[Stay],
    log: LogId,
    event: Event,
    who: UUID,
    used: dict[int, Stay],
    findings: list[Finding],
) -> None:
    """Adds one event to the story of one right."""
    here = next((stay for stay in reversed(several) if stay.log == log and not stay.went), None)
    match event.kind:
        case "receive":
            several.append(Stay(log, event.body["epoch"], event.n, event.body["grant"]["why"]))
        case "check-in":
            if here is None:
                findings.append(Finding("P.101", who, f"used at {log.holder}, event {event.n}, which did not hold it"))
                several.append(here := Stay(log, -1, event.n, "nothing"))
            here.standing += 1
            used[event.n] = here
        case "release" | "certificate":
            if here is None or here.standing or here.epoch != event.body["epoch"]:
                findings.append(Finding("P.103", who, f"let go at {log.holder}, event {event.n}, which could not"))
            else:
                here.went = event.kind


def _typed(
    machine: LogId, events: Sequence[Event], stays: dict[UUID, list[Stay]], closed: set[LogId]
) -> Iterator[Finding]:
    """What was typed from a lost machine's paper and not taken back is a use of what that machine held.

    As long as the machine's log is not complete it may have held what it does not say, but not while another log has it.
    """
    undone = {event.body["of"] for event in events if event.kind == "undo"}
    for event in events:
        if event.kind != "check-in" or event.n in undone or (who := event.entitlement) is None:
            continue
        several = stays.setdefault(who, [])
        here = max((stay for stay in several if stay.log == machine), key=lambda stay: stay.epoch, default=None)
        if here is None:
            several.append(here := Stay(machine, -1, 0, "nothing", "unknown"))
        here.standing += 1
        elsewhere = any(stay.epoch > here.epoch and not stay.went for stay in several)
        if here.went and (elsewhere or machine in closed):
            yield Finding("P.101", who, f"used on the paper of {machine.holder}, which did not hold it")


def _given(who: UUID, several: list[Stay], logs: Mapping[LogId, Sequence[Event]], closed: set[LogId]) -> list[Finding]:
    """Whether each stay but the first followed from one before: let go, certified, or left over in a closed log."""
    findings: list[Finding] = []
    by_epoch: dict[int, Stay] = {}
    for stay in sorted(several, key=lambda stay: stay.epoch):
        if stay.epoch < 0:
            continue
        if stay.epoch in by_epoch:
            both = f"{by_epoch[stay.epoch].log.holder} and {stay.log.holder}"
            findings.append(Finding("P.105", who, f"epoch {stay.epoch} was given twice: to {both}"))
        elif stay.epoch and (before := _before(stay, by_epoch)) is not None:
            left = before.log in closed and not before.standing
            if not before.went and not left and before.log in logs:
                text = f"given to {stay.log.holder} while {before.log.holder} held it"
                findings.append(Finding("P.105", who, text))
        by_epoch[stay.epoch] = stay
    return findings


def _before(stay: Stay, by_epoch: Mapping[int, Stay]) -> Stay | None:
    """The latest stay with a smaller epoch; None where a log in between is missing."""
    gap = 2 if stay.why in ("certificate", "returned") else 1  # in between the voter, or the commission, had it
    return by_epoch.get(stay.epoch - gap)
