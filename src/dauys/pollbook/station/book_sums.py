"""What does a station's own book say about the protocol's fields? Its sums as they stand now."""

from __future__ import annotations

from dauys.pollbook.machine.ballot_acts import knows_all
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules.custody import Standing
from dauys.pollbook.rules.holders import CERTIFICATE
from dauys.pollbook.rules.sums import Counting, Sums


def sums_of(book: Book) -> Sums:
    """The sums of a station's book as it stands now; of a later machine they are not the whole station's."""
    standing = [one for one in book.check_ins.values() if not one.undone]
    listed = {voter.entitlement for voter in book.package.voters if not voter.away}
    here = {who for who, place in book.places.items() if place.standing is not Standing.AWAY}
    return Counting(
        listed=len(listed),
        here=len(here),
        came=[book.came[who].why for who in here - listed],
        left=[CERTIFICATE if book.went[who] == CERTIFICATE else "moved" for who in listed - here],
        standing=[(one.officer, one.channel) for one in standing],
        undone=len(book.check_ins) - len(standing),
        ballots=[(one.what, one.count, one.member) for one in book.ballots if not one.undone],
        envelopes=[one.officer for one in book.envelopes],
        mobile_requests=len(book.mobile),
        closed=bool(book.closed),
        whole=knows_all(book),
    ).sums()
