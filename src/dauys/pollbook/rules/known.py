"""What does the centre have of a right, of a log and its machine, and what does it say when a rule was broken? Values alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dauys.pollbook.log.events import Batch, Event, Head, LogId


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


Use = tuple[LogId, int]
"""A check-in that stands: its log and its number there."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the centre has of one log. `hashes[n-1]` is that of event n; `check_ins` are those that stand; `certificates`: the
    epoch in which it gave the last one for a right; `reported`: the lines of a paper's log that use nothing, as long as its
    machine's check-in stands."""

    key: bytes
    hashes: tuple[str, ...] = ()
    check_ins: Mapping[int, UUID] = field(default_factory=dict)
    closed: bool = False
    lost: bool = False
    stopped: str = ""
    certificates: Mapping[UUID, int] = field(default_factory=dict)
    reported: Mapping[UUID, Event] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether nothing can follow that touches custody: closed, and one history."""
        return self.closed and not self.stopped

    def line(self, who: UUID, event: Event) -> Known:
        """The same, when its log's last word on that right's line is this event."""
        rest = {one: line for one, line in self.reported.items() if one != who}
        return replace(self, reported={**rest, who: event} if event.kind == "reported" else rest)

    def parting(self, batch: Batch) -> int | None:
        """The first event in which a batch differs from what the centre has of its log; None where it does not."""
        hashes = (batch.log.start, *self.hashes)
        said = [batch.events[0].prev if batch.events else batch.head, *(event.head.hash for event in batch.events)]
        pairs = zip(hashes[batch.first - 1 :], said, strict=False)
        return next((n for n, (ours, theirs) in enumerate(pairs, batch.first - 1) if ours != theirs), None)


def use_of_line(line: Event, undo: Event, paper: Head) -> Event:
    """The line of a lost machine's paper that was only counted, as the paper's next check-in: a use from when the machine took
    its own back, or, if that came later, from when it was typed; so that no hour counts one ballot twice."""
    at = max(line.at, undo.at, key=datetime.fromisoformat)
    return Event(paper.n + 1, at, "check-in", line.body, paper.hash)


BESIDE_ITS_PAPER = "a found log used what was typed from its paper: one ballot or two?"
UNDONE_BESIDE_ITS_PAPER = "a found log took back what its paper shows, too: was a ballot handed out by hand?"
"""Texts of P.108."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A broken guarantee or an attempt at one. Never dropped; `check` is its number (P.1xx)."""

    check: str
    log: LogId
    n: int
    entitlement: UUID | None
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """How the centre stands to a log's machine. `sound`: it said that this is all of its log, since the centre was put back from
    a copy, if it ever was; `lost`: it was declared lost."""

    sound: bool = True
    lost: bool = False


HEARD = Heard()
