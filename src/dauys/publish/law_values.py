"""How do the pages of the law show a value, an event, a subject? Each with what people call it in every language."""

from __future__ import annotations

from itertools import groupby

from dauys.law.majority import Plurality, parse
from dauys.law.rules import Value
from dauys.law.snapshot import plain
from dauys.law.system import RuleChange
from dauys.publish.law_source import PackLaw
from dauys.publish.twins import Model


def value(law: PackLaw, one: Value) -> Model:
    """A value with unit, citation, status, and the fact that started it. `words`: what a text or a list says, named."""
    facts = law.system.facts
    begins = one.since.resolve(facts)
    fact = one.since.deciding(facts)
    waits_for = fact.event if fact else next(iter(one.since.missing(facts)), None)
    majority = None
    if one.unit == "majority" and isinstance(one.value, str) and not isinstance(read := parse(one.value), Plurality):
        majority = {"share": str(read.share), "strict": read.strict, "of": read.of, "floor": read.floor}
    return {
        "value": plain(one.value),
        "words": _words(law, one),
        "unit": one.unit,
        "majority": majority,
        "cite": one.cite,
        "status": one.status,
        "formula": one.formula.text if one.formula else None,
        "note": one.note,
        "source": one.source,
        "since": None if begins is None else begins.isoformat(),
        "when": one.since.to_json(),
        "event": None if waits_for is None else event(law, waits_for, fact.source if fact else None),
    }


def _words(law: PackLaw, one: Value) -> list[Model] | None:
    """The words of a text or a list in every language; None of any other value."""
    said = (one.value,) if one.unit == "text" else one.value if one.unit == "list" else None
    if not isinstance(said, tuple):
        return None
    return [dict(law.words.get(str(word), {"en": word})) for word in said if word is not None]


def by_subject(law: PackLaw, rows: list[Model]) -> list[Model]:
    """Rows with a `key` in groups by the first part of the key, in its order."""

    def name(row: Model) -> str:
        return str(row["key"]).partition(".")[0]

    groups = groupby(sorted(rows, key=name), key=name)
    return [subject(law, one) | {"rules": list(members)} for one, members in groups]


def subject(law: PackLaw, key: str) -> Model:
    name = key.partition(".")[0]
    return {"subject": name, "names": dict(law.subjects.get(name, {"en": name.replace("_", " ")}))}


def event(law: PackLaw, name: str, source: str | None) -> Model:
    """An event as people call it, and who says that it happened."""
    fact = law.system.facts.get(name)
    recorded = law.recorded(name)
    return {
        "event": name,
        "names": dict(law.events.get(name, {"en": name})),
        "at": fact.at.isoformat() if fact else None,
        "source": source if source is not None else fact.source if fact else None,
        "note": fact.note if fact else "",
        "record": None if recorded is None else {"poll": recorded.poll, "entry": recorded.entry},
    }


def causes(law: PackLaw, change: RuleChange) -> list[Model]:
    """What started a change of a rule."""
    return [
        event(law, cause.event, cause.source) | {"at": None if cause.day is None else cause.day.isoformat()}
        for cause in change.causes
    ]
