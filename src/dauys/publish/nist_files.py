"""How is the NIST report written down? One model in, two texts out: XML and JSON.

The model is plain dicts in the shape of the standard's JSON. Its long lists are iterators, and most of what is in them is
alike: an `Alike` says once what its objects share and keeps, row by row, only what differs.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import compress, groupby
from typing import Any
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "http://itl.nist.gov/ns/voting/1500-100/v2"

Node = dict[str, Any]
"""One object of the report: `@type`, `@id` where others refer to it, then its members in the order of the schema."""

Value = str | int | None
Row = tuple[Value, ...]

TEXT, WORD, NUMBER = "\x00", "\x01", "\x02"
"""A blank in a form: for any text; for a text with nothing to escape in either file; for a whole number, as the whole value.

No text of a report holds these characters (XML 1.0, section 2.2).
"""

_BLANK = re.compile("[\x00-\x02]")
_IN_JSON = re.compile(r'"\\u0002"|\\u000[01]|\\.')
_FROM_JSON = {r'"\u0002"': NUMBER, r"\u0000": TEXT, r"\u0001": WORD}

_SUBTYPES = frozenset({"ReportingUnit", "BallotMeasureContest", "BallotMeasureSelection"})
"""Classes that stand in for an abstract one: XML names them by xsi:type."""

Write = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Alike:
    """Objects of a long list that differ only in the blanks of `form`; each row fills them, in order."""

    form: Node
    rows: list[Row]


def node(cls: str, key: str | None = None, /, **members: Any) -> Node:
    """An object of class `cls` with the id `key`, without the members that are None."""
    made = {"@type": f"ElectionResults.{cls}", "@id": key, **members}
    return {name: value for name, value in made.items() if value is not None}


def alike(rows: Iterable[Row], form: Callable[[tuple[bool, ...]], Node]) -> Iterator[Alike]:
    """The rows in order. A None is a member that this object lacks: `form` makes the object of what is given and what not."""
    for lacking, group in groupby(rows, key=lambda row: None in row and _given(row)):
        part = list(group)
        given = _given(part[0])
        yield Alike(form(given), [tuple(compress(row, given)) for row in part] if lacking else part)


def _given(row: Row) -> tuple[bool, ...]:
    return tuple(value is not None for value in row)


def xml_bytes(report: Node) -> bytes:
    """The report as XML."""
    out = io.BytesIO()
    out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    _write_xml("ElectionReport", report, lambda text: out.write(text.encode()))
    out.write(b"\n")
    return out.getvalue()


def json_bytes(report: Node) -> bytes:
    """The report as JSON, by the standard's JSON schema: every object has its `@type`."""
    out = io.BytesIO()
    _write_json(report, lambda text: out.write(text.encode()))
    out.write(b"\n")
    return out.getvalue()


def _write_json(value: Any, write: Write) -> None:
    if isinstance(value, Iterator):
        write("[")
        for number, item in enumerate(value):
            write(",\n" if number else "\n")
            _write_json(item, write)
        write("]")
    elif isinstance(value, Alike):
        form = _IN_JSON.sub(lambda found: _FROM_JSON.get(found[0], found[0]), _json(value.form))
        write(",\n".join(_filled(form, value.rows, lambda text: _json(text)[1:-1])))
    elif isinstance(value, dict) and any(isinstance(member, Iterator) for member in value.values()):
        for number, (name, member) in enumerate(value.items()):
            write(f"{',' if number else '{'}{json.dumps(name)}:")
            _write_json(member, write)
        write("}")
    else:
        write(_json(value))


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _write_xml(name: str, value: Any, write: Write) -> None:
    if isinstance(value, Iterator):
        for item in value:
            write("\n")
            _write_xml(name, item, write)
    elif isinstance(value, Alike):
        form: list[str] = []
        _write_xml(name, value.form, form.append)
        write("\n".join(_filled("".join(form), value.rows, escape)))
    elif isinstance(value, list) and name.endswith("Ids"):
        write(f"<{name}>{' '.join(value)}</{name}>")
    elif isinstance(value, list):
        for item in value:
            _write_xml(name, item, write)
    elif not isinstance(value, dict):
        write(f"<{name}>{escape(str(value))}</{name}>")
    elif "Language" in value:
        write(f"<{name} Language={quoteattr(value['Language'])}>{escape(value['Content'])}</{name}>")
    else:
        write(f"<{name}{_attributes(value)}>")
        for member, part in value.items():
            if not member.startswith("@"):
                _write_xml(member, part, write)
        write(f"</{name}>")


def _attributes(node: Node) -> str:
    cls = node["@type"].removeprefix("ElectionResults.")
    if cls == "ElectionReport":
        return f' xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return (f' ObjectId="{node["@id"]}"' if "@id" in node else "") + (f' xsi:type="{cls}"' if cls in _SUBTYPES else "")


def _filled(form: str, rows: Iterable[Row], escaped: Callable[[str], str]) -> Iterator[str]:
    """The form once for each row, its blanks filled."""
    texts = {place for place, blank in enumerate(_BLANK.findall(form)) if blank == TEXT}
    pattern = _BLANK.sub("%s", form.replace("%", "%%"))
    if texts:
        rows = (tuple(escaped(str(v)) if n in texts else v for n, v in enumerate(row)) for row in rows)
    return map(pattern.__mod__, rows)
