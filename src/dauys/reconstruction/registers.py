"""How many voters does each area have, so that all announced turnout figures come out at once?

Unknown: the final register of each area. Known: national counts, each area's percentages, a few registers. An
announced percentage p of an area with register r stands for about p * r ballots; these add up to the announced
national count of the same hour: one linear condition an hour. Among all registers that satisfy them the nearest to the
prior (in squares of relative change) is taken, exactly, in fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dauys.reconstruction.book import ELIGIBLE, RECEIVED, Book
from dauys.reconstruction.figures import NATION, Contradiction
from dauys.reconstruction.settings import Settings
from dauys.reconstruction.split import split
from dauys.reconstruction.squares import Clash, Condition, nearest
from dauys.reconstruction.tickets import ranks, tickets

_INSIDE = Fraction(1, 100)
"""How far inside the neighbouring reports an unpublished one is kept, as a part of their distance."""


@dataclass(frozen=True, slots=True)
class Registers:
    """Solved registers: `voters[state][area]`, and the scaled prior they started from."""

    voters: dict[str, dict[str, int]]
    prior: dict[str, Fraction]


def solve_registers(book: Book, settings: Settings) -> Registers:
    """Raises `Contradiction` naming the figures that exclude each other."""
    last = settings.registers[-1]
    totals = {name: book.needed(name, NATION, ELIGIBLE) for name in settings.registers}
    thousands = sum(p.thousands for p in settings.priors)
    prior = {p.area: Fraction(totals[last] * p.thousands, thousands) for p in settings.priors}
    scale = _scale(book, settings, totals)
    conditions = [*_register_conditions(book, settings, totals, scale, prior), *_reports(book, settings, totals, scale)]
    start = [prior[a] for a in settings.areas]
    try:
        solved = nearest(start, start, conditions)
    except Clash as clash:
        raise Contradiction(clash.figures, "no registers satisfy these figures together") from None
    final = _whole(settings.areas, solved)
    return Registers(_states(settings, totals, final), prior)


def _scale(book: Book, settings: Settings, totals: dict[str, int]) -> dict[tuple[str, str], Fraction]:
    """A state of an area's register as a part of its final one; the day's additions are spread in proportion."""
    constant = 0
    for area in settings.constant:
        counts = [c for s in settings.registers if (c := book.count(s, area, ELIGIBLE)) is not None]
        constant += counts[0] if counts else 0
    last = totals[settings.registers[-1]] - constant
    return {
        (state, area): Fraction(1) if area in settings.constant else Fraction(totals[state] - constant, last)
        for state in settings.registers
        for area in settings.areas
    }


def _row(settings: Settings, parts: dict[str, Fraction]) -> tuple[Fraction, ...]:
    return tuple(parts.get(area, Fraction(0)) for area in settings.areas)


def _register_conditions(
    book: Book,
    settings: Settings,
    totals: dict[str, int],
    scale: dict[tuple[str, str], Fraction],
    prior: dict[str, Fraction],
) -> list[Condition]:
    last = settings.registers[-1]
    names = tuple(f.id for f in book.about(last, NATION, ELIGIBLE))
    everyone = _row(settings, dict.fromkeys(settings.areas, Fraction(1)))
    found = [Condition(everyone, Fraction(totals[last]), True, names)]
    for area in settings.areas:
        for state in settings.registers:
            if not book.about(state, area, ELIGIBLE):
                continue
            limits = book.limits(state, area, ELIGIBLE, None, 0, totals[state])
            row = _row(settings, {area: scale[state, area]})
            if limits.low == limits.high:
                found.append(Condition(row, Fraction(limits.low), True, limits.figures))
            else:
                found += _between(row, Fraction(limits.low), Fraction(limits.high), limits.figures)
        row = _row(settings, {area: Fraction(1)})
        least, most = (limit * prior[area] for limit in settings.limits)
        found += _between(row, least, most, (f"register_limits of {area} in reconstruction.yaml",))
    return found


def _between(row: tuple[Fraction, ...], low: Fraction, high: Fraction, names: tuple[str, ...]) -> list[Condition]:
    return [Condition(row, low, False, names), Condition(tuple(-c for c in row), -high, False, names)]


def _reports(
    book: Book, settings: Settings, totals: dict[str, int], scale: dict[tuple[str, str], Fraction]
) -> list[Condition]:
    """For each report: the areas' printed percentages (in the middle of their rounding) make up the national figure."""
    times = list(settings.reports)
    shares = {
        (time, area): (share[0] * scale[state, area], share[1])
        for time, state in settings.reports.items()
        for area in settings.areas
        if (share := book.share(time, area, RECEIVED)) is not None
    }
    found: list[Condition] = []
    for n, time in enumerate(times):
        known = {area: shares[time, area][0] for area in settings.areas if (time, area) in shares}
        open_areas = [area for area in settings.areas if area not in known]
        names = tuple(f.id for f in book.about(time, NATION, RECEIVED))
        names += tuple(name for area in known for name in shares[time, area][1])
        voters = totals[settings.reports[time]]
        national = book.limits(time, NATION, RECEIVED, voters, 0, voters)
        if not open_areas and national.low == national.high:
            found.append(Condition(_row(settings, known), Fraction(national.low), True, names))
            continue
        low, high = dict(known), dict(known)
        for area in open_areas:
            full = scale[settings.reports[time], area]
            before = next((shares[t, area][0] for t in reversed(times[:n]) if (t, area) in shares), Fraction(0))
            after = next((shares[t, area][0] for t in times[n + 1 :] if (t, area) in shares), full)
            low[area] = before + _INSIDE * (after - before)
            high[area] = after - _INSIDE * (after - before)
        found.append(Condition(_row(settings, high), Fraction(national.low), False, names))
        found.append(Condition(tuple(-c for c in _row(settings, low)), -Fraction(national.high), False, names))
    return found


def _whole(areas: tuple[str, ...], solved: list[Fraction]) -> dict[str, int]:
    """Rounded to whole voters with the same sum: largest remainders first."""
    whole = {area: int(x // 1) for area, x in zip(areas, solved, strict=True)}
    left = int(sum(solved)) - sum(whole.values())
    remainders = sorted(zip(areas, solved, strict=True), key=lambda pair: -(pair[1] % 1))
    for area, _ in remainders[:left]:
        whole[area] += 1
    return whole


def _states(settings: Settings, totals: dict[str, int], final: dict[str, int]) -> dict[str, dict[str, int]]:
    """The earlier states: what was added between two of them is taken away in proportion, constant areas kept."""
    states = {settings.registers[-1]: final}
    growing = [a for a in settings.areas if a not in settings.constant]
    later = final
    for earlier, state in reversed(list(zip(settings.registers, settings.registers[1:], strict=False))):
        weights = np.array([later[a] for a in growing], dtype=np.int64)
        ties = ranks(tickets(settings.seed, f"areas/eligible/{earlier}", len(growing)))
        added = split(totals[state] - totals[earlier], weights, weights * 0, weights // 200, ties)
        later = later | {a: later[a] - int(n) for a, n in zip(growing, added, strict=True)}
        states[earlier] = later
    return {name: states[name] for name in settings.registers}
