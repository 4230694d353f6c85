"""Which rules does the text held here not check? Every rule of a pack in one group, by how far text and rule are compared.

stated       a text states its number, and both are compared on every day
computed     it follows from other rules; where those are stated, so is it
worded       it is no number, and what its provision says at each of its values is compared on every day
words        it is no number: that it changes when its provision does is compared, what it says is not
unstated     a number whose provision is held here in our words, and the words leave the number out
elsewhere    it cites another act, or a provision that is not held
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields

from dauys.law.citations import provisions_of
from dauys.law.concordance_file import Concordance
from dauys.law.rules import Rule
from dauys.law.system import System
from dauys.law.texts import Text
from dauys.law.unit import NUMERIC


@dataclass(frozen=True, slots=True)
class Coverage:
    """The keys of the rules in each group."""

    stated: list[str] = field(default_factory=list)
    computed: list[str] = field(default_factory=list)
    worded: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    unstated: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, list[str]]:
        """The members by name."""
        return {group.name: getattr(self, group.name) for group in fields(self)}


def coverage(system: System, concordance: Concordance, stated: Collection[str], worded: Collection[str]) -> Coverage:
    """Every rule of the pack in its group; `stated` and `worded` are those that a check compared with a text."""
    held = set(_held(system.work(concordance.work)))
    found = Coverage()
    for key, rule in sorted(system.book.rules.items()):
        cited = (one for value in rule.values for one in provisions_of(value.cite, concordance.cite))
        compared = "stated" if key in stated else "worded" if key in worded else None
        group = compared or (_group(rule) if held.intersection(cited) else "elsewhere")
        getattr(found, group).append(key)
    return found


def _held(text: Text) -> Iterator[str]:
    """The provisions that the text has on any day."""
    for before in text.before.values():
        yield from before.ids()
    for effect in text.effects:
        for words in effect.payload.values():
            yield from (one.id for provision in words.provisions for one in provision.walk())


def _group(rule: Rule) -> str:
    if rule.unit not in (*NUMERIC, "majority"):
        return "words"
    return "computed" if all(value.formula for value in rule.values if value.status != "unknown") else "unstated"
