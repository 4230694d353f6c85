"""Official texts in Markdown: nothing is lost, notes are no law, and what cannot be told apart is refused with its line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from official_texts import DOCUMENTS, REASON, document

from dauys.errors import BadInput
from dauys.law.importer import fragment, notes_about, parse_markdown, read_markdown, split, with_pending

KK = """# Конституция

## ІІІ бөлім. Президент

### 44-бап. Өкілеттіктері

Президент:

1) жолдау арнайды;

10-1) үндеу жолдайды;

## IV бөлім. Парламент

### 50-бап

1. Парламент екі Палатадан тұрады.

   Палаталар тұрақты жұмыс істейді.

> *Ескерту. 50-бапқа өзгеріс енгізілді.*
"""
LATER = """### Статья 50

2. Пятнадцать.

   > *Примечание. Положения пункта 2 применяются в следующей редакции:*

   2. Десять.

      Часть вторая.

   > *Примечание. Статью 50 предусмотрено дополнить пунктами 4 и 5 (вводятся в действие с 01.01.2023):*

   4. Четыре.

   5. Пять.

6. Шесть.
"""


def test_a_kazakh_text() -> None:
    found = parse_markdown(KK)
    assert found.source == KK
    assert found.title == "Конституция"
    assert [(p.id, p.num, p.heading, p.text) for section in found.provisions for p in section.walk()] == [
        ("sec_3", "3", "Президент", ""),
        ("art_44", "44", "Өкілеттіктері", "Президент:"),
        ("art_44__point_1", "1", "", "жолдау арнайды;"),
        ("art_44__point_10-1", "10-1", "", "үндеу жолдайды;"),
        ("sec_4", "4", "Парламент", ""),
        ("art_50", "50", "", ""),
        ("art_50__para_1", "1", "", "Парламент екі Палатадан тұрады."),
        ("art_50__para_1__al_2", "", "", "Палаталар тұрақты жұмыс істейді."),
    ]
    assert [(note.shape, note.about) for note in found.notes] == [("footnote", "art_50__para_1")]


def test_an_english_text_with_wrapped_lines_and_other_line_ends() -> None:
    text = "### Article 83-1. Ombudsman\r\n\r\n1. One line\r\nand another.\r\n2. Two.\r\n1) a point;\r\n\r\nend"
    found = parse_markdown(text)
    assert found.source == text
    assert [(p.id, p.text) for p in found.provisions[0].walk()][1:] == [
        ("art_83-1__para_1", "One line and another."),
        ("art_83-1__para_2", "Two."),
        ("art_83-1__para_2__point_1", "a point;"),
        ("art_83-1__para_2__al_2", "end"),
    ]


def test_notes_of_four_shapes_and_the_reading_of_the_court_are_kept_apart() -> None:
    text = (
        "**Примечание. См. А.**\n\n### Статья 4\n\nПримечание. См. Б.\n\n1. Право.\n\n> *Примечание. В.*\n\n"
        "   В соответствии с нормативным постановлением Конституционного Суда следует понимать так.\n\n> *Сноска. Г.*\n"
    )
    found = parse_markdown(text)
    assert [note.shape for note in found.notes] == ["bold", "plain", "quoted", "reading", "footnote"]
    assert [note.about for note in found.notes] == ["art_4", "art_4", *["art_4__para_1"] * 3]
    assert [note.line for note in found.notes] == [1, 5, 9, 11, 13]
    assert [p.text for p in found.provisions[0].walk()] == ["", "Право."]
    assert len(notes_about(found, "art_4__para_1")) == 3


def test_wordings_that_begin_later_are_kept_beside_the_text() -> None:
    found = parse_markdown(LATER)
    assert [p.text for p in found.provisions[0].walk()] == ["", "Пятнадцать.", "Шесть."]
    assert [(p.article, [q.id for q in p.provisions], p.start, p.added) for p in found.pending] == [
        ("art_50", ["art_50__para_2"], "", False),
        ("art_50", ["art_50__para_4", "art_50__para_5"], "01.01.2023", True),
    ]
    assert found.pending[0].provisions[0].children[0].text == "Часть вторая."
    work = found.work(
        uri="/akn/kz/act/x/1995-08-30/x", title="К", rank="law", status="official", language="ru", day=date(2023, 1, 1)
    )
    later = with_pending(work, found.pending[:1])
    assert [p.text for p in later.walk()] == ["", "Десять.", "Часть вторая.", "Шесть."]
    with pytest.raises(BadInput, match="is to be added but stands there"):
        with_pending(later, [replace(found.pending[0], added=True)])


def test_a_later_wording_at_the_margin_ends_where_numbers_say_so_and_only_there() -> None:
    flat = "### Статья 50\n\n2. Старое.\n\n> *Примечание. Пункт 2 предусмотрено изложить в новой редакции:*\n\n"
    flat += "2. Новое.\n\n{}3. Три.\n"
    found = parse_markdown(flat.format(""))
    assert [p.text for p in found.provisions[0].walk()] == ["", "Старое.", "Три."]
    with pytest.raises(BadInput, match="nothing says whether this part belongs") as refused:
        parse_markdown(flat.format("Часть.\n\n"), "k.md")
    assert (refused.value.file, refused.value.line) == ("k.md", 9)


BROKEN = [
    ("1. Text without article.\n", "belongs to no article", 1),
    ("\n\n# Title only\n", "no article is found", 1),
    ("### Статья\n", "cannot be read", 1),
    ("### Статья 5\n\n#### Глава\n", "cannot be read", 3),
    ("### Статья 5\n\n1. a\n\n### Статья 5\n", "article 5 stands twice", 5),
    ("### Статья 5\n\n1. a\n\n1. b\n", "stands twice and no note says which is in force", 5),
    ("### Статья 5\n\n2. a\n\n1. b\n", "paragraph 1 after 2", 5),
    ("### Статья 5\n\n1) a\n\n1) b\n", "point 1 stands twice", 5),
    ('<a id="st50"></a>\n\n### Статья 51\n', "differs from the anchor", 3),
    ("### Статья 5\n\n1. \ufffd\n", "lost in an earlier conversion", 3),
    ("### Статья 5\n\n1. a\n\n> *Примечание. В пункт 1 предусмотрено изменение:*\n", "none follows", 5),
    ("### Статья 5\n\n1. a\n\n> *Примечание. В пункт 1 предусмотрено изменение:*\n\n   2. b\n", "another wording", 7),
    ("### Ð¡Ñ‚Ð°Ñ‚ÑŒÑ 5\n\n1. a\n", "cannot be read", 1),
]


@pytest.mark.parametrize(("text", "message", "line"), BROKEN)
def test_broken_structure_is_one_message_with_its_line(text: str, message: str, line: int) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        parse_markdown(text, "k.md")
    assert (refused.value.file, refused.value.line) == ("k.md", line)


@pytest.mark.parametrize("encoding", ["windows-1251", "utf-16", "utf-8-sig", "koi8-r"])
def test_wrong_encodings_are_one_message(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "k.md"
    path.write_bytes("### Статья 5\n\n1. Текст.\n".encode(encoding))
    with pytest.raises(BadInput, match=r"wrong encoding|byte order mark"):
        read_markdown(path)


PIECES = st.sampled_from(
    [
        "### Статья 4\n",
        "1. a\n",
        "   2) b\r\n",
        "\n",
        " \n",
        "text\n",
        "> *Сноска. x*\n",
        '<a id="st4"></a>\n',
        "   x",
        "\x0b\u2028",
        "é\r",
    ]
)


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES).map("".join))
def test_the_pieces_joined_are_the_file(text: str) -> None:
    try:
        pieces = split(text)
    except BadInput:
        return
    assert "".join(piece.source for piece in pieces) == text
    at = 1
    for piece in pieces:
        assert piece.line == at
        at += piece.source.count("\n")


def test_a_fragment_hangs_under_its_provision() -> None:
    text, below = fragment("First.\n\n1) one;\n\n2) two.\n\nLast.", "art_5__para_2")
    assert text == "First."
    assert [p.id for p in below] == ["art_5__para_2__point_1", "art_5__para_2__point_2", "art_5__para_2__al_2"]
    assert [p.id for p in fragment("### Article 9\n\n1. a", "sec_2")[1]] == ["art_9"]
    with pytest.raises(BadInput, match="cannot stand inside") as refused:
        fragment("1. x", "art_5__para_2", "law.yaml", 7)
    assert refused.value.line == 7


@pytest.mark.skipif(not DOCUMENTS, reason=REASON)
def test_the_official_texts_lose_nothing() -> None:
    """The counts are those of SOURCE.md and of the files themselves."""
    for name, articles, shapes, pending in (
        ("2019-03-23", 18, {"footnote": 17}, 0),
        ("2022-06-08", 7, {"footnote": 7, "quoted": 8}, 7),
        ("2023-01-01", 20, {"footnote": 20, "quoted": 5, "plain": 8, "bold": 2, "reading": 1}, 3),
    ):
        found = document(name)
        raw = DOCUMENTS[name][1].read_bytes()
        assert found.source.encode() == raw
        assert len(found.provisions) == articles
        assert Counter(note.shape for note in found.notes) == shapes
        assert sum(len(item.provisions) > 0 for item in found.pending) == pending
        notes = sum(len(note.text) for note in found.notes)
        said = [p for article in found.provisions for p in article.walk()]
        said += [p for item in found.pending for top in item.provisions for p in top.walk()]
        words = sum(len("".join(p.text.split())) for p in said) + sum(len("".join(n.text.split())) for n in found.notes)
        marks = sum(len(p.num) + (p.kind in ("paragraph", "point")) for p in said if p.kind != "article")
        heads = sum(len("".join(piece.source.split())) for piece in found.pieces if piece.kind in ("article", "anchor"))
        assert notes and words + marks + heads == len("".join(raw.decode().split()))


@pytest.mark.skipif(not DOCUMENTS, reason=REASON)
def test_the_reading_of_the_court_is_no_text_of_article_62() -> None:
    notes = notes_about(document("2023-01-01"), "art_62__para_4")
    assert [note.shape for note in notes] == ["reading"]
    [four] = [p for a in document("2023-01-01").provisions for p in a.walk() if p.id == "art_62__para_4"]
    assert four.children == ()
