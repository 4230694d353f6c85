"""Are the centre's books whole? What the pure `custody.Centre` keeps of it; by SQL it is `pollbook.centre.mark`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from dauys.pollbook.log.events import Event, LogId
from dauys.pollbook.rules.grants import Grant, Request
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.rules.places import CustodyError


@dataclass(frozen=True, slots=True)
class Books:
    """`marked`: the centre was put back from a copy, and not every log was heard since; `mark`: the name of the newest mark.

    `whole`: the logs whose machines signed, with that name, that this is all, or that began since; `missed`: those given up
    without it. While one of these is unread it may have been given any right that was free when the centre forgot: `clear` are
    the rights, and their epochs, that were certainly not. `key`: the centre's public key, which its grants bear. `late`: the logs
    whose lists it had forgotten; `added`: the rights that were added to the roll, of which it does not know on which of these.
    """

    marked: bool = False
    mark: str = ""
    whole: frozenset[LogId] = frozenset()
    missed: frozenset[LogId] = frozenset()
    clear: Mapping[UUID, int] = field(default_factory=dict)
    key: bytes = b""
    late: frozenset[LogId] = frozenset()
    added: frozenset[UUID] = frozenset()

    @property
    def ever(self) -> bool:
        """Whether the centre was put back at any time: what was given before may still come to light."""
        return bool(self.mark)

    def put_back(self, mark: str, stopped: frozenset[LogId] = frozenset()) -> Books:
        """It is known that the centre was put back: every log has to be heard again. The name is new with each mark.

        But for those that are `stopped` in the copy: nothing was given to them since. A machine that had been given up, and was
        heard after that, was given nothing since, either: it is missed no more.
        """
        whole = stopped & self.whole if self.ever else stopped
        return replace(self, marked=True, mark=mark, whole=whole, missed=self.missed - self.whole, clear={})

    def heard(self, log: LogId) -> Books:
        """A machine said that the centre has all of its log."""
        return replace(self, whole=self.whole | {log})

    def begun(self, log: LogId) -> Books:
        """A log begins: there is nothing of it to forget."""
        return replace(self, whole=self.whole | {log}) if self.ever else self

    def let_go(self, log: LogId, who: UUID, epoch: int) -> Books:
        """A right is free in this epoch by what a log says. Since its machine's word, that is new: nobody was given it before."""
        return self.given(who, epoch) if log in self.whole else self

    def given(self, who: UUID, epoch: int) -> Books:
        """The centre gives a right in this epoch: what comes after that it has not forgotten."""
        return replace(self, clear={**self.clear, who: epoch}) if self.ever else self

    def lost(self, log: LogId) -> Books:
        """A machine is given up; while the mark stands nobody knows what it was given."""
        return replace(self, missed=self.missed | {log}) if self.marked and log not in self.whole else self

    def asked(
        self, requests: Mapping[str, Request], log: LogId, event: Event, who: UUID
    ) -> Mapping[str, Request]:  # fmt: skip
        """The requests that stand when a right is let go. For the commission, before the machine's word: it asks still, as it may
        have forgotten that."""
        if not self.ever or log in self.whole or event.kind != "release" or event.body["to"] != WITHDRAWN:
            return requests
        asked = Request(event.body["request"], who, event.body["epoch"], WITHDRAWN)
        return {asked.id: asked, **requests}

    def gave(self, log: LogId, event: Event) -> bool:
        """Whether a `receive` rests on what the centre signed before it was put back."""
        return self.ever and Grant.of_event(log, event).good(self.key)

    def lifted(self, unheard: Iterable[LogId]) -> Books:
        """The mark is lifted. Raises CustodyError P.090 while a machine is not heard."""
        if missing := [log.holder for log in unheard]:
            raise CustodyError(f"not heard since the centre was put back: {', '.join(missing)}", "P.090")
        return replace(self, marked=False)

    def in_doubt(self, who: UUID, epoch: int, unread: bool) -> bool:
        """Whether a machine that is `unread` may have been given this right, which was free in that epoch."""
        return unread and self.clear.get(who) != epoch

    def must_be_free(self, who: UUID, epoch: int, unread: bool) -> None:
        """Before the centre gives on a right of this epoch. Raises CustodyError P.090, P.052."""
        if self.marked:
            raise CustodyError("the centre was put back from a copy and checks its books", "P.090")
        if self.in_doubt(who, epoch, unread):
            message = "a machine that was not heard since the centre was put back may have this right"
            raise CustodyError(message, "P.052")
