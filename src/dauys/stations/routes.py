"""Where protocols, turnout reports and corrections are sent to: the routes of this room, for programs and for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from fastapi import APIRouter

from dauys.stations import api, desk
from dauys.stations.beside import NOTHING, Beside
from dauys.stations.corrections import Seal


def now() -> datetime:
    """The clock of the edge: nothing below the routes reads one."""
    return datetime.now(UTC)


def desk_router(
    engine: sa.Engine, clock: Callable[[], datetime] = now, seal: Seal = lambda poll: None, beside: Beside = NOTHING
) -> APIRouter:
    """All routes of the room: `/api/polls/...` answers JSON, `/{language}/desk/...` pages.

    `beside` is what somebody else knows of protocols (stations.beside).
    """
    routes = APIRouter()
    routes.include_router(api.router(engine, clock, seal, beside))
    routes.include_router(desk.router(engine, clock, seal, beside))
    return routes
