"""What does a page of the mission's office get to know and to do: the mission, who asks, what was sent?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from dauys.errors import BadInput
from dauys.observe.known.model import Event, Mission
from dauys.observe.known.official import Official

Model = dict[str, Any]


class Keeping(Protocol):
    """The mission's store (known.keep.Keep), as pages need it. Used by several threads."""

    folder: Path

    @property
    def mission(self) -> Mission: ...

    @property
    def public(self) -> str:
        """The mission's Ed25519 key in base64."""

    def append(self, kind: str, body: Mapping[str, Any], by: str, at: datetime) -> Event:
        """Folds and stores one event durably, or raises MissionError and changes nothing."""

    def acting(self) -> AbstractContextManager[Mission]:
        """One act: nothing comes between, and all that is appended inside is stored, or none."""

    def events(self, first: int = 0) -> Sequence[Event]: ...

    def head(self) -> str:
        """The hash of the log's chain, in hexadecimal."""

    def keep(self, name: str, value: str) -> None:
        """Keeps a text that is not an event (a secret, a session); an empty one forgets it."""

    def kept(self, name: str) -> str | None: ...

    def write(self, name: str, data: bytes) -> Path:
        """A new file of the folder, on the disk when this returns."""

    def store_photo(self, data: bytes) -> str:
        """Stores a picture durably; its SHA-256."""

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
    fault: Callable[[], str] = lambda: ""
    """Why the official record could not be read the last time; empty where it could."""
    waiting: Callable[[], int] = lambda: 0
    """Entries that wait to be sent to the official record."""
    draw_map: Callable[[str, Mapping[str, float], str], str] = lambda poll, shares, lang: ""
    extra: dict[str, Any] = field(default_factory=dict)
    """What some pages need besides: `door`, `reading` and `outbox` (office.running), `witness`; answers that a page keeps."""


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

    `act` gives the model of the template, the path (below the language) to go to, or an answer of its own (a PDF, a picture).
    `twin` names the member of the model that the page's JSON twin answers with (`/en/estimate.json`); empty: it has none.
    """

    path: str
    template: str
    act: Callable[[Visit], Model | str | Response]
    menu: str = ""
    public: bool = False
    """Whether it may be read without the office's session."""
    twin: str = ""
