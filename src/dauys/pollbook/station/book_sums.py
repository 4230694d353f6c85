"""What does a station's own book say about the protocol's fields? Its sums as they stand now."""

from __future__ import annotations

from collections import Counter

from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules.channels import MOBILE
from dauys.pollbook.rules.custody import CERTIFICATE, Standing
from dauys.pollbook.rules.sums import Member, Sums


def sums_of(book: Book) -> Sums:
    """The sums of a station's book as it stands now."""
    standing = [one for one in book.check_ins.values() if not one.undone]
    ballots: Counter[str] = Counter()
    for one in book.ballots:
        ballots[one.what] += one.count
    listed = {voter.entitlement for voter in book.package.voters if not voter.away}
    here = {who for who, place in book.places.items() if place.standing is not Standing.AWAY}
    left = Counter(CERTIFICATE if book.went[who] == CERTIFICATE else "moved" for who in listed - here)
    came = Counter(book.came[who].why for who in here - listed)
    return Sums(
        eligible=len(here),
        received=len(standing),
        delivered=ballots["delivered"],
        cancelled=ballots["cancelled"],
        mobile_requests=len(book.mobile),
        mobile_received=sum(one.channel == MOBILE for one in standing),
        listed=len(listed),
        came=dict(came),
        left=dict(left),
        undone=len(book.check_ins) - len(standing),
        envelopes=len(book.envelopes),
        enclosed=len(book.envelopes),
        closed=bool(book.closed),
        members=_members(book),
    )


def _members(book: Book) -> dict[str, Member]:
    of: dict[str, Counter[str]] = {}
    for one in book.ballots:
        if one.member:
            of.setdefault(one.member, Counter())[one.what] += one.count
    for check_in in book.check_ins.values():
        if not check_in.undone:
            of.setdefault(check_in.officer, Counter())["issued"] += 1
    for envelope in book.envelopes:
        of.setdefault(envelope.officer, Counter())["issued"] += 1
    return {
        name: Member(name, n["handed-to-member"], n["returned"], n["spoilt"], n["issued"])
        for name, n in sorted(of.items())
    }
