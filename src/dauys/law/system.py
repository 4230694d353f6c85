"""What is the law of a jurisdiction on a day, and what changes between two days, with causes? Texts and rules as one.

    system = load_system("kz")
    system.rules(day)                       Snapshot: every rule
    system.text("constitution", day, "ru")  Work: the text
    system.changes(day1, day2)              what differs, rule by rule and provision by provision, each with its causes
    system.without("referendum-2022.published").rules(day)      the law, had this never happened

A System is a value: pack, facts, rules, texts, areas. Nothing of a day is stored; days that were asked for are remembered.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from dauys.errors import BadInput, DauysError
from dauys.law.consolidate import live
from dauys.law.effects import Effect
from dauys.law.facts import Fact, Facts, load_facts
from dauys.law.formula import AREAS
from dauys.law.packs import load_pack, pack_folder
from dauys.law.redline import Line, redline
from dauys.law.rulebook import load_book
from dauys.law.rules import Book, Value
from dauys.law.snapshot import LawNotLoaded, Snapshot, changes, rules_on
from dauys.law.tables import read_table
from dauys.law.texts import Text, load_text, text_names
from dauys.law.works import Work, within

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Area:
    """How long a territory exists: both days inclusive, None where there is no such end."""

    code: str
    since: datetime.date | None = None
    until: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something changes: an event (or `areas`), its day, and who says so."""

    event: str
    day: datetime.date | None
    source: str

    def to_json(self) -> dict[str, str | None]:
        """`{"event", "day", "source"}`."""
        return {"event": self.event, "day": None if self.day is None else self.day.isoformat(), "source": self.source}


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that differs: `before` or `after` is None where the law is not loaded."""

    key: str
    before: Value | None
    after: Value | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class TextChange:
    """A provision of a work that differs, with the effects that begin or end between the two days and touch it."""

    work: str
    line: Line
    effects: tuple[Effect, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two days. `missing`: texts that cannot be compared, because one of the days has no law here."""

    before: datetime.date
    after: datetime.date
    rules: tuple[RuleChange, ...]
    texts: tuple[TextChange, ...]
    missing: tuple[LawNotLoaded, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """The law of a jurisdiction under facts: rules, texts by name, and the territories that formulas count."""

    pack: str
    facts: Facts
    book: Book
    works: Mapping[str, Text]
    areas: tuple[Area, ...] = ()

    def rules(self, day: datetime.date) -> Snapshot:
        """Every rule as it stands on a day; raises `BadInput` where values contradict each other."""
        return _rules(self, day)

    def work(self, name: str) -> Text:
        """A work by its name; raises `DauysError`."""
        if name not in self.works:
            raise DauysError(f"there is no text {self.pack}/{name}; there are: {', '.join(self.works) or 'none'}")
        return self.works[name]

    def text(self, work: str, day: datetime.date, language: str = "en") -> Work:
        """The text of a day; raises `LawNotLoaded`, or `DauysError` for an unknown work or language."""
        return _text(self, work, day, language)

    def counts(self, day: datetime.date) -> dict[str, int]:
        """What formulas call `areas.NAME`: the territories that exist on a day."""
        return {"territories": sum(_exists(area, day) for area in self.areas)}

    def days(self) -> list[datetime.date]:
        """Every day on which a rule or a text changes, the first of each included, in order."""
        return list(_days(self))

    def value_since(self, key: str, day: datetime.date) -> datetime.date | None:
        """The day from which a rule has had, without a break, the value of `day`; None where it has none.

        A formula's value is often younger than its formula.
        """
        value = self.rules(day).values.get(key)
        earlier = (one for one in reversed(_days(self)) if one <= day)
        return (
            None if value is None else next((d for d in earlier if self.rules(d - DAY).values.get(key) != value), None)
        )

    def changes(self, before: datetime.date, after: datetime.date, language: str | None = None) -> Changes:
        """What differs between two days, texts in `language` (each work's first where None).

        Raises `BadInput` where the days are not in order, `DauysError` where a work does not exist in the language.
        """
        if before > after:
            raise BadInput("the days are not in order", found=f"{before}, {after}", expected="the earlier one first")
        return _changes(self, before, after, language)

    def without(self, event: str) -> System:
        """The same law, had this event never happened."""
        return replace(self, facts=self.facts.without(event))

    def with_(self, fact: Fact) -> System:
        """The same law and one more fact; raises `BadInput` where its event has another day already."""
        return replace(self, facts=self.facts.with_(fact))


def load_system(pack: str, facts: Facts | None = None) -> System:
    """The law of a pack, under its own facts or those given; raises `DauysError`. Read once in the life of a program."""
    system = _load(pack)
    return system if facts is None else replace(system, facts=facts)


@cache
def _load(pack: str) -> System:
    folder = pack_folder(pack)
    if not (folder / "parameters").is_dir() or not (folder / "facts.yaml").exists():
        raise DauysError(f"the pack {pack!r} has no law as data: no parameters, or no facts")
    facts = load_facts(pack)
    works = {name: load_text(pack, name) for name in text_names(pack)}
    return System(pack, facts, load_book(pack, facts), works, _areas(pack))


def _areas(pack: str) -> tuple[Area, ...]:
    """The territories at the top of the pack's table; a territory with two names in its life has two rows."""
    known = ("code", "kind", "parent", "since", "until")
    others = ("timezone", "weight", "classifier", "separated_from", "name_kk", "name_ru", "name_en")
    rows = read_table(load_pack(pack).areas, ("code",), (*known[1:], *others))
    return tuple(Area(row.text("code"), row.date("since"), row.date("until")) for row in rows if "parent" not in row)


def _exists(area: Area, day: datetime.date) -> bool:
    return (area.since is None or area.since <= day) and (area.until is None or day <= area.until)


@lru_cache(maxsize=128)
def _rules(system: System, day: datetime.date) -> Snapshot:
    """Between two turns nothing changes: the rules of the first day are those of the others."""
    turns = _turns(system)
    place = bisect_right(turns, day)
    if not place or turns[place - 1] == day:
        return rules_on(system.book, day, system.facts, system.counts(day))
    try:
        return replace(_rules(system, turns[place - 1]), day=day)
    except BadInput:  # it names the day that was asked for
        return rules_on(system.book, day, system.facts, system.counts(day))


@lru_cache(maxsize=32)
def _turns(system: System) -> tuple[datetime.date, ...]:
    """The days on which a rule may change, in order."""
    days = set(system.book.change_days(system.facts))
    for area in system.areas:
        days |= {day for day in (area.since, area.until and area.until + DAY) if day is not None}
    return tuple(sorted(days))


@lru_cache(maxsize=128)
def _text(system: System, work: str, day: datetime.date, language: str) -> Work:
    return system.work(work).on(day, system.facts, language)


@lru_cache(maxsize=32)
def _days(system: System) -> tuple[datetime.date, ...]:
    texts: set[datetime.date] = set()
    for text in system.works.values():
        texts |= _text_days(text, system.facts)
    return tuple(
        day
        for day in sorted(texts.union(_turns(system)))
        if (day in texts and _texts_differ(system, day)) or system.rules(day - DAY) != system.rules(day)
    )


def _text_days(text: Text, facts: Facts) -> set[datetime.date]:
    days = {work.day for work in text.before.values()}
    days |= {day for e in text.effects for day in (e.start(facts), e.end(facts)) if day is not None}
    end = text.ends.resolve(facts) if text.ends else None
    return days | ({end} if end else set())


def _texts_differ(system: System, day: datetime.date) -> bool:
    return any(
        _provisions(system, name, day - DAY, language) != _provisions(system, name, day, language)
        for name, text in system.works.items()
        for language in text.languages
    )


def _provisions(system: System, name: str, day: datetime.date, language: str) -> object:
    try:
        return system.text(name, day, language).provisions
    except LawNotLoaded:
        return None


@lru_cache(maxsize=64)
def _changes(system: System, before: datetime.date, after: datetime.date, language: str | None) -> Changes:
    rules = tuple(
        RuleChange(change.key, change.before, change.after, tuple(_causes(system, change.key, before, after)))
        for change in changes(system.rules(before), system.rules(after))
    )
    texts: list[TextChange] = []
    missing: list[LawNotLoaded] = []
    for text in system.works.values():
        try:
            texts += _text_changes(system, text, before, after, language or text.languages[0])
        except LawNotLoaded as error:
            missing.append(error)
    return Changes(before, after, rules, tuple(texts), tuple(missing))


def _causes(system: System, key: str, before: datetime.date, after: datetime.date) -> Iterator[Cause]:
    """What happened to a rule: its own event; or what happened to those that its formula reads."""
    was, now = system.rules(before).explain(key).live, system.rules(after).explain(key).live
    if now is None:
        when, cite = system.book.ends, system.book.ends_cite
        fact = when.deciding(system.facts) if when else None
        yield Cause(fact.event, fact.at, fact.source) if fact else Cause("", None, cite)
        return
    if now.formula is None or was is None or was.since != now.since:
        fact = now.since.deciding(system.facts)
        begins = now.since.resolve(system.facts)
        yield Cause(fact.event, begins, fact.source) if fact else Cause("", begins, now.cite)
        return
    seen: set[Cause] = set()
    for name in now.formula.names:
        if name.startswith(AREAS):
            found = list(_area_causes(system, before, after))
        elif system.rules(before).get(name) != system.rules(after).get(name):
            found = list(_causes(system, name, before, after))
        else:
            continue
        for cause in found:
            if cause not in seen:
                seen.add(cause)
                yield cause


def _area_causes(system: System, before: datetime.date, after: datetime.date) -> Iterator[Cause]:
    """The territories that begin or end between two days, by day; another name for a territory is neither."""
    then, now = ({area.code for area in system.areas if _exists(area, day)} for day in (before, after))
    days: dict[datetime.date, list[str]] = {}
    for area in system.areas:
        if area.code in now - then and area.since:
            days.setdefault(area.since, []).append(area.code)
        if area.code in then - now and area.until:
            days.setdefault(area.until + DAY, []).append(area.code)
    for day, codes in sorted(days.items()):
        yield Cause("areas", day, f"table of areas: {', '.join(sorted(set(codes)))}")


def _text_changes(
    system: System, text: Text, before: datetime.date, after: datetime.date, language: str
) -> Iterator[TextChange]:
    was, now = (system.text(text.name, day, language) for day in (before, after))
    base = text.before[language]
    then, later = (live(base, text.effects, day, system.facts) for day in (before, after))
    effects = [effect for effect in later if effect not in then]
    ended = [effect for effect in then if effect not in later]
    for line in redline(was, now).lines:
        concerned = tuple(effect for effect in (*effects, *ended) if _touches(effect, line.id))
        found = dict.fromkeys(_cause_of(effect, system.facts) for effect in concerned)
        yield TextChange(text.name, line, concerned, tuple(found))


def _touches(effect: Effect, key: str) -> bool:
    return any(within(key, touched) for touched in effect.touches())


def _cause_of(effect: Effect, facts: Facts) -> Cause:
    """The event that an effect waited for longest."""
    day = effect.start(facts)
    whens = [when for when in (effect.commences, effect.requires) if when is not None]
    deciding = [fact for when in whens if (fact := when.deciding(facts)) is not None]
    if not deciding:
        return Cause("", day, effect.cite)
    fact = max(deciding, key=lambda fact: fact.at)
    return Cause(fact.event, day, fact.source)
