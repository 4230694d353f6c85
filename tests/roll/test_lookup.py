"""Am I on the list? The answers, the terms of the law, and what somebody who wants to know about others gets."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
from fastapi import Request
from roll_people import COMMISSION, DAY, VAULT, iin_of, rolled_back, row
from roll_site import BORN, LATER, NOW, POLL, Site, site

from dauys.errors import BadInput
from dauys.law.citation_words import said
from dauys.law.packs import load_form, load_rule
from dauys.registers.areas import Area
from dauys.registers.poll import Contest, Poll
from dauys.roll.freeze import freeze
from dauys.roll.lookup import AFTER, BEFORE, OPEN, UNKNOWN, Limits, areas_with_stations, law_of, look_up, terms_of
from dauys.roll.routes import client_of
from dauys.roll.vault import Vault
from dauys.web import render as rendering

pytestmark = pytest.mark.database
__all__ = ["site"]
IIN = row(1)["iin"]
STRANGER = row(77)["iin"]
CSS = 'data-outcome="{}"'


def outcomes(site: Site) -> list[str]:
    return list(site.connection.scalars(sa.text("SELECT outcome FROM roll_lookup ORDER BY id")))


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_a_voter_hears_his_station_and_nobody_else_hears_anything(site: Site, language: str) -> None:
    place = "UPDATE station SET settlement = 'Акбулак', address = 'Абая 10, школа' WHERE id = 'A-1'"
    site.connection.execute(sa.text(place))
    yes = site.ask(IIN, language=language)
    assert yes.status_code == 200 and CSS.format("listed") in yes.text and ">A-1</a>" in yes.text
    assert "Акбулак, Абая 10, школа" in yes.text
    for iin, born in ((STRANGER, BORN), (IIN, "29.10.1979"), (IIN, "1979-10-27"), (row(3)["iin"], BORN)):
        no = site.ask(iin, born, language)
        assert (
            no.status_code == 200
            and CSS.format("not listed") in no.text
            and "A-1" not in no.text
            and "школа" not in no.text
        )
    assert outcomes(site) == ["listed"] + ["not listed"] * 4


def test_who_is_not_there_and_who_has_another_birthday_get_the_same_page_after_the_same_work(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    original = Vault.open

    def counted(self: Vault, voter: bytes, sealed: bytes) -> bytes:
        opened.append("open")
        return original(self, voter, sealed)

    monkeypatch.setattr(Vault, "open", counted)
    statements: list[str] = []
    sa.event.listen(site.connection.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    seen = []
    for iin, born in ((STRANGER, BORN), (IIN, "29.10.1979"), (row(3)["iin"], BORN), (IIN, BORN)):
        opened.clear()
        statements.clear()
        text = site.ask(iin, born).text
        seen.append((text, list(opened), [one for one in statements if "SAVEPOINT" not in one]))
    texts, opens, work = zip(*seen, strict=True)
    assert texts[0] == texts[1] == texts[2] != texts[3]
    assert opens[0] == opens[1] == opens[2] == opens[3] == ["open"]
    assert work[0] == work[1] == work[2] == work[3]


def test_nothing_personal_is_in_the_address_the_title_the_log_or_the_database(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [site.ask(IIN), site.ask(STRANGER)]
    for answer in answers:
        assert IIN not in answer.text and "Ахметов" not in answer.text and "Абая" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert not [one for one in caplog.records if IIN in one.getMessage()]
    answer = site.client.get("/en/roll", params={"iin": IIN, "born": BORN})
    assert answer.status_code == 303 and answer.headers["location"] == "/en/roll"
    assert outcomes(site) == ["listed", "not listed"]  # an address asks nothing
    kept = str(site.connection.execute(sa.text("SELECT * FROM roll_lookup")).all())
    assert IIN not in kept and "testclient" not in kept and VAULT.voter(IIN).hex() not in kept


def test_terms_of_the_law_before_open_and_after_with_the_article(site: Site) -> None:
    terms = terms_of(site.poll, law_of(site.poll))
    assert terms.opens == date(2022, 5, 21)
    for at, state in (
        (datetime(2022, 5, 20, 17, 59, tzinfo=UTC), BEFORE),
        (datetime(2022, 5, 20, 18, tzinfo=UTC), OPEN),  # midnight in Almaty
        (datetime(2022, 6, 5, 13, 59, tzinfo=UTC), OPEN),
        (datetime(2022, 6, 5, 14, tzinfo=UTC), AFTER),
    ):
        assert terms.state(at) == state
        site.at = at
        page = site.ask(IIN)
        assert (CSS.format("listed") in page.text) is (state == OPEN)
        assert "Elections law 24 to 26-1" in page.text
    assert outcomes(site) == ["listed"] * 2


def test_the_list_closes_with_the_last_station_there_is(site: Site) -> None:
    """Not an hour later, for an area of the country's west that has none."""
    assert areas_with_stations(site.connection, site.poll.id) == ["A", "B"]
    poll = replace(
        site.poll, areas=(*site.poll.areas, replace(site.poll.areas[0], code="W", timezone="Asia/Qyzylorda"))
    )
    law = law_of(poll)
    assert terms_of(poll, law, ["A", "B"]).closes == terms_of(site.poll, law).closes
    assert terms_of(poll, law).closes - terms_of(site.poll, law).closes == timedelta(hours=1)


def test_without_a_loaded_law_nothing_is_answered() -> None:
    terms = terms_of(_poll(), law_of(_poll()))
    assert terms.opens is None and terms.state(NOW) == UNKNOWN and "law not loaded" in terms.reason


@pytest.mark.parametrize(
    "own", [{"open": 15}, {"cite": "x"}, {"open": "soon", "cite": "x"}, {"open": 15, "claim": -1, "cite": "x"}]
)
def test_a_poll_s_own_rule_that_is_none_is_refused(own: dict[str, object]) -> None:
    poll = replace(_poll(), voting={"list": own})
    with pytest.raises(BadInput):
        terms_of(poll, law_of(poll))


def test_the_pack_s_law_says_fifteen_days_and_the_same_day() -> None:
    poll = replace(_poll(), id="kz/x", kind="election", day=date(2023, 3, 19))
    terms = terms_of(poll, law_of(poll))
    assert terms.opens == date(2023, 3, 4) and terms.cite.startswith("Elections law 24")
    at = datetime(2023, 3, 10, 9, tzinfo=UTC)
    assert terms.due(at) == datetime(2023, 3, 10, 18, tzinfo=UTC)  # the end of the day in Almaty
    assert terms.due(datetime(2023, 3, 19, 9, tzinfo=UTC)) == terms.closes  # on the day itself it closes before that


def _poll() -> Poll:
    labels = dict.fromkeys(("kk", "ru", "en"), "x")
    contest = Contest("q", labels, load_form("kz/referendum-protocol"), load_rule("kz/referendum-constitution"))
    return Poll(
        id="test/x", kind="referendum", day=DAY, names=labels, timezone="Asia/Almaty", opens=time(7), closes=time(20),
        areas=(Area(code="A", kind="area", names=labels),), contests=(contest,),
    )  # fmt: skip


def test_a_frozen_list_answers_for_the_poll_whatever_the_roll_says_later(site: Site) -> None:
    first = site.connection.scalar(sa.text("SELECT max(id) FROM roll_set"))
    freeze(site.connection, VAULT, site.poll, COMMISSION, NOW)
    assert isinstance(first, int)
    rolled_back(site.connection, first, "boris", NOW, "wrong file")
    page = site.ask(IIN)
    assert CSS.format("listed") in page.text and "as it was frozen" in page.text
    assert CSS.format("not listed") in site.ask(row(3)["iin"]).text


def test_guessing_ends_by_client_and_by_iin_and_goes_on_later(site: Site) -> None:
    guesses = [iin_of(date(1979, 10, 28), serial) for serial in range(100, 116)]
    answers = [site.ask(iin) for iin in guesses]
    assert [answer.status_code for answer in answers] == [200] * 12 + [429] * 4
    assert int(answers[-1].headers["retry-after"]) == 600 and CSS.format("listed") not in answers[-1].text
    assert site.ask(IIN).status_code == 429
    assert outcomes(site).count("limited") == 1  # once a minute
    site.at += timedelta(minutes=10, seconds=1)
    assert site.ask(IIN).status_code == 200
    for _ in range(9):
        site.ask(IIN, "01.01.1980")
    assert site.ask(IIN).status_code == 429 and site.ask(row(2)["iin"]).status_code == 200
    site.at += LATER
    assert site.ask(IIN).status_code == 200


def test_which_client_asked_is_forgotten_after_a_day(site: Site) -> None:
    site.ask(IIN)
    site.at += timedelta(days=1, minutes=1)
    site.ask(row(2)["iin"])
    clients = list(site.connection.scalars(sa.text("SELECT client IS NULL FROM roll_lookup ORDER BY id")))
    assert clients == [True, False]


def test_a_header_changes_nothing_unless_it_is_our_proxy_s(site: Site) -> None:
    answers = [site.ask(iin_of(date(1979, 10, 28), n), **{"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(100, 113)]
    assert answers[-1].status_code == 429


@pytest.mark.parametrize(
    ("sent", "proxies", "expected"),
    [
        (["203.0.113.9"], 1, "203.0.113.9"),
        (["1.2.3.4, 203.0.113.9"], 1, "203.0.113.9"),  # what the client wrote stands to the left
        (["1.2.3.4", "203.0.113.9"], 1, "203.0.113.9"),
        (["1.2.3.4, 203.0.113.9, 10.0.0.1"], 2, "203.0.113.9"),
        (["1.2.3.4"], 2, "192.0.2.1"),
        (["not an address"], 1, "192.0.2.1"),
        ([], 1, "192.0.2.1"),
        (["2001:db8:1:2:3:4:5:6"], 1, "2001:db8:1:2::"),
        (["2001:db8:1:2:ffff::1"], 1, "2001:db8:1:2::"),
        (["::ffff:203.0.113.9"], 1, "203.0.113.9"),
    ],
)
def test_the_address_is_the_one_our_outermost_proxy_wrote(sent: list[str], proxies: int, expected: str) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in sent]
    request = Request({"type": "http", "headers": headers, "client": ("192.0.2.1", 4711)})
    assert client_of(request, "x-forwarded-for", proxies) == expected
    assert client_of(request) == "192.0.2.1"


@pytest.mark.parametrize(
    "iin", ["", "79102830272", "791028302729", "000000000000", "<script>alert(1)</script>", "７９１０２８３０２７２０"]
)
def test_what_is_no_iin_is_said_to_be_none_and_asks_nothing(site: Site, iin: str) -> None:
    answer = site.ask(iin)
    assert answer.status_code == 422 and "<script>alert" not in answer.text and outcomes(site) == []


@pytest.mark.parametrize("born", ["", "32.01.1979", "28.10.79", "1979-13-01", "28.10", "a.b.1979", "28.10.1979.1"])
def test_a_birthday_that_is_none(site: Site, born: str) -> None:
    assert site.ask(IIN, born).status_code == 422 and outcomes(site) == []


def test_bodies_that_are_too_large_or_no_form_are_refused_unread(site: Site) -> None:
    post = site.client.post
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert post("/en/roll", content=b"iin=" + b"1" * 20_000, headers=form).status_code == 413
    assert post("/en/roll", content=(b"x" * 4096 for _ in range(1000)), headers=form).status_code == 413
    assert post("/en/roll", json={"iin": IIN, "born": BORN}).status_code == 415
    assert post("/en/roll", files={"iin": ("x", b"1" * 100)}).status_code == 415
    assert post("/en/roll", content="&".join(f"a{n}=1" for n in range(500)), headers=form).status_code == 422
    assert post("/en/roll", content="iin=\u2028\xff".encode(), headers=form).status_code == 422
    assert outcomes(site) == []


def test_another_site_cannot_ask_by_somebody_s_browser(site: Site) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert site.ask(IIN, **headers).status_code == 403
    assert site.ask(IIN, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert outcomes(site) == ["listed"]


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_every_page_says_that_it_is_a_trial_and_which_one_it_is(site: Site, language: str) -> None:
    for page in ("roll", "roll/claim", "roll/claim/follow"):
        text = site.client.get(f"/{language}/{page}").text
        assert 'id="trial"' in text, page
        assert re.findall(r'href="([^"?]*)[^"]*" aria-current="page"', text) == [f"/{language}/{page}"]


def test_an_article_after_a_sentence_begins_as_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "said", lambda cite, lang, pack: said(cite, lang, "kz"))
    words = "Статьи 24–26-1 Конституционного закона"
    assert words in site.client.get(f"/ru/roll?poll={POLL}").text
    assert words in site.client.get(f"/ru/roll/claim?poll={POLL}&kind=missing").text


def test_an_unknown_poll_is_none(site: Site) -> None:
    answer = site.client.post("/en/roll", data={"poll": "'; DROP TABLE voter", "iin": IIN, "born": BORN})
    assert answer.status_code == 404 and outcomes(site) == []


def test_the_look_up_is_as_the_page_says_without_the_page(site: Site) -> None:
    found = look_up(site.connection, VAULT, site.poll, IIN, date(1979, 10, 28), "192.0.2.1", NOW)
    assert (found.outcome, found.station, found.area, found.final) == ("listed", "A-1", "A", False)
    assert site.poll.id == POLL


def test_many_questions_at_once_do_not_slip_past_the_limit(engine: sa.Engine) -> None:
    poll, limits = _poll(), Limits(client=5)

    def one(serial: int) -> str:
        with engine.begin() as connection:
            iin = iin_of(date(1979, 10, 28), serial)
            return look_up(connection, VAULT, poll, iin, date(1979, 10, 28), "192.0.2.7", NOW, limits).outcome

    try:
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(one, range(200, 216)))
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM roll_lookup WHERE poll = :poll"), {"poll": poll.id})
    assert outcomes.count("not listed") == 5 and outcomes.count("limited") == 11


def test_who_used_up_the_day_s_questions_hears_that_they_go_on_the_next_day(site: Site) -> None:
    object.__setattr__(site.office, "limits", Limits(client=12, client_day=3))
    guesses = [iin_of(date(1979, 10, 28), serial) for serial in range(100, 104)]
    answer = [site.ask(iin) for iin in guesses][-1]
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) == 20 * 3600  # 4:00 in UTC
    assert "answered again from 31 May 2022, 06:00" in answer.text
    site.at += timedelta(hours=19, minutes=59)
    assert site.ask(IIN).status_code == 429
    site.at += timedelta(minutes=1)
    assert site.ask(IIN).status_code == 200


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("page", ["roll", "roll/claim", "roll/claim/follow"])
def test_where_there_is_nothing_to_ask_about_the_page_says_so(site: Site, language: str, page: str) -> None:
    site.at += timedelta(days=60)
    answer = site.client.get(f"/{language}/{page}")
    assert answer.status_code == 200 and 'role="alert"' not in answer.text and "<form" not in answer.text
    assert site.client.get(f"/{language}/{page}?poll=no/such").status_code == 404
    assert site.ask(IIN).status_code == 404 and outcomes(site) == []
