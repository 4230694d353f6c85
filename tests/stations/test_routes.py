"""The routes over a real database: programs with a token, people with forms; who may do what; nothing half-written."""

from __future__ import annotations

import gzip
import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from desk_site import NOW, PASSWORD, POLL, SiteClient, bearer, enter, mark_of, submit
from sample_stations import GOOD

from dauys.errors import BadInput, DauysError
from dauys.stations.accounts import account_of, first_account, make_account, sign_in
from dauys.stations.states import Role

pytestmark = pytest.mark.database


def count(connection: sa.Connection, table: str) -> Any:
    return connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE poll = '{POLL}'"))


def test_a_batch_a_replay_and_a_conflict(client: SiteClient, connection: sa.Connection) -> None:
    who = bearer(connection, "clerk")
    rows = [{"station": "s0", **GOOD}, {"station": "s1", "values": GOOD | {"yes": 501}}]
    first = client.post(f"/api/polls/{POLL}/protocols", json=rows, headers=who)
    assert first.status_code == 200
    assert [(r["state"], r["checks"]) for r in first.json()["receipts"]] == [
        ("accepted", []),
        ("quarantined", ["F.101"]),
    ]
    again = client.post(f"/api/polls/{POLL}/protocols", json={"protocols": rows}, headers=who).json()["receipts"]
    assert [r | {"replayed": False} for r in again] == first.json()["receipts"] and all(r["replayed"] for r in again)
    other = client.post(f"/api/polls/{POLL}/protocols", json=[{"station": "s2", **GOOD}, {"station": "s0", **GOOD, "yes": 1}],
                        headers=who)  # fmt: skip
    assert (other.status_code, other.json()["error"]["check"], other.json()["error"]["row"]) == (409, "F.025", 2)
    assert count(connection, "protocol") == 2


@pytest.mark.parametrize(
    ("body", "status", "check"),
    [
        (b"{", 422, "F.017"),
        (b"[]", 422, "F.003"),
        (b"[1]", 422, "F.017"),
        (b'{"station":"s0","station":"s1"}', 422, "F.017"),
        (json.dumps({"station": "s0", **GOOD, "yes": "5oo"}).encode(), 422, "F.016"),
        (json.dumps({"station": "s0", **GOOD, "yes": 1.5}).encode(), 422, "F.013"),
        (json.dumps({"station": "s0", **GOOD, "maybe": 1}).encode(), 422, "F.009"),
        (json.dumps({"station": "x9", **GOOD}).encode(), 422, "F.020"),
        (json.dumps({"station": "s0", **GOOD, "contest": "q9"}).encode(), 422, "F.022"),
        (json.dumps([{"station": "s0", **GOOD}] * 2).encode(), 422, "F.021"),
        (json.dumps({"station": "s0", **GOOD, "at": "now"}).encode(), 422, "F.027"),
        (json.dumps({"station": "s0", **GOOD, "sig": "no"}).encode(), 422, "F.026"),
    ],
)
def test_bad_requests(client: SiteClient, connection: sa.Connection, body: bytes, status: int, check: str) -> None:
    answer = client.post(f"/api/polls/{POLL}/protocols", content=body, headers=bearer(connection, "clerk"))
    assert (answer.status_code, answer.json()["error"]["check"]) == (status, check)
    assert count(connection, "protocol") == 0


def test_who_may_send_what(client: SiteClient, connection: sa.Connection) -> None:
    address, row = f"/api/polls/{POLL}/protocols", {"station": "s0", **GOOD}
    assert client.post(address, json=row).status_code == 401
    assert client.post(address, json=row, headers={"Authorization": "Bearer x"}).status_code == 401
    for name in ("ann", "cho", "s1"):
        assert client.post(address, json=row, headers=bearer(connection, name)).json()["error"]["check"] == "F.040"
    assert client.post(address, json=row | {"station": "s1"}, headers=bearer(connection, "s1")).status_code == 200
    assert (
        client.post("/api/polls/test/none/protocols", json=row, headers=bearer(connection, "clerk")).status_code == 404
    )
    correction = {"station": "s1", "after": GOOD, "reason": "x"}
    answer = client.post(f"/api/polls/{POLL}/corrections", json=correction, headers=bearer(connection, "s1"))
    assert answer.status_code == 403


def test_nobody_speaks_for_another_without_a_signature(client: SiteClient, connection: sa.Connection) -> None:
    address, row = f"/api/polls/{POLL}/protocols", {"station": "s1", **GOOD}
    for name, claim in (
        ("clerk", {"by": "commission"}),
        ("s1", {"by": "clerk"}),
        ("s1", {"at": "2022-06-05T20:00:00Z"}),
    ):
        answer = client.post(address, json=row | claim, headers=bearer(connection, name))
        assert answer.json()["error"]["check"] == "F.040"
    late = {"at": "2022-06-05T20:30:00+06:00"}
    assert client.post(address, json=row | late, headers=bearer(connection, "clerk")).status_code == 200
    assert count(connection, "protocol") == 1


def test_a_file_is_taken_whole_or_not_at_all(client: SiteClient, connection: sa.Connection) -> None:
    who, names = bearer(connection, "clerk"), list(GOOD)
    lines = [",".join(["station", *names])]
    lines += [",".join([f"s{n}", *(str(GOOD[name]) for name in names)]) for n in range(6)]

    def send(rows: list[str], name: str = "p.csv.gz") -> Any:
        content = gzip.compress("\n".join(rows).encode())
        return client.post(f"/api/polls/{POLL}/protocols/file?name={name}", content=content, headers=who)

    bad = send([*lines, "x9" + lines[-1][2:]])
    assert (bad.status_code, bad.json()["error"]["row"], bad.json()["error"].get("file")) == (422, 8, None)
    assert count(connection, "protocol") == 0
    assert send(lines).json() == {
        "received": 6, "accepted": 6, "quarantined": 0, "replayed": 0, "checks": {}, "held": []
    }  # fmt: skip
    assert send(lines).json()["replayed"] == 6 and count(connection, "protocol") == 6
    assert send(lines, "p.xlsx").json()["error"]["check"] == "F.001"


def test_turnout_corrections_and_checks(client: SiteClient, connection: sa.Connection) -> None:
    who, base = bearer(connection, "clerk"), f"/api/polls/{POLL}"
    reports = [{"station": s, "time": t, "eligible": 1000, "received": n} for s, t, n in
               (("s0", "12:00", 80), ("s1", "10:00", 90), ("s0", "10:00", 100))]  # fmt: skip
    receipts = client.post(f"{base}/turnout", json=reports, headers=who).json()["receipts"]
    assert [(r["station"], r["contest"], r["checks"]) for r in receipts] == [
        ("s0", "12:00", ["W.102"]), ("s1", "10:00", []), ("s0", "10:00", [])
    ]  # fmt: skip
    client.post(f"{base}/protocols", json={"station": "s0", **GOOD, "yes": 501}, headers=who)
    shown = client.get(f"{base}/checks").json()
    assert shown["raised"] == {"F.101": 1, "W.102": 1} and shown["quarantine"][0]["station"] == "s0"
    assert {check["number"] for check in shown["catalogue"]} >= {"F.001", "F.101", "F.105", "W.101", "W.201"}
    wrong = client.post(f"{base}/corrections", json={"station": "s0", "after": GOOD}, headers=who)
    assert wrong.json()["error"]["check"] == "F.010"
    fixed = client.post(
        f"{base}/corrections", json={"station": "s0", "after": GOOD, "reason": "typing error"}, headers=who
    )
    assert fixed.json()["receipts"][0]["state"] == "accepted"


def without_marks(page: str) -> str:
    """A page without the marks of its forms, which may hold any digits."""
    return re.sub("[0-9a-f]{32,}", "", page)


def test_double_entry_at_the_desk(client: SiteClient, connection: sa.Connection) -> None:
    paper = {"station": "s3"} | {name: str(value) for name, value in GOOD.items()}
    address = f"/en/desk/{POLL}/type"
    assert enter(client, "ann").headers["location"] == "/en/desk"
    assert "typed once" in submit(client, address, **paper, yes_words="five hundred").text
    assert submit(client, address, **paper).status_code == 403  # not twice by one person
    enter(client, "bek")
    page = without_marks(client.get(f"{address}?station=s3").text)
    assert "500" not in page and "five hundred" not in page  # blind
    assert "differ" in submit(client, address, **(paper | {"yes": "499"}), yes_words="пятьсот").text
    assert count(connection, "protocol") == 0
    assert client.get(f"/en/desk/{POLL}/resolve?contest=q1&station=s3").status_code == 403
    enter(client, "cho")
    resolve = f"/en/desk/{POLL}/resolve?contest=q1&station=s3"
    listed = client.get(f"/en/desk/{POLL}/resolve")
    assert listed.status_code == 200 and "contest=q1&amp;station=s3" in listed.text
    page = without_marks(html.unescape(client.get(resolve).text))
    assert "499" in page and "690" not in page  # only what differs
    decided = submit(client, resolve, **paper, yes_words="five hundred").headers["location"]
    assert 'data-station="s3" data-state="accepted"' in client.get(decided).text
    row = connection.execute(sa.text(f"SELECT state, checks FROM protocol WHERE poll = '{POLL}'")).one()
    assert (row.state, row.checks) == ("accepted", [])


def test_two_who_agree_send_the_protocol_in_and_words_are_checked(
    client: SiteClient, connection: sa.Connection
) -> None:
    paper = {"station": "s4"} | {name: str(value) for name, value in GOOD.items()}
    for name, words in (("ann", "пятьсот один"), ("bek", "Пятьсот  ОДИН")):
        enter(client, name)
        page = submit(client, f"/ru/desk/{POLL}/type", **paper, yes_words=words).text
    assert "F.105" in page
    assert connection.scalar(sa.text(f"SELECT state FROM protocol WHERE poll = '{POLL}'")) == "quarantined"


def test_a_fault_stands_beside_its_field_with_what_was_typed(client: SiteClient) -> None:
    enter(client, "ann")
    paper = {"station": "s5"} | {name: str(value) for name, value in GOOD.items()} | {"no": "1 50"}
    page = submit(client, f"/kk/desk/{POLL}/type", **paper)
    assert (
        page.status_code == 422 and "F.016" in page.text and 'value="690"' in page.text and 'value="1 50"' in page.text
    )
    assert 'id="f-no"' in page.text.split('aria-invalid="true"')[0].rsplit("<input", 1)[1]


def test_a_correction_at_the_desk(client: SiteClient, connection: sa.Connection) -> None:
    faulty = {"station": "s6", **GOOD, "yes": 501}
    client.post(f"/api/polls/{POLL}/protocols", json=faulty, headers=bearer(connection, "clerk"))
    enter(client, "clerk")
    assert "F.101" in client.get(f"/en/desk/{POLL}/quarantine").text
    address = f"/en/desk/{POLL}/correct?contest=q1&station=s6"
    page = client.get(address).text
    of = re.search(r'name="of" value="(\d+)"', page)
    assert of and 'value="501"' in page
    fields = {name: str(value) for name, value in GOOD.items()}
    assert submit(client, address, **fields, of=of[1], reason="").status_code == 422
    assert "same values" not in page  # that settles F.110 alone
    sent = submit(client, address, **(fields | {"no": "151"}), of=of[1], reason="half of it")
    still = client.get(sent.headers["location"]).text
    assert 'data-state="quarantined"' in still and "F.101" in still
    of = re.search(r'name="of" value="(\d+)"', client.get(address).text)
    assert of
    sent = submit(client, address, **fields, of=of[1], reason="typing error")
    assert sent.status_code == 303
    there = client.get(sent.headers["location"]).text
    assert 'data-station="s6" data-state="accepted"' in there and "F.101" not in there
    assert "data-state" not in client.get(f"/en/desk/{POLL}/quarantine?corrected=nowhere&contest=q1").text
    assert submit(client, address, **fields, of=of[1], reason="again").status_code == 409


def test_forms_from_elsewhere_and_without_a_session_do_nothing(client: SiteClient, connection: sa.Connection) -> None:
    paper = {"station": "s3"} | {name: str(value) for name, value in GOOD.items()}
    address = f"/en/desk/{POLL}/type"
    assert client.get(address).headers["location"] == "/en/desk/in"
    enter(client, "ann")
    mark = mark_of(client.get(address).text)
    assert client.post(address, data=paper).status_code == 403
    assert client.post(address, data=paper | {"mark": "0" * 64}).status_code == 403
    for headers in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert client.post(address, data=paper | {"mark": mark}, headers=headers).status_code == 403
        assert (
            client.post("/en/desk/in", data={"name": "ann", "password": PASSWORD}, headers=headers).status_code == 403
        )
    assert count(connection, "paper") == 0
    assert client.post("/en/desk/out", data={"mark": mark}).status_code == 303
    assert client.get(address).headers["location"] == "/en/desk/in"


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(client: SiteClient) -> None:
    cookie = enter(client, "ann").headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert client.get("/en/desk").headers["cache-control"] == "no-store"


def test_accounts(connection: sa.Connection) -> None:
    assert connection.scalar(sa.text("SELECT count(*) FROM account")) == 0  # none comes with the software
    first_account(connection, "clerk", PASSWORD)
    for call in (
        lambda: first_account(connection, "other", PASSWORD),
        lambda: make_account(connection, "clerk", Role.CLERK, PASSWORD),
        lambda: make_account(connection, "short", Role.CLERK, "admin"),
        lambda: make_account(connection, "s", Role.STATION, PASSWORD),
    ):
        with pytest.raises(DauysError):
            call()
    token = sign_in(connection, "clerk", PASSWORD, NOW)
    assert token and account_of(connection, token, NOW).role is Role.CLERK
    with pytest.raises(BadInput):
        account_of(connection, token, NOW + timedelta(hours=13))
    stored = connection.execute(sa.text("SELECT token, account FROM session")).one()
    assert token.encode() != bytes(stored.token)
    assert sign_in(connection, "nobody", PASSWORD, NOW) is None


def test_after_five_wrong_passwords_an_account_waits(connection: sa.Connection) -> None:
    first_account(connection, "clerk", PASSWORD)
    for _ in range(5):
        assert sign_in(connection, "clerk", "wrong", NOW) is None
    assert sign_in(connection, "clerk", PASSWORD, NOW + timedelta(minutes=4)) is None
    assert sign_in(connection, "clerk", PASSWORD, NOW + timedelta(minutes=6)) is not None
