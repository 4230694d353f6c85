"""A voter of another station stands here: may his right come, and what is to be done while it does not?

His IIN goes to the centre in a signed question, and nowhere else; his line is kept only when his right is asked for.
Custody comes by the centre's grant alone, after his own station let the right go. Who is on no list is put on it by the
commission, not here; once that is done, his right comes to his station when he is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from dauys.errors import BadInput
from dauys.pollbook import acts
from dauys.pollbook import channels as ways
from dauys.pollbook.acts import Refused
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.enrolling import CENTRE
from dauys.pollbook.package import Voter
from dauys.pollbook.station_visit import Model, Page, Visit, uuid_of
from dauys.pollbook.station_words import clock_of, line, named, where
from dauys.pollbook.sync import CentreRefused, Unreached
from dauys.roll.iin import is_iin

REFRESH = 2
"""Seconds between looks at a right that is asked for."""

SILENT = 45
"""Seconds after which the page says that the other station may not be reachable."""


def elsewhere(visit: Visit) -> Model | str:
    """Asks for an IIN, then the centre for its voter."""
    book = visit.book
    model: Model = {
        "ruling": book.package.channels[ways.ANY_STATION],
        "certificate": book.package.channels[ways.CERTIFICATE],
        "envelope": book.package.channels[ways.ENVELOPE],
        "envelope_id": str(uuid4()),
        "iin": visit.session.sought if visit.form is None and is_iin("".join(visit.session.sought.split())) else "",
        "state": "ask",
        "why": None,
        "found": None,
        "claims": f"{(visit.station.keep.kept(CENTRE) or '').rstrip('/')}/{visit.lang}/roll",
        "who": "",
    }
    if visit.form is None:
        return model
    iin = "".join(visit.text("iin").split())
    if not is_iin(iin):
        raise BadInput("this is no IIN: twelve digits, the last one checks the others", check="P.048")
    for own in visit.station.find(iin):
        if own in book.places and book.places[own].standing != "away":
            return f"/voter/{own}"
        model["who"] = str(own)
    try:
        found = visit.station.syncing.link.wire.question("find", {"iin": iin})
    except Unreached:
        return model | {"state": "cut"}
    except CentreRefused as error:
        return model | {"state": "no", "why": _why({"check": error.check, "message": error.message})}
    return _answered(visit, model, found, iin)


def _answered(visit: Visit, model: Model, found: Model, iin: str) -> Model | str:
    """What the centre knows of him, as a page."""
    if not found.get("found"):
        return model | {"state": "nobody", "iin": iin}
    model |= {"found": {"home": _home(visit, found), "where": where(visit.book, str(found.get("holder", "")))}}
    model["found"]["certificate"] = str(found.get("certificate", ""))
    if found.get("used"):
        return model | {"state": "used"}
    if not isinstance(found.get("line"), dict):
        return model | {"state": "no", "why": _why(found.get("why") or {})}
    voter = Voter.from_json(found["line"])
    holder = str(found.get("holder", ""))
    if holder == visit.book.log.holder:  # granted, and the answer is on its way; or its line was lost
        _keep(visit, replace(voter, number=0, away="the centre"))
        visit.station.asked[voter.entitlement] = visit.at
        visit.station.syncing.poke()
        return f"/waiting/{voter.entitlement}"
    visit.session.elsewhere = replace(voter, number=0, away=holder)
    return model | {"state": "may", "voter": line(visit.book, visit.session.elsewhere), "request": str(uuid4())}


def _home(visit: Visit, found: Model) -> Model:
    own = named(visit.book, str(found.get("home", "")))
    if not own["address"] and isinstance(found.get("home_address"), str):
        own["address"] = found["home_address"]
    return own


def _why(said: Model) -> Model:
    check = str(said.get("check", ""))
    return {
        "check": check,
        "known": catalogue().get(check),
        "cite": str(said.get("cite", "")),
        "message": str(said.get("message", "")),
        "way": str(said.get("way", "")),
        "off": str(said.get("off", "")),
    }


def ask(visit: Visit) -> str:
    """Asks for the right. His line is kept before, so that whatever is lost on the way, the grant finds it."""
    if visit.form is None:
        return "/elsewhere"
    voter, request = visit.session.elsewhere, uuid_of(visit.text("request"))
    who = visit.chosen("who")
    if voter is None or voter.entitlement != who:
        raise BadInput("the page has expired; ask for the voter again", check="P.046")
    _keep(visit, voter)
    visit.station.syncing.link.wire.question("ask", {"request": str(request), "entitlement": str(who)})
    visit.station.asked[who] = visit.at
    visit.station.syncing.poke()
    return f"/waiting/{who}"


def waiting(visit: Visit) -> Model | str:
    """Looks again every two seconds until the right is here."""
    book, who = visit.book, visit.who()
    voter = book.voters.get(who)
    if voter is None:
        return "/elsewhere"
    place = book.places.get(who)
    if place is not None and place.standing != "away":
        return f"/voter/{who}"
    since = visit.station.asked.get(who)
    if since is None:
        return "/elsewhere"
    seconds = int(abs((visit.at - since).total_seconds()))
    return {
        "voter": line(book, voter),
        "since": clock_of(book, since.isoformat()),
        "silent": seconds >= SILENT,
        "refresh": REFRESH,
        "envelope": book.package.channels[ways.ENVELOPE],
        "envelope_id": str(uuid4()),
    }


def envelope(visit: Visit) -> Model | str:
    """Takes a provisional envelope; its number is made when the page is shown, so that one envelope is noted once."""
    if visit.form is None:
        return "/elsewhere"
    name = uuid_of(visit.text("id"))
    who = uuid_of(visit.text("who")) if visit.text("who") else None
    if all(one.id != name for one in visit.book.envelopes):
        reason = visit.text("reason")
        visit.act(
            lambda book: acts.do_envelope(book, name, reason=reason, officer=visit.officer.id, at=visit.at, who=who)
        )
    one = next(one for one in visit.book.envelopes if one.id == name)
    return {"envelope": one, "count": len(visit.book.envelopes), "number": str(name)[:8].upper()}


def _keep(visit: Visit, voter: Voter) -> None:
    """Keeps a line, once."""
    if visit.book.closed or visit.book.stopped:
        raise Refused("the list was closed; nobody is taken in any more", "P.023")
    if voter.entitlement not in visit.book.voters:
        visit.station.add_voter(voter)


PAGES = (
    Page("/elsewhere", "station/elsewhere.html", elsewhere),
    Page("/elsewhere/ask", "", ask),
    Page("/waiting/{who}", "station/waiting.html", waiting),
    Page("/envelope", "station/envelope.html", envelope),
)
