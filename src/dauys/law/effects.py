"""What does an amending law do to a text? A list of effects, each a typed operation with its own start.

    law: /akn/kz/act/law/2022-06-08/amendment
    of: /akn/kz/act/constitution/1995-08-30/constitution      # the work it changes
    title: {kk: ..., ru: ..., en: ...}
    status: reconstructed                                     # of the instructions, as of any text
    requires: referendum-2022.published                       # without this nothing of it ever starts
    languages: [en, ru]                                       # every payload is given in each of them
    effects:
      - id: e24
        op: replace_words
        target: art_50__para_2                                # a permanent id, or a citation by the numbers of that day
        commences: {event: mazhilis-8.elections}
        cite: 50(2)
        en: {old: Fifteen, new: Ten}
        ru: {old: Пятнадцать, new: Десять}

| op | payload per language | what it does |
|---|---|---|
| `replace_words` | old, new | in the target's own text and below it, `count` places (1 where not given) |
| `insert_words` | after or before, new | puts `new` beside the words named, one space between |
| `delete_words` | old | takes the words out with the space before them |
| `throughout` | old, new | as replace_words in the target (`all`: the work) without the provisions in `except` |
| `reword` | a wording | the whole provision, everything below it included; it keeps id and number |
| `add` | a wording | new provisions under the target (`all`: the body), by their numbers or right after `after`; |
| | | unnumbered text becomes the part that `number` says |
| `repeal` | none, or the words left behind | a numbered provision keeps its number, an unnumbered part goes |
| `suspend` | none | the text stays and does not apply |
| `renumber` | none; `number` | another printed number; the id stays |
| `retitle` | the heading | another heading |
| `corrigendum` | old, new | a slip of the print, without legal force: only spaces and case may differ |

A wording is written as in the importer: `3. ...`, `1) ...`, unnumbered parts between empty lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

import yaml

from dauys.errors import BadInput
from dauys.law.citations import parse_citation
from dauys.law.facts import Facts
from dauys.law.files import Node, parse_yaml, read_text
from dauys.law.importer import fragment
from dauys.law.when import When, when_of
from dauys.law.works import ID, NUMBER, STATUSES, Provision

OPS = (
    "replace_words", "insert_words", "delete_words", "throughout", "reword", "add", "repeal", "suspend", "renumber",
    "retitle", "corrigendum",
)  # fmt: skip
WORD_OPS = ("replace_words", "insert_words", "delete_words", "throughout", "corrigendum")
ALL = "all"
"""As a target: the whole work."""
_TARGET_IN_WORDS = "a permanent id like art_50__para_2, or a citation"


@dataclass(frozen=True, slots=True)
class Payload:
    """The words of an effect in one language: those its operation needs, the others empty.

    `old` are the words that must stand there (the anchor of insert_words), `new` those that come; `text` and `provisions`
    are a wording: the first part and what follows it.
    """

    old: str = ""
    new: str = ""
    before: bool = False
    text: str = ""
    provisions: tuple[Provision, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """An amendment's atom. `count` is how many places must match in each language; `place` is its file and line."""

    id: str
    op: str
    target: str
    payload: Mapping[str, Payload]
    commences: When
    requires: When | None = None
    count: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    expires: When | None = None
    cite: str = ""
    after: str = ""
    excepted: tuple[str, ...] = ()
    number: str = ""
    note: str = ""
    law: str = ""
    file: str | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    def start(self, facts: Facts) -> date | None:
        """The first day: the later of its own start and the law's; None while either has not come."""
        own = self.commences.resolve(facts)
        if self.requires is None or own is None:
            return own
        laws = self.requires.resolve(facts)
        return None if laws is None else max(own, laws)

    def end(self, facts: Facts) -> date | None:
        """The first day on which it no longer holds; None while there is none."""
        return self.expires.resolve(facts) if self.expires else None

    def words(self, language: str) -> Payload:
        """The payload in one language; raises `BadInput` where the effect is not written in it."""
        if language not in self.payload and self.payload:
            raise self.error(f"is not written in {language!r}", expected=f"one of: {', '.join(self.payload)}")
        return self.payload.get(language, Payload())

    def places(self, language: str) -> int:
        """How many places must match."""
        return self.count.get(language, 1)

    def touches(self) -> tuple[str, ...]:
        """The ids that the effect may change, with all below them; "" is the whole work."""
        if self.op == "add":
            return tuple({provision.id for payload in self.payload.values() for provision in payload.provisions})
        if self.op == "retitle" and self.target.startswith("sec_"):
            return (self.target,)
        if self.target == ALL or self.target.startswith("sec_"):
            return ("",)
        by_id = ID.fullmatch(self.target)
        target = self.target if by_id else f"art_{parse_citation(self.target).article}"
        return (target.rpartition("__")[0] if self.op == "renumber" else target,)

    def error(self, message: str, *, found: object = None, expected: str | None = None) -> BadInput:
        """A refusal that names effect, file and line."""
        return BadInput(f"effect {self.id} {message}", file=self.file, line=self.line, found=found, expected=expected)


@dataclass(frozen=True, slots=True)
class AmendingLaw:
    """A law that changes the work `of`. Its effects stand in its own order."""

    uri: str
    of: str
    title: Mapping[str, str]
    status: str
    languages: tuple[str, ...]
    effects: tuple[Effect, ...]


def read_law(path: Path) -> AmendingLaw:
    """The amending law of a YAML file; raises `BadInput` with the line."""
    return parse_law(read_text(path), str(path))


def parse_law(text: str, file: str | None = None) -> AmendingLaw:
    """The amending law of a YAML text; `file` is what messages call it."""
    parts = parse_yaml(text, file).mapping(("law", "of", "title", "status", "languages", "effects"), ("requires",))
    uri = r"/akn(?:/[A-Za-z0-9_-]+)+"
    languages = tuple(item.choice("kk", "ru", "en") for item in parts["languages"].items())
    law = parts["law"].matching(uri, "an address like /akn/kz/act/law/2022-06-08/amendment")
    requires = when_of(parts["requires"]) if "requires" in parts else None
    effects = []
    seen: dict[str, int | None] = {}
    for item in parts["effects"].items():
        effect = _effect(item, law, requires, languages)
        if effect.id in seen:
            item.fail(f"two effects of one id (first on line {seen[effect.id]})", found=effect.id)
        seen[effect.id] = effect.line
        effects.append(effect)
    of = parts["of"].matching(uri, "an address like /akn/kz/act/constitution/1995-08-30/constitution")
    status = parts["status"].choice(*STATUSES)
    return AmendingLaw(law, of, parts["title"].labels(), status, languages, tuple(effects))


def _effect(node: Node, law: str, requires: When | None, languages: tuple[str, ...]) -> Effect:
    optional = ("count", "expires", "after", "except", "number", "note", *languages)
    parts = node.mapping(("id", "op", "target", "commences", "cite"), optional)
    op = parts["op"].choice(*OPS)
    _check_keys(op, parts, node, languages)
    target = _target(parts["target"], op)
    above = target if op in ("add", "reword") and ID.fullmatch(target) else ""
    if op in ("reword", "add") and target != ALL and not above:
        parts["target"].fail(f"{op} needs a permanent id", found=target, expected="an id like art_50__para_2")
    number = parts["number"].matching(NUMBER, "a number like 83-1") if "number" in parts else ""
    payload = {name: _payload(parts[name], op, above, number) for name in languages if name in parts}
    shapes = {tuple(child.id for child in words.provisions) for words in payload.values()}
    if op == "add" and len(shapes) > 1:
        node.fail("the languages do not add the same provisions", found=sorted(shapes))
    excepted = parts["except"].items() if "except" in parts else []
    return Effect(
        id=parts["id"].matching(r"[a-z0-9][a-z0-9.-]{0,39}", "a short name in lower-case letters and digits"),
        op=op,
        target=target,
        payload=MappingProxyType(payload),
        commences=when_of(parts["commences"]),
        requires=requires,
        count=MappingProxyType(_count(parts["count"], languages) if "count" in parts else {}),
        expires=when_of(parts["expires"]) if "expires" in parts else None,
        cite=parts["cite"].text(),
        after=parts["after"].matching(ID.pattern, _TARGET_IN_WORDS) if "after" in parts else "",
        excepted=tuple(item.matching(ID.pattern, _TARGET_IN_WORDS) for item in excepted),
        number=number,
        note=parts["note"].text() if "note" in parts else "",
        law=law,
        file=node.file,
        line=node.line,
    )


def _check_keys(op: str, parts: Mapping[str, Node], node: Node, languages: tuple[str, ...]) -> None:
    allowed = {"count": WORD_OPS, "after": ("add",), "except": ("throughout",), "number": ("renumber", "add")}
    for key, ops in allowed.items():
        if key in parts and op not in ops:
            parts[key].fail(f"{op} has no {key}", expected=f"{key} with {', '.join(ops)} only")
    given = [name for name in languages if name in parts]
    if op == "renumber" and "number" not in parts:
        node.fail("missing: number", expected="the new number")
    if op in ("suspend", "renumber") and given:
        parts[given[0]].fail(f"{op} has no words")
    wordless = op in ("suspend", "renumber") or (op == "repeal" and not given)
    if not wordless and len(given) < len(languages):
        missing = ", ".join(name for name in languages if name not in given)
        node.fail(f"not written in: {missing}", expected=f"every language of the file: {', '.join(languages)}")


def _target(node: Node, op: str) -> str:
    """A permanent id; or a citation, kept as it is written until the text of its day can say what it names."""
    text = node.text()
    if ID.fullmatch(text):
        return text
    if text == ALL:
        if op not in ("throughout", "add"):
            node.fail(f"{op} needs one provision", found=text, expected=_TARGET_IN_WORDS)
        return text
    try:
        parse_citation(text)
    except BadInput:
        node.fail("names no provision", found=text, expected=_TARGET_IN_WORDS)
    return text


def _payload(node: Node, op: str, above: str, number: str) -> Payload:
    if op == "insert_words":
        parts = node.mapping(("new",), ("after", "before"))
        if ("after" in parts) == ("before" in parts):
            node.fail("needs one place", expected="either after or before")
        side = "before" if "before" in parts else "after"
        return Payload(parts[side].text(), parts["new"].text(), side == "before")
    if op == "delete_words":
        return Payload(node.mapping(("old",))["old"].text())
    if op in WORD_OPS:
        parts = node.mapping(("old", "new"))
        old, new = parts["old"].text(), parts["new"].text()
        if op == "corrigendum" and not same_but_print(old, new):
            parts["new"].fail("a corrigendum corrects the print only", found=new, expected="the same letters")
        return Payload(old, new)
    if op in ("repeal", "retitle"):
        return Payload(text=_line(node))
    literal = isinstance(node.raw, yaml.ScalarNode) and node.raw.style in ("|", ">")
    text, provisions = fragment(node.text(), above, node.file, (node.line or 0) + literal)
    if op == "reword":
        return Payload(text=text, provisions=provisions)
    if text and number and above and not above.startswith("sec_"):
        added = (Provision(above, text=text), *provisions)
        if any(part.children or part.num for part in added):
            node.fail("adds both parts and numbered provisions", expected="one effect for each")
        first = int(number)
        provisions = tuple(
            Provision(f"{above}__al_{place}", text=part.text) for place, part in enumerate(added, start=first)
        )
    elif text or not provisions:
        node.fail("a wording without number", expected="`3. ...`, `1) ...`, or `number` for an unnumbered part")
    return Payload(provisions=provisions)


def _line(node: Node) -> str:
    return " ".join(node.text().split())


def _count(node: Node, languages: tuple[str, ...]) -> dict[str, int]:
    if isinstance(node.raw, yaml.MappingNode):
        return {name: item.integer(at_least=1) for name, item in node.mapping(languages).items()}
    return dict.fromkeys(languages, node.integer(at_least=1))


def same_but_print(old: str, new: str) -> bool:
    """Whether two wordings differ in spaces and case only: a slip of the print, no other law."""
    return "".join(old.split()).casefold() == "".join(new.split()).casefold()


def words_pattern(words: str) -> re.Pattern[str]:
    """The words as they stand, never the inside of a longer word."""
    first = r"(?<!\w)" if re.match(r"\w", words) else ""
    last = r"(?!\w)" if re.search(r"\w\Z", words) else ""
    return re.compile(first + re.escape(words) + last)


def conflict(one: Effect, other: Effect) -> bool:
    """Whether two effects may touch one place, so that their order matters."""
    pairs = ((a, b) for a in one.touches() for b in other.touches())
    return any(not a or not b or a == b or a.startswith(b + "__") or b.startswith(a + "__") for a, b in pairs)
