"""What do people at the desk see? How a page is called and answered, the door, and what there is to do.

The pages themselves are in desk_protocols, desk_turnout, desk_files, desk_annulments and desk_accounts. Each works
without JavaScript: a form that is sent answers with the same page, its result or its fault at the top.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from dauys.errors import BadInput, DauysError
from dauys.page_forms import LANGUAGES
from dauys.record.log import polls
from dauys.stations import desk_accounts, desk_annulments, desk_files, desk_protocols, desk_turnout
from dauys.stations.accounts import Account, account_of, form_mark, sign_in, sign_out
from dauys.stations.annulling import proposals
from dauys.stations.beside import NOTHING, Beside
from dauys.stations.catalogue import catalogue
from dauys.stations.corrections import Seal
from dauys.stations.desk_visit import Model, Page, Visit, about
from dauys.stations.double_entry import typed_by, waiting
from dauys.stations.overview import held_back, poll_of
from dauys.stations.requests import COOKIE, LARGEST_FORM, form_of, from_here, status_of
from dauys.stations.sending import kept_name
from dauys.stations.states import Role, Typing
from dauys.stations.turnout import held_reports

SIGN_INS = CapacityLimiter(4)
"""Passwords that are tried at once: each takes 64 MiB (accounts.COST), and anyone may try. Others wait their turn."""


def router(engine: sa.Engine, clock: Callable[[], datetime], seal: Seal, beside: Beside = NOTHING) -> APIRouter:
    """Pages below `/{language}/desk`."""
    routes = APIRouter(include_in_schema=False)
    own = (Page("", "desk/home.html", _home, tuple(Role)), Page("/out", "desk/home.html", _sign_out, tuple(Role)))
    pages = (
        *own, *desk_accounts.PAGES, *desk_protocols.PAGES, *desk_turnout.PAGES, *desk_files.PAGES, *desk_annulments.PAGES
    )  # fmt: skip
    for language in LANGUAGES:
        home = f"/{language}/desk"
        routes.add_api_route(f"{home}/in", _signing_in(engine, clock), methods=["GET", "POST"])
        for page in pages:
            answer = _answering(engine, clock, seal, page, beside)
            routes.add_api_route(home + page.path, answer, methods=["GET", "POST"], name=f"desk{page.path}")
    return routes


def _answering(
    engine: sa.Engine, clock: Callable[[], datetime], seal: Seal, page: Page, beside: Beside
) -> Callable[[Request], object]:  # fmt: skip
    async def endpoint(request: Request) -> Response:
        account = await run_in_threadpool(_account, engine, request, clock())
        if account is None:
            return RedirectResponse(f"/{_language(request)}/desk/in", 303)
        try:
            form = await form_of(request, page.largest)
        except HTTPException as error:
            if page.largest == LARGEST_FORM:
                raise
            fault = BadInput(error.detail, field="file", check="F.001")  # the one form that people make too large
            return _show(
                request, "desk/refused.html", _base(request, account, None) | {"fault": fault}, error.status_code
            )
        return await run_in_threadpool(_answer, engine, page, account, request, form, clock(), seal, beside)

    return endpoint


def _account(engine: sa.Engine, request: Request, at: datetime) -> Account | None:
    """Who is signed in; nothing of a form is read before."""
    try:
        with engine.connect() as connection:
            return account_of(connection, request.cookies.get(COOKIE) or "", at)
    except BadInput:
        return None


def _base(request: Request, account: Account | None, form: FormData | None) -> Model:
    typed = {name: value for name, value in (form or {}).items() if isinstance(value, str)}
    mark = form_mark(request.cookies.get(COOKIE) or "")
    return {"account": account, "mark": mark, "fault": None, "typed": typed, "done": None}


def _answer(
    engine: sa.Engine, page: Page, account: Account, request: Request, form: FormData | None, at: datetime, seal: Seal,
    beside: Beside,
) -> Response:  # fmt: skip
    base = _base(request, account, form)
    visit: Visit | None = None
    try:
        if form is not None:
            from_here(request)
            if form.get("mark") != base["mark"]:
                raise BadInput("the page has expired: open it again", check="F.042")
        if account.role not in page.roles:
            raise BadInput(
                "this role may not do this", check="F.040", found=account.role, expected=", ".join(page.roles)
            )
        with engine.begin() as connection:
            visit = Visit(connection, account, request, form, at, seal, beside)
            found = page.act(visit)
    except DauysError as error:
        return _faulty(engine, page, visit, request, base, error)
    if isinstance(found, str):
        return RedirectResponse(f"/{_language(request)}/desk{found}", 303)
    return _show(request, page.template, base | found)


def _faulty(
    engine: sa.Engine, page: Page, visit: Visit | None, request: Request, base: Model, error: DauysError
) -> Response:
    """The page again with the fault and what was typed; a page that cannot be shown at all gives the fault alone."""
    fault = error if isinstance(error, BadInput) else BadInput(str(error))
    if page.largest == LARGEST_FORM:
        fault.row = None  # a form that is typed has one row
    refused = _show(request, "desk/refused.html", base | {"fault": fault}, status_of(error))
    if visit is None or request.method != "POST":
        return refused
    try:
        with engine.connect() as connection:
            found = page.act(replace(visit, connection=connection, form=None))
    except DauysError:
        return refused
    assert not isinstance(found, str)
    return _show(request, page.template, base | found | {"fault": fault}, status_of(error))


def _show(request: Request, template: str, model: Model, status: int = 200) -> Response:
    shown = model | {"catalogue": catalogue()}
    response: Response = request.app.state.render(request, template, shown, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _language(request: Request) -> str:
    return request.url.path.split("/")[1]


def _signing_in(engine: sa.Engine, clock: Callable[[], datetime]) -> Callable[..., object]:
    async def answer(request: Request) -> Response:
        form = await form_of(request)
        return await to_thread.run_sync(check, request, form, limiter=SIGN_INS)

    def check(request: Request, form: FormData | None) -> Response:
        model = _base(request, None, form)
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


def _sign_out(visit: Visit) -> Model | str:
    if visit.form is None:
        return _home(visit)
    sign_out(visit.connection, visit.request.cookies.get(COOKIE) or "", visit.at)
    return "/in"


def _home(visit: Visit) -> Model | str:
    """What there is to do in each poll for somebody of this role; a station sees its own poll alone."""
    connection, by = visit.connection, visit.account.author
    of = {poll: poll_of(connection, poll) for poll in polls(connection) if visit.account.poll in (None, poll)}
    decides = visit.account.role in (Role.CLERK, Role.STATION)
    return {
        "work": [
            about(opened)
            | {
                "own": typed_by(connection, poll, by),
                "second": waiting(connection, poll, Typing.TYPED_ONCE, by),
                "differs": waiting(connection, poll, Typing.DIFFERS, by),
                "held": held_back(connection, poll),
                "held_reports": len(held_reports(connection, poll)),
                "proposals": [proposal for proposal in proposals(connection, poll) if proposal.by != by],
                "waiting": kept_name(connection, poll, visit.account),
                "beside": visit.beside is not NOTHING,
                "stopped": visit.beside.stopped(connection, poll),
                "claims": visit.beside.claims(connection, opened, visit.account.station) if decides else None,
                "zone": opened.timezone,
            }
            for poll, opened in of.items()
        ]
    }
