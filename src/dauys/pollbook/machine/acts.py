"""What may an officer do now, and which event does it? Commands on a station's book; each gives the event to store.

Nothing here changes the book: the caller stores the event durably (dauys.pollbook.machine.keep), folds it in (`Book.apply`), and
only then says so to the officer. What may not be done is a `Refused` with the number of the check, what there is to know
(`facts`: who, when, where) and the article.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dauys.errors import Numbered
from dauys.pollbook.log.events import SALT_BYTES, Event, LogError, is_channel, signed_by
from dauys.pollbook.log.member_keys import hand_out_bytes, officer_key_bytes
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules import channels as ways
from dauys.pollbook.rules.channels import Channels, NotAllowed, Ruling
from dauys.pollbook.rules.custody import CustodyError, Standing
from dauys.pollbook.rules.grants import Grant, Request
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.rules.places import PERHAPS_USED
from dauys.pollbook.wire.package import Officer
from dauys.roll.free_text import no_iin

CHECK_IN_CHANNELS = (ways.POLLING_DAY, ways.MOBILE, ways.EARLY)
"""At a station; what a channel's own log does is in `pollbook.machine.channel_acts`."""


class Refused(Numbered):
    """What may not be done now, with `facts` for a page in any language."""

    def __init__(self, message: str, check: str, cite: str = "", facts: Mapping[str, Any] | None = None) -> None:
        self.facts = dict(facts or {})
        super().__init__(message, check, cite)


def do_open(book: Book, officer: str, at: datetime) -> Event:
    """Voting begins: on the poll's day, or on a day of early voting where it is on."""
    must_run(book)
    must_be_officer(book, officer, "chair", "secretary")
    if book.opened:
        raise Refused(f"the station was opened at {book.opened}", "P.024", facts={"at": book.opened})
    try:
        book.package.channels.may_check_in(ways.EARLY, at)
    except NotAllowed:
        may_vote_by(book, ways.POLLING_DAY, at)
    return next_event(book, "open", at, officer=officer)


def do_close(book: Book, officer: str, at: datetime) -> Event:
    """The list is closed: nothing on it changes any more, and nobody is checked in. There is no way back.

    Not before the hour of closing. A station that never opened closes only after the day: what is left on its list can then
    be settled, and nobody is kept from voting by it.
    """
    must_run(book)
    must_be_officer(book, officer, "chair", "secretary")
    channels = book.package.channels
    until = datetime.combine(channels.day, time.fromisoformat(book.package.closes), ZoneInfo(channels.timezone))
    if at < until:
        facts = {"until": until.isoformat(timespec="minutes")}
        message = f"voting ends at {until:%Y-%m-%d %H:%M}; the list is not closed before"
        raise Refused(message, "P.039", channels[ways.POLLING_DAY].cite, facts)
    if not book.opened and channels.local(at).date() == channels.day:
        raise Refused("the station was never opened; the chair opens it", "P.024")
    return next_event(book, "close", at, officer=officer)


def do_check_in(
    book: Book,
    who: UUID,
    *,
    officer: str,
    salt: bytes,
    at: datetime,
    channel: str = ways.POLLING_DAY,
    members: Sequence[str] = (),
    sign: Callable[[bytes], bytes] | None = None,
) -> Event:
    """A voter is handed a ballot.

    `salt` is 10 random bytes, made when the page is shown: the same salt again is the same tap again, which the refusal
    says (`facts["same_tap"]`). `members` go with the mobile box. `sign` is the officer's key, where he has one.
    """
    must_vote(book, at)
    may_hand_out(book, officer)
    ruling = may_vote_by(book, channel, at)
    must_be_here(book, who, salt)
    if channel == ways.MOBILE:
        must_go_with_box(book, who, officer, members, ruling)
    body: dict[str, Any] = {"entitlement": str(who), "channel": channel, "officer": officer, "salt": salt.hex()}
    if len(salt) != SALT_BYTES:
        raise Refused(f"a salt has {SALT_BYTES} bytes", "P.001")
    if members:
        body["members"] = list(members)
    return next_event(book, "check-in", at, **_signed(book, officer, body, sign))


def _signed(book: Book, officer: str, body: dict[str, Any], sign: Callable[[bytes], bytes] | None) -> dict[str, Any]:
    """What is noted of a ballot that an officer hands out, with his signature; raises Refused P.042 where it needs one."""
    said = hand_out_bytes(book.log, body)
    sig = None if sign is None else sign(said)
    own = book.keys.get(officer)
    if own is not None and (sig is None or not signed_by(said, sig, own.key)):
        raise Refused(f"{officer} must sign for the ballot with his own key", "P.042", facts={"officer": officer})
    return body if sig is None else {**body, "sig": base64.b64encode(sig).decode()}


def do_officer_key(
    book: Book, officer: str, key: bytes, *, at: datetime, sign: Callable[[bytes], bytes] | None = None
) -> Event:
    """An officer's own key, 32 public bytes: from now on each ballot that he hands out is signed with it.

    `sign` is the key before, where he still has it; a key that came with the list is only replaced by its own signature.
    """
    must_run(book)
    must_be_officer(book, officer)
    body: dict[str, Any] = {"officer": officer, "key": base64.b64encode(key).decode()}
    before = book.keys.get(officer)
    if before is not None and sign is not None:
        sig = sign(officer_key_bytes(book.log, body))
        if not signed_by(officer_key_bytes(book.log, body), sig, before.key):
            raise Refused("this is not the key that holds now", "P.042", facts={"officer": officer})
        body["sig"] = base64.b64encode(sig).decode()
    elif before is not None and before.n == 0:
        raise Refused("the key that came with the list signs the next one", "P.042", facts={"officer": officer})
    return next_event(book, "officer-key", at, **body)


def do_undo(book: Book, of: int, *, reason: str, officer: str, at: datetime) -> Event:
    """Takes a check-in back: the wrong person was picked. The check-in stays in the log, and so does the reason."""
    must_vote(book, at, gives=False)
    must_be_officer(book, officer)
    why = said_why(reason, "the check-in is taken back")
    return next_event(book, "undo", at, of=of, reason=why, officer=officer)


def do_release(book: Book, request: Request, at: datetime) -> Event:
    """Lets a right go to where its voter stands, or back to the commission. Only an unused right of this station.

    From now on it cannot be used here.
    """
    must_give(book)
    if request.to != WITHDRAWN:  # no way to vote: the commission takes the right back
        require(book, ways.REMOTE if is_channel(request.to) or is_channel(book.log.holder) else ways.ANY_STATION)
    place = book.places.get(request.entitlement)
    if place is None or place.standing is not Standing.HERE:
        must_be_here(book, request.entitlement, b"")
    who, name = str(request.entitlement), request.id
    return next_event(book, "release", at, entitlement=who, epoch=request.epoch, request=name, to=request.to)


_WAY_OF = {"move": ways.ANY_STATION, "ahead": ways.ANY_STATION, "certificate": ways.CERTIFICATE}
"""By which way of voting somebody comes from another station, by why he comes."""


def do_receive(book: Book, grant: Grant, at: datetime) -> Event:
    """Takes custody of a right that the centre gives to this station, under this generation. Whom its list has votes at home:
    he needs no way of coming from elsewhere."""
    must_run(book)
    if (grant.poll, grant.to) != (book.log.poll, book.log.holder):
        raise Refused(f"the grant is for {grant.to} in {grant.poll}", "P.036")
    if not grant.good(book.package.centre):
        raise Refused("the grant is not signed by the centre whose key came with the list", "P.036")
    if is_channel(book.log.holder) or grant.why == "channel":
        require(book, ways.REMOTE)
    elif grant.entitlement not in book.places and (way := _WAY_OF.get(grant.why)):
        require(book, way)
    return next_event(book, "receive", at, **grant.body())


def do_certificate(book: Book, who: UUID, *, number: str, officer: str, at: datetime) -> Event:
    """Gives a voter an absentee certificate: his right leaves this station with him."""
    must_give(book)
    must_be_officer(book, officer)
    must_be_here(book, who, b"")
    _may_request(book, ways.CERTIFICATE, at)
    no_iin(number, "number")  # a scanner may have been held to the identity card
    if number in book.certificates.values():
        raise Refused("another voter of this station has the certificate of this number", "P.091")
    here = book.places[who]
    return next_event(book, "certificate", at, entitlement=str(who), epoch=here.epoch, number=number, officer=officer)


def do_certificate_back(book: Book, who: UUID, *, reason: str, officer: str, at: datetime) -> Event:
    """A certificate was noted for the wrong person: asks for the right back. It comes by the centre's grant alone, and only
    while nobody has shown the certificate elsewhere."""
    must_run(book)
    must_be_officer(book, officer)
    what = said_why(reason, "the certificate is taken back")
    place = book.places.get(who)
    if place is None or who not in book.certificates or who in book.backs:
        raise Refused("no certificate was given here that could be taken back", "P.080")
    return next_event(
        book, "certificate-back", at, entitlement=str(who), epoch=place.epoch, reason=what, officer=officer
    )


def do_mobile_request(book: Book, who: UUID, *, officer: str, at: datetime) -> Event:
    """Notes that a voter asked for the mobile box."""
    must_give(book)
    must_be_officer(book, officer)
    _may_request(book, ways.MOBILE, at)
    must_be_here(book, who, b"")
    if who in book.mobile:
        raise Refused("the mobile box is asked for already", "P.030", facts={"at": book.mobile[who]})
    return next_event(book, "mobile-request", at, entitlement=str(who), officer=officer)


def do_queue(book: Book, count: int, *, officer: str, at: datetime) -> Event:
    """Tells the centre how many people wait."""
    must_run(book)
    must_be_officer(book, officer)
    return next_event(book, "queue", at, count=count, officer=officer)


def do_envelope(
    book: Book,
    envelope: UUID,
    *,
    reason: str,
    officer: str,
    at: datetime,
    who: UUID | None = None,
    sign: Callable[[bytes], bytes] | None = None,
) -> Event:
    """A voter whose right cannot be reached is handed a ballot and an envelope for it, where the law knows such envelopes.

    `officer` hands the ballot out, `sign` is his key where he has one, as for a check-in.
    """
    must_vote(book, at)
    may_hand_out(book, officer)
    require(book, ways.ENVELOPE)
    why = said_why(reason, "the right cannot be reached")
    if who is not None and (place := book.places.get(who)) is not None and place.standing is not Standing.AWAY:
        raise Refused("the right is here: check the voter in, or see who used it", "P.037")
    if any(one.id == envelope or (who is not None and one.entitlement == who) for one in book.envelopes):
        raise Refused("an envelope of this right lies here; another one would void both", "P.075")
    body = {"id": str(envelope), "reason": why, "officer": officer}
    body |= {} if who is None else {"entitlement": str(who)}
    return next_event(book, "envelope", at, **_signed(book, officer, body, sign))


def do_envelope_of(book: Book, envelope: UUID, who: UUID, at: datetime) -> Event:
    """The centre said whose right this envelope is of. Also after the list was closed."""
    if book.stopped or not book.told:
        must_run(book)
    found = next((one for one in book.unnamed if one.id == envelope), None)
    if found is None:
        raise Refused("this is no envelope without a name", "P.081")
    return next_event(book, "envelope-of", at, of=found.n, entitlement=str(who))


def next_event(book: Book, kind: str, at: datetime, **body: Any) -> Event:
    """The next event of the log; raises Refused where the rules of custody or of the log forbid it."""
    try:
        event = Event(book.head.n + 1, at.isoformat(timespec="seconds"), kind, body, book.head.hash)
        book.check(event)
    except (CustodyError, LogError) as error:
        raise Refused(error.message, error.check) from None
    return event


def said_why(reason: str, what: str) -> str:
    """The reason as it is kept. Raises Refused P.032 for none, BadInput P.077 for one with an IIN in it."""
    if not reason.strip():
        raise Refused(f"say why {what}", "P.032")
    return no_iin(reason.strip())


def must_run(book: Book) -> None:
    if book.stopped:
        raise Refused(f"the station is stopped: {book.stopped}", "P.041")
    if not book.told:
        message = "the centre does not know this machine yet; connect it to the centre once, then it works without, too"
        raise Refused(message, "P.018")
    if book.closed:
        raise Refused(f"the list was closed at {book.closed}", "P.023", facts={"at": book.closed})


def must_give(book: Book) -> None:
    """Before a ballot is handed out or promised, or a right leaves: a machine that was declared lost takes back, and closes."""
    must_run(book)
    if book.lost:
        message = "this machine was declared lost: hand out nothing, call the centre, close when voting has ended"
        raise Refused(message, "P.087")


def must_vote(book: Book, at: datetime, *, gives: bool = True) -> None:
    """`gives`: as `must_give`; otherwise something is taken back."""
    (must_give if gives else must_run)(book)
    if not book.opened:
        raise Refused("the station is not open; the chair opens it", "P.024")
    if at > book.lease:
        until = book.lease.isoformat(timespec="minutes")
        message = f"the centre has not been heard and the lease ended at {until} by this machine's clock"
        raise Refused(f"{message}; connect the station, or put its clock right", "P.025", facts={"until": until})


def must_be_officer(book: Book, officer: str, *roles: str) -> Officer:
    found = book.package.officer(officer)
    if found is None:
        raise Refused(f"{officer!r} is no officer of this station", "P.029", facts={"officer": officer})
    if roles and found.role not in roles:
        facts = {"role": found.role, "roles": roles}
        raise Refused(f"this is for {' or '.join(roles)}, not for a {found.role}", "P.029", facts=facts)
    return found


def may_hand_out(book: Book, officer: str) -> Officer:
    found = must_be_officer(book, officer)
    ruling = require(book, ways.HAND_OUT)
    if found.role not in ruling.settings["roles"]:
        facts = {"role": found.role, "roles": tuple(ruling.settings["roles"])}
        raise Refused(f"the {found.role} may not hand out ballots", "P.028", ruling.cite, facts)
    return found


def may_vote_by(book: Book, channel: str, at: datetime) -> Ruling:
    if channel not in CHECK_IN_CHANNELS:
        raise Refused(f"nobody is checked in by {channel!r}; there are: {', '.join(CHECK_IN_CHANNELS)}", "P.026")
    return _ruled(book, channel, lambda ways_on: ways_on.may_check_in(channel, at), at)


def require(book: Book, channel: str) -> Ruling:
    return _ruled(book, channel, lambda ways_on: ways_on.require(channel))


def _may_request(book: Book, channel: str, at: datetime) -> Ruling:
    return _ruled(book, channel, lambda ways_on: ways_on.may_request(channel, at), at)


def _ruled(book: Book, channel: str, ask: Callable[[Channels], Ruling], at: datetime | None = None) -> Ruling:
    try:
        return ask(book.package.channels)
    except NotAllowed as error:
        raise refusal_of(book, channel, error, at) from None


def refusal_of(book: Book, channel: str, error: NotAllowed, at: datetime | None = None) -> Refused:
    """With the way, its ruling's state, its deadline and the clock as facts: the pages say them in three languages."""
    channels = book.package.channels
    ruling, facts = channels.rulings.get(channel), {"channel": channel}
    if error.check == "P.026" and ruling is not None:
        facts["off"] = "pilot" if ruling.pilot else ruling.state
    elif error.check == "P.027" and (until := channels.until(channel)) is not None:
        facts["until"] = until.isoformat()
    elif error.check == "P.033" and at is not None:
        facts["says"] = at.isoformat()
    return Refused(error.message, error.check, error.cite, facts)


def must_be_here(book: Book, who: UUID, salt: bytes) -> None:
    """Raises Refused with what an officer has to tell the voter."""
    place = book.places.get(who)
    if place is None:
        raise Refused("this voter is not on this station's list", "P.020")
    if place.standing is Standing.USED:
        was = book.check_in_of(who)
        assert was is not None
        facts = {"at": was.at, "clock": was.clock, "officer": was.officer, "n": was.n, "same_tap": was.salt == salt}
        raise Refused(f"already voted at {was.clock}, handed out by {was.officer}", "P.021", facts=facts)
    if place.standing is Standing.AWAY:
        where = book.went.get(who, "")
        if where.rpartition("/")[0] == f"station/{book.log.station}":
            raise Refused(PERHAPS_USED, "P.034", facts={"where": where})
        raise Refused(f"the right moved to {_called(book, where)}", "P.022", facts={"where": where})


def _called(book: Book, holder: str) -> str:
    """A holder as an officer may read it."""
    kind, _, rest = holder.partition("/")
    station = rest.rpartition("/")[0]
    if kind != "station" or (place := book.package.stations.get(station)) is None:
        return holder
    return f"station {station}, {place.names['en']}"


def must_go_with_box(book: Book, who: UUID, officer: str, members: Sequence[str], ruling: Ruling) -> None:
    need = int(ruling.settings["members"])
    for member in members:
        must_be_officer(book, member)
    if who not in book.mobile:
        raise Refused("this voter did not ask for the mobile box", "P.030", ruling.cite)
    if len(set(members)) < need or officer not in members:
        message = f"{need} members go with the mobile box, the one who hands out among them"
        raise Refused(message, "P.030", ruling.cite, {"need": need})
    if (left := book.in_box.get(who)) is not None and not set(members) <= set(left.members):
        message = f"the box left for this voter with {', '.join(left.members)}"
        raise Refused(message, "P.030", ruling.cite, {"with": left.members})
