"""How does the commission do at the desk what `dauys pollbook` and `dauys roll withdraw` do? Three pages for clerks.

    /{language}/desk/pollbook-paper/{poll}     a lost machine's paper, typed by two; taken back by two (`?station=`, `?machine=`)
    /{language}/desk/withdrawals/{poll}        rights withdrawn after the freeze, and given back
    /{language}/desk/envelopes/{poll}          provisional envelopes: how each stands, whose it is, and to resolve them

The rules are those of the commands, and so are the functions. Who is at the desk is told by the shell (`web.clerks`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request
from fastapi.responses import Response

from dauys.errors import BadInput, DauysError, Numbered
from dauys.page_forms import Clerk, Form, Model, from_here, show
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.log.events import LogError, LogId
from dauys.pollbook.paper import two_typists
from dauys.pollbook.paper.by_hand import Line, Random, Typed, lines_of, lost_log
from dauys.pollbook.paper.two_typists import BACK, IN, Differs
from dauys.pollbook.rules.channels import POLLING_DAY
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.settling import named
from dauys.pollbook.settling.asked import Group, groups, state
from dauys.pollbook.settling.envelopes import Envelopes, said_final, waits_again, with_another
from dauys.pollbook.settling.returns import Back, given_back
from dauys.pollbook.settling.withdrawals import Settled, withdraw_set
from dauys.record import log
from dauys.registers.poll import Poll
from dauys.roll.changes import list_sets
from dauys.roll.free_text import no_iin
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

PER_PAGE = 100
"""Envelopes on a page."""

SETS = 20
"""Sets that are named on the page of withdrawals: those decided since the freeze, the newest first."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages do their work with: the roll's keys, the clock of the edge, the commission's key of a poll (None where it
    is not here), and what joins the pollbook with the record (`polls.pollbook_join`). `lock` locks the record, before logs and
    rights are, as everywhere, so that nobody waits for both.
    """

    vault: Callable[[], Vault]
    clock: Callable[[], datetime]
    key: Callable[[str], Ed25519PrivateKey | None]
    lock: Callable[[Connection, str], None]
    seal: Callable[[Connection, str, Ed25519PrivateKey, datetime, str], int]
    settle: Callable[[Connection, Poll, Ed25519PrivateKey, datetime], Settled]
    give_back: Callable[[Connection, Poll, int, str, str, Ed25519PrivateKey, datetime], Back]
    envelopes: Callable[[Connection, Poll], Envelopes]
    resolve: Callable[[Connection, Poll, Ed25519PrivateKey, datetime, Sequence[str]], int]
    to_correct: Callable[[Connection, str, Iterable[str]], Sequence[str]]
    random: Random = os.urandom


@dataclass(frozen=True, slots=True)
class Visit:
    """One call of a page by a clerk. `form` is empty where it is only looked at."""

    connection: Connection
    desk: Desk
    officer: Clerk
    request: Request
    form: Form
    at: datetime

    @property
    def poll(self) -> Poll:
        """Raises DauysError for none."""
        return Poll.from_json(log.entry_at(self.connection, self.request.path_params["poll"], 0).body)

    def sent(self, name: str) -> str:
        return self.form.get(name, "").strip()

    def key(self) -> Ed25519PrivateKey:
        key = self.desk.key(self.poll.id)
        if key is None:
            raise DauysError("the commission's key is not on this machine: do it where it is")
        return key


Act = Callable[[Visit], Model]


Answer = Callable[[Clerk, Request, Form | None], Response]


def pages(engine: sa.Engine, desk: Desk) -> list[tuple[str, Answer, bool]]:
    """The pages, each with its address below the desk; all take forms (`web.clerks`)."""
    return [(path, partial(_answer, engine, desk, template, act), True) for path, template, act in PAGES]


def _answer(
    engine: sa.Engine, desk: Desk, template: str, act: Act, officer: Clerk, request: Request, form: Form | None
) -> Response:
    at = desk.clock()
    base: Model = {"mark": officer.mark, "own_name": officer.name, "fault": None, "typed": {}, "done": None,
                   "checks": catalogue()}  # fmt: skip
    try:
        if form is not None:
            _must_be_his(request, form, officer)
        with engine.begin() as connection:
            found = act(Visit(connection, desk, officer, request, form or {}, at))
    except DauysError as error:
        if form is None:
            raise
        with engine.connect() as connection:
            found = act(Visit(connection, desk, officer, request, {}, at))
        fault = _fault(error)
        return show(request, template, base | found | {"fault": fault, "typed": dict(form)}, fault["status"], at)
    return show(request, template, base | found, 200, at)


def _must_be_his(request: Request, form: Form, officer: Clerk) -> None:
    """Raises BadInput P.046."""
    if not from_here(request.headers):
        raise BadInput("the form was sent from another site", check="P.046")
    if form.get("mark") != officer.mark:
        raise BadInput("the page has expired: open it again", check="P.046")


def _fault(error: DauysError) -> Model:
    check = str(getattr(error, "check", None) or "")
    said = error.message if isinstance(error, BadInput) else error.words if isinstance(error, Numbered) else str(error)
    row = error.row if isinstance(error, BadInput) else None
    status = 403 if check == "P.046" else 422 if isinstance(error, BadInput | CustodyError | LogError) else 409
    return {"check": check, "message": said, "row": row, "status": status}


# A lost machine's paper


def _paper(visit: Visit) -> Model:
    connection, poll = visit.connection, visit.poll
    wanted = visit.request.query_params
    model = _about(poll) | {"chosen": None, "done": None}
    if station := wanted.get("station", ""):
        machine = wanted.get("machine", "")
        lost = lost_log(connection, poll.id, station, int(machine[:9]) if machine.isdecimal() else None)
        if visit.sent("act"):
            visit.desk.lock(connection, poll.id)
            two_typists.one_at_a_time(connection, lost)
            model["done"] = _typed(visit, lost)
        model |= _of_machine(visit, lost)
    machines = two_typists.lost_machines(connection, poll.id)
    model["machines"] = [
        {"station": one.station, "generation": one.generation, "typed": typed, "reported": reported,
         "waiting": [name.by for name in two_typists.kept(connection, one, IN)]}
        for one, typed, reported in machines
    ]  # fmt: skip
    if model["chosen"]:
        _, model["chosen"]["typed"], model["chosen"]["reported"] = next(one for one in machines if one[0] == lost)
    return model


def _typed(visit: Visit, lost: LogId) -> Model:
    """Does what the form asks for, and says what came of it."""
    connection, vault, act, by = visit.connection, visit.desk.vault(), visit.sent("act"), visit.officer.name
    if act == "type":
        how = (lost, by, visit.key(), visit.at)
        came = two_typists.type_one(connection, vault, lines_of(visit.form.get("lines", "")), how, visit.desk.random)
        if came is None or isinstance(came, Differs):
            return {"what": "differs" if came else "kept", "differs": came}
        return _sealed(visit, came, "taken")
    if act == "propose":
        lines = None if visit.sent("found") else lines_of(visit.form.get("lines", "")).values()
        two_typists.propose(connection, vault, lost, lines, no_iin(visit.sent("reason")), by, visit.at)
        return {"what": "proposed"}
    if act == "confirm":
        proposed = visit.sent("by"), _moment(visit.sent("at"))
        taken = two_typists.confirm(connection, vault, lost, proposed, by, visit.key(), visit.at)
        return _sealed(visit, taken, "taken back")
    what, whose = (IN, by) if act == "forget" else (BACK, visit.sent("by"))
    two_typists.forget(connection, lost, what, whose)
    return {"what": "forgotten"}


def _sealed(visit: Visit, typed: Typed, what: str) -> Model:
    """As the commands do: what was typed goes into the record at once."""
    visit.desk.seal(visit.connection, typed.log.poll, visit.key(), visit.at, typed.log.station)
    raised = [{"check": alarm.check, "n": alarm.n, "row": typed.rows.get(alarm.n)} for alarm in typed.alarms]
    return {"what": what, "noted": typed.noted, "reported": typed.reported, "before": typed.before, "alarms": raised}


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("this is not proposed any more: look at the page again", check="P.053") from None


def _of_machine(visit: Visit, lost: LogId) -> Model:
    connection, vault, own = visit.connection, visit.desk.vault(), visit.officer.name
    typed = two_typists.kept(connection, lost, IN)
    mine = next((one for one in typed if one.by == own), None)
    lines = two_typists.lines_by(connection, vault, lost, IN, own) if mine else {}
    return {
        "chosen": {"station": lost.station, "generation": lost.generation},
        "mine": None if mine is None else {"at": mine.at.isoformat(), "lines": mine.lines, "text": _as_typed(lines)},
        "others": [{"by": one.by, "at": one.at.isoformat()} for one in typed if one.by != own],
        "proposals": [
            {"by": one.by, "at": one.at.isoformat(), "found": one.found, "reason": one.reason, "count": one.lines,
             "lines": list(two_typists.lines_by(connection, vault, lost, BACK, one.by).values())}
            for one in two_typists.kept(connection, lost, BACK)
        ],
    }  # fmt: skip


def _as_typed(lines: Mapping[str, Line]) -> str:
    """The text again, each line in its row."""
    by_row = {line.row: line for line in lines.values()}
    return "\n".join(_line(by_row.get(row)) for row in range(1, max(by_row, default=0) + 1))


def _line(line: Line | None) -> str:
    if line is None:
        return ""
    return f"{line.iin} {line.officer}" + ("" if line.channel == POLLING_DAY else f" {line.channel}")


# Rights withdrawn after the freeze


def _withdrawals(visit: Visit) -> Model:
    connection, poll, done = visit.connection, visit.poll, None
    if act := visit.sent("act"):
        number, reason, by = _number(visit.sent("set")), no_iin(visit.sent("reason")), visit.officer.name
        visit.desk.lock(connection, poll.id)
        if act == "withdraw":
            asked = withdraw_set(connection, visit.desk.vault(), poll, number, reason, by, visit.at)
            visit.desk.settle(connection, poll, visit.key(), visit.at)
            done = {"what": "asked", "set": number, "found": asked}
        else:
            back = visit.desk.give_back(connection, poll, number, reason, by, visit.key(), visit.at)
            done = {"what": "back", "set": number, "found": back}
    frozen = connection.scalar(sa.text("SELECT at FROM roll_freeze WHERE poll = :poll"), {"poll": poll.id})
    return _about(poll) | {
        "done": done,
        "frozen": None if frozen is None else frozen.isoformat(),
        "state": state(connection, poll.id).to_json(),
        "groups": list(map(_group, groups(connection, poll.id))),
        "given_back": list(map(_group, given_back(connection, poll.id))),
        "sets": [] if frozen is None else _decided_since(connection, frozen),
    }


def _group(one: Group) -> Model:
    return {"set": one.set_id, "reason": one.reason, "by": one.by, "at": one.at.isoformat(), "outcomes": one.outcomes}


def _decided_since(connection: Connection, frozen: datetime) -> list[Model]:
    """The sets that were approved or rolled back since the freeze."""
    found: list[Any] = []
    for one in reversed(list_sets(connection)):
        last = one.undone or one.decided
        if one.state in ("applied", "rolled back") and last is not None and last > frozen:
            by = one.undone_by if one.undone else one.decided_by
            found.append({"id": one.id, "kind": one.kind, "state": one.state, "at": last.isoformat(), "by": by})
    return found[:SETS]


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise BadInput("which set? Open the page again, and choose it there", field="set", check="P.047")
    return int(text)


# Provisional envelopes


def _envelopes(visit: Visit) -> Model:
    connection, poll, desk, done = visit.connection, visit.poll, visit.desk, None
    said: bool | str | None = ""
    if visit.sent("act") == "resolve":
        done = _resolve(visit)
    elif visit.sent("act") == "name":
        desk.lock(connection, poll.id)
        why = no_iin(visit.sent("reason")), visit.officer.name
        said = named.name_one(connection, desk.vault(), _place(visit, poll), visit.sent("iin"), why, visit.at)
    found = desk.envelopes(connection, poll)
    body, by = found.to_json(), named.guessed(connection, poll.id)
    for line, of in zip(body["lines"], found.lines, strict=True):
        line["by"] = by.get((of.at.log, of.at.n), ())
    start = int(digits[:9]) if (digits := visit.request.query_params.get("from", "0")).isdecimal() else 0
    shown = body["lines"][start : start + PER_PAGE]
    return _about(poll) | body | {
        "done": done,
        "said": said,
        "final": said_final(connection, poll.id),
        "lines": shown,
        "next": start + PER_PAGE if start + PER_PAGE < len(found.lines) else None,
        "missing": [f"{log.station}/{log.generation}" for log in found.missing[:20]],
        "to_correct": desk.to_correct(connection, poll.id, (one.at.log.station for one in found.lines if one.counts)),
    }  # fmt: skip


def _resolve(visit: Visit) -> int | None:
    """How many were resolved; None where he says that nobody waits any longer, and another person has to say so, too."""
    connection, poll, desk = visit.connection, visit.poll, visit.desk
    if visit.sent("final"):
        desk.lock(connection, poll.id)
        final = with_another(connection, poll.id, visit.officer.name)
        found = desk.resolve(connection, poll, visit.key(), visit.at, final)
        return found if len(final) == 2 else None
    waits_again(connection, poll.id, visit.officer.name)
    return desk.resolve(connection, poll, visit.key(), visit.at, ())


def _place(visit: Visit, poll: Poll) -> named.Place:
    """Which envelope the form is about."""
    machine, n = visit.sent("generation"), visit.sent("event")
    if not (machine + n).isdecimal() or len(machine + n) > 12 or not machine or not n:
        raise BadInput("which envelope? Open the page again, and choose it there", field="event", check="P.047")
    return LogId(poll.id, visit.sent("station"), int(machine)), int(n)


def _about(poll: Poll) -> Model:
    return {"poll": poll.id, "names": dict(poll.names), "timezone": poll.timezone, "pack": poll.id.partition("/")[0]}


PAGES = (
    ("/pollbook-paper/{poll:path}", "centre/paper.html", _paper),
    ("/withdrawals/{poll:path}", "centre/withdrawals.html", _withdrawals),
    ("/envelopes/{poll:path}", "centre/envelopes.html", _envelopes),
)
