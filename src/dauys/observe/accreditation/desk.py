"""How does the commission decide about observers? Desk pages for clerks: applications, organisations, badges, answers.

    /{language}/desk/observers                                  what waits, in every poll
    /{language}/desk/observers/applications/{id}                accredit, or refuse with reasons and articles
    /{language}/desk/observers/organisations/{code}?poll=       suspend, admit again; badges: give out, suspend
    /{language}/desk/observers/observations?poll=               answer what observers saw; `&show=all`: those answered, too
    /{language}/desk/observers/photos/{sha256}?poll=            a photo that an observation names, as it was sent

Who is at the desk is told by the shell (`web.clerks`): the room knows no accounts. Each decision is signed with the commission's
key and stands in the public record at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation import applications, photos
from dauys.observe.accreditation.applications import Waiting, applications_of, get_application, judged
from dauys.observe.accreditation.badge import picture, read
from dauys.observe.accreditation.badges import AT_ONCE, issue, issued, suspend_badge
from dauys.observe.accreditation.entries import ANSWERS, EVERYWHERE
from dauys.observe.accreditation.known import Stored, poll_of
from dauys.observe.accreditation.pages import Office, about, polls_now
from dauys.observe.accreditation.pictures import ENDINGS
from dauys.observe.accreditation.rules import law_of, rights, terms_of, too_many
from dauys.observe.accreditation.said import words
from dauys.page_forms import Clerk, Form, Model, from_here, show
from dauys.record import log
from dauys.registers.catalogue import catalogue
from dauys.registers.poll import Poll
from dauys.store.engine import Connection

HOME = "/observers"

SHOWN = 50
"""Observations on one page."""
PHOTO_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of a file that somebody else made: it is a picture and nothing that runs, and no browser keeps it. The site adds `nosniff`."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One call of a page by a clerk. `form` is empty where the page is only asked for."""

    connection: Connection
    office: Office
    officer: Clerk
    request: Request
    form: Mapping[str, str]
    at: datetime

    def sent(self, name: str) -> str:
        return self.form.get(name, "").strip()

    def why(self, name: str) -> str:
        """What was sent as a reason, or its article."""
        return self.office.plain(self.sent(name))

    def poll(self) -> Poll:
        """The poll that the address names. Raises DauysError."""
        return poll_of(self.connection, self.request.query_params.get("poll", ""))

    def key(self, poll: Poll) -> Ed25519PrivateKey:
        """The commission's key. Raises DauysError where it is not here."""
        key = self.office.seal(poll.id)
        if key is None:
            raise DauysError(f"the commission's key of {poll.id} is not here: decide where it is")
        return key


Act = Callable[[Visit], Model | str]


Answer = Callable[[Clerk, Request, Form | None], Response]


def pages(engine: sa.Engine, office: Office) -> list[tuple[str, Answer, bool]]:
    """The pages: the address below the desk, what answers, and whether forms are sent to it (`web.clerks`)."""

    def page(template: str, act: Act) -> Answer:
        return partial(_answer, engine, office, template, act)

    return [
        (HOME, page("observers/desk.html", _home), False),
        (f"{HOME}/applications/{{id:int}}", page("observers/application.html", _application), True),
        (f"{HOME}/organisations/{{code}}", page("observers/organisation.html", _organisation), True),
        (f"{HOME}/observations", page("observers/observations.html", _observations), True),
        (f"{HOME}/photos/{{sha256}}", lambda officer, request, form: _photo(engine, request), False),
    ]


def _answer(
    engine: sa.Engine, office: Office, template: str, act: Act, officer: Clerk, request: Request,
    form: Mapping[str, str] | None,
) -> Response:  # fmt: skip
    at = office.clock()
    base: Model = {
        "officer": officer.name, "mark": officer.mark, "fault": None, "typed": defaultdict(str), "badges": None,
        "done": request.query_params.get("done", ""), "check_of": catalogue("observe").get,
    }  # fmt: skip

    def once(given: Mapping[str, str]) -> Model | str:
        with engine.begin() as connection:
            return act(Visit(connection, office, officer, request, given, at))

    status, here = 200, form is None or from_here(request.headers)
    try:
        if not here:
            raise BadInput("sent from another site", check="O.012")
        if form is not None and form.get("mark") != officer.mark:
            raise BadInput("the page has expired: open it again", check="O.012")
        found = once(form or {})
    except DauysError as error:
        status = 403 if not here else 422 if isinstance(error, BadInput) else 409
        fault = error if isinstance(error, BadInput) else BadInput(str(error))
        base |= {"fault": fault, "typed": defaultdict(str, form or {}), "done": ""}
        try:
            found = once({})
        except DauysError:
            return show(request, "observers/none.html", base, 404, at)
    if isinstance(found, str):
        return RedirectResponse(f"/{request.url.path.split('/')[1]}/desk{HOME}{found}", 303)
    return show(request, template, base | found, status, at)


def _home(visit: Visit) -> Model:
    work = []
    for poll in polls_now(visit.connection, visit.at).values():
        known = Stored(visit.connection, poll)
        work.append(
            {
                "poll": about(poll),
                "waiting": [_line(one, visit.at) for one in applications_of(visit.connection, poll.id)],
                "organisations": [
                    {"code": code, "names": one.body["names"], "suspended": one.suspended}
                    for code, one in known.register.organisations.items()
                ],
                "unanswered": len(_unanswered(visit.connection, poll.id)),
            }
        )
    return {"work": work}


def _line(one: Waiting, at: datetime) -> Model:
    return {
        "id": one.id, "names": dict(one.asked.names), "kind": one.asked.kind, "at": one.at.isoformat(),
        "due": one.due and one.due.isoformat(), "cite": one.cite, "overdue": one.overdue(at), "state": one.state,
    }  # fmt: skip


def _application(visit: Visit) -> Model | str:
    connection, at = visit.connection, visit.at
    waiting = get_application(connection, int(visit.request.path_params["id"]))
    poll = poll_of(connection, waiting.poll)
    act, by, asked = visit.sent("act"), visit.officer.name, waiting.asked
    found = judged(poll, waiting, at)
    if act == "accredit":
        until = _day(visit.sent("until"))
        scope = [EVERYWHERE] if asked.scope == (EVERYWHERE,) else list(asked.scope)
        applications.accredit(
            connection, poll, waiting.id, visit.sent("code"), until, visit.why("reason"), visit.why("cite"), by,
            visit.key(poll), at, scope,
        )  # fmt: skip
        return "?done=accredited"
    if act == "refuse":
        reasons = [(visit.why(f"why_{n}"), visit.why(f"cite_{n}")) for n in range(4)]
        applications.refuse(connection, poll, waiting.id, reasons, by, visit.key(poll), at)
        return "?done=refused"
    return {
        "poll": about(poll), "one": _line(waiting, at), "asked": asked, "may": found.may,
        "grounds": [one.to_json() for one in found.grounds], "unknown": [one.to_json() for one in found.unknown],
        "until": found.until and found.until.isoformat(), "until_cite": found.until_cite,
        "by": dict(words(about(poll)["pack"]).get(found.by, {"en": found.by})) if found.by else None,
        "by_cite": found.by_cite, "cite": found.cite, "last": found.last and found.last.isoformat(), "last_cite": found.last_cite,
        "everywhere": asked.scope == (EVERYWHERE,),
    }  # fmt: skip


def _organisation(visit: Visit) -> Model | str:
    connection, at, poll = visit.connection, visit.at, visit.poll()
    code, act = str(visit.request.path_params["code"]), visit.sent("act")
    here = f"/organisations/{code}?poll={poll.id}&done="
    reason, cite = visit.why("reason"), visit.why("cite")
    if act in ("suspend", "admit"):
        applications.suspend(connection, poll, code, act == "suspend", reason, cite, visit.key(poll), at)
        return here + act
    if act in ("suspend-badge", "admit-badge"):
        n, off = _number(visit.sent("badge").removeprefix(f"{code}/")), act == "suspend-badge"
        suspend_badge(connection, poll, code, n, off, reason, cite, visit.key(poll), at)
        return here + act
    made = []
    if act == "badges":
        texts = issue(
            connection, poll, code, _people(visit.form.get("people", "")), visit.officer.name, visit.key(poll), at
        )
        made = [{"text": text, "picture": picture(text), **_said(text)} for text in texts]
    standing = Stored(connection, poll).standing(code)
    if standing is None:
        raise DauysError(f"no organisation {code} is accredited in {poll.id}")
    register = Stored(connection, poll).register
    badges: list[Model] = [
        {"number": one.number, "n": one.n, "station": one.station, "at": one.at.isoformat(), "by": one.by,
         "suspended": register.badges.get(one.commitment, False)}
        for one in issued(connection, poll.id, code)
    ]  # fmt: skip
    terms = terms_of(poll, law_of(poll))
    there = [one["station"] for one in badges if one["station"] and not one["suspended"]]
    crowded = sorted({station for station in there if _crowded(terms, there, station, code)})
    return {
        "poll": about(poll), "code": code, "names": standing.body["names"], "body": dict(standing.body),
        "suspended": standing.suspended, "badges": made or None, "given": badges, "crowded": crowded,
        "at_a_time": terms["at_a_time"].cite, "most": AT_ONCE, "form": terms["form"].to_json(),
        "duties": terms["duties"].to_json(), "rights": rights(terms, standing.body["kind"]).to_json(),
    }  # fmt: skip


def _crowded(terms: Any, there: list[str], station: str, code: str) -> bool:
    """Whether more than one badge of the organisation names the station: only one of them may be there at a time."""
    others = [code] * (there.count(station) - 1)
    found = too_many(terms, others, code)
    return found is not None and not found.missing


def _photo(engine: sa.Engine, request: Request) -> Response:
    """The bytes of a photo. Raises BadInput O.083, which is a page that says so."""
    name, poll = str(request.path_params["sha256"]), request.query_params.get("poll", "")
    with engine.begin() as connection:
        kind, data = photos.content(connection, poll, name)
    shown_as = {"Content-Disposition": f'inline; filename="{name[:16]}{ENDINGS[kind]}"'}
    return Response(data, media_type=kind, headers=PHOTO_HEADERS | shown_as)


def _observations(visit: Visit) -> Model | str:
    connection, poll = visit.connection, visit.poll()
    if visit.sent("act") == "answer":
        because = visit.sent("because")
        applications.answer(
            connection, poll, _number(visit.sent("of")), visit.sent("answer"), _number(because) if because else None,
            visit.why("reason"), visit.key(poll), visit.at,
        )  # fmt: skip
        return f"/observations?poll={poll.id}&done=answered"
    every = visit.request.query_params.get("show") == "all"
    seen = (
        list(reversed(log.of_kind(connection, poll.id, "observation"))) if every else _unanswered(connection, poll.id)
    )
    last, shown = _answered(connection, poll.id), seen[:SHOWN]
    here = photos.held(connection, poll.id, {name for _, entry in shown for name in entry.body["photos"]})
    return {
        "poll": about(poll), "answers": ANSWERS, "total": len(seen), "every": every,
        "seen": [{"seq": seq, "at": entry.at, "by": entry.by, **entry.body,
                  "photos": [(name, here.get(name)) for name in entry.body["photos"]], "answered": last.get(seq, ""),
                  "corrections": _corrections(connection, poll, entry.body)} for seq, entry in shown],
        "fields": {one.id: {f.name: dict(f.labels) for f in one.form.fields} for one in poll.contests},
    }  # fmt: skip


def _unanswered(connection: Connection, poll: str) -> list[tuple[int, Any]]:
    """Observations without an answer, or with `open` as the last one; those that differ from the record come first."""
    last = _answered(connection, poll)
    seen = [
        (seq, entry) for seq, entry in log.of_kind(connection, poll, "observation") if last.get(seq, "open") == "open"
    ]
    return sorted(seen, key=lambda one: (not _differs(one[1].body), one[0]))


def _answered(connection: Connection, poll: str) -> dict[int, str]:
    """The commission's last answer to an observation, by its place."""
    return {entry.body["of"]: entry.body["answer"] for _, entry in log.of_kind(connection, poll, "observation-answer")}


def _differs(body: Mapping[str, Any]) -> bool:
    return any(pair["published"] is not None and pair["copy"] != pair["published"] for pair in body["fields"].values())


def _corrections(connection: Connection, poll: Poll, body: Mapping[str, Any]) -> list[int]:
    """The entries that may be named as what corrected the number."""
    rows = connection.execute(
        sa.text("SELECT seq FROM entry WHERE poll = :poll AND kind = 'correction' AND id LIKE :id ORDER BY seq"),
        {"poll": poll.id, "id": f"correction/{body['contest']}/{_like(body['station'])}/%"},
    )
    return [row.seq for row in rows]


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _people(text: str) -> list[tuple[str, str]]:
    """One observer a line: the name, and after a semicolon the one station that the badge is for."""
    lines = [line.partition(";") for line in text.splitlines() if line.strip()]
    return [(" ".join(name.split()), station.strip()) for name, _, station in lines]


def _said(text: str) -> Model:
    badge = read(text)[0]
    return {"name": badge.name, "number": badge.number, "of": badge.of, "until": badge.until, "station": badge.station}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(
            "until which day it holds", field="until", found=text, expected="2025-08-20", check="O.012"
        ) from None


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise BadInput("a number is needed here", found=text[:20], expected="a whole number", check="O.010")
    return int(text)
