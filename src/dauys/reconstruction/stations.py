"""How are an area's totals spread over its stations so that every sum is exact and the spread looks like life?

Each step divides a known total by `split`: sizes, additions of the day, ballots handed out (from the last report back
to the first, never more than at the next one), ballots not found, classes. Weights come from tickets
`seed,AREA/step,i`, i from 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dauys.reconstruction.book import PARTICIPATED
from dauys.reconstruction.settings import Arrival, Settings
from dauys.reconstruction.split import split
from dauys.reconstruction.territories import Territories
from dauys.reconstruction.tickets import SHARE, Ints, ranks, shares, tickets, uniforms

Draw = Callable[[str], npt.NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class AreaStations:
    """Columns of one area's stations: `registers[state]`, `received[time]`, `values[field]`, `arrival` in minutes."""

    ids: tuple[str, ...]
    abroad: int
    registers: dict[str, Ints]
    received: dict[str, Ints]
    values: dict[str, Ints]
    arrival: Ints


def spread_area(area: str, solved: Territories, settings: Settings) -> AreaStations:
    """The stations of one area; those abroad, where the area has them, come last."""
    home = solved.stations[area]
    abroad = solved.abroad if area == settings.abroad_area else 0
    n = home + abroad

    def draw(step: str) -> npt.NDArray[np.uint8]:
        return tickets(settings.seed, f"{area}/{step}", n)

    towns, registers = _registers(area, home, abroad, solved, settings, draw)
    received = _received(area, towns, registers, solved, settings, draw)
    handed_out = received[list(settings.reports)[-1]]
    values = _values(area, towns, handed_out, solved, settings, draw)
    ids = [f"{area}-{i:04d}" for i in range(1, home + 1)] + [f"{area}-A{i:02d}" for i in range(1, abroad + 1)]
    arrival = _arrival(values[PARTICIPATED], settings.arrival, draw("arrival"))
    return AreaStations(tuple(ids), abroad, registers, received, values, arrival)


def _registers(
    area: str, home: int, abroad: int, solved: Territories, settings: Settings, draw: Draw
) -> tuple[Ints, dict[str, Ints]]:
    """Which stations are in towns (1) or not (0), and every state of their lists. Towns have large stations of much the
    same size, the country has small ones of very different sizes; no station's list grows by 1 % in a day."""
    density = settings.densities[next(p.kind for p in settings.priors if p.area == area)]
    n = home + abroad
    drawn = draw("size")
    first, second = uniforms(drawn)
    order = ranks(drawn)
    towns = (order % density.urban.denominator < density.urban.numerator).astype(np.int64)
    towns[home:] = 1
    total, first_state = solved.registers.voters, settings.registers[0]
    share = settings.abroad_eligible if abroad else 0
    inside, in_towns = total[first_state][area] - share, int(towns[:home].sum())
    country = max((inside - in_towns * density.town) // max(home - in_towns, 1), settings.station_least)
    uneven = SHARE // 16 + (first * second * 15 // (4 * SHARE))
    sizes = np.where(towns == 1, density.town * ((3 * SHARE + first + second) // 4), country * uneven)
    limit = settings.station_limit * 98 // 100
    lower, upper = np.full(n, settings.station_least, np.int64), limit - order % (limit // 10)
    opening = np.zeros(n, np.int64)
    opening[:home] = split(inside, sizes[:home], lower[:home], upper[:home], order[:home])
    if abroad:
        opening[home:] = split(share, uneven[home:], lower[home:], upper[home:], order[home:])
    states = {first_state: opening}
    most = (opening - 1) // 100
    for earlier, state in zip(settings.registers, settings.registers[1:], strict=False):
        drawn = draw(f"eligible/{state}")
        room = most - (states[earlier] - opening)
        weights = opening * (uniforms(drawn)[0] + SHARE // 4)
        added = split(total[state][area] - total[earlier][area], weights, room * 0, room, ranks(drawn))
        states[state] = states[earlier] + added
    return towns, states


def _received(
    area: str, towns: Ints, registers: dict[str, Ints], solved: Territories, settings: Settings, draw: Draw
) -> dict[str, Ints]:
    """Ballots handed out by each report, from the last one back: at most the next report's, at most the list."""
    day, hours = settings.spreads["turnout"], settings.spreads["reports"]
    times = list(settings.reports)
    found: dict[str, Ints] = {}
    ahead, spread = registers[settings.registers[-1]], day.between
    for time in reversed(times):
        drawn = draw(f"received/{time}")
        total = solved.received[time][area]
        limit = np.minimum(ahead, registers[settings.reports[time]])
        shift = -day.urban_shift * towns if time == times[-1] else towns * 0
        weights = ahead * shares(total, int(ahead.sum()), ahead, spread, drawn, shift)
        found[time] = split(total, np.maximum(weights, 1), limit * 0, limit, ranks(drawn))
        ahead, spread = found[time], hours.between
    return {time: found[time] for time in times}


def _values(
    area: str, towns: Ints, handed_out: Ints, solved: Territories, settings: Settings, draw: Draw
) -> dict[str, Ints]:
    """Ballots found in the boxes, and the classes: smallest first, the last is what remains."""
    total = solved.values[PARTICIPATED][area]
    drawn = draw(PARTICIPATED)
    lost = split(
        int(handed_out.sum()) - total,
        np.maximum(handed_out * (uniforms(drawn)[0] + SHARE // 8), 1),
        handed_out * 0,
        handed_out,
        ranks(drawn),
    )
    participated = handed_out - lost
    values = {PARTICIPATED: participated}
    left = participated
    between, last = settings.spreads["classes"], len(settings.classes) - 2
    for n, name in enumerate(settings.classes[:-1]):
        drawn = draw(name)
        count = solved.values[name][area]
        shift = between.urban_shift * towns if n == last else towns * 0
        weights = left * shares(count, int(left.sum()), left, between.between, drawn, shift)
        values[name] = split(count, np.maximum(weights, 1), left * 0, left, ranks(drawn))
        left = left - values[name]
    values[settings.classes[-1]] = left
    return values


def _arrival(participated: Ints, plan: Arrival, drawn: npt.NDArray[np.uint8]) -> Ints:
    """Minutes from closing to arrival: large stations count longer, a few are very late."""
    first, second = uniforms(drawn)
    usual = plan.usual - plan.first
    counting = usual * np.minimum(participated, 2048) // 4096
    minutes = plan.first + counting + ((usual - counting) * (first * second >> 16) >> 16)
    late = ranks(drawn) % plan.late.denominator < plan.late.numerator
    delayed = plan.usual + ((plan.last - plan.usual) * (first * second >> 16) >> 16)
    return np.where(late, delayed, minutes).astype(np.int64)
