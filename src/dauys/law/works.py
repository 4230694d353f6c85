"""What does a work say? A text as a tree of provisions whose ids outlive every renumbering.

    work.get("art_50__para_2").text
    resolve(work, parse_citation("Article 50(2)"))  ->  "art_50__para_2"      (law/citations.py)

An id names a provision by the numbers it was born with (`art_83-1`, `art_44__point_10-1`, `art_42__para_5__al_2`: the
second, unnumbered part of paragraph 5). `num` is the number printed today; `eid` is the id that today's numbers would
give (eId and wId of Akoma Ntoso). The first part of a provision is its own `text`; what follows stands in `children`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from dauys.errors import BadInput, DauysError

RANKS = ("constitution", "constitutional-law", "law", "decree", "instruction")
STATUSES = ("official", "translation", "reconstructed", "paraphrase")
"""Whose words these are; shown wherever text is shown. Only the publisher's own text is `official`."""
STATES = ("", "repealed", "suspended")
"""What holds for a provision besides its text: a repealed one keeps its number, so that nobody else gets it."""
KINDS = {"sec": "section", "art": "article", "para": "paragraph", "point": "point", "al": "alinea"}
"""Раздел, статья, пункт, подпункт, and the unnumbered часть after the first."""
PREFIXES = {kind: prefix for prefix, kind in KINDS.items()}
NUMBER = r"[0-9]{1,5}(?:-[0-9]{1,3}){0,2}"
"""`50`, `83-1`: an inserted number sorts after its base."""
ID = re.compile(rf"(?:sec_{NUMBER}|art_{NUMBER}(?:__para_{NUMBER})?(?:__point_{NUMBER})?(?:__al_[0-9]{{1,3}})?)")


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision: `text` is its first part, `children` are in printed order; `heading` may be empty."""

    id: str
    num: str = ""
    heading: str = ""
    text: str = ""
    state: str = ""
    children: tuple[Provision, ...] = ()

    @property
    def kind(self) -> str:
        """`section`, `article`, `paragraph`, `point` or `alinea`: the last step of the id says which."""
        return KINDS[self.id.rpartition("__")[2].partition("_")[0]]

    def walk(self) -> Iterator[Provision]:
        """This provision and all below it, in printed order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def bare(self) -> Provision:
        """The same without its children: what the provision says by itself."""
        return self.over(()) if self.children else self

    def over(self, children: tuple[Provision, ...]) -> Provision:
        """The same with these children. Texts of many days are made of it, and `dataclasses.replace` is three times slower."""
        return Provision(self.id, self.num, self.heading, self.text, self.state, children)


@dataclass(frozen=True, slots=True)
class Work:
    """One text in one language, as of `day`; raises `DauysError` where an id is malformed, misplaced or used twice."""

    uri: str
    title: str
    rank: str
    status: str
    language: str
    day: date
    provisions: tuple[Provision, ...]
    _index: dict[str, Provision] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, value, allowed in (("rank", self.rank, RANKS), ("status", self.status, STATUSES)):
            if value not in allowed:
                raise BadInput(f"unknown {name} of a text", found=value, expected=f"one of: {', '.join(allowed)}")
        index: dict[str, Provision] = {}
        for provision in self.walk():
            if provision.id in index:
                raise DauysError(f"{self.title}: {provision.id} stands twice in the text")
            index[provision.id] = provision
        _check_places("", self.provisions)
        object.__setattr__(self, "_index", index)

    def on(self, day: date) -> Work:
        """The same words as the text of another day: they were looked at already."""
        same = copy(self)
        object.__setattr__(same, "day", day)
        return same

    def walk(self) -> Iterator[Provision]:
        """All provisions in printed order."""
        for provision in self.provisions:
            yield from provision.walk()

    def get(self, key: str) -> Provision:
        """The provision with this permanent id; raises `DauysError`."""
        found = self._index.get(key)
        if found is None:
            raise DauysError(f"{self.title}: there is no provision {key}")
        return found

    def has(self, key: str) -> bool:
        """Whether the text has a provision with this permanent id."""
        return key in self._index

    def ids(self) -> list[str]:
        """All permanent ids in printed order."""
        return list(self._index)

    def eids(self) -> dict[str, str]:
        """{permanent id: the id that the numbers printed today give}."""
        return eids(self.provisions)


class Draft:
    """A text being changed: what each provision says by itself, and who stands under whom, in which order."""

    __slots__ = ("bare", "order", "parent")

    def __init__(self, provisions: Iterable[Provision] = ()) -> None:
        self.bare: dict[str, Provision] = {}
        self.order: dict[str, list[str]] = {"": []}
        self.parent: dict[str, str] = {}
        for provision in provisions:
            self.put("", len(self.order[""]), provision)

    def put(self, parent: str, place: int, provision: Provision) -> None:
        """Set a provision with all below it under `parent` ("" is the body), before the one at `place`."""
        if provision.id in self.bare:
            raise DauysError(f"{provision.id} stands in the text already")
        self.order[parent].insert(place, provision.id)
        self.parent[provision.id] = parent
        self.bare[provision.id] = provision.bare()
        self.order[provision.id] = []
        for place_below, child in enumerate(provision.children):
            self.put(provision.id, place_below, child)

    def take(self, key: str) -> None:
        """Take a provision out, with all below it."""
        for child in list(self.order[key]):
            self.take(child)
        self.order[self.parent.pop(key)].remove(key)
        del self.order[key], self.bare[key]

    def walk(self, key: str) -> Iterator[str]:
        """The ids of a provision and of all below it, in printed order ("" gives the whole text)."""
        if key:
            yield key
        for child in self.order[key]:
            yield from self.walk(child)

    def tree(self, key: str) -> Provision:
        """The provision as it stands now, with all below it."""
        children = self.order[key]
        bare = self.bare[key]
        return bare.over(tuple(map(self.tree, children))) if children else bare

    def provisions(self) -> tuple[Provision, ...]:
        """The whole text as it stands now."""
        return tuple(map(self.tree, self.order[""]))


@lru_cache(maxsize=4096)
def number_order(num: str) -> tuple[int, ...]:
    """Sorts numbers as the law does: 3, 3-1, 4, 10."""
    return tuple(int(part) for part in num.split("-"))


@lru_cache(maxsize=16384)
def reading_order(key: str) -> tuple[tuple[int, str, tuple[int, ...]], ...]:
    """Sorts permanent ids as a reader meets them; points before the unnumbered parts after them."""
    steps = (step.partition("_") for step in key.split("__"))
    return tuple((tuple(KINDS).index(prefix), prefix, number_order(num)) for prefix, _, num in steps)


def within(key: str, scope: str) -> bool:
    """Whether `id` is `scope` or lies under it, by ids alone (articles of a section do not carry its id)."""
    return not scope or key == scope or key.startswith(scope + "__")


def parent_of(key: str) -> str:
    """The id of the provision above, "" above an article or a section."""
    return key.rpartition("__")[0]


def article_of(key: str) -> str:
    """The id of the article that `id` lies in."""
    return key.partition("__")[0]


def eids(provisions: Iterable[Provision]) -> dict[str, str]:
    """{permanent id: id by the numbers printed today}, for provisions and all below them."""
    found: dict[str, str] = {}

    def enter(provision: Provision, above: str) -> None:
        own = id_step(provision)
        found[provision.id] = eid = f"{above}__{own}" if above else own
        for child in provision.children:
            enter(child, "" if provision.kind == "section" else eid)

    for provision in provisions:
        enter(provision, "")
    return found


def id_step(provision: Provision) -> str:
    """The last step of the id that today's number gives: `para_2`."""
    step = provision.id.rpartition("__")[2]
    return f"{step.partition('_')[0]}_{provision.num}" if provision.num else step


def _check_places(above: str, provisions: Iterable[Provision]) -> None:
    for provision in provisions:
        if not ID.fullmatch(provision.id):
            raise BadInput(
                "not an id of a provision", found=provision.id, expected="an id like art_50__para_2__point_3"
            )
        if provision.state not in STATES:
            raise BadInput("unknown state of a provision", found=provision.state, expected="repealed or suspended")
        if provision.num and not re.fullmatch(NUMBER, provision.num):
            raise BadInput("not a number of a provision", found=provision.num, expected="a number like 83-1")
        if parent_of(provision.id) != above:
            raise BadInput(
                "a provision under another one than its id says", found=provision.id, expected=f"under {above}"
            )
        _check_places("" if provision.kind == "section" else provision.id, provision.children)
