"""What does the centre decide custody by? One value: who holds what, which logs there are, who asks, what was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from dauys.pollbook.log.events import Head, LogId
from dauys.pollbook.rules.books import Books
from dauys.pollbook.rules.grants import Grant, Request
from dauys.pollbook.rules.known import Alarm, Custody, Known, Use


@dataclass(frozen=True, slots=True)
class Centre:
    """Everything that the centre decides custody by. A value: `rules.custody` and `rules.decided` give the next one.

    `unmade`: stations of which no list was ever made; `books`: whether the centre may have forgotten something.
    """

    poll: str
    custody: Mapping[UUID, Custody] = field(default_factory=dict)
    logs: Mapping[LogId, Known] = field(default_factory=dict)
    requests: Mapping[str, Request] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    uses: Mapping[UUID, tuple[Use, ...]] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    unmade: frozenset[str] = frozenset()
    books: Books = field(default_factory=Books)

    def head(self, log: LogId) -> Head:
        """How far the centre has a log."""
        hashes = self.logs[log].hashes
        return Head(len(hashes), hashes[-1]) if hashes else Head.before(log)

    def over(self, holder: str) -> bool:
        """Whether the log of a holder is complete. What is typed from a lost machine's paper never is."""
        return any(log.holder == holder and log.paper_of is None and known.complete for log, known in self.logs.items())

    def incomplete(self) -> list[LogId]:
        """The logs that may still bring something: as long as there is one, no envelope is resolved."""
        return [log for log, known in self.logs.items() if not known.complete and log.paper_of is None]
