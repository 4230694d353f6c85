"""Of the several rights of one person one is used at most: which are asked for, what is an alarm, and which may be given back?

It is decided pair by pair that two entries of the roll are one person; whoever is joined by such pairs is one. Nothing here
asks who was to go and who to stay, nor in which order anything came: of what is used, the others follow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Member:
    """One right of a person. `used`: a use of it stands; `gone`: nobody can use it, unless it is given back; `asked`: a
    withdrawal of it is not over; `alarmed`: its use is an alarm already; `listed`: the record knows it; `instead`: it was asked
    for, or noted as used, because of another one."""

    id: UUID
    used: bool = False
    gone: bool = False
    asked: bool = False
    alarmed: bool = False
    listed: bool = True
    instead: bool = False


def people(pairs: Iterable[tuple[UUID, UUID]]) -> list[frozenset[UUID]]:
    """The rights of each person: all that the pairs join, directly or by others. In the order of their smallest ones."""
    whose: dict[UUID, set[UUID]] = {}
    for one, other in pairs:
        joined = whose.get(one, {one}) | whose.get(other, {other})
        for right in joined:
            whose[right] = joined
    return sorted({frozenset(rights) for rights in whose.values()}, key=min)


def to_ask(person: Collection[Member]) -> list[Member]:
    """Those that are asked for because another one was used."""
    if not any(one.used for one in person):
        return []
    return [one for one in person if not one.used and not one.asked and one.listed]


def alarmed(person: Collection[Member]) -> tuple[list[Member], list[Member]]:
    """Those whose use is an alarm, one less than are used: which of them are so already, and which are to be. What was to go
    before what was asked for in its place, and that before what was not asked for:
    so a pair that is decided again blames the same."""
    used = [one for one in person if one.used]
    before = [one for one in used if one.alarmed][: max(len(used) - 1, 0)]
    rest = sorted((one for one in used if one not in before), key=lambda one: (not one.asked, one.instead, one.id))
    return before, rest[: max(len(used) - 1 - len(before), 0)]


def other_used(person: Collection[Member], right: UUID) -> bool:
    """Whether another right of the person was used."""
    return any(one.used for one in person if one.id != right)


def nobody_else(person: Collection[Member], right: UUID) -> bool:
    """Whether no other right of the person was used, or can be: then this one may be given."""
    return all(one.gone and not one.used for one in person if one.id != right)
