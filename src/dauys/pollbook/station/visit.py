"""What does a page of the station get to know and to do: the station, who asks, what was sent?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request

from dauys.errors import BadInput
from dauys.pollbook.log.events import Event
from dauys.pollbook.machine.book import Book
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.machine.syncing import Syncing
from dauys.pollbook.rules.channels import ROLES
from dauys.pollbook.rules.grants import LASTS
from dauys.pollbook.rules.places import Standing
from dauys.pollbook.station.door import Door, Session
from dauys.pollbook.station.search import Index
from dauys.pollbook.wire.package import Officer, Voter

ENDED = ("used", "withdrawn", "elsewhere", "over")
"""Fates of a right that was asked for (`grants.HOW`) after which it does not come, unless it is asked for again."""

Model = dict[str, Any]


@dataclass
class Station:
    """All that the pages of one station share. `trial`: its clock is not the machine's."""

    keep: Keep
    door: Door
    syncing: Syncing
    clock: Callable[[], datetime]
    trial: bool = False
    asked: dict[UUID, datetime] = field(default_factory=dict)
    """Whose rights were asked for from here, and when: their voters stand here and wait."""
    answered: dict[UUID, tuple[datetime, Model]] = field(default_factory=dict)
    """What the centre said of those whose right does not come, and when it was asked (station.elsewhere)."""
    paper_token: str = ""
    _index: Index | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._index = Index(self.keep.book.voters.values())
        self.syncing.impatient = lambda: bool(self.waiting_for())

    def find(self, text: str) -> list[UUID]:
        """Search in the list (dauys.pollbook.station.search)."""
        assert self._index is not None
        with self._lock:
            return self._index.find(text)

    def add_voter(self, voter: Voter) -> None:
        """Keeps and finds the line of somebody from elsewhere."""
        assert self._index is not None
        self.keep.add_voter(voter)
        with self._lock:
            self._index.add(voter)

    def waiting_for(self) -> list[UUID]:
        """Whose right was asked for within the last ten minutes, is not here, and may still come."""
        at, places, fates = self.clock(), self.keep.book.places, self.syncing.link.fates
        return [
            who
            for who, since in list(self.asked.items())
            if abs(at - since) < LASTS and (who not in places or places[who].standing == Standing.AWAY)
            if fates.get(who) not in ENDED and self.answered.get(who, (at, {}))[1].get("state") != "used"
        ]


@dataclass
class Visit:
    """One request for one page. `form` is None where the page is only asked for."""

    station: Station
    request: Request
    lang: str
    session: Session
    officer: Officer
    form: Mapping[str, str] | None
    at: datetime

    @property
    def book(self) -> Book:
        return self.station.keep.book

    def act(self, decide: Callable[[Book], Event]) -> Event:
        """Decides, stores durably, and only then returns; the centre is told in the background."""
        with self.station.keep.acting() as book:
            event = self.station.keep.append(decide(book))
        self.station.syncing.poke()
        return event

    def text(self, name: str, most: int = 200) -> str:
        """What was typed in a field, without blanks around it, and without what no line of text has."""
        typed = (self.form or {}).get(name, "")
        return "".join(char if char.isprintable() else " " for char in typed).strip()[:most]

    def number(self, name: str, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number that was typed; raises BadInput."""
        typed = "".join(self.text(name).split())
        if not typed.isascii() or not typed.isdecimal() or len(typed) > 12 or not least <= int(typed) <= most:
            expected = f"a whole number from {least} to {most:,}"
            raise BadInput("a number is needed here", field=name, found=typed[:20], expected=expected, check="P.047")
        return int(typed)

    def who(self) -> UUID:
        """The voter whom the address names; raises BadInput where there is none such."""
        return uuid_of(str(self.request.path_params.get("who", "")))

    def chosen(self, name: str) -> UUID:
        """The voter whom a form names."""
        return uuid_of(self.text(name))


@dataclass(frozen=True, slots=True)
class Page:
    """A page below `/{language}`: its template, what it does, and for whom it is.

    `act` gives the model of the template, or the path (below the language) to go to.
    """

    path: str
    template: str
    act: Callable[[Visit], Model | str]
    roles: Sequence[str] = ROLES


def uuid_of(text: str) -> UUID:
    """Raises BadInput for what is no UUID as this program writes it."""
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text:
        raise BadInput("there is no such page", check="P.020")
    return found
