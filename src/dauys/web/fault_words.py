"""A fault's message, and what was expected, where they hold a name or a number: which of a few shapes has the text?

A page says each in its own language (templates/fault.html, fault_message.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SHAPES: Mapping[str, re.Pattern[str]] = {
    "same": re.compile(r"the same as entry (?P<n>\d+)"),
    "as": re.compile(r"as in entry (?P<n>\d+)"),
    "entry": re.compile(r"entry (?P<n>\d+) with \{(?P<rest>.*)\}"),
    "report": re.compile(r"(?P<rest>\d+ of \d+), as in entry (?P<n>\d+)"),
    "bytes": re.compile(r"at most (?P<n>[\d,]+) bytes"),
    "fields": re.compile(r"(?P<n>\d+) fields"),
    "count": re.compile(r"a whole number from 0 to (?P<n>\d+)"),
    "station": re.compile(r"a station of (?P<rest>.+)"),
    "columns": re.compile(r"the columns (?P<rest>.+?)(?:; take others out, or map the ones to read)?"),
    "kinds": re.compile(r"(?P<rest>\.\w+(?:\.\w+)?(?:, \.\w+(?:\.\w+)?)*)(?: or (?P<last>\.\w+))?"),
    "text": re.compile(r"a text of at most (?P<n>\d+) characters"),
    "as it is": re.compile(r"(?P<rest>\d[\dT:+-]*(?:, \d[\dT:+-]*)*|HH:MM)"),
    "signed": re.compile(r"Ed25519 over the canonical JSON of the entry, with by '(?P<rest>.+)' and its at"),
}


MESSAGES: Mapping[str, re.Pattern[str]] = {
    "encoding": re.compile(r"the file is not in UTF-8, it looks like (?P<rest>[^:]+): .+"),
    "two columns": re.compile(r"two columns mean (?P<rest>.+)"),
    "long row": re.compile(r"a row of (?P<n>[\d,]+) bytes and more is no row"),
    "file": re.compile(r"the file cannot be read: (?P<rest>.+)"),
    "row": re.compile(r"the (?:row|header) cannot be read: (?P<rest>.+)"),
    "signature": re.compile(r"the signature of entry '(?P<rest>.+)' is not base64 of 64 bytes"),
    "hint": re.compile(r"a column is not known \(is it (?P<rest>.+)\?\)"),
    "password": re.compile(r"a password has at least (?P<n>\d+) characters"),
    "no station": re.compile(r"(?P<rest>.+) has no such station here"),
    "signed only": re.compile(r"(?P<rest>\w+) is for protocols that are signed: leave it out or sign"),
    "missing": re.compile(r"columns are missing: (?P<rest>.+)"),
}
"""Messages that say more than the text of their number."""


def shape_of(text: str, shapes: Mapping[str, re.Pattern[str]] = SHAPES) -> dict[str, str]:
    """`name` of the shape, `n` and `rest` of what it holds; an empty mapping for a text of no shape."""
    for name, pattern in shapes.items():
        if (found := pattern.fullmatch(text)) is not None:
            parts = {"n": "", "rest": ""} | {part: said or "" for part, said in found.groupdict().items()}
            rest = ", ".join(filter(None, (parts["rest"].replace("'", ""), parts.get("last", ""))))
            return {"name": name, "n": parts["n"].replace(",", ""), "rest": rest}
    return {}


def message_shape(text: str) -> dict[str, str]:
    """The same of a message."""
    return shape_of(text, MESSAGES)
