"""The roll's pages over a small roll whose list is open to voters, and somebody at the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request
from roll_people import COMMISSION, VAULT, apply_rows, empty, open_poll, row

from dauys.cli.roll_rights import asking_back
from dauys.pollbook.settling import additions
from dauys.record.entry import Entry
from dauys.record.log import append, open_log
from dauys.registers.poll import Poll
from dauys.roll import pages, routes
from dauys.roll.lookup import Limits
from dauys.roll.pages import Officer
from dauys.roll.routes import Office
from dauys.web import render as rendering
from dauys.web.clerks import clerks_router
from site_client import SiteClient

POLL = "test/roll"
NOW = datetime(2022, 5, 30, 4, tzinfo=UTC)
LIST = {"open": 15, "claim": 0, "cite": "Elections law 24 to 26-1"}
BORN = "28.10.1979"
ANNA, BORIS = Officer("account/anna", "mark-of-anna"), Officer("account/boris", "mark-of-boris")


class OneConnection:
    """An engine whose every transaction is a savepoint of the test's connection, which is undone at the end."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def begin(self) -> Any:
        return self._Nested(self.connection)

    connect = begin

    class _Nested:
        def __init__(self, connection: sa.Connection) -> None:
            self.connection = connection

        def __enter__(self) -> sa.Connection:
            self.savepoint = self.connection.begin_nested()
            return self.connection

        def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
            (self.savepoint.rollback if kind else self.savepoint.commit)()


@dataclass
class Site:
    """The pages, their clock, and who is at the desk. `poll` is open, and its list too."""

    connection: sa.Connection
    client: SiteClient
    poll: Poll
    office: Office
    at: datetime = NOW
    officer: Officer | None = None

    def ask(self, iin: str, born: str = BORN, language: str = "en", **headers: str) -> Any:
        return self.client.post(f"/{language}/roll", data={"poll": POLL, "iin": iin, "born": born}, headers=headers)

    def claim(self, kind: str = "missing", iin: str | None = None, **fields: str) -> Any:
        page = self.client.get(f"/en/roll/claim?poll={POLL}&kind={kind}").text
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token is not None
        form = {"poll": POLL, "kind": kind, "token": token[1], "iin": iin or row(1)["iin"], "born": BORN} | fields
        return self.client.post("/en/roll/claim", data=form)

    def desk(self, officer: Officer | None, number: int | None = None, **form: str) -> Any:
        self.officer = officer
        address = "/en/desk/claims" if number is None else f"/en/desk/claims/{number}"
        if not form:
            return self.client.get(address)
        return self.client.post(address, data={"mark": officer.mark if officer else ""} | form)

    def count(self, table: str) -> int:
        found = self.connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
        assert isinstance(found, int)
        return found


def number_in(answer: Any) -> str:
    found = re.search(r'data-number="([^"]+)"', answer.text)
    assert found is not None, answer.text
    return found[1]


def open_with_list(connection: sa.Connection, own: Mapping[str, Any] | None = None) -> Poll:
    """The sample poll whose own file says when its list is open."""
    poll = replace(open_poll(connection, "test/roll-plain"), id=POLL, voting={"list": dict(own or LIST)})
    open_log(connection, poll.id, f"test.example/{poll.id}")
    append(connection, poll.id, [Entry(poll.id, "poll", "poll", NOW.isoformat(), "commission", poll.to_json())])
    connection.execute(
        sa.text("INSERT INTO station (poll, id, area, eligible) SELECT :new, id, area, eligible FROM station WHERE poll = :old"),
        {"new": POLL, "old": "test/roll-plain"},
    )  # fmt: skip
    return poll


@pytest.fixture
def site(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Voters 1 and 2 at A-1, voter 3 in prison; 12 look-ups in ten minutes, 10 an hour about one IIN."""
    if "roll" not in rendering.ROOMS:
        monkeypatch.setattr(rendering, "ROOMS", (*rendering.ROOMS, "roll"))
        rendering.environment.cache_clear()
    empty(connection)
    connection.exec_driver_sql("ALTER SEQUENCE roll_claim_id_seq RESTART")
    rows = [row(1), row(2), row(3, status="prison", since="2022-01-01", source="court 7")]
    apply_rows(connection, tmp_path, rows)
    app = FastAPI()
    app.state.render = rendering.render
    made: list[Site] = []
    office = Office(
        lambda: VAULT, lambda: made[0].at, additions, limits=Limits(client=12), seal=lambda poll: COMMISSION,
        ask_back=asking_back(lambda: VAULT),
    )  # fmt: skip
    engine: Any = OneConnection(connection)

    def who(request: Request) -> Officer | None:
        return made[0].officer

    app.include_router(routes.router(engine, office))
    app.include_router(clerks_router(pages.desk_pages(engine, office), who))
    with SiteClient(app, base_url="http://roll.test", follow_redirects=False) as client:
        made.append(Site(connection, client, open_with_list(connection), office))
        yield made[0]


LATER = timedelta(hours=2)
