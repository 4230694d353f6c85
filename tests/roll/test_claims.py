"""A claim from the citizen's page to the corrected list: two people, reasons, the deadline, and what an attacker gets."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from roll_people import COMMISSION, VAULT, rolled_back, row
from roll_site import ANNA, BORIS, BORN, NOW, POLL, Site, number_in, site

from dauys.record.log import of_kind
from dauys.roll.claims import FIELDS, KINDS, follow
from dauys.roll.freeze import freeze, total
from dauys.roll.pages import Officer
from dauys.roll.versions import in_force
from dauys.roll.voter import Version, open_person

pytestmark = pytest.mark.database
__all__ = ["site"]
STRANGER = row(77)["iin"]
PERSON = {"surname": "Ахметова", "given": "Айгүл", "patronymic": "", "address": "Акбулак, Абая 7"}
ENTRY = {
    "iin": STRANGER, "surname": "Ахметова", "given": "Айгүл", "locality": "Акбулак", "street": "Абая", "house": "7",
    "station": "A-2", "status": "eligible",
}  # fmt: skip


def entry_of(site: Site, iin: str) -> Version | None:
    return in_force(site.connection, UUID(bytes=VAULT.voter(iin)))


def state(site: Site, number: str, born: str = BORN) -> str:
    page = site.client.post("/en/roll/claim/follow", data={"number": number, "born": born})
    found = re.search(r'data-state="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def test_a_citizen_who_is_missing_comes_onto_the_frozen_list_by_two_people(site: Site) -> None:
    freeze(site.connection, VAULT, site.poll, COMMISSION, NOW)
    answer = site.claim("missing", STRANGER, **PERSON)
    number = number_in(answer)
    assert "30 May 2022" in answer.text and "Elections law 24 to 26-1" in answer.text
    assert state(site, number) == "open" and state(site, number.lower().replace("-", " ")) == "open"
    assert state(site, number, "29.10.1979") == state(site, "AAAA-AAAA-AAAA-AAAA") == "none"
    page = site.desk(ANNA, 1).text
    assert STRANGER in page and 'value="Ахметова"' in page and "Акбулак, Абая 7" in page
    assert site.desk(ANNA, 1, act="accept", reason="seen the papers", **ENTRY).status_code == 303
    assert state(site, number) == "accepted" and entry_of(site, STRANGER) is None
    assert site.desk(ANNA, 1, act="approve").status_code == 409 and entry_of(site, STRANGER) is None
    assert 'value="approve"' not in site.desk(ANNA, 1).text
    assert site.desk(BORIS, 1, act="approve").status_code == 303
    assert state(site, number) == "applied"
    found = entry_of(site, STRANGER)
    assert found is not None and (found.station, found.source) == ("A-2", "claim 1")
    assert open_person(VAULT, found).surname == "Ахметова"
    assert 'data-outcome="listed"' in site.ask(STRANGER).text and total(site.connection, POLL) == 3
    ((_, added),) = of_kind(site.connection, POLL, "additions")
    assert added.body["reason"] == "claim 1, Elections law 24 to 26-1" and added.body["count"] == 1
    assert 'data-claim="1"' not in site.desk(ANNA).text


def test_a_refusal_has_reasons_and_the_court(site: Site) -> None:
    number = number_in(site.claim("place", row(1)["iin"], address="Новая 1"))
    assert site.desk(ANNA, 1, act="refuse", reason=" ").status_code == 422 and state(site, number) == "open"
    named = site.desk(ANNA, 1, act="refuse", reason=f"{row(1)['iin']} lives elsewhere")
    assert named.status_code == 422 and "P.077" in named.text and state(site, number) == "open"
    assert "Write no name and no IIN here" in site.desk(ANNA, 1).text
    assert site.desk(ANNA, 1, act="refuse", reason="registered at Абая").status_code == 303
    page = site.client.post("/en/roll/claim/follow", data={"number": number, "born": BORN}).text
    assert "registered at Абая" in page and "court" in page and "Elections law 24 to 26-1" in page
    assert site.desk(ANNA, 1, act="refuse", reason="again").status_code == 409


def test_a_wrong_name_and_somebody_who_died(site: Site) -> None:
    site.claim("name", row(1)["iin"], surname="Ахметов", given="Нурлан")
    page = site.desk(ANNA, 1).text
    assert 'value="Ахметов1"' in page and 'value="Абая"' in page  # the entry as it is, to be corrected
    entry = dict(re.findall(r'name="(\w+)" maxlength="200" value="([^"]*)"', page)) | {"status": "eligible"}
    site.desk(ANNA, 1, act="accept", reason="by the passport", **entry | {"surname": "Ахметов"})
    site.desk(BORIS, 1, act="approve")
    found = entry_of(site, row(1)["iin"])
    assert found is not None and open_person(VAULT, found).surname == "Ахметов" and found.station == "A-1"

    site.claim("gone", row(1)["iin"], who="Ахметов2 Нурлан, 1979")
    other = row(2)["iin"]
    page = site.desk(ANNA, 2, act="find", about=other).text
    assert "Ахметов2" in page and f'value="{other}" readonly' in page
    entry = dict(re.findall(r'name="(\w+)" maxlength="200" value="([^"]*)"', page))
    refused = site.desk(ANNA, 2, act="accept", reason="a certificate", about=other, **entry | {"status": "died"})
    assert refused.status_code == 422 and "R.015" in refused.text  # since when
    entry |= {"status": "died", "since": "2022-05-01"}
    assert site.desk(ANNA, 2, act="accept", reason="a certificate", about=other, **entry).status_code == 303
    site.desk(BORIS, 2, act="approve")
    found = entry_of(site, other)
    assert found is not None and (found.status, found.since) == ("died", date(2022, 5, 1))
    assert 'data-outcome="not listed"' in site.ask(other).text


def test_a_claim_is_open_again_when_its_set_is_not_confirmed_or_is_rolled_back(site: Site) -> None:
    number = number_in(site.claim("missing", STRANGER, **PERSON))
    site.desk(ANNA, 1, act="accept", reason="yes", **ENTRY)
    assert site.desk(BORIS, 1, act="reject", reason="").status_code == 409
    assert site.desk(BORIS, 1, act="reject", reason="wrong station").status_code == 303
    assert state(site, number) == "open" and 'data-claim="1"' in site.desk(ANNA).text
    site.desk(ANNA, 1, act="accept", reason="yes", **ENTRY)
    site.desk(BORIS, 1, act="approve")
    last = site.connection.scalar(sa.text("SELECT max(id) FROM roll_set"))
    rolled_back(site.connection, int(last or 0), "boris", NOW, "wrong")
    assert state(site, number) == "open" and entry_of(site, STRANGER) is None


def test_the_same_form_twice_is_one_claim_with_one_number(site: Site) -> None:
    form = {"poll": POLL, "kind": "place", "token": "t" * 22, "iin": row(1)["iin"], "born": BORN, "address": "Новая 1"}
    numbers = {number_in(site.client.post("/en/roll/claim", data=form)) for _ in range(3)}
    assert len(numbers) == 1 and site.count("roll_claim") == 1
    (number,) = numbers
    assert number.replace("-", "") not in str(site.connection.execute(sa.text("SELECT * FROM roll_claim")).all())


def test_a_claim_does_not_tell_whether_somebody_is_on_the_list(site: Site) -> None:
    pages = [site.claim("place", iin, address="x").text for iin in (row(1)["iin"], STRANGER)]
    assert len({re.sub(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", "N", page) for page in pages}) == 1
    stations = site.connection.execute(sa.text("SELECT station FROM roll_claim ORDER BY id")).scalars()
    assert list(stations) == ["A-1", ""]
    # nor does another birthday lead the claim to a station
    site.client.post("/en/roll/claim", data={"poll": POLL, "kind": "place", "token": "u" * 22, "iin": row(1)["iin"],
                                             "born": "29.10.1979", "address": "x"})  # fmt: skip
    assert site.connection.scalar(sa.text("SELECT station FROM roll_claim ORDER BY id DESC LIMIT 1")) == ""


def test_what_is_written_is_sealed_and_shown_as_text(site: Site) -> None:
    evil = '"><script>alert(1)</script>{{7*7}}'
    site.claim("missing", STRANGER, surname=evil, given="Айгүл", text=evil)
    kept = str(site.connection.execute(sa.text("SELECT * FROM roll_claim")).all())
    assert "script" not in kept and STRANGER not in kept and "Айгүл" not in kept
    page = site.desk(ANNA, 1).text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page and "{{7*7}}" in page
    entry = ENTRY | {"surname": evil}
    site.desk(ANNA, 1, act="accept", reason=evil, **entry)
    assert "<script>alert" not in site.desk(BORIS, 1).text


@pytest.mark.parametrize("kind", KINDS)
def test_a_claim_has_its_first_field_and_no_endless_one(site: Site, kind: str) -> None:
    name = FIELDS[kind][0]
    assert site.claim(kind, **{name: " "}).status_code == 422
    answer = site.claim(kind, **{name: "x" * 201})
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert site.claim(kind, **{name: "x", "text": "y" * 1001}).status_code == 422
    assert site.count("roll_claim") == 0
    assert site.claim(kind, **{name: "x\0y", "text": "y" * 1000}).status_code == 200


def test_claims_wait_for_the_list_to_be_open_and_end_with_it(site: Site) -> None:
    token = {"poll": POLL, "kind": "place", "token": "t" * 22, "iin": row(1)["iin"], "born": BORN, "address": "x"}
    for at in (datetime.fromisoformat("2022-05-20T12:00+00:00"), datetime.fromisoformat("2022-06-05T14:00+00:00")):
        site.at = at
        assert "data-number" not in site.client.post("/en/roll/claim", data=token).text
    assert site.count("roll_claim") == 0
    site.at = NOW
    site.client.post("/en/roll/claim", data=token)
    site.at = datetime.fromisoformat("2022-06-05T14:00+00:00")
    assert site.desk(ANNA, 1, act="accept", reason="late", **ENTRY | {"iin": row(1)["iin"]}).status_code == 409
    assert site.desk(ANNA, 1, act="refuse", reason="the list is closed").status_code == 303


def test_an_undecided_claim_is_overdue_the_next_day(site: Site) -> None:
    number = number_in(site.claim("place", row(1)["iin"], address="x"))
    assert "overdue" not in site.desk(ANNA).text
    site.at += timedelta(days=1)
    assert "overdue since 31 May 2022, 00:00" in site.desk(ANNA).text
    page = site.client.post("/en/roll/claim/follow", data={"number": number, "born": BORN}).text
    assert "That time is over" in page


@pytest.mark.parametrize(
    ("at", "desk", "citizen"),
    [
        ("2022-06-04T15:00+00:00", "until 5 June 2022, 00:00", "by the end of 4 June 2022,"),
        (
            "2022-06-05T04:00+00:00",
            "until 5 June 2022, 20:00",
            "before the list closes, 5 June 2022, 20:00 (Asia/Almaty, UTC+06:00),",
        ),
    ],
)
def test_a_claim_is_decided_by_the_end_of_the_day_or_before_the_list_closes(
    site: Site, at: str, desk: str, citizen: str
) -> None:
    site.at = datetime.fromisoformat(at)
    taken = site.claim("place", row(1)["iin"], address="x")
    asked = {"number": number_in(taken), "born": BORN}
    assert desk in site.desk(ANNA).text and desk in site.desk(ANNA, 1).text
    for page in (taken, site.client.post("/en/roll/claim/follow", data=asked)):
        assert f"The commission decides {citizen} with reasons." in page.text
    site.at = datetime.fromisoformat("2022-06-05T14:00+00:00")
    assert "overdue since" in site.desk(ANNA).text
    assert "That time is over" in site.client.post("/en/roll/claim/follow", data=asked).text


def test_the_desk_is_for_who_may_and_for_his_own_station(site: Site) -> None:
    site.claim("place", row(1)["iin"], address="x")
    assert site.desk(None).headers["location"] == "/en/desk/in" == site.desk(None, 1).headers["location"]
    own = Officer("account/a1", "mark", POLL, "A-1")
    for other in (Officer("account/a2", "mark", POLL, "A-2"), Officer("account/x", "mark", "other/poll", "A-1")):
        assert 'data-claim="1"' not in site.desk(other).text
        assert site.desk(other, 1).status_code == 404
        assert site.desk(other, 1, act="refuse", reason="no").status_code == 404
    assert site.desk(own, 1).status_code == 200 and site.desk(own, 99).status_code == 404
    assert site.desk(own, 1, mark="stolen", act="refuse", reason="no").status_code == 403
    forged = {"mark": own.mark, "act": "refuse", "reason": "no"}
    answer = site.client.post("/en/desk/claims/1", data=forged, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert site.connection.scalar(sa.text("SELECT state FROM roll_claim")) == "open"


def test_numbers_are_not_guessed_for_ever(site: Site) -> None:
    codes = [
        site.client.post("/en/roll/claim/follow", data={"number": f"AAAA-{n:04}", "born": BORN}).status_code
        for n in range(14)
    ]
    assert codes == [200] * 12 + [429] * 2


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_every_page_opens_in_every_language(site: Site, language: str) -> None:
    site.claim("missing", STRANGER, **PERSON)
    site.officer = ANNA
    pages = ["roll", f"roll?poll={POLL}", "roll/claim", *(f"roll/claim?poll={POLL}&kind={kind}" for kind in KINDS)]
    for page in [*pages, "roll/claim/follow", "desk/claims", "desk/claims/1"]:
        answer: Any = site.client.get(f"/{language}/{page}")
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store", page


def test_a_number_alone_opens_nothing(site: Site) -> None:
    number = number_in(site.claim("place", row(1)["iin"], address="x"))
    assert follow(site.connection, VAULT, number, date(1979, 10, 29)) is None
    assert follow(site.connection, VAULT, number, date(1979, 10, 28)) is not None
