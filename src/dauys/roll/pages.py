"""How does the commission decide about claims that the list is wrong? Desk pages: what waits, one claim, its second person.

    /{language}/desk/claims          what waits for a decision, or for its second person
    /{language}/desk/claims/{id}     one claim: the entry, corrected and accepted, or refused with reasons

Who is at the desk is told by the shell (`web.clerks`): the room knows no accounts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from dauys.errors import BadInput, DauysError
from dauys.page_forms import Clerk, Form, Model, from_here, show
from dauys.registers.poll import Poll
from dauys.roll import claims
from dauys.roll.catalogue import row_checks
from dauys.roll.changes import approve, reject
from dauys.roll.claims import Claim
from dauys.roll.effects import carry, effect
from dauys.roll.free_text import CHECK as IIN_IN_TEXT
from dauys.roll.ground import ground
from dauys.roll.iin import born as born_of
from dauys.roll.iin import is_iin
from dauys.roll.lookup import OPEN, Terms, note_shown
from dauys.roll.preview import change_of
from dauys.roll.routes import Fault, Office, Refused, about, polls_now
from dauys.roll.vault import Vault
from dauys.roll.voter import STATUSES
from dauys.store.engine import Connection

SHOWN = (
    "iin", "surname", "given", "patronymic", "surname_kk", "given_kk", "patronymic_kk", "locality", "street", "house", "flat",
    "station", "status", "since", "until",
)  # fmt: skip
"""The fields of an entry that the commission can correct; the birth date follows from the IIN."""


@dataclass(frozen=True, slots=True)
class Officer(Clerk):
    """Somebody at the desk who may decide about claims: of one station of one poll, or (None) of all."""

    poll: str | None = None
    station: str | None = None

    def may(self, claim: Claim) -> bool:
        return self.station is None or (self.poll, self.station) == (claim.poll, claim.station)


@dataclass(frozen=True, slots=True)
class Visit:
    """One call of a page by an officer."""

    connection: Connection
    office: Office
    vault: Vault
    officer: Officer
    request: Request
    form: Form
    polls: dict[str, tuple[Poll, Terms]]

    def sent(self, name: str) -> str:
        return self.form.get(name, "").strip()

    def claim(self) -> Claim:
        """The claim of the address. Raises DauysError for none, or one of another station."""
        found = claims.get_claim(self.connection, int(self.request.path_params["id"]))
        if not self.officer.may(found) or found.poll not in self.polls:
            raise DauysError(f"there is no claim {found.id}")
        return found


Answer = Callable[[Officer, Request, Form | None], Response]


def desk_pages(engine: sa.Engine, office: Office) -> list[tuple[str, Answer, bool]]:
    """The pages: the address below the desk, what answers, and whether forms are sent to it (`web.clerks`)."""
    return [
        ("/claims", partial(_answer, engine, office, "roll/desk_claims.html", _list), False),
        ("/claims/{id:int}", partial(_answer, engine, office, "roll/desk_claim.html", _one), True),
    ]


def _answer(
    engine: sa.Engine, office: Office, template: str, act: Callable[[Visit], Model | str], officer: Officer,
    request: Request, form: Form | None,
) -> Response:  # fmt: skip
    at = office.clock()
    base: Model = {
        "officer": officer,
        "mark": officer.mark,
        "fault": None,
        "typed": {},
        "done": None,
        "checks": row_checks(),
    }

    def once(given: Form) -> Model | str:
        with engine.begin() as connection:
            polls = polls_now(connection, office, at)
            return act(Visit(connection, office, office.vault(), officer, request, given, polls))

    try:
        if form is not None and not (from_here(request.headers) and form.get("mark") == officer.mark):
            raise Refused(Fault("origin", status=403))
        found = once(form or {})
    except (Refused, DauysError) as error:
        fault = error.fault if isinstance(error, Refused) else _fault(error)
        try:
            about_iin = (form or {}).get("about", "")
            shown = once({"about": about_iin} if is_iin(about_iin) else {})
        except DauysError:
            return show(request, "roll/desk_none.html", base | {"fault": fault}, 404, at)
        assert not isinstance(shown, str)
        return show(request, template, base | shown | {"fault": fault, "typed": dict(form or {})}, fault.status, at)
    if isinstance(found, str):
        return RedirectResponse(f"/{request.url.path.split('/')[1]}/desk/claims{found}", 303)
    return show(request, template, base | found, 200, at)


def _fault(error: DauysError) -> Fault:
    if isinstance(error, claims.OtherPerson):
        return Fault("other", "iin")
    if isinstance(error, BadInput):
        if error.check == IIN_IN_TEXT:
            return Fault("iin in a text", error.field or "", 422, error.check)
        return Fault("check" if error.check else error.message, error.field or "", 422, error.check or "")
    return Fault(str(error), status=409)


def _list(visit: Visit) -> Model | str:
    at, officer = visit.office.clock(), visit.officer
    done = visit.request.query_params.get("done", "")
    waiting = []
    for poll, terms in visit.polls.values():
        if officer.poll in (None, poll.id):
            found = claims.claims_of(visit.connection, poll.id, officer.station)
            waiting.append(about(poll, terms, at) | {"claims": [_line(claim, officer, visit) for claim in found]})
    return {"waiting": waiting, "done": done if done in ("accepted", "refused", "rejected") else None}


def _line(claim: Claim, officer: Officer, visit: Visit) -> Model:
    due = claim.due
    return {
        "id": claim.id, "kind": claim.kind, "station": claim.station, "at": claim.at.isoformat(), "state": claim.state,
        "due": due and due.isoformat(), "overdue": claim.overdue(visit.office.clock()),
        "second": claim.set_state == "held", "own": claim.decided_by == officer.name, "by": claim.decided_by,
    }  # fmt: skip


def _one(visit: Visit) -> Model | str:
    claim = visit.claim()
    poll, terms = visit.polls[claim.poll]
    said = claims.open_claim(visit.vault, claim)
    act, at = visit.sent("act"), visit.office.clock()
    by, reason = visit.officer.name, visit.sent("reason")
    about_iin = "".join(visit.sent("about").split())
    if about_iin and not is_iin(about_iin):
        raise Refused(Fault("iin", "about"))
    if act in ("accept", "approve") and terms.state(at) != OPEN:  # after that the list does not change
        raise Refused(Fault("closed", status=409))
    if act == "refuse":
        claims.refuse(visit.connection, visit.vault, poll, claim.id, by, at, reason)
        return "?done=refused"
    if act == "accept":
        if said.kind == "gone" and not _entry(visit, said, about_iin).get("iin"):
            raise Refused(Fault("other", "iin"))
        claims.accept(visit.connection, visit.vault, poll, claim.id, _typed(visit), by, at, reason, about_iin)
        return "?done=accepted"
    if act in ("approve", "reject"):
        return _second(visit, poll, claim, act)
    return about(poll, terms, at) | {
        "claim": _line(claim, visit.officer, visit), "said": said.fields, "shown": SHOWN, "about": about_iin,
        "statuses": STATUSES, "iin": said.iin, "born": said.born.isoformat(), "set": claim.set_id,
        "reasons": claims.reasons(visit.vault, claim), "row": None, "change": None, "effect": None, "frozen": False,
    } | _shown(visit, poll, claim, said, about_iin)  # fmt: skip


def _shown(visit: Visit, poll: Poll, claim: Claim, said: claims.Said, about_iin: str) -> Model:
    """What the roll says of the person whom the claim is about; who is shown an entry is logged with the name."""
    connection, vault = visit.connection, visit.vault
    if claim.set_id is not None and claim.set_state == "applied":
        return {"effect": effect(connection, vault, poll, claim.set_id, visit.office.clock())}
    query = "SELECT EXISTS (SELECT FROM roll_freeze WHERE poll = :poll)"
    found: Model = {"frozen": connection.scalar(sa.text(query), {"poll": poll.id})}
    if claim.state == OPEN:
        whom = claims.about_whom(said, about_iin)
        found["row"] = _entry(visit, said, about_iin) if whom else None
    elif claim.set_id is not None:
        change = change_of(connection, vault, claim.set_id)
        whom = change.after["iin"]
        found["change"] = change
    else:
        whom = ""
    if whom:
        note_shown(connection, vault, poll.id, whom, visit.officer.name, visit.office.clock())
    return found


def _entry(visit: Visit, said: claims.Said, about_iin: str) -> dict[str, str]:
    """The entry that is to be corrected. Of somebody gone a station is shown its own voters alone: else nothing, as of nobody."""
    row, own = claims.row_for(visit.connection, visit.vault, said, about_iin), visit.officer.station
    return {} if said.kind == "gone" and own is not None and row["station"] != own else row


def _typed(visit: Visit) -> dict[str, str]:
    """The entry as the officer corrected it. Raises Refused."""
    row = {name: visit.sent(name) for name in SHOWN}
    if not is_iin(row["iin"]):
        raise Refused(Fault("iin", "iin"))
    return row | {"born": born_of(row["iin"]).isoformat()}


def _second(visit: Visit, poll: Poll, claim: Claim, act: str) -> str:
    """The second person's decision about an accepted claim; onto a frozen list, too, where this place holds the key."""
    if claim.set_id is None or claim.set_state != "held":
        raise DauysError(f"claim {claim.id} waits for no second person")
    at, by, reason = visit.office.clock(), visit.officer.name, visit.sent("reason")
    if act == "reject":
        reject(visit.connection, claim.set_id, by, at, reason)
        return "?done=rejected"
    approve(visit.connection, claim.set_id, by, at, reason)
    office, why = visit.office, ground(claim.id, claim.cite)
    key = office.seal(poll.id)
    carry(visit.connection, visit.vault, poll, claim.set_id, why, by, key, at, office.custody, office.ask_back)
    return f"/{claim.id}"  # what became of it on the list stands there
