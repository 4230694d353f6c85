"""May what an organisation signed go into the record? It may where a verifier finds nothing against it (V.15)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.entries import SENT, author_of, observer_shape
from dauys.observe.accreditation.follows import follows
from dauys.observe.accreditation.known import Stored
from dauys.record import log
from dauys.record.canonical import canonical
from dauys.record.entry import Entry
from dauys.registers.poll import Poll
from dauys.store.engine import Connection

AHEAD, BEHIND = timedelta(minutes=5), timedelta(days=30)
"""How far a sender's clock may be from ours: a mission may have been without the wire for long."""

NOT_ALLOWED, MISSHAPEN, DIFFERS, TAKEN = "O.006", "O.007", "O.008", "O.009"
STATUS = {NOT_ALLOWED: 403, MISSHAPEN: 422, DIFFERS: 422, TAKEN: 409}


def receive(connection: Connection, poll: Poll, data: bytes, at: datetime) -> tuple[int, bool]:
    """The place of the entry in the record, and whether it is new there. The same content again keeps its place.

    Raises BadInput: O.006 who sends may not, O.007 no entry of its kind, O.008 it disagrees with the record, O.009 its id stands
    there with other content.
    """
    entry = _read(data, poll, at)
    known = Stored(connection, poll, lock=True)
    here = log.find(connection, poll.id, entry.id)
    if here is not None:  # the record is public: to say where it stands takes no right
        there = log.entry_at(connection, poll.id, here)
        if (there.by, canonical(there.body)) == (entry.by, canonical(entry.body)):
            return here, False
        raise BadInput(
            f"{entry.id} is in the record already, at {here}, with other content: nothing is overwritten", field="id",
            found=entry.id, expected="the next number", check=TAKEN,
        )  # fmt: skip
    faults = follows(known.size, entry, known)
    if faults.author:
        raise BadInput("; ".join(faults.author), field="by", found=entry.by, check=NOT_ALLOWED)
    standing = known.standing(author_of(entry.by) or "")
    if standing is not None and at.astimezone(ZoneInfo(poll.timezone)).date().isoformat() > standing.body["until"]:
        raise BadInput(f"the accreditation ended on {standing.body['until']}", found=entry.by, check=NOT_ALLOWED)
    if faults.content:
        raise BadInput("; ".join(faults.content), check=DIFFERS)
    return log.append(connection, poll.id, [entry])[0].seq, True


def _read(data: bytes, poll: Poll, at: datetime) -> Entry:
    try:
        entry = Entry.from_bytes(data)
        if entry.poll != poll.id:
            raise DauysError(f"this is an entry of {entry.poll}, sent to {poll.id}")
        if entry.kind not in SENT:
            raise DauysError(f"an organisation sends no entry of the kind {entry.kind}: {', '.join(sorted(SENT))}")
        if author_of(entry.by) is None:  # what the commission says enters at its desk, under its own key
            raise DauysError(f"an organisation sends as organisation/CODE; this is by {entry.by}")
        if entry.checks:
            raise DauysError("`checks` are the receiver's: leave them out")
        written = datetime.fromisoformat(entry.at)
        if not at - BEHIND <= written <= at + AHEAD:
            raise DauysError(
                f"it is dated {entry.at}, and here it is {at.isoformat()}: set the clock and sign it again"
            )
        expected = observer_shape(entry.kind, entry.body, poll, entry.id)
        if entry.id != expected:
            raise DauysError(f"its id is {entry.id}, by what it says it is {expected}")
    except DauysError as error:
        raise BadInput(str(error), check=MISSHAPEN) from None
    return entry
