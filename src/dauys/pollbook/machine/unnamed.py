"""Whose is a provisional envelope that was taken while the centre could not say? Kept at the station until it can.

The voter's IIN lies sealed in the station's store, and nowhere else, from before the envelope is noted until the centre has
said whose right it is; then the log says it by `envelope-of`, which names the right alone. Where nobody on the roll is found,
it is asked again now and then: the commission may put the voter on it. Two clerks at the centre can name him, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dauys.pollbook.log.events import LogError
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.rules.custody import CustodyError

AGAIN = timedelta(minutes=10)
"""How long nobody is asked for again of whom the centre knew nothing."""


def keep_iin(keep: Keep, envelope: UUID, iin: str) -> None:
    """Keeps whose envelope it is; before it is noted, so that no crash leaves one without a name."""
    keep.keep(_name(envelope), iin)


def forget(keep: Keep, envelope: UUID) -> None:
    keep.forget(_name(envelope))


def iin_of(keep: Keep, envelope: UUID) -> str:
    """Whose envelope it is, where that is kept here; empty where it is not."""
    return keep.kept(_name(envelope)) or ""


def kept(keep: Keep) -> list[UUID]:
    """The envelopes of which the centre has still to say whose they are."""
    return [one.id for one in keep.book.unnamed if keep.kept(_name(one.id)) is not None]


def whose(keep: Keep) -> list[tuple[int, str, str]]:
    """Of each such envelope its event, the number that is written on it, and the IIN: for two clerks at the centre, where this
    machine cannot ask any more."""
    found = [(one.n, one.number, iin_of(keep, one.id)) for one in keep.book.unnamed]
    return [one for one in found if one[2]]


class Namer:
    """Asks the centre, envelope by envelope. `question` is the wire's."""

    def __init__(self, keep: Keep, question: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]) -> None:
        self._keep = keep
        self._question = question
        self._nobody: dict[UUID, datetime] = {}

    def name(self, at: datetime) -> None:
        """Asks for those that the centre has heard of, and notes what it says. Raises what the wire raises."""
        for one in list(self._keep.book.envelopes):
            iin = self._keep.kept(_name(one.id)) if one.n <= self._keep.acknowledged else None
            if iin is not None and one.entitlement is None and not self._waits(one.id, at):
                said = self._question("envelope", {"id": str(one.id), "iin": iin}).get("entitlement")
                try:
                    self._note(one.id, UUID(str(said)), at)
                except ValueError:  # null: nobody
                    self._nobody[one.id] = at
            if iin is not None and one.id not in {other.id for other in self._keep.book.unnamed}:
                forget(self._keep, one.id)

    def _waits(self, envelope: UUID, at: datetime) -> bool:
        asked = self._nobody.get(envelope)
        return asked is not None and abs(at - asked) < AGAIN

    def _note(self, envelope: UUID, who: UUID, at: datetime) -> None:
        with self._keep.acting() as book:
            try:
                self._keep.append(acts.do_envelope_of(book, envelope, who, at))
            except (acts.Refused, CustodyError, LogError):
                return


def _name(envelope: UUID) -> str:
    return f"envelope-{envelope}"
