"""An envelope was noted by mistake, or a second time: how is it taken back, and how is a second one kept out?

Of two envelopes of one right none may count, so that one ballot noted twice would be lost: at one station a right has one. Taking
one back is an entry of the same log, before its list is closed; the ballot lies on the table again.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts, unnamed
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.book import Book, Envelope
from dauys.pollbook.machine.keep import Keep


def must_be_first(keep: Keep, who: UUID | None, iin: str) -> None:
    """Raises Refused P.075 where an envelope of this voter lies here: by his right, or by the IIN of one that is not named."""
    book = keep.book
    voter = None if who is None else book.voters.get(who)
    typed = {iin, "" if voter is None else voter.iin} - {""}
    for one in book.envelopes:
        named = None if one.entitlement is None else book.voters.get(one.entitlement)
        theirs = unnamed.iin_of(keep, one.id) if one.entitlement is None else "" if named is None else named.iin
        if (who is not None and one.entitlement == who) or theirs in typed:
            message = f"envelope {one.number} of this right lies here; another one would void both"
            raise Refused(message, "P.075", facts={"envelope": one.number})


def do_envelope_undo(book: Book, of: int, *, reason: str, officer: str, at: datetime) -> Event:
    """Takes an envelope back (the event `of`): noted by mistake. Its ballot must be back; both entries stay in the log.

    Not on a machine that was declared lost: what it took may be resolved by now, and stays so.
    """
    acts.must_give(book)
    if book.package.officer(officer) is None:
        raise Refused(f"{officer!r} is no officer of this station", "P.029", facts={"officer": officer})
    why = acts.said_why(reason, "the envelope is taken back")
    return acts.next_event(book, "envelope-undo", at, of=of, reason=why, officer=officer)


def lying(book: Book, n: int) -> Envelope:
    """The envelope that event n noted. Raises Refused P.076 where none lies here under that number."""
    found = next((one for one in book.envelopes if one.n == n), None)
    if found is None:
        raise Refused("no envelope lies here under this number", "P.076")
    return found
