"""Which voter of the list stands here? By IIN, by the beginning of his names, or by likeness, in whatever letters were typed.

All in memory, for a station's list (3,000 lines). Kazakh and Russian letters that are mistaken for one another, and
е/ё, и/й, count as the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from uuid import UUID

from rapidfuzz import fuzz, process

from dauys.pollbook.wire.package import Voter

LIKE = 70
"""From this likeness on (of 100, rapidfuzz ratio) a word counts as meant, where no name begins as typed."""

_FOLD = str.maketrans("әғқңөұүһіёйəӘ", "агкноуухиеиаа")


def fold(text: str) -> str:
    """A name for comparison: small letters, the look-alikes made one, everything else a space."""
    small = text.casefold().translate(_FOLD)
    return " ".join("".join(char if char.isalnum() else " " for char in small).split())


class Index:
    """The list, ready to be searched. `add` takes those who come later."""

    def __init__(self, voters: Iterable[Voter]) -> None:
        self._iin: dict[str, UUID] = {}
        self._of: dict[str, set[UUID]] = {}
        self._order: dict[UUID, tuple[str, int]] = {}
        for voter in voters:
            self._add(voter)
        self._words = sorted(self._of)

    def add(self, voter: Voter) -> None:
        self._add(voter)
        self._words = sorted(self._of)

    def _add(self, voter: Voter) -> None:
        who = voter.entitlement
        if who in self._order:
            return
        names = fold(" ".join((voter.surname, voter.given, voter.patronymic, *voter.names)))
        self._iin[voter.iin] = who
        self._order[who] = (names, voter.number)
        for word in set(names.split()):
            self._of.setdefault(word, set()).add(who)

    def by_iin(self, iin: str) -> UUID | None:
        """The voter with exactly this IIN (spaces do not matter)."""
        return self._iin.get("".join(iin.split()))

    def by_name(self, text: str, most: int = 20) -> list[UUID]:
        """Voters of whom each typed word begins a name, in the order of names; where there is none, those most alike."""
        words = fold(text).split()
        if not words:
            return []
        found = set.intersection(*(self._beginning(word) for word in words))
        if found:
            return sorted(found, key=self._order.__getitem__)[:most]
        likeness = [self._alike(word) for word in words]
        every = set.intersection(*(set(one) for one in likeness))
        best = {who: sum(one[who] for one in likeness) for who in every}
        return sorted(every, key=lambda who: (-best[who], self._order[who]))[:most]

    def find(self, text: str, most: int = 20) -> list[UUID]:
        """What was typed or scanned: twelve digits are an IIN, everything else a name."""
        plain = "".join(text.split())
        if plain.isdigit():
            one = self.by_iin(plain)
            return [] if one is None else [one]
        return self.by_name(text, most)

    def _alike(self, word: str) -> dict[UUID, float]:
        """Who has a name like this word, and how like."""
        found: dict[UUID, float] = {}
        for name, likeness, _ in process.extract(word, self._words, scorer=fuzz.ratio, score_cutoff=LIKE, limit=None):
            for who in self._of[name]:
                found[who] = max(likeness, found.get(who, 0.0))
        return found

    def _beginning(self, word: str) -> set[UUID]:
        start, end = bisect_left(self._words, word), bisect_left(self._words, word + "\U0010ffff")
        return set[UUID]().union(*(self._of[name] for name in self._words[start:end]))
