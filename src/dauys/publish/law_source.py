"""What do the pages of the law ask? A pack's law with what people call its parts, and what moved each provision.

`jurisdictions/<pack>/names.yaml`: {subjects: {senate: {kk, ru, en}}, events: {referendum-2022.published: {kk, ru, en}}}.
Nothing in a pack changes while the site runs, so every answer is computed once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

from dauys.errors import DauysError
from dauys.law.consolidate import days_of_change, live, replay
from dauys.law.effects import AmendingLaw, Effect
from dauys.law.files import read_yaml
from dauys.law.packs import load_pack, pack_folder, pack_names
from dauys.law.redline import Line, redline
from dauys.law.snapshot import Snapshot
from dauys.law.system import Changes, System, load_system

DAY = timedelta(days=1)
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Moved:
    """What one effect did to one provision on `day`."""

    day: date
    effect: Effect
    line: Line


@dataclass(frozen=True, slots=True, eq=False)
class PackLaw:
    """The law of a pack. `names`, `subjects` and `events` are what people call them; `days` are its days of change."""

    names: Labels
    system: System
    days: tuple[date, ...]
    subjects: Mapping[str, Labels]
    events: Mapping[str, Labels]

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
    system = load_system(name)
    return PackLaw(
        load_pack(name).names, system, tuple(system.days()), called.get("subjects", {}), called.get("events", {})
    )


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
