"""What does a centre that was put back from a copy learn again, and when are its books whole? As functions of a small value.

As `put_back.restored` and `centre.mark` do it by SQL: the centre's own signed answer, which a machine shows, says whose log
there was and how far; a mark is lifted when every log was heard as a whole or given up.
"""

from __future__ import annotations

from dataclasses import replace

from dauys.pollbook.log.events import Head, LogId
from dauys.pollbook.rules.custody import Centre, declare_lost
from dauys.pollbook.rules.decided import listed
from dauys.pollbook.rules.known import Known
from dauys.pollbook.rules.late import onto_the_next_list


def put_back(centre: Centre, mark: str) -> Centre:
    """It is known that the centre was put back: nothing is given until every log is heard that is not stopped in the copy.
    `mark` was never used before."""
    stopped = frozenset(log for log, known in centre.logs.items() if known.stopped)
    return replace(centre, books=centre.books.put_back(mark, stopped))


def shown(centre: Centre, log: LogId, key: bytes, n: int, mark: str) -> Centre:
    """A machine shows what the centre signed to it: it had that log, under this key, up to event n."""
    known = centre.logs.get(log)
    if known is not None and known.key == key and len(known.hashes) >= n:
        return centre
    if log not in centre.books.missed and (not centre.books.marked or log in centre.books.whole):
        centre = put_back(centre, mark)
    return centre if known is not None and known.key else _adopted(centre, log, key)


def _adopted(centre: Centre, log: LogId, key: bytes, *, lost: bool = False) -> Centre:
    """A log that there was is there again; the machines before it were lost, and its list was made."""
    if log.generation > 1:
        before = LogId(log.poll, log.station, log.generation - 1)
        known = centre.logs.get(before)
        if known is None:
            centre = _adopted(centre, before, b"", lost=True)
        elif not known.lost:
            centre = declare_lost(centre, before)
    known = centre.logs.get(log)
    if known is None:
        centre = onto_the_next_list(listed(centre, log, of_before=True), log.station)
    known = Known(key, lost=lost) if known is None else replace(known, key=key)
    centre = replace(centre, logs={**centre.logs, log: known})
    return replace(centre, books=centre.books.lost(log)) if lost else centre


def enrolled(centre: Centre, log: LogId, key: bytes) -> Centre:
    """The journal has that this machine was enrolled; again changes nothing."""
    known = centre.logs.get(log)
    return _adopted(centre, log, key) if known is None or not known.key else centre


def lost(centre: Centre, log: LogId) -> Centre:
    """The journal has that this machine was given up; again changes nothing."""
    known = centre.logs.get(log)
    if known is None:
        return _adopted(centre, log, b"", lost=True)
    return centre if known.lost else declare_lost(centre, log)


def whole(centre: Centre, log: LogId, mark: str, head: Head) -> Centre:
    """A machine signs, with the name of the newest mark, that its log ends here."""
    said = mark == centre.books.mark and centre.head(log) == head
    return replace(centre, books=centre.books.heard(log)) if said else centre


def unheard(centre: Centre) -> list[LogId]:
    """The logs for which the mark waits."""
    return [
        log
        for log, known in centre.logs.items()
        if log.paper_of is None and log not in centre.books.whole and not known.lost and not known.complete
    ]


def lift(centre: Centre) -> Centre:
    """The books are whole again, but for what a machine that was given up may have. Raises CustodyError P.090."""
    return replace(centre, books=centre.books.lifted(unheard(centre)))
