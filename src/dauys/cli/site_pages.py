"""Who may see the pages of other rooms behind the desk, by the session of its sign-in, and what of them waits for him?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from fastapi import Request

from dauys.cli.office import now
from dauys.errors import BadInput
from dauys.page_forms import Clerk
from dauys.registers.poll import Poll
from dauys.roll.claims import Waiting, waiting
from dauys.roll.pages import Officer
from dauys.roll.routes import PAST
from dauys.stations.accounts import account_of, form_mark
from dauys.stations.requests import COOKIE
from dauys.stations.states import Role
from dauys.store.engine import Connection


def centre_door(engine: sa.Engine) -> Callable[[Request], str | None]:
    """None for a clerk; the sign-in for who has not signed in; the desk for anybody else."""

    def door(request: Request) -> str | None:
        desk = f"/{request.url.path.split('/')[1]}/desk"
        try:
            with engine.connect() as connection:
                account = account_of(connection, request.cookies.get(COOKIE) or "", now())
        except BadInput:
            return f"{desk}/in"
        return None if account.role is Role.CLERK else desk

    return door


def claims_door(engine: sa.Engine) -> Callable[[Request], Officer | None]:
    """Who decides claims of errors on the roll: clerks, and a station's account for its own station."""

    def who(request: Request) -> Officer | None:
        token = request.cookies.get(COOKIE) or ""
        try:
            with engine.connect() as connection:
                account = account_of(connection, token, now())
        except BadInput:
            return None
        if account.role not in (Role.CLERK, Role.STATION):
            return None
        return Officer(account.author, form_mark(token), account.poll, account.station)

    return who


def claims_waiting(clock: Callable[[], datetime]) -> Callable[[Connection, Poll, str | None], Waiting | None]:
    """The claims about a poll's list that wait, as long as their page has the poll; None afterwards."""

    def of(connection: Connection, poll: Poll, station: str | None) -> Waiting | None:
        at = clock()
        return waiting(connection, poll.id, station, at) if poll.day >= (at - PAST).date() else None

    return of


def clerks_door(engine: sa.Engine) -> Callable[[Request], Officer | None]:
    """Who types a lost machine's paper and withdraws rights: clerks."""
    claims = claims_door(engine)

    def who(request: Request) -> Officer | None:
        officer = claims(request)
        return officer if officer is not None and officer.station is None else None

    return who


def observers_door(engine: sa.Engine) -> Callable[[Request], Clerk | None]:
    """Who decides about observers: clerks."""

    def who(request: Request) -> Clerk | None:
        token = request.cookies.get(COOKIE) or ""
        try:
            with engine.connect() as connection:
                account = account_of(connection, token, now())
        except BadInput:
            return None
        return Clerk(account.author, form_mark(token)) if account.role is Role.CLERK else None

    return who
