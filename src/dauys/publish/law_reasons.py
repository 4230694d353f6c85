"""Why does a value not hold, or why can nothing be said? The law's own sentence as a code, so that pages can translate it."""

from __future__ import annotations

import re

from dauys.publish.twins import Model

_REASONS = (
    ("not-yet", re.compile(r"no value yet on this day")),
    ("unknown", re.compile(r"unknown, (?P<cite>.*)", re.DOTALL)),
    ("needs", re.compile(r"needs (?P<rule>\S+)")),
    ("ended", re.compile(r"ended on (?P<day>[0-9-]{10})(?:, (?P<cite>.*))?", re.DOTALL)),
    ("not-happened", re.compile(r"(?P<event>\S+(?: and \S+)*) has not happened")),
    ("begins", re.compile(r"begins on (?P<day>[0-9-]{10})")),
    ("system-ended", re.compile(r"the system it belongs to has ended")),
    ("rank", re.compile(r"of lower rank than (?P<cite>.*)", re.DOTALL)),
    ("replaced", re.compile(r"replaced on (?P<day>[0-9-]{10}) by (?P<cite>.*)", re.DOTALL)),
)
"""The sentences in which the law says why something does not hold, so that each can be said in every language."""


def reason(sentence: str) -> Model:
    """Why something does not hold or is not known: `{"code", "text"}` and what the sentence names."""
    for code, pattern in _REASONS:
        if match := pattern.fullmatch(sentence):
            return {"code": code, "text": sentence, **{k: v for k, v in match.groupdict().items() if v}}
    return {"code": "other", "text": sentence}
