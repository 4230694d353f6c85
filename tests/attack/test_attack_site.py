"""What can outsiders, stations and clumsy browsers do to the site? Read it and be refused: no answer is a 500, nothing is half-kept."""

from __future__ import annotations

import gzip
import html
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from hostile_poll import NOW, SIGNER, STRANGE, VALUES, opened

from dauys.polls.keys import Keys
from dauys.publish.bundle import write_bundle
from dauys.publish.record_routes import record_router
from dauys.publish.verify import verify
from dauys.record import log
from dauys.record.entry import Entry, sign_entry
from dauys.record.tiles import folder_fetch
from dauys.stations.accounts import first_account, issue_token, make_account
from dauys.stations.routes import desk_router
from dauys.stations.states import Role
from dauys.store.migrate import migrate
from dauys.web.app import create_app
from site_client import SiteClient

pytestmark = pytest.mark.database
POLL = "test/hostile"
API = f"/api/polls/{POLL}"
PASSWORD = "correct horse battery"
JSON = {"Content-Type": "application/json"}


class Site:
    """The whole site over a database of its own, with a clerk's and a station's token."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        self.engine = engine
        with engine.begin() as connection:
            _, self.keys = opened(connection, POLL)
            first_account(connection, "clerk", PASSWORD)
            make_account(connection, "signs", Role.STATION, PASSWORD, poll=POLL, station="signs")
            self.clerk, self.station = (
                {"Authorization": f"Bearer {issue_token(connection, name, NOW + timedelta(hours=1))}"}
                for name in ("clerk", "signs")
            )

        def keys(poll: str) -> Keys | None:
            return self.keys if poll == POLL else None

        desk = desk_router(engine, lambda: NOW, lambda poll: self.keys.commission)
        self.app = create_app(engine, [record_router(engine, keys), desk], folder)
        self.client = self.another()

    def another(self) -> SiteClient:
        """A client that lets an exception through: a 500 is one."""
        return SiteClient(self.app, base_url="http://desk.test", follow_redirects=False)

    def send(self, body: Any, way: str = "protocols", headers: dict[str, str] | None = None) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            f"{API}/{way}", content=data, headers=JSON | (self.clerk if headers is None else headers)
        )

    def size(self) -> int:
        with self.engine.connect() as connection:
            return log.size(connection, POLL)


@pytest.fixture(scope="module")
def site(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What this site keeps is seen by no other test: a database beside theirs."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE attack")
    own = sa.create_engine(engine.url.set(database="attack"))
    migrate(own)
    yield Site(own, tmp_path_factory.mktemp("maps"))
    own.dispose()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP DATABASE attack")


def test_strange_stations_are_stations(site: Site) -> None:
    """Slashes, quotes, percent signs, markup: taken, shown as text, found again under their address."""
    for station in STRANGE:
        assert site.send({"station": station, **VALUES}).status_code == 200
    pages = [f"/en/polls/{POLL}/stations/{quote(station, safe='')}" for station in STRANGE if "%2e" not in station]
    pages += [f"/{lang}/polls/{POLL}/{page}" for lang in ("kk", "ru", "en") for page in ("", "areas/A3", "quarantine")]
    for page in pages:
        answer = site.client.get(page)
        assert answer.status_code == 200, page
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text
        assert "49" not in re.findall(r"{{7\*7}}|49", html.unescape(answer.text)) or "7*7" not in page
        assert "unsafe" not in answer.headers["content-security-policy"]


ADDRESSES = ("/en/polls/{}/", "/en/polls/test/hostile/stations/{}", "/en/polls/test/hostile/areas/{}.json", "/events/{}",
             "/record/{}/checkpoint", "/record/{}/keys.json", "/record/test/hostile/tile/{}", "/record/{}/tile/0/000",
             "/record/test/hostile/{}", "/record/test/hostile/checkpoints/{}", "/api/polls/{}/checks", "/static/{}",
             "/{}", "/en/polls/test/hostile/areas/A3?start={}", "/en/desk/{}/type", "/en/desk/test/hostile/correct?station={}")  # fmt: skip


@pytest.mark.parametrize("text", ["%00", "%ff", "%ed%a0%80", "..%2f..%2f..%2fetc%2fpasswd", "%0d%0aSet-Cookie:%20a=b", "a" * 4000,
                                  "%E2%80%AE", "'%22%3E%3Cscript%3Ealert(1)", "-1", "9" * 30, "x999/x999/x999/999"])  # fmt: skip
def test_an_address_that_is_none(site: Site, text: str) -> None:
    for address in ADDRESSES:
        answer = site.client.get(address.format(text))
        assert answer.status_code in (303, 307, 400, 404, 422), address
        assert "set-cookie" not in answer.headers
        assert "root:" not in answer.text
        assert "<script>alert" not in answer.text or "html" not in answer.headers["content-type"]


@pytest.mark.parametrize("name, value", [
    ("Origin", "http://["), ("Origin", "null"), ("Origin", "http://evil.test"), ("Origin", "desk.test"),
    ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Site", ""),
])  # fmt: skip
def test_a_browser_on_another_site_sends_nothing(site: Site, name: str, value: str) -> None:
    client = site.another()
    client.post("/en/desk/in", data={"name": "clerk", "password": PASSWORD})
    assert client.cookies.get("dauys_desk")
    before = site.size()
    body = json.dumps({"station": "s0", **VALUES}).encode()
    assert client.post(f"{API}/protocols", content=body, headers=JSON | {name: value}).status_code == 403
    assert (
        client.post("/en/desk/in", data={"name": "clerk", "password": PASSWORD}, headers={name: value}).status_code
        == 403
    )
    assert site.size() == before


def test_headers_that_are_none(site: Site) -> None:
    for name, value in (("Authorization", "Bearer \xff"), ("Authorization", "Bearer"), ("Authorization", "Basic x"),
                        ("Cookie", "dauys_desk=\xff"), ("Cookie", "dauys_desk=" + "x" * 4000)):  # fmt: skip
        answer = site.client.post(f"{API}/protocols", content=b"[", headers=JSON | {name: value.encode("latin-1")})  # type: ignore[dict-item]
        assert answer.status_code == 401
    for value in ("q=;;,x;q=nan,en;q=inf", "," * 4000, "*;q=-1"):
        assert site.client.get("/", headers={"Accept-Language": value}).status_code == 307


BODIES: dict[str, tuple[str, Any, int, str | None]] = {
    # way, body, status, number
    "lists in lists": ("protocols", b"[" * 100_000, 422, "F.017"),
    "objects in objects": ("turnout", b'{"a":' * 100_000, 422, "F.017"),
    "a correction without end": ("corrections", b"[" * 100_000, 422, "F.017"),
    "NUL": ("protocols", {"station": "\0", **VALUES}, 422, "F.005"),
    "half a character": ("protocols", {"station": "\ud800", **VALUES}, 422, "F.005"),
    "a key that is half a character": ("protocols", {"\ud800": 1}, 422, "F.009"),
    "UTF-16": ("protocols", json.dumps(VALUES).encode("utf-16"), 422, "F.017"),
    "nothing": ("protocols", b"", 422, "F.017"),
    "null": ("protocols", None, 422, "F.017"),
    "a key twice": ("protocols", b'{"a":1,"a":2}', 422, "F.017"),
    "a number without end": ("protocols", b'{"yes":' + b"9" * 5_000 + b"}", 422, "F.017"),
    "a number beyond 64 bits": ("protocols", {"station": "s1", **VALUES, "yes": 10**30}, 422, "F.015"),
    "a yesterday": ("protocols", {"station": "s1", **VALUES, "at": "yesterday"}, 422, "F.027"),
    "the first of days": ("protocols", {"station": "s1", **VALUES, "at": "0001-01-01T00:00:00+14:00"}, 422, "F.027"),
    "words without end": ("protocols", {"station": "s1", **VALUES, "words": {"yes": "a " * 50_000}}, 422, None),
    "in another's name": ("protocols", {"station": "s1", **VALUES, "by": "commission"}, 403, "F.040"),
    "a signature that is none": ("protocols", {"station": "signs", **VALUES, "sig": "x"}, 422, "F.026"),
    "an hour that is none": ("turnout", {"station": "s1", "time": "\0", "eligible": 1, "received": 1}, 422, "F.005"),
    "a long hour": ("turnout", {"station": "s1", "time": "1" * 5000, "eligible": 1, "received": 1}, 422, "F.033"),
    "a station of NUL": ("corrections", {"station": "\0", "after": VALUES, "reason": "r"}, 422, "F.005"),
    "a station of half": ("corrections", {"station": "\ud800", "after": VALUES, "reason": "r"}, 422, "F.005"),
    "a reason of half": ("corrections", {"station": "s0", "after": VALUES, "reason": "\ud800"}, 422, "F.005"),
    "a field of half": ("corrections", {"station": "s0", "after": {"\ud800": 1}, "reason": "r"}, 422, "F.035"),
    "a member of half": ("corrections", {"\ud800": 1}, 422, "F.009"),
    "no contest": ("corrections", {"station": "s0", "after": VALUES, "reason": "r", "contest": "no"}, 422, "F.022"),
    "no moment": ("corrections", {"station": "s0", "after": VALUES, "reason": "r", "at": "x", "sig": "x"}, 422, "F.0"),
    "no protocol": ("corrections", {"station": "s7", "after": VALUES, "reason": "r"}, 422, "F.029"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_taken(site: Site, name: str) -> None:
    way, body, status, number = BODIES[name]
    before = site.size()
    answer = site.send(body, way)
    assert answer.status_code == status, answer.text
    assert number is None or answer.json()["error"]["check"].startswith(number)
    assert answer.json()["error"]["message"]
    assert site.size() == before


def test_who_has_no_token_is_not_read(site: Site) -> None:
    """Thirty megabytes of lists are a gigabyte in memory: nobody has them parsed before saying who they are."""
    for way in ("protocols", "turnout", "corrections"):
        assert site.send(b"[" * 100_000, way, headers={}).status_code == 401
    assert site.send(b" " * (33 << 20)).json()["error"]["check"] == "F.017"


def test_a_station_speaks_for_itself_alone(site: Site) -> None:
    other = {**VALUES, "station": "s5"}
    for body in (
        other,
        {"Station": "s5", **VALUES},
        {"values": other},
        [{"station": "signs", **VALUES}, {"учаске": "s5", **VALUES}],
    ):
        assert site.send(body, headers=site.station).status_code in (403, 422), body
    assert site.send({"station": "s5", "after": VALUES, "reason": "r"}, "corrections", site.station).status_code == 403
    upload = site.client.post(f"{API}/protocols/file?name=p.csv", content=b"station\n", headers=site.station)
    assert upload.status_code == 403
    assert "Role" not in upload.text


def test_a_station_cannot_take_the_pages_down_by_its_clock(site: Site) -> None:
    """A time near the end of the calendar once made every page that shows it fail: no zone could hold it."""
    body = {"contest": "charter", "station": "signs", "values": VALUES}
    for at in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "8999-12-31T23:59:59-12:00"):
        good = Entry(POLL, "protocol", "protocol/charter/signs", "2022-06-05T21:00:00+06:00", "signs", body)
        try:
            sig = sign_entry(Entry(POLL, "protocol", good.id, at, "signs", body), SIGNER).sig
        except Exception:  # noqa: BLE001 - the record itself refuses it
            sig = sign_entry(good, SIGNER).sig
        site.send({"station": "signs", **VALUES, "at": at, "sig": sig}, headers=site.station)
    for page in (f"/kk/polls/{POLL}/", f"/en/polls/{POLL}/stations/signs", f"/ru/polls/{POLL}/record"):
        assert site.client.get(page).status_code == 200


@pytest.mark.parametrize(
    "name", ["../../x.csv", "/etc/p.csv", "p.csv", "P.CSV.GZ", "x" * 3000 + ".csv", "p.exe", "", "p.json", "p.parquet"]
)
def test_an_uploads_name_is_no_path(site: Site, name: str) -> None:
    rows = ("station," + ",".join(VALUES) + "\ns4," + ",".join(map(str, VALUES.values())) + "\n").encode()
    data = gzip.compress(rows)[:-3] if name.endswith(".GZ") else rows
    answer = site.client.post(f"{API}/protocols/file", params={"name": name}, content=data, headers=site.clerk)
    assert answer.status_code == (200 if name.lower().endswith(".csv") else 422)
    assert "/tmp" not in answer.text and "dauys-upload" not in answer.text


# --- the desk ------------------------------------------------------------------------------------------------------

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_the_door_of_the_desk(site: Site) -> None:
    client = site.another()
    for body, status in (
        (b"name=%00&password=%ff%fe", 401),
        (b"name=" + b"x" * 100_000 + b"&password=y", 401),
        (b"name=clerk&password=" + b"x" * (2 << 20), 413),
        (b"a=1&" * 100_000, 400),
        (b"", 401),
    ):
        assert client.post("/en/desk/in", content=body, headers=FORM).status_code == status
    assert client.post("/en/desk/in", content=iter([b"name=x"] * 9), headers=FORM).status_code == 411
    assert client.post(
        "/en/desk/in", content=b"--x\r\nno", headers={"Content-Type": "multipart/form-data; boundary=x"}
    ).status_code in (400, 401)
    assert not client.cookies


def test_the_desk_itself(site: Site) -> None:
    client = site.another()
    client.post("/en/desk/in", data={"name": "clerk", "password": PASSWORD})
    page = client.get(f"/en/desk/{POLL}/type").text
    mark = re.search(r'name="mark" value="([0-9a-f]+)"', page)
    assert mark
    form = {name: str(value) for name, value in VALUES.items()} | {"mark": mark[1]}
    before = site.size()
    for path, changes, status in (
        ("type", {"station": "\0"}, 422),
        ("type", {"station": STRANGE[0] + "x"}, 422),
        ("type", {"station": "s7", "yes": "9" * 5000}, 422),
        ("type", {"station": "s7", "yes": "0" * 5000}, 422),
        ("type", {"station": "s7", "mark": ""}, 403),
        ("type", {"station": "s7", "mark": "\u00e9"}, 403),
        ("type?contest=%3Cscript%3E", {"station": "s7"}, 422),
        ("correct?station=nobody", {"reason": "r"}, 422),
        ("correct?station=s0", {"reason": "r" * 70_000}, 422),
    ):
        answer = client.post(f"/en/desk/{POLL}/{path}", data=form | changes)
        assert answer.status_code == status, (path, changes, answer.status_code)
        assert "<script>alert" not in answer.text
    assert site.size() == before
    client.post("/en/desk/out", data={"mark": mark[1]})
    assert client.post(f"/en/desk/{POLL}/type", data=form | {"station": "s7"}).status_code == 303  # to the door


# --- at the same time ----------------------------------------------------------------------------------------------


def at_once(site: Site, times: int, act: Any) -> Counter[Any]:
    found: list[Any] = []

    def one(number: int) -> None:
        try:
            found.append(act(site.another(), number))
        except Exception as error:  # noqa: BLE001 - a 500 in a thread would go unseen
            found.append(type(error).__name__)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(found)


def test_of_contradicting_protocols_one_is_taken(site: Site) -> None:
    def send(client: SiteClient, yes: int) -> Any:
        body = json.dumps({"station": "s8", **VALUES, "yes": yes, "no": 400 - yes}).encode()
        answer = client.post(f"{API}/protocols", content=body, headers=JSON | site.clerk)
        return answer.status_code, answer.json().get("error", {}).get("check")

    before = site.size()
    assert at_once(site, 6, send) == {(200, None): 1, (409, "F.025"): 5}
    assert site.size() == before + 1


def test_a_protocol_replayed_at_once_is_there_once(site: Site) -> None:
    before = site.size()
    body = json.dumps({"station": "s6", **VALUES}).encode()
    answers = at_once(
        site, 6, lambda client, _: client.post(f"{API}/protocols", content=body, headers=JSON | site.clerk).text[-8:]
    )
    assert sum(answers.values()) == 6 and len(answers) == 2
    assert site.size() == before + 1


def test_readers_of_a_new_state_get_the_same_one(site: Site) -> None:
    """Both find it unsigned and sign it: the second one once failed."""
    for station in ("s1", "s2", "s3"):
        site.send({"station": station, "time": "12:00", "eligible": 500, "received": 1}, "turnout")
        read = at_once(site, 5, lambda client, _: client.get(f"/record/{POLL}/checkpoint").text)
        assert len(read) == 1


def test_after_all_this_the_record_is_proven(site: Site, tmp_path: Path) -> None:
    with site.engine.begin() as connection:
        bundle = write_bundle(connection, POLL, site.keys, tmp_path / "bundle")
    assert [check for check in verify(folder_fetch(bundle)) if not check.ok] == []
