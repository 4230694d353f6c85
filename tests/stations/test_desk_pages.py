"""The desk on the night: reports by hour, files looked at before they are sent, annulments by two, accounts, taking back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from desk_site import NOW, PASSWORD, POLL, SiteClient, bearer, enter, mark_of, submit
from sample_stations import GOOD

from dauys.record.log import entry_at, of_kind, size
from dauys.stations import desk_files, sending
from dauys.stations.accounts import issue_token, made_password, make_account
from dauys.stations.states import Role

pytestmark = pytest.mark.database
DESK = f"/en/desk/{POLL}"
FIELDS = {name: str(value) for name, value in GOOD.items()}


def table(*rows: Mapping[str, Any]) -> bytes:
    return "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]).encode()


def upload(client: SiteClient, content: bytes, name: str = "p.csv", **data: str) -> Any:
    mark = mark_of(client.get(f"{DESK}/file").text)
    return client.post(f"{DESK}/file", data={"mark": mark, **data}, files={"file": (name, content)})


def count(connection: sa.Connection, table: str) -> Any:
    return connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE poll = '{POLL}'"))


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("name", ["clerk", "ann", "cho", "s1"])
def test_every_link_of_the_desk_opens_for_its_role_in_every_language(
    client: SiteClient, name: str, language: str
) -> None:
    enter(client, name)
    seen, due = set[str](), [f"/{language}/desk"]
    while due:
        address = due.pop()
        answer = client.get(address)
        assert answer.status_code == 200, address
        seen.add(address)
        links = {link.replace("&amp;", "&") for link in re.findall(r'href="([^"#]*)"', answer.text)}
        due += [link for link in links if link.startswith(f"/{language}/desk") and link not in {*seen, *due}]
    expected = {"clerk": 10, "ann": 3, "cho": 2, "s1": 4}
    mine = {page for page in seen if page.count("/") < 4 or page.startswith(f"/{language}/desk/{POLL}")}
    assert len(mine) == expected[name], seen  # other tests leave polls in the same database


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        ("ann", ["send", "resolve", "quarantine", "correct", "turnout", "correct-turnout", "file", "annul"]),
        ("cho", ["type", "send", "quarantine", "correct", "turnout", "correct-turnout", "file", "annul"]),
        ("s1", ["type", "resolve", "quarantine", "correct", "correct-turnout", "file", "annul"]),
        ("clerk", ["send", "resolve"]),
    ],
)
def test_every_role_is_kept_to_its_pages(
    client: SiteClient, connection: sa.Connection, name: str, closed: list[str]
) -> None:
    enter(client, name)
    mark, before = mark_of(client.get("/en/desk").text), size(connection, POLL)
    pages = [f"{DESK}/{page}" for page in closed] + (["/en/desk/accounts"] if name != "clerk" else [])
    form = {
        "mark": mark,
        "station": "s1",
        "time": "12:00",
        "reason": "r",
        "cite": "c",
        "area": "A",
        "name": "x",
        **FIELDS,
    }
    for page in pages:
        assert client.get(page).status_code == 403
        assert client.post(page, data=form).status_code == 403
        assert client.post(page, data=form | {"mark": "0" * 64}).status_code == 403
    assert size(connection, POLL) == before and count(connection, "proposal") == 0


def test_reports_by_hour_and_the_stations_that_are_silent(client: SiteClient, connection: sa.Connection) -> None:
    enter(client, "clerk")
    page = client.get(f"{DESK}/turnout").text
    assert "<option selected>18:00" in page  # 15:00 UTC is 21:00 in Almaty: 18:00 is the last hour that is due
    assert page.count('href="?time=18%3A00&amp;area=&amp;station=') == 9
    done = submit(client, f"{DESK}/turnout", station="s4", time="12:00", eligible="1000", received="300").text
    assert 'data-station="s4" data-state="accepted"' in done and "station=s4" not in done and "station=s5" in done
    held = submit(client, f"{DESK}/turnout", station="s5", time="12:00", eligible="1000", received="1300").text
    assert 'data-state="quarantined"' in held and "Reports with errors" in held and "F.111" in held
    bad = submit(client, f"{DESK}/turnout", station="s6", time="12:00", eligible="1 000", received="300")
    assert bad.status_code == 422 and "F.012" in bad.text and 'value="1 000"' in bad.text and 'value="s6"' in bad.text
    for wrong in ({"station": "x9"}, {"time": "13:00"}, {"station": ""}):
        form = {"station": "s6", "time": "12:00", "eligible": "1000", "received": "3"} | wrong
        assert submit(client, f"{DESK}/turnout", **form).status_code == 422
    assert count(connection, "turnout") == 2
    assert "station=s0" in client.get(f"{DESK}/turnout?time=12:00&area=A").text
    assert "station=s1" not in client.get(f"{DESK}/turnout?time=12:00&area=A").text


def test_a_station_reports_for_itself_alone(client: SiteClient, connection: sa.Connection) -> None:
    enter(client, "s1")
    page = submit(client, f"{DESK}/turnout", station="s2", time="12:00", eligible="1000", received="300").text
    assert 'data-station="s1"' in page and "Not yet reported" not in page
    assert connection.scalar(sa.text("SELECT station FROM turnout WHERE poll = :p"), {"p": POLL}) == "s1"


def test_a_station_sends_its_protocol_once(client: SiteClient, connection: sa.Connection) -> None:
    enter(client, "s1")
    bad = submit(client, f"{DESK}/send", **(FIELDS | {"yes": ""}))
    assert bad.status_code == 422 and "F.011" in bad.text
    sent = submit(client, f"{DESK}/send", **(FIELDS | {"yes": "501"}), yes_words="five hundred and one").text
    assert 'data-state="quarantined"' in sent and "F.101" in sent and "<button>Send</button>" not in sent
    entry = of_kind(connection, POLL, "protocol")[0][1]
    assert (entry.body["station"], entry.by, entry.body["words"]) == (
        "s1",
        "account/s1",
        {"yes": "five hundred and one"},
    )
    mark = mark_of(client.get("/en/desk").text)
    assert client.post(f"{DESK}/send", data={"mark": mark, **FIELDS}).status_code == 409


def test_a_report_is_corrected_with_a_reason(client: SiteClient, connection: sa.Connection) -> None:
    enter(client, "clerk")
    submit(client, f"{DESK}/turnout", station="s4", time="12:00", eligible="1000", received="300")
    other = submit(client, f"{DESK}/turnout", station="s4", time="12:00", eligible="1000", received="200")
    assert other.status_code == 409 and "correct-turnout?station=s4&amp;time=12%3A00" in other.text
    address = f"{DESK}/correct-turnout?station=s4&time=12:00"
    of = re.search(r'name="of" value="(\d+)"', client.get(address).text)
    assert of
    form = {"eligible": "1000", "received": "200", "of": of[1]}
    assert submit(client, address, **form, reason=" ").status_code == 422
    named = submit(client, address, **form, reason="by 791028302728")
    assert named.status_code == 422 and "P.077" in named.text
    sent = submit(client, address, **form, reason="two digits were swapped")
    assert 'data-station="s4" data-version="1"' in client.get(sent.headers["location"]).text
    (seq, entry), = of_kind(connection, POLL, "turnout-correction")  # fmt: skip
    assert entry.id == "turnout-correction/s4/12:00/1" and entry.body["clerk" if "clerk" in entry.body else "reason"]
    assert entry.body["before"] == {"eligible": 1000, "received": 300} and entry.body["of"] == int(of[1])
    assert submit(client, address, **form, reason="two digits were swapped").status_code == 303  # sent again: the same
    assert submit(client, address, **(form | {"received": "250"}), reason="late").status_code == 409
    assert size(connection, POLL) == seq + 1
    assert client.get(f"{DESK}/correct-turnout?station=s8&time=12:00").status_code == 422


def test_a_report_is_corrected_over_http(client: SiteClient, connection: sa.Connection) -> None:
    who, base = bearer(connection, "clerk"), f"/api/polls/{POLL}"
    client.post(
        f"{base}/turnout", json={"station": "s4", "time": "12:00", "eligible": 1000, "received": 300}, headers=who
    )
    body = {"station": "s4", "time": "12:00", "after": {"eligible": 1000, "received": 30}, "reason": "typing error"}

    def send(**changes: Any) -> Any:
        return client.post(f"{base}/corrections", json=body | changes, headers=who)

    receipt = send().json()["receipts"][0]
    assert (receipt["contest"], receipt["state"], receipt["replayed"]) == ("12:00", "accepted", False)
    assert send().json()["receipts"][0] == receipt | {"replayed": True}
    for changes, check in (
        ({"contest": "q1"}, "F.009"), ({"time": "13:00"}, "F.033"), ({"time": "18:00"}, "F.029"),
        ({"after": {"received": 30}}, "F.035"), ({"after": {"eligible": 1000, "received": -1}}, "F.014"),
        ({"before": {"eligible": 1, "received": 1}, "reason": "x"}, "F.030"), ({"reason": "other"}, "F.032"),
        ({"sig": "AAAA", "reason": "x", "after": {"eligible": 1, "received": 1}}, "F.026"),
    ):  # fmt: skip
        assert send(**changes).json()["error"]["check"] == check
    assert client.post(f"{base}/corrections", json=body, headers=bearer(connection, "s1")).status_code == 403
    assert connection.execute(
        sa.text("SELECT received, version FROM turnout WHERE poll = :p"), {"p": POLL}
    ).one() == (30, 1)  # fmt: skip


def test_a_file_is_looked_at_first_and_nothing_of_that_stays(client: SiteClient, connection: sa.Connection) -> None:
    enter(client, "clerk")
    before = size(connection, POLL)
    rows = [{"station": f"s{n}", **GOOD} for n in range(4)] + [{"station": "s4", **GOOD, "yes": 501}]
    looked = upload(client, table(*rows)).text
    assert (
        "Nothing is sent yet" in looked and "F.101" in looked and "2,501" in looked and 'data-waiting="p.csv"' in looked
    )
    assert size(connection, POLL) == before and count(connection, "protocol") == 0 and count(connection, "upload") == 1
    assert "p.csv" in client.get("/en/desk").text
    kept = re.search(r'name="kept" value="([^"]+)"', looked)
    assert kept
    for wrong in ({"act": "send"}, {"act": "send", "kept": "2020-01-01T00:00:00+00:00"}):
        assert submit(client, f"{DESK}/file", **wrong).status_code == 409
    assert "Nothing is sent yet" in submit(client, f"{DESK}/file", act="look").text
    sent = submit(client, f"{DESK}/file", act="send", kept=kept[1]).text
    assert 'data-sent="5"' in sent and "Nothing is sent yet" not in sent
    assert count(connection, "protocol") == 5 and count(connection, "upload") == 0
    again = upload(client, table(*rows)).text
    assert "<dt>Was in already, the same</dt><dd>5</dd>" in again
    submit(client, f"{DESK}/file", act="forget")
    assert count(connection, "upload") == 0
    assert {entry_at(connection, POLL, seq).by for seq in range(before, size(connection, POLL))} == {"account/clerk"}


def test_a_file_that_cannot_be_taken_is_not_kept(
    client: SiteClient, connection: sa.Connection, monkeypatch: Any
) -> None:
    enter(client, "clerk")
    good = {"station": "s0", **GOOD}
    for content, name, check, extra in (
        (table(good, {**good, "station": "s1", "yes": "1 2"}), "p.csv", "F.016", {}),
        (table(good, {**good, "station": "x9"}), "p.csv", "F.020", {}),
        (table(good), "p.xlsx", "F.001", {}),
        (b"", "p.csv", "F.002", {}),
        (table(good), "p.csv", "F.036", {"columns": "yes"}),
        (b"station,yes\ns0,1", "p.csv", "F.010", {}),
    ):
        answer = upload(client, content, name, **extra)
        assert answer.status_code == 422 and check in answer.text and "dauys-upload" not in answer.text
    assert "<dt>Row</dt><dd>3</dd>" in upload(client, table(good, {**good, "station": "x9"})).text
    monkeypatch.setattr(desk_files, "LARGEST_FILE", 100)
    assert upload(client, table(good) * 20).status_code == 422
    length = {"Content-Length": str(sending.LARGEST_FILE * 2)}
    assert client.post(f"{DESK}/file", content=b"x", headers=length).status_code == 413
    assert submit(client, f"{DESK}/file").status_code == 422  # no file at all
    assert count(connection, "upload") == 0 and count(connection, "protocol") == 0


def test_a_file_of_other_columns_and_one_of_reports(client: SiteClient, connection: sa.Connection) -> None:
    enter(client, "clerk")
    row = {"number": "s0", **{f"n_{name}": value for name, value in GOOD.items()}}
    columns = "\r\n".join(["station = number", *(f"{name}=n_{name}" for name in GOOD)])
    assert "Nothing is sent yet" in upload(client, table(row), columns=columns).text
    reports = [{"station": f"s{n}", "time": t, "eligible": 1000, "received": r}
               for n in (0, 1) for t, r in (("10:00", 100), ("12:00", 50))]  # fmt: skip
    looked = upload(client, table(*reports), about="turnout").text
    kept = re.search(r'name="kept" value="([^"]+)"', looked)
    assert kept and "W.102" in looked and count(connection, "turnout") == 0
    assert 'data-sent="4"' in submit(client, f"{DESK}/file", act="send", kept=kept[1]).text
    assert count(connection, "turnout") == 4 and count(connection, "protocol") == 0


def test_two_clerks_annul(client: SiteClient, connection: sa.Connection) -> None:
    make_account(connection, "dana", Role.CLERK, PASSWORD)
    rows = [{"station": f"s{n}", **GOOD} for n in range(9)]
    client.post(f"/api/polls/{POLL}/protocols", json=rows, headers=bearer(connection, "clerk"))
    enter(client, "clerk")
    before, terms = size(connection, POLL), {"reason": "the boxes were opened", "cite": "art. 32"}
    for bad in ({"area": "A"}, {"area": "Z", **terms}, {"station": "x9", **terms}, terms):
        assert submit(client, f"{DESK}/annul", **bad).status_code == 422
    page = submit(client, f"{DESK}/annul", area="A", repeat="yes", **terms).text
    assert 'data-state="proposed"' in page and "leave the sums: 3" in page and 'value="confirm"' not in page
    assert submit(client, f"{DESK}/annul", area="A", **terms).status_code == 409
    place = {"contest": "q1", "whole": "yes", "place": "A"}
    assert submit(client, f"{DESK}/annul", act="confirm", **place).status_code == 403  # not by who proposed it
    assert size(connection, POLL) == before
    enter(client, "dana")
    assert "waiting for a second clerk: 1" in client.get("/en/desk").text
    page = submit(client, f"{DESK}/annul", act="confirm", **place).text
    assert 'data-place="A" data-state="annulled"' in page
    (_, entry), = of_kind(connection, POLL, "annulment")  # fmt: skip
    assert (entry.id, entry.body["repeat"], entry.body["cite"]) == ("annulment/q1/A", True, "art. 32")
    assert "account/clerk + account/dana" in (entry.by, entry.body.get("clerk"))
    assert submit(client, f"{DESK}/annul", act="confirm", **place).status_code == 409
    assert submit(client, f"{DESK}/annul", area="A", **terms).status_code == 409
    states = sa.text("SELECT station, state FROM protocol WHERE poll = :p AND state = 'annulled' ORDER BY station")
    assert [row.station for row in connection.execute(states, {"p": POLL})] == ["s0", "s3", "s6"]
    submit(client, f"{DESK}/annul", station="s1", **terms)
    submit(client, f"{DESK}/annul", act="withdraw", contest="q1", whole="no", place="s1")
    assert count(connection, "proposal") == 0 and len(of_kind(connection, POLL, "annulment")) == 1


def test_a_clerk_makes_and_ends_accounts(client: SiteClient, connection: sa.Connection) -> None:
    enter(client, "clerk")
    accounts = "/en/desk/accounts"
    page = submit(client, accounts, act="make", name="eli", role="typist", poll=POLL).text
    password = re.search(r"<code data-password>([^<]+)</code>", page)
    assert password and password[1] not in client.get(accounts).text
    for bad in (
        {"name": "eli", "role": "typist"}, {"name": " ", "role": "typist"}, {"name": "x", "role": "king"},
        {"name": "s9", "role": "station", "poll": POLL, "station": "x9"}, {"name": "s9", "role": "station", "poll": POLL},
    ):  # fmt: skip
        assert submit(client, accounts, act="make", **bad).status_code == 422
    assert (
        'data-state="made"'
        in submit(client, accounts, act="make", name="s2", role="station", poll=POLL, station="s2").text
    )
    assert submit(client, accounts, act="end", name="clerk").status_code == 422  # nobody ends the own account
    assert enter(client, "eli", password[1]).headers["location"] == "/en/desk"
    session = client.cookies.get("dauys_desk")
    own = {"current": password[1], "new": "a longer pass phrase", "again": "a longer pass phrase"}
    for bad in ({"current": "wrong"}, {"again": "another pass phrase"}, {"new": "short", "again": "short"}):
        assert submit(client, "/en/desk/password", **(own | bad)).status_code in (401, 422)
    assert submit(client, "/en/desk/password", **own).headers["location"] == "/en/desk/in"
    client.cookies.set("dauys_desk", session or "")
    assert client.get("/en/desk").headers["location"] == "/en/desk/in"  # the old session is gone
    assert enter(client, "eli", "a longer pass phrase").status_code == 303
    token = issue_token(connection, "eli", NOW.replace(year=2023))
    enter(client, "clerk")
    renewed = submit(client, accounts, act="password", name="eli").text
    assert 'data-state="renewed"' in renewed
    assert 'data-state="ended"' in submit(client, accounts, act="end", name="eli").text
    assert "eli" not in client.get(accounts).text
    for act in ("end", "password", "make"):  # a name that has ended stays one person's
        assert submit(client, accounts, act=act, name="eli", role="typist").status_code == 422
    again = re.search(r"<code data-password>([^<]+)</code>", renewed)
    assert again and enter(client, "eli", again[1]).status_code == 401
    client.cookies.set("dauys_desk", token)
    assert client.get("/en/desk").headers["location"] == "/en/desk/in"


def test_made_passwords_are_long_and_never_the_same() -> None:
    made = {made_password() for _ in range(50)}
    assert len(made) == 50 and all(re.fullmatch(r"(?:[a-km-np-z2-9]{4}-){3}[a-km-np-z2-9]{4}", p) for p in made)


def test_the_first_typist_takes_back_a_wrong_station(client: SiteClient, connection: sa.Connection) -> None:
    paper, back = {"station": "s3", **FIELDS}, {"act": "take back", "station": "s3"}
    enter(client, "ann")
    submit(client, f"{DESK}/type", **paper)
    assert "Take back" in client.get("/en/desk").text
    enter(client, "bek")
    assert submit(client, f"{DESK}/type", **back).status_code == 403  # another's
    assert "Take back" not in client.get("/en/desk").text
    enter(client, "ann")
    assert "taken back" in submit(client, f"{DESK}/type", **back).text
    assert count(connection, "paper") == 0
    assert submit(client, f"{DESK}/type", **back).status_code == 403  # nothing is there
    submit(client, f"{DESK}/type", **(paper | {"yes": "499", "no": "151"}))
    enter(client, "bek")
    submit(client, f"{DESK}/type", **paper)
    enter(client, "ann")
    assert submit(client, f"{DESK}/type", **back).status_code == 403  # too late: it has been typed twice
    assert connection.scalar(sa.text("SELECT state FROM paper WHERE poll = :p"), {"p": POLL}) == "differs"
