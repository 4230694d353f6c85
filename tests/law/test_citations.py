"""Citations in three languages: each form is read, each full form comes back, and a text says what it names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from official_texts import DOCUMENTS, REASON, official
from random_texts import work_of

from dauys.errors import BadInput
from dauys.law.citations import Citation, citation_of, find_citations, parse_citation, resolve
from dauys.law.works import ID, Provision

FORMS = [
    ("subparagraph 3) of paragraph 2 of Article 50", "art_50__para_2__point_3"),
    ("Article 83-1", "art_83-1"),
    ("article 50(2)", "art_50__para_2"),
    ("Art. 58(3)7)", "art_58__para_3__point_7"),
    ("56(1)3-1)", "art_56__para_1__point_3-1"),
    ("50(2)(3)", "art_50__para_2__point_3"),
    ("the second part of paragraph 2 of Article 61", "art_61__para_2__al_2"),
    ("the first part of paragraph 2 of Article 61", "art_61__para_2"),
    ("подпункт 3) пункта 2 статьи 50", "art_50__para_2__point_3"),
    ("подпунктом 10-1) статьи 44", "art_44__point_10-1"),
    ("Пункту 2 статьи 83-1", "art_83-1__para_2"),
    ("часть вторая пункта 2 статьи 61", "art_61__para_2__al_2"),
    ("частью третьей статьи 9", "art_9__al_3"),
    ("статью 15", "art_15"),
    ("ст. 50 п. 2 пп. 3)", "art_50__para_2__point_3"),
    ("ст.50 п.2", "art_50__para_2"),
    ("пп. 3) п. 2 ст. 50", "art_50__para_2__point_3"),
    ("50-баптың 2-тармағының 3) тармақшасы", "art_50__para_2__point_3"),
    ("50-баптың 2-тармағында", "art_50__para_2"),
    ("83-1-бап", "art_83-1"),
    ("44-баптың 10-1) тармақшасында", "art_44__point_10-1"),
    ("61-баптың 2-тармағының екінші бөлігі", "art_61__para_2__al_2"),
    ("50-б. 2-т. 3) тш.", "art_50__para_2__point_3"),
]
CITATIONS = st.builds(
    Citation,
    st.sampled_from(["1", "50", "83-1", "113-11"]),
    st.sampled_from(["", "2", "1-1", "10"]),
    st.sampled_from(["", "3", "10-1"]),
    st.integers(0, 10),
)


@pytest.mark.parametrize(("text", "key"), FORMS)
def test_every_form_is_read(text: str, key: str) -> None:
    assert parse_citation(text).id == key


@settings(max_examples=60)
@given(CITATIONS, st.sampled_from(["kk", "ru", "en"]))
def test_the_full_form_comes_back_in_every_language(citation: Citation, language: str) -> None:
    assert parse_citation(citation.format(language)) == citation
    whole = Citation(citation.article, citation.paragraph, citation.point)
    back = parse_citation(whole.short(language))
    assert back.id == whole.id or (back.loose and back.paragraph == whole.point)
    assert citation_of(citation.id).id == citation.id
    assert ID.fullmatch(citation.id)


@pytest.mark.parametrize(
    "text",
    ["", "Article", "Article 50(2", "Article fifty", "подпункт 3 пункта 2 статьи 50", "пункт 2", "50-баптың тармағы",
     "paragraph 2 of Article 50 and more", "Article 50-", "ст. 50 пп.", "statya 50", "Article 0xFF"],
)  # fmt: skip
def test_what_is_no_citation_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not a citation"):
        parse_citation(text)


def test_a_text_says_what_a_citation_names() -> None:
    work = work_of(
        Provision("art_44", "44", children=(Provision("art_44__point_4", "4"),)),
        Provision("art_50", "50", children=(Provision("art_50__para_2", "3"), Provision("art_50__para_3", "3-1"))),
    )
    assert resolve(work, "44(4)") == "art_44__point_4"  # no paragraphs there: the loose form is the point
    assert resolve(work, "пункт 3 статьи 50") == "art_50__para_2"  # by the number printed today
    assert resolve(work, "art_50__para_3") == "art_50__para_3"  # by the permanent id
    for name in ("Article 50(2)", "пункт 4 статьи 44", "art_50__para_9", "Article 51"):
        with pytest.raises(BadInput):
            resolve(work, name)


def test_a_citation_of_two_provisions_is_refused() -> None:
    work = work_of(Provision("art_1", "1"), Provision("art_2", "1"))
    with pytest.raises(BadInput, match="names 2 provisions"):
        resolve(work, "статья 1")


@pytest.mark.skipif(not DOCUMENTS, reason=REASON)
def test_the_official_texts_cite_provisions_that_are_there() -> None:
    """Every citation of one provision in the text of 2023 that points into its articles finds it."""
    work = official("2023-01-01")
    found = [citation for p in work.walk() for _, _, citation in find_citations(p.text, "ru")]
    inside = [citation for citation in found if work.has(f"art_{citation.article}")]
    assert len(inside) >= 5
    for citation in inside:
        resolve(work, citation)
