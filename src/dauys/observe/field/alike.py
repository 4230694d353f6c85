"""Which word, observer or station is meant, however it is typed: cut, glued, in letters of the other alphabet that look alike?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dauys.observe.known.model import Mission, Observer

_DIGITS = str.maketrans("OoОоQlLIi|ІіЗз", "00000111111133")
"""What is typed for a digit: the letters O, l and I of either alphabet, and the Cyrillic letter that looks like 3."""
_LATIN = str.maketrans("авеёкмнорстухіһ013|", "abeekmhopctyxihoiзi")
"""Letters that look alike, and digits typed for letters; both words are put so before they are compared."""


def compared(text: str) -> str:
    """A word as it is compared: without case, marks between letters, or the difference of letters that look alike."""
    return re.sub(r"[\W_]", "", text.casefold()).translate(_LATIN).replace("l", "i")


def folded(text: str) -> str:
    """A station's or an observer's id as it is compared: letters and digits that look alike are the same."""
    return compared(text).replace("o", "0").replace("i", "1").replace("з", "3")


def digits_of(text: str) -> str | None:
    """The number that was meant; None for what is none. A lone look-alike counts as its digit."""
    found = text.translate(_DIGITS)
    return (
        found if found.isascii() and found.isdecimal() and (len(text) <= 2 or any(map(str.isdecimal, text))) else None
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What the lines of a mission may name, by how it is compared; made once for many lines."""

    stations: Mapping[str, Sequence[str]]
    observers: Mapping[str, Sequence[Observer]]
    numbers: Mapping[int, Sequence[Observer]]
    """By the last number of an id."""
    phones: Mapping[str, Sequence[Observer]]
    """By the last ten digits of a telephone number."""

    def station(self, typed: str) -> str | None:
        """The station of the sample that is meant; None where there is none, or more than one."""
        found = self.stations.get(folded(typed), ())
        return typed if typed in found else found[0] if len(found) == 1 else None

    def observer(self, typed: str) -> Observer | None:
        """The observer of an id, or of its last number where only one has it."""
        found, number = self.observers.get(folded(typed), ()), typed.translate(_DIGITS)
        if not found and number.isdecimal():
            found = self.numbers.get(int(number[:12]), ())
        return found[0] if len(found) == 1 else None

    def caller(self, sender: str) -> Observer | None:
        """The observer who has this telephone number."""
        found = self.phones.get(sender[-10:], ())
        return found[0] if len(found) == 1 else None


def named_in(mission: Mission) -> Named:
    """What a mission's lines may name now."""
    stations: defaultdict[str, list[str]] = defaultdict(list)
    observers: defaultdict[str, list[Observer]] = defaultdict(list)
    numbers: defaultdict[int, list[Observer]] = defaultdict(list)
    phones: defaultdict[str, list[Observer]] = defaultdict(list)
    for name in mission.sample.stations if mission.sample else ():
        stations[folded(name)].append(name)
    for one in mission.observers.values():
        observers[folded(one.id)].append(one)
        if (tail := re.search(r"[0-9]{1,12}\Z", one.id)) is not None:
            numbers[int(tail[0])].append(one)
        if phone := "".join(filter(str.isdecimal, one.phone)):
            phones[phone[-10:]].append(one)
    return Named(stations, observers, numbers, phones)
