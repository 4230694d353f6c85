"""How do programs send protocols, turnout reports and corrections? JSON over HTTP, with a bearer token.

    POST /api/polls/{poll}/protocols        one object, a list, or {"protocols": [...]}
    POST /api/polls/{poll}/protocols/file   the bytes of a table; ?name=protocols.csv.gz says its kind
    POST /api/polls/{poll}/turnout          {"station","time","eligible","received"}, or a list
    POST /api/polls/{poll}/corrections      {"station","contest"?,"after","reason","of"?,"before"?,"sig"?,"at"?,"by"?}
    GET  /api/polls/{poll}/checks           the catalogue, how often each is raised, what is in quarantine, W.104

Answers are receipts {"station","contest","state","checks","seq","replayed"}; errors are {"error": {...}} with the number
of the check (docs/checks.md). A request is taken whole or not at all, and may be sent again: it gives the same receipts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from functools import wraps
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
from dauys.stations.batch import Batch
from dauys.stations.catalogue import checks_of
from dauys.stations.corrections import Seal
from dauys.stations.intake import Receipt, correct, receive, report_turnout
from dauys.stations.overview import Held, outliers, poll_of, quarantine, raised
from dauys.stations.readers import protocols_of, read_protocols, turnout_of
from dauys.stations.requests import from_here, json_body, problem, rows_of, token_of, upload
from dauys.stations.states import Role

SHOWN = 100
"""Receipts of a file that are listed one by one: those in quarantine."""

Handler = Callable[..., Awaitable[Response]]


def router(engine: sa.Engine, clock: Callable[[], datetime], seal: Seal) -> APIRouter:
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
            return JSONResponse(await run_in_threadpool(receive_file, engine, poll, path, token_of(request), clock()))

    @routes.post("/{poll:path}/protocols")
    @answered
    async def take_protocols(request: Request, poll: str) -> Response:
        await run_in_threadpool(_known, engine, token_of(request), clock())
        rows = rows_of(await json_body(request), "protocols")
        return _receipts(await run_in_threadpool(_protocols, engine, poll, rows, token_of(request), clock()))

    @routes.post("/{poll:path}/turnout")
    @answered
    async def take_turnout(request: Request, poll: str) -> Response:
        await run_in_threadpool(_known, engine, token_of(request), clock())
        rows = rows_of(await json_body(request), "turnout")
        return _receipts(await run_in_threadpool(_turnout, engine, poll, rows, token_of(request), clock()))

    @routes.post("/{poll:path}/corrections")
    @answered
    async def take_correction(request: Request, poll: str) -> Response:
        await run_in_threadpool(_clerk, engine, token_of(request), clock())
        body = await json_body(request)
        return _receipts([await run_in_threadpool(_correction, engine, poll, body, token_of(request), clock(), seal)])

    @routes.get("/{poll:path}/checks")
    @answered
    async def show_checks(request: Request, poll: str) -> Response:
        return JSONResponse(await run_in_threadpool(_checks, engine, poll))

    return routes


def receive_file(engine: sa.Engine, poll_id: str, path: Path, token: str | None, at: datetime) -> dict[str, Any]:
    """Takes a whole file of protocols in one transaction and sums up the receipts."""
    with engine.begin() as connection:
        account = account_of(connection, token, at)
        poll = poll_of(connection, poll_id)
        try:
            batches = (_claims(account, batch) for batch in read_protocols(path, poll))
            return summary(r for batch in batches for r in receive(connection, poll, batch, by=account.author, at=at))
        except BadInput as fault:
            fault.file = None  # the place where an upload lay tells its sender nothing
            raise


def summary(receipts: Iterable[Receipt]) -> dict[str, Any]:
    """How many protocols came to which state, which checks they raised, and the first of those in quarantine."""
    states: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    held: list[dict[str, object]] = []
    replayed = 0
    for receipt in receipts:
        states[receipt.state] += 1
        numbers.update(receipt.checks)
        replayed += receipt.replayed
        if receipt.state == "quarantined" and len(held) < SHOWN:
            held.append(receipt.to_json())
    return {
        "received": states.total(),
        "accepted": states["accepted"],
        "quarantined": states["quarantined"],
        "replayed": replayed,
        "checks": dict(sorted(numbers.items())),
        "held": held,
    }


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


def _claims(account: Account, batch: Batch) -> Batch:
    """The batch, if it says only what its sender may say. Raises BadInput F.040.

    Who without a signature says to be somebody is not believed: `by` is the account then. A clerk may say when a paper
    came in; a station's own time counts where it signs for it.
    """
    for name, texts in (("by", batch.by), ("at", batch.at)):
        for place, text in enumerate(texts or ()):
            signed = batch.sig is not None and bool(batch.sig[place])
            if text and not signed and (name == "by" or account.role is not Role.CLERK):
                raise batch.refuse(
                    place,
                    f"{name} is for protocols that are signed: leave it out or sign",
                    "F.040",
                    field=name,
                    found=text,
                )
    return batch


def _protocols(
    engine: sa.Engine, poll_id: str, rows: list[Mapping[str, Any]], token: str | None, at: datetime
) -> list[Receipt]:
    with engine.begin() as connection:
        account = account_of(connection, token, at)
        poll = poll_of(connection, poll_id)
        _own(account, poll_id, (str(row.get("station")) for row in rows))
        receipts = [
            receipt
            for batch in (_claims(account, batch) for batch in protocols_of(poll, rows))
            for receipt in zip(
                batch.rows or (), receive(connection, poll, batch, by=account.author, at=at), strict=True
            )
        ]
    return [receipt for _, receipt in sorted(receipts, key=lambda pair: pair[0])]


def _turnout(
    engine: sa.Engine, poll_id: str, rows: list[Mapping[str, Any]], token: str | None, at: datetime
) -> list[Receipt]:
    with engine.begin() as connection:
        account = account_of(connection, token, at)
        poll = poll_of(connection, poll_id)
        _own(account, poll_id, (str(row.get("station")) for row in rows))
        receipts = [
            receipt
            for hour in turnout_of(poll, rows)
            for receipt in zip(
                hour.rows or (), report_turnout(connection, poll, hour, by=account.author, at=at), strict=True
            )
        ]
    return [receipt for _, receipt in sorted(receipts, key=lambda pair: pair[0])]


_CORRECTION = {"station": str, "contest": str, "after": dict, "reason": str, "of": int, "before": dict, "sig": str,
               "at": str, "by": str}  # fmt: skip


def _correction(engine: sa.Engine, poll_id: str, body: Any, token: str | None, at: datetime, seal: Seal) -> Receipt:
    parts = _parts(body)
    with engine.begin() as connection:
        account = account_of(connection, token, at)
        poll = poll_of(connection, poll_id)
        if account.role is not Role.CLERK:
            raise BadInput("only a clerk may correct a protocol", check="F.040", found=account.role.value)
        signed = "sig" in parts
        return correct(
            connection,
            poll,
            contest=parts.get("contest"),
            station=parts["station"],
            after=parts["after"],
            reason=parts["reason"],
            by=parts["by"] if signed and "by" in parts else account.author,
            at=parts["at"] if signed and "at" in parts else at,
            of=parts.get("of"),
            before=parts.get("before"),
            sig=parts.get("sig"),
            seal=None if signed else seal(poll.id),
        )


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
    found = {number: check for contest in poll.contests for number, check in checks_of(contest.form).items()}
    return [
        {"number": check.number, "severity": check.severity.value, "title": dict(check.title), "text": dict(check.text),
         "cite": check.cite}
        for _, check in sorted(found.items())
    ]  # fmt: skip


def _held(held: Held) -> dict[str, Any]:
    return {
        "contest": held.contest, "station": held.station, "area": held.area, "version": held.version, "seq": held.seq,
        "values": dict(held.values), "checks": list(held.checks),
    }  # fmt: skip
