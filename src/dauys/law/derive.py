"""Which effects make one version of a text of another? And which of them does no known amendment explain?

    effects = derive(before, after, When(day=date(2023, 1, 1)))
    replay(before, effects).provisions == after.provisions        always, character by character
    unexplained(effects, targets)                                 what remains to be accounted for by a person

The instructions of an amending law that is not at hand are reconstructed so, and marked `reconstructed`. A difference
in spaces and case only is a `corrigendum`: the print changed, the law did not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import count as numbers
from types import MappingProxyType

from dauys.errors import BadInput, DauysError
from dauys.law.consolidate import replay
from dauys.law.effects import ALL, Effect, Payload, same_but_print, words_pattern
from dauys.law.redline import TOKEN, words_changed
from dauys.law.when import When
from dauys.law.works import Provision, Work, within


def derive(before: Work, after: Work, commences: When, law: str = "") -> list[Effect]:
    """The effects that make `after` of `before`, in reading order; raises `BadInput` where no operation says a difference.

    Words are replaced where words differ, with as much around them as makes the place the only one; a provision is
    reworded where nothing smaller will do.
    """
    if (before.uri, before.language) != (after.uri, after.language):
        raise BadInput("versions of different works or languages", found=after.uri, expected=before.uri)
    maker = _Maker(before, commences, law)
    try:
        effects = list(maker.below("", before.provisions, after.provisions))
    except _Unsayable:
        effects = None
    if effects is None or replay(before, effects).provisions != after.provisions:
        raise BadInput("the difference cannot be said in effects", found=f"{before.day} to {after.day}")
    return effects


def unexplained(effects: Sequence[Effect], explained: Collection[str]) -> list[Effect]:
    """The effects on places that no known amendment names, and every corrigendum: no law explains a slip."""
    return [
        effect
        for effect in effects
        if effect.op == "corrigendum"
        or not all(any(within(place, known) for known in explained) for place in effect.touches())
    ]


class _Maker:
    def __init__(self, base: Work, commences: When, law: str) -> None:
        self.base = base
        self.commences = commences
        self.law = law
        self.numbers = numbers(1)

    def below(self, parent: str, before: Sequence[Provision], after: Sequence[Provision]) -> Iterator[Effect]:
        """The effects on the children of one provision, those taken away first."""
        was = {child.id: child for child in before}
        now = {child.id: child for child in after}
        for child in before:
            if child.id not in now:
                if child.num:
                    raise _Unsayable
                yield self.effect("repeal", child.id)
        if [key for key in was if key in now] != [key for key in now if key in was]:
            raise _Unsayable
        last = ""
        for child in after:
            if child.id in was:
                yield from self.of(was[child.id], child)
            else:
                yield self.effect("add", parent or ALL, Payload(provisions=(child,)), after=last)
            last = child.id

    def of(self, before: Provision, after: Provision) -> list[Effect]:
        """The effects on one provision: the small ones where they do, else the whole provision reworded."""
        if before == after:
            return []
        try:
            effects = list(self.small(before, after))
            if self.done(before, effects) == after:
                return effects
        except (_Unsayable, DauysError):
            pass
        effects = [self.effect("reword", before.id, Payload(text=after.text, provisions=after.children))]
        effects += [self.effect("retitle", before.id, Payload(text=after.heading))] * (before.heading != after.heading)
        effects += [self.effect("renumber", before.id, number=after.num)] * (before.num != after.num)
        if self.done(before, effects) != after:
            raise BadInput("the difference cannot be said in effects", found=before.id)
        return effects

    def small(self, before: Provision, after: Provision) -> Iterator[Effect]:
        if after.state == "repealed" and before.num == after.num and not after.children:
            yield self.effect("repeal", before.id, Payload(text=after.text) if after.text else None)
            return
        now = before
        if after.text != before.text:
            for words in self.words(before, after):
                yield words
                now = self.done(now, [words])
        yield from self.below(before.id, now.children, after.children)
        if after.heading != before.heading:
            yield self.effect("retitle", before.id, Payload(text=after.heading))
        if after.state == "suspended" != before.state:
            yield self.effect("suspend", before.id)
        if after.num != before.num:
            yield self.effect("renumber", before.id, number=after.num)

    def words(self, before: Provision, after: Provision) -> Iterator[Effect]:
        """Each difference of the provision's own text, with the least context that makes its words the only ones."""
        others = [provision.text for provision in before.walk()][1:]
        done, rest = "", before.text
        changes = list(words_changed(before.text, after.text))
        while changes:
            kind, words = changes.pop(0)
            if kind == "same":
                done, rest = done + words, rest[len(words) :]
                continue
            old = words if kind == "delete" else ""
            new = words if kind == "insert" else ""
            if old and changes and changes[0][0] == "insert":
                new = changes.pop(0)[1]
            rest = rest[len(old) :]
            found = _widened(done, old, new, rest, others)
            if found is None:
                raise _Unsayable
            op = "corrigendum" if same_but_print(found.old, found.new) else "replace_words"
            yield self.effect(op, before.id, found)
            done += new

    def done(self, provision: Provision, effects: Sequence[Effect]) -> Provision:
        """The provision after the effects, alone in a work."""
        if not effects:
            return provision
        alone = _Alone(self.base, provision)
        return alone.after(effects)

    def effect(
        self, op: str, target: str, payload: Payload | None = None, *, after: str = "", number: str = ""
    ) -> Effect:
        words = {} if payload is None else {self.base.language: payload}
        return Effect(
            id=f"d{next(self.numbers)}",
            op=op,
            target=target,
            payload=MappingProxyType(words),
            commences=self.commences,
            after=after,
            number=number,
            law=self.law,
        )


class _Unsayable(Exception):
    """The small operations do not say this difference."""


class _Alone:
    """One provision and what is above it, without its neighbours: enough for its effects, and quick."""

    def __init__(self, base: Work, provision: Provision) -> None:
        steps = provision.id.split("__")
        self.depth = len(steps)
        tree = provision
        for length in range(len(steps) - 1, 0, -1):
            tree = Provision("__".join(steps[:length]), children=(tree,))
        self.work = replace(base, provisions=(tree,))

    def after(self, effects: Sequence[Effect]) -> Provision:
        tree = replay(self.work, effects).provisions[0]
        for _ in range(self.depth - 1):
            tree = tree.children[0]
        return tree


def _widened(done: str, old: str, new: str, rest: str, others: Sequence[str]) -> Payload | None:
    """The words with as many of their neighbours as make the place the only one; None where none will do."""
    left, right = TOKEN.findall(done), TOKEN.findall(rest)
    text = done + old + rest
    before = after = ""
    while True:
        candidate = before + old + after
        if candidate.strip() and (before + new + after).strip() and candidate == candidate.strip():
            pattern = words_pattern(candidate)
            if sum(len(pattern.findall(place)) for place in (text, *others)) == 1:
                return Payload(candidate, before + new + after)
        if not left and not right:
            return None
        if left and (len(before) <= len(after) or not right):
            before = left.pop() + before
        else:
            after += right.pop(0)
