"""What does an official text in Markdown say, and what in it is no text of the law?

A user's file in Kazakh, Russian or English: `### Статья 83-1`, `### 50-бап` or `### Article 50`, numbered paragraphs
(`2.`), points (`3)`), unnumbered parts between them. Editors' notes are kept apart: they name amendments and rulings
but are no law. Nothing is lost: the sources of the pieces, joined, are the file, byte for byte.

    document = read_markdown(path)
    document.work(uri=..., title=..., status="official", ...)    the text in force
    document.pending                                             wordings printed beside it that begin later

A wording that begins later stands after a note that says so, with the numbers repeated. It ends with the article, at the
next such note, or where a number stands further left; where all stand at the margin only numbers can tell, and an
unnumbered part is refused, because nothing says to which wording it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NoReturn

from dauys.errors import BadInput
from dauys.law.files import read_text
from dauys.law.works import NUMBER, PREFIXES, Draft, Provision, Work, number_order, within

_SHAPES = (
    ("footnote", re.compile(r"> \*(?:Сноска|Ескерту)\..*")),
    ("quoted", re.compile(r">.*")),
    ("bold", re.compile(r"\*\*(?:Примечание|Ескертпе)\..*\*\*")),
    ("plain", re.compile(r"(?:Примечание|Ескертпе)\. .*")),
    # The Court's reading is printed like a part of the paragraph; only its wording tells (SOURCE.md, article 62(4)).
    ("reading", re.compile(r"В соответствии с нормативным постановлением Конституционного (?:Суда|Совета) .*")),
)
_ANCHOR = re.compile(rf'<a id="st({NUMBER})"></a>')
_ARTICLE = re.compile(rf"### (?:(?:Статья|Article) ({NUMBER})|({NUMBER})-бап)(?:\. (.+))?")
_SECTION = re.compile(r"## (?:(?:Раздел|Section) ([IVXLC]+)|([IVXLCІХ]+)[ -]бөлім)(?:\. (.+))?")
_TITLE = re.compile(r"# (.+)")
_PARAGRAPH = re.compile(rf"({NUMBER})\. (.*)", re.DOTALL)
_POINT = re.compile(rf"({NUMBER})\) (.*)", re.DOTALL)
_MARKED = re.compile(rf"{NUMBER}[.)] |[#>]|\*\*Примечание|<a id=")
_REPEALED = re.compile(r"(?:Исключен[аоы]? (?:Законом|в соответствии)|Алып тасталды|Алынып тасталды)", re.IGNORECASE)
_PENDING = re.compile(r"предусмотрено|применяются в следующей редакции|мынадай редакцияда қолданылады|көзделген")
_ADDED = re.compile(r"дополнить|толықтыру")
_STARTS = (
    re.compile(r"вводится? в действие с ([0-9.]+)|вводятся в действие с ([0-9.]+)"),
    re.compile(r"начиная с (выборов [а-яА-Я ]+ созыва)"),
)
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of the file: `source` exactly as it stands, with the empty lines after it; `text` without marks."""

    kind: str
    source: str
    line: int
    indent: int = 0
    num: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What the publisher added: `shape` is footnote, quoted, plain, bold or reading; `about` is where it stands."""

    shape: str
    text: str
    line: int
    about: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A wording printed beside the text in force: paragraphs of `article`, new ones where `added`."""

    article: str
    provisions: tuple[Provision, ...]
    start: str
    added: bool
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file taken apart. `title` is empty where the file has none."""

    file: str | None
    pieces: tuple[Piece, ...]
    title: str
    provisions: tuple[Provision, ...]
    notes: tuple[Note, ...]
    pending: tuple[Pending, ...]

    @property
    def source(self) -> str:
        """The file itself."""
        return "".join(piece.source for piece in self.pieces)

    def work(self, *, uri: str, title: str, rank: str, status: str, language: str, day: date) -> Work:
        """The text in force, without notes and without what begins later."""
        return Work(uri, title, rank, status, language, day, self.provisions)


def read_markdown(path: Path) -> Document:
    """The text of a file; raises `BadInput` with the line."""
    return parse_markdown(read_text(path), str(path))


def parse_markdown(text: str, file: str | None = None) -> Document:
    """The text of a document; `file` is what messages call it."""
    pieces = tuple(split(text, file))
    builder = _Builder(file)
    for piece in pieces:
        builder.take(piece)
    builder.close()
    builder.notes += [Note(note.kind[5:], note.text, note.line, "") for note in builder.loose]
    if not builder.draft.bare:
        raise BadInput("no article is found", file=file, line=1, expected="headings like `### Статья 50`")
    title = next((piece.text for piece in pieces if piece.kind == "title"), "")
    return Document(file, pieces, title, builder.draft.provisions(), tuple(builder.notes), tuple(builder.pending))


def fragment(text: str, above: str, file: str | None = None, line: int = 1) -> tuple[str, tuple[Provision, ...]]:
    """A wording to be set under the provision `above`: its first, unnumbered part ("" if none) and what follows.

    With `above` = "" or a section, whole articles (`### Article 83-1`).
    """
    pieces = [piece for piece in split(text, file, line) if piece.kind not in ("blank", "anchor")]
    if not above or above.startswith("sec_"):
        builder = _Builder(file)
        for piece in pieces:
            builder.take(piece)
        builder.close()
        return "", builder.draft.provisions()
    root = Provision(above)
    draft = Draft()
    _hang(draft, root, pieces, file)
    own = draft.tree(above)
    return own.text, own.children


def with_pending(work: Work, pending: Iterable[Pending]) -> Work:
    """The text once the wordings printed beside it have begun; raises `BadInput` where one fits nowhere."""
    draft = Draft(work.provisions)
    for item in pending:
        for provision in item.provisions:
            known = provision.id in draft.bare
            if known == item.added or item.article not in draft.bare:
                what = "is to be added but stands there" if known else "is to be changed but does not exist"
                raise BadInput(f"{provision.id} {what}", line=item.line)
            siblings = draft.order[item.article]
            place = siblings.index(provision.id) if known else len(siblings)
            if known:
                draft.take(provision.id)
            draft.put(item.article, place, provision)
    return replace(work, provisions=draft.provisions())


def split(text: str, file: str | None = None, first_line: int = 1) -> list[Piece]:
    """The pieces of a text, in order; their sources joined are the text."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        line = text.count("\n", 0, text.index("\N{REPLACEMENT CHARACTER}")) + first_line
        raise BadInput("a character that was lost in an earlier conversion", file=file, line=line, found="U+FFFD")
    pieces: list[Piece] = []
    block: list[str] = []
    start = first_line

    def close() -> None:
        if block:
            pieces.append(_piece("".join(block), start, file))
            block.clear()

    for number, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", text), start=first_line):
        open_text = bool(block) and bool(block[-1].strip())
        if line.strip() and not (open_text and not _MARKED.match(line.strip())):
            close()
            start = number
        block.append(line)
    close()
    return pieces


def _piece(source: str, line: int, file: str | None) -> Piece:
    lines = source.strip().splitlines()
    if not lines:
        return Piece("blank", source, line)
    indent = len(source) - len(source.lstrip(" "))
    text = " ".join([lines[0].rstrip(), *(part.strip() for part in lines[1:])])
    for shape, pattern in _SHAPES:
        if pattern.fullmatch(text):
            return Piece(f"note:{shape}", source, line, indent, "", text)
    if match := _ANCHOR.fullmatch(text):
        return Piece("anchor", source, line, indent, match[1])
    if match := _ARTICLE.fullmatch(text):
        return Piece("article", source, line, indent, match[1] or match[2], match[3] or "")
    if match := _SECTION.fullmatch(text):
        roman = (match[1] or match[2]).replace("І", "I").replace("Х", "X")
        return Piece("section", source, line, indent, str(_roman(roman)), match[3] or "")
    if match := _TITLE.fullmatch(text):
        return Piece("title", source, line, indent, "", match[1])
    if text.startswith(("#", "<", "**")):
        expected = "`### Статья 50`, `### 50-бап`, `## Раздел IV`, a numbered paragraph, or text"
        raise BadInput("this line cannot be read", file=file, line=line, found=text, expected=expected)
    if match := _PARAGRAPH.fullmatch(text):
        return Piece("paragraph", source, line, indent, match[1], match[2])
    if match := _POINT.fullmatch(text):
        return Piece("point", source, line, indent, match[1], match[2])
    return Piece("text", source, line, indent, "", text)


class _Builder:
    """Takes the pieces in order and sorts them: text in force, notes, wordings that begin later."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.draft = Draft()
        self.notes: list[Note] = []
        self.pending: list[Pending] = []
        self.section = ""
        self.anchor: Piece | None = None
        self.article: Provision | None = None
        self.pieces: list[Piece] = []
        self.later: list[tuple[Piece, list[Piece]]] = []
        self.loose: list[Piece] = []

    def take(self, piece: Piece) -> None:
        kind = piece.kind
        if kind in ("blank", "title"):
            return
        if kind == "anchor":
            self.close()
            self.anchor = piece
        elif kind == "section":
            self.close()
            self.section = f"sec_{piece.num}"
            self._put("", Provision(self.section, piece.num, piece.text), piece)
        elif kind == "article":
            self.close()
            if self.anchor is not None and self.anchor.num != piece.num:
                _refuse(self.file, piece, "the heading differs from the anchor above it", f"article {self.anchor.num}")
            self.anchor = None
            self.article = Provision(f"art_{piece.num}", piece.num, piece.text)
            self._put(self.section, self.article, piece)
            for note in self.loose:
                self._note(note)
            self.loose = []
        elif kind.startswith("note:"):
            self._note(piece) if self.article is not None else self.loose.append(piece)
        elif self.article is None:
            _refuse(self.file, piece, "text that belongs to no article", "a heading like `### Статья 50` before it")
        elif self.later and not self._ends_pending(piece):
            self.later[-1][1].append(piece)
        else:
            if self.later and self.later[-1][1]:
                self.finish_pending()
            self.pieces.append(piece)

    def close(self) -> None:
        """The article is complete: hang its text and what begins later."""
        if self.article is None:
            return
        self.finish_pending()
        article, self.article = self.article, None
        draft = Draft()
        _hang(draft, article, self.pieces, self.file)
        own = draft.tree(article.id)
        place = self.draft.order[self.section].index(article.id)
        self.draft.take(article.id)
        self.draft.put(self.section, place, own)
        self.pieces = []

    def finish_pending(self) -> None:
        """The wordings gathered so far become `Pending`: their numbers must be those that the note names."""
        assert self.article is not None
        for note, pieces in self.later:
            if not pieces:
                _refuse(self.file, note, "a note announces a wording, but none follows", "the numbered paragraph")
            draft = Draft()
            _hang(draft, Provision(self.article.id), pieces, self.file)
            own = draft.tree(self.article.id)
            named = _numbers(note.text)
            found = [child.num for child in own.children]
            if own.text or found != named:
                _refuse(
                    self.file, pieces[0], "another wording than the note announces", f"paragraphs {', '.join(named)}"
                )
            start = next((m[1] or m[m.lastindex or 1] for s in _STARTS if (m := s.search(note.text))), "")
            added = bool(_ADDED.search(note.text))
            self.pending.append(Pending(self.article.id, own.children, start, added, note.line))
        self.later = []

    def _ends_pending(self, piece: Piece) -> bool:
        note, pieces = self.later[-1]
        if not pieces:
            return False
        margin = pieces[0].indent
        if piece.indent < margin:
            return True
        if margin:
            return False
        if piece.kind == "text":
            _refuse(
                self.file,
                piece,
                "nothing says whether this part belongs to the wording in force or to the later one",
                "the later wording to be indented",
            )
        return piece.kind == "paragraph" and piece.num not in _numbers(note.text)

    def _note(self, piece: Piece) -> None:
        assert self.article is not None
        placed = [other for other in self.pieces if other.kind == "paragraph"]
        about = f"{self.article.id}__para_{placed[-1].num}" if placed else self.article.id
        self.notes.append(Note(piece.kind[5:], piece.text, piece.line, about))
        if piece.kind == "note:quoted" and _PENDING.search(piece.text):
            self.later.append((piece, []))

    def _put(self, parent: str, provision: Provision, piece: Piece) -> None:
        if provision.id in self.draft.bare:
            _refuse(self.file, piece, f"{provision.kind} {provision.num} stands twice", "each once")
        self.draft.put(parent, len(self.draft.order[parent]), provision)


def _hang(draft: Draft, root: Provision, pieces: Sequence[Piece], file: str | None) -> None:
    """Set `root` with its text and everything that the pieces put under it."""
    draft.put("", len(draft.order[""]), root)
    paragraph: str = ""
    point: tuple[str, int] | None = None
    for piece in pieces:
        if piece.kind == "paragraph":
            paragraph, point = _numbered(draft, root.id, piece, file), None
        elif piece.kind == "point":
            if point is not None and draft.parent[point[0]] != (paragraph or root.id):
                point = None
            point = (_numbered(draft, paragraph or root.id, piece, file), piece.indent)
        elif piece.kind == "text":
            inside = point is not None and piece.indent > point[1]
            _unnumbered(draft, point[0] if point is not None and inside else paragraph or root.id, piece.text)
        else:
            _refuse(file, piece, "this does not belong here", "paragraphs, points and text")


def _numbered(draft: Draft, parent: str, piece: Piece, file: str | None) -> str:
    prefix = PREFIXES[piece.kind]
    key = f"{parent}__{prefix}_{piece.num}"
    if f"{prefix}_" in parent.rpartition("__")[2] or (prefix == "para" and "__" in parent):
        _refuse(file, piece, f"a {piece.kind} cannot stand inside {parent}", "parts of it only")
    if key in draft.bare:
        _refuse(file, piece, f"{piece.kind} {piece.num} stands twice and no note says which is in force", "each once")
    before = [draft.bare[child] for child in draft.order[parent] if draft.bare[child].kind == piece.kind]
    if before and number_order(before[-1].num) > number_order(piece.num):
        _refuse(file, piece, f"{piece.kind} {piece.num} after {before[-1].num}", "rising numbers")
    state = "repealed" if _REPEALED.match(piece.text) else ""
    draft.put(parent, len(draft.order[parent]), Provision(key, piece.num, "", piece.text, state))
    return key


def _unnumbered(draft: Draft, parent: str, text: str) -> None:
    own = draft.bare[parent]
    if not own.text and not draft.order[parent]:
        draft.bare[parent] = replace(own, text=text)
        return
    parts = sum(draft.bare[child].kind == "alinea" for child in draft.order[parent])
    first = 2 if own.text else 1
    draft.put(parent, len(draft.order[parent]), Provision(f"{parent}__al_{parts + first}", "", "", text))


def notes_about(document: Document, scope: str) -> list[Note]:
    """The publisher's notes that stand at a provision or below it."""
    return [note for note in document.notes if within(note.about, scope)]


def _numbers(note: str) -> list[str]:
    """The paragraphs a note speaks of: `дополнить пунктами 3, 4 и 5`, `В пункт 1`, `положения пункта 2`."""
    match = re.search(rf"(?:пункт[а-я]*|тармақ[а-я]*) ((?:{NUMBER}(?:, | и | және )?)+)", note, re.IGNORECASE)
    return re.findall(NUMBER, match[1]) if match else []


def _roman(text: str) -> int:
    digits = [_ROMAN[letter] for letter in text]
    return sum(-digit if digit < max(digits[place:]) else digit for place, digit in enumerate(digits))


def _refuse(file: str | None, piece: Piece, message: str, expected: str) -> NoReturn:
    raise BadInput(message, file=file, line=piece.line, found=piece.text or piece.source.strip(), expected=expected)
