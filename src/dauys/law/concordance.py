"""Do the text of the law and its rules say the same? Numbers on every day, and no change of one without the other.

`jurisdictions/<pack>/concordance.yaml` says which rules a provision states, in the order in which its text does:

    work: constitution
    cite: Const.                                       how the rules cite this work
    numbers:
      - provision: art_50__para_2
        says: [senate.elected_per_territory, senate.presidential_quota, senate.assembly_proposals]
      - provision: art_44__point_7
        says: [commission.central.term, commission.central.by_president - 1]        a formula of rules
      - provision: art_42__para_5
        says: [{rule: president.terms, words: {two in a row: 2, once: 1}}]          a rule in words
      - provision: art_61__para_5
        says: [{rule: bill.insist, until: WHEN}, {number: 4, because: a citation}]  for a time; a number of no rule
    texts_alone: [{provision: art_99, because: ...}]   a text that changes and no rule does
    rules_alone: [{rule: ..., because: ...}]           a rule that changes and the text held here does not

What is 0 or unknown is stated by silence. An exception that is not needed is reported as well.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dauys.errors import BadInput
from dauys.law.citations import parse_citation
from dauys.law.files import Node, read_yaml
from dauys.law.formula import Formula
from dauys.law.majority import Majority, parse
from dauys.law.packs import pack_folder
from dauys.law.rules import Value
from dauys.law.snapshot import LawNotLoaded, Snapshot
from dauys.law.system import DAY, RuleChange, System
from dauys.law.when import When, when_of
from dauys.law.works import ID, Work, within

NUMBER = re.compile(r"[0-9]+(?:/[0-9]+)?")
"""A number that a text states: digits, or a share in digits."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a text states at one place: a formula of rules, a rule in words, or a number of no rule (`because`)."""

    formula: Formula | None
    words: Mapping[str, int]
    number: Fraction | None
    because: str
    since: When | None
    until: When | None
    place: Node

    def applies(self, system: System, day: datetime.date) -> bool:
        """Whether the text states it on this day."""
        begins = self.since.resolve(system.facts) if self.since else None
        ends = self.until.resolve(system.facts) if self.until else None
        return (self.since is None or (begins is not None and begins <= day)) and (ends is None or day < ends)

    def expected(self, rules: Snapshot) -> Fraction | None:
        """The number that the rules have on the day; None where there is none to state."""
        if self.formula is None:
            return self.number
        values = {name: _number(rules, name, self.words) for name in self.formula.names}
        known = {name: value for name, value in values.items() if value is not None}
        return Fraction(self.formula.evaluate(known)) or None if len(known) == len(values) else None


@dataclass(frozen=True, slots=True)
class Concordance:
    """The file of a pack, read."""

    work: str
    cite: str
    numbers: Mapping[str, tuple[Link, ...]]
    texts_alone: Mapping[str, str]
    rules_alone: Mapping[str, str]


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
    changes: int = 0
    text_changes: int = 0
    alone: dict[str, str] = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)
    unused: list[Disagreement] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Counts, exceptions with their reasons, disagreements."""
        return {
            "ok": not self.disagreements and not self.unused,
            "days": [day.isoformat() for day in self.days],
            "numbers": {"stated": len(self.places), "of_rules": len(self.ruled), "of_no_rule": len(self.excepted)},
            "rules_stated": sorted(self.stated),
            "changes": {"rules": self.changes, "provisions": self.text_changes},
            "exceptions": [
                *({"where": f"{key} {n}", "because": why} for (key, n), why in sorted(self.excepted.items())),
                *({"where": where, "because": why} for where, why in sorted(self.alone.items())),
            ],
            "disagreements": [one.to_json() for one in (*self.disagreements, *self.unused)],
        }


def load_concordance(pack: str) -> Concordance | None:
    """The concordance of a pack; None where it has none. Raises `BadInput`."""
    path = pack_folder(pack) / "concordance.yaml"
    if not path.exists():
        return None
    parts = read_yaml(path).mapping(("work", "cite", "numbers"), ("texts_alone", "rules_alone"))
    numbers: dict[str, tuple[Link, ...]] = {}
    for item in parts["numbers"].items():
        said = item.mapping(("provision", "says"))
        key = said["provision"].matching(ID.pattern, "a permanent id like art_50__para_2")
        if key in numbers:
            item.fail("this provision is listed twice", found=key, expected="each provision once")
        numbers[key] = tuple(_link(node) for node in said["says"].items())
    alone: dict[str, dict[str, str]] = {"texts_alone": {}, "rules_alone": {}}
    for name, word in (("texts_alone", "provision"), ("rules_alone", "rule")):
        for item in parts[name].items() if name in parts else ():
            said = item.mapping((word, "because"))
            alone[name][said[word].text()] = said["because"].text()
    return Concordance(parts["work"].text(), parts["cite"].text(), numbers, **alone)


def check(system: System) -> Report:
    """The whole pack on every day of change, in every language of its text; raises `DauysError` for a bad file."""
    report = Report()
    concordance = load_concordance(system.pack)
    if concordance is None:
        return report
    for links in concordance.numbers.values():
        for link in links:
            for name in link.formula.names if link.formula else ():
                if name not in system.book.rules:
                    link.place.fail("there is no such rule", found=name, expected="the key of a rule")
    needed: set[object] = set()
    for day in system.days():
        texts = list(_texts(system, concordance.work, day))
        if not texts:
            continue
        report.days.append(day)
        for text in texts:
            _check_numbers(system, concordance, day, text, report, needed)
        _check_changes(system, concordance, day, report, needed)
    report.unused.extend(_not_needed(concordance, needed))
    return report


def provisions_of(cite: str, prefix: str) -> list[str]:
    """The ids that a rule's citation names in the work that `prefix` stands for: `Const. 61(4), (5); law 3` gives two."""
    found: list[str] = []
    for part in cite.split(";"):
        part = part.strip()
        if not part.startswith(prefix):
            continue
        article = ""
        for piece in re.sub(r" to (?=\()", ", ", part.removeprefix(prefix).strip()).split(","):
            piece = piece.strip()
            try:
                citation = parse_citation(f"{article}{piece}" if piece.startswith("(") else piece)
            except BadInput:
                continue  # what follows names another act
            article = citation.article
            found.append(citation.id)
            if citation.loose:
                found.append(f"art_{citation.article}__point_{citation.paragraph}")
    return found


def _link(node: Node) -> Link:
    if not hasattr(node.raw, "value") or isinstance(node.raw.value, str):
        return Link(_formula(node), {}, None, "", None, None, node)
    parts = node.mapping(optional=("rule", "words", "number", "because", "since", "until"))
    if ("rule" in parts) == ("number" in parts) or ("number" in parts) != ("because" in parts):
        node.fail("says neither a rule nor a number", expected="`rule`, or `number` with `because`")
    return Link(
        _formula(parts["rule"]) if "rule" in parts else None,
        {key.text(): value.integer() for key, value in parts["words"].entries()} if "words" in parts else {},
        Fraction(parts["number"].matching(r"[0-9]+(?:/[1-9][0-9]*)?", "a number or a share"))
        if "number" in parts
        else None,
        parts["because"].text() if "because" in parts else "",
        when_of(parts["since"]) if "since" in parts else None,
        when_of(parts["until"]) if "until" in parts else None,
        node,
    )


def _formula(node: Node) -> Formula:
    try:
        return Formula.parse(node.text())
    except BadInput as error:
        node.fail(error.message, found=error.found, expected=error.expected)


def _number(rules: Snapshot, name: str, words: Mapping[str, int]) -> int | Fraction | None:
    """A rule as a number: itself, the share of a majority, what its words stand for."""
    value = rules.values.get(name)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | Fraction):
        return value
    if isinstance(value, str) and value in words:
        return words[value]
    live = rules.get(name)
    if isinstance(value, str) and isinstance(live, Value) and live.unit == "majority":
        majority = parse(value)
        return majority.share if isinstance(majority, Majority) else None
    return None


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
        stated = [Fraction(number) for number in NUMBER.findall(provision.text)]
        links = [link for link in concordance.numbers.get(provision.id, ()) if link.applies(system, day)]
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
                report.stated |= set(link.formula.names)


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
