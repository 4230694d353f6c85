"""What is an observer asked, and is this an answer? Forms as data, the copy of a protocol, strict reading of answers.

The forms of the day are in `forms.yaml`; the copy of a protocol has the fields and identities of the poll's own form, as the
record gives it (`protocol_form`). Numbers of faults: O.1xx (docs/checks.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

from dauys.errors import BadInput
from dauys.law.files import Node, read_yaml
from dauys.law.relation import Relation
from dauys.observe.known.reports import Value
from dauys.registers.poll import Contest, Labels, Poll

Kind = Literal["count", "yes", "choice", "time", "text", "photo"]
When = Literal["arrival", "opening", "hourly", "night", "any"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WHENS: tuple[When, ...] = get_args(When)

PROTOCOL = "protocol"
MOST = 100_000
"""No count at one polling station is larger, unless its form says so."""
LONGEST_TEXT = 2_000
DAY_BEGINS = 4 * 60
"""Minutes after midnight: an answer of 00:40 belongs to the night of the count, after 23:50."""

PROTOCOL_NAMES = {"kk": "Хаттаманың көшірмесі", "ru": "Копия протокола", "en": "Copy of the protocol"}
PROTOCOL_WORDS = ("protocol", "протокол", "хаттама")
PHOTO_LABELS = {
    "kk": "Хаттаманың суреті", "ru": "Снимок протокола", "en": "Photo of the protocol",
}  # fmt: skip

FULL_WIDTH = {0xFF10 + n: str(n) for n in range(10)} | {0xFF0B: "+", 0xFF0D: "-", 0x2212: "-"}
"""Digits and signs as some keyboards write them. No other sign is read as a digit: the small 2 of `m²` is no count."""
_YES = frozenset({"yes", "true", "1", "да", "иә", "ия", "on"})
_NO = frozenset({"no", "false", "0", "нет", "жоқ"})
_TIME = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice; `words` is how a line of text may call it."""

    id: str
    names: Labels
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `least` and `most` bound a count; `only_if`: asked where an earlier answer is this one."""

    id: str
    kind: Kind
    names: Labels
    required: bool = True
    least: int = 0
    most: int = MOST
    options: tuple[Option, ...] = ()
    only_if: tuple[str, str] | None = None
    words: tuple[str, ...] = ()
    number: str | None = None
    """The number that the commission's form prints beside it."""
    wanted: bool = False
    """Asked for, but a report without it is taken and flagged (O.135): who did not see one number still sends the others."""

    def asked(self, answers: Mapping[str, Value]) -> bool:
        """Whether it is asked, after these earlier answers."""
        if self.only_if is None:
            return True
        name, wanted = self.only_if
        found = answers.get(name)
        return ("yes" if found else "no") == wanted if isinstance(found, bool) else found == wanted


@dataclass(frozen=True, slots=True)
class Rule:
    """A relation that answers without an error fulfil; a report that breaks it gets its number as a flag."""

    number: str
    relation: Relation
    names: Labels
    cite: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form: what is asked in which order, when, and what must hold between the answers. `cite`: of a protocol's form."""

    id: str
    names: Labels
    when: When
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    cite: str = ""
    words: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.id == name), None)

    @property
    def counts(self) -> tuple[str, ...]:
        """The fields that are numbers."""
        return tuple(field.id for field in self.fields if field.kind == "count")

    @property
    def photos(self) -> bool:
        return any(field.kind == "photo" for field in self.fields)

    def broken(self, values: Mapping[str, Value]) -> tuple[Rule, ...]:
        """The rules that the answers break, among those whose fields were answered."""
        numbers = {field.id: n for field in self.fields if (n := _number(field, values.get(field.id))) is not None}
        return tuple(
            rule
            for rule in self.rules
            if all(name in numbers for name in rule.relation.fields) and not rule.relation.holds(numbers)
        )


Forms = Mapping[str, Form]
"""Forms by id, in the order of the day."""


@cache
def load_forms() -> Forms:
    """The forms of the day, without the copy of the protocol."""
    return read_forms(Path(__file__).parent / "forms.yaml")


def read_forms(path: Path) -> Forms:
    """The forms in a YAML file. Raises BadInput with file, line and field."""
    forms: dict[str, Form] = {}
    for item in read_yaml(path).items():
        form = _form_of(item)
        if form.id in forms or form.id == PROTOCOL:
            item.fail("this form is there already", found=form.id, expected="each form once, and none called protocol")
        forms[form.id] = form
    return forms


def protocol_form(poll: Poll, contest: Contest) -> Form:
    """The copy of a protocol: the fields of the contest's form, its identities as rules, and a photo.

    Answers and the base of their percentages are required: nothing can be estimated without them.
    """
    fields = tuple(
        Field(
            field.name, "count", field.labels, field.role in ("base", "option"), number=field.number,
            wanted=not field.optional,
        )
        for field in contest.form.fields
    )  # fmt: skip
    rules = tuple(
        Rule(one.number, one.relation, one.labels, one.cite) for one in contest.form.identities if not one.warns
    )
    several = len(poll.contests) > 1
    names = {lang: f"{name}: {contest.question[lang]}" if several else name for lang, name in PROTOCOL_NAMES.items()}
    photo = Field("picture", "photo", PHOTO_LABELS, required=False)
    return Form(PROTOCOL, names, "night", (*fields, photo), rules, contest.form.cite, PROTOCOL_WORDS)


def form_of(name: str, poll: Poll | None, contest: str = "") -> Form:
    """The form called `name`; of a protocol that of the contest. Raises BadInput O.101, O.113."""
    if name != PROTOCOL:
        found = load_forms().get(name)
        if found is None:
            known = ", ".join((*load_forms(), PROTOCOL))
            raise BadInput("there is no such form", field="form", found=name, expected=known, check="O.101")
        return found
    if poll is None:
        message = "the official record was not read yet: the form of the protocol is not known"
        raise BadInput(message, field="form", found=name, check="O.113")
    known = ", ".join(one.id for one in poll.contests)
    if not contest and len(poll.contests) > 1:
        raise BadInput("name the contest: the poll has several", field="contest", expected=known, check="O.113")
    for one in poll.contests:
        if one.id == contest or not contest:
            return protocol_form(poll, one)
    raise BadInput("the poll has no such contest", field="contest", found=contest, expected=known, check="O.113")


def read_answers(form: Form, typed: Mapping[str, str]) -> dict[str, Value]:
    """What was typed, as values by field; what was left empty and need not be answered is left out.

    Raises BadInput: O.108 an impossible number, O.109 no answer to this question, O.107 for all that is missing.
    """
    values: dict[str, Value] = {}
    missing: list[Field] = []
    for name in typed:
        if form.field(name) is None:
            known = ", ".join(field.id for field in form.fields)
            raise BadInput("the form does not ask this", field=name, expected=known, check="O.109")
    for field in form.fields:
        text = typed.get(field.id, "")
        text = "".join(char if char.isprintable() else " " for char in text).strip()
        if field.kind == "photo" or not field.asked(values) or not (text or field.required):
            continue
        if text:
            values[field.id] = read_value(field, text)
        else:
            missing.append(field)
    if missing:
        message = f"not answered: {', '.join(field.id for field in missing)}"
        raise BadInput(message, field=missing[0].id, expected=_expected(missing[0]), check="O.107")
    return values


def read_value(field: Field, text: str) -> Value:
    """One answer. Raises BadInput O.108, O.109."""
    match field.kind:
        case "count":
            return _count(field, text)
        case "yes":
            word = text.casefold()
            if word in _YES or word in _NO:
                return word in _YES
        case "time":
            if match := _TIME.fullmatch(text):
                return f"{int(match[1]):02}:{match[2]}"
        case "choice":
            chosen = text.casefold()
            for option in field.options:
                if chosen == option.id or chosen in option.words:
                    return option.id
        case "text" if len(text) <= LONGEST_TEXT:
            return text
    raise _fault(field, text, "this is no answer to the question", "O.109")


@lru_cache(maxsize=24 * 60)
def minutes(text: str) -> int:
    """A time of day, HH:MM, as minutes of a polling day, which begins at 04:00."""
    hours, _, rest = text.partition(":")
    return (int(hours) * 60 + int(rest) - DAY_BEGINS) % (24 * 60)


def _count(field: Field, text: str) -> int:
    digits = text.translate(FULL_WIDTH)
    if not (digits.isascii() and digits.isdecimal()):
        rest = digits[1:].isascii() and digits[1:].isdecimal()
        signs = {"-": "a count is never negative", "+": "a count has no sign: write the digits alone"}
        message = (signs.get(digits[0]) if rest else None) or "a whole number is needed, in the digits 0 to 9"
        raise _fault(field, text, message, "O.108")
    if len(digits) > 12 or not field.least <= int(digits) <= field.most:
        raise _fault(field, text, "no station can have this number", "O.108")
    return int(digits)


def _fault(field: Field, text: str, message: str, check: str) -> BadInput:
    return BadInput(message, field=field.id, found=text, expected=_expected(field), check=check)


def _expected(field: Field) -> str:
    return {
        "count": f"a whole number from {field.least} to {field.most:,}",
        "yes": "yes or no",
        "time": "a time like 20:00",
        "choice": ", ".join(option.id for option in field.options),
        "text": f"a text of at most {LONGEST_TEXT:,} characters",
        "photo": "a photo",
    }[field.kind]


def _number(field: Field, value: Value | None) -> int | None:
    if value is None or isinstance(value, bool):
        return None
    if field.kind == "time":
        return minutes(str(value))
    return value if isinstance(value, int) else None


def _form_of(node: Node) -> Form:
    parts = node.mapping(("form", "names", "when", "words", "fields"), ("rules",))
    fields: dict[str, Field] = {}
    for item in parts["fields"].items():
        field = _field_of(item, fields)
        if field.id in fields:
            item.fail("this field is listed twice", found=field.id, expected="each field once")
        fields[field.id] = field
    rules = tuple(_rule_of(item, fields) for item in (parts["rules"].items() if "rules" in parts else ()))
    return Form(
        parts["form"].matching("[a-z]+", "a word of lower-case letters"),
        parts["names"].labels(),
        cast(When, parts["when"].choice(*WHENS)),
        tuple(fields.values()),
        rules,
        words=_words(parts),
    )


def _field_of(node: Node, before: Mapping[str, Field]) -> Field:
    optional = ("required", "wanted", "least", "most", "options", "only_if", "words")
    parts = node.mapping(("name", "kind", "labels"), optional)
    kind = cast(Kind, parts["kind"].choice(*KINDS))
    for name, kinds in (("options", ("choice",)), ("least", ("count",)), ("most", ("count",))):
        if name in parts and kind not in kinds:
            parts[name].fail(f"a field of kind {kind} has none", expected=f"kind: {kinds[0]}")
    if kind == "choice" and "options" not in parts:
        node.fail("a choice has options", expected="options: {id: {labels: ...}, ...}")
    least = parts["least"].integer(0, MOST) if "least" in parts else 0
    return Field(
        parts["name"].matching("[a-z][a-z_]*", "lower-case letters and underscores"),
        kind,
        parts["labels"].labels(),
        parts["required"].boolean() if "required" in parts else kind != "photo",
        least,
        parts["most"].integer(least, MOST) if "most" in parts else MOST,
        _options(parts["options"]) if "options" in parts else (),
        _condition(parts["only_if"], before) if "only_if" in parts else None,
        _words(parts),
        wanted="wanted" in parts and parts["wanted"].boolean(),
    )


def _options(node: Node) -> tuple[Option, ...]:
    options = []
    for key, value in node.entries():
        parts = value.mapping(("labels",), ("words",))
        name = key.matching("[a-z][a-z_]*", "lower-case letters and underscores")
        options.append(Option(name, parts["labels"].labels(), _words(parts)))
    return tuple(options)


def _condition(node: Node, before: Mapping[str, Field]) -> tuple[str, str]:
    parts = node.mapping(("field", "is"))
    name, wanted = parts["field"].text(), parts["is"].text()
    field = before.get(name)
    if field is None or field.kind not in ("yes", "choice"):
        parts["field"].fail("no earlier question of this name has such answers", found=name)
    known = ("yes", "no") if field.kind == "yes" else tuple(option.id for option in field.options)
    if wanted not in known:
        parts["is"].fail("the question has no such answer", found=wanted, expected=", ".join(known))
    return name, wanted


def _rule_of(node: Node, fields: Mapping[str, Field]) -> Rule:
    parts = node.mapping(("number", "relation", "labels"), ("cite",))
    try:
        relation = Relation.parse(parts["relation"].text())
    except BadInput as error:
        parts["relation"].fail(error.message, found=error.found, expected=error.expected)
    for name in relation.fields:
        if name not in fields or fields[name].kind not in ("count", "time"):
            parts["relation"].fail("no number or time of the form", found=name)
    number = parts["number"].matching(r"O\.1[0-4][0-9]", "a number like O.125")
    return Rule(number, relation, parts["labels"].labels(), parts["cite"].text() if "cite" in parts else "")


def _words(parts: Mapping[str, Node]) -> tuple[str, ...]:
    return tuple(word.text().casefold() for word in parts["words"].items()) if "words" in parts else ()
