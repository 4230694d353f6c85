"""Who may see the pages of other rooms behind the desk? By the session that somebody signed in with there."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from fastapi import Request

from dauys.cli.office import now
from dauys.errors import BadInput
from dauys.observe.accreditation import desk as observers_desk
from dauys.roll.pages import Officer
from dauys.stations.accounts import account_of, form_mark
from dauys.stations.requests import COOKIE
from dauys.stations.states import Role


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


def clerks_door(engine: sa.Engine) -> Callable[[Request], Officer | None]:
    """Who types a lost machine's paper and withdraws rights: clerks."""
    claims = claims_door(engine)

    def who(request: Request) -> Officer | None:
        officer = claims(request)
        return officer if officer is not None and officer.station is None else None

    return who


def observers_door(engine: sa.Engine) -> Callable[[Request], observers_desk.Officer | None]:
    """Who decides about observers: clerks."""

    def who(request: Request) -> observers_desk.Officer | None:
        token = request.cookies.get(COOKIE) or ""
        try:
            with engine.connect() as connection:
                account = account_of(connection, token, now())
        except BadInput:
            return None
        return observers_desk.Officer(account.author, form_mark(token)) if account.role is Role.CLERK else None

    return who
