"""What was expected, where a message holds a number: which of a few shapes has the text? A page says each in its own language."""

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
    "signed": re.compile(r"Ed25519 over the canonical JSON of the entry, with by '(?P<rest>.+)' and its at"),
}


def shape_of(text: str) -> dict[str, str]:
    """`name` of the shape, `n` and `rest` of what it holds; an empty mapping for a text of no shape."""
    for name, pattern in SHAPES.items():
        if (found := pattern.fullmatch(text)) is not None:
            parts = {"n": "", "rest": ""} | found.groupdict()
            return {"name": name, "n": parts["n"].replace(",", ""), "rest": parts["rest"].replace("'", "")}
    return {}
