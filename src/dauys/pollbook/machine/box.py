"""Which rights does the mobile box carry while it is on its way, and what may be done with them meanwhile?

The box leaves with the ballots of those who asked for it (`mobile-out`, an event for each). From then on none of them gets
a ballot at the table or a certificate, and no other station gets his right, until the ballot that he was handed at home is
noted, or that he got none (`mobile-back`). The right stays where it is: this only keeps its holder from it. A ballot handed
out at home is noted without it, too; but then the voter may have been served at the table meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from dauys.pollbook.log.events import Event
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules import channels as ways
from dauys.pollbook.rules.custody import Standing


def do_out(book: Book, who: UUID, *, members: Sequence[str], officer: str, at: datetime) -> Event:
    """The box leaves for this voter, who asked for it in time, with as many members as the law says, `officer` among them."""
    acts.must_vote(book, at)
    acts.must_go_with_box(book, who, officer, members, acts.may_vote_by(book, ways.MOBILE, at))
    acts.must_be_here(book, who, b"")
    if who in book.in_box:
        raise Refused("the mobile box carries this right already", "P.074", facts={"at": book.in_box[who].at})
    return acts.next_event(book, "mobile-out", at, entitlement=str(who), officer=officer, members=list(members))


def do_back(book: Book, who: UUID, *, officer: str, at: datetime) -> Event:
    """The box is back, or on another way, and this voter got no ballot from it."""
    acts.must_run(book)
    if book.package.officer(officer) is None:
        raise Refused(f"{officer!r} is no officer of this station", "P.029", facts={"officer": officer})
    return acts.next_event(book, "mobile-back", at, entitlement=str(who), officer=officer)


def to_visit(book: Book) -> list[UUID]:
    """Who asked for the box, may still receive a ballot, and is not on its way."""
    places = book.places
    return [who for who in book.mobile if who not in book.in_box and places[who].standing is Standing.HERE]
