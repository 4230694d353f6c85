"""What does the law say on a day? The text before, and the live effects replayed on it, each from its own start.

    work = consolidate(base, effects, date(2023, 1, 1), facts)
    prospects(base, effects, day, facts)                what is enacted and begins later, beside the text of the day
    history(base, effects, facts, "art_50__para_2")     what changed a provision, and what will
    caused(base, effects, day, facts, "art_50__para_2") which effect put which words there

Nothing is stored: a day is a replay, so a fact that is removed takes all its consequences with it. Every replay fails
closed: a target that does not exist, words that stand in another number of places, a number already given are errors
that name effect, file and line. No effect changes anything outside its target.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise

from dauys.errors import BadInput
from dauys.law.citations import resolve
from dauys.law.effects import ALL, WORD_OPS, Effect, Payload, words_pattern
from dauys.law.facts import Facts
from dauys.law.redline import redline, words_changed
from dauys.law.works import ID, Draft, Provision, Work, id_step, number_order, within


@dataclass(frozen=True, slots=True)
class Change:
    """One effect on one provision: `day` is None while its start has not come; then `after` equals `before`."""

    day: date | None
    effect: Effect | None
    before: Provision | None
    after: Provision | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Words that stand together, and the effect that put them there; None for those of the text before."""

    text: str
    effect: Effect | None


def consolidate(base: Work, effects: Iterable[Effect], day: date, facts: Facts) -> Work:
    """The text of a day: the effects live on it replayed on `base`; raises `BadInput`.

    Effects that began on the day of `base` or earlier are in its text already. Several of one day are taken in the order
    of `effects`; where they touch different places that order does not matter.
    """
    if day < base.day:
        raise BadInput("the text of this day is not here", found=day, expected=f"a day from {base.day} on")
    return _replayed(_Live(base, tuple(live(base, effects, day, facts)))).on(day)


@dataclass(frozen=True, slots=True, eq=False)
class _Live:
    """A text and the effects on it: the same where they are the same objects. To compare what they say takes too long."""

    base: Work
    effects: tuple[Effect, ...]

    def __hash__(self) -> int:
        return hash((id(self.base), *map(id, self.effects)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Live) or self.base is not other.base or len(self.effects) != len(other.effects):
            return False
        return all(one is its for one, its in zip(self.effects, other.effects, strict=True))


@lru_cache(maxsize=128)
def _replayed(text: _Live) -> Work:
    """Most days have the text of the day before."""
    return replay(text.base, text.effects)


def live(base: Work, effects: Iterable[Effect], day: date, facts: Facts) -> list[Effect]:
    """The effects to replay on `base` for the text of `day`, in the order of their starts."""
    begun = []
    for effect in effects:
        start = effect.start(facts)
        if start is None or not base.day < start <= day:
            continue
        end = effect.end(facts)
        if end is None or day < end:
            begun.append((start, effect))
    return [effect for _, effect in sorted(begun, key=lambda item: item[0])]


def replay(base: Work, effects: Sequence[Effect], day: date | None = None) -> Work:
    """The effects one after another, whatever their starts, as the text of `day` (None: of `base`); raises `BadInput`."""
    draft = Draft(base.provisions)
    for effect in effects:
        _apply(draft, base, effect)
    return replace(base, day=day or base.day, provisions=draft.provisions())


def days_of_change(base: Work, effects: Iterable[Effect], facts: Facts) -> list[date]:
    """The days on which an effect begins or ends: the only days on which the text can change."""
    days = {day for effect in effects for day in (effect.start(facts), effect.end(facts)) if day is not None}
    return sorted(day for day in days if day > base.day)


def prospects(base: Work, effects: Sequence[Effect], day: date, facts: Facts) -> list[Change]:
    """What is enacted on `day` and begins later: the provision as it reads and as it will, as official prints show both.

    Each change is made alone on the text of the day; one that needs an earlier one first is not shown. `day` of the change
    is None while nobody knows it.
    """
    work = consolidate(base, effects, day, facts)
    found = []
    for effect in effects:
        enacted = base.day if effect.requires is None else effect.requires.resolve(facts)
        start = effect.start(facts)
        if enacted is None or enacted > day or (start is not None and start <= day):
            continue
        try:
            lines = redline(work, replay(work, [effect])).lines
        except BadInput:
            continue
        found += [Change(start, effect, line.before, line.after) for line in lines]
    return found


def history(base: Work, effects: Sequence[Effect], facts: Facts, key: str) -> list[Change]:
    """What changed a provision or anything below it, in order; effects whose day has not come stand last.

    A provision that an effect adds has no `before`; one that it takes away has no `after`.
    """
    pending = [effect for effect in effects if effect.start(facts) is None]
    texts = _states(base, effects, facts)
    found = []
    for (_, _, before), (start, effect, after) in pairwise(texts):
        was, now = _tree(before, key), _tree(after, key)
        if was != now:
            found.append(Change(start, effect, was, now))
    last = _tree(texts[-1][2], key)
    concerned = (effect for effect in pending if any(within(key, t) or within(t, key) for t in effect.touches()))
    return [*found, *(Change(None, effect, last, last) for effect in concerned)]


def caused(base: Work, effects: Sequence[Effect], day: date, facts: Facts, key: str) -> list[Origin]:
    """The provision's own text of `day` in stretches, each with the effect that put it there; raises `BadInput`.

    Words that a rewording repeats from the text before keep their older origin.
    """
    origins: list[Origin] = []
    for _, effect, draft in _states(base, live(base, effects, day, facts), facts, until=day):
        text = draft.bare[key].text if key in draft.bare else ""
        origins = _carried(origins, text, effect)
    if key not in draft.bare:
        raise BadInput(f"{key} is not in the text of {day}")
    return [origin for origin in origins if origin.text]


def _states(
    base: Work, effects: Sequence[Effect], facts: Facts, until: date = date.max
) -> list[tuple[date | None, Effect | None, Draft]]:
    """The text before and after each effect in the order of starts; an expiry replays everything that is left."""
    states: list[tuple[date | None, Effect | None, Draft]] = [(None, None, Draft(base.provisions))]
    days = [day for day in days_of_change(base, effects, facts) if day <= until] or [base.day]
    known: list[Effect] = []
    for day in days:
        now = live(base, effects, day, facts)
        if now[: len(known)] != known:
            ended = next(effect for effect in known if effect not in now)
            known = [effect for effect in known if effect in now]
            states.append((day, ended, Draft(replay(base, known).provisions)))
        for effect in now[len(known) :]:
            draft = Draft(states[-1][2].provisions())
            _apply(draft, base, effect)
            states.append((day, effect, draft))
        known = now
    return states


def _tree(draft: Draft, key: str) -> Provision | None:
    return draft.tree(key) if key in draft.bare else None


def _carried(origins: list[Origin], text: str, effect: Effect | None) -> list[Origin]:
    """The origins after `effect` has made `text` of the words before it."""
    before = "".join(origin.text for origin in origins)
    if before == text:
        return origins
    carried: list[Origin] = []
    rest = list(origins)
    for kind, words in words_changed(before, text):
        if kind == "insert":
            carried.append(Origin(words, effect))
            continue
        length = len(words)
        while length:
            piece = rest.pop(0)
            taken, left = piece.text[:length], piece.text[length:]
            length -= len(taken)
            if left:
                rest.insert(0, Origin(left, piece.effect))
            if kind == "same":
                carried.append(Origin(taken, piece.effect))
    merged: list[Origin] = []
    for origin in carried:
        if merged and merged[-1].effect is origin.effect:
            origin = Origin(merged.pop().text + origin.text, origin.effect)
        merged.append(origin)
    return merged


def _apply(draft: Draft, base: Work, effect: Effect) -> None:
    words = effect.words(base.language)
    if effect.op == "add":
        _add(draft, effect, words)
        return
    target = _target(draft, base, effect)
    if effect.op in WORD_OPS:
        _words(draft, effect, words, base.language, target)
        return
    own = draft.bare[target]
    parent = draft.parent[target]
    if effect.op == "reword":
        _reword(draft, effect, own, words)
    elif effect.op == "repeal" and own.num:
        place = draft.order[parent].index(target)
        draft.take(target)
        draft.put(parent, place, replace(own, heading="", text=words.text, state="repealed"))
    elif effect.op == "repeal":
        if words.text:
            raise effect.error("leaves words in place of a part that has no number", found=words.text)
        draft.take(target)
    elif effect.op == "suspend":
        draft.bare[target] = replace(own, state="suspended")
    elif effect.op == "renumber":
        new = replace(own, num=effect.number)
        if not own.num:
            raise effect.error("gives a number to a part that has none", found=target)
        siblings = (draft.bare[child] for child in draft.order[parent])
        if id_step(new) in {id_step(sibling) for sibling in siblings}:
            raise effect.error("gives a number that another provision has", found=effect.number)
        draft.bare[target] = new
    else:
        draft.bare[target] = replace(own, heading=words.text)


def _target(draft: Draft, base: Work, effect: Effect) -> str:
    """The one provision that the effect names in the text as it stands now."""
    if effect.target == ALL:
        return ""
    if not ID.fullmatch(effect.target):
        try:
            return resolve(replace(base, provisions=draft.provisions()), effect.target)
        except BadInput as error:
            raise effect.error(f"has no single target: {error.message}", found=effect.target) from None
    if effect.target not in draft.bare:
        raise effect.error("has no target: there is no such provision on its day", found=effect.target)
    if draft.bare[effect.target].state == "repealed":
        raise effect.error("changes a provision that is repealed", found=effect.target)
    return effect.target


def _words(draft: Draft, effect: Effect, words: Payload, language: str, target: str) -> None:
    pattern = words_pattern(words.old)
    new = words.new
    if effect.op == "insert_words":
        joined = f"{words.new} {words.old}" if words.before else f"{words.old}{_gap(words.new)}{words.new}"
        new = joined
    elif effect.op == "delete_words":
        pattern = re.compile(rf" {pattern.pattern}|{pattern.pattern} ?")
    scope = draft.order[""] if not target else [target]
    ids = [key for start in scope for key in draft.walk(start)]
    ids = [key for key in ids if not any(within(key, spared) for spared in effect.excepted)]
    if unknown := [spared for spared in effect.excepted if spared not in draft.bare]:
        raise effect.error("spares a provision that does not exist", found=unknown[0])
    changed = {}
    places = 0
    for key in ids:
        text, found = pattern.subn(lambda _: new, draft.bare[key].text)
        places += found
        if found:
            changed[key] = text
    if places != effect.places(language):
        expected = f"{effect.places(language)} in {effect.target}"
        raise effect.error(f"finds its words in {places} places: {words.old!r}", found=places, expected=expected)
    for key, text in changed.items():
        draft.bare[key] = replace(draft.bare[key], text=text)


def _gap(words: str) -> str:
    return "" if words[0] in ",.;:)" else " "


def _reword(draft: Draft, effect: Effect, own: Provision, words: Payload) -> None:
    """The wording under the provision's id; what keeps its printed number keeps its permanent id."""
    printed = {id_step(draft.bare[child]): child for child in draft.order[own.id]}
    children = []
    for child in words.provisions:
        kept = printed.get(id_step(child), child.id)
        if kept != child.id and child.children:
            raise effect.error("rewords what was renumbered, with parts below it: reword the parts", found=kept)
        children.append(replace(child, id=kept))
    parent = draft.parent[own.id]
    place = draft.order[parent].index(own.id)
    draft.take(own.id)
    new = replace(own, text=words.text, state="", children=tuple(children))
    if len({child.id for child in children}) < len(children):
        raise effect.error("gives two provisions one permanent id", found=own.id)
    draft.put(parent, place, new)


def _add(draft: Draft, effect: Effect, words: Payload) -> None:
    parent = "" if effect.target == ALL else effect.target
    if parent not in draft.order:
        raise effect.error("has no target: there is no such provision on its day", found=parent)
    siblings = draft.order[parent]
    if effect.after and effect.after not in siblings:
        raise effect.error(
            "has no such place to follow", found=effect.after, expected=f"a provision under {effect.target}"
        )
    last = effect.after
    printed = {id_step(draft.bare[child]) for child in siblings}
    for provision in words.provisions:
        if id_step(provision) in printed or provision.id in draft.bare:
            raise effect.error("adds a provision that stands in the text already", found=provision.id)
        place = siblings.index(last) + 1 if last else _place(draft, siblings, provision)
        draft.put(parent, place, provision)
        last = provision.id if effect.after else ""


def _place(draft: Draft, siblings: Sequence[str], new: Provision) -> int:
    """After the last sibling of its kind with a lower number; an unnumbered part, and the first of its kind, at the end."""
    order = number_order(new.num or new.id.rpartition("_")[2])
    lower = [
        place
        for place, key in enumerate(siblings, start=1)
        if (own := draft.bare[key]).kind == new.kind and number_order(own.num or key.rpartition("_")[2]) < order
    ]
    higher = [place for place, key in enumerate(siblings) if draft.bare[key].kind == new.kind]
    if lower:
        return lower[-1]
    return higher[0] if higher else len(siblings)
