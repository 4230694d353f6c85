"""Does every citation of the packs read in Kazakh and Russian, and name the same provisions there?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.law import packs
from dauys.law.citation_words import said
from dauys.law.citations import find_citations, parse_citation, resolve
from dauys.law.packs import pack_names
from dauys.law.system import load_system

NUMBER = re.compile(r"\d+(?:-\d+)*|\b[IVX]+\b")
DATE = re.compile(r"\d\d\.\d\d\.\d{4}|\b\d{1,2} [A-Z]\w+ \d{4}")


def cites(data: Any) -> Iterator[str]:
    """Every value of a key `cite`, at any depth."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from [value] if key == "cite" and isinstance(value, str) else cites(value)
    elif isinstance(data, list):
        for value in data:
            yield from cites(value)


def cited() -> list[tuple[str, str]]:
    """(citation, pack) of every file of every pack."""
    found = set()
    for pack in pack_names():
        for path in sorted((packs.JURISDICTIONS / pack).rglob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            if "cite:" in text:  # whatever YAML reads, every scalar as its text
                found |= {(cite, pack) for cite in cites(yaml.load(text, yaml.CBaseLoader))}
    return sorted(found)


CITED = cited()


def words(cite: str, language: str, pack: str = "kz") -> str:
    return "; ".join(text for text, _ in said(cite, language, pack))


def test_no_citation_of_a_pack_or_check_is_left_in_english() -> None:
    assert len(CITED) > 300
    checks = Path(packs.__file__).parents[1] / "stations/checks.yaml"
    assert list(cites(yaml.safe_load(checks.read_text(encoding="utf-8")))) == []
    left = {
        (cite, lang)
        for cite, pack in CITED
        for lang in ("kk", "ru")
        for _, own in said(cite, lang, pack)
        if own != lang
    }
    assert left == set()


def test_the_numbers_of_the_provisions_are_the_same_in_every_language() -> None:
    for cite, pack in CITED:
        spans = re.sub(r"\b(\d\d)-(\d\d)\b", r"\1 \2", cite)
        for language in ("kk", "ru"):
            there = NUMBER.findall(words(cite, language, pack))
            assert [number for number in NUMBER.findall(DATE.sub("", spans)) if number not in there] == [], cite


def test_single_provisions_are_read_back_as_what_they_were() -> None:
    """The older reader of citations finds in the Russian words the provision that it finds in the English ones."""
    tried = 0
    for cite, pack in CITED:
        single = re.fullmatch(r"(?:Const\.|[A-Z][a-z]+ law) ([0-9-]+(?:\([0-9-]+\))?(?:[0-9-]+\))?)", cite)
        if pack != "kz" or single is None:
            continue
        [(_, _, russian)] = find_citations(words(cite, "ru"), "ru")
        english = parse_citation(single[1])
        assert (russian.article, russian.point or russian.paragraph) == (
            english.article, english.point or english.paragraph,
        )  # fmt: skip
        [(_, _, kazakh)] = find_citations(words(cite, "kk"), "kk")
        assert kazakh == russian
        tried += 1
    assert tried > 80


def test_points_and_paragraphs_are_told_apart_as_in_the_text_that_is_held() -> None:
    text = load_system("kz").works["constitution"].before["ru"]
    for cite, pack in CITED:
        if pack == "kz" and re.fullmatch(r"(?:Const\. )?[0-9-]+\([0-9-]+\)", cite):
            number = cite.removeprefix("Const. ")
            try:
                key = resolve(text, number)
            except BadInput:  # the text holds only what the amendments touched
                continue
            assert ("подпункт" in words(cite, "ru")) == ("__point_" in key), cite


@pytest.mark.parametrize(
    ("cite", "ru", "kk"),
    [
        ("Const. 54(2)2), 62(4)",
         "подпункт 2) пункта 2 статьи 54 и пункт 4 статьи 62 Конституции РК",
         "ҚР Конституциясының 54-бабының 2-тармағының 2) тармақшасы және 62-бабының 4-тармағы"),
        ("Const. 72(1) to (5), 78",
         "пункты 1–5 статьи 72 и статья 78 Конституции РК",
         "ҚР Конституциясының 72-бабының 1–5-тармақтары және 78-бабы"),
        ("parties law 4, 8",
         "статьи 4 и 8 Закона РК «О политических партиях»",
         "«Саяси партиялар туралы» ҚР Заңының 4 және 8-баптары"),
        ('Constitutional Law "On elections", art. 43, by art. 9 and 30(2) of the referendum law',
         "статья 43 Конституционного закона «О выборах в Республике Казахстан», на основании статьи 9 и пункта 2 статьи 30 "
         "Конституционного закона РК «О республиканском референдуме»",
         "«Қазақстан Республикасындағы сайлау туралы» Конституциялық заңның 43-бабы, «Республикалық референдум туралы» ҚР "
         "Конституциялық заңының 9-бабы және 30-бабының 2-тармағы негізінде"),
        ("Elections law 24 to 26-1, by Referendum law 9, 30(2)",
         "статьи 24–26-1 Конституционного закона «О выборах в Республике Казахстан», на основании статьи 9 и пункта 2 "
         "статьи 30 Конституционного закона РК «О республиканском референдуме»",
         "«Қазақстан Республикасындағы сайлау туралы» Конституциялық заңның 24–26-1-баптары, «Республикалық референдум "
         "туралы» ҚР Конституциялық заңының 9-бабы және 30-бабының 2-тармағы негізінде"),
        ("44(10-1)", "подпункт 10-1) статьи 44", "44-баптың 10-1) тармақшасы"),
    ],
)  # fmt: skip
def test_a_citation_reads_as_a_lawyer_writes_it(cite: str, ru: str, kk: str) -> None:
    assert words(cite, "ru") == ru
    assert words(cite, "kk") == kk


def test_what_cannot_be_read_stays_as_it_is_and_is_marked() -> None:
    assert said("Const. 2; my own rule 7", "ru", "kz") == (("статья 2 Конституции РК", "ru"), ("my own rule 7", "en"))
    for cite in ("Pilot decision 3", "Const. 2, by decision 5 of the akim", "Const. 2, by Const. and more"):
        assert said(cite, "kk", "kz") == ((cite, "en"),)
    assert said("Const. 2 and more", "kk", "kz") == (("Const. 2 and more", "en"),)
    assert said("Ombudsman law 4", "ru", "kz") == (("Ombudsman law 4", "en"),)  # its genitive is not in the pack
    assert said("Const. 2", "en", "kz") == (("Const. 2", "en"),)
    assert said("Const. 2", "ru", "nowhere") == (("Const. 2", "en"),)


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["Const. ", "4", "(", ")", "; ", ", ", " to ", "-", "art. ", "by ", " of the "])).map(
        "".join
    )
)
def test_any_text_gets_an_answer(text: str) -> None:
    for language in ("kk", "ru", "en"):
        assert all(own in (language, "en") for _, own in said(text, language, "kz"))
