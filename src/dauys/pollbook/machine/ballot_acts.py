"""Which ballots may be noted as moved, and how is a wrong note taken back? Ballots are counted beside the rights, and move none.

Nothing leaves a place where it is not: more than the safe holds, or than a member has, is refused, at a station's first machine:
a later one does not know what the one before it noted of the same safe and the same members (`knows_all`). A slip of the pen is
taken back by an entry that names it (`undoes`); both stay in the log, and the sums know neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.book import Ballots, Book

_WITH_MEMBER = {"handed-to-member": 1, "returned": -1, "spoilt": -1}


def do_ballots(book: Book, what: str, count: int, *, officer: str, at: datetime, member: str = "") -> Event:
    """Ballots delivered, handed to a member, returned, spoilt or cancelled. Also after the list was closed."""
    _may(book, what, officer)
    if what in _WITH_MEMBER:
        acts.may_hand_out(book, member)
    first = knows_all(book)
    if first and what == "handed-to-member" and count > (left := in_safe(book)):
        raise Refused(f"{left} ballots are in the safe, not {count}", "P.040", facts={"left": left})
    if first and what == "cancelled" and count > (left := to_cancel(standing(book))):
        message = f"{left} ballots are in the safe or spoilt, {count} cannot be cancelled"
        raise Refused(message, "P.040", facts={"to_cancel": left})
    if first and what in ("returned", "spoilt") and count > (has := with_member(book, member)):
        message = f"{member} must have {has} ballots left, not {count}"
        raise Refused(message, "P.040", facts={"has": has, "officer": member})
    body: dict[str, Any] = {"what": what, "count": count, "officer": officer}
    return acts.next_event(book, "ballots", at, **body, **({"member": member} if member else {}))


def do_ballots_back(book: Book, of: int, *, reason: str, officer: str, at: datetime) -> Event:
    """Takes a note of ballots back, the event `of`; whoever may note such a thing may. Also after the list was closed."""
    was = next((one for one in standing(book) if one.n == of), None)
    if was is None:
        raise Refused(f"event {of} is no note of ballots that stands", "P.082")
    _may(book, was.what, officer)
    why = acts.said_why(reason, "the note is taken back")
    if (
        knows_all(book)
        and (short := min(_safe(rest := [one for one in standing(book) if one.n != of]), to_cancel(rest))) < 0
    ):
        message = (
            f"without it {-short} more would have left the safe, or been cancelled, than there were: note what is right"
        )
        raise Refused(message, "P.040", facts={"short": -short})
    body: dict[str, Any] = {"what": was.what, "count": was.count, "officer": officer, "undoes": of, "reason": why}
    return acts.next_event(book, "ballots", at, **body, **({"member": was.member} if was.member else {}))


def knows_all(book: Book) -> bool:
    """Whether every note of the station's ballots, and every check-in, is here: no other machine kept them before this one."""
    return book.log.generation == 1


def standing(book: Book) -> list[Ballots]:
    """The notes that were not taken back."""
    return [one for one in book.ballots if not one.undone]


def in_safe(book: Book) -> int:
    """Good ballots with the chair: delivered and returned, less handed to members and cancelled."""
    return _safe(standing(book))


def to_cancel(notes: Iterable[Ballots]) -> int:
    """How many may yet be cancelled: those in the safe, and those that were spoilt."""
    sums = _sums(notes)
    return sums["delivered"] + sums["returned"] + sums["spoilt"] - sums["handed-to-member"] - sums["cancelled"]


def _safe(notes: Iterable[Ballots]) -> int:
    sums = _sums(notes)
    good = sums["delivered"] + sums["returned"] - sums["handed-to-member"]
    return good - max(0, sums["cancelled"] - sums["spoilt"])  # the spoilt are cancelled first


def _sums(notes: Iterable[Ballots]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for one in notes:
        sums[one.what] += one.count
    return sums


def with_member(book: Book, member: str) -> int:
    """Ballots that a member must still have, less those that he handed to voters."""
    got = sum(_WITH_MEMBER.get(one.what, 0) * one.count for one in standing(book) if one.member == member)
    given = sum(one.officer == member and not one.undone for one in book.check_ins.values())
    return got - given - sum(one.officer == member for one in book.envelopes)


def _may(book: Book, what: str, officer: str) -> None:
    if book.stopped or not book.told:
        acts.must_run(book)
    acts.must_be_officer(book, officer, *(("chair", "secretary") if what in ("delivered", "cancelled") else ()))
