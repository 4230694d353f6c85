"""Do the text of the law and its rules say the same? Numbers on every day, and no change of one without the other.

Which rules a provision states is written in `concordance.yaml` of the pack (`dauys.law.concordance_file`). Numbers are
read in digits and in words (`dauys.law.number_words`). An exception that is not needed is reported as well.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dauys.law.citations import provisions_of
from dauys.law.concordance_file import Concordance, load_concordance
from dauys.law.coverage import Coverage, coverage
from dauys.law.number_words import stated as numbers_in
from dauys.law.snapshot import LawNotLoaded
from dauys.law.system import DAY, RuleChange, System
from dauys.law.works import Work, within


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Where text and rules differ: `where` is a provision or the key of a rule."""

    day: datetime.date | None
    where: str
    language: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """`{"day", "where", "language", "message"}`."""
        day = None if self.day is None else self.day.isoformat()
        return {"day": day, "where": self.where, "language": self.language, "message": self.message}


@dataclass(slots=True)
class Report:
    """What was compared, and what disagrees. Places are numbers in provisions, each once however many days it stands."""

    days: list[datetime.date] = field(default_factory=list)
    places: set[tuple[str, int]] = field(default_factory=set)
    ruled: set[tuple[str, int]] = field(default_factory=set)
    excepted: dict[tuple[str, int], str] = field(default_factory=dict)
    stated: set[str] = field(default_factory=set)
    worded: set[str] = field(default_factory=set)
    changes: int = 0
    text_changes: int = 0
    alone: dict[str, str] = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)
    unused: list[Disagreement] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)

    def to_json(self) -> dict[str, Any]:
        """Counts, exceptions with their reasons, disagreements."""
        return {
            "ok": not self.disagreements and not self.unused,
            "days": [day.isoformat() for day in self.days],
            "numbers": {"stated": len(self.places), "of_rules": len(self.ruled), "of_no_rule": len(self.excepted)},
            "rules": self.coverage.to_json(),
            "changes": {"rules": self.changes, "provisions": self.text_changes},
            "exceptions": [
                *({"where": f"{key} {n}", "because": why} for (key, n), why in sorted(self.excepted.items())),
                *({"where": where, "because": why} for where, why in sorted(self.alone.items())),
            ],
            "disagreements": [one.to_json() for one in (*self.disagreements, *self.unused)],
        }


def check(system: System) -> Report:
    """The whole pack on every day of change, in every language of its text; raises `DauysError` for a bad file."""
    report = Report()
    concordance = load_concordance(system.pack)
    if concordance is None:
        return report
    for links in concordance.numbers.values():
        for link in links:
            for name in link.rules:
                if name not in system.book.rules:
                    link.place.fail("there is no such rule", found=name, expected="the key of a rule")
    for phrases in concordance.words:
        if phrases.rule not in system.book.rules:
            phrases.place.fail("there is no such rule", found=phrases.rule, expected="the key of a rule")
    needed: set[object] = set()
    for day in system.days():
        texts = list(_texts(system, concordance.work, day))
        if not texts:
            continue
        report.days.append(day)
        for text in texts:
            _check_numbers(system, concordance, day, text, report, needed)
            _check_words(system, concordance, day, text, report)
        _check_changes(system, concordance, day, report, needed)
    report.unused.extend(_not_needed(concordance, needed))
    report.coverage = coverage(system, concordance, report.stated, report.worded)
    return report


def _texts(system: System, work: str, day: datetime.date) -> Iterator[Work]:
    for language in system.work(work).languages:
        try:
            yield system.text(work, day, language)
        except LawNotLoaded:
            return


def _check_numbers(
    system: System, concordance: Concordance, day: datetime.date, text: Work, report: Report, needed: set[object]
) -> None:
    rules = system.rules(day)
    for provision in text.walk():
        stated = numbers_in(provision.text, text.language)
        links = [link for link in concordance.links(provision.id, text.language) if link.applies(system, day)]
        pairs = [(link, number) for link in links if (number := link.expected(rules)) is not None]
        expected = [number for _, number in pairs]
        report.places |= {(provision.id, place) for place in range(len(stated))}
        if stated != expected:
            names = [link.formula.text if link.formula else str(link.number) for link, _ in pairs]
            said = _list(stated) or "no number"
            report.disagreements.append(
                Disagreement(
                    day,
                    provision.id,
                    text.language,
                    f"the text says {said}; the rules say {_list(expected) or 'nothing'}"
                    + (f" ({', '.join(names)})" if names else ""),
                )
            )
            continue
        for place, (link, _) in enumerate(pairs):
            needed.add(id(link))
            if link.formula is None:
                report.excepted[provision.id, place] = link.because
            else:
                report.ruled.add((provision.id, place))
                report.stated |= set(link.rules)
            for name, other in link.differing(rules):
                message = f"the text says {stated[place]}; the rule {name} says {other}"
                report.disagreements.append(Disagreement(day, provision.id, text.language, message))


def _check_words(system: System, concordance: Concordance, day: datetime.date, text: Work, report: Report) -> None:
    """On one day: what a rule in words says stands in its provision, and what it says at other times does not."""
    rules = system.rules(day)
    for phrases in concordance.words:
        value = rules.get(phrases.rule)
        if isinstance(value, LawNotLoaded):
            continue
        words = text.get(phrases.provision).text if text.has(phrases.provision) else ""
        if message := phrases.wrong(value, words, text.language):
            report.disagreements.append(Disagreement(day, phrases.provision, text.language, message))
        report.worded.add(phrases.rule)


def _check_changes(
    system: System, concordance: Concordance, day: datetime.date, report: Report, needed: set[object]
) -> None:
    """On one day: every rule that changes is cited to a provision that changes, and the reverse."""
    changes = system.changes(day - DAY, day)
    if changes.missing:
        return  # the first day and the day after the last: everything begins or ends
    changed = [change.line.id for change in changes.texts if change.work == concordance.work]
    report.text_changes += len(changed)
    cited: set[str] = set()
    for change in changes.rules:
        ids = _cited(change, concordance.cite)
        cited |= ids
        if not ids or not _says_otherwise(change):
            continue
        report.changes += 1
        if any(_related(key, one) for key in ids for one in changed):
            continue
        if change.key in concordance.rules_alone:
            needed.add(change.key)
            report.alone[change.key] = concordance.rules_alone[change.key]
            continue
        message = f"the rule changes, and no text of {', '.join(sorted(ids))} does"
        report.disagreements.append(Disagreement(day, change.key, "", message))
    for key in changed:
        if any(_related(key, one) for one in cited):
            continue
        exception = next((alone for alone in concordance.texts_alone if within(key, alone)), None)
        if exception is None:
            report.disagreements.append(Disagreement(day, key, "", "the text changes, and no rule that cites it does"))
            continue
        needed.add(exception)
        report.alone[exception] = concordance.texts_alone[exception]


def _cited(change: RuleChange, prefix: str) -> set[str]:
    return {key for value in (change.before, change.after) if value for key in provisions_of(value.cite, prefix)}


def _says_otherwise(change: RuleChange) -> bool:
    """Whether the value itself differs; one that is computed follows others, which are looked at."""
    live = change.after or change.before
    if live is None or live.formula is not None:
        return False
    return change.before is None or change.after is None or change.before.value != change.after.value


def _related(one: str, other: str) -> bool:
    return within(one, other) or within(other, one)


def _not_needed(concordance: Concordance, needed: set[object]) -> Iterator[Disagreement]:
    for key, links in concordance.numbers.items():
        for link in links:
            if id(link) not in needed:
                what = link.formula.text if link.formula else str(link.number)
                yield Disagreement(None, key, "", f"linked, and stated on no day: {what}")
    for key in (*concordance.texts_alone, *concordance.rules_alone):
        if key not in needed:
            yield Disagreement(None, key, "", "an exception that is not needed")


def _list(numbers: Sequence[Fraction]) -> str:
    return ", ".join(map(str, numbers))
