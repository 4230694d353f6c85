"""A commission works from the browser alone: an organisation applies, a clerk decides, gives badges, answers; everybody sees it."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
import sqlalchemy as sa
from accredited_world import ASKED, KEYS, POLL, Site, World, world_of
from fastapi import Request

from dauys.observe.accreditation import api, desk, pages
from dauys.observe.accreditation.badges import issued
from dauys.observe.accreditation.received import receive
from dauys.page_forms import Clerk
from dauys.publish import observer_pages
from dauys.roll.free_text import no_iin
from dauys.roll.iin import is_iin
from dauys.web.clerks import clerks_router
from dauys.web.render import render

pytestmark = pytest.mark.database
PUBLIC = f"/polls/{POLL.id}/observers"
MARK = "secret mark"
LANGUAGES = ("kk", "ru", "en")


@pytest.fixture
def world(connection: sa.Connection) -> World:
    return world_of(connection)


def site_of(world: World, officer: str | None = "anna", key: bool = True) -> Site:
    office = pages.Office(lambda poll: KEYS.commission if key else None, lambda: world.now, no_iin)

    def who(request: Request) -> Clerk | None:
        return None if officer is None else Clerk(officer, MARK)

    return world.site(
        api.router(world.engine, lambda: world.now),
        pages.router(world.engine, office),
        clerks_router(desk.pages(world.engine, office), who),
        observer_pages.router(world.engine, render, lambda: world.now),
    )


def shown(site: Site, path: str, status: int = 200) -> str:
    found = site.get(path)
    assert found.status_code == status, found.text
    return unescape(found.text)


FORM = {
    "poll": POLL.id, "token": "t" * 22, "kind": "association", "name_kk": "Қала", "name_ru": "Город", "name_en": "City Watch",
    "charter": "observes elections", "contact": "office@city.example",
    "key": ASKED.key,
}  # fmt: skip


def test_from_the_application_to_the_answer(world: World) -> None:
    site = site_of(world)
    asked = shown(site, f"/en/observers/apply?poll={POLL.id}")
    assert "The charter must name observing" in asked and "Elections law 20-1" in asked
    taken = site.post("/en/observers/apply", FORM)
    assert taken.status_code == 200 and 'data-application="' in taken.text
    number = re.search(r'data-application="(\d+)"', taken.text)[1]  # type: ignore[index]
    assert f"/en/desk/observers/applications/{number}" in shown(site, "/en/desk/observers")

    one = shown(site, f"/en/desk/observers/applications/{number}")
    assert 'data-may="accredit"' in one and 'value="2025-08-20"' in one and "office@city.example" in one
    sent = {
        "mark": MARK,
        "act": "accredit",
        "code": "qala",
        "until": "2025-08-20",
        "reason": "The charter names it",
        "cite": "",
    }
    done = site.post(f"/en/desk/observers/applications/{number}", sent)
    assert (done.status_code, done.headers["location"]) == (303, "/en/desk/observers?done=accredited")
    again = site.post(f"/en/desk/observers/applications/{number}", sent)
    assert again.status_code == 422 and "O.003" in again.text

    public = shown(site, f"/en{PUBLIC}")
    assert 'data-organisation="qala"' in public and "City Watch" in public and "office@city.example" not in public

    desk_page = f"/en/desk/observers/organisations/qala?poll={POLL.id}"
    printed = site.post(desk_page, {"mark": MARK, "act": "badges", "people": "Әлия Нұрланқызы\nБорис; s1\nВера; s1"})
    assert (
        printed.status_code == 200
        and printed.text.count("<svg") >= 3
        and "no-store" in printed.headers["cache-control"]
    )
    texts = [unescape(text) for text in re.findall(r"<pre>(.*?)</pre>", printed.text)]
    assert len(texts) == 3
    listed = shown(site, desk_page)
    assert "Нұрланқызы" not in listed and "qala/3" in listed and "only one of these observers" in listed

    assert 'data-state="valid"' in site.post(f"/en{PUBLIC}/badge", {"badge": texts[0]}).text
    off = site.post(desk_page, {"mark": MARK, "act": "suspend-badge", "badge": "1", "reason": "lost", "cite": ""})
    assert off.status_code == 303, off.text
    assert 'data-state="suspended"' in site.post(f"/en{PUBLIC}/badge", {"badge": texts[0]}).text
    assert 'data-state="valid"' in site.post(f"/en{PUBLIC}/badge", {"badge": texts[1]}).text
    forged = site.post(f"/en{PUBLIC}/badge", {"badge": texts[1].replace("Борис", "Борат")})
    assert 'data-state="forged"' in forged.text and "Борат" not in forged.text
    nothing = site.post(f"/en{PUBLIC}/badge", {"badge": "nothing"})
    assert nothing.status_code == 422 and "O.014" in nothing.text

    of = world.protocol()
    seen = receive(world.connection, POLL, world.observed(of, yes=(490, 500)).to_bytes(), world.now)[0]
    page = shown(site, f"/ru{PUBLIC}")
    assert f'data-observation="{seen}"' in page and ">490<" in page and "-10" in page.replace("\u2212", "-")
    waits = f"/en/desk/observers/observations?poll={POLL.id}"
    assert f'data-observation="{seen}"' in shown(site, waits)
    answer = {
        "mark": MARK,
        "act": "answer",
        "of": str(seen),
        "answer": "stands",
        "because": "",
        "reason": "The paper says 500",
    }
    assert site.post(waits, answer).status_code == 303
    assert 'data-answer="stands"' in shown(site, f"/en{PUBLIC}") and f'data-observation="{seen}"' not in shown(
        site, waits
    )

    off = site.post(
        desk_page, {"mark": MARK, "act": "suspend", "reason": "a breach of duties", "cite": "Elections law 20-1"}
    )
    assert off.status_code == 303
    assert 'data-suspended="yes"' in shown(site, f"/kk{PUBLIC}")
    assert 'data-state="suspended"' in site.post(f"/en{PUBLIC}/badge", {"badge": texts[1]}).text
    assert world.faults() == []


def test_a_refusal_stands_with_its_reasons_and_articles(world: World) -> None:
    site = site_of(world)
    site.post("/ru/observers/apply", FORM | {"charter": ""})
    number = world.apply(b"other", charter="")
    one = shown(site, f"/en/desk/observers/applications/{number}")
    assert 'data-may="refuse"' in one and "The charter does not name observing." in one and "Elections law 20-1" in one
    sent = {
        "mark": MARK,
        "act": "refuse",
        "why_0": "The charter does not name observing.",
        "cite_0": "Elections law 20-1",
    }
    assert site.post(f"/en/desk/observers/applications/{number}", sent).status_code == 303
    public = shown(site, f"/ru{PUBLIC}")
    assert "The charter does not name observing." in public and "20-1" in public
    twin = site.get(f"/en{PUBLIC}.json").json()
    assert twin["refused"][0]["reasons"] == [{"why": sent["why_0"], "cite": sent["cite_0"]}]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_in_every_language(world: World, lang: str) -> None:
    world.accredited()
    receive(world.connection, POLL, world.observed(None, yes=(1, None)).to_bytes(), world.now)
    number = world.apply(b"waits")
    site = site_of(world)
    for path in (
        PUBLIC, f"{PUBLIC}/rules", f"{PUBLIC}/badge", f"/observers/apply?poll={POLL.id}", "/desk/observers",
        f"/desk/observers/applications/{number}", f"/desk/observers/organisations/qala?poll={POLL.id}",
        f"/desk/observers/observations?poll={POLL.id}",
    ):  # fmt: skip
        text = shown(site, f"/{lang}{path}")
        assert f'<html lang="{lang}"' in text and "<script>" not in text and "style=" not in text
    rules = shown(site, f"/{lang}{PUBLIC}/rules")
    assert rules.count("data-rule=") >= 14
    assert {"kk": "бейтараптық", "ru": "беспристрастность", "en": "neutrality"}[lang] in rules


def test_figures_of_a_reconstruction_are_called_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    site, waits = site_of(world), f"/en/desk/observers/observations?poll={POLL.id}"
    assert 'id="reconstruction"' not in shown(site, waits)
    monkeypatch.setattr(desk, "poll_of", lambda *_: replace(POLL, reconstruction=True))
    assert 'id="reconstruction"' in shown(site, waits)


def test_nobody_decides_without_the_desk_the_mark_or_the_key(world: World) -> None:
    number = world.apply()
    path = f"/en/desk/observers/applications/{number}"
    sent = {"mark": MARK, "act": "accredit", "code": "qala", "until": "2025-08-20", "reason": "x", "cite": ""}
    away = site_of(world, officer=None).post(path, sent)
    assert (away.status_code, away.headers["location"]) == (303, "/en/desk/in")
    assert site_of(world).post(path, sent | {"mark": "other"}).status_code == 422
    assert site_of(world).post(path, sent, origin="http://elsewhere").status_code == 403
    assert site_of(world, key=False).post(path, sent).status_code == 409
    assert site_of(world).post(path, sent | {"until": "soon"}).status_code == 422
    assert "organisation" not in world.kinds()
    assert site_of(world).get("/en/desk/observers/organisations/none?poll=" + POLL.id).status_code == 404


@pytest.mark.parametrize("name", ["why_0", "cite_0"])
def test_no_reason_has_an_iin_in_it(world: World, name: str) -> None:
    """It would stand in the public record for good."""
    sent = {"mark": MARK, "act": "refuse", "why_0": "no charter", "cite_0": "20-1", name: "of 831005 300429"}
    assert is_iin("831005300429")
    refused = site_of(world).post(f"/en/desk/observers/applications/{world.apply()}", sent)
    assert refused.status_code == 422 and "P.077" in refused.text and "organisation-refused" not in world.kinds()


def test_a_form_that_is_wrong_says_which_field_and_keeps_what_was_typed(world: World) -> None:
    site = site_of(world)
    wrong = site.post("/kk/observers/apply", FORM | {"key": "short"})
    assert wrong.status_code == 422 and "O.001" in wrong.text and "office@city.example" in wrong.text
    assert 'data-fault-field="key"' in wrong.text
    assert site.post("/kk/observers/apply", FORM | {"token": ""}).status_code == 422
    assert site.post("/kk/observers/apply", FORM, origin="http://elsewhere").status_code == 403
    assert site.get("/kk/observers/apply?poll=kz/none").status_code == 404
    script = '<script>alert("x")</script>'
    world.accredited(names={"en": script})
    assert script not in site.get(f"/en{PUBLIC}").text
    assert issued(world.connection, POLL.id, "qala") == []


def test_the_page_of_the_law_of_2022_says_what_cannot_be_said(world: World) -> None:
    from dauys.observe.accreditation.said import rules_said
    from dauys.registers.poll_file import find_poll, read_poll

    said = rules_said(replace(read_poll(find_poll("kz/2022-referendum")).poll))
    rights = next(rule for rule in said["observers"] if rule["name"] == "rights")
    assert "law not loaded" in rights["missing"] and rights["since"] == "2022-11-05" and len(rights["words"]) == 11
    assert said["mandate"]["words"][0]["en"] == "as the Central Referendum Commission sets"
    assert said["last"]["at"].startswith("2022-05-30T18:00")
