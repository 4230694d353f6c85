"""A voter of another station stands here: may his right come, and what is to be done while it does not?

His IIN goes to the centre in a signed question, and nowhere else; his line is kept only when his right is asked for, and his
IIN, sealed, where he leaves an envelope while nobody can say whose right that is (`pollbook.machine.unnamed`).
Custody comes by the centre's grant alone, after his own station let the right go. Who is on no list is put on it by the
commission, not here; once that is done, his right comes to his station when he is asked for.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from dauys.errors import BadInput, DauysError
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.machine import acts, unnamed
from dauys.pollbook.machine import envelope_acts as slips
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.answers import clock_of
from dauys.pollbook.machine.book import Book
from dauys.pollbook.machine.enrolling import CENTRE
from dauys.pollbook.machine.sync import CentreRefused, NotTheCentre, Unreached
from dauys.pollbook.rules import channels as ways
from dauys.pollbook.rules.holders import CERTIFICATE, NOBODY, WITHDRAWN
from dauys.pollbook.rules.places import Standing
from dauys.pollbook.station.keys import must_be_open
from dauys.pollbook.station.visit import ENDED, Model, Page, Visit, uuid_of
from dauys.pollbook.station.words import line, named, where
from dauys.pollbook.wire.package import Voter
from dauys.roll.iin import is_iin

OTHERS = (ways.CERTIFICATE, ways.MOBILE, ways.EARLY, ways.REMOTE, ways.ENVELOPE)
"""Ways to vote that the page names, where they are on, to an officer whose voter cannot vote here as he stands."""

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
        "others": [name for name in OTHERS if (way := book.package.channels.rulings.get(name)) is not None and way.on],
        **_envelope(book),
        "iin": _sought(visit) if visit.form is None else "",
        "state": "ask",
        "why": None,
        "found": None,
        "claims": f"{(visit.station.keep.kept(CENTRE) or '').rstrip('/')}/{visit.lang}/roll",
        "who": "",
        "whose": "",
        "own": None,
        "of": "",
    }
    if visit.form is None:
        return model
    iin = "".join(visit.text("iin").split())
    if not is_iin(iin):
        raise BadInput("this is no IIN: twelve digits, the last one checks the others", check="P.048")
    model["whose"] = iin
    link, epoch, withdrawn = visit.station.syncing.link, {}, None
    theirs = visit.station.find(iin)
    away = any(own in book.places and book.places[own].standing == Standing.AWAY for own in theirs)
    if (away or link.waiting) and not link.status.cut:
        link.once()  # the centre has all of this log then, or the right comes
    for own in theirs:
        if own in book.places and book.places[own].standing != Standing.AWAY:
            return f"/voter/{own}"
        model["who"] = str(own)
        epoch = {"epoch": book.places[own].epoch} if own in book.places else {}
        withdrawn = own if book.went.get(own) == WITHDRAWN else None
        if book.voters[own].number:
            model |= {"own": where(book, book.went.get(own, "")), "of": "here"}
    try:
        if withdrawn is not None:
            link.show_withdrawn(withdrawn)
        # his right may be the commission's, and not this station's
        without = {"n": book.head.n, **epoch} if withdrawn is None else {}
        found = link.wire.question("find", {"iin": iin, **without})
    except NotTheCentre:  # the refusal's own page, with its number
        raise
    except Unreached:
        return model | {"state": "cut"}
    except CentreRefused as error:
        return model | {"state": "no", "why": _why({"check": error.check, "message": error.message})}
    return _answered(visit, model, found, iin)


def _sought(visit: Visit) -> str:
    """The IIN that was searched for last, if nobody here has it: it is asked for now. Whoever is here was served."""
    iin, book = "".join(visit.session.sought.split()), visit.book
    if not is_iin(iin):
        return ""
    here = any(own in book.places and book.places[own].standing != Standing.AWAY for own in visit.station.find(iin))
    return "" if here else visit.session.sought


def _answered(visit: Visit, model: Model, found: Model, iin: str) -> Model | str:
    """What the centre knows of him, as a page."""
    if not found.get("found"):
        return model | {"state": "nobody", "iin": iin}
    holder = _holder(found)
    model |= _said(visit, found)
    if model["state"] != "may":
        return model
    paper = bool(found.get("paper"))
    voter = Voter.from_json(found["line"])
    if holder == visit.book.log.holder:  # granted, and the answer is on its way; or its line was lost
        _keep(visit, replace(voter, number=0, away=NOBODY))
        visit.station.asked[voter.entitlement] = visit.at
        visit.station.syncing.poke()
        return f"/waiting/{voter.entitlement}"
    visit.session.elsewhere = replace(voter, number=0, away=holder)
    here = line(visit.book, visit.session.elsewhere)
    carried = bool(found.get("mobile"))
    return model | {"voter": here, "request": str(uuid4()), "paper": paper, "mobile": carried}


def _holder(found: Model) -> str:
    return NOBODY if found.get("let_go") else str(found.get("holder", ""))


def _said(visit: Visit, found: Model) -> Model:
    """What the centre says of somebody who is on the roll: `used`, `no` with the reason, or `may`, and who holds his right."""
    model: Model = {
        "found": {
            "home": _home(visit, found),
            "where": _where(visit, found),
            "certificate": str(found.get("certificate", "")),
        },
        "of": "here" if found.get("home") == visit.book.log.station else "elsewhere",
        "why": None,
    }
    if found.get("used") and not found.get("paper"):
        return model | {"state": "used", "why": _why(found["why"]) if isinstance(found.get("why"), dict) else None}
    if not isinstance(found.get("line"), dict):
        return model | {"state": "no", "why": _why(found.get("why") or {})}
    return model | {"state": "may"}


def _home(visit: Visit, found: Model) -> Model:
    own = named(visit.book, str(found.get("home", "")))
    if not own["address"] and isinstance(found.get("home_address"), str):
        own["address"] = found["home_address"]
    return own


def _where(visit: Visit, found: Model) -> Model:
    """Who holds the right. Of the voter's own station the centre says the address, too: a package has its own area's alone."""
    at = where(visit.book, _holder(found))
    return at | {"address": _home(visit, found)["address"]} if at["id"] == found.get("home") else at


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
    """Asks for the right, of somebody who was just looked for or whose line is here. That is kept before, so that whatever is
    lost on the way, the grant finds it."""
    if visit.form is None:
        return "/elsewhere"
    request, who, sought = uuid_of(visit.text("request")), visit.chosen("who"), visit.session.elsewhere
    voter = sought if sought is not None and sought.entitlement == who else visit.book.voters.get(who)
    if voter is None:
        raise BadInput("the page has expired; ask for the voter again", check="P.046")
    _keep(visit, voter)
    link = visit.station.syncing.link
    link.offs.discard(who)
    link.wire.question("ask", {"request": str(request), "entitlement": str(who)})
    link.fates.pop(who, None)
    visit.station.asked[who] = visit.at
    visit.station.syncing.poke()
    return f"/waiting/{who}"


def call_off(visit: Visit) -> Model | str:
    """The voter goes to his own station: nobody waits for his right here. What was let go meanwhile comes all the same."""
    if visit.form is None:
        return ""
    who = visit.chosen("who")
    voter, place = visit.book.voters.get(who), visit.book.places.get(who)
    if voter is None or (place is not None and place.standing != Standing.AWAY):
        return f"/waiting/{who}"
    state = "off"
    try:
        off, heard = visit.station.syncing.link.call_off(who)
        if not off:
            visit.station.asked[who] = visit.at
            visit.station.syncing.poke()
            return f"/waiting/{who}"
        state = "heard" if heard else state
    except NotTheCentre:
        raise
    except Unreached:
        state = "cut"
    visit.station.asked.pop(who, None)
    return {"state": state, "voter": line(visit.book, voter)}


def waiting(visit: Visit) -> Model | str:
    """Looks again every two seconds until the right is here, or cannot come any more."""
    book, who = visit.book, visit.who()
    voter = book.voters.get(who)
    if voter is None:
        return "/elsewhere"
    place = book.places.get(who)
    if place is not None and place.standing != Standing.AWAY:
        return f"/voter/{who}"
    since = visit.station.asked.get(who)
    if since is None:
        return "/elsewhere"
    silent, fate = abs((visit.at - since).total_seconds()) >= SILENT, visit.station.syncing.link.fates.get(who, "")
    said = {} if fate else _why_not(visit, voter, since, silent)
    moved = who in book.backs and said.get("holder", CERTIFICATE) not in (CERTIFICATE, book.log.holder, NOBODY)
    if moved and said["state"] == "may":
        fate = "elsewhere"
    ended = fate in ENDED
    return {
        **(said if said.get("state") in ("used", "no") else {"state": ""}),
        "voter": line(book, voter),
        "since": clock_of(book, since.isoformat()),
        "silent": silent,
        "fate": fate,
        "ended": ended,
        "request": str(uuid4()),
        "refresh": 0 if ended or said.get("state") == "used" else REFRESH,
        **_envelope(book),
    }


def _why_not(visit: Visit, voter: Voter, since: datetime, silent: bool) -> Model:
    """What the centre says of somebody whose right does not come, as under From elsewhere; nothing while it may still come.

    It is asked once he has waited for some time, and now and then from then on; of a certificate that was taken back at once: the
    right comes with the centre's answer to that, or does not.
    """
    link, who = visit.station.syncing.link, voter.entitlement
    if link.status.cut or not (silent or who in visit.book.backs):
        return {}
    asked, said = visit.station.answered.get(who, (None, {}))
    if asked is None or asked < since or abs((visit.at - asked).total_seconds()) >= SILENT:
        said = {}
        with suppress(Unreached, CentreRefused):
            found = link.wire.question("find", {"iin": voter.iin})
            said = _said(visit, found) | {"holder": _holder(found)} if found.get("found") else {}
        visit.station.answered[who] = (visit.at, said)
    return said


def envelope_for(visit: Visit) -> Model | str:
    """The form for the envelope of somebody who waits, on a page that does not load again while it is filled in."""
    book, who = visit.book, visit.who()
    voter, place = book.voters.get(who), book.places.get(who)
    if voter is None or (place is not None and place.standing != Standing.AWAY):
        return f"/waiting/{who}"
    return {"voter": line(book, voter), "who": str(who), "whose": "", **_envelope(book)}


def _envelope(book: Book) -> Model:
    """The form for a provisional envelope: whether the law knows it, its number, and who may hand out its ballot."""
    channels = book.package.channels
    roles = channels[ways.HAND_OUT].settings["roles"]
    return {"envelope": channels[ways.ENVELOPE], "envelope_id": str(uuid4()), "roles": roles}


def envelope(visit: Visit) -> Model | str:
    """Takes a provisional envelope. Its number is made when the page is shown, so that one envelope is noted once; and of one
    voter one lies here, whatever page was opened how often."""
    if visit.form is None:
        return "/elsewhere"
    name = uuid_of(visit.text("id"))
    with visit.station.keep.acting() as book:
        if name in book.taken_back:
            raise BadInput("the page has expired; ask for the voter again", check="P.046")
        if all(one.id != name for one in book.envelopes):
            must_be_open(visit)
            _note(visit, name, uuid_of(visit.text("who")) if visit.text("who") else None)
    return _lying(visit, next(one.n for one in visit.book.envelopes if one.id == name))


def shown_envelope(visit: Visit) -> Model:
    """An envelope that lies here: its number, and how it is taken back."""
    n = str(visit.request.path_params.get("n", ""))
    return _lying(visit, int(n) if n.isascii() and n.isdecimal() and len(n) < 10 else 0)


def _lying(visit: Visit, n: int) -> Model:
    one = slips.lying(visit.book, n)
    return {
        "envelope": one,
        "count": len(visit.book.envelopes),
        "number": one.number,
        "unnamed": one.entitlement is None,
    }


def envelope_back(visit: Visit) -> str:
    """Takes an envelope back that was noted by mistake; again it changes nothing."""
    if visit.form is None:
        return "/ballots"
    n, reason = visit.number("n", least=1, most=100_000_000), visit.text("other") or visit.text("reason")
    one = next((one for one in visit.book.envelopes if one.n == n), None)
    visit.act(partial(slips.do_envelope_undo, of=n, reason=reason, officer=visit.officer.id, at=visit.at))
    if one is not None:
        unnamed.forget(visit.station.keep, one.id)
    return "/ballots"


def _note(visit: Visit, name: UUID, who: UUID | None) -> None:
    """Notes an envelope; whose it is, where nobody can say that now, is kept sealed until the centre can."""
    keep = visit.station.keep
    acts.require(visit.book, ways.ENVELOPE)
    iin = "".join(visit.text("whose").split())
    if who is None and not is_iin(iin):
        raise BadInput("ask for the voter first, by his IIN: somebody has to know whose envelope it is", check="P.048")
    slips.must_be_first(keep, who, iin)
    sign = None if visit.session.signing is None else visit.session.signing.sign
    note = partial(acts.do_envelope, envelope=name, reason=visit.text("reason"), officer=visit.officer.id)
    if who is None:
        unnamed.keep_iin(keep, name, iin)
    try:
        visit.act(lambda book: note(book, at=visit.at, who=who, sign=sign))
    except DauysError:
        unnamed.forget(keep, name)
        raise


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
    Page("/waiting/{who}/envelope", "station/envelope_for.html", envelope_for),
    Page("/call-off", "station/called_off.html", call_off),
    Page("/envelope", "station/envelope.html", envelope),
    Page("/envelope/{n}", "station/envelope.html", shown_envelope),
    Page("/envelope-back", "", envelope_back),
)
