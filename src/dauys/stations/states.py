"""In which states can a protocol and a doubly typed form be, what moves them on, and who may do that?

docs/states.md draws the same tables; a test keeps the drawing and these tables one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dauys.stations.words import normalised


class Role(StrEnum):
    """What an account may do."""

    CLERK = "clerk"
    TYPIST = "typist"
    RESOLVER = "resolver"
    STATION = "station"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be done now, and who may do what instead. `check` is the number that is answered."""

    message: str
    check: str


class State(StrEnum):
    """The life of one station's protocol for one contest."""

    EXPECTED = "expected"
    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    MISSING = "missing"
    ANNULLED = "annulled"


class Event(StrEnum):
    """What happens to it. Clean and faulty say whether an F.1xx check was raised."""

    RECEIVED_CLEAN = "received clean"
    RECEIVED_FAULTY = "received faulty"
    CORRECTED_CLEAN = "corrected clean"
    CORRECTED_FAULTY = "corrected faulty"
    POLL_CLOSED = "poll closed"
    RESULT_ANNULLED = "result annulled"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.EXPECTED, Event.RECEIVED_CLEAN): State.ACCEPTED,
    (State.EXPECTED, Event.RECEIVED_FAULTY): State.QUARANTINED,
    (State.EXPECTED, Event.POLL_CLOSED): State.MISSING,
    (State.EXPECTED, Event.RESULT_ANNULLED): State.ANNULLED,
    (State.ACCEPTED, Event.CORRECTED_CLEAN): State.ACCEPTED,
    (State.ACCEPTED, Event.CORRECTED_FAULTY): State.QUARANTINED,
    (State.ACCEPTED, Event.POLL_CLOSED): State.ACCEPTED,
    (State.ACCEPTED, Event.RESULT_ANNULLED): State.ANNULLED,
    (State.QUARANTINED, Event.CORRECTED_CLEAN): State.ACCEPTED,
    (State.QUARANTINED, Event.CORRECTED_FAULTY): State.QUARANTINED,
    (State.QUARANTINED, Event.POLL_CLOSED): State.QUARANTINED,
    (State.QUARANTINED, Event.RESULT_ANNULLED): State.ANNULLED,
    (State.MISSING, Event.RESULT_ANNULLED): State.ANNULLED,
}

_THERE = Refusal("a protocol of the station is in: a clerk may send a correction with its reason", "F.025")
_NONE_YET = Refusal("the station has no protocol yet: the station, a clerk or two typists may send it", "F.029")
_CLOSED = Refusal("the poll is closed: no protocol is taken, a clerk may correct those that are in", "F.024")
_VOID = Refusal("the result is annulled: only a repeat vote, which is another poll, brings new protocols", "F.028")
_SHUT = Refusal("the poll is closed already", "F.024")

REFUSALS: Mapping[State, Mapping[str, Refusal]] = {
    State.EXPECTED: {"corrected": _NONE_YET},
    State.ACCEPTED: {"received": _THERE},
    State.QUARANTINED: {"received": _THERE},
    State.MISSING: {"received": _CLOSED, "corrected": _CLOSED, "poll": _SHUT},
    State.ANNULLED: {"received": _VOID, "corrected": _VOID, "poll": _VOID, "result": _VOID},
}

MAY: Mapping[Event, frozenset[Role]] = {
    Event.RECEIVED_CLEAN: frozenset({Role.CLERK, Role.STATION, Role.RESOLVER, Role.TYPIST}),
    Event.RECEIVED_FAULTY: frozenset({Role.CLERK, Role.STATION, Role.RESOLVER, Role.TYPIST}),
    Event.CORRECTED_CLEAN: frozenset({Role.CLERK}),
    Event.CORRECTED_FAULTY: frozenset({Role.CLERK}),
    Event.POLL_CLOSED: frozenset({Role.CLERK}),
    Event.RESULT_ANNULLED: frozenset({Role.CLERK}),
}
"""Who may bring an event about. A typist only as one of two who agree; a station only its own protocol."""


def following(state: State, event: Event) -> State | Refusal:
    """The next state, or why not."""
    found = TRANSITIONS.get((state, event))
    return REFUSALS[state][event.split(" ")[0]] if found is None else found


class Typing(StrEnum):
    """The life of a form on paper that is typed twice."""

    UNTYPED = "untyped"
    TYPED_ONCE = "typed once"
    AGREED = "agreed"
    DIFFERS = "differs"
    RESOLVED = "resolved"


class Stroke(StrEnum):
    """What a person does with it. Same and other say whether the second typist's numbers are the first's."""

    FIRST = "typed"
    SECOND_SAME = "typed again the same"
    SECOND_OTHER = "typed again otherwise"
    DECIDED = "decided by a third"
    TAKEN_BACK = "taken back"


TYPING: Mapping[tuple[Typing, Stroke], Typing] = {
    (Typing.UNTYPED, Stroke.FIRST): Typing.TYPED_ONCE,
    (Typing.TYPED_ONCE, Stroke.SECOND_SAME): Typing.AGREED,
    (Typing.TYPED_ONCE, Stroke.SECOND_OTHER): Typing.DIFFERS,
    (Typing.DIFFERS, Stroke.DECIDED): Typing.RESOLVED,
    (Typing.TYPED_ONCE, Stroke.TAKEN_BACK): Typing.UNTYPED,
}
"""Agreed and resolved forms go to intake at once; they end here."""


Typed = Mapping[str, int | str]
"""What one person typed: fields as numbers, and `<field>_words` as the words on the paper."""


def compared(values: Typed) -> dict[str, int | str]:
    """What two typings are compared by: the numbers, and the words in one spelling (`words.normalised`)."""
    return {name: " ".join(normalised(said)) if isinstance(said, str) else said for name, said in values.items()}


@dataclass(frozen=True, slots=True)
class Paper:
    """A form as typed so far: what each person wrote, as they wrote it. Nobody sees another's before they are compared."""

    state: Typing = Typing.UNTYPED
    first_by: str | None = None
    first: Typed | None = None
    second_by: str | None = None
    second: Typed | None = None

    @property
    def differing(self) -> tuple[str, ...]:
        """The fields on which the two typists differ."""
        first, second = compared(self.first or {}), compared(self.second or {})
        return tuple(name for name in {**first, **second} if first.get(name) != second.get(name))


def typed(paper: Paper, by: str, values: Typed) -> Paper | Refusal:
    """The form after somebody types it; refused to whoever has typed it before, and where no typing is due."""
    if paper.state is Typing.UNTYPED:
        return Paper(Typing.TYPED_ONCE, by, dict(values))
    if paper.state in (Typing.AGREED, Typing.RESOLVED):
        return _THERE
    if paper.state is not Typing.TYPED_ONCE:
        return Refusal("the form has been typed twice: a resolver may decide what differs", "F.040")
    if paper.first_by == by:
        return Refusal("you typed this form first: another typist has to type it again", "F.040")
    stroke = Stroke.SECOND_SAME if compared(values) == compared(paper.first or {}) else Stroke.SECOND_OTHER
    return Paper(TYPING[paper.state, stroke], paper.first_by, paper.first, by, dict(values))


def decided(paper: Paper, by: str) -> Paper | Refusal:
    """The form after a third person has decided; refused to the two typists and where nothing differs."""
    if paper.state is not Typing.DIFFERS:
        return Refusal("nothing is to be decided: the two typists have to differ first", "F.040")
    if by in (paper.first_by, paper.second_by):
        return Refusal("you typed this form: a third person has to decide", "F.040")
    return Paper(Typing.RESOLVED, paper.first_by, paper.first, paper.second_by, paper.second)


def taken_back(paper: Paper, by: str) -> Paper | Refusal:
    """The form after its first typist takes it back: it was the wrong station, or mistyped. Nobody has compared it yet."""
    if paper.state is not Typing.TYPED_ONCE:
        return Refusal("nothing can be taken back: the form is not typed, or was typed twice already", "F.040")
    if paper.first_by != by:
        return Refusal("another person typed this form: only they can take it back", "F.040")
    return Paper(TYPING[paper.state, Stroke.TAKEN_BACK])
