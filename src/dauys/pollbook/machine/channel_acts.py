"""What may the electronic channel's machine do now, and which event does it? As `machine.acts`, for a log without officers.

The channel keeps the right and nothing of the ballot. The voting system has a right used when it has taken an electronic
ballot. Where paper beats electronic, a station's request strikes that use (`undo`, naming the request) and only then lets
the right go: two events. If the power goes in between, the ballot is struck and the right unused here, for nobody elsewhere
has it; the same request lets it go later.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dauys.pollbook.log.events import CHANNEL_LOGS, SALT_BYTES, Event
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules import channels as ways
from dauys.pollbook.rules.channels import NotAllowed
from dauys.pollbook.rules.custody import Standing
from dauys.pollbook.rules.grants import Request
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.wire.package import SYSTEM

PAPER = "a paper ballot replaces it"
"""The reason of an undo that a station's request brought."""


def taking_ends(book: Book) -> datetime:
    """From when on no electronic ballot is taken: the end of the last day, on the polling day the hour of closing."""
    channels = book.package.channels
    last = date.fromisoformat(channels[ways.REMOTE].settings["last"])
    return _closing(book) if last >= channels.day else _local(book, last + timedelta(days=1), time())


def ends(book: Book) -> datetime:
    """From when on the channel may be closed: while paper beats electronic, ballots may be struck until the stations close."""
    return _closing(book) if book.package.channels[ways.PAPER_FIRST].on else taking_ends(book)


def _closing(book: Book) -> datetime:
    return _local(book, book.package.channels.day, time.fromisoformat(book.package.closes))


def _local(book: Book, day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZoneInfo(book.package.channels.timezone))


def must_take(book: Book, at: datetime) -> None:
    """Raises Refused where no electronic ballot may be taken now."""
    acts.must_vote(book, at)
    _must_be_taking(book, at)


def do_begin(book: Book, at: datetime) -> Event:
    """Electronic ballots are taken from now on: on the first of their days, or later."""
    acts.must_run(book)
    if book.opened:
        raise Refused(f"the channel was opened at {book.opened}", "P.024", facts={"at": book.opened})
    _must_be_taking(book, at)
    return acts.next_event(book, "open", at, officer=SYSTEM.id)


def do_end(book: Book, at: datetime) -> Event:
    """The channel is closed, and there is no way back: unused rights can then be given on without asking it.

    Not while a ballot that was struck may still lie in the electronic ballot box.
    """
    acts.must_run(book)
    if at < (until := ends(book)):
        facts = {"until": until.isoformat(timespec="minutes")}
        zone = book.package.channels.timezone
        raise Refused(f"the channel is needed until {until:%Y-%m-%d %H:%M} ({zone})", "P.039", _cite(book), facts)
    if left := [one.n for one in book.struck.values() if not one.out]:
        message = f"{len(left)} struck ballots are not taken out of the electronic ballot box yet"
        raise Refused(message, "P.073", facts={"left": len(left)})
    return acts.next_event(book, "close", at, officer=SYSTEM.id)


def do_use(book: Book, who: UUID, *, salt: bytes, at: datetime) -> Event:
    """An electronic ballot was taken: its voter's right is used up.

    `salt`: 10 random bytes, made once for each ballot; the same again is refused with `facts["same_tap"]`: it was noted.
    Raises Refused: P.072 that ballot was struck.
    """
    if len(salt) != SALT_BYTES:
        raise Refused(f"a salt has {SALT_BYTES} bytes", "P.001")
    if any((one.salt, one.entitlement) == (salt, who) and one.undone for one in book.check_ins.values()):
        raise Refused("this ballot was struck, or taken back: it does not count", "P.072")
    standing = book.places.get(who)
    if standing is None or standing.standing is not Standing.USED:  # what was noted before is said at any hour
        must_take(book, at)
    acts.must_be_here(book, who, salt)
    body = {"entitlement": str(who), "channel": ways.REMOTE, "officer": SYSTEM.id, "salt": salt.hex()}
    return acts.next_event(book, "check-in", at, **body)


def do_take_back(book: Book, who: UUID, *, reason: str, at: datetime) -> Event:
    """The voting system has no ballot of this voter after all: the use is undone, and the right stays here."""
    acts.must_vote(book, at, gives=False)
    why = acts.said_why(reason, "the ballot is taken back")
    if (was := book.check_in_of(who)) is None:
        raise Refused("no electronic ballot of this voter stands", "P.031")
    return acts.next_event(book, "undo", at, of=was.n, reason=why, officer=SYSTEM.id)


def do_strike(book: Book, request: Request, at: datetime) -> Event:
    """The first half of letting a used right go: its voter stands at a station, and paper beats electronic."""
    acts.must_give(book)
    acts.require(book, ways.PAPER_FIRST)
    try:
        book.package.channels.may_check_in_on_paper(at)
    except NotAllowed as error:
        raise Refused(error.message, error.check, error.cite) from None
    if request.to == WITHDRAWN or (was := book.check_in_of(request.entitlement)) is None:
        raise Refused("only a station's request strikes an electronic ballot", "P.037")
    return acts.next_event(book, "undo", at, of=was.n, reason=PAPER, officer=SYSTEM.id, request=request.id)


def do_struck_out(book: Book, of: int, at: datetime) -> Event:
    """The voting system has taken a struck ballot (the undo `of`) out of its box."""
    acts.must_run(book)
    return acts.next_event(book, "struck-out", at, of=of, officer=SYSTEM.id)


def let_go(book: Book, request: Request, at: datetime) -> Event | None:
    """The next event by which any log, a station's or a channel's, lets a right go that it is asked for; None where it keeps it.

    A station keeps what was used: its check-in, sent before, says so to the centre. Raises Refused, CustodyError, LogError.
    """
    place = book.places.get(request.entitlement)
    if place is None or place.epoch != request.epoch or place.standing is Standing.AWAY:
        return None
    if place.standing is Standing.HERE:
        return acts.do_release(book, request, at)
    return do_strike(book, request, at) if book.log.station in CHANNEL_LOGS else None


def _must_be_taking(book: Book, at: datetime) -> None:
    try:
        book.package.channels.may_check_in(ways.REMOTE, at)
    except NotAllowed as error:
        raise acts.refusal_of(book, ways.REMOTE, error, at) from None
    if at >= (until := taking_ends(book)):
        facts = {"says": at.isoformat(), "until": until.isoformat(timespec="minutes")}
        raise Refused(f"electronic ballots were taken until {until:%Y-%m-%d %H:%M}", "P.033", _cite(book), facts)


def _cite(book: Book) -> str:
    return book.package.channels[ways.REMOTE].cite
