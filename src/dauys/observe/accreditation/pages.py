"""Where does an organisation ask to observe a poll? A public page, in three languages.

    /{language}/observers/apply?poll=      the form, and what the law of that day asks for

What becomes of it stands on the poll's own page of observers, with the reasons.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Request
from fastapi.responses import Response

from dauys.errors import BadInput
from dauys.observe.accreditation import applications
from dauys.observe.accreditation.applications import Asked
from dauys.observe.accreditation.entries import EVERYWHERE, KINDS
from dauys.observe.accreditation.known import poll_of
from dauys.observe.accreditation.said import rules_said
from dauys.page_forms import LANGUAGES, Model, form_of, from_here, show
from dauys.record import log
from dauys.registers.catalogue import catalogue
from dauys.registers.poll import Poll
from dauys.store.engine import Connection

AT_ONCE = 8
PAST = timedelta(days=30)
TOKEN = 22
"""Characters of a form's secret: 16 random bytes."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the pages act with: the commission's key of a poll where it is here, and the clock of the edge.

    `plain`: a text as it is, which stands in the record for good; raises BadInput where nobody is to read it there.
    """

    seal: Callable[[str], Ed25519PrivateKey | None]
    clock: Callable[[], datetime]
    plain: Callable[[str], str] = str


def router(engine: sa.Engine, office: Office) -> APIRouter:
    """The public form."""
    routes = APIRouter(include_in_schema=False)
    limiter = CapacityLimiter(AT_ONCE)

    async def apply(request: Request) -> Response:
        form = await form_of(request)
        return await to_thread.run_sync(_apply, engine, office, request, form, limiter=limiter)

    for language in LANGUAGES:
        routes.add_api_route(f"/{language}/observers/apply", apply, methods=["GET", "POST"])
    return routes


def about(poll: Poll) -> Model:
    """What every page says of a poll."""
    return {
        "id": poll.id, "names": dict(poll.names), "day": poll.day.isoformat(), "zone": poll.timezone,
        "pack": poll.id.partition("/")[0], "areas": {area.code: dict(area.names) for area in poll.areas},
        "reconstruction": poll.reconstruction,
    }  # fmt: skip


def polls_now(connection: Connection, at: datetime) -> dict[str, Poll]:
    """The polls that can be asked about: those to come, the next one first, then the last ones, and reconstructions."""
    found = [poll_of(connection, name) for name in log.polls(connection)]
    found = [poll for poll in found if poll.day >= (at - PAST).date() or poll.reconstruction]
    found.sort(key=lambda poll: (poll.day < at.date(), abs(poll.day - at.date()), poll.id))
    return {poll.id: poll for poll in found}


def _apply(engine: sa.Engine, office: Office, request: Request, form: Mapping[str, str] | None) -> Response:
    at, status = office.clock(), 200
    model: Model = {
        "fault": None, "typed": defaultdict(str, form or {}), "taken": None, "kinds": KINDS, "token": secrets.token_urlsafe(16),
        "chosen": None, "law": None, "check_of": catalogue("observe").get,
    }  # fmt: skip
    with engine.begin() as connection:
        polls = polls_now(connection, at)
        name = (form or {}).get("poll") or request.query_params.get("poll", "")
        poll = polls.get(name) or (next(iter(polls.values()), None) if not name else None)
        model["polls"] = [about(one) for one in polls.values()]
        if poll is None:
            return show(request, "observers/apply.html", model, 404 if name else 200, at)
        model |= {"chosen": about(poll), "law": rules_said(poll)}
        if form is not None and not from_here(request.headers):
            model["fault"], status = BadInput("sent from another site", check="O.012"), 403
        elif form is not None:
            try:
                number = _take(connection, poll, form, at)
                model["taken"] = {"number": number, "due": applications.get_application(connection, number).due}
                due = model["taken"]["due"]
                model["taken"]["due"] = due and (due - timedelta.resolution).isoformat()
            except BadInput as fault:
                model["fault"], status = fault, 422
    return show(request, "observers/apply.html", model, status, at)


def _take(connection: Connection, poll: Poll, form: Mapping[str, str], at: datetime) -> int:
    token = form.get("token", "")
    if len(token) < TOKEN:
        raise BadInput("open the page again", field="token", check="O.012")
    names = {lang: name for lang in LANGUAGES if (name := _line(form, f"name_{lang}"))}
    areas = tuple(area.code for area in poll.areas if form.get(f"area_{area.code}"))
    asked = Asked(
        form.get("kind", ""), names, form.get("charter", "").strip(), _line(form, "through"), areas or (EVERYWHERE,),
        "".join(form.get("key", "").split()), _line(form, "coalition"), _line(form, "contact"),
    )  # fmt: skip
    return applications.apply(connection, poll, asked, token.encode(), at)


def _line(form: Mapping[str, str], name: str) -> str:
    """What was typed in a field, on one line."""
    return " ".join("".join(char if char.isprintable() else " " for char in form.get(name, "")).split())
