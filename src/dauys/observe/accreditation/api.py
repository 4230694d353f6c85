"""Where does a mission send what it signs? `POST /api/polls/{poll}/observers/entries`, the canonical JSON of one signed entry.

201 `{"index": n}`: it stands there in the record; 200 where it stood already; 403, 409, 422 `{"error": {"check","message",...}}`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.known import poll_of
from dauys.observe.accreditation.received import MISSHAPEN, STATUS, receive
from dauys.record.entry import MAX_ENTRY_BYTES


def router(engine: sa.Engine, clock: Callable[[], datetime]) -> APIRouter:
    """The route. Who sends is known by the signature alone."""
    routes = APIRouter(prefix="/api/polls", tags=["observers"])

    @routes.post("/{poll:path}/observers/entries", status_code=201)
    async def take_entry(request: Request, poll: str) -> Response:
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > MAX_ENTRY_BYTES:
                return _problem(BadInput(f"an entry has at most {MAX_ENTRY_BYTES:,} bytes", check=MISSHAPEN), 413)
        return await run_in_threadpool(_taken, engine, poll, bytes(data), clock())

    return routes


def _taken(engine: sa.Engine, poll_id: str, data: bytes, at: datetime) -> Response:
    with engine.begin() as connection:
        try:
            poll = poll_of(connection, poll_id)
        except DauysError as error:
            return JSONResponse({"error": {"message": str(error)}}, 404)
        try:
            place, new = receive(connection, poll, data, at)
        except BadInput as error:
            return _problem(error, STATUS.get(error.check or "", 422))
    return JSONResponse({"index": place}, 201 if new else 200)


def _problem(error: BadInput, status: int) -> Response:
    return JSONResponse({"error": error.as_json()}, status)
