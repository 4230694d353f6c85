"""Which whole numbers for every area agree with all believed figures?

Given the registers (`dauys.reconstruction.registers`), each printed percentage leaves an interval of whole numbers, and
each national count is divided between the areas inside these intervals. Later steps only see what earlier ones left.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dauys.reconstruction.book import FINAL, PARTICIPATED, PRELIMINARY, RECEIVED, Book, Limits, check_nation
from dauys.reconstruction.figures import NATION, Contradiction
from dauys.reconstruction.registers import Registers, solve_registers
from dauys.reconstruction.settings import Settings
from dauys.reconstruction.split import CannotSplit, split
from dauys.reconstruction.tickets import ranks, tickets

STATIONS = "stations"
ABROAD = "abroad"


@dataclass(frozen=True, slots=True)
class Territories:
    """Solved totals by area: `received[time][area]`, `values[field][area]` (preliminary), `changes[field]` (final less
    preliminary, all in the correction's area), `stations[area]` without those abroad, `abroad` stations."""

    registers: Registers
    received: dict[str, dict[str, int]]
    values: dict[str, dict[str, int]]
    changes: dict[str, int]
    stations: dict[str, int]
    abroad: int


def solve_territories(book: Book, settings: Settings) -> Territories:
    """Raises `Contradiction` naming the figures where no solution exists."""
    check_nation(book, settings)
    registers = solve_registers(book, settings)
    received = _received(book, settings, registers)
    values = _participated(book, settings, registers, received[list(settings.reports)[-1]])
    values |= _classes(book, settings, values[PARTICIPATED], received[list(settings.reports)[-1]], registers)
    changes = {
        name: book.needed(FINAL, NATION, name) - book.needed(PRELIMINARY, NATION, name)
        for name in (PARTICIPATED, *settings.classes)
    }
    abroad = book.needed(PRELIMINARY, ABROAD, STATIONS)
    stations = _stations(book, settings, registers)
    return Territories(registers, received, values, changes, stations, abroad)


def _divide(
    total: int,
    areas: list[str],
    weights: dict[str, int],
    limits: dict[str, Limits],
    settings: Settings,
    label: str,
    national: tuple[str, ...],
) -> dict[str, int]:
    """`split` between areas; where it cannot, the figures behind the bounds are named."""
    rows = [(max(weights[a], 1), limits[a].low, limits[a].high) for a in areas]
    columns = np.array(rows, dtype=np.int64).reshape(len(rows), 3).T
    ties = ranks(tickets(settings.seed, f"areas/{label}", len(areas)))
    try:
        parts = split(total, columns[0], columns[1], columns[2], ties)
    except CannotSplit:
        names = (*national, *(name for a in areas for name in limits[a].figures))
        raise Contradiction(names, f"the areas cannot add up to the {total} printed for {label}") from None
    return {area: int(part) for area, part in zip(areas, parts, strict=True)}


def _fit(
    total: int,
    middles: dict[str, int],
    weights: dict[str, int],
    limits: dict[str, Limits],
    settings: Settings,
    label: str,
    national: tuple[str, ...],
) -> dict[str, int]:
    """Printed areas keep the middle of their rounding and the others share the rest above their lower limits; with no
    others, the difference is shared by all within their rounding."""
    free = [area for area in settings.areas if area not in middles]
    if not free:
        return _divide(total, list(settings.areas), middles, limits, settings, label, national)
    rest = total - sum(middles.values()) - sum(limits[a].low for a in free)
    room = {a: Limits(0, limits[a].high - limits[a].low, limits[a].figures) for a in free}
    names = (*national, *(name for a in middles for name in limits[a].figures))
    steps = _divide(rest, free, weights, room, settings, label, names)
    return middles | {a: limits[a].low + steps[a] for a in free}


def _ids(book: Book, moment: str, field: str) -> tuple[str, ...]:
    return tuple(f.id for f in book.about(moment, NATION, field))


def _received(book: Book, settings: Settings, registers: Registers) -> dict[str, dict[str, int]]:
    """Ballots handed out by each report. Reports with every area printed come first: the others lie between them."""
    times = list(settings.reports)
    solved: dict[str, dict[str, int]] = {}
    ahead = {a: registers.voters[settings.registers[-1]][a] for a in settings.areas}
    shares = {(t, a): book.share(t, a, RECEIVED) for t in times for a in settings.areas}
    for time in sorted(times, key=lambda t: sum(shares[t, a] is None for a in settings.areas)):
        voters = registers.voters[settings.reports[time]]
        before = next((solved[t] for t in reversed(times[: times.index(time)]) if t in solved), dict.fromkeys(ahead, 0))
        after = next((solved[t] for t in times[times.index(time) + 1 :] if t in solved), ahead)
        limits = {
            a: book.limits(time, a, RECEIVED, voters[a], before[a], min(after[a], voters[a])) for a in settings.areas
        }
        printed = {a: share[0] for a in settings.areas if (share := shares[time, a])}
        middles = {a: _nearest(p * voters[a], limits[a]) for a, p in printed.items()}
        national = book.limits(time, NATION, RECEIVED, sum(voters.values()), 0, sum(voters.values()))
        room = {a: limits[a].high - limits[a].low for a in settings.areas}
        guess = sum(middles.get(a, limits[a].low + room[a] // 2) for a in settings.areas)
        total = min(max(guess, national.low), national.high)
        solved[time] = _fit(total, middles, room, limits, settings, f"{RECEIVED} {time}", national.figures)
    return {time: solved[time] for time in times}


def _nearest(value: Fraction, limits: Limits) -> int:
    return min(max(int(value + Fraction(1, 2)), limits.low), limits.high)


def _participated(
    book: Book, settings: Settings, registers: Registers, received: dict[str, int]
) -> dict[str, dict[str, int]]:
    """Ballots found in the boxes: ballots handed out less those not found, which are spread in proportion.

    Final figures speak of the preliminary number too, moved by the correction where the area has one.
    """
    voters = registers.voters[settings.registers[-1]]
    change = book.needed(FINAL, NATION, PARTICIPATED) - book.needed(PRELIMINARY, NATION, PARTICIPATED)
    missing: dict[str, Limits] = {}
    for area in settings.areas:
        early = book.limits(PRELIMINARY, area, PARTICIPATED, voters[area], 0, received[area])
        moved = change if area == settings.correction.area else 0
        late = book.limits(FINAL, area, PARTICIPATED, voters[area], early.low + moved, early.high + moved)
        names = (*early.figures, *late.figures)
        missing[area] = Limits(received[area] - late.high + moved, received[area] - late.low + moved, names)
    total = sum(received.values()) - book.needed(PRELIMINARY, NATION, PARTICIPATED)
    middles = {a: (gap.low + gap.high) // 2 for a, gap in missing.items() if gap.figures}
    national = _ids(book, PRELIMINARY, PARTICIPATED)
    gaps = _fit(total, middles, received, missing, settings, PARTICIPATED, national)
    return {PARTICIPATED: {area: received[area] - gaps[area] for area in settings.areas}}


def _classes(
    book: Book,
    settings: Settings,
    participated: dict[str, int],
    received: dict[str, int],
    registers: Registers,
) -> dict[str, dict[str, int]]:
    """The classes of ballots, smallest first; the last is what remains. Each leaves room for the printed later ones."""
    areas = list(settings.areas)
    everyone = sum(participated.values())
    limits = {
        (name, a): book.limits(PRELIMINARY, a, name, participated[a], 0, participated[a])
        for name in settings.classes
        for a in areas
    }
    voters = registers.voters[settings.registers[-1]]
    turnout = Fraction(sum(received.values()), sum(voters.values()))
    lean = {a: settings.follows * (Fraction(received[a], voters[a]) - turnout) for a in areas}
    solved: dict[str, dict[str, int]] = {}
    left = dict(participated)
    for n, name in enumerate(settings.classes[:-1]):
        later = settings.classes[n + 1 :]
        room = {}
        for a in areas:
            own = limits[name, a]
            low = max(own.low, left[a] - sum(limits[c, a].high for c in later))
            high = min(own.high, left[a] - sum(limits[c, a].low for c in later))
            names = tuple(f for c in (name, *later) for f in limits[c, a].figures)
            if low > high:
                raise Contradiction(names, f"the classes of {a} leave no room for {name}")
            room[a] = Limits(low, high, names)
        total = book.needed(PRELIMINARY, NATION, name)
        found = {a: _middle(book, name, later, a, left[a], participated[a], room[a]) for a in areas}
        middles = {a: middle for a, middle in found.items() if middle is not None}
        weights = {}
        for a in areas:
            guess = int((Fraction(total, everyone) - (lean[a] if len(later) == 1 else 0)) * participated[a])
            spare = left[a] - sum(limits[c, a].low for c in (name, *later))
            weights[a] = max(guess if len(later) == 1 else min(guess, spare // 2), 1)
        solved[name] = _fit(total, middles, weights, room, settings, name, _ids(book, PRELIMINARY, name))
        left = {a: left[a] - solved[name][a] for a in areas}
    solved[settings.classes[-1]] = left
    return solved


def _middle(
    book: Book, name: str, later: tuple[str, ...], area: str, left: int, participated: int, room: Limits
) -> int | None:
    """The middle of the printed percentage, or what the printed ones of all later classes leave; else None."""
    share = book.share(PRELIMINARY, area, name)
    if share:
        return _nearest(share[0] * participated, room)
    others = [other[0] for c in later if (other := book.share(PRELIMINARY, area, c))]
    if len(others) == len(later):
        return _nearest(left - sum(others, Fraction(0)) * participated, room)
    return None


def _stations(book: Book, settings: Settings, registers: Registers) -> dict[str, int]:
    """How many stations each area has inside the country: as printed, else by voters and the usual size of its kind."""
    voters = dict(registers.voters[settings.registers[-1]])
    voters[settings.abroad_area] -= settings.abroad_eligible
    kinds = {p.area: p.kind for p in settings.priors}
    found: dict[str, int] = {}
    for name, members in settings.groups.items():
        areas = list(members)
        limits = {}
        for a in areas:
            least = -(-voters[a] * 5 // (4 * settings.station_limit))
            limits[a] = book.limits(PRELIMINARY, a, STATIONS, None, least, voters[a] // settings.station_least)
        weights = {a: voters[a] * 100 // settings.densities[kinds[a]].mean for a in areas}
        total = book.needed(PRELIMINARY, name, STATIONS)
        names = tuple(f.id for f in book.about(PRELIMINARY, name, STATIONS))
        found |= _divide(total, areas, weights, limits, settings, f"stations {name}", names)
    if missing := [a for a in settings.areas if a not in found]:
        raise Contradiction((), f"no group of areas gives a number of stations for {', '.join(missing)}")
    national = book.needed(PRELIMINARY, NATION, STATIONS)
    total = sum(found.values()) + book.needed(PRELIMINARY, ABROAD, STATIONS)
    if total != national:
        names = tuple(f.id for n in (NATION, ABROAD, *settings.groups) for f in book.about(PRELIMINARY, n, STATIONS))
        raise Contradiction(names, f"the stations add up to {total}, not to {national}")
    return {area: found[area] for area in settings.areas}
