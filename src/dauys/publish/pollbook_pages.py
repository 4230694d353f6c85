"""How many voters were checked in, by the record, and is one's own check-in among them? The public page of the pollbook.

    GET  /{lang}/polls/{poll}/pollbook       the sums as they are sealed; `.json` is its twin
    POST /{lang}/polls/{poll}/pollbook       `code`: the voter's own; it never stands in an address

Who does not trust this page looks in the record: the code has all that it takes (docs/pollbook.md).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from dauys.errors import BadInput
from dauys.page_forms import DEEPEST, limited
from dauys.pollbook.settling.envelopes import totals
from dauys.polls import pollbook_find
from dauys.polls.opening import load_poll
from dauys.polls.standing import standing
from dauys.publish import views
from dauys.publish.twins import Model, Render, paired
from dauys.roll.story import story

PER_PAGE = 100
LARGEST = 4096
"""Bytes of the form."""


def router(engine: sa.Engine, render: Render) -> APIRouter:
    """The page, its twin, and the form."""
    routes = APIRouter()
    page = paired(routes, render)

    def model(poll: str, start: int) -> Model:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            head: dict[str, Any] = views.head(standing(connection, poll))
            sums = pollbook_find.totals(connection, poll)
            envelopes = totals(connection, poll)
            steps = [step.to_json() for step in story(connection, load_poll(connection, poll))]
            rows = pollbook_find.sealed(connection, poll, start, PER_PAGE)
        return {
            **head,
            "sums": sums,
            "envelopes": envelopes,
            "roll": steps,
            "stations": [row.to_json() for row in rows],
            "pages": views.pages(start, PER_PAGE, sums["stations"]),
        }

    @page("/polls/{poll:path}/pollbook", "publish/pollbook.html", lambda _: {"answer": None, "fault": None})
    def pollbook(lang: str, poll: str, start: int = Query(0, ge=0, le=DEEPEST)) -> Model:
        """Check-ins as they stand in the record, station by station."""
        return model(poll, start)

    def answer(poll: str, code: str) -> tuple[Model, int]:
        found = model(poll, 0)
        try:
            with engine.connect() as connection:
                said = pollbook_find.find(connection, poll, code)
        except BadInput as fault:
            return found | {"answer": None, "fault": fault.check}, 422
        return found | {"answer": said.to_json(), "fault": None}, 200

    @routes.post("/{lang:lang}/polls/{poll:path}/pollbook", include_in_schema=False)
    async def find(lang: str, poll: str, request: Request) -> Response:
        data = await limited(request, LARGEST)
        # what is longer than any code is answered as a mistyped one
        code = parse_qs((data or b"code=too+long").decode("ascii", "replace")).get("code", [""])[0]
        said, status = await run_in_threadpool(answer, poll, code)
        response = render(request, "publish/pollbook.html", said, status)
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
