"""What does a file of the law, a pack or a poll say, and on which line?

A strict reader for YAML: every value keeps its place, and whoever reads it says what it must be. Whatever is not
expected (an unknown key, a key written twice, a wrong type, a bad date, an alias) is a `BadInput` that names file, line
and field, what was found and what was expected. Scalars are read from their text: `yes` is the word yes, never true.

    node = read_yaml(path)
    parts = node.mapping(required=("rule", "since"), optional=("until",))
    since = parts["since"].date()
    until = parts["until"].date() if "until" in parts else None
    tests = [test_of(item) for item in parts["tests"].items()]

`Node.of(data)` gives the same view of JSON data, so one loader serves a file and what the record embeds.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import yaml

from dauys.errors import BadInput
from dauys.regular_file import read_regular

LANGUAGES = ("kk", "ru", "en")
"""Every text shown to people exists in these languages."""

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FRACTION = re.compile(r"([0-9]{1,9})(?:/([1-9][0-9]{0,8}))?")
_DATE = re.compile(r"[1-8][0-9]{3}-[0-9]{2}-[0-9]{2}")  # a year that no time zone leads out of the calendar
_MOMENT = r"[1-8][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}"
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_UNPRINTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NULL = "tag:yaml.org,2002:null"
_STR = "tag:yaml.org,2002:str"
_NOTHING = ("", "~", "null", "Null", "NULL")
_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
)

PARSER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""libyaml where PyYAML was built with it; the same in Python, a dozen times slower, where not."""

DEEPEST = 64
"""How many lists and mappings may stand in one another."""

LARGEST_FILE = 64 << 20
"""A file of the law is read whole; a table that is longer goes another way (`registers.table`)."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a file with its place. `field` is the way to it: `tests[2].share.of`."""

    raw: yaml.Node
    file: str | None
    field: str

    @classmethod
    def of(cls, data: object, file: str | None = None) -> Node:
        """JSON data (dicts, lists, texts, whole numbers, booleans, None) under the same strict reading."""
        return cls(_raw_of(data, file), file, "")

    @property
    def line(self) -> int | None:
        """The line of the value, from 1; None where the data did not come from a file."""
        mark = self.raw.start_mark
        return None if mark is None else int(mark.line) + 1

    def fail(self, message: str, *, found: object = None, expected: str | None = None) -> NoReturn:
        """Refuse this value: raises `BadInput` with its file, line and field."""
        raise BadInput(
            message, file=self.file, line=self.line, field=self.field or None, found=found, expected=expected
        )

    def mapping(self, required: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, Node]:
        """The members by name: all of `required`, any of `optional`, none besides."""
        required, optional = tuple(required), tuple(optional)
        allowed = ", ".join((*required, *optional))
        members: dict[str, Node] = {}
        for key, value in self.entries():
            if key.raw.value not in required and key.raw.value not in optional:
                key.fail("unknown key", found=key.raw.value, expected=f"one of: {allowed}")
            members[key.raw.value] = value
        missing = [name for name in required if name not in members]
        if missing:
            self.fail(f"missing: {', '.join(missing)}", expected=f"the keys: {allowed}")
        return members

    def entries(self) -> list[tuple[Node, Node]]:
        """The members of a mapping whose keys are free, in their order, each as (key, value)."""
        if not isinstance(self.raw, yaml.MappingNode):
            self.fail("wrong type", found=self._shown(), expected="a mapping (name: value)")
        seen: dict[str, int | None] = {}
        entries = []
        for raw_key, raw_value in self.raw.value:
            key = Node(raw_key, self.file, self.field)
            name = key.text()
            place = f"{self.field}.{name}" if self.field else name
            key = Node(raw_key, self.file, place)
            if name in seen:
                where = "" if seen[name] is None else f" (first on line {seen[name]})"
                key.fail(f"this key is written twice{where}", found=name, expected="each key once")
            seen[name] = key.line
            entries.append((key, Node(raw_value, self.file, place)))
        return entries

    def items(self) -> list[Node]:
        """The items of a list."""
        if not isinstance(self.raw, yaml.SequenceNode):
            self.fail("wrong type", found=self._shown(), expected="a list")
        return [Node(item, self.file, f"{self.field}[{n}]") for n, item in enumerate(self.raw.value, start=1)]

    def text(self, empty: bool = False) -> str:
        """A text, as written; with `empty` it may be the empty one."""
        if not isinstance(self.raw, yaml.ScalarNode):
            self.fail("wrong type", found=self._shown(), expected="a text")
        if self.raw.tag == _NULL or not (empty or self.raw.value.strip()):
            self.fail("nothing is written here", expected="a text")
        if strange := _UNPRINTED.search(self.raw.value):
            self.fail("a character that no text has", found=f"U+{ord(strange[0]):04X}", expected="letters and signs")
        return str(self.raw.value)

    def matching(self, pattern: str, expected: str) -> str:
        """A text that matches the whole `pattern`; `expected` says in words what that is."""
        text = self.text()
        if not re.fullmatch(pattern, text):
            self.fail("cannot be read", found=text, expected=expected)
        return text

    def choice(self, *allowed: str) -> str:
        """One of the `allowed` words."""
        text = self.text()
        if text not in allowed:
            self.fail("unknown value", found=text, expected=f"one of: {', '.join(allowed)}")
        return text

    def integer(self, at_least: int | None = None, at_most: int | None = None) -> int:
        """A whole number in plain digits, within the bounds given."""
        text = self.text()
        bounds = "" if at_least is None else f", at least {at_least}"
        bounds += "" if at_most is None else f", at most {at_most}"
        quoted = bool(getattr(self.raw, "style", None))
        number = int(text) if _INTEGER.fullmatch(text) and not quoted else None
        if number is None or (at_least is not None and number < at_least) or (at_most is not None and number > at_most):
            self.fail("not such a number", found=text, expected=f"a whole number{bounds}")
        return number

    def fraction(self) -> Fraction:
        """An exact share: `1/2`, `2/3`, `1`. Never a decimal or a percentage."""
        text = self.text()
        match = _FRACTION.fullmatch(text)
        if not match:
            self.fail("cannot be read", found=text, expected="an exact fraction like 1/2")
        return Fraction(int(match[1]), int(match[2] or 1))

    def date(self) -> datetime.date:
        """A calendar day, `2022-06-05`."""
        text = self.text()
        try:
            day = datetime.date.fromisoformat(text) if _DATE.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None:
            self.fail("not a day", found=text, expected="an existing day as YYYY-MM-DD")
        return day

    def time(self) -> datetime.time:
        """A time of day without zone, `07:00`."""
        text = self.text()
        match = _TIME.fullmatch(text)
        if not match:
            self.fail("not a time of day", found=text, expected="HH:MM")
        return datetime.time(int(match[1]), int(match[2]))

    def moment(self) -> datetime.datetime:
        """A moment with its offset, `2022-06-06T08:00:00+06:00`."""
        text = self.matching(_MOMENT, "a moment like 2022-06-06T08:00:00+06:00")
        try:
            return datetime.datetime.fromisoformat(text)
        except ValueError:
            self.fail("no such moment", found=text, expected="a moment like 2022-06-06T08:00:00+06:00")

    def timezone(self) -> str:
        """The name of a time zone, `Asia/Almaty`."""
        name = self.text()
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # not there; a path out of the zones; a folder of zones, "Asia"
            self.fail("no such time zone", found=name, expected="a name like Asia/Almaty")
        return name

    def boolean(self) -> bool:
        """`true` or `false`, in these words only."""
        return self.choice("true", "false") == "true"

    def labels(self) -> dict[str, str]:
        """A text in every language of `LANGUAGES`: {"kk": ..., "ru": ..., "en": ...}."""
        return {language: text.text() for language, text in self.mapping(required=LANGUAGES).items()}

    def _shown(self) -> str:
        if isinstance(self.raw, yaml.MappingNode):
            return "a mapping"
        return "a list" if isinstance(self.raw, yaml.SequenceNode) else str(self.raw.value)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file without byte order mark; anything else is one clear `BadInput`."""
    try:
        data = read_regular(path, LARGEST_FILE)
    except FileNotFoundError:
        raise BadInput("there is no such file", file=path) from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=path) from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput("wrong encoding", file=path, found="UTF-16", expected="UTF-8 without byte order mark")
    if data.startswith(b"\xef\xbb\xbf"):
        raise BadInput("the file begins with a byte order mark", file=path, expected="UTF-8 without byte order mark")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x}"
        raise BadInput("wrong encoding", file=path, line=line, found=found, expected="UTF-8") from None


def read_yaml(path: Path) -> Node:
    """The one document of a YAML file."""
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, file: str | None = None) -> Node:
    """The one document of a YAML text; `file` is what messages call it."""
    if strange := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, strange.start()) + 1
        raise BadInput("a character that no text has", file=file, line=line, found=hex(ord(strange[0])))
    try:
        raw = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = mark.line + 1 if mark else None
        raise BadInput(f"not readable as YAML: {error.problem}", file=file, line=place) from None
    if raw is None:
        raise BadInput("the file is empty", file=file)
    return Node(raw, file, "")


def _compose(text: str) -> yaml.Node | None:
    """The tree of a text, without aliases: a file of the law is read from top to bottom, by people too.

    Built from the parser's events, so that libyaml and PyYAML's own parser read alike and neither recurses.
    """
    root: yaml.Node | None = None
    members: list[Any] = []
    around: list[tuple[yaml.CollectionNode, list[Any]]] = []
    for event in yaml.parse(text, Loader=PARSER):
        node: yaml.Node
        if isinstance(event, yaml.CollectionEndEvent):
            node, members = around.pop()
            if isinstance(node, yaml.MappingNode):
                node.value = list(zip(node.value[::2], node.value[1::2], strict=True))
        elif isinstance(event, yaml.NodeEvent):
            node = _node_of(event)
            members.append(node)
            if isinstance(node, yaml.CollectionNode):
                around.append((node, members))
                members = node.value
                if len(around) > DEEPEST:
                    raise _refused("nested too deeply", event)
        elif isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise _refused("one document is expected, not several", event)
        else:
            continue
        if not around:
            root = node
    return root


def _node_of(event: Any) -> yaml.Node:
    """The node that an event begins; of a plain scalar only whether it is nothing is read from its looks."""
    start, end = event.start_mark, event.end_mark
    if isinstance(event, yaml.AliasEvent):
        raise _refused("aliases are not used here", event)
    if event.tag not in (None, "!", *_TAGS):
        raise _refused(f"the tag {event.tag} is not used here", event)
    if isinstance(event, yaml.ScalarEvent):
        tag = event.tag or (_NULL if not event.style and event.value in _NOTHING else _STR)
        return yaml.ScalarNode(tag, event.value, start, end, event.style)
    kind = yaml.MappingNode if isinstance(event, yaml.MappingStartEvent) else yaml.SequenceNode
    return kind(event.tag or "", [], start, end)


def _refused(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, problem, event.start_mark)


def _raw_of(data: object, file: str | None) -> yaml.Node:
    tag = "tag:yaml.org,2002:"
    if data is None:
        return yaml.ScalarNode(_NULL, "null")
    if isinstance(data, bool):
        return yaml.ScalarNode(tag + "bool", str(data).lower())
    if isinstance(data, int):
        return yaml.ScalarNode(tag + "int", str(data))
    if isinstance(data, str):
        return yaml.ScalarNode(tag + "str", data, style='"')
    if isinstance(data, list | tuple):
        return yaml.SequenceNode(tag + "seq", [_raw_of(item, file) for item in data])
    if isinstance(data, dict):
        pairs = [(_raw_of(key, file), _raw_of(value, file)) for key, value in data.items()]
        return yaml.MappingNode(tag + "map", pairs)
    raise BadInput("wrong type", file=file, found=data, expected="whole numbers, texts, lists and mappings only")
