"""What does an officer do for a voter? Search, his line, the ballot, the receipt; taking back, mobile box, certificate.

Two taps from a search result: the voter, "hand out". One tap is one check-in, however often it is sent: its salt is made
when the page is shown, and the same salt again shows the same receipt.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import segno

from dauys.errors import BadInput
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.answers import clock_of
from dauys.pollbook.machine.book import Book, CheckIn
from dauys.pollbook.machine.box import to_visit
from dauys.pollbook.rules import channels as ways
from dauys.pollbook.rules.channels import NotAllowed
from dauys.pollbook.rules.places import Standing
from dauys.pollbook.sealed.commitment import code_of, new_salt, read_code
from dauys.pollbook.station.book_sums import sums_of
from dauys.pollbook.station.keys import must_be_open
from dauys.pollbook.station.paper import away, newest, only_here
from dauys.pollbook.station.visit import Model, Page, Visit
from dauys.pollbook.station.words import check_in, line
from dauys.pollbook.wire.package import Officer
from dauys.roll.iin import is_iin

LONGEST_NUMBER = 6
"""Digits of a list's number; more of them are an IIN that is not whole."""

FRESH = timedelta(minutes=10)
"""How long a receipt's page says to its officer that a ballot is to be handed out; later it says that it was."""

PAPER_AFTER = 60
"""Minutes after which the officers are reminded to print the list."""


def home(visit: Visit) -> Model:
    """The search box, how far the day is, what waits."""
    book, sums = visit.book, sums_of(visit.book)
    printed = newest(visit.station.keep)
    since = book.opened if printed is None else printed.at
    moved = printed is not None and printed.without != away(book)
    late = bool(since) and (visit.at - datetime.fromisoformat(since)).total_seconds() > PAPER_AFTER * 60
    cut = visit.station.syncing.link.status.cut is not None
    return {
        "received": sums.received,
        "eligible": sums.eligible,
        "queue": None if book.queue is None else {"count": book.queue[1], "clock": clock_of(book, book.queue[0])},
        "printed": clock_of(book, "" if printed is None else printed.at),
        "paper_late": (late or moved) and not book.closed,
        "paper_moved": moved,
        "paper_only_here": only_here(visit.station.keep) if cut and not book.closed else 0,
        "box": {"asked": len(to_visit(book)), "carried": len(book.in_box)},
        "waiting": [line(book, book.voters[who]) for who in visit.station.waiting_for() if who in book.voters],
        "mine": mine.issued if (mine := sums.members.get(visit.officer.id)) is not None else 0,
    }


def find(visit: Visit) -> str:
    """What was typed or scanned; one voter is shown at once. What was typed stands in no address."""
    if visit.form is None:
        return ""
    text = visit.text("text")
    if not text:
        return ""
    found = _found(visit, text)
    visit.session.sought, visit.session.found = text, found
    return f"/voter/{found[0]}" if len(found) == 1 else "/found"


def found(visit: Visit) -> Model | str:
    """The voters of the last search of this session."""
    if not visit.session.sought:
        return ""
    book = visit.book
    lines = [line(book, book.voters[who]) for who in visit.session.found if who in book.voters]
    digits = "".join(visit.session.sought.split())
    here = [who for who, place in book.places.items() if place.standing == "here" and who not in book.voters]
    iin = digits if is_iin(digits) else ""
    return {"sought": visit.session.sought, "lines": lines, "iin": iin, "nameless": len(here)}


def _found(visit: Visit, text: str) -> list[UUID]:
    """By a voter's code, by number on the list, by IIN (also inside what a scanner reads off a card), by name."""
    plain, book = "".join(text.split()), visit.book
    if plain.isdecimal() and len(plain) <= LONGEST_NUMBER:
        return [voter.entitlement for voter in book.voters.values() if voter.number == int(plain) > 0]
    if len(plain) > 40:
        try:
            return [who for who in (read_code(text)[1],) if who in book.voters]
        except BadInput:
            inside = (visit.station.find(digits) for digits in re.findall(r"(?=(\d{12}))", plain))
            return next((one for one in inside if one), [])
    return visit.station.find(text)


def voter(visit: Visit) -> Model:
    """One voter's line, and what may be done."""
    book, who = visit.book, visit.who()
    if who not in book.voters:
        raise Refused("this voter is not on this station's list", "P.020")
    channel = channel_now(book, visit.at)
    rulings, roles = book.package.channels, book.package.channels[ways.HAND_OUT].settings["roles"]
    return {
        "voter": line(book, book.voters[who]),
        "history": [check_in(book, one) for one in book.check_ins.values() if one.entitlement == who and one.undone],
        "salt": new_salt(who).hex(),
        "request": str(uuid4()),
        "channel": channel,
        "may": visit.officer.role in roles,
        "roles": roles,
        "others": [
            one for one in book.package.officers if one.id != visit.officer.id and _at_home(book, who, one, roles)
        ],
        "mobile": rulings[ways.MOBILE],
        "mobile_open": _open(book, ways.MOBILE, visit.at),
        "mobile_until": _until(book, visit.at),
        "certificate": rulings[ways.CERTIFICATE],
        "certificate_open": _open(book, ways.CERTIFICATE, visit.at),
    }


def _at_home(book: Book, who: UUID, one: Officer, roles: Sequence[str]) -> bool:
    """Whether this officer may have been there when the voter got his ballot at home: who left with the box, where it left."""
    carried = book.in_box.get(who)
    return one.role in roles if carried is None else one.id in carried.members


def channel_now(book: Book, at: datetime) -> str:
    """The way by which a ballot is handed out at the table on this day: early voting, or the polling day's."""
    try:
        book.package.channels.may_check_in(ways.EARLY, at)
    except NotAllowed:
        return ways.POLLING_DAY
    return ways.EARLY


def _open(book: Book, name: str, at: datetime) -> bool:
    """Whether it may be asked for now."""
    try:
        book.package.channels.may_request(name, at)
    except NotAllowed:
        return False
    return not book.closed and not book.stopped


def _until(book: Book, at: datetime) -> str:
    """Until when the mobile box may be asked for: the hour, and the day where that is not today."""
    until = book.package.channels.until(ways.MOBILE)
    if until is None:
        return ""
    return f"{until:%H:%M}" if until.date() == book.package.channels.local(at).date() else f"{until:%d.%m. %H:%M}"


def hand_out(visit: Visit) -> str:
    """Hands a ballot out. The same tap again, by a double click or a reload, leads to the same receipt."""
    if visit.form is None:
        return ""
    who, channel = visit.chosen("who"), visit.text("channel")
    try:
        salt = bytes.fromhex(visit.text("salt"))
    except ValueError:
        raise BadInput("the page has expired; open it again", check="P.046") from None
    must_be_open(visit)
    sign = None if visit.session.signing is None else visit.session.signing.sign
    second = visit.text("second")
    members = (visit.officer.id, second) if second else ()
    with visit.station.keep.acting() as book:
        if (was := _tapped(book, salt)) is None:
            event = visit.act(
                lambda book: acts.do_check_in(
                    book,
                    who,
                    officer=visit.officer.id,
                    salt=salt,
                    at=visit.at,
                    channel=channel,
                    members=members,
                    sign=sign,
                )
            )
            visit.station.asked.pop(who, None)
            return f"/done/{event.n}"
    if was.entitlement != who:
        raise BadInput("the page has expired; open it again", check="P.046")
    return f"/done/{was.n}"


def _tapped(book: Book, salt: bytes) -> CheckIn | None:
    """The check-in that this tap made, also where it was taken back since: an old tap hands out nothing again."""
    return next((one for one in book.check_ins.values() if one.salt == salt), None)


def done(visit: Visit) -> Model:
    """The receipt: what was done, and the voter's code."""
    book, one = visit.book, _check_in(visit)
    code = code_of(one.salt, one.entitlement)
    # on another day, or before another officer, the page must not read as if a ballot were to be handed out now
    now = one.officer == visit.officer.id and abs(visit.at - datetime.fromisoformat(one.at)) < FRESH
    return {
        "now": now,
        "voter": line(book, book.voters[one.entitlement]) if one.entitlement in book.voters else None,
        "one": check_in(book, one),
        "code": code,
        "qr": qr(code),
    }


def qr(code: str) -> str:
    """A QR code as an inline SVG, without a style of its own."""
    out = io.BytesIO()
    segno.make(code, micro=False, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, border=2, scale=1, omitsize=True, svgclass="qr", lineclass=None
    )
    return out.getvalue().decode()


def _check_in(visit: Visit) -> CheckIn:
    n = str(visit.request.path_params.get("n", ""))
    one = visit.book.check_ins.get(int(n)) if n.isascii() and n.isdecimal() and len(n) < 10 else None
    if one is None:
        raise BadInput("no check-in has this number", check="P.031")
    return one


def undo(visit: Visit) -> str:
    """Takes a check-in back, with the reason."""
    if visit.form is None:
        return ""
    n = visit.number("n", least=1, most=100_000_000)
    one = visit.book.check_ins.get(n)
    if one is not None and one.undone:
        return f"/voter/{one.entitlement}"
    reason = visit.text("other") or visit.text("reason")
    visit.act(lambda book: acts.do_undo(book, n, reason=reason, officer=visit.officer.id, at=visit.at))
    assert one is not None
    return f"/voter/{one.entitlement}"


def mobile(visit: Visit) -> str:
    """Notes a request for the mobile box."""
    if visit.form is None:
        return ""
    who = visit.chosen("who")
    if who not in visit.book.mobile:
        visit.act(lambda book: acts.do_mobile_request(book, who, officer=visit.officer.id, at=visit.at))
    return f"/voter/{who}"


def certificate(visit: Visit) -> str:
    """Gives an absentee certificate, under the number that is printed on it."""
    if visit.form is None:
        return ""
    who, number = visit.chosen("who"), visit.text("number", 40)
    if not number:
        raise BadInput("type the number that is printed on the certificate", field="number", check="P.047")
    if visit.book.certificates.get(who) != number:
        visit.act(lambda book: acts.do_certificate(book, who, number=number, officer=visit.officer.id, at=visit.at))
    return f"/voter/{who}"


def certificate_back(visit: Visit) -> str:
    """A certificate was noted for the wrong person: the right is asked back, and comes if nobody has shown it elsewhere."""
    if visit.form is None:
        return ""
    who, reason = visit.chosen("who"), visit.text("other") or visit.text("reason")
    came = visit.book.came.get(who)
    if came is not None and came.why == ways.CERTIFICATE and visit.book.places[who].standing is not Standing.AWAY:
        return f"/voter/{who}"  # the same tap: the right is here again
    if who not in visit.book.backs:
        visit.act(partial(acts.do_certificate_back, who=who, reason=reason, officer=visit.officer.id, at=visit.at))
    visit.station.asked[who] = visit.at
    return f"/waiting/{who}"


def pin(visit: Visit) -> Model | str:
    """The officer's own PIN."""
    if visit.form is None:
        known = visit.station.door.pin_of(visit.officer.id)
        return {"first": known is None or known.first}
    present = "".join(visit.text("present").split())
    visit.station.door.choose(visit.session, visit.text("pin"), visit.text("again"), present)
    return ""


def out(visit: Visit) -> Model | str:
    """Signs out."""
    if visit.form is None:
        return ""
    visit.station.door.sign_out(visit.session)
    return "/in"


PAGES = (
    Page("", "station/home.html", home),
    Page("/find", "", find),
    Page("/found", "station/found.html", found),
    Page("/voter/{who}", "station/voter.html", voter),
    Page("/hand-out", "", hand_out),
    Page("/done/{n}", "station/done.html", done),
    Page("/undo", "", undo),
    Page("/mobile", "", mobile),
    Page("/certificate", "", certificate),
    Page("/certificate-back", "", certificate_back),
    Page("/pin", "station/pin.html", pin),
    Page("/out", "", out),
)
