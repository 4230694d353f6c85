"""How does a citation of a pack read in Kazakh and in Russian? For pages; files, commands and the record keep the English.

    said('Elections law 9(2), 97-1', "ru", "kz")  ->  [("пункт 2 статьи 9 и статья 97-1 Конституционного закона …", "ru")]

A citation is parts divided by semicolons: an act by a name of `jurisdictions/<pack>/citations.yaml`, its provisions, a
phrase of that file, and on whose ground it applies ("by art. 9 of the referendum law", "by Referendum law 9"). A part that
cannot be read so stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby

import yaml

from dauys.law.files import Node, read_yaml
from dauys.law.packs import pack_folder, pack_names
from dauys.law.works import NUMBER

_KINDS = {"art": "article", "ch.": "chapter", "sec": "section", "lin": "line"}
_REF = re.compile(
    rf"(?:(?P<kind>[Aa]rt\.|[Aa]rticle|ch\.|sections?|line) )?(?P<number>{NUMBER}|[IVX]+)?"
    rf"(?:\((?P<paragraph>{NUMBER})\))?(?:(?P<point>{NUMBER})\))?"
    rf"(?:(?: to |-)(?P<bracket>\()?(?P<to>{NUMBER}|[IVX]+)(?(bracket)\)))?"
)
_AND = re.compile(r", (?:and )?| and ")
_SPAN = re.compile(r"([1-9][0-9]+)-([1-9][0-9]+)")
_BY = re.compile(r", by (?P<refs>.+) of the (?P<work>.+)")
_BY_SHORT = re.compile(r" \(by (?P<bracketed>.+)\)|, by (?P<inside>.+)")
_BRACKET = re.compile(r" \((?P<inside>.+)\)")

_RU = {
    "article": ("статья", "статьи", "статьи", "статей"),
    "paragraph": ("пункт", "пункты", "пункта", "пунктов"),
    "point": ("подпункт", "подпункты", "подпункта", "подпунктов"),
    "chapter": ("глава", "главы", "главы", "глав"),
    "section": ("раздел", "разделы", "раздела", "разделов"),
    "line": ("строка", "строки", "строки", "строк"),
}
"""One and several, in the nominative and in the genitive."""
_KK = {
    "article": ("бап", "баптар", "бабы", "баптары", "баптың", "бабының"),
    "paragraph": ("тармақ", "тармақтар", "тармағы", "тармақтары", "", "тармағының"),
    "point": ("тармақша", "тармақшалар", "тармақшасы", "тармақшалары", "", ""),
    "chapter": ("тарау", "тараулар", "тарауы", "тараулары", "", ""),
    "section": ("бөлім", "бөлімдер", "бөлімі", "бөлімдері", "", ""),
    "line": ("жол", "жолдар", "жолы", "жолдары", "", ""),
}
"""One and several; one and several of something; of one, and of one of something."""


@dataclass(frozen=True, slots=True)
class _Work:
    """An act: {language: (name, its genitive)}, None where only the whole act is cited.

    `points` are its articles without numbered paragraphs.
    """

    names: Mapping[str, tuple[str, str | None]]
    points: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Named:
    """What a pack's citations may name: acts and phrases by their English; `home` is the act that needs no name."""

    works: Mapping[str, _Work]
    phrases: Mapping[str, Mapping[str, str]]
    home: _Work


@dataclass(frozen=True, slots=True)
class _Ref:
    """One provision, or several up to `to`, as numbers of `kind` within `above`: the article, and the paragraph if any."""

    kind: str
    above: tuple[str, ...]
    number: str
    to: str = ""


@lru_cache(maxsize=4096)
def said(cite: str, language: str, pack: str) -> tuple[tuple[str, str], ...]:
    """The parts of a citation in `kk` or `ru`, each with the language it is in: `en` where the part could not be read."""
    named = _named(pack) if language in ("kk", "ru") else None
    if named is None:
        return ((cite, "en"),)
    parts = ((part, _part(part, language, named)) for part in _split(cite))
    return tuple((words, language) if words else (part, "en") for part, words in parts)


def _split(cite: str) -> list[str]:
    """The parts between semicolons that stand in no bracket."""
    return re.split(r"; (?![^(]*\))", cite)


def _part(text: str, language: str, named: _Named) -> str | None:
    work, rest = _work(text, named)
    rest = rest.removeprefix(",").removeprefix(" ") if not rest.startswith(" (") else rest
    refs, rest = _refs(rest, work or named.home)
    if work and not refs:
        body: str | None = work.names[language][0]
    else:
        body = _provisions(refs, work, language, of=False) if refs else None
    tail = _tail(rest, language, named)
    return None if body is None or tail is None else body + tail


def _work(text: str, named: _Named) -> tuple[_Work | None, str]:
    """The act that a text begins with, by its longest name, and what follows."""
    for name, work in named.works.items():
        if text[:1].lower() + text[1 : len(name)] == name and not text[len(name) : len(name) + 1].isalnum():
            return work, text[len(name) :]
    return None, text


def _refs(text: str, work: _Work) -> tuple[list[_Ref], str]:
    """The provisions that a text begins with, and what follows."""
    found: list[_Ref] = []
    kind, article, at = "article", "", 0
    while (match := _REF.match(text, at)) and (match["number"] or (article and match["paragraph"])):
        kind = _KINDS[match["kind"].lower()[:3]] if match["kind"] else kind
        article = match["number"] or article
        number, to = article, match["to"] or ""
        if (span := _SPAN.fullmatch(number)) and int(span[1]) < int(span[2]):  # 33-34 are two articles, 83-1 is one
            number, to = span[1], span[2]
        if match["paragraph"] and not match["point"] and article in work.points:
            found.append(_Ref("point", (article,), match["paragraph"], to))
        elif match["point"]:
            above = (article, match["paragraph"]) if match["paragraph"] else (article,)
            found.append(_Ref("point", above, match["point"], to))
        elif match["paragraph"]:
            found.append(_Ref("paragraph", (article,), match["paragraph"], to))
        else:
            found.append(_Ref(kind, (), number, to))
        at = match.end()
        following = _AND.match(text, at)
        if following is None or not re.match(r"(?:art\.|ch\.|sections?) |[0-9(]", text[following.end() :]):
            break
        at = following.end()
    return found, text[at:]


def _tail(text: str, language: str, named: _Named) -> str | None:
    """What stands after the provisions; None where it cannot be read."""
    if not text:
        return ""
    if phrase := named.phrases.get(text.removeprefix(", ")):
        return f", {phrase[language]}"
    if match := _BY.fullmatch(text):
        ground = _on_ground(match["work"], match["refs"], language, named)
        return f", {ground}" if ground else None
    if match := _BY_SHORT.fullmatch(text):
        inside = match["bracketed"] or match["inside"]
        work, refs = _work(inside, named)
        ground = _on_ground(inside[: -len(refs)], refs.lstrip(), language, named) if work and refs else None
        return ground and (f" ({ground})" if match["bracketed"] else f", {ground}")
    if match := _BRACKET.fullmatch(text):
        several = [_part(part, language, named) for part in _split(match["inside"])]
        return None if None in several else f" ({'; '.join(part for part in several if part)})"
    return None


def _on_ground(name: str, provisions: str, language: str, named: _Named) -> str | None:
    """By which provisions of another act it applies."""
    work, rest = _work(name, named)
    refs, left = _refs(provisions, work) if work else ([], "")
    words = _provisions(refs, work, language, of=True) if refs and not rest and not left else None
    return words and (f"на основании {words}" if language == "ru" else f"{words} негізінде")


def _provisions(refs: Sequence[_Ref], work: _Work | None, language: str, *, of: bool) -> str | None:
    """Provisions of an act, several of one place together: «пункты 4 и 5 статьи 61 Конституции». `of`: in the genitive.

    None where the act's genitive is not known.
    """
    owner = work.names[language][1] if work else ""
    groups = [(kind, above, list(several)) for (kind, above), several in groupby(refs, lambda r: (r.kind, r.above))]
    if language == "ru":
        return None if owner is None else f"{_list([_russian(*group, of) for group in groups], 'и')} {owner}".rstrip()
    words = _list([_kazakh(*group, owned=work is not None) for group in groups], "және")
    return None if owner is None else f"{owner} {words}".lstrip()


def _russian(kind: str, above: Sequence[str], refs: Sequence[_Ref], of: bool) -> str:
    words = f"{_RU[kind][2 * of + _several(refs)]} {_list(_numbers(refs), 'и')}"
    words += f" пункта {above[1]}" if len(above) == 2 else ""
    return words + (f" статьи {above[0]}" if above else "")


def _kazakh(kind: str, above: Sequence[str], refs: Sequence[_Ref], owned: bool) -> str:
    hyphen = " " if kind in ("point", "section") else "-"
    last = _list(_numbers(refs), "және") + hyphen + _KK[kind][2 * (owned or bool(above)) + _several(refs)]
    holders = [f"{above[0]}-{_KK['article'][5 if owned else 4]}"] if above else []
    holders += [f"{above[1]}-{_KK['paragraph'][5]}"] if len(above) == 2 else []
    return " ".join([*holders, last])


def _several(refs: Sequence[_Ref]) -> bool:
    return len(refs) > 1 or any(ref.to for ref in refs)


def _numbers(refs: Sequence[_Ref]) -> list[str]:
    bracket = ")" if refs[0].kind == "point" else ""
    return [f"{ref.number}{bracket}" + (f"–{ref.to}{bracket}" if ref.to else "") for ref in refs]


def _list(words: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


@cache
def _named(pack: str) -> _Named | None:
    """What `jurisdictions/<pack>/citations.yaml` names; None where there is no such pack or file."""
    path = pack_folder(pack) / "citations.yaml" if pack in pack_names() else None
    if path is None or not path.exists():
        return None
    parts = read_yaml(path).mapping(("works",), ("phrases",))
    read = [_read_work(node) for node in parts["works"].items()]
    works = {name[:1].lower() + name[1:]: work for names, work in read for name in names}
    phrases = dict(_read_phrases(parts["phrases"])) if "phrases" in parts else {}
    return _Named({name: works[name] for name in sorted(works, key=len, reverse=True)}, phrases, read[0][1])


def _read_work(node: Node) -> tuple[list[str], _Work]:
    parts = node.mapping(("en", "kk", "ru"), ("points",))
    points = frozenset(item.text() for item in parts["points"].items()) if "points" in parts else frozenset[str]()
    names = {language: _read_name(parts[language]) for language in ("kk", "ru")}
    return [item.text() for item in parts["en"].items()], _Work(names, points)


def _read_name(node: Node) -> tuple[str, str | None]:
    if isinstance(node.raw, yaml.ScalarNode):
        return node.text(), None
    parts = node.mapping(("name", "of"))
    return parts["name"].text(), parts["of"].text()


def _read_phrases(node: Node) -> Iterator[tuple[str, Mapping[str, str]]]:
    for item in node.items():
        labels = item.labels()
        yield labels["en"], labels
