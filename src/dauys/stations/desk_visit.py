"""Who came to a page of the desk, where, and with which form? What every page is given, and how it reads a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData

from dauys.errors import BadInput
from dauys.registers.cells import number_fault
from dauys.registers.poll import Contest, Poll
from dauys.stations.accounts import Account
from dauys.stations.beside import NOTHING, Beside
from dauys.stations.corrections import Seal
from dauys.stations.overview import poll_of
from dauys.stations.requests import LARGEST_FORM
from dauys.stations.states import Role
from dauys.store.engine import Connection

Model = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visit:
    """One call of a page. `form` is None where the page is only looked at."""

    connection: Connection
    account: Account
    request: Request
    form: FormData | None
    at: datetime
    seal: Seal
    beside: Beside = NOTHING

    @property
    def poll(self) -> Poll:
        return poll_of(self.connection, self.request.path_params["poll"])

    def contest(self, poll: Poll) -> Contest:
        """The contest that the address names, else the first."""
        return poll.contest(self.asked("contest") or poll.contests[0].id)

    def asked(self, name: str) -> str:
        """A part of the address's query, or an empty text."""
        return self.request.query_params.get(name, "").strip()

    def start(self) -> int:
        """From which row on a list is shown: `?from=`."""
        text = self.asked("from")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0

    def sent(self, name: str) -> str:
        """A field of the form as text, without blanks around it."""
        return text_of(self.form or {}, name)

    def station(self) -> str:
        """The station that the form names. Raises BadInput F.011."""
        station = self.sent("station")
        if not station:
            raise BadInput("the cell is empty", field="station", check="F.011", expected="the number of the station")
        return station

    def place(self) -> int | None:
        """The entry that a correction says it replaces: `of`."""
        of = self.sent("of")
        return int(of) if of.isdecimal() and len(of) < 18 else None


Act = Callable[[Visit], Model | str]
"""What a page does: a model to show, or a text: the address below the desk to go to next."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the desk: its path below `/{language}/desk`, its template, who may come, what it does.

    `largest` is how many bytes its form may have.
    """

    path: str
    template: str
    act: Act
    roles: tuple[Role, ...]
    largest: int = LARGEST_FORM


def text_of(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def number_of(form: Mapping[str, Any], name: str) -> int:
    """A typed number. Raises BadInput F.011 to F.016."""
    text = text_of(form, name)
    fault = number_fault(text)
    if fault is not None:
        check, message = fault
        raise BadInput(message, field=name, found=text, expected="a whole number", check=check)
    return int(text)


def values_of(contest: Contest, form: Mapping[str, Any]) -> dict[str, int | str]:
    """The numbers of a typed protocol, and its words. Raises BadInput F.011 to F.016 by field."""
    values: dict[str, int | str] = {}
    for field in contest.form.fields:
        if text_of(form, field.name) or not field.optional:
            values[field.name] = number_of(form, field.name)
        if words := text_of(form, f"{field.name}_words"):
            values[f"{field.name}_words"] = words
    return values


def about(poll: Poll) -> Model:
    """What every page of a poll shows of it."""
    contests = [(contest.id, dict(contest.question)) for contest in poll.contests]
    return {"poll": poll.id, "names": dict(poll.names), "contests": contests, "reconstruction": poll.reconstruction}


def form_model(poll: Poll, contest: Contest, station: str) -> Model:
    """What a page shows that has a protocol's form."""
    return about(poll) | {
        "contest": contest.id,
        "question": dict(contest.question),
        "fields": [
            {"name": field.name, "number": field.number, "labels": dict(field.labels), "optional": field.optional}
            for field in contest.form.fields
        ],
        "station": station,
    }
