"""The oracle: effects derived from two official versions and replayed on the first give the second, for every article.

The official Russian texts of 23 March 2019, 8 June 2022 and 1 January 2023 stand beside the repository. What the two
amending laws in between do not explain is reported, and the report is exactly the list in SOURCE.md, no more, no less.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from official_texts import DOCUMENTS, FOLDER, REASON, document, official
from random_texts import WORKS, work_of

from dauys.errors import BadInput
from dauys.law.consolidate import consolidate, replay
from dauys.law.derive import derive, unexplained
from dauys.law.effects import Effect
from dauys.law.facts import Facts, load_facts
from dauys.law.importer import with_pending
from dauys.law.redline import redline
from dauys.law.texts import load_text
from dauys.law.when import When
from dauys.law.works import Provision, Work, article_of

NEEDS = pytest.mark.skipif(not DOCUMENTS, reason=REASON)
COURT = When(day=date(2023, 1, 1))


def only(work: Work, articles: Sequence[str]) -> Work:
    return replace(work, provisions=tuple(p for p in work.provisions if p.id in articles))


def told(effects: Sequence[Effect]) -> list[tuple[str, str, str, str]]:
    return [(e.op, e.target, e.words("ru").old, e.words("ru").new) for e in effects]


def explained() -> set[str]:
    """Where the law of 8 June 2022 changed something, by the effects of the pack, which answer to the table of facts."""
    law = next(law for law in load_text("kz", "constitution").laws if "2022-06-08" in law.uri)
    return {place for effect in law.effects for place in effect.touches()}


@NEEDS
@pytest.mark.parametrize(
    ("first", "second"), [("2019-03-23", "2023-01-01"), ("2019-03-23", "2022-06-08"), ("2022-06-08", "2023-01-01")]
)
def test_derived_effects_replayed_give_the_second_version(first: str, second: str) -> None:
    after = official(second)
    before = official(first)
    if len(before.provisions) > len(after.provisions):
        before = only(before, [p.id for p in after.provisions])
    if first == "2022-06-08":
        after = only(after, [p.id for p in before.provisions])
    effects = derive(before, after, When(day=after.day))
    later = consolidate(before, effects, after.day, Facts())
    for article in after.provisions:
        assert later.get(article.id) == article
    assert later == after
    assert consolidate(before, effects, before.day, Facts()) == before


@NEEDS
def test_the_wordings_printed_beside_the_text_of_2022_are_the_text_of_2023() -> None:
    """2022 with what it announces for 1 January 2023 is 2023, but for the law of 17 September 2022."""
    before = with_pending(official("2022-06-08"), document("2022-06-08").pending)
    after = only(official("2023-01-01"), [p.id for p in before.provisions])
    found = told(derive(before, after, COURT))
    assert [(op, place) for op, place, _, _ in found] == [
        ("replace_words", "art_71__para_1"),
        ("replace_words", "art_71__para_1__al_2"),
        ("replace_words", "art_91__para_2"),
    ]
    assert found[0][2:] == ("шесть", "восемь")
    assert found[1][2:] == ("двух раз подряд", "одного раза")
    assert "семь лет" in found[2][3]
    assert {item.start for item in document("2022-06-08").pending} == {"01.01.2023"}


@NEEDS
def test_old_and_new_standing_side_by_side_in_articles_50_and_51() -> None:
    print_2023 = document("2023-01-01")
    work = official("2023-01-01")
    assert "Пятнадцать" in work.get("art_50__para_2").text
    later = with_pending(work, print_2023.pending)
    assert "Десять" in later.get("art_50__para_2").text
    assert {item.start for item in print_2023.pending} == {"выборов депутатов Мажилиса Парламента восьмого созыва"}
    changed = {line.id for line in redline(work, later).lines}
    assert changed == {"art_50__para_2", "art_50__para_3", "art_51__para_1"}


@NEEDS
def test_what_no_known_amendment_explains_is_exactly_this() -> None:
    """Through 2022 where that print has the article, so that the law of 17 September 2022 shows in 71 and 91."""
    middle = {p.id for p in official("2022-06-08").provisions}
    whole = derive(official("2019-03-23"), official("2023-01-01"), COURT)
    report = [e for e in unexplained(whole, explained()) if article_of(e.target) not in middle]
    between = with_pending(official("2022-06-08"), document("2022-06-08").pending)
    first = derive(only(official("2019-03-23"), sorted(middle)), official("2022-06-08"), When(day=date(2022, 6, 8)))
    assert unexplained(first, explained()) == []
    report += unexplained(derive(between, only(official("2023-01-01"), sorted(middle)), COURT), ())
    assert told(report) == [
        ("replace_words", "art_42__para_5", "двух раз подряд", "одного раза"),  # 17.09.2022
        ("corrigendum", "art_51__para_1", "Казахстана .", "Казахстана."),  # a slip
        ("corrigendum", "art_54__para_2__point_2", "Не соблюдение", "Несоблюдение"),  # a slip
        ("replace_words", "art_71__para_1", "шесть", "восемь"),  # 17.09.2022
        ("replace_words", "art_71__para_1__al_2", "двух раз подряд", "одного раза"),  # 17.09.2022
        ("replace_words", "art_91__para_2", "Республики являются", report[-1].words("ru").new),  # 17.09.2022
    ]
    assert "избирается сроком на семь лет" in report[-1].words("ru").new


@NEEDS
def test_the_pack_changes_what_the_official_text_changes() -> None:
    """The same paragraphs and points change in our retelling as in the official text, article by article."""
    text = load_text("kz", "constitution")
    after = with_pending(official("2023-01-01"), document("2023-01-01").pending)
    official_places = {unit(line.id) for line in redline(official("2019-03-23"), after).lines}
    ours = {unit(place) for effect in text.effects for place in effect.touches()}
    theirs = {article_of(p.id) for p in after.provisions}
    covered = {place for place in ours if place.startswith("art_") and article_of(place) in theirs}
    whole = {"art_71", "art_83-1", "art_99"}  # reworded or added as a whole
    assert {place for place in official_places if article_of(place) not in whole} == {
        place for place in covered if article_of(place) not in whole
    }
    assert whole <= covered


@NEEDS
def test_the_pack_begins_on_the_days_that_the_official_print_of_2022_gives() -> None:
    """Seven articles exist in the print of 8 June 2022, with what it announces for 1 January 2023."""
    middle = official("2022-06-08")
    articles = {p.id for p in middle.provisions}
    before = only(official("2019-03-23"), sorted(articles))
    text, facts = load_text("kz", "constitution"), load_facts("kz")

    def ours(day: date) -> set[str]:
        lines = redline(text.on(day - timedelta(days=1), facts, "ru"), text.on(day, facts, "ru")).lines
        return {line.id for line in lines if article_of(line.id) in articles}

    assert {line.id for line in redline(before, middle).lines} == ours(middle.day)
    later = with_pending(middle, document("2022-06-08").pending)
    assert {line.id for line in redline(middle, later).lines} == ours(date(2023, 1, 1))


def unit(key: str) -> str:
    """The paragraph or point that the law's instructions name: parts are counted with it."""
    return re.sub(r"__al_[0-9]+$", "", key)


@NEEDS
def test_our_wording_is_not_the_official_one() -> None:
    """No run of fourteen words of the pack stands in an official text."""
    runs: set[tuple[str, ...]] = set()
    for name in DOCUMENTS:
        runs |= shingles(document(name).source)
    text = load_text("kz", "constitution")
    wordings = [p.text for p in text.before["ru"].walk()]
    wordings += [
        part
        for effect in text.effects
        for words in (effect.words("ru"),)
        for part in (words.new, words.text, *(p.text for top in words.provisions for p in top.walk()))
    ]
    assert not [part for part in wordings if shingles(part) & runs]


def shingles(text: str, length: int = 14) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[n : n + length]) for n in range(len(words) - length + 1)}


@settings(max_examples=50, deadline=None)
@given(WORKS, WORKS)
def test_derive_of_any_two_texts_is_exact_or_refused(before: Work, after: Work) -> None:
    try:
        effects = derive(before, after, COURT)
    except BadInput:
        return  # a numbered provision that vanishes without a trace, or comes back from repeal, is no operation of a law
    assert replay(before, effects).provisions == after.provisions


def test_a_slip_is_no_law() -> None:
    before = work_of(Provision("art_1", "1", "", "Не соблюдение срока ."))
    after = work_of(Provision("art_1", "1", "", "Несоблюдение срока."))
    effects = derive(before, after, COURT)
    assert {effect.op for effect in effects} == {"corrigendum"}
    assert unexplained(effects, ["art_1"]) == effects


def test_the_words_around_make_a_place_the_only_one() -> None:
    before = work_of(Provision("art_1", "1", "", "the Council and the Council of the Council"))
    after = work_of(Provision("art_1", "1", "", "the Council and the Court of the Council"))
    [effect] = derive(before, after, COURT)
    assert (effect.op, effect.words("en").old, effect.words("en").new) == (
        "replace_words",
        "the Council of",
        "the Court of",
    )


@NEEDS
def test_the_table_of_facts_names_every_article_that_the_pack_changes() -> None:
    table = FOLDER.parent / "kazakhstan/constitution2022_amendments.csv"
    with table.open(encoding="utf-8") as lines:
        articles = {f"art_{row['article_no']}" for row in csv.DictReader(lines)}
    assert len(articles) == 33
    assert {article_of(place) for place in explained() if place.startswith("art_")} == articles
