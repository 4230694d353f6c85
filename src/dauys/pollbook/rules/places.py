"""How does a right stand in one log, and what does one event do to it? The station's side of the rules of `rules.custody`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from dauys.errors import Numbered
from dauys.pollbook.log.events import Event


class CustodyError(Numbered):
    """Something that the rules of custody forbid."""


PERHAPS_USED = "it is not known whether this right was used on a lost machine"
"""The text of P.034, at a station and at the centre."""


def not_on_the_roll() -> CustodyError:
    """Refuses a right that nobody has, P.020."""
    return CustodyError("the voter is not on the roll of this poll", "P.020")


def was_asked_back() -> CustodyError:
    """The refusal of a right that the commission asked for, and that is withdrawn as soon as that can be."""
    return CustodyError("the commission has asked for this right: it is withdrawn", "P.056")


def was_used(holder: str) -> CustodyError:
    """Refuses a right of which a use stands, P.021."""
    return CustodyError(f"the right was used at {called(holder)}", "P.021")


def called(holder: str) -> str:
    """A holder as a message calls it: `station/A1-02/1` is station A1-02."""
    kind, _, rest = holder.partition("/")
    of = {"station": "station", "envelope": "the provisional envelope of station"}.get(kind)
    return f"{of} {rest.rpartition('/')[0]}" if of else kind


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
        case "certificate-back" if (place.standing, place.epoch) != (Standing.AWAY, event.body["epoch"]):
            raise CustodyError("the right has moved since the certificate was given", "P.080")
    return place


def _must_be_here(place: Place) -> None:
    if place.standing is Standing.USED:
        raise CustodyError("the right was used here", "P.021")
    if place.standing is Standing.AWAY:
        raise CustodyError("the right is held elsewhere", "P.022")
