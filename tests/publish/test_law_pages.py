"""Do the pages of the law say what the law says, on every day, in three languages, and plainly where they cannot?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sample_poll import Sample, SiteClient, reader, referendum
from test_pages import LANGUAGES, Page, page

from dauys.law.snapshot import LawNotLoaded
from dauys.publish.law_reasons import reason
from dauys.publish.law_source import DAY, pack_law
from dauys.record.entry import Entry
from dauys.web.languages import translations

HOME = "law/kz/"
COMMENCEMENT = ("2022-06-08", "2023-01-01", "2023-01-19")
PARTS = (
    *("law/", HOME, f"{HOME}?on=2022-07-01", f"{HOME}on/2022-06-08", f"{HOME}on/2022-06-08?columns=2"),
    *(f"{HOME}on/2022-06-09", f"{HOME}on/2026-07-01", f"{HOME}on/2019-03-23", f"{HOME}text/constitution?on=2023-01-01"),
    *(f"{HOME}text/constitution?on=2026-07-01", f"{HOME}rules?on=2022-06-08", f"{HOME}rules?on=2010-01-01"),
    *(
        f"{HOME}rules/senate.size?on=2022-06-08",
        f"{HOME}rules/senate.size?on=2026-07-01",
        f"{HOME}rules/akim.deputies.max",
    ),
)


POLL = "kz/2022-referendum"
EVENT = "referendum-2022.published"
PUBLICATION = {"event": EVENT, "day": "2022-06-08", "cite": "referendum law, art. 33-34", "because": 40}


def milestones(outcome: str, *, closed: bool = True, **publication: object) -> list[tuple[int, Entry]]:
    """A preliminary declaration, and where the poll is closed the final one and what follows from it."""
    contests = [{"contest": "q1", "decision": {"outcome": outcome}}]
    bodies: list[tuple[int, str, dict[str, object]]] = [(30, "declaration", {"contests": contests})]
    if closed:
        bodies += [(39, "closing", {}), (40, "declaration", {"contests": contests})]
    if closed and (outcome == "adopted" or publication):
        bodies.append((41, "publication", PUBLICATION | publication))
    return [
        (seq, Entry(POLL, kind, f"{kind}/{seq}", "2022-06-08T10:00:00+06:00", "commission", body))
        for seq, kind, body in bodies
    ]


@pytest.fixture(scope="module")
def client() -> Iterator[SiteClient]:
    with reader(Sample(referendum(), milestones_=milestones("adopted"))) as found:
        yield found


def model(client: SiteClient, path: str) -> Any:
    answer = client.get(f"/en/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("part", PARTS)
def test_every_page_is_whole(client: SiteClient, lang: str, part: str) -> None:
    shown = page(client, f"/{lang}/{part}")
    assert shown.all("html", lang=lang)
    assert len(shown.all("h1")) == 1 and len(shown.all("main")) == 1
    ids = [a["id"] for a in shown.with_attribute("id")]
    assert len(ids) == len(set(ids))
    for label in shown.with_attribute("aria-labelledby"):
        assert label["aria-labelledby"] in ids
    assert not shown.with_attribute("style")
    anchors = {a["href"] for a in shown.all("a") if str(a["href"]).startswith("#")}
    assert {str(anchor)[1:] for anchor in anchors} <= {*ids, "main"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_link_of_the_law_leads_nowhere(client: SiteClient, lang: str) -> None:
    seen: set[str] = set()
    for part in ("law/", HOME, f"{HOME}on/2022-06-08", f"{HOME}text/constitution?on=2022-06-08", f"{HOME}rules"):
        for link in page(client, f"/{lang}/{part}").all("a"):
            seen.add(str(link["href"]).partition("#")[0])
    mine = sorted(address for address in seen if "/law/" in address and address.startswith(f"/{lang}/"))
    rules = [address for address in mine if "/rules/" in address]
    assert len(mine) > 300 and len(rules) > 300
    others = [address for address in mine if address not in rules]
    for address in (others if lang == "en" else others[::4]) + rules[::40]:  # the same links but for the language
        assert client.get(address).status_code == 200, address


def test_the_timeline_counts_what_the_law_changes_and_marks_the_three_days(client: SiteClient) -> None:
    days = {row["day"]: row for row in model(client, "law/kz.json")["days"]}
    system = pack_law("kz").system
    assert list(days) == [day.isoformat() for day in system.days()]
    for day, row in days.items():
        on = date.fromisoformat(day)
        changes = system.changes(on - DAY, on)
        assert row["changed"] + row["begun"] + row["ended"] == len(changes.rules), day
        assert bool(row["provisions"]) == bool(changes.texts), day
    assert [day for day, row in days.items() if any(part["parts"] == 3 for part in row["parts"])] == [*COMMENCEMENT]
    shown = page(client, "/en/law/kz/")
    assert [a["data-day"] for a in shown.with_attribute("data-part")] == [*COMMENCEMENT]


def test_a_redline_gives_both_texts_back(client: SiteClient) -> None:
    for day in COMMENCEMENT:
        on = date.fromisoformat(day)
        system = pack_law("kz").system
        (work,) = model(client, f"{HOME}on/{day}.json")["texts"]
        for line in work["lines"]:
            for lang, sides in line["texts"].items():
                was, now = (system.text("constitution", one, lang) for one in (on - DAY, on))
                for text, side, gone in ((was, "before", "insert"), (now, "after", "delete")):
                    joined = "".join(words for kind, words in sides["words"] if kind != gone)
                    assert joined == (sides[side] or "")
                    if text.has(line["id"]):
                        assert text.get(line["id"]).text in joined
                    else:
                        assert sides[side] is None
            assert line["effects"], line["id"]


def test_a_redline_is_told_without_colour(client: SiteClient) -> None:
    answer = client.get(f"/en/{HOME}on/2022-06-08").text
    assert '<del><span class="hidden">[taken out: </span>Council<span class="hidden">]</span></del>' in answer
    assert answer.count("<ins>") == answer.count("[put in: ")


@pytest.mark.parametrize(("day", "says"), [("2022-06-07", 49), ("2022-06-08", 55), ("2023-01-19", 50)])
def test_the_senate_of_a_day(client: SiteClient, day: str, says: int) -> None:
    answer = model(client, f"{HOME}rules/senate.size.json?on={day}")
    assert answer["value"]["value"] == says
    assert sum(answer["value"]["inputs"].values()) == says
    assert [row["value"] and row["value"]["value"] for row in answer["history"]] == [49, 55, 50, None]
    assert f'<div class="outcome value">{says}</div>' in client.get(f"/en/{HOME}rules/senate.size?on={day}").text


def test_a_rule_says_why_its_other_values_do_not_hold(client: SiteClient) -> None:
    (other,) = model(client, f"{HOME}rules/senate.presidential_quota.json?on=2022-06-08")["others"]
    assert (other["value"], other["why_not"]["code"], other["why_not"]["day"]) == (10, "begins", "2023-01-19")
    assert other["event"]["event"] == "mazhilis-8.elections" and other["event"]["source"]
    (other,) = model(client, f"{HOME}rules/senate.presidential_quota.json?on=2023-02-01")["others"]
    assert (other["value"], other["why_not"]["code"]) == (15, "replaced")


def test_every_reason_can_be_said_in_every_language() -> None:
    law = pack_law("kz")
    for day in law.days:
        snapshot = law.rules(day)
        sentences = set(snapshot.missing.values())
        sentences |= {other.why_not for key in law.system.book.rules for other in snapshot.explain(key).others}
        assert [text for text in sentences if reason(text)["code"] == "other"] == []


def test_every_subject_and_event_has_a_name_and_no_name_is_left_over() -> None:
    law = pack_law("kz")
    assert set(law.subjects) == {key.partition(".")[0] for key in law.system.book.rules}
    causes = {cause.event for day in law.days for change in law.changes(day).rules for cause in change.causes}
    whens = {value.since.event for rule in law.system.book.rules.values() for value in rule.values}
    assert causes | whens - {None, ""} <= set(law.events) | {""}


def test_rules_of_a_day_are_all_there_known_or_not(client: SiteClient) -> None:
    for day in ("2022-06-08", "2023-01-01"):
        answer = model(client, f"{HOME}rules.json?on={day}")
        rows = {row["key"]: row for subject in answer["subjects"] for row in subject["rules"]}
        snapshot = pack_law("kz").system.rules(date.fromisoformat(day))
        assert {key for key, row in rows.items() if row["known"]} == set(snapshot)
        assert {key for key, row in rows.items() if not row["known"]} == set(snapshot.missing)
        shown = page(client, f"/en/{HOME}rules?on={day}")
        assert len(shown.all("li", data_known="false")) == answer["unknown"] == shown.text.count("cannot say: law not")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("part", ["text/constitution", "rules", "rules/senate.size", ""])
@pytest.mark.parametrize("day", ["2026-07-01", "2019-03-22"])
def test_where_the_law_is_not_loaded_the_page_says_so_and_nothing_else(
    client: SiteClient, lang: str, part: str, day: str
) -> None:
    shown = page(client, f"/{lang}/{HOME}{part}?on={day}")
    assert shown.all("div", data_loaded="false")
    assert translations(lang).gettext("Law not loaded") in shown.text
    assert not shown.with_attribute("data-known")


def test_the_last_day_is_the_day_where_none_is_named(client: SiteClient) -> None:
    assert model(client, f"{HOME}rules.json")["on"] == "2026-06-30"
    with pytest.raises(LawNotLoaded):
        pack_law("kz").system.rules(date(2026, 7, 1)).value("senate.size")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_text_is_never_shown_as_official(client: SiteClient, lang: str) -> None:
    for day in ("2022-06-07", "2022-06-08", "2023-01-01"):
        answer = model(client, f"{HOME}text/constitution.json?on={day}")
        assert "official" not in answer["statuses"].values()
        shown = page(client, f"/{lang}/{HOME}text/constitution?on={day}")
        assert {a["data-status"] for a in shown.with_attribute("data-status")} <= {"paraphrase", "translation"}
    no_kazakh = translations("kk").gettext("There is no text in this language here; it is shown in another one.")
    assert (no_kazakh in shown.text) == (lang == "kk" and "kk" not in answer["titles"])


def test_the_history_of_a_provision_leads_to_its_words(client: SiteClient) -> None:
    answer = model(client, f"{HOME}text/constitution.json?on=2022-10-01")
    for provision in answer["provisions"]:
        past = [step for step in provision["history"] if step["past"]]
        assert all(step["effect"]["starts"] == step["day"] for step in provision["history"])
        if past:
            assert past[-1]["texts"]["en"]["after"] == "\n".join(filter(None, provision["texts"]["en"].values()))
    terms = next(p for p in answer["provisions"] if p["id"] == "art_71__para_1")
    assert [step["day"] for step in terms["history"]] == ["2022-06-08", "2022-09-17"]


@pytest.mark.parametrize("words", ["x", "2022-02-30", "0001-01-01", "9999-12-31", "<b>"])
def test_what_is_no_day_is_refused_in_one_sentence(client: SiteClient, words: str) -> None:
    for path in (f"rules?on={words}", f"on/{words}", f"text/constitution?on={words}"):
        answer = client.get(f"/en/{HOME}{path}")
        assert answer.status_code == 400 and "2022-06-08" in answer.text and "<b>" not in answer.text


@pytest.mark.parametrize("path", ["law/ch/", "law/xx/", f"{HOME}text/nothing", f"{HOME}rules/nothing", "law/..%2f/"])
def test_what_is_not_there_is_not_found(client: SiteClient, path: str) -> None:
    assert client.get(f"/en/{path}").status_code == 404


def test_the_site_leads_to_the_law_and_the_decision_to_its_rules(client: SiteClient) -> None:
    shown: Page = page(client, "/en/polls/kz/2022-referendum/")
    links = {a["href"] for a in shown.all("a")}
    assert {"/en/law/", "/en/law/kz/rules?on=2022-06-05#referendum"} <= links
    assert page(client, "/en/law/kz/rules?on=2022-06-05").all(id="referendum")
    assert {a["href"] for a in page(client, "/en/law/kz/rules?on=2022-06-05").all("a")} >= {
        "/ru/law/kz/rules?on=2022-06-05"
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_a_poll_decided_is_cited_from_its_record(client: SiteClient, lang: str) -> None:
    (change,) = [row for row in model(client, f"{HOME}on/2022-06-08.json")["events"] if row["event"] == EVENT]
    assert change["record"] == {"poll": POLL, "entry": 41}
    assert change["source"] == f"{POLL}, entry 41: referendum law, art. 33-34"
    shown = page(client, f"/{lang}/{HOME}on/2022-06-08")
    assert [a["data-state"] for a in shown.with_attribute("data-record")] == ["published"]
    assert f"/{lang}/polls/{POLL}/record" in {a["href"] for a in shown.all("a")}
    assert client.get(f"/{lang}/polls/{POLL}/record").status_code == 200
    raw = client.get(f"/{lang}/{HOME}on/2022-06-08").text
    assert f'. <a href="/{lang}/polls/{POLL}/">' in raw, "the sentence and the poll's name need a space between them"
    (record,) = model(client, f"{HOME}rules/natural_resources.owner.json?on=2022-06-08")["records"]
    assert (record["state"], record["event"]["at"]) == ("published", "2022-06-08")


OTHER_WAYS = {
    "refused": milestones("rejected"),
    "open": milestones("adopted", closed=False),
    "open, with nothing declared": [],
    "open, with a lower result": milestones("rejected", closed=False),
}


SAID_IN = {"open, with nothing declared": ("kk",), "open, with a lower result": ("ru",)}
"""These pages say the same as those of "open", which are read in every language."""


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_where_it_was_not_adopted_nothing_commences_and_every_page_says_why(way: str) -> None:
    state = way.partition(",")[0]
    turned = pack_law("kz").system.without(EVENT)
    with reader(Sample(referendum(), milestones_=OTHER_WAYS[way])) as reading:
        days = [row["day"] for row in model(reading, "law/kz.json")["days"]]
        assert days == [day.isoformat() for day in turned.days()]
        for day in ("2022-06-08", "2023-01-01", "2023-01-19"):
            for key in ("natural_resources.owner", "senate.presidential_quota", "mazhilis.size", "court.acting"):
                said = model(reading, f"{HOME}rules/{key}.json?on={day}")["value"]["value"]
                assert said == turned.rules(date.fromisoformat(day)).value(key), (day, key)
        before, after = (
            {p["id"]: p["texts"] for p in model(reading, f"{HOME}text/constitution.json?on={day}")["provisions"]}
            for day in ("2022-06-07", "2023-02-01")
        )
        assert before == after
        (other, *_) = model(reading, f"{HOME}rules/natural_resources.owner.json?on=2022-06-08")["others"]
        assert (other["why_not"]["code"], other["why_not"]["event"]) == ("not-happened", EVENT)
        assert other["why_not"]["names"] == [pack_law("kz").events[EVENT]]
        shown = page(reading, f"/kk/{HOME}rules/natural_resources.owner?on=2022-06-08").text
        assert pack_law("kz").events[EVENT]["kk"] in shown and f"{EVENT}." not in shown
        for lang in SAID_IN.get(way, LANGUAGES):
            for part in PARTS[1:]:
                shown = page(reading, f"/{lang}/{part}")
                assert [a["data-state"] for a in shown.with_attribute("data-record")] == [state], part
            says = "This poll was not adopted, so nothing that waits for its result begins:"
            says = (
                says
                if state == "refused"
                else "This poll is not decided yet, so nothing that waits for its result begins:"
            )
            assert translations(lang).gettext(says) in shown.text
            if state == "refused":
                assert translations(lang).gettext("Rejected") in shown.text


def test_the_record_says_the_day_and_the_pages_follow_it() -> None:
    with reader(Sample(referendum(), milestones_=milestones("adopted", day="2022-06-20"))) as reading:
        value = model(reading, f"{HOME}rules/natural_resources.owner.json?on=2022-06-20")["value"]
        assert (value["value"], value["since"]) == ("people", "2022-06-20")
        assert model(reading, f"{HOME}rules/natural_resources.owner.json?on=2022-06-19")["value"]["value"] == "state"
        assert model(reading, f"{HOME}rules/senate.size.json?on=2022-06-08")["value"]["value"] == 55


def test_a_publication_that_follows_from_nothing_is_refused() -> None:
    with reader(Sample(referendum(), milestones_=milestones("rejected", because=40))) as reading:
        answer = reading.get(f"/en/{HOME}")
        assert answer.status_code == 404 and "a publication without a result" in answer.text


def test_every_value_in_words_has_a_name_in_every_language_and_no_name_is_left_over() -> None:
    law = pack_law("kz")
    values = [value for rule in law.system.book.rules.values() for value in rule.values if value.value is not None]
    said = {str(value.value) for value in values if value.unit == "text"}
    said |= {
        word for value in values if value.unit == "list" and isinstance(value.value, tuple) for word in value.value
    }
    assert said == set(law.words)
    assert all(set(names) == {"kk", "ru", "en"} for names in law.words.values())


def test_values_in_words_are_shown_in_the_language_of_the_page(client: SiteClient) -> None:
    address = f"{HOME}rules/senate.bill_power?on=2023-01-01"
    for lang, says in (("kk", "мақұлдайды"), ("ru", "одобряет"), ("en", "approves")):
        assert f'<div class="outcome value">{says}</div>' in client.get(f"/{lang}/{address}").text
    shown = client.get(f"/ru/{HOME}rules/senate.consents_to?on=2023-01-01").text
    assert "<li>Председатель Конституционного Суда</li>" in shown
    value = model(client, f"{HOME}rules/senate.consents_to.json?on=2023-01-01")["value"]
    assert [words["en"] for words in value["words"]] == value["value"]
