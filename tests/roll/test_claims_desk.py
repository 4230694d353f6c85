"""Does the desk's home say that claims wait, and `serve` who asks? The site as the command builds it, with a roll behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from roll_people import iin_of, write_keys
from roll_site import ANNA, BORN, POLL, OneConnection, Site, site
from test_claims_second import typed

from dauys.cli import serve as command
from dauys.cli import site as shell
from dauys.cli.main import tree
from dauys.errors import DauysError
from dauys.roll import routes
from dauys.roll.lookup import Limits
from dauys.stations.accounts import first_account, make_account
from dauys.stations.states import Role
from site_client import SiteClient

pytestmark = pytest.mark.database
__all__ = ["site"]
PASSWORD = "a long pass phrase"


class Served:
    """Sites as `dauys serve` builds them, over one roll; no port answers."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.made: list[shell.Site] = []

    def client(self, **options: Any) -> SiteClient:
        engine = cast(sa.Engine, OneConnection(self.site.connection))
        made = shell.Site(engine, 0, clock=lambda: self.site.at, **options)
        self.made.append(made)
        return SiteClient(made.app, base_url="http://127.0.0.1", follow_redirects=False, client=("127.0.0.1", 4711))


@pytest.fixture
def served(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))
    (tmp_path / "keys").mkdir()
    write_keys(tmp_path)
    few = partial(routes.Office, limits=Limits(client=4))  # not thirty: as well for the rule
    monkeypatch.setattr(shell.roll_routes, "Office", few)
    made = Served(site)
    yield made
    for one in made.made:
        one._server._socket.close()  # it was never up


def asks(client: SiteClient, number: int, forwarded: str | None) -> int:
    form = {"poll": POLL, "iin": iin_of(date(1979, 10, 28), number), "born": BORN}
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return int(client.post("/en/roll", data=form, headers=headers).status_code)


def test_behind_a_proxy_each_citizen_has_the_limit_and_not_the_nation(served: Served) -> None:
    client = served.client(proxies=1)
    answers = [asks(client, 100 + n, f"203.0.113.{n}") for n in range(6)]
    assert answers == [200] * 6
    # what a client wrote himself stands to the left of what the proxy wrote, and is not believed
    guesses = [asks(client, 200 + n, f"198.51.100.{n}, 203.0.113.99") for n in range(5)]
    assert guesses == [200] * 4 + [429]


def test_without_the_option_no_header_is_believed(served: Served) -> None:
    client = served.client()
    assert [asks(client, 300 + n, f"203.0.113.{n}") for n in range(5)] == [200] * 4 + [429]


@pytest.mark.parametrize(("given", "expected"), [((), 0), (("--proxies", "2"), 2)])
def test_the_command_hands_the_number_of_proxies_on(
    monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], expected: int
) -> None:
    seen: list[int] = []

    def site(*args: object, proxies: int = -1, **more: object) -> None:
        seen.append(proxies)
        raise DauysError("enough")

    monkeypatch.setattr(command, "Site", site)
    monkeypatch.setattr(command, "open_store", lambda: None)
    CliRunner().invoke(tree, ["serve", *given])
    assert seen == [expected]
    assert CliRunner().invoke(tree, ["serve", "--proxies", "-1"]).exit_code == 2


def test_the_desk_s_home_leads_to_the_claims_that_wait(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    site, client = served.site, served.client()
    first_account(site.connection, "clerk", PASSWORD)
    make_account(site.connection, "a2", Role.STATION, PASSWORD, poll=POLL, station="A-2")
    make_account(site.connection, "typist", Role.TYPIST, PASSWORD)

    def home(name: str, language: str = "en") -> tuple[list[tuple[str, str]], str]:
        client.cookies.clear()
        assert client.post("/en/desk/in", data={"name": name, "password": PASSWORD}).status_code == 303
        page = client.get(f"/{language}/desk").text
        found = re.findall(r'data-claims="(\d+)" data-second="(\d+)"><a href="/\w+/desk/claims"', page)
        return found, page

    nothing = ("0", "0")
    others = home("clerk")[0][1:]  # in other polls that are open in this database
    assert set(others) <= {nothing}
    site.claim("place", address="x")  # of station A-1
    site.claim("name", surname="y")
    site.desk(ANNA, 2, act="accept", reason="seen", **typed(site.desk(ANNA, 2).text))
    found, page = home("clerk")
    assert sorted(found) == sorted([*others, ("1", "1")])
    assert "the oldest since 30 May 2022, 10:00" in page and "badge F" not in page  # in the poll's zone
    assert "ең ескісі" in home("clerk", "kk")[1] and "самое старое с" in home("clerk", "ru")[1]
    assert home("a2")[0] == [nothing] and home("typist")[0] == []
    site.at += timedelta(days=1)
    assert "badge F" in home("clerk")[1]
    site.at += timedelta(days=60)
    assert ("1", "1") not in home("clerk")[0]  # no list to claim about any more
