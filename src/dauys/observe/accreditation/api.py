"""Where does a mission send what it signs, and the photos that it names? Who sends is known by the signature alone.

    POST /api/polls/{poll}/observers/entries           the canonical JSON of one signed entry
    PUT  /api/polls/{poll}/observers/photos/{sha256}   the bytes of a photo, with its signed statement (offer.py)

201 it is new here, 200 it was here already: `{"index": n}`, `{"sha256", "kind", "size"}`. Anything else is refused with
`{"error": {"check", "message", ...}}`, and nothing of it is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from dauys.errors import BadInput
from dauys.observe.accreditation import photos
from dauys.observe.accreditation.known import poll_of
from dauys.observe.accreditation.offer import Offer
from dauys.observe.accreditation.photos import NOT_ITS_BYTES, offered
from dauys.observe.accreditation.quota import QUOTA, Quota
from dauys.observe.accreditation.received import MISSHAPEN, STATUS, signed, take
from dauys.page_forms import limited
from dauys.record import log
from dauys.record.entry import MAX_ENTRY_BYTES

AT_ONCE = 4
"""Photos of one organisation that come at the same time: each stands in memory while it comes."""


def router(engine: sa.Engine, clock: Callable[[], datetime], quota: Quota = QUOTA) -> APIRouter:
    """The two routes."""
    routes = APIRouter(prefix="/api/polls", tags=["observers"])
    coming: Counter[str] = Counter()

    @routes.post("/{poll:path}/observers/entries", status_code=201)
    async def take_entry(request: Request, poll: str) -> Response:
        try:
            data = await limited(request, MAX_ENTRY_BYTES)
        except ClientDisconnect:
            return Response(status_code=400)
        if data is None:
            return _problem(BadInput(f"an entry has at most {MAX_ENTRY_BYTES:,} bytes", check=MISSHAPEN), 413)
        return await run_in_threadpool(_entry, engine, poll, data, clock(), quota)

    @routes.put("/{poll:path}/observers/photos/{sha256}", status_code=201)
    async def take_photo(request: Request, poll: str, sha256: str) -> Response:
        try:
            offer = await run_in_threadpool(
                _offered, engine, poll, sha256, request.headers.get("authorization", ""), clock(), quota
            )
            if isinstance(offer, Response):
                return offer
            with _one_more(coming, f"{poll} {offer.organisation}"):
                data = await _bytes_of(request, offer)
                return await run_in_threadpool(_photo, engine, offer, data, clock())
        except ClientDisconnect:  # the wire was cut: nobody hears an answer, and nothing is kept
            return Response(status_code=400)
        except BadInput as error:
            return _problem(error, photos.STATUS.get(error.check or "", 422))

    return routes


def _entry(engine: sa.Engine, poll_id: str, data: bytes, at: datetime, quota: Quota) -> Response:
    with engine.begin() as connection:
        if not log.size(connection, poll_id):
            return _no_poll(poll_id)
        try:
            entry = signed(connection, poll_id, data)
            place, new = take(connection, poll_of(connection, poll_id), entry, at, quota)
        except BadInput as error:
            return _problem(error, STATUS.get(error.check or "", 422))
    return JSONResponse({"index": place}, 201 if new else 200)


def _offered(engine: sa.Engine, poll_id: str, name: str, header: str, at: datetime, quota: Quota) -> Offer | Response:
    with engine.begin() as connection:
        if not log.size(connection, poll_id):
            return _no_poll(poll_id)
        return offered(connection, poll_id, name, header, at, quota)


def _photo(engine: sa.Engine, offer: Offer, data: bytes, at: datetime) -> Response:
    with engine.begin() as connection:
        found, new = photos.take(connection, offer, data, at)
    return JSONResponse({"sha256": offer.sha256, "kind": found.kind, "size": found.size}, 201 if new else 200)


async def _bytes_of(request: Request, offer: Offer) -> bytes:
    """The photo as it comes; no byte more than was signed for is kept. Raises BadInput O.082."""
    data = await limited(request, offer.size)
    if data is None or len(data) != offer.size:
        found = f"more than {offer.size:,} bytes" if data is None else f"{len(data):,} bytes"
        message = "not as many bytes came as the statement says: send the photo again, whole"
        raise BadInput(message, found=found, expected=f"{offer.size:,} bytes", check=NOT_ITS_BYTES)
    return data


@contextmanager
def _one_more(coming: Counter[str], whose: str) -> Iterator[None]:
    """Counts one that comes in. Raises BadInput O.080 where too many come already: nobody fills our memory."""
    if coming[whose] >= AT_ONCE:
        raise BadInput(
            f"{AT_ONCE} photos of this organisation are coming in now: send this one after them", check="O.080"
        )
    coming[whose] += 1
    try:
        yield
    finally:
        coming[whose] -= 1


def _no_poll(poll_id: str) -> Response:
    return JSONResponse({"error": {"message": f"there is no poll {poll_id!r} here"}}, 404)


def _problem(error: BadInput, status: int) -> Response:
    return JSONResponse({"error": error.as_json()}, status)
