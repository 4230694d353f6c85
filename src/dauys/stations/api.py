"""How do programs send protocols, turnout reports and corrections? JSON over HTTP, with a bearer token.

    POST /api/polls/{poll}/protocols        one object, a list, or {"protocols": [...]}
    POST /api/polls/{poll}/protocols/file   the bytes of a table; ?name=protocols.csv.gz says its kind
    POST /api/polls/{poll}/turnout          {"station","time","eligible","received"}, or a list
    POST /api/polls/{poll}/corrections      {"station","contest"?,"after","reason","of"?,"before"?,"sig"?,"at"?,"by"?};
                                            of a turnout report: with "time"
    GET  /api/polls/{poll}/checks           the catalogue, how often each is raised, what is in quarantine, W.104; whether
                                           all of that is a reconstruction

Answers are receipts {"station","contest","state","checks","seq","replayed"}; errors are {"error": {...}} with the number
of the check (docs/checks.md). A request is taken whole or not at all, and may be sent again: it gives the same receipts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from dauys.errors import BadInput, DauysError
from dauys.registers.cells import not_text
from dauys.registers.poll import Poll
from dauys.stations.accounts import Account, account_of
from dauys.stations.beside import NOTHING, Beside
from dauys.stations.catalogue import meanings, severity
from dauys.stations.corrections import Seal
from dauys.stations.intake import Receipt, correct, receive, report_turnout
from dauys.stations.overview import Held, outliers, poll_of, quarantine, raised
from dauys.stations.readers import protocols_of, turnout_of
from dauys.stations.requests import from_here, json_body, problem, rows_of, token_of, upload
from dauys.stations.sending import claims, take_file
from dauys.stations.states import Role
from dauys.stations.turnout import correct_report
from dauys.store.engine import Connection

Rows = Sequence[Mapping[str, Any]]
Handler = Callable[..., Awaitable[Response]]


def router(engine: sa.Engine, clock: Callable[[], datetime], seal: Seal, beside: Beside = NOTHING) -> APIRouter:
    routes = APIRouter(prefix="/api/polls", tags=["stations"])

    def answered(handler: Handler) -> Handler:
        @wraps(handler)
        async def safe(request: Request, poll: str) -> Response:
            try:
                if "authorization" not in request.headers and request.method != "GET":
                    from_here(request)
                return await handler(request, poll)
            except DauysError as error:
                return problem(error)

        return safe

    @routes.post("/{poll:path}/protocols/file")
    @answered
    async def take_file(request: Request, poll: str) -> Response:
        await run_in_threadpool(_clerk, engine, token_of(request), clock())
        async with upload(request, request.query_params.get("name", "")) as path:
            token = token_of(request)
            return JSONResponse(await run_in_threadpool(receive_file, engine, poll, path, token, clock(), beside))

    def rows_taken(name: str, take: Callable[..., Parts]) -> None:
        @routes.post(f"/{{poll:path}}/{name}", name=f"take_{name}")
        @answered
        async def take_rows(request: Request, poll: str) -> Response:
            await run_in_threadpool(_known, engine, token_of(request), clock())
            rows = rows_of(await json_body(request), name)
            return _receipts(await run_in_threadpool(_taken, engine, poll, rows, token_of(request), clock(), take))

    rows_taken("protocols", partial(_protocols, beside=beside))
    rows_taken("turnout", _turnout)

    @routes.post("/{poll:path}/corrections")
    @answered
    async def take_correction(request: Request, poll: str) -> Response:
        await run_in_threadpool(_clerk, engine, token_of(request), clock())
        body = await json_body(request)
        token = token_of(request)
        return _receipts([await run_in_threadpool(_correction, engine, poll, body, token, clock(), seal, beside)])

    @routes.get("/{poll:path}/checks")
    @answered
    async def show_checks(request: Request, poll: str) -> Response:
        return JSONResponse(await run_in_threadpool(_checks, engine, poll))

    return routes


def receive_file(
    engine: sa.Engine, poll_id: str, path: Path, token: str | None, at: datetime, beside: Beside = NOTHING
) -> dict[str, Any]:
    """Takes a whole file of protocols in one transaction and sums up the receipts."""
    with engine.begin() as connection:
        account = account_of(connection, token, at)
        return take_file(connection, poll_of(connection, poll_id), path, account, at, beside=beside)


def _receipts(receipts: Iterable[Receipt]) -> JSONResponse:
    return JSONResponse({"receipts": [receipt.to_json() for receipt in receipts]})


def _known(engine: sa.Engine, token: str | None, at: datetime) -> Account:
    """Whose request it is, before its body is read. Raises BadInput F.041."""
    with engine.connect() as connection:
        return account_of(connection, token, at)


def _clerk(engine: sa.Engine, token: str | None, at: datetime) -> None:
    account = _known(engine, token, at)
    if account.role is not Role.CLERK:
        raise BadInput("only a clerk may do this", check="F.040", found=account.role.value)


def _own(account: Account, poll_id: str, stations: Iterable[str]) -> None:
    for number, station in enumerate(stations, 1):
        if not account.may_send(poll_id, station):
            raise BadInput(
                "this account may not send for that station: a clerk may, and the station itself", row=number,
                field="station", found=station, check="F.040",
            )  # fmt: skip


Parts = Iterator[tuple[Sequence[int], list[Receipt]]]
"""Receipts with the rows of the request that they answer."""


def _protocols(connection: Connection, poll: Poll, rows: Rows, account: Account, at: datetime, beside: Beside) -> Parts:
    for batch in protocols_of(poll, rows):
        claimed = claims(account, batch)
        yield batch.rows or (), receive(connection, poll, claimed, by=account.author, at=at, beside=beside)


def _turnout(connection: Connection, poll: Poll, rows: Rows, account: Account, at: datetime) -> Parts:
    for hour in turnout_of(poll, rows):
        yield hour.rows or (), report_turnout(connection, poll, hour, by=account.author, at=at)


def _taken(
    engine: sa.Engine, poll_id: str, rows: Rows, token: str | None, at: datetime, take: Callable[..., Parts]
) -> list[Receipt]:
    """All rows of a request in one transaction; receipts in their order."""
    with engine.begin() as connection:
        account = account_of(connection, token, at)
        poll = poll_of(connection, poll_id)
        _own(account, poll_id, (str(row.get("station")) for row in rows))
        parts = take(connection, poll, rows, account, at)
        receipts = [pair for places, found in parts for pair in zip(places, found, strict=True)]
    return [receipt for _, receipt in sorted(receipts, key=lambda pair: pair[0])]


_CORRECTION = {"station": str, "contest": str, "time": str, "after": dict, "reason": str, "of": int, "before": dict,
               "sig": str, "at": str, "by": str}  # fmt: skip


def _correction(
    engine: sa.Engine, poll_id: str, body: Any, token: str | None, at: datetime, seal: Seal, beside: Beside
) -> Receipt:  # fmt: skip
    parts = _parts(body)
    with engine.begin() as connection:
        account = account_of(connection, token, at)
        poll = poll_of(connection, poll_id)
        signed = "sig" in parts
        terms: dict[str, Any] = {name: parts.get(name) for name in ("of", "before", "sig")} | {
            "station": parts["station"],
            "after": parts["after"],
            "reason": parts["reason"],
            "by": parts["by"] if signed and "by" in parts else account.author,
            "at": parts["at"] if signed and "at" in parts else at,
            "seal": None if signed else seal(poll.id),
        }
        if "time" in parts:
            return correct_report(connection, poll, hour=parts["time"], **terms)
        return correct(connection, poll, contest=parts.get("contest"), beside=beside, **terms)


def _parts(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadInput("an object is expected", check="F.017", expected='{"station", "after", "reason", ...}')
    for name, value in body.items():
        if name not in _CORRECTION:
            raise BadInput("the field is not known", field=name, check="F.009", expected=", ".join(_CORRECTION))
        if not isinstance(value, _CORRECTION[name]) or isinstance(value, bool):
            raise BadInput("the value is of another kind", field=name, check="F.017", found=value)
        if isinstance(value, str) and not_text(value):
            raise BadInput("a character that no text has", field=name, check="F.005", found=value)
    if "time" in body and "contest" in body:
        message = "a correction is of a report (time) or of a protocol (contest)"
        raise BadInput(message, field="time", check="F.009", found=body["time"])
    for name in ("station", "after", "reason"):
        if name not in body:
            raise BadInput("the field is missing", field=name, check="F.010", expected="station, after, reason")
    for name in ("after", "before"):
        for field, value in body.get(name, {}).items():
            if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 2**53:
                raise BadInput("a whole number is expected", field=f"{name}.{field}", check="F.016", found=value)
    return body


def _checks(engine: sa.Engine, poll_id: str) -> dict[str, Any]:
    with engine.connect() as connection:
        poll = poll_of(connection, poll_id)
        return {
            "poll": poll_id,
            "reconstruction": poll.reconstruction,
            "catalogue": _catalogue(poll),
            "raised": raised(connection, poll_id),
            "quarantine": [_held(held) for held in quarantine(connection, poll_id)],
            "neighbours": [
                {"check": o.number, "contest": o.contest, "station": o.station, "area": o.area, "option": o.option,
                 "count": o.count, "base": o.base}
                for o in outliers(connection, poll)
            ],
        }  # fmt: skip


def _catalogue(poll: Poll) -> list[dict[str, Any]]:
    return [
        {"number": found.check.number, "severity": severity(found.check.number).value, "title": dict(found.check.title),
         "text": dict(found.check.text), "cite": found.check.cite, "contests": list(found.contests)}
        for found in meanings(poll.contests)
    ]  # fmt: skip


def _held(held: Held) -> dict[str, Any]:
    return {
        "contest": held.contest, "station": held.station, "area": held.area, "version": held.version, "seq": held.seq,
        "values": dict(held.values), "checks": list(held.checks),
    }  # fmt: skip
