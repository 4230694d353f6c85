"""What would a draft change? The law with the draft against the law without it, had the draft's events happened on a day.

A draft is a file of one of two kinds: an amending law (`dauys.law.effects`), or values of rules:

    rules:
      senate.presidential_quota: {value: 12, since: draft.adopted, cite: "Draft, article 1", status: draft}

Events that the draft waits for and that have not happened are assumed to happen on the day of the preview.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dauys.errors import BadInput
from dauys.law.concordance import Disagreement, check
from dauys.law.effects import parse_law
from dauys.law.facts import Fact
from dauys.law.files import parse_yaml, read_text
from dauys.law.redline import Line, redline
from dauys.law.rulebook import with_drafts
from dauys.law.snapshot import Change, changes
from dauys.law.system import System
from dauys.law.when import When

ASSUMED = "assumed for the preview"


@dataclass(frozen=True, slots=True)
class DayChange:
    """What the draft makes different on a day and did not already on an earlier one."""

    day: datetime.date
    rules: tuple[Change, ...]
    texts: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The effect of a draft. `disagreements`: where text and rules would no longer say the same."""

    assumed: tuple[Fact, ...]
    days: tuple[DayChange, ...]
    disagreements: tuple[Disagreement, ...]


def preview(system: System, files: Sequence[Path], day: datetime.date, language: str = "en") -> Preview:
    """What the drafts in `files` would change from `day` on; raises `LawNotLoaded` or `DauysError`."""
    drafted, whens = with_files(system, files)
    events = {event for when in whens for event in when.missing(system.facts)}
    assumed = tuple(Fact(event, day, ASSUMED) for event in sorted(events))
    for fact in assumed:
        drafted = drafted.with_(fact)
    base = replace(system, facts=drafted.facts)
    starts = {start for when in whens if (start := when.resolve(drafted.facts)) is not None and start > day}
    before = {(one.where, one.message) for one in check(base).disagreements}
    disagreements = tuple(one for one in check(drafted).disagreements if (one.where, one.message) not in before)
    return Preview(assumed, tuple(_days(base, drafted, [day, *sorted(starts)], language)), disagreements)


def with_files(system: System, files: Iterable[Path]) -> tuple[System, list[When]]:
    """The law with drafts added to it, and every When of theirs; raises `DauysError`."""
    whens: list[When] = []
    for path in files:
        text = read_text(path)
        node = parse_yaml(text, str(path))
        if "rules" in {key.text() for key, _ in node.entries()}:
            book = with_drafts(system.book, node.mapping(("rules",))["rules"], system.facts)
            known = set(system.book.whens())
            whens += [when for when in book.whens() if when not in known]
            system = replace(system, book=book)
            continue
        law = parse_law(text, str(path))
        work = next((work for work in system.works.values() if next(iter(work.before.values())).uri == law.of), None)
        if work is None:
            raise BadInput("the law changes a work that is not here", file=path, found=law.of)
        if missing := [name for name in work.languages if name not in law.languages]:
            raise BadInput("the law is not written in every language of the text", file=path, found=", ".join(missing))
        for effect in law.effects:
            whens += [when for when in (effect.commences, effect.requires, effect.expires) if when is not None]
        system = replace(system, works={**system.works, work.name: replace(work, laws=(*work.laws, law))})
    return system, whens


def _days(base: System, drafted: System, days: Iterable[datetime.date], language: str) -> Iterator[DayChange]:
    seen: list[Any] = []
    for day in days:
        rules = [change for change in changes(base.rules(day), drafted.rules(day)) if change not in seen]
        texts = [
            (name, line)
            for name in base.works
            for line in redline(base.text(name, day, language), drafted.text(name, day, language)).lines
            if line not in seen
        ]
        seen += [*rules, *(line for _, line in texts)]
        if rules or texts:
            yield DayChange(day, tuple(rules), tuple(texts))
