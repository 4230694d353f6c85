"""Rules of custody broken on purpose, one at a time: what a proof that can fail has to find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from custody_ground import VOTERS
from custody_world import World

from dauys.pollbook.log import words
from dauys.pollbook.log.events import Batch, Event, Head, LogId, is_channel
from dauys.pollbook.machine import acts, book, channel_acts
from dauys.pollbook.rules import books, custody, decided, forgotten
from dauys.pollbook.rules.custody import Centre, Custody, Place, Standing, State, Taken
from dauys.pollbook.rules.grants import Grant, Request

AFTER, TAKE, MAY_GRANT, CHECK = custody.after, custody.take, custody.may_grant, book.Book.check
UNASK = custody.unask
GIVE_BACK, ADD, UNDO = decided.give_back, decided.add, custody._undo
LIFTED, WHOLE = books.Books.lifted, forgotten.whole


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


def keeps_on_paper(centre: Centre, log: LogId, event: Event, who: UUID | None) -> Centre:
    """What is taken back from a lost machine's paper stays with the paper, whose log never ends."""
    after = UNDO(centre, log, event, who)
    if who is not None and log.paper_of is not None and centre.custody[who].holder == log.holder:
        return custody.put(after, who, Custody(log.holder, centre.custody[who].epoch))
    return after


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


def back_at_once(place: Place | None, event: Event) -> Place:
    """A certificate that is taken back frees the right at its station at once, whoever was shown it meanwhile."""
    if place is not None and event.kind == "certificate-back" and place.standing is Standing.AWAY:
        return Place(Standing.HERE, place.epoch, event.n)
    return AFTER(place, event)


def never_named(state: book.Book, envelope: UUID, who: UUID, at: Any) -> Event:
    """An envelope that was taken with the wire cut has no name for ever."""
    raise acts.Refused("nobody asks whose it is", "P.081")


def never_called_off(centre: Centre, who: UUID, to: LogId) -> Centre:
    """Nobody hears that a voter went to his own station: what was asked for is let go behind his back."""
    return replace(centre)


def frees_what_was_given(centre: Centre, who: UUID, to: LogId) -> Centre:
    """Who asks no more for a right that was given to him has it no more, as if he had let it go."""
    has = centre.custody.get(who)
    if has is not None and has.holder == to.holder and has.state is State.UNUSED:
        return custody.put(centre, who, replace(has, state=State.RELEASED))
    return UNASK(centre, who, to)


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


def lets_go_whatever(state: book.Book, request: Request, at: Any) -> Event | None:
    """Goes with the fault of `after`: a station looks at the place alone, and not at whether the right was used."""
    place = state.places.get(request.entitlement)
    if place is None or place.standing is Standing.AWAY:
        return None
    return acts.do_release(state, request, at)


def releases_without_undo(state: book.Book, request: Request, at: Any) -> Event:
    """The channel lets a right go on paper's account, and the electronic ballot stands. Goes with the fault of `after`."""
    epoch, name = request.epoch, request.id
    who = str(request.entitlement)
    return acts.next_event(state, "release", at, entitlement=who, epoch=epoch, request=name, to=request.to)


class CountsWithoutGrant:
    """A station hands a ballot to who voted electronically as soon as paper may replace that: the channel will hear of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.counted: set[str] = set()

    def __call__(self, place: Place | None, event: Event) -> Place:
        who = event.entitlement
        if event.kind == "check-in" and who is not None and place is not None and place.standing is Standing.AWAY:
            has = self.world.centre.custody[who]
            if self.world.paper and is_channel(has.holder) and has.state is State.USED:
                self.counted.add(event.head.hash)
            if event.head.hash in self.counted:  # and whenever the disk is read again
                return Place(Standing.USED, place.epoch, event.n)
        return AFTER(place, event)


def anybody(state: book.Book, grant: Grant, at: Any) -> Event:
    """A station takes a grant that was given to another one."""
    return acts.next_event(state, "receive", at, **grant.body())


def never_closed(state: book.Book, event: Event) -> Place | None:
    """The list goes on after it was closed."""
    closed, state.closed = state.closed, ""
    try:
        return CHECK(state, event)
    finally:
        state.closed = closed


def runs_when_closed(state: book.Book) -> None:
    """Goes with `never_closed`."""


def lifts_at_once(state: books.Books, unheard: Any) -> books.Books:
    """A person says that the books are whole, and nobody looks whether every log was heard."""
    return LIFTED(state, ())


def believes_old_words(centre: Centre, log: LogId, mark: str, head: Head) -> Centre:
    """That a log is whole was said before the centre was put back once more."""
    return WHOLE(centre, log, centre.books.mark, head)


Patches = Callable[[World], list[tuple[Any, str, Any]]]

FAULTS: dict[str, Patches] = {
    "the centre grants without the release": lambda world: [(custody, "may_grant", grants_without_release)],
    "the end of a lease frees": lambda world: [(custody, "may_grant", LeaseEnds(world))],
    "a station uses what it let go": lambda world: [
        (custody, "after", uses_after_release),
        (acts, "must_be_here", must_be_listed),
    ],
    "a station uses twice": lambda world: [(custody, "after", uses_twice), (acts, "must_be_here", must_be_listed)],
    "a station lets go what was used": lambda world: [
        (custody, "after", lets_go_what_was_used),
        (channel_acts, "let_go", lets_go_whatever),
        (acts, "must_be_here", must_be_listed),
    ],
    "epochs are ignored": lambda world: [(custody, "after", ignores_epochs)],
    "a certificate leaves the right here": lambda world: [(custody, "after", keeps_with_certificate)],
    "a certificate taken back frees at once": lambda world: [(custody, "after", back_at_once)],
    "an envelope never gets its name": lambda world: [(acts, "do_envelope_of", never_named)],
    "a request is never called off": lambda world: [(custody, "unask", never_called_off)],
    "a request called off frees what was given": lambda world: [(custody, "unask", frees_what_was_given)],
    "a right leaves while the box carries it": lambda world: [(book.Book, "_check_box", lambda *_: None)],
    "replays are applied": lambda world: [(custody, "take", applies_replays)],
    "a station takes another's grant": lambda world: [(acts, "do_receive", anybody)],
    "a closed list goes on": lambda world: [
        (book.Book, "check", never_closed),
        (acts, "must_run", runs_when_closed),
    ],
    "a right that is held is given back": lambda world: [(decided, "give_back", gives_back_what_is_held)],
    "an addition on a lost machine's list is given again": lambda world: [(decided, "add", adds_what_a_list_has)],
    "a right leaves the channel and the electronic ballot stands": lambda world: [
        (custody, "after", lets_go_what_was_used),
        (channel_acts, "do_strike", releases_without_undo),
    ],
    "paper counts before the channel let the right go": lambda world: [
        (custody, "after", CountsWithoutGrant(world)),
        (acts, "must_be_here", must_be_listed),
    ],
    "what is taken back stays with the paper": lambda world: [(custody, "_undo", keeps_on_paper)],
    "an old answer is believed": lambda world: [(words, "must_answer", lambda of, request: None)],
    "a machine goes on that heard that it is lost": lambda world: [(acts, "must_give", acts.must_run)],
    "told before the disk": lambda world: [],
    "the new machine gets the old list": lambda world: [],
}
"""What to break, by its name; the last two are broken in the world itself."""

WHEN_PUT_BACK: dict[str, Patches] = {
    "the books are said to be whole before every log is heard": lambda world: [(books.Books, "lifted", lifts_at_once)],
    "what a lost machine may have been given is not in doubt": lambda world: [
        (books.Books, "in_doubt", lambda *_: False)
    ],
    "what a machine let go before its word counts as new": lambda world: [
        (books.Books, "let_go", lambda state, log, who, epoch: state.given(who, epoch))
    ],
    "an answer of before brings a right": lambda world: [(words, "must_answer", lambda of, request: None)],
    "a machine's word of before counts": lambda world: [(forgotten, "whole", believes_old_words)],
    "the centre goes back and nobody knows": lambda world: [],
}
"""The same, for a centre that is put back from a copy (test_goes_back.py); the last one is broken in the world itself."""


@contextmanager
def planted(fault: str, world: World) -> Iterator[None]:
    """The rules with one fault, for this world."""
    patches = (
        [patch.object(place, name, double) for place, name, double in {**FAULTS, **WHEN_PUT_BACK}[fault](world)]
        if fault
        else []
    )
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(patches):
            one.stop()
