"""What does the centre have of one log and its machine, and what does it say when a rule was broken? Values alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from dauys.pollbook.log.events import LogId


@dataclass(frozen=True, slots=True)
class Known:
    """What the centre has of one log. `hashes[n-1]` is that of event n; `check_ins` are those that stand; `certificates`: the
    epoch in which it gave the last one for a right."""

    key: bytes
    hashes: tuple[str, ...] = ()
    check_ins: Mapping[int, UUID] = field(default_factory=dict)
    closed: bool = False
    lost: bool = False
    stopped: str = ""
    certificates: Mapping[UUID, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether nothing can follow that touches custody: closed, and one history."""
        return self.closed and not self.stopped


BESIDE_ITS_PAPER = "a found log used what was typed from its paper: one ballot or two?"
"""The text of P.108."""


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
