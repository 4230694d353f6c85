"""Are the centre's books whole? What the pure `custody.Centre` keeps of it; by SQL it is `pollbook.put_back`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from dauys.pollbook.grants import Grant
from dauys.pollbook.log import Event, LogId
from dauys.pollbook.places import CustodyError


@dataclass(frozen=True, slots=True)
class Books:
    """`marked`: the centre was put back from a copy, and not every log was heard since; `mark`: the name of the newest mark.

    `whole`: the logs whose machines signed, with that name, that this is all; `missed`: those given up without it. `doubt`: the
    rights that one of these may have been given, and the epoch in which they were free. `key`: the centre's public key, which
    its grants bear.
    """

    marked: bool = False
    mark: str = ""
    whole: frozenset[LogId] = frozenset()
    missed: frozenset[LogId] = frozenset()
    doubt: Mapping[UUID, int] = field(default_factory=dict)
    key: bytes = b""

    @property
    def ever(self) -> bool:
        """Whether the centre was put back at any time: what was given before may still come to light."""
        return bool(self.mark)

    def put_back(self, mark: str) -> Books:
        """It is known that the centre was put back: every log has to be heard again. The name is new with each mark."""
        return replace(self, marked=True, mark=mark, whole=frozenset())

    def heard(self, log: LogId) -> Books:
        """A machine said that the centre has all of its log."""
        return replace(self, whole=self.whole | {log})

    def lost(self, log: LogId) -> Books:
        """A machine is given up; while the mark stands nobody knows what it was given."""
        return replace(self, missed=self.missed | {log}) if self.marked and log not in self.whole else self

    def gave(self, log: LogId, event: Event) -> bool:
        """Whether a `receive` rests on what the centre signed before it was put back."""
        return self.ever and Grant.of_event(log, event).good(self.key)

    def lifted(self, unheard: Iterable[LogId], free: Mapping[UUID, int], unread: bool) -> Books:
        """The mark is lifted; `free` stays in doubt where a machine is `unread`. Raises CustodyError P.090
        while one is not heard."""
        if missing := [log.holder for log in unheard]:
            raise CustodyError(f"not heard since the centre was put back: {', '.join(missing)}", "P.090")
        return replace(self, marked=False, doubt={**self.doubt, **free} if unread else self.doubt)

    def must_be_free(self, who: UUID, epoch: int, unread: bool) -> None:
        """Before the centre gives on a right of this epoch. Raises CustodyError P.090, P.052."""
        if self.marked:
            raise CustodyError("the centre was put back from a copy and checks its books", "P.090")
        if unread and self.doubt.get(who) == epoch:
            message = "a machine that was not heard since the centre was put back may have this right"
            raise CustodyError(message, "P.052")
