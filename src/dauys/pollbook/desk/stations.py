"""What does the commission see of its stations on the day? One page behind the desk's sign-in: who is heard, who is not.

    GET /{lang}/desk/pollbook/{poll}         `?area=`, `?step=`, `?number=` some of them; `?from=` the next hundred

The shell says who may come (`Door`): this room knows no accounts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from dauys.page_forms import DEEPEST, LANGUAGES
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.gathered.sealing import tended
from dauys.pollbook.gathered.states import STEPS, Look, alarms, channel_states, listed, whole
from dauys.pollbook.paper.two_typists import lost_machines
from dauys.pollbook.put_back.restored import books
from dauys.pollbook.settling.envelopes import totals
from dauys.record import log
from dauys.registers.poll import Poll

PER_PAGE = 100

Door = Callable[[Request], str | None]
"""None for who may come in; else the address to be sent to."""

Late = Callable[[sa.Connection, Poll, datetime], list[tuple[str, int, list[str]]]]
"""The hours of turnout reports that are over: hour, how many stations reported, and those with a log that are missing."""


def router(engine: sa.Engine, door: Door, clock: Callable[[], datetime], late: Late) -> APIRouter:
    """The page in every language."""
    routes = APIRouter(include_in_schema=False)

    def page(
        request: Request, poll: str, start: int = Query(0, alias="from", ge=0, le=DEEPEST),
        area: str = Query("", max_length=100), step: str = Query("", max_length=20), number: str = Query("", max_length=100),
    ) -> Response:  # fmt: skip
        if (elsewhere := door(request)) is not None:
            return RedirectResponse(elsewhere, 303)
        at = clock()
        with engine.connect() as connection:
            found = Poll.from_json(log.entry_at(connection, poll, 0).body)
            look = Look(area, step if step in STEPS else "", number.strip())
            some = listed(connection, poll, at, look, start, PER_PAGE)
            asked = {name: getattr(look, name) for name in look.__slots__}
            model = {
                "poll": found.id,
                "names": dict(found.names),
                "timezone": found.timezone,
                "at": at.isoformat(),
                "whole": whole(connection, poll).to_json(),
                "rows": [row.to_json(at) for row in some.rows],
                "steps": some.steps,
                "found": some.found,
                "look": asked,
                "asked": urlencode({name: text for name, text in asked.items() if text}),
                "areas": {one.code: dict(one.names) for one in found.areas},
                "channels": [one.to_json(at) for one in channel_states(connection, poll, at)],
                "envelopes": totals(connection, poll),
                "lost": len(lost_machines(connection, poll)),
                "before": max(0, start - PER_PAGE) if start else None,
                "next": start + PER_PAGE if start + PER_PAGE < some.found else None,
                "alarms": [alarm.to_json() for alarm in alarms(connection, poll)],
                "checks": catalogue(),
                "late": late(connection, found, at),
                "sealing": tended(connection, poll).to_json(at),
                "put_back": books(connection, poll),
            }
        response: Response = request.app.state.render(request, "centre/stations.html", model)
        response.headers["Cache-Control"] = "no-store"
        return response

    for language in LANGUAGES:
        routes.add_api_route(f"/{language}/desk/pollbook/{{poll:path}}", page, methods=["GET"], name="pollbook")
    return routes
