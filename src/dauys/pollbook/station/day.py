"""What does the station do besides voters? Opening and closing, the queue, ballots, the protocol's fields, PINs, paper."""

from __future__ import annotations

from functools import partial

from dauys.errors import BadInput
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.log.events import BALLOTS
from dauys.pollbook.machine import acts, ballot_acts
from dauys.pollbook.machine.book import Book
from dauys.pollbook.rules.channels import HAND_OUT, NAMES
from dauys.pollbook.rules.sums import Difference, Sums, check_book, check_protocol
from dauys.pollbook.station.book_sums import sums_of
from dauys.pollbook.station.door import DIGITS
from dauys.pollbook.station.paper import list_of
from dauys.pollbook.station.visit import Model, Page, Visit
from dauys.pollbook.station.words import member_names, officer_named

FIELDS = ("eligible", "received", "delivered", "cancelled", "mobile_requests", "participated", "mobile_ballots")
"""The protocol's fields that the pollbook knows something about, in the order of the form."""


def day(visit: Visit) -> Model | str:
    """The chair opens and closes; anybody sees when that was."""
    book = visit.book
    if visit.form is not None:
        if visit.text("what") == "open":
            if not book.opened:
                visit.act(lambda book: acts.do_open(book, visit.officer.id, visit.at))
            return "/day"
        if visit.text("sure") != "yes":
            raise BadInput("tick the box: after closing nobody is checked in any more", field="sure", check="P.047")
        if not book.closed:
            visit.act(lambda book: acts.do_close(book, visit.officer.id, visit.at))
        return "/day"
    hours = {"open": book.package.opens, "close": book.package.closes}
    return {
        "may": visit.officer.role in ("chair", "secretary"),
        "hours": hours,
        "rulings": {name: book.package.channels[name] for name in NAMES if name in book.package.channels.rulings},
        "day": book.package.channels.day.isoformat(),
        "open_sums": check_book(sums_of(book)) if book.opened and not book.closed else [],
        "generation": book.log.generation,
    }


def queue(visit: Visit) -> str:
    """Tells the centre how many people wait."""
    if visit.form is not None:
        count = visit.number("count", most=100_000)
        visit.act(lambda book: acts.do_queue(book, count, officer=visit.officer.id, at=visit.at))
    return ""


def ballots(visit: Visit) -> Model | str:
    """Ballots that moved. A form that is sent twice is noted once: it says how many notes its officer had seen."""
    book = visit.book
    if visit.form is None:
        sums = sums_of(book)
        names = member_names(book)
        members = [
            {"name": officer_named(book, one.officer), "of": one} for one in sums.members.values()
        ]  # fmt: skip
        moved = [
            {
                "n": one.n,
                "what": one.what,
                "count": one.count,
                "member": names.get(one.member, one.member),
                "undone": one.undone,
            }
            for one in reversed(book.ballots)
        ]
        roles = book.package.channels[HAND_OUT].settings["roles"]
        return {
            "sums": sums,
            "safe": ballot_acts.in_safe(book) if ballot_acts.knows_all(book) else None,
            "members": members,
            "moved": moved,
            "envelopes": [{"n": one.n, "number": one.number} for one in book.envelopes],
            "seen": _notes(book),
            "whats": BALLOTS,
            "member_officers": [one for one in book.package.officers if one.role in roles],
            "chair": visit.officer.role in ("chair", "secretary"),
            "me": visit.officer,
        }
    what, member = visit.text("what"), visit.text("member")
    if what not in BALLOTS:
        raise BadInput("say what happened to the ballots", field="what", expected=", ".join(BALLOTS), check="P.047")
    count, seen = visit.number("count", least=1), visit.number("seen")
    member = "" if what in ("delivered", "cancelled") else member
    with visit.station.keep.acting() as book:
        latest = book.ballots[-1] if book.ballots else None
        if _notes(book) != seen:
            if (
                latest is not None
                and not latest.undone
                and (latest.what, latest.count, latest.member) == (what, count, member)
            ):
                return "/ballots"
            raise BadInput("other ballots were noted meanwhile; look at the table and send it again", check="P.046")
        note = partial(ballot_acts.do_ballots, what=what, count=count, officer=visit.officer.id, member=member)
        visit.act(partial(note, at=visit.at))
    return "/ballots"


def ballots_back(visit: Visit) -> str:
    """Takes a note of ballots back; again it changes nothing."""
    if visit.form is None:
        return "/ballots"
    n, reason = visit.number("n", least=1, most=100_000_000), visit.text("other") or visit.text("reason")
    with visit.station.keep.acting() as book:
        if not any(one.n == n and one.undone for one in book.ballots):
            back = partial(ballot_acts.do_ballots_back, of=n, reason=reason, officer=visit.officer.id, at=visit.at)
            visit.act(back)
    return "/ballots"


def _notes(book: Book) -> int:
    """How many there are, those included that took one back."""
    return len(book.ballots) + sum(bool(one.undone) for one in book.ballots)


def protocol(visit: Visit) -> Model:
    """The protocol's fields as the pollbook has them, and what differs from what was counted.

    A station's later machine compares nothing: the protocol is of the whole station, and it knows its own part.
    """
    sums = sums_of(visit.book)
    typed: dict[str, int] = {}
    checked = visit.form is not None and sums.whole
    for name in FIELDS:
        if checked and visit.text(name):
            typed[name] = visit.number(name)
    found = check_protocol(sums, typed) if checked else check_book(sums)
    return {
        "sums": sums,
        "fields": [(name, sums.fields.get(name)) for name in FIELDS],
        "typed": typed,
        "checked": checked,
        "differences": [_difference(visit, sums, one) for one in found],
        "members": [{"name": officer_named(visit.book, one.officer), "of": one} for one in sums.members.values()],
    }


def _difference(visit: Visit, sums: Sums, one: Difference) -> Model:
    who = officer_named(visit.book, one.subject) if one.subject in sums.members else ""
    return {
        "check": one.check,
        "known": catalogue().get(one.check),
        "field": one.subject if one.subject in FIELDS else "",
        "officer": who,
        "pollbook": one.pollbook,
        "protocol": one.protocol,
        "figures": one.check.startswith("B.1"),
    }


def officers(visit: Visit) -> Model | str:
    """The chair gives first PINs, each shown once, on the answer to the form that asked for it."""
    door, made = visit.station.door, None
    if visit.form is not None:
        name = visit.text("officer")
        made = {"officer": officer_named(visit.book, name), "pin": door.first_pin(name)}
        if name == visit.officer.id:
            made["own"] = "yes"
    lines = []
    for one in visit.book.package.officers:
        known = door.pin_of(one.id)
        state = "none" if known is None else "waits" if known.waits(visit.at) else "first" if known.first else "own"
        lines.append({"officer": one, "state": state})
    return {"lines": lines, "made": made, "digits": DIGITS}


def paper(visit: Visit) -> Model:
    """The whole list with who has voted. Sent: it is printed now."""
    return list_of(visit.station, visit.at, printed=visit.form is not None)


PAGES = (
    Page("/day", "station/day.html", day),
    Page("/queue", "", queue),
    Page("/ballots", "station/ballots.html", ballots),
    Page("/ballots-back", "", ballots_back),
    Page("/protocol", "station/protocol.html", protocol),
    Page("/officers", "station/officers.html", officers, ("chair",)),
    Page("/list", "station/paper.html", paper),
)
