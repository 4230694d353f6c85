"""What do people at the desk see? Pages to sign in, type, resolve, and correct; each works without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dauys.errors import BadInput, DauysError
from dauys.record.log import polls
from dauys.registers.cells import number_fault
from dauys.registers.poll import Contest, Poll
from dauys.stations.accounts import Account, account_of, form_mark, sign_in, sign_out
from dauys.stations.catalogue import catalogue, checks_of
from dauys.stations.corrections import Seal
from dauys.stations.double_entry import Typings, differing, resolve, type_in, waiting
from dauys.stations.intake import correct
from dauys.stations.overview import poll_of, protocol, quarantine
from dauys.stations.requests import COOKIE, form_of, from_here, status_of
from dauys.stations.states import Role, Typing
from dauys.store.engine import Connection

PER_PAGE = 50
SIGN_INS = CapacityLimiter(4)
"""Passwords that are tried at once: each takes 64 MiB (accounts.COST), and anyone may try. Others wait their turn."""
Model = dict[str, Any]


def router(engine: sa.Engine, clock: Callable[[], datetime], seal: Seal) -> APIRouter:
    """Pages below `/{language}/desk`."""
    routes = APIRouter(include_in_schema=False)

    def page(path: str, template: str, *roles: Role) -> Callable[[Callable[..., Any]], None]:
        """Registers `act(connection, account, poll, request, form)`: a model to show, or a text: where to go next.

        GET calls it with no form. A fault is shown beside its field, with what was typed.
        """

        def register(act: Callable[..., Any]) -> None:
            @wraps(act)
            async def answer(request: Request) -> Response:
                form = await form_of(request)
                return await run_in_threadpool(_answer, engine, clock(), request, form, template, roles, act)

            for language in ("kk", "ru", "en"):
                address = f"/{language}/desk{path}"
                routes.add_api_route(address, _named(answer), methods=["GET", "POST"], name=f"desk{path}")

        return register

    for language in ("kk", "ru", "en"):
        routes.add_api_route(f"/{language}/desk/in", _signing_in(engine, clock), methods=["GET", "POST"])

    page("", "desk/home.html", *Role)(_home)
    page("/out", "desk/home.html", *Role)(_sign_out(clock))
    page("/{poll:path}/type", "desk/type.html", Role.TYPIST, Role.CLERK)(_type(clock))
    page("/{poll:path}/resolve", "desk/resolve.html", Role.RESOLVER)(_resolve(clock))
    page("/{poll:path}/quarantine", "desk/quarantine.html", Role.CLERK)(_quarantine)
    page("/{poll:path}/correct", "desk/correct.html", Role.CLERK)(_correct(clock, seal))
    return routes


def _named(answer: Callable[..., Any]) -> Callable[..., Any]:
    async def endpoint(request: Request) -> Response:
        response: Response = await answer(request)
        return response

    return endpoint


def _answer(
    engine: sa.Engine,
    at: datetime,
    request: Request,
    form: FormData | None,
    template: str,
    roles: tuple[Role, ...],
    act: Callable[..., Any],
) -> Response:
    token = request.cookies.get(COOKIE) or ""
    home = f"/{_language(request)}/desk"
    try:
        with engine.connect() as connection:
            account = account_of(connection, token, at)
    except BadInput:
        return RedirectResponse(f"{home}/in", 303)
    base: Model = {"account": account, "mark": form_mark(token), "fault": None, "typed": dict(form or {}), "done": None}
    try:
        if form is not None:
            from_here(request)
            if form.get("mark") != base["mark"]:
                raise BadInput("the page has expired: open it again", check="F.042")
        if account.role not in roles:
            raise BadInput(f"this is for: {', '.join(roles)}", check="F.040", found=account.role)
        with engine.begin() as connection:
            found = act(connection, account, request, form)
    except DauysError as error:
        return _faulty(engine, request, template, account, act, base, error)
    if isinstance(found, str):
        return RedirectResponse(f"{home}{found}", 303)
    return _show(request, template, base | found)


def _faulty(
    engine: sa.Engine,
    request: Request,
    template: str,
    account: Account,
    act: Callable[..., Any],
    base: Model,
    error: DauysError,
) -> Response:
    """The page again with the fault and what was typed; a page that cannot be shown at all gives the fault alone."""
    fault = error if isinstance(error, BadInput) else BadInput(str(error))
    if fault.check in ("F.040", "F.042") or request.method != "POST":
        return _show(request, "desk/refused.html", base | {"fault": fault}, status_of(error))
    try:
        with engine.connect() as connection:
            found = act(connection, account, request, None)
    except DauysError:
        return _show(request, "desk/refused.html", base | {"fault": fault}, status_of(error))
    return _show(request, template, base | found | {"fault": fault}, status_of(error))


def _show(request: Request, template: str, model: Model, status: int = 200) -> Response:
    shown = model | {"catalogue": catalogue()}
    response: Response = request.app.state.render(request, template, shown, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _language(request: Request) -> str:
    return request.url.path.split("/")[1]


def _signing_in(engine: sa.Engine, clock: Callable[[], datetime]) -> Callable[..., Any]:
    async def answer(request: Request) -> Response:
        form = await form_of(request)
        return await to_thread.run_sync(check, request, form, limiter=SIGN_INS)

    def check(request: Request, form: FormData | None) -> Response:
        model: Model = {"account": None, "fault": None, "typed": dict(form or {})}
        if form is None:
            return _show(request, "desk/sign_in.html", model)
        try:
            from_here(request)
            with engine.begin() as connection:
                token = sign_in(connection, str(form.get("name", "")), str(form.get("password", "")), clock())
            if token is None:
                raise BadInput("the name or the password is wrong, or there were too many attempts", check="F.041")
        except BadInput as fault:
            return _show(request, "desk/sign_in.html", model | {"fault": fault}, status_of(fault))
        response = RedirectResponse(f"/{_language(request)}/desk", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")
        return response

    return answer


def _sign_out(clock: Callable[[], datetime]) -> Callable[..., Any]:
    def act(connection: Connection, account: Account, request: Request, form: FormData | None) -> Any:
        if form is None:
            return _home(connection, account, request, form)
        sign_out(connection, request.cookies.get(COOKIE) or "", clock())
        return "/in"

    return act


def _home(connection: Connection, account: Account, request: Request, form: FormData | None) -> Model:
    """What there is to do in each poll for somebody of this role."""
    work = []
    for poll_id in polls(connection):
        poll = poll_of(connection, poll_id)
        work.append(
            {
                "poll": poll_id,
                "names": dict(poll.names),
                "second": waiting(connection, poll_id, Typing.TYPED_ONCE, account.author),
                "differs": waiting(connection, poll_id, Typing.DIFFERS, account.author),
                "held": len(quarantine(connection, poll_id, 0, 1000)),
            }
        )
    return {"work": work}


def _type(clock: Callable[[], datetime]) -> Callable[..., Any]:
    def act(connection: Connection, account: Account, request: Request, form: FormData | None) -> Any:
        poll, contest = _place(connection, request)
        done = None
        if form is not None:
            station, values = _station(form), _values(contest, form)
            done = type_in(
                connection, poll, contest=contest.id, station=station, values=values, by=account.author, at=clock()
            )
        model = _form_model(poll, contest, request)
        return model if done is None else model | {"done": _done(done, _station(form)), "typed": {}}

    return act


def _resolve(clock: Callable[[], datetime]) -> Callable[..., Any]:
    def act(connection: Connection, account: Account, request: Request, form: FormData | None) -> Any:
        poll, contest = _place(connection, request)
        if form is not None:
            values = _values(contest, form)
            resolve(
                connection,
                poll,
                contest=contest.id,
                station=_station(form),
                values=values,
                by=account.author,
                at=clock(),
            )
            return ""
        station = request.query_params.get("station", "")
        paper = differing(connection, poll, contest.id, station, account.author)
        return _form_model(poll, contest, request) | {
            "station": station,
            "first": paper.first or {},
            "second": paper.second or {},
            "differing": paper.differing,
        }

    return act


def _quarantine(connection: Connection, account: Account, request: Request, form: FormData | None) -> Model:
    poll = poll_of(connection, request.path_params["poll"])
    text = request.query_params.get("from", "0")
    start = int(text) if text.isdecimal() and len(text) < 9 else 0
    held = quarantine(connection, poll.id, start, PER_PAGE + 1)
    checks = {number: check for contest in poll.contests for number, check in checks_of(contest.form).items()}
    return {
        "poll": poll.id,
        "names": dict(poll.names),
        "held": held[:PER_PAGE],
        "checks": checks,
        "next": start + PER_PAGE if len(held) > PER_PAGE else None,
    }


def _correct(clock: Callable[[], datetime], seal: Seal) -> Callable[..., Any]:
    def act(connection: Connection, account: Account, request: Request, form: FormData | None) -> Any:
        poll, contest = _place(connection, request)
        station = request.query_params.get("station", "")
        if form is not None:
            of = str(form.get("of", ""))
            correct(
                connection, poll, contest=contest.id, station=station, by=account.author, at=clock(),
                after={name: value for name, value in _values(contest, form).items() if isinstance(value, int)},
                reason=str(form.get("reason", "")), of=int(of) if of.isdecimal() and len(of) < 18 else None,
                seal=seal(poll.id),
            )  # fmt: skip
            return f"/{quote(poll.id)}/quarantine"
        held = protocol(connection, poll.id, contest.id, station)
        if held is None:
            raise BadInput("the station has no protocol yet", field="station", found=station, check="F.029")
        return _form_model(poll, contest, request) | {
            "station": station,
            "held": held,
            "checks": checks_of(contest.form),
        }

    return act


def _place(connection: Connection, request: Request) -> tuple[Poll, Contest]:
    poll = poll_of(connection, request.path_params["poll"])
    return poll, poll.contest(request.query_params.get("contest") or (poll.contests[0].id))


def _form_model(poll: Poll, contest: Contest, request: Request) -> Model:
    return {
        "poll": poll.id,
        "names": dict(poll.names),
        "contests": [(c.id, dict(c.question)) for c in poll.contests],
        "contest": contest.id,
        "question": dict(contest.question),
        "fields": [
            {"name": field.name, "number": field.number, "labels": dict(field.labels), "optional": field.optional}
            for field in contest.form.fields
        ],
        "station": request.query_params.get("station", ""),
    }


def _station(form: FormData | None) -> str:
    station = str(form.get("station", "")).strip() if form else ""
    if not station:
        raise BadInput("the cell is empty", field="station", check="F.011", expected="the number of the station")
    return station


def _values(contest: Contest, form: Mapping[str, Any]) -> dict[str, int | str]:
    """The numbers of a typed form, and its words. Raises BadInput F.011 to F.016 by field."""
    values: dict[str, int | str] = {}
    for field in contest.form.fields:
        text = str(form.get(field.name, "")).strip()
        if text or not field.optional:
            fault = number_fault(text)
            if fault is not None:
                check, message = fault
                raise BadInput(message, field=field.name, found=text, expected="a whole number", check=check)
            values[field.name] = int(text)
        words = str(form.get(f"{field.name}_words", "")).strip()
        if words:
            values[f"{field.name}_words"] = words
    return values


def _done(done: Typings, station: str) -> Model:
    receipt = done.receipt
    return {"station": station, "state": done.state.value, "checks": () if receipt is None else receipt.checks}
