"""Which provision does a citation name? Read and written in Kazakh, Russian and English.

    parse_citation("subparagraph 3) of paragraph 2 of Article 50")
    parse_citation("подпункт 3) пункта 2 статьи 50") == parse_citation("ст. 50 п. 2 пп. 3)")
    parse_citation("50-баптың 2-тармағының 3) тармақшасы").format("en")

A citation speaks of the numbers printed on its day; `resolve` says which permanent id carries them in a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from dauys.errors import BadInput, DauysError
from dauys.law.works import ID, NUMBER, Work

_EN = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_RU = ("первая", "вторая", "третья", "четвертая", "пятая", "шестая", "седьмая", "восьмая", "девятая", "десятая")
_RU_STEMS = ("перв", "втор", "трет", "четв[её]рт", "пят", "шест", "седьм", "восьм", "девят", "десят")
_KK = (
    "бірінші", "екінші", "үшінші", "төртінші", "бесінші", "алтыншы", "жетінші", "сегізінші", "тоғызыншы", "оныншы",
)  # fmt: skip
_K = "[а-яәғқңөұүһі]"
_N = rf"(?:{NUMBER})"
_STEMS = "|".join(_RU_STEMS)

_FULL = {
    "en": re.compile(
        rf"(?:(?:the )?(?P<part>{'|'.join(_EN)}) part of )?(?:subparagraph (?P<point>{_N})\) of )?"
        rf"(?:paragraph (?P<para>{_N}) of )?[Aa]rticle (?P<art>{_N})(?![0-9(-])"
    ),
    "ru": re.compile(
        rf"(?:[Чч]аст[а-я]{{1,3}} (?P<part>(?:{_STEMS})[а-я]{{1,3}}) )?(?:[Пп]одпункт[а-я]{{0,3}} (?P<point>{_N})\) )?"
        rf"(?:[Пп]ункт[а-я]{{0,3}} (?P<para>{_N}) )?[Сс]тать[а-я]{{1,3}} (?P<art>{_N})(?![0-9-])"
    ),
    "kk": re.compile(
        rf"(?P<art>{_N})-ба[пб]{_K}*(?: (?P<para>{_N})-тарма[қғ]{_K}*)?(?: (?P<point>{_N})\) тармақша{_K}*)?"
        rf"(?: (?P<part>{'|'.join(_KK)}) бөлі[кг]{_K}*)?"
    ),
}
_SHORT = (
    re.compile(rf"ст\. ?(?P<art>{_N})(?:,? ?п\. ?(?P<para>{_N}))?(?:,? ?п(?:п|одп)\. ?(?P<point>{_N})\)?)?"),
    re.compile(rf"(?:п(?:п|одп)\. ?(?P<point>{_N})\)? ?)?(?:п\. ?(?P<para>{_N}) ?)?ст\. ?(?P<art>{_N})"),
    re.compile(rf"(?P<art>{_N})-б\.(?: (?P<para>{_N})-т\.)?(?: (?P<point>{_N})\) тш\.)?"),
    re.compile(rf"(?:[Aa]rt(?:icle|\.) ?)?(?P<art>{_N})(?:\((?P<para>{_N})\))?(?:\(?(?P<point>{_N})\))?"),
)


@dataclass(frozen=True, slots=True)
class Citation:
    """Numbers as printed, "" where not named. `part` counts unnumbered parts from 1; 0 is the whole provision.

    `loose`: the form does not tell a paragraph from a point ("44(4)" may be point 4 of Article 44, which has no paragraphs).
    """

    article: str
    paragraph: str = ""
    point: str = ""
    part: int = 0
    loose: bool = False

    @property
    def id(self) -> str:
        """The id that these numbers give; the first part of a provision is the provision's own text."""
        steps = [f"art_{self.article}"]
        steps += [f"para_{self.paragraph}"] if self.paragraph else []
        steps += [f"point_{self.point}"] if self.point else []
        steps += [f"al_{self.part}"] if self.part > 1 else []
        return "__".join(steps)

    def format(self, language: str) -> str:
        """The full form in `kk`, `ru` or `en`, in the nominative."""
        if language == "en":
            part = f"the {_EN[self.part - 1]} part of " if self.part else ""
            point = f"subparagraph {self.point}) of " if self.point else ""
            return f"{part}{point}{f'paragraph {self.paragraph} of ' if self.paragraph else ''}Article {self.article}"
        if language == "ru":
            words = [f"часть {_RU[self.part - 1]}"] if self.part else []
            for number, first, of in ((self.point and f"{self.point})", "подпункт", "подпункта"),
                                      (self.paragraph, "пункт", "пункта"), (self.article, "статья", "статьи")):  # fmt: skip
                words += [f"{of if words else first} {number}"] if number else []
            return " ".join(words)
        if language == "kk":
            steps = [(f"{self.article}-бап", f"{self.article}-баптың")]
            steps += [(f"{self.paragraph}-тармағы", f"{self.paragraph}-тармағының")] if self.paragraph else []
            steps += [(f"{self.point}) тармақшасы", f"{self.point}) тармақшасының")] if self.point else []
            steps += [(f"{_KK[self.part - 1]} бөлігі", "")] if self.part else []
            return " ".join([*(of for _, of in steps[:-1]), steps[-1][0]])
        raise DauysError(f"citations are written in kk, ru and en, not in {language!r}")

    def short(self, language: str) -> str:
        """The short form: «ст. 50 п. 2 пп. 3)», «50-б. 2-т. 3) тш.», "50(2)3)"; without the part, which has none."""
        if language == "en":
            point = f"{self.point})" if self.paragraph else f"({self.point})"
            return self.article + (f"({self.paragraph})" if self.paragraph else "") + (point if self.point else "")
        if language == "ru":
            para = f" п. {self.paragraph}" if self.paragraph else ""
            return f"ст. {self.article}{para}" + (f" пп. {self.point})" if self.point else "")
        para = f" {self.paragraph}-т." if self.paragraph else ""
        return f"{self.article}-б.{para}" + (f" {self.point}) тш." if self.point else "")


def parse_citation(text: str) -> Citation:
    """The one citation that a text is, in any of the three languages; raises `BadInput`."""
    text = " ".join(text.split())
    for pattern in _FULL.values():
        if match := pattern.fullmatch(text):
            return _citation(match)
    for pattern in _SHORT:
        if match := pattern.fullmatch(text):
            citation = _citation(match)
            english = pattern is _SHORT[-1] and bool(citation.paragraph) and not citation.point
            if pattern is _SHORT[-1] and citation.point and not citation.paragraph:
                citation, english = replace(citation, paragraph=citation.point, point=""), True
            return replace(citation, loose=english)
    expected = "«подпункт 3) пункта 2 статьи 50», «50-баптың 2-тармағының 3) тармақшасы» or Article 50(2)3)"
    raise BadInput("not a citation", found=text, expected=expected)


def find_citations(text: str, language: str) -> list[tuple[int, int, Citation]]:
    """Where a text in `language` cites single provisions in full form: (start, end, citation)."""
    return [(match.start(), match.end(), _citation(match)) for match in _FULL[language].finditer(text)]


@lru_cache(maxsize=8192)
def citation_of(key: str) -> Citation:
    """The citation that a permanent id of an article or below reads as."""
    if not ID.fullmatch(key) or key.startswith("sec_"):
        raise BadInput("not an id of an article or of what is in it", found=key, expected="an id like art_50__para_2")
    numbers = dict(step.split("_") for step in key.split("__"))
    return Citation(numbers["art"], numbers.get("para", ""), numbers.get("point", ""), int(numbers.get("al", "0")))


def resolve(work: Work, name: str | Citation) -> str:
    """The permanent id of what a permanent id or a citation names in this text.

    A citation goes by the numbers printed in this text. Raises `BadInput` where it names nothing or several provisions.
    """
    if isinstance(name, str):
        if ID.fullmatch(name):
            if not work.has(name):
                raise BadInput("no such provision in the text", found=name)
            return name
        name = parse_citation(name)
    found = _named(work, name)
    if not found and name.loose:
        found = _named(work, replace(name, paragraph="", point=name.paragraph))
    if len(found) != 1:
        several = f"names {len(found)} provisions ({', '.join(found)})" if found else "names no provision of the text"
        raise BadInput(f"the citation {several}", found=name.format("en"), expected="exactly one")
    return found[0]


def _named(work: Work, citation: Citation) -> list[str]:
    return [key for key, printed in work.eids().items() if printed == citation.id]


def _citation(match: re.Match[str]) -> Citation:
    named = match.groupdict()
    return Citation(named["art"], named["para"] or "", named["point"] or "", _ordinal(named.get("part") or ""))


def _ordinal(word: str) -> int:
    if not word:
        return 0
    for words in (_EN, _KK):
        if word in words:
            return words.index(word) + 1
    return next(number for number, stem in enumerate(_RU_STEMS, start=1) if re.match(stem, word))


def provisions_of(cite: str, prefix: str) -> list[str]:
    """The ids that a rule's citation names in the work that `prefix` stands for: `Const. 61(4), (5); law 3` gives two."""
    found: list[str] = []
    for part in cite.split(";"):
        part = part.strip()
        if not part.startswith(prefix):
            continue
        article = ""
        for piece in re.sub(r" to (?=\()", ", ", part.removeprefix(prefix).strip()).split(","):
            piece = piece.strip()
            try:
                citation = parse_citation(f"{article}{piece}" if piece.startswith("(") else piece)
            except BadInput:
                continue  # what follows names another act
            article = citation.article
            found.append(citation.id)
            if citation.loose:
                found.append(f"art_{citation.article}__point_{citation.paragraph}")
    return found
