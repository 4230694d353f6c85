"""How does a text travel? As Akoma Ntoso 3.0 (OASIS), in the small part of it that a law with articles needs.

act/body with section, article, paragraph, point and alinea; `wId` is the permanent id, `eId` the one that the numbers
printed today give. What is written is valid against the OASIS schema, and the text comes back character by character.
Whatever stands outside this part is refused with its line, never skipped: a text that was read is the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from dauys.errors import BadInput
from dauys.law.files import read_text
from dauys.law.works import KINDS, RANKS, STATUSES, Provision, Work

AKN = "http://docs.oasis-open.org/legaldocml/ns/akn/3.0"
OURS = "https://dauys.org/ns/law"
_LANGUAGES = {"kk": "kaz", "ru": "rus", "en": "eng"}
_STATES = {"repealed": "removed", "suspended": "ignored"}
_TEXTS = ("p", "docTitle", "num", "heading")
_UNSAYABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ESCAPES_IN_QUOTES = str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
_WORK_PLACE = re.compile(r"/akn/([a-z]{2})/act/(?:[^/]+/)*?([0-9]{4}(?:-[0-9]{2}-[0-9]{2})?)/([^/]+)")


def expression(work: Work) -> str:
    """The address of the text of this day in this language: `/akn/kz/act/.../constitution/eng@2022-06-08`."""
    return f"{work.uri}/{_LANGUAGES[work.language]}@{work.day}"


def write_akn(work: Work) -> str:
    """The work as an Akoma Ntoso document; raises `BadInput` where a text has characters that XML cannot say."""
    place = _WORK_PLACE.fullmatch(work.uri)
    if not place:
        raise BadInput("not an address of an act", found=work.uri, expected="/akn/kz/act/DATE/NUMBER")
    for provision in work.walk():
        if bad := _UNSAYABLE.search(provision.text + provision.heading):
            raise BadInput(f"{provision.id} has a character that XML cannot say", found=hex(ord(bad[0])))
    eids = work.eids()
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<akomaNtoso xmlns="{AKN}">',
        f'  <act name={_attribute(work.rank)} contains="singleVersion">',
        *_meta(work, place[1], place[2]),
        f"    <preface><longTitle><p><docTitle>{_text(work.title)}</docTitle></p></longTitle></preface>",
        "    <body>",
        *(line for provision in work.provisions for line in _write(provision, eids, "      ")),
        "    </body>",
        "  </act>",
        "</akomaNtoso>",
        "",
    ]
    return "\n".join(lines)


def read_akn(path: Path) -> Work:
    """The work of a file; raises `BadInput` with the line."""
    return parse_akn(read_text(path), str(path))


def parse_akn(text: str, file: str | None = None) -> Work:
    """The work of a document; `file` is what messages call it."""
    act = _parse(text, file).only("act")
    meta = act.only("meta", ("meta", "preface", "body"))
    identification = meta.only("identification", ("identification", "proprietary"))
    about = identification.only("FRBRWork", ("FRBRWork", "FRBRExpression", "FRBRManifestation"))
    version = identification.only("FRBRExpression", ("FRBRWork", "FRBRExpression", "FRBRManifestation"))
    ours = meta.only("proprietary", ("identification", "proprietary")).only("text")
    tongue = version.only("FRBRlanguage", None).attribute("language")
    language = next((name for name, code in _LANGUAGES.items() if tongue in (code, name)), None)
    if language is None:
        version.fail("unknown language", tongue, ", ".join(_LANGUAGES.values()))
    rank, status = ours.attribute("rank"), ours.attribute("status")
    if rank not in RANKS or status not in STATUSES:
        ours.fail("unknown rank or status", f"{rank}, {status}", f"{', '.join(RANKS)}; {', '.join(STATUSES)}")
    day = version.only("FRBRdate", None).attribute("date")
    try:
        stamp = date.fromisoformat(day)
    except ValueError:
        version.fail("not a day", day, "an existing day as YYYY-MM-DD")
    preface = act.only("preface", ("meta", "preface", "body"))
    title = preface.only("longTitle").only("p").only("docTitle").text()
    body = act.only("body", ("meta", "preface", "body"))
    _check_ids(body)
    provisions = tuple(_read(child) for child in body.children)
    uri = about.only("FRBRuri", None).attribute("value")
    try:
        work = Work(uri, title, rank, status, language, stamp, provisions)
    except BadInput as error:
        raise BadInput(error.message, file=file, found=error.found, expected=error.expected) from None
    _check_eids(work, body)
    return work


@dataclass(slots=True)
class _Element:
    """An element with its line; `pieces` is its text as it stands between its children."""

    name: str
    attributes: dict[str, str]
    line: int
    file: str | None
    children: list[_Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def fail(self, message: str, found: str = "", expected: str | None = None) -> NoReturn:
        raise BadInput(
            f"<{self.name}>: {message}", file=self.file, line=self.line, found=found or None, expected=expected
        )

    def only(self, name: str, allowed: tuple[str, ...] | None = ()) -> _Element:
        """The one child of this name, with none besides `allowed` (None: any)."""
        for child in self.children:
            if allowed is not None and child.name != name and child.name not in allowed:
                child.fail("this element is not part of what is read here", expected=", ".join((name, *allowed)))
        found = [child for child in self.children if child.name == name]
        if len(found) != 1:
            self.fail(f"has {len(found)} elements <{name}>", expected="one")
        return found[0]

    def attribute(self, name: str) -> str:
        if name not in self.attributes:
            self.fail(f"has no attribute {name}")
        return self.attributes[name]

    def text(self) -> str:
        """The text of an element that has nothing but text."""
        if self.children:
            self.children[0].fail("marks inside a text are not read here", expected="plain text")
        return "".join(self.pieces)


def _parse(text: str, file: str | None) -> _Element:
    """The tree of an XML text. Document types and entities are refused: they can make a small file endless."""
    root = _Element("", {}, 1, file)
    stack = [root]
    parser = expat.ParserCreate(namespace_separator="|")
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition("|")
        element = _Element(local, attributes, parser.CurrentLineNumber, file)
        if space not in (AKN, OURS):
            element.fail("unknown namespace", space, AKN)
        if stack[-1].name not in _TEXTS and "".join(stack[-1].pieces).strip():
            element.fail("text stands between elements", "".join(stack[-1].pieces).strip())
        stack[-1].children.append(element)
        stack.append(element)

    def end(_: str) -> None:
        element = stack.pop()
        if element.children and element.name not in _TEXTS and "".join(element.pieces).strip():
            element.fail("text stands between elements", "".join(element.pieces).strip())

    def refuse(*_: object) -> None:
        raise BadInput("a document type is not read", file=file, line=parser.CurrentLineNumber)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda data: stack[-1].pieces.append(data)
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise BadInput(f"not XML: {expat.ErrorString(error.code)}", file=file, line=error.lineno) from None
    return root.only("akomaNtoso")


def _read(element: _Element) -> Provision:
    if element.name not in KINDS.values():
        element.fail("not a provision that is read here", expected=", ".join(KINDS.values()))
    parts: dict[str, str] = {}
    children: list[Provision] = []
    for child in element.children:
        if child.name in ("num", "heading") and not children and "text" not in parts and child.name not in parts:
            parts[child.name] = child.text()
        elif child.name in ("intro", "content") and not children and "text" not in parts:
            parts["text"] = child.only("p").text()
        else:
            children.append(_read(child))
    state = element.attributes.get("status", "")
    states = {said: state for state, said in _STATES.items()}
    if state and state not in states:
        element.fail("unknown status", state, ", ".join(states))
    try:
        provision = Provision(
            element.attribute("wId"),
            parts.get("num", ""),
            parts.get("heading", ""),
            parts.get("text", ""),
            states.get(state, ""),
            tuple(children),
        )
        if provision.kind != element.name:
            element.fail("the id is that of another kind", provision.id)
    except KeyError:
        element.fail("not an id of a provision", element.attribute("wId"), "an id like art_50__para_2")
    return provision


def _check_ids(body: _Element) -> None:
    lines: dict[str, int] = {}
    for element in _walk(body):
        own = element.attributes.get("wId", "")
        if own in lines:
            element.fail(f"this id stands twice (first on line {lines[own]})", own)
        if own:
            lines[own] = element.line


def _check_eids(work: Work, body: _Element) -> None:
    eids = work.eids()
    for element in _walk(body):
        own = element.attributes.get("wId")
        if own is not None and element.attribute("eId") != eids[own]:
            element.fail("the eId differs from what the numbers give", element.attribute("eId"), eids[own])


def _walk(element: _Element) -> Iterator[_Element]:
    for child in element.children:
        yield child
        yield from _walk(child)


def _meta(work: Work, country: str, born: str) -> list[str]:
    def value(tag: str, text: str) -> str:
        return f"<{tag} value={_attribute(text)}/>"

    def dates(day: str, name: str) -> str:
        return f'<FRBRdate date="{day}" name="{name}"/><FRBRauthor href="#dauys"/>'

    this = expression(work)
    return [
        "    <meta>",
        '      <identification source="#dauys">',
        f"        <FRBRWork>{value('FRBRthis', work.uri + '/!main')}{value('FRBRuri', work.uri)}"
        f"{dates(born, 'enactment')}{value('FRBRcountry', country)}</FRBRWork>",
        f"        <FRBRExpression>{value('FRBRthis', this + '/!main')}{value('FRBRuri', this)}"
        f'{dates(str(work.day), "in-force")}<FRBRlanguage language="{_LANGUAGES[work.language]}"/></FRBRExpression>',
        f"        <FRBRManifestation>{value('FRBRthis', this + '/!main.xml')}{value('FRBRuri', this + '.xml')}"
        f"{dates(str(work.day), 'in-force')}</FRBRManifestation>",
        "      </identification>",
        f'      <proprietary source="#dauys"><text xmlns="{OURS}" rank="{work.rank}" status="{work.status}"/></proprietary>',
        "    </meta>",
    ]


def _write(provision: Provision, eids: dict[str, str], margin: str) -> Iterator[str]:
    state = f' status="{_STATES[provision.state]}"' if provision.state else ""
    yield f'{margin}<{provision.kind} eId="{eids[provision.id]}" wId="{provision.id}"{state}>'
    inner = margin + "  "
    if provision.num:
        yield f"{inner}<num>{provision.num}</num>"
    if provision.heading:
        yield f"{inner}<heading>{_text(provision.heading)}</heading>"
    if not provision.children:
        yield f"{inner}<content><p>{_text(provision.text)}</p></content>"
    elif provision.text:
        yield f"{inner}<intro><p>{_text(provision.text)}</p></intro>"
    for child in provision.children:
        yield from _write(child, eids, inner)
    yield f"{margin}</{provision.kind}>"


def _text(text: str) -> str:
    return text.translate(_ESCAPES)


def _attribute(text: str) -> str:
    return f'"{text.translate(_ESCAPES | _ESCAPES_IN_QUOTES)}"'
