"""What does a page of the mission's office get to know and to do: the mission, who asks, what was sent?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import Request

from dauys.errors import BadInput
from dauys.observe.mission.model import Event, Mission
from dauys.observe.mission.official import Official

LANGUAGES = ("kk", "ru", "en")
Model = dict[str, Any]


class Keeping(Protocol):
    """The mission's store (mission.keep.Keep), as pages need it. Used by several threads."""

    folder: Path

    @property
    def mission(self) -> Mission: ...

    def append(self, kind: str, body: Mapping[str, Any], by: str, at: datetime) -> Event:
        """Folds and stores one event durably, or raises MissionError and changes nothing."""

    def photo(self, sha256: str) -> Path:
        """Where the picture's bytes lie (`photos/<sha256>`), whether they are there or not."""


@dataclass
class Office:
    """All that the pages share. `official` is the last state of the official record that was read (None: not yet).

    `draw_map(poll pack names, shares)` gives an SVG of the territories where the pack has outlines, else an empty text:
    the shell has it, this room does not.
    """

    keep: Keeping
    clock: Callable[[], datetime]
    official: Callable[[], Official | None]
    refresh: Callable[[], Official]
    """Reads the official record again. Raises DauysError."""
    send: Callable[[str, str, Mapping[str, Any]], int | None]
    """send(kind, id, body): signs an entry with the mission's key, posts it to the official record, keeps the receipt."""
    draw_map: Callable[[str, Mapping[str, float], str], str] = lambda poll, shares, lang: ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Visit:
    """One request of the office for one page. `form` is None where the page is only asked for; `files` are uploads by field."""

    office: Office
    request: Request
    lang: str
    form: Mapping[str, str] | None
    files: Mapping[str, Path]
    at: datetime

    @property
    def mission(self) -> Mission:
        return self.office.keep.mission

    def append(self, kind: str, body: Mapping[str, Any], by: str = "office") -> Event:
        return self.office.keep.append(kind, body, by, self.at)

    def text(self, name: str, most: int = 400) -> str:
        """What was typed in a field, without blanks around it, and without what no line of text has."""
        typed = (self.form or {}).get(name, "")
        return "".join(char if char.isprintable() else " " for char in typed).strip()[:most]

    def number(self, name: str, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number that was typed; raises BadInput."""
        typed = "".join(self.text(name).split())
        if not typed.isascii() or not typed.isdecimal() or not least <= int(typed[:12]) <= most:
            expected = f"a whole number from {least} to {most:,}"
            raise BadInput("a number is needed here", field=name, found=typed[:20], expected=expected, check="O.010")
        return int(typed)


@dataclass(frozen=True, slots=True)
class Page:
    """A page below `/{language}`: its template, what it does, whether it stands in the menu (`menu`: its English name, a msgid).

    `act` gives the model of the template, or the path (below the language) to go to.
    """

    path: str
    template: str
    act: Callable[[Visit], Model | str]
    menu: str = ""
    public: bool = False
    """Whether it may be read without the office's session."""
