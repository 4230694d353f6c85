"""What does the concordance of a pack say: which rules does a provision state, and what may change alone?

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
      - provision: art_71__para_3__al_2
        order: {ru: [2, 1]}                                                         a language has them in another order
        says: [{number: 1/2, because: ...}, {number: 3, because: ...}]
      - provision: art_57__point_1
        says: [{rule: court.by_senate, also: [court.by_mazhilis]}]                  one number that two rules have
    words:
      - provision: art_6__para_3
        rule: natural_resources.owner                  a rule in words: what the text says at each of its values
        says: {state: {en: in state ownership, ru: ...}, people: {en: belong to the people, ru: ...}}
    texts_alone: [{provision: art_99, because: ...}]   a text that changes and no rule does
    rules_alone: [{rule: ..., because: ...}]           a rule that changes and the text held here does not

What is 0 or unknown is stated by silence.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from dauys.errors import BadInput
from dauys.law.files import LANGUAGES, Node, read_yaml
from dauys.law.formula import Formula
from dauys.law.majority import Majority, parse
from dauys.law.packs import pack_folder
from dauys.law.rules import Value
from dauys.law.snapshot import Snapshot
from dauys.law.system import System
from dauys.law.when import When, when_of
from dauys.law.works import ID


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
    also: tuple[Formula, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that the text states at this place."""
        return tuple(name for formula in (self.formula, *self.also) if formula for name in formula.names)

    def applies(self, system: System, day: datetime.date) -> bool:
        """Whether the text states it on this day."""
        begins = self.since.resolve(system.facts) if self.since else None
        ends = self.until.resolve(system.facts) if self.until else None
        return (self.since is None or (begins is not None and begins <= day)) and (ends is None or day < ends)

    def expected(self, rules: Snapshot) -> Fraction | None:
        """The number that the rules have on the day; None where there is none to state."""
        return self.number if self.formula is None else self._number(self.formula, rules)

    def differing(self, rules: Snapshot) -> Iterator[tuple[str, Fraction]]:
        """The rules of `also` that have another number on the day than the first; none where they have none to state."""
        number = self.expected(rules)
        for formula in self.also:
            other = self._number(formula, rules)
            if other is not None and other != number:
                yield formula.text, other

    def _number(self, formula: Formula, rules: Snapshot) -> Fraction | None:
        values = {name: _number(rules, name, self.words) for name in formula.names}
        known = {name: value for name, value in values.items() if value is not None}
        return Fraction(formula.evaluate(known)) or None if len(known) == len(values) else None


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a provision says at each value of a rule in words, by language; {} is silence."""

    provision: str
    rule: str
    says: Mapping[str, Mapping[str, str]]
    place: Node

    def wrong(self, value: Value, words: str, language: str) -> str | None:
        """What is wrong with the words of the provision while the rule has this value; None where nothing is."""
        said = str(value.value).lower() if isinstance(value.value, bool) else str(value.value)
        if said not in self.says:
            return f"the rule {self.rule} says {said!r}; nothing is known of what the text says then"
        for other, phrases in self.says.items():
            phrase = phrases.get(language)
            if phrase is None and phrases:
                return f"nothing is known of what the text says when the rule {self.rule} says {other!r}"
            if phrase is not None and (phrase.lower() in words.lower()) != (other == said):
                verb = "does not say" if other == said else "says"
                return f"the text {verb} {phrase!r}; the rule {self.rule} says {said!r}"
        return None


@dataclass(frozen=True, slots=True)
class Concordance:
    """The file of a pack, read."""

    work: str
    cite: str
    numbers: Mapping[str, tuple[Link, ...]]
    orders: Mapping[str, Mapping[str, tuple[int, ...]]]
    words: tuple[Phrases, ...]
    texts_alone: Mapping[str, str]
    rules_alone: Mapping[str, str]

    def links(self, provision: str, language: str) -> tuple[Link, ...]:
        """What a provision states, in the order that it has in a language."""
        links = self.numbers.get(provision, ())
        order = self.orders.get(provision, {}).get(language)
        return links if order is None else tuple(links[place - 1] for place in order)


def load_concordance(pack: str) -> Concordance | None:
    """The concordance of a pack; None where it has none. Raises `BadInput`."""
    path = pack_folder(pack) / "concordance.yaml"
    if not path.exists():
        return None
    parts = read_yaml(path).mapping(("work", "cite", "numbers"), ("words", "texts_alone", "rules_alone"))
    numbers: dict[str, tuple[Link, ...]] = {}
    orders: dict[str, dict[str, tuple[int, ...]]] = {}
    for item in parts["numbers"].items():
        said = item.mapping(("provision", "says"), ("order",))
        key = said["provision"].matching(ID.pattern, "a permanent id like art_50__para_2")
        if key in numbers:
            item.fail("this provision is listed twice", found=key, expected="each provision once")
        numbers[key] = tuple(_link(node) for node in said["says"].items())
        if "order" in said:
            orders[key] = {one.text(): _order(node, len(numbers[key])) for one, node in said["order"].entries()}
    words = tuple(map(_phrases, parts["words"].items())) if "words" in parts else ()
    alone: dict[str, dict[str, str]] = {"texts_alone": {}, "rules_alone": {}}
    for name, word in (("texts_alone", "provision"), ("rules_alone", "rule")):
        for item in parts[name].items() if name in parts else ():
            said = item.mapping((word, "because"))
            alone[name][said[word].text()] = said["because"].text()
    return Concordance(parts["work"].text(), parts["cite"].text(), numbers, orders, words, **alone)


def _phrases(node: Node) -> Phrases:
    parts = node.mapping(("provision", "rule", "says"))
    says = {
        value.text(): {name: phrase.text() for name, phrase in said.mapping(optional=LANGUAGES).items()}
        for value, said in parts["says"].entries()
    }
    key = parts["provision"].matching(ID.pattern, "a permanent id like art_50__para_2")
    return Phrases(key, parts["rule"].text(), says, parts["rule"])


def _link(node: Node) -> Link:
    if not hasattr(node.raw, "value") or isinstance(node.raw.value, str):
        return Link(_formula(node), {}, None, "", None, None, node)
    parts = node.mapping(optional=("rule", "also", "words", "number", "because", "since", "until"))
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
        tuple(map(_formula, parts["also"].items())) if "also" in parts else (),
    )


def _order(node: Node, links: int) -> tuple[int, ...]:
    places = tuple(item.integer(at_least=1, at_most=links) for item in node.items())
    if sorted(places) != list(range(1, links + 1)):
        node.fail("not an order of what is said", found=list(places), expected=f"each of 1 to {links} once")
    return places


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
