"""Where does a citizen ask whether he is on the list, claim an error, and follow his claim? Public pages, in three languages.

    /{language}/roll                 am I on the list, and where do I vote?
    /{language}/roll/claim           the list is wrong
    /{language}/roll/claim/follow    what became of my claim?

What concerns one person is sent in the body of a POST and stands in no address, title or log; no answer is kept by a cache.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from dauys.errors import BadInput
from dauys.law.snapshot import Snapshot
from dauys.page_forms import LANGUAGES, Form, Model, form_of, from_here, show
from dauys.record import log
from dauys.registers.poll import Poll
from dauys.roll import claims, effects
from dauys.roll.claims import KINDS, Said
from dauys.roll.effects import AskBack, effect
from dauys.roll.freeze import Custody
from dauys.roll.iin import is_iin
from dauys.roll.lookup import (
    CLAIM,
    FOLLOW,
    LIMITED,
    OPEN,
    Limits,
    Terms,
    admit,
    areas_with_stations,
    law_of,
    look_up,
    note,
    terms_of,
)
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

AT_ONCE = 8
ASKED = {"poll", "kind"}
"""What an address may say."""
TOKEN = 22
"""Characters of a form's secret: 16 random bytes."""
PAST = timedelta(days=30)
"""So long after its day a poll is still named, with the answer that its list is closed."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the pages answer with: the roll's keys, the clock of the edge, where added rights are, the law of a poll, limits, the
    commission's key, and who asks rights back after the freeze.

    `client_header`: behind a reverse proxy of one's own, the header in which it puts the client's address (as
    `x-forwarded-for`), and how many such proxies there are. Without it no header is believed.
    """

    vault: Callable[[], Vault]
    clock: Callable[[], datetime]
    custody: Custody
    law: Callable[[Poll], Snapshot] = law_of
    limits: Limits = field(default_factory=Limits)
    client_header: str = ""
    proxies: int = 1
    seal: Callable[[str], Ed25519PrivateKey | None] = lambda poll: None
    ask_back: AskBack | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a form was not taken: a code that the page has words for, the field, and the status of the answer."""

    code: str
    field: str = ""
    status: int = 422
    check: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a page. `sending`: its form is to be acted on, not only shown; `polls` are those that can be asked about."""

    connection: Connection
    office: Office
    vault: Vault
    request: Request
    form: Form
    sending: bool
    at: datetime
    polls: Mapping[str, tuple[Poll, Terms]]

    def sent(self, name: str) -> str:
        return self.form.get(name, "").strip()

    def poll(self) -> tuple[Poll, Terms]:
        """The poll that the form or the address names, else the next one. Raises Refused."""
        name = self.sent("poll") or self.request.query_params.get("poll", "")
        if not self.polls or (name and name not in self.polls):
            raise Refused(Fault("poll", status=404))
        return self.polls[name] if name else next(iter(self.polls.values()))

    def born(self) -> date:
        """The date of birth as people write it: 28.10.1979, 28/10/1979, 1979-10-28. Raises Refused."""
        text = self.sent("born").replace("/", ".").replace(" ", "")
        try:
            day, month, year = text.split(".") if "." in text else reversed(text.split("-"))
            if len(year) != 4:
                raise ValueError
            return date(int(year), int(month), int(day))
        except ValueError:
            raise Refused(Fault("born", "born")) from None

    def iin(self) -> str:
        """A good IIN, blanks within it left out. Raises Refused."""
        text = "".join(self.sent("iin").split())
        if not is_iin(text):
            raise Refused(Fault("iin", "iin"))
        return text

    @property
    def client(self) -> str:
        return client_of(self.request, self.office.client_header, self.office.proxies)


class Refused(Exception):
    """A form that is not taken."""

    def __init__(self, fault: Fault, retry: datetime | None = None) -> None:
        self.fault = fault
        self.retry = retry
        super().__init__(fault.code)


def client_of(request: Request, header: str = "", proxies: int = 1) -> str:
    """The address that asks: the peer, or with `header` what the outermost of one's own proxies wrote there.

    Entries further left are the client's own words. Of an IPv6 address the network (/64) counts: one client has all of it.
    """
    peer = request.client.host if request.client else ""
    if header:
        entries = [entry.strip() for value in request.headers.getlist(header) for entry in value.split(",")]
        if len(entries) >= proxies:
            peer = entries[-proxies]
    try:
        address = ip_address(peer)
    except ValueError:
        return request.client.host if request.client else ""
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((int(address), 64), strict=False).network_address)
    return str(address)


def polls_now(connection: Connection, office: Office, at: datetime) -> dict[str, tuple[Poll, Terms]]:
    """The polls that are asked about, with their terms: those to come, the next one first, then the last ones."""
    found = []
    for name in log.polls(connection):
        if log.size(connection, name):
            poll = Poll.from_json(log.entry_at(connection, name, 0).body)
            if poll.day >= (at - PAST).date():
                found.append(poll)
    found.sort(key=lambda poll: (poll.day < at.date(), abs(poll.day - at.date()), poll.id))
    return {
        poll.id: (poll, terms_of(poll, office.law(poll), areas_with_stations(connection, poll.id))) for poll in found
    }


def about(poll: Poll, terms: Terms, at: datetime) -> Model:
    """What every page shows of a poll and its terms."""
    return {
        "poll": poll.id, "names": dict(poll.names), "zone": poll.timezone, "pack": poll.id.partition("/")[0],
        "day": poll.day.isoformat(), "opens_at": f"{poll.opens:%H:%M}", "closes_at": f"{poll.closes:%H:%M}",
        "state": terms.state(at), "list_opens": terms.opens and terms.opens.isoformat(), "cite": terms.cite,
        "claim_cite": terms.claim_cite, "reason": terms.reason,
    }  # fmt: skip


Act = Callable[[Call], Model]


def router(engine: sa.Engine, office: Office) -> APIRouter:
    """The public pages."""
    routes = APIRouter(include_in_schema=False)
    limiter = CapacityLimiter(AT_ONCE)
    pages: tuple[tuple[str, str, Act], ...] = (
        ("/roll", "roll/ask.html", _ask),
        ("/roll/claim", "roll/claim.html", _claim),
        ("/roll/claim/follow", "roll/follow.html", _follow),
    )

    def serving(template: str, act: Act) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            if not request.query_params.keys() <= ASKED:  # an address with more in it is not shown, nor linked to
                return RedirectResponse(request.url.path, 303)
            form = await form_of(request)
            return await to_thread.run_sync(_answer, engine, office, template, act, request, form, limiter=limiter)

        return endpoint

    for language in LANGUAGES:
        for path, template, act in pages:
            routes.add_api_route(f"/{language}{path}", serving(template, act), methods=["GET", "POST"])
    return routes


def _answer(
    engine: sa.Engine, office: Office, template: str, act: Act, request: Request, form: Form | None
) -> Response:
    status, retry, at = 200, None, office.clock()
    nothing: Model = {"chosen": None, "token": "", "kind": "", "kinds": KINDS, "retry": None}
    with engine.begin() as connection:
        polls = polls_now(connection, office, at)
        call = Call(connection, office, office.vault(), request, form or {}, form is not None, at, polls)
        model: Model = {"fault": None, "typed": {}, "found": None, "polls": [about(*one, at) for one in polls.values()]}
        try:
            if form is not None and not from_here(request.headers):
                raise Refused(Fault("origin", status=403))
            if polls or form is not None or request.query_params.get("poll"):
                model |= nothing | act(call)
            else:  # there is nothing to ask about: the page says so
                model |= nothing
        except Refused as refused:  # what was logged meanwhile stays
            status, retry = refused.fault.status, refused.retry
            try:
                model |= nothing | act(replace(call, sending=False))
            except Refused:
                model |= nothing
            model |= {"fault": refused.fault, "typed": dict(form or {}), "retry": retry and retry.isoformat()}
    return show(request, template, model, status, at, retry)


def _chosen(call: Call) -> tuple[Poll, Terms, Model]:
    poll, terms = call.poll()
    return poll, terms, {"chosen": about(poll, terms, call.at)}


def _ask(call: Call) -> Model:
    poll, terms, model = _chosen(call)
    if not call.sending or terms.state(call.at) != OPEN:
        return model
    iin, born = call.iin(), call.born()
    found = look_up(call.connection, call.vault, poll, iin, born, call.client, call.at, call.office.limits)
    if found.outcome == LIMITED:
        raise Refused(Fault("limited", status=429), found.retry)
    area = next((dict(area.names) for area in poll.areas if area.code == found.area), {})
    told = {"outcome": found.outcome, "station": found.station, "area": area, "final": found.final,
            "address": ", ".join(filter(None, (found.settlement, found.address)))}  # fmt: skip
    return model | {"found": told}


def _claim(call: Call) -> Model:
    poll, terms, model = _chosen(call)
    kind = call.sent("kind") or call.request.query_params.get("kind", "")
    model |= {"kind": kind if kind in KINDS else "", "kinds": KINDS, "token": secrets.token_urlsafe(16)}
    if not call.sending or terms.state(call.at) != OPEN:
        return model
    token = call.sent("token")
    if len(token) < TOKEN or kind not in KINDS:
        raise Refused(Fault("form"))
    iin, born = call.iin(), call.born()
    _admit(call, poll, iin, CLAIM)
    fields = {name: call.sent(name) for name in (*claims.FIELDS[kind], "text")}
    try:
        said = Said(kind, iin, born, fields)
        number = claims.claim(call.connection, call.vault, poll, terms, said, token.encode(), call.at)
    except BadInput as fault:
        raise Refused(Fault("text", fault.field or "")) from None
    return model | {"found": {"number": claims.shown_number(number)} | _due(terms.due(call.at), terms)}


def _follow(call: Call) -> Model:
    _, _, model = _chosen(call)
    if not call.sending:
        return model
    number, born = call.sent("number"), call.born()
    _admit(call, None, f"number {number}", FOLLOW)
    known = claims.follow(call.connection, call.vault, number, born)
    if known is None:
        return model | {"found": {"state": "none"}}
    claim, reasons = known
    poll, terms = call.polls.get(claim.poll, (None, None))
    if poll is None or terms is None:
        return model | {"found": {"state": "none"}}
    model["chosen"] = about(poll, terms, call.at)
    state = "applied" if claim.set_state == "applied" else claim.state
    what, home = _told(call, poll, claim) if state == "applied" else ("", "")
    return model | {
        "found": {
            "state": state, "kind": claim.kind, "at": claim.at.isoformat(), "cite": claim.cite, "reasons": reasons,
            "decided": claim.decided and claim.decided.isoformat(), "overdue": claim.overdue(call.at),
            "effect": what, "home": home,
        } | _due(claim.due, terms)
    }  # fmt: skip


def _due(due: datetime | None, terms: Terms) -> Model:
    """By when a claim is decided: `day`, to its end; on the day on which the list closes earlier than that, `due`, an hour."""
    if due is None:
        return {"day": None, "due": None}
    local = due.astimezone(ZoneInfo(terms.timezone))
    if local.time() == time():
        return {"day": (local - timedelta.resolution).date().isoformat(), "due": None}
    return {"day": None, "due": due.isoformat()}


def _told(call: Call, poll: Poll, claim: claims.Claim) -> tuple[str, str]:
    """What a citizen is told that his claim did to the list, and where he votes: never whether a right was used, nor where
    somebody else votes."""
    assert claim.set_id is not None
    found = effect(call.connection, call.vault, poll, claim.set_id, call.at)
    match found.what:
        case effects.CORRECTED | effects.STAYS:
            return found.what, "" if claim.kind == "gone" else found.home
        case effects.ASKED | effects.USED | effects.WITHDRAWN | effects.NOT_LET_GO:
            return effects.ASKED, ""
        case effects.LATE:
            return found.what, ""
        case _:
            return "to do", ""


def _admit(call: Call, poll: Poll | None, asked: str, what: str) -> None:
    retry = admit(call.connection, call.vault, asked, call.client, call.at, call.office.limits)
    outcome = LIMITED if retry is not None else what
    note(call.connection, call.vault, poll.id if poll else "", asked, call.client, call.at, outcome)
    if retry is not None:
        raise Refused(Fault("limited", status=429), retry)
