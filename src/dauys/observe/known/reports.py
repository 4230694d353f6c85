"""What is a report from the field: one form, with its answers and its pictures?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = int | str | bool
"""An answer: a count, a choice or a text (a time is text, HH:MM), a yes or no."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that belongs to a report: its bytes lie in the mission's folder under this SHA-256."""

    sha256: str
    size: int
    kind: str


@dataclass(frozen=True, slots=True)
class Report:
    """One form that came in. `key` is the sender's own, so that what is sent twice is one report.

    `written` is the moment settled from the phone's clock (field.moments), `received` that of arrival. `flags` are the numbers of
    quality rules that it raised (docs/checks.md, O.1xx). `standing`: new, verified or rejected; `values` are those verified.
    """

    n: int
    key: str
    observer: str
    station: str
    form: str
    values: Mapping[str, Value]
    written: str
    received: str
    channel: str
    contest: str = ""
    photos: tuple[Photo, ...] = ()
    flags: tuple[str, ...] = ()
    standing: str = "new"
    note: str = ""
    by: str = ""
