"""What differs between two texts? Word by word, provision by provision, and nothing is lost.

lines = redline(before, after)
apply(lines, before) == after
columns(lines)      rows of (before, change, after): the comparative table that a Kazakh draft comes with
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache

from dauys.errors import BadInput
from dauys.law.works import Draft, Provision, Work, reading_order

TOKEN = re.compile(r"\w+|\s|[^\w\s]")
"""What a difference is made of: words, spaces, single marks."""
Words = tuple[tuple[str, str], ...]
"""Stretches of text in order: ("same" | "delete" | "insert", words)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A provision that differs: what it says by itself before and after (None where it does not exist), and its words."""

    id: str
    before: Provision | None
    after: Provision | None
    words: Words

    @property
    def change(self) -> str:
        """`added`, `removed`, `repealed`, `suspended`, `renumbered`, `retitled` or `reworded`: the strongest that holds."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        if self.after.state and self.after.state != self.before.state:
            return self.after.state
        if self.after.text != self.before.text or self.after.state != self.before.state:
            return "reworded"
        return "renumbered" if self.after.num != self.before.num else "retitled"


@dataclass(frozen=True, slots=True)
class Head:
    """What a text says about itself."""

    title: str
    rank: str
    status: str
    day: date


@dataclass(frozen=True, slots=True)
class Redline:
    """The difference between two texts of one work in one language.

    `lines` are the provisions that differ, in reading order; `order` gives the children of each provision ("" is the
    body) whose children are others than before, or stand otherwise.
    """

    uri: str
    language: str
    before: Head
    after: Head
    lines: tuple[Line, ...]
    order: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the comparative table. `before` and `after` are "" where the provision does not exist."""

    id: str
    change: str
    before: str
    words: Words
    after: str


def redline(before: Work, after: Work) -> Redline:
    """What makes `after` of `before`; raises `BadInput` where they are not texts of one work in one language."""
    if (before.uri, before.language) != (after.uri, after.language):
        raise BadInput(
            "texts of different works or languages have no redline",
            found=f"{after.uri} ({after.language})",
            expected=f"{before.uri} ({before.language})",
        )
    one, two = Draft(before.provisions), Draft(after.provisions)
    lines = []
    for key in sorted(one.bare.keys() | two.bare.keys(), key=reading_order):
        was, now = one.bare.get(key), two.bare.get(key)
        if was != now:
            lines.append(Line(key, was, now, words_changed(was.text if was else "", now.text if now else "")))
    order = {key: tuple(children) for key, children in two.order.items() if one.order.get(key, []) != children}
    return Redline(before.uri, before.language, _head(before), _head(after), tuple(lines), order)


def apply(change: Redline, work: Work) -> Work:
    """The text after; raises `BadInput` where `work` is not the text that the redline was taken from."""
    if (work.uri, work.language, _head(work)) != (change.uri, change.language, change.before):
        raise BadInput("the redline belongs to another text", found=f"{work.uri} of {work.day}")
    draft = Draft(work.provisions)
    for line in change.lines:
        if draft.bare.get(line.id) != line.before:
            raise BadInput(f"the redline belongs to another text: {line.id} differs")
        if line.after is None:
            del draft.bare[line.id]
            continue
        text = "".join(words for kind, words in line.words if kind != "delete")
        draft.bare[line.id] = replace(line.after, text=text)
    draft.order = {key: list(change.order.get(key, draft.order.get(key, ()))) for key in ("", *draft.bare)}
    head = change.after
    return replace(
        work, title=head.title, rank=head.rank, status=head.status, day=head.day, provisions=draft.provisions()
    )


def columns(change: Redline) -> list[Row]:
    """The comparative table: (before, change, after) for each provision that differs; two columns leave `words` out."""
    return [
        Row(
            line.id,
            line.change,
            line.before.text if line.before else "",
            line.words,
            line.after.text if line.after else "",
        )
        for line in change.lines
    ]


@lru_cache(maxsize=4096)  # the pages of a day compare the same texts in every language and on every reading
def words_changed(before: str, after: str) -> Words:
    """The word-level difference: `same` and `delete` joined are `before`, `same` and `insert` joined are `after`."""
    one, two = TOKEN.findall(before), TOKEN.findall(after)
    codes = SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
    stretches: list[tuple[str, str]] = []
    deleted = inserted = ""
    for place, (kind, i1, i2, j1, j2) in enumerate(codes):
        old, new = "".join(one[i1:i2]), "".join(two[j1:j2])
        if kind == "equal" and not (0 < place < len(codes) - 1 and _accident(old, deleted, inserted, codes[place + 1])):
            stretches += [*_changed(deleted, inserted), ("same", old)]
            deleted = inserted = ""
        else:
            deleted, inserted = deleted + old, inserted + new
    return (*stretches, *_changed(deleted, inserted))


def _accident(same: str, deleted: str, inserted: str, following: tuple[str, int, int, int, int]) -> bool:
    """Whether words between two changes are common by accident: "of", "the", a space; they are read with the changes."""
    _, i1, i2, j1, j2 = following
    return (
        len(same.split()) <= 1 and len(TOKEN.findall(deleted + inserted)) > 2 and max(i2 - i1, j2 - j1) > 2
    ) or same.isspace()


def _changed(deleted: str, inserted: str) -> list[tuple[str, str]]:
    return [(kind, words) for kind, words in (("delete", deleted), ("insert", inserted)) if words]


def _head(work: Work) -> Head:
    return Head(work.title, work.rank, work.status, work.day)
