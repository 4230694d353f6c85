"""What has happened, and on which day? Facts are the only place where days enter the law.

A file of facts (`jurisdictions/kz/facts.yaml`):

    facts:
      - event: referendum-2022.published        # lower-case words joined by `-` and `.`
        at: 2022-06-08
        source: Resolution of the Central Commission of 2022-06-07, published 2022-06-08
        note: how the day is read, where that is an interpretation        (optional)

An event has one day: the same event twice with the same day is one fact more often sourced; with two different days it
is refused. Their order never matters.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dauys.errors import BadInput
from dauys.law.files import Node, read_yaml
from dauys.law.packs import pack_folder

EVENT = r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*"
EVENT_IN_WORDS = "the name of an event: lower-case words and digits joined by `-` and `.`"


@dataclass(frozen=True, slots=True)
class Fact:
    """An event, its day, and who says so. `file` and `line` are its place, where it was read from a file."""

    event: str
    at: datetime.date
    source: str
    note: str = ""
    file: str | None = field(default=None, compare=False, repr=False)
    line: int | None = field(default=None, compare=False, repr=False)


class Facts:
    """A set of facts: at most one day for an event. Values: nothing changes them."""

    __slots__ = ("_by_event",)

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        """Raises `BadInput` where an event has two different days; of two equal ones the first source is kept."""
        by_event: dict[str, Fact] = {}
        for fact in sorted(facts, key=lambda fact: (fact.event, fact.source, fact.note)):
            known = by_event.setdefault(fact.event, fact)
            if known.at != fact.at:
                raise _two_days(known, fact)
        self._by_event = by_event

    @classmethod
    def read(cls, path: Path) -> Facts:
        """The facts of a YAML file; raises `BadInput`."""
        return cls(_fact_of(item) for item in read_yaml(path).mapping(required=("facts",))["facts"].items())

    def day(self, event: str) -> datetime.date | None:
        """The day of an event; None while it has not happened."""
        fact = self._by_event.get(event)
        return None if fact is None else fact.at

    def get(self, event: str) -> Fact | None:
        """The fact of an event; None while it has not happened."""
        return self._by_event.get(event)

    def without(self, event: str) -> Facts:
        """The same facts, had this one never happened."""
        return Facts(fact for fact in self if fact.event != event)

    def from_record(self, decided: Collection[str], recorded: Facts) -> Facts:
        """These facts, but the events that a poll decides happened only where and when its record says so."""
        return Facts((*(fact for fact in self if fact.event not in decided and fact.event not in recorded), *recorded))

    def with_(self, fact: Fact) -> Facts:
        """These facts and one more; raises `BadInput` where its event has another day already."""
        return Facts((*self, fact))

    def __iter__(self) -> Iterator[Fact]:
        """In the order of their days."""
        return iter(sorted(self._by_event.values(), key=lambda fact: (fact.at, fact.event)))

    def __len__(self) -> int:
        return len(self._by_event)

    def __contains__(self, event: object) -> bool:
        return event in self._by_event

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facts) and self._by_event == other._by_event

    def __hash__(self) -> int:
        return hash(frozenset(self._by_event.values()))

    def __repr__(self) -> str:
        return f"Facts({', '.join(f'{fact.event}: {fact.at}' for fact in self)})"


def load_facts(pack: str) -> Facts:
    """The facts of a pack; raises `DauysError`."""
    return Facts.read(pack_folder(pack) / "facts.yaml")


def _fact_of(node: Node) -> Fact:
    parts = node.mapping(required=("event", "at", "source"), optional=("note",))
    return Fact(
        event=parts["event"].matching(EVENT, EVENT_IN_WORDS),
        at=parts["at"].date(),
        source=parts["source"].text(),
        note=parts["note"].text() if "note" in parts else "",
        file=node.file,
        line=node.line,
    )


def _two_days(one: Fact, other: Fact) -> BadInput:
    """The refusal of the one that stands later, or of the one that stands in no file, naming both places."""
    first, second = sorted((one, other), key=lambda fact: (fact.file is None, fact.file or "", fact.line or 0, fact.at))
    where = "already recorded" if first.file is None else f"as on line {first.line}"
    where += f" of {first.file}" if first.file != second.file else ""
    return BadInput(
        "an event has two different days",
        file=second.file,
        line=second.line,
        field=second.event,
        found=second.at,
        expected=f"{first.at}, {where}, or one of the two removed",
    )
