"""Where protocols, turnout reports and corrections are sent to: the routes of this room, for programs and for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from fastapi import APIRouter

from dauys.stations import api, desk


def now() -> datetime:
    """The clock of the edge: nothing below the routes reads one."""
    return datetime.now(UTC)


def desk_router(engine: sa.Engine, clock: Callable[[], datetime] = now) -> APIRouter:
    """All routes of the room: `/api/polls/...` answers JSON, `/{language}/desk/...` pages."""
    routes = APIRouter()
    routes.include_router(api.router(engine, clock))
    routes.include_router(desk.router(engine, clock))
    return routes
