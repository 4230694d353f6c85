"""What do the pages of the law ask? A pack's law with what people call its parts, and what moved each provision.

What a poll decides is taken from its record where the site serves it: `served_law`; the pack's facts say the rest.
`jurisdictions/<pack>/names.yaml`: {subjects: {senate: {kk, ru, en}}, events: {referendum-2022.published: {kk, ru, en}}}.
`jurisdictions/<pack>/values.yaml`: {adopts: {kk, ru}}, what a value in (English) words is called in the other languages.
Nothing in a pack changes while the site runs, so every answer is computed once for what the records say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Protocol

from dauys.errors import DauysError
from dauys.law.consolidate import days_of_change, live, replay
from dauys.law.effects import AmendingLaw, Effect
from dauys.law.facts import Facts, load_facts
from dauys.law.files import read_yaml
from dauys.law.packs import load_pack, pack_folder, pack_names
from dauys.law.redline import Line, redline
from dauys.law.snapshot import Snapshot
from dauys.law.system import Changes, System, load_system
from dauys.publish.recorded_facts import Commencement, commencement
from dauys.record.entry import Entry
from dauys.registers.poll import Poll

DAY = timedelta(days=1)
Labels = Mapping[str, str]


class Records(Protocol):
    """What the pages of the law ask of the records that the site serves (a part of `publish.source.Source`)."""

    def polls(self) -> Sequence[Poll]: ...

    def milestones(self, poll_id: str) -> Sequence[tuple[int, Entry]]: ...


@dataclass(frozen=True, slots=True)
class Moved:
    """What one effect did to one provision on `day`."""

    day: date
    effect: Effect
    line: Line


@dataclass(frozen=True, slots=True, eq=False)
class PackLaw:
    """The law of a pack; `days` are its days of change. `names`, `subjects`, `events` are what people call them.

    `words`: what a text or an item of a list, which are in English, is called in every language.
    `records`: what the records of polls say of the events that those decide.
    """

    names: Labels
    system: System
    days: tuple[date, ...]
    subjects: Mapping[str, Labels]
    events: Mapping[str, Labels]
    words: Mapping[str, Labels]
    records: tuple[Commencement, ...] = ()

    def recorded(self, event: str) -> Commencement | None:
        """The record that says when an event happened; None where the pack's own facts do."""
        return next((one for one in self.records if one.event == event and one.fact), None)

    @property
    def first(self) -> date:
        """The first day of which anything is known here."""
        return self.days[0]

    @property
    def ends(self) -> date | None:
        """The first day on which nothing of this pack is law any more; None where there is none."""
        ends = self.system.book.ends
        return None if ends is None else ends.resolve(self.system.facts)

    @property
    def last(self) -> date:
        """The last day on which the pack can answer; where it has no end, the last day of change."""
        return self.days[-1] if self.ends is None else self.ends - DAY

    @property
    def laws(self) -> list[AmendingLaw]:
        """The laws that change a text of the pack."""
        return [law for text in self.system.works.values() for law in text.laws]

    def law(self, uri: str) -> AmendingLaw:
        """The law with this address."""
        return next(law for law in self.laws if law.uri == uri)

    def loaded(self, day: date) -> bool:
        """Whether the pack has law on a day."""
        return self.first <= day <= self.last or (self.ends is None and day > self.last)

    def around(self, day: date) -> tuple[date | None, date | None]:
        """The last day of change before a day, and the first one after it."""
        before = (one for one in self.days if one < day)
        return max(before, default=None), min((one for one in self.days if one > day), default=None)

    def since(self, day: date) -> date:
        """The day of change whose law still stands on a day: what a day is remembered under."""
        return max((one for one in self.days if one <= day), default=day)

    def rules(self, day: date) -> Snapshot:
        """The rules of a day."""
        return self.system.rules(self.since(day))

    def starts(self, law: AmendingLaw) -> list[date]:
        """The days on which parts of a law take effect."""
        return sorted({day for effect in law.effects if (day := effect.start(self.system.facts)) is not None})

    def changes(self, day: date) -> Changes:
        """What changes on a day."""
        return self.system.changes(day - DAY, day)

    def moved(self, work: str, language: str) -> Mapping[str, list[Moved]]:
        """Every provision that ever changed, and what changed it, one effect at a time."""
        return _moved(self, work, language)


@cache
def law_packs() -> tuple[str, ...]:
    """The packs that have law as data."""
    return tuple(name for name in pack_names() if (pack_folder(name) / "parameters").is_dir())


@cache
def pack_law(name: str) -> PackLaw:
    """The law of a pack; raises `DauysError` where there is none."""
    if name not in law_packs():
        raise DauysError(f"there is no law of {name!r}; there is that of: {', '.join(law_packs())}")
    path = pack_folder(name) / "names.yaml"
    names = read_yaml(path).mapping(optional=("subjects", "events")) if path.exists() else {}
    called = {part: {key.text(): labels.labels() for key, labels in node.entries()} for part, node in names.items()}
    path = pack_folder(name) / "values.yaml"
    words = {
        key.text(): {lang: said.text() for lang, said in node.mapping(("kk", "ru")).items()} | {"en": key.text()}
        for key, node in (read_yaml(path).entries() if path.exists() else ())
    }
    system = load_system(name)
    subjects, events = (called.get(part, {}) for part in ("subjects", "events"))
    return PackLaw(load_pack(name).names, system, tuple(system.days()), subjects, events, words)


def served_law(name: str, source: Records) -> PackLaw:
    """The law of a pack, where its own polls that the site serves decide by their records what they set off.

    A poll of another name, a drill with the pack's rules, decides nothing.
    """
    law = pack_law(name)
    found = [
        commencement(poll, source.milestones(poll.id))
        for poll in source.polls()
        if poll.publishes is not None and poll.id.partition("/")[0] == name
    ]
    records = tuple(one for one in found if one is not None)
    return _under(name, records) if records else law


@lru_cache(maxsize=16)
def _under(name: str, records: tuple[Commencement, ...]) -> PackLaw:
    """One object for the same records: what is remembered of a law (`_moved`) is remembered by object."""
    decided = frozenset(one.event for one in records)
    facts = Facts(tuple(one.fact for one in records if one.fact is not None))
    system = load_system(name, load_facts(name).from_record(decided, facts))
    return replace(pack_law(name), system=system, days=tuple(system.days()), records=records)


@lru_cache(maxsize=32)
def _moved(law: PackLaw, work: str, language: str) -> Mapping[str, list[Moved]]:
    text, facts = law.system.work(work), law.system.facts
    first = now = text.before[language]
    known: list[Effect] = []
    found: dict[str, list[Moved]] = defaultdict(list)
    for day in days_of_change(first, text.effects, facts):
        effects = live(first, text.effects, day, facts)
        ended = next((effect for effect in known if effect not in effects), None)
        # where one has ended, what is left is replayed from the beginning
        steps = [(ended, first, effects)] if ended else [(effect, None, [effect]) for effect in effects[len(known) :]]
        for effect, base, several in steps:
            after = replay(base or now, several)
            for line in redline(now, after).lines:
                found[line.id].append(Moved(day, effect, line))
            now = after
        known = effects
    return found
