"""What do the officers go on with when the machine is gone? The list with who has voted, to be printed at intervals.

A page of the station's (`/list`) and the command `dauys station print`: HTML with rules for printing, in the order of the
list, with room for signatures. Looking at it is no print: it counts as one when somebody asks for it to be printed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

from dauys.pollbook.machine.answers import clock_of
from dauys.pollbook.machine.book import Book
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.station.book_sums import sums_of
from dauys.pollbook.station.visit import Model, Station
from dauys.pollbook.station.words import line, named

KEPT = "print"
"""Under which name the store keeps the newest print: all of it at once, or none."""


@dataclass(frozen=True, slots=True)
class Print:
    """The newest print. `without`: whose right was not here then (`away`); `n`: the log's last event that it shows."""

    at: str
    without: str
    n: int


def away(book: Book) -> str:
    """Whose right is not here now, as a text that changes with it: on a print from before somebody may stand as if here."""
    return sha256(b"".join(sorted(who.bytes for who in book.went))).hexdigest()


def newest(keep: Keep) -> Print | None:
    """The newest print; None while there is none."""
    kept = keep.kept(KEPT)
    return None if kept is None else Print(**json.loads(kept))


def only_here(keep: Keep) -> int:
    """Of how many ballots that were handed out only this machine knows: they are on no print, and the centre has not got them.
    If it died now, whoever goes on by hand would give their voters a second one."""
    was = newest(keep)
    with keep.acting() as book:
        safe = max(keep.acknowledged, 0 if was is None else was.n)
        return sum(n > safe for n in book.used_by.values())


def list_of(station: Station, at: datetime, printed: bool = False) -> Model:
    """Every line with how its right stands; who came from elsewhere at the end. `printed`: this is printed now, which is kept."""
    with station.keep.acting() as book:  # what is kept of the print is what stands on it
        if printed:
            station.keep.keep(KEPT, json.dumps(asdict(Print(at.isoformat(), away(book), book.head.n))))
        voters = sorted(book.voters.values(), key=lambda one: (one.number == 0, one.number, one.surname, one.given))
        return {
            "lines": [line(book, voter) for voter in voters],
            "sums": sums_of(book),
            "printed_at": clock_of(book, at.isoformat()),
            "events": book.head.n,
            "head": book.head.hash[:16],
            "own": named(book, book.log.station),
            "printed": printed,
        }
