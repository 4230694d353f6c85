"""Who lives in the storm's country, and what truly became of their ballots? Told by who plays the world, not by what is tried.

Nothing here asks a store, a log, the centre, or any rule of theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

VOTERS = {"A-1": 2, "A/2": 2, "B-1": 2}
"""The stations, and how many the frozen roll has of each: serial numbers 1 to 6."""

ADDED = {50: "A-1", 51: "A-1", 52: "B-1", 53: "A/2"}
"""Who may be added to the roll later, and his station."""

HOME = dict(enumerate((station for station, count in VOTERS.items() for _ in range(count)), 1)) | ADDED

PERSONS = ({1, 3, 5}, {6, 52})
"""Who truly stands on the roll more than once. Everybody else is somebody of his own."""

PAIRS = {101: (5, 1), 102: (3, 1), 103: (6, 52), 104: (50, 4), 105: (1, 5), 106: (3, 5), 107: (1, 3), 108: (5, 3)}
"""Who may be taken for one person: by a number of ours, whose entry would stay, and whose would go. 50 and 4 are two."""

TRUE_PAIRS = [number for number, pair in PAIRS.items() if any(person.issuperset(pair) for person in PERSONS)]


def joined(pairs: Iterable[int]) -> list[set[int]]:
    """Who is one person by these pairs."""
    found: list[set[int]] = []
    for number in pairs:
        same = set(PAIRS[number])
        found = [*(some for some in found if not some & same), same.union(*(some for some in found if some & same))]
    return found


@dataclass(slots=True)
class Ballot:
    """One that was handed out, or taken before a screen. `at`: the machine whose officers, or whose print, it was."""

    serial: int
    at: str
    by_hand: bool = False
    n: int = 0
    """Of the machine's event; 0 by hand."""
    salt: bytes = b""
    back: bool = False
    """It was taken back: nobody voted by it."""


@dataclass(slots=True)
class Envelope:
    """A provisional one that lies at a machine."""

    serial: int
    at: str
    n: int
    back: bool = False


@dataclass(slots=True)
class Ballots:
    """What truly happened in one poll, one after the other."""

    handed_out: list[Ballot] = field(default_factory=list)
    enveloped: list[Envelope] = field(default_factory=list)

    def note(self, serial: int, at: str, event: Any) -> None:
        """A machine has acknowledged a check-in, and the voter has his ballot, and his code."""
        self.handed_out.append(Ballot(serial, at, n=event.n, salt=bytes.fromhex(event.body["salt"])))

    def by_hand(self, serial: int, at: str) -> None:
        self.handed_out.append(Ballot(serial, at, by_hand=True))

    def standing(self, at: str | None = None, by_hand: bool | None = None) -> list[Ballot]:
        """Those by which somebody voted: of one machine, or of all; by hand, or not."""
        return [
            one for one in self.handed_out
            if not one.back and at in (None, one.at) and by_hand in (None, one.by_hand)
        ]  # fmt: skip

    def uses(self) -> Counter[int]:
        return Counter(one.serial for one in self.standing())

    def ever(self) -> set[int]:
        """Whose right was used, be it taken back."""
        return {one.serial for one in self.handed_out}

    def envelopes(self, at: str | None = None) -> list[Envelope]:
        return [one for one in self.enveloped if not one.back and at in (None, one.at)]


def votes_of(persons: Iterable[Collection[int]], uses: Counter[int]) -> Iterator[tuple[Collection[int], int]]:
    """How often each person voted."""
    for person in persons:
        yield person, sum(uses[serial] for serial in person)


def everybody(persons: Iterable[set[int]], on_the_roll: Iterable[int]) -> list[set[int]]:
    """All people, those too who stand on the roll once. Whose entries these are not, is nobody."""
    listed = set(on_the_roll)
    several = [person & listed for person in persons if person & listed]
    return [*several, *({serial} for serial in sorted(listed - set(chain(*several))))]
