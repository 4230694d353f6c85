"""May what an organisation signed go into the record? It may where a verifier finds nothing against it (V.15).

Who sends is known by the signature, which is looked at before anything is locked: whoever has no key keeps nobody waiting.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.entries import SENT, author_of, observer_shape
from dauys.observe.accreditation.follows import Standing, follows, unsigned
from dauys.observe.accreditation.known import Stored, accreditation
from dauys.observe.accreditation.quota import QUOTA, Quota
from dauys.record import log
from dauys.record.canonical import canonical
from dauys.record.entry import Entry
from dauys.registers.poll import Poll
from dauys.store.engine import Connection

AHEAD, BEHIND = timedelta(minutes=5), timedelta(days=30)
"""How far a sender's clock may be from ours: a mission may have been without the wire for long."""

MOST_PHOTOS = 40
"""Of one observation: a report of the field has eight, and a clerk is to look at all of them on one page."""

NOT_ALLOWED, MISSHAPEN, DIFFERS, TAKEN = "O.006", "O.007", "O.008", "O.009"
STATUS = {NOT_ALLOWED: 403, MISSHAPEN: 422, DIFFERS: 422, TAKEN: 409, "O.080": 429}


def receive(connection: Connection, poll: Poll, data: bytes, at: datetime, quota: Quota = QUOTA) -> tuple[int, bool]:
    """The place of the entry in the record, and whether it is new there. The same content again keeps its place.

    Raises BadInput: O.006 who sends may not, O.007 no entry of its kind, O.008 it disagrees with the record, O.009 its id stands
    there with other content, O.080 the organisation has sent too much.
    """
    return take(connection, poll, signed(connection, poll.id, data), at, quota)


def signed(connection: Connection, poll_id: str, data: bytes) -> Entry:
    """The entry, of which is only known that the organisation it names has signed it. It locks nothing.

    Raises BadInput O.007 for what no organisation sends, O.006 for one without a key here or with another signature.
    """
    try:
        entry = Entry.from_bytes(data)
        if entry.poll != poll_id:
            raise DauysError(f"this is an entry of {entry.poll}, sent to {poll_id}")
        if entry.kind not in SENT:
            raise DauysError(f"an organisation sends no entry of the kind {entry.kind}: {', '.join(sorted(SENT))}")
        code = author_of(entry.by)
        if code is None:  # what the commission says enters at its desk, under its own key
            raise DauysError(f"an organisation sends as organisation/CODE; this is by {entry.by}")
    except DauysError as error:
        raise BadInput(str(error), check=MISSHAPEN) from None
    if why := unsigned(entry, accreditation(connection, poll_id, code)):
        raise BadInput(why, field="by", found=entry.by, check=NOT_ALLOWED)
    return entry


def take(connection: Connection, poll: Poll, entry: Entry, at: datetime, quota: Quota = QUOTA) -> tuple[int, bool]:
    """What `signed` gave, into the record: as `receive`."""
    _shaped(entry, poll, at)
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
    code = author_of(entry.by) or ""
    not_ended(known.standing(code), poll, at)
    if faults.content:
        raise BadInput("; ".join(faults.content), check=DIFFERS)
    size = len(entry.to_bytes())
    day = at.astimezone(ZoneInfo(poll.timezone)).date()
    quota.admit_entry(connection, poll.id, code, size, day)
    place = log.append(connection, poll.id, [entry])[0].seq
    quota.count_entry(connection, poll.id, code, size, day)
    return place, True


def not_ended(standing: Standing | None, poll: Poll, at: datetime) -> None:
    """Raises BadInput O.006 where the accreditation is over by our own clock, whatever the sender's says."""
    if standing is not None and at.astimezone(ZoneInfo(poll.timezone)).date().isoformat() > standing.body["until"]:
        raise BadInput(
            f"the accreditation ended on {standing.body['until']}", found=standing.body["code"], check=NOT_ALLOWED
        )


def in_time(entry: Entry, at: datetime, behind: timedelta = BEHIND) -> None:
    """Raises DauysError for what is dated too far from our clock."""
    if not at - behind <= datetime.fromisoformat(entry.at) <= at + AHEAD:
        raise DauysError(f"it is dated {entry.at}, and here it is {at.isoformat()}: set the clock and sign it again")


def _shaped(entry: Entry, poll: Poll, at: datetime) -> None:
    try:
        if entry.checks:
            raise DauysError("`checks` are the receiver's: leave them out")
        in_time(entry, at)
        expected = observer_shape(entry.kind, entry.body, poll, entry.id)
        if entry.id != expected:
            raise DauysError(f"its id is {entry.id}, by what it says it is {expected}")
        if entry.kind == "observation" and len(entry.body["photos"]) > MOST_PHOTOS:
            raise DauysError(f"an observation names at most {MOST_PHOTOS} photos: send another one with the rest")
    except DauysError as error:
        raise BadInput(str(error), check=MISSHAPEN) from None
