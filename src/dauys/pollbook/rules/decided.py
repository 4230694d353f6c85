"""What may the commission do with a right? Add one, withdraw one, or give it back.

The rules of `pollbook.rules.custody` hold here as well: a right that somebody may still use is not moved. As there, these are
functions of a small value; `pollbook.centre.decided` does the same by SQL and is tested against them.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules.custody import (
    Centre,
    Custody,
    CustodyError,
    State,
    free,
    give,
    in_doubt,
    may_grant,
    must_be_unused,
    must_not_be_asked_back,
    must_take,
    on_roll,
    put,
)
from dauys.pollbook.rules.grants import Grant, Request
from dauys.pollbook.rules.holders import RETURNED, UNLISTED, WITHDRAWN
from dauys.pollbook.rules.places import PERHAPS_USED


def unlisted(station: str) -> str:
    """The holder of a right that was added for a station and stands on none of its lists yet."""
    return f"{UNLISTED}{station}"


def enter(centre: Centre, who: UUID, station: str) -> Centre:
    """A voter is added to the frozen roll (`roll.freeze.add_set`): a new entitlement, in epoch 0, on no list yet.

    Raises CustodyError P.054 where he is on the roll already.
    """
    if (custody := centre.custody.get(who)) is not None:
        raise CustodyError(f"the voter is on the roll; {custody.holder} holds the right", "P.054")
    books = replace(centre.books, added=centre.books.added | {who})
    return replace(put(centre, who, Custody(unlisted(station), 0)), books=books)


def listed(centre: Centre, log: LogId, *, of_before: bool = False) -> Centre:
    """A list is made for this log: what was added for its station and stands on none stands on this one, and is held by it.

    `of_before`: it was made before the centre was put back, and nobody else is given what it may have.
    """
    waiting, first = Custody(unlisted(log.station), 0), Custody(f"station/{log.station}/1", 0)
    unmade = log.station in centre.unmade
    moved = {  # what is in doubt may have been given ahead of this list
        who: waiting if in_doubt(centre, who, 0) and not of_before else Custody(log.holder, 0)
        for who, custody in centre.custody.items()
        if custody == waiting or (unmade and custody == first)
    }
    late = centre.books.late | {log} if of_before else centre.books.late - {log}
    books, made = replace(centre.books, late=late), frozenset({log.station})
    return replace(centre, custody={**centre.custody, **moved}, unmade=centre.unmade - made, books=books)


def add(centre: Centre, request: str, who: UUID, to: LogId) -> tuple[Centre, Grant]:
    """The right of a voter who was added goes to his station's working machine: only while no list has it, so that no log can
    use it. No moment is compared: making a list moves the right in the same transaction (`listed`).

    Raises CustodyError: P.020 not on the roll, P.021 used, P.034 an earlier machine of this station holds it, P.054 somebody
    else does, P.051.
    """
    given = centre.grants.get(request)
    if given is not None and given.to == to.holder:
        return centre, given
    custody = on_roll(centre, who)
    must_be_unused(centre, who)
    if custody.holder != unlisted(to.station):
        raise not_to_add(custody.holder, to)
    must_not_be_asked_back(centre, who)
    must_take(centre, to)
    if centre.logs[to].lost:
        raise CustodyError(f"{to.holder} was declared lost", "P.051")
    given = Grant(centre.poll, who, custody.epoch + 1, to.holder, "addition", request)
    centre = give(centre, who, Custody(to.holder, given.epoch))
    return replace(centre, grants={**centre.grants, request: given}), given


def not_to_add(holder: str, to: LogId) -> CustodyError:
    """Why the right of a voter who was added is not given to `to`: somebody holds it."""
    if holder != to.holder and holder.rpartition("/")[0] == f"station/{to.station}":
        return CustodyError(PERHAPS_USED, "P.034")
    return CustodyError(f"the voter is on the roll; {holder} holds the right", "P.054")


def is_gone(centre: Centre, who: UUID) -> bool:
    """Whether the right comes from nobody before a lost machine is found: that machine holds it, or may have been given it."""
    custody = centre.custody[who]
    lost = any(log.holder == custody.holder and known.lost for log, known in centre.logs.items())
    held = custody.state is State.UNUSED and lost and not centre.over(custody.holder)
    return held or (free(centre, custody) and in_doubt(centre, who, custody.epoch))


def withdraw(centre: Centre, request: str, who: UUID) -> Centre:
    """The commission takes a right back that should not be: its holder is asked to let it go. Asking moves nothing.

    Raises CustodyError: P.020 not on the roll, P.021 used, P.056 withdrawn already.
    """
    custody = on_roll(centre, who)
    if request in centre.requests:
        return centre
    must_be_unused(centre, who)
    if custody.holder == WITHDRAWN:
        raise CustodyError("the right is withdrawn already", "P.056")
    asked = Request(request, who, custody.epoch, WITHDRAWN)
    return replace(centre, requests={**centre.requests, request: asked})


def settle(centre: Centre, request: str) -> Centre:
    """Withdraws what was asked to be withdrawn, if nobody can use it any more: let go, or left over in a closed log.

    Raises CustodyError: P.021 it was used meanwhile, P.052 its holder has not let it go, P.053 it went elsewhere meanwhile.
    """
    asked = centre.requests[request]
    custody = centre.custody[asked.entitlement]
    if custody.holder == WITHDRAWN:
        return centre
    must_be_unused(centre, asked.entitlement)
    if custody.epoch != asked.epoch:
        raise CustodyError(f"the right went to {custody.holder} meanwhile", "P.053")
    if not may_grant(centre, asked.entitlement):
        raise CustodyError(f"{custody.holder} holds the right and has not let it go", "P.052")
    return give(centre, asked.entitlement, Custody(WITHDRAWN, custody.epoch + 1))


def call_off(centre: Centre, request: str) -> Centre:
    """Asks no more for a right that was to be withdrawn; nothing moves. Who let it go meanwhile is given it by `give_back`."""
    asked = centre.requests.get(request)
    if asked is None or asked.to != WITHDRAWN or centre.custody[asked.entitlement].holder == WITHDRAWN:
        return centre
    return replace(centre, requests={name: one for name, one in centre.requests.items() if name != request})


def give_back(centre: Centre, request: str, who: UUID, to: LogId) -> tuple[Centre, Grant]:
    """A right was withdrawn, or let go for that, by mistake: a station gets it. No log could use it, and now one can.

    Raises CustodyError: P.020 not on the roll, P.021 used all the same, P.057 somebody holds it, P.051.
    """
    if (given := centre.grants.get(request)) is not None:
        return centre, given
    custody = _with_nobody(centre, who)
    must_take(centre, to)
    given = Grant(centre.poll, who, custody.epoch + 1, to.holder, "returned", request)
    centre = give(centre, who, Custody(to.holder, given.epoch))
    return replace(centre, grants={**centre.grants, request: given}), given


def let_go(centre: Centre, who: UUID, station: str) -> Centre:
    """The same of a voter whose station has no machine that works: the commission lets the right go, as any holder does. Whoever
    asks for it is given it. Raises CustodyError P.020, P.021, P.057.
    """
    custody = _with_nobody(centre, who)
    return put(centre, who, replace(custody, holder=f"{RETURNED}{station}", state=State.RELEASED))


def _with_nobody(centre: Centre, who: UUID) -> Custody:
    """How a right stands that was withdrawn, or let go for that. Raises CustodyError P.020, P.021, P.057."""
    custody = on_roll(centre, who)
    must_be_unused(centre, who)
    if custody.holder != WITHDRAWN and custody.state is not State.RELEASED:
        raise CustodyError(f"{custody.holder} holds the right: it is not withdrawn", "P.057")
    return custody
