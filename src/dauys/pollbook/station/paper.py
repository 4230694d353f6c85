"""What do the officers go on with when the machine is gone? The list with who has voted, to be printed at intervals.

A page of the station's (`/list`) and the command `dauys station print`: HTML with rules for printing, in the order of the
list, with room for signatures.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from dauys.pollbook.machine.answers import clock_of
from dauys.pollbook.machine.book import Book
from dauys.pollbook.station.book_sums import sums_of
from dauys.pollbook.station.visit import Model, Station
from dauys.pollbook.station.words import line, named


def away(book: Book) -> str:
    """Whose right is not here now, as a text that changes with it: on a print from before somebody may stand as if here."""
    return sha256(b"".join(sorted(who.bytes for who in book.went))).hexdigest()


def list_of(station: Station, at: datetime) -> Model:
    """Every line with how its right stands; who came from elsewhere at the end. Keeps that it was printed, and without whom."""
    book = station.keep.book
    station.keep.keep("printed", at.isoformat())
    station.keep.keep("printed-without", away(book))
    voters = sorted(book.voters.values(), key=lambda one: (one.number == 0, one.number, one.surname, one.given))
    return {
        "lines": [line(book, voter) for voter in voters],
        "sums": sums_of(book),
        "printed_at": clock_of(book, at.isoformat()),
        "events": book.head.n,
        "head": book.head.hash[:16],
        "own": named(book, book.log.station),
    }
