"""What does an officer have to be told, as plain values for a page in any language? Refusals, the station, the connection.

The words themselves are in the templates and in the catalogue of checks.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from dauys.errors import BadInput, DauysError
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.machine.answers import clock_of
from dauys.pollbook.machine.book import Book, CheckIn
from dauys.pollbook.machine.sync import FOR_GOOD, Unreached
from dauys.pollbook.station.door import Session
from dauys.pollbook.station.visit import Model, Station
from dauys.pollbook.wire.package import Voter

_REFUSED = re.compile(r"\[(P\.\d{3})\] ")
_RANGE = re.compile(r"a whole number from (\d+) to ([\d,]+)")


def base_words(station: Station, session: Session | None) -> Model:
    """What every page shows: the station, the connection, who is signed in."""
    book = station.keep.book
    officer = None if session is None else book.package.officer(session.officer)
    return {
        "station": {
            "id": book.log.station,
            "poll": book.package.names,
            "pack": book.log.poll.partition("/")[0],
            "names": named(book, book.log.station)["names"],
            "opened": clock_of(book, book.opened),
            "closed": clock_of(book, book.closed),
            "stopped": book.stopped,
            "stop": _stop(book.stopped),
            "told": book.told,
            "lost": catalogue()["P.087"] if book.lost else None,
            "trial": station.clock() if station.trial or book.package.trial else None,
        },
        "link": link(station),
        "officer": officer,
        "mark": "" if session is None else session.mark,
        "refusal": None,
        "refresh": 0,
    }


def _stop(stopped: str) -> Model:
    """Why a station is stopped: the check, and whether the centre will never take this machine."""
    found = _REFUSED.match(stopped)
    check = found[1] if found else "P.041"
    return {"check": check, "known": catalogue().get(check), "not_taken": check in FOR_GOOD}


def link(station: Station) -> Model:
    """The connection in numbers: until when everything was sent, what waits, since when nothing goes."""
    heard = station.syncing.link.status
    return {
        "heard": _clock(station, heard.heard),
        "cut": _clock(station, heard.cut),
        "waiting": station.syncing.link.waiting,
        "check": heard.check,
        "known": catalogue().get(heard.check),
        "lease": _clock(station, station.keep.book.lease),
    }


def refusal(error: DauysError, book: Book, who: str) -> Model:
    """Everything that there is to know of a refusal: number, words of the catalogue, article, and who, when, where.

    `message` and `expected` are English: a page in another language says what is beside them instead.
    """
    check = str(getattr(error, "check", "") or "")
    facts = getattr(error, "facts", {})
    voter = book.voters.get(UUID(who)) if _is_uuid(who) else None
    return {
        "status": 0,
        "check": check,
        "known": catalogue().get(check),
        "cite": getattr(error, "cite", ""),
        "message": getattr(error, "message", str(error)),
        "field": error.field if isinstance(error, BadInput) else None,
        "expected": error.expected if isinstance(error, BadInput) else None,
        "who": str(voter.entitlement) if voter else "",
        "voter": full_name(voter) if voter else "",
        "clock": clock_of(book, str(facts.get("at", ""))),
        "until": clock_of(book, str(facts.get("until", ""))),
        "officer": officer_named(book, str(facts["officer"])) if "officer" in facts else None,
        "where": where(book, str(facts["where"])) if "where" in facts else None,
        "role": str(facts.get("role", "")),
        "roles": tuple(facts.get("roles", ())),
        "channel": str(facts.get("channel", "")),
        "off": str(facts.get("off", "")),
        "says": _whole(book, str(facts.get("says", ""))),
        "range": _range(error.expected) if isinstance(error, BadInput) else None,
        "cut": isinstance(error, Unreached),
        "left": facts.get("left"),
        "has": facts.get("has"),
        "to_cancel": facts.get("to_cancel"),
        "short": facts.get("short"),
        "with": [officer_named(book, one) for one in facts.get("with", ())],
        "envelope": str(facts.get("envelope", "")),
        "need": facts.get("need"),
    }


def where(book: Book, holder: str) -> Model:
    """Who holds a right: `kind` is station, earlier (a machine before this one, of this very station), envelope (left at a
    station), certificate, remote, withdrawn or centre; a station with its names."""
    kind, _, rest = holder.partition("/")
    if kind in ("station", "envelope"):
        place = named(book, rest.rpartition("/")[0])
        earlier = kind == "station" and place["id"] == book.log.station and holder != book.log.holder
        return {"kind": "earlier" if earlier else kind, **place}
    return {"kind": kind if kind in ("certificate", "remote", "withdrawn") else "centre", "id": "", "names": None}


def named(book: Book, station: str) -> Model:
    """A station's id, and its names and address where its neighbours know them."""
    place = book.package.stations.get(station)
    if place is None:
        return {"id": station, "names": None, "address": ""}
    return {
        "id": station,
        "names": dict(place.names),
        "address": ", ".join(filter(None, (place.settlement, place.address))),
    }


def officer_named(book: Book, officer: str) -> str:
    """`Dana (m1)`; an officer whom the package does not name is his id."""
    found = book.package.officer(officer)
    return officer if found is None else f"{found.name} ({found.id})"


def full_name(voter: Voter) -> str:
    return " ".join(filter(None, (voter.surname, voter.given, voter.patronymic)))


def line(book: Book, voter: Voter) -> Model:
    """A voter's line as a page shows it, and how his right stands: here, used, away, or not on the list."""
    place = book.places.get(voter.entitlement)
    was = book.check_in_of(voter.entitlement)
    carried = book.in_box.get(voter.entitlement)
    return {
        "who": str(voter.entitlement),
        "number": voter.number,
        "iin": f"{voter.iin[:6]} {voter.iin[6:]}",
        "born": voter.born,
        "name": full_name(voter),
        "names": [name for name in voter.names if name != full_name(voter)],
        "address": voter.address,
        "standing": "unknown" if place is None else str(place.standing),
        "check_in": None if was is None else check_in(book, was),
        "where": where(book, book.went.get(voter.entitlement, voter.away)),
        "mobile": clock_of(book, book.mobile.get(voter.entitlement, "")),
        "box": clock_of(book, "" if carried is None else carried.at),
        "certificate": book.certificates.get(voter.entitlement, ""),
        "back": clock_of(book, book.backs.get(voter.entitlement, "")),
        "envelope": next((one for one in book.envelopes if one.entitlement == voter.entitlement), None),
    }


def check_in(book: Book, one: CheckIn) -> Model:
    """A check-in as a page shows it."""
    return {
        "n": one.n,
        "clock": clock_of(book, one.at),
        "officer": officer_named(book, one.officer),
        "channel": one.channel,
        "undone": one.undone,
    }


def _whole(book: Book, at: str) -> str:
    """Day and time of a clock that is wrong."""
    return f"{book.package.channels.local(datetime.fromisoformat(at)):%d.%m.%Y %H:%M}" if at else ""


def _range(expected: str | None) -> tuple[str, str] | None:
    """The least and the greatest number that a field takes, where a number was expected."""
    found = _RANGE.fullmatch(expected or "")
    return None if found is None else (found[1], found[2].replace(",", " "))


def _clock(station: Station, at: datetime | None) -> str:
    return "" if at is None else clock_of(station.keep.book, at.isoformat())


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def member_names(book: Book) -> dict[str, Any]:
    """Every officer's id with his name."""
    return {one.id: officer_named(book, one.id) for one in book.package.officers}
