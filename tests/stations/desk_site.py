"""The routes of the room over a poll of nine stations, and people who use them: programs with a token, forms with a mark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sample_stations import open_sample, sample_poll

from dauys.stations.accounts import first_account, issue_token, make_account
from dauys.stations.routes import desk_router
from dauys.stations.states import Role
from dauys.web.render import render
from site_client import SiteClient

NOW = datetime(2022, 6, 5, 15, tzinfo=UTC)
POLL = "test/routes"
PASSWORD = "correct horse battery"


class OneConnection:
    """An engine whose every transaction is a savepoint of the test's connection, which is undone at the end."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def begin(self) -> Any:
        return self._Nested(self._connection)

    connect = begin

    class _Nested:
        def __init__(self, connection: sa.Connection) -> None:
            self.connection = connection

        def __enter__(self) -> sa.Connection:
            self.savepoint = self.connection.begin_nested()
            return self.connection

        def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
            (self.savepoint.rollback if kind else self.savepoint.commit)()


@pytest.fixture
def client(connection: sa.Connection) -> Iterator[SiteClient]:
    open_sample(connection, sample_poll(POLL), 9)
    first_account(connection, "clerk", PASSWORD)
    for name, role in (("ann", Role.TYPIST), ("bek", Role.TYPIST), ("cho", Role.RESOLVER)):
        make_account(connection, name, role, PASSWORD)
    make_account(connection, "s1", Role.STATION, PASSWORD, poll=POLL, station="s1")
    app = FastAPI()
    app.state.render = render
    app.include_router(desk_router(OneConnection(connection), lambda: NOW))  # type: ignore[arg-type]
    with SiteClient(app, base_url="http://desk.test", follow_redirects=False) as client:
        yield client


def bearer(connection: sa.Connection, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_token(connection, name, NOW + timedelta(hours=1))}"}


def enter(client: SiteClient, name: str, password: str = PASSWORD) -> Any:
    client.cookies.clear()
    return client.post("/en/desk/in", data={"name": name, "password": password})


def mark_of(page: str) -> str:
    found = re.search(r'name="mark" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def submit(client: SiteClient, address: str, **data: Any) -> Any:
    return client.post(address, data={"mark": mark_of(client.get(address).text), **data})
