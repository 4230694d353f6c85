"""Rules of custody broken on purpose, one at a time: what a proof that can fail has to find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from custody_world import VOTERS, World

from dauys.pollbook import acts, book, custody, decided
from dauys.pollbook.custody import Centre, Custody, Place, Standing, State, Taken
from dauys.pollbook.grants import Grant
from dauys.pollbook.log import Batch, Event, LogId

AFTER, TAKE, MAY_GRANT, CHECK = custody.after, custody.take, custody.may_grant, book.Book.check
GIVE_BACK, ADD = decided.give_back, decided.add


def grants_without_release(centre: Centre, who: UUID) -> bool:
    """The centre gives a right away while somebody else may still use it."""
    return centre.custody[who].state is not State.USED


def gives_back_what_is_held(centre: Centre, request: str, who: UUID, to: LogId) -> tuple[Centre, Grant]:
    """The commission gives a right back that its holder has not let go."""
    here = centre.custody.get(who)
    if here is not None and not centre.uses.get(who):
        centre = custody.put(centre, who, replace(here, state=State.RELEASED))
    return GIVE_BACK(centre, request, who, to)


def adds_what_a_list_has(centre: Centre, request: str, who: UUID, to: LogId) -> tuple[Centre, Grant]:
    """An addition that is on the list of a lost machine is given to the next one: nobody looks at who holds it."""
    here = centre.custody.get(who)
    if here == Custody(f"station/{to.station}/1", 0) and to.generation > 1 and int(str(who)[-2:], 16) >= VOTERS:
        centre = custody.put(centre, who, Custody(decided.unlisted(to.station), 0))
    return ADD(centre, request, who, to)


class LeaseEnds:
    """A lease that ends frees what its station holds: a clock moves custody."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, centre: Centre, who: UUID) -> bool:
        lease = self.world.leases.get(centre.custody[who].holder)
        over = lease is not None and self.world.now > lease and centre.custody[who].state is State.UNUSED
        return over or MAY_GRANT(centre, who)


def uses_after_release(place: Place | None, event: Event) -> Place:
    """A station checks in a voter whose right it let go."""
    if place is not None and event.kind == "check-in" and place.standing is Standing.AWAY:
        return Place(Standing.USED, place.epoch, event.n)
    return AFTER(place, event)


def must_be_listed(state: book.Book, who: UUID, salt: bytes) -> None:
    """Goes with the three faults below: the officer's page does not look, either."""
    if who not in state.places:
        raise acts.Refused("not on the list", "P.020")


def uses_twice(place: Place | None, event: Event) -> Place:
    """A station checks in a voter who has voted."""
    if place is not None and event.kind == "check-in" and place.standing is Standing.USED:
        return Place(Standing.USED, place.epoch, event.n)
    return AFTER(place, event)


def lets_go_what_was_used(place: Place | None, event: Event) -> Place:
    """A station lets a right go that was used."""
    if place is not None and event.kind == "release" and place.standing is Standing.USED:
        return Place(Standing.AWAY, place.epoch, event.n)
    return AFTER(place, event)


def ignores_epochs(place: Place | None, event: Event) -> Place:
    """A station takes an old grant again."""
    if place is not None and event.kind == "receive" and place.standing is Standing.AWAY:
        return Place(Standing.HERE, event.body["epoch"], event.n)
    return AFTER(place, event)


def keeps_with_certificate(place: Place | None, event: Event) -> Place:
    """A certificate is given and the right stays here, too."""
    return place if place is not None and event.kind == "certificate" else AFTER(place, event)


def applies_replays(centre: Centre, batch: Batch) -> Taken:
    """What was taken before is applied again."""
    taken = TAKE(centre, batch)
    if taken.send_from or taken.stopped:
        return taken
    again, known = taken.centre, taken.centre.logs[batch.log]
    for event in batch.events[: max(0, len(centre.logs[batch.log].hashes) + 1 - batch.first)]:
        again = custody.apply(again, batch.log, event)
    again = replace(again, logs={**again.logs, batch.log: replace(again.logs[batch.log], hashes=known.hashes)})
    return Taken(again, taken.acknowledged)


def anybody(state: book.Book, grant: Grant, at: Any) -> Event:
    """A station takes a grant that was given to another one."""
    return acts._event(state, "receive", at, **grant.body())


def never_closed(state: book.Book, event: Event) -> Place | None:
    """The list goes on after it was closed."""
    closed, state.closed = state.closed, ""
    try:
        return CHECK(state, event)
    finally:
        state.closed = closed


def runs_when_closed(state: book.Book) -> None:
    """Goes with `never_closed`."""


Patches = Callable[[World], list[tuple[Any, str, Any]]]

FAULTS: dict[str, Patches] = {
    "the centre grants without the release": lambda world: [(custody, "may_grant", grants_without_release)],
    "the end of a lease frees": lambda world: [(custody, "may_grant", LeaseEnds(world))],
    "a station uses what it let go": lambda world: [
        (custody, "after", uses_after_release),
        (acts, "_must_be_here", must_be_listed),
    ],
    "a station uses twice": lambda world: [(custody, "after", uses_twice), (acts, "_must_be_here", must_be_listed)],
    "a station lets go what was used": lambda world: [
        (custody, "after", lets_go_what_was_used),
        (acts, "_must_be_here", must_be_listed),
    ],
    "epochs are ignored": lambda world: [(custody, "after", ignores_epochs)],
    "a certificate leaves the right here": lambda world: [(custody, "after", keeps_with_certificate)],
    "replays are applied": lambda world: [(custody, "take", applies_replays)],
    "a station takes another's grant": lambda world: [(acts, "do_receive", anybody)],
    "a closed list goes on": lambda world: [
        (book.Book, "check", never_closed),
        (acts, "_must_run", runs_when_closed),
    ],
    "a right that is held is given back": lambda world: [(decided, "give_back", gives_back_what_is_held)],
    "an addition on a lost machine's list is given again": lambda world: [(decided, "add", adds_what_a_list_has)],
    "told before the disk": lambda world: [],
    "the new machine gets the old list": lambda world: [],
}
"""What to break, by its name; the last two are broken in the world itself."""


@contextmanager
def planted(fault: str, world: World) -> Iterator[None]:
    """The rules with one fault, for this world."""
    patches = [patch.object(place, name, double) for place, name, double in FAULTS[fault](world)] if fault else []
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(patches):
            one.stop()
