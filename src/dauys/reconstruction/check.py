"""Does every published figure come out of the reconstructed stations, to its printed digits?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dauys.reconstruction.book import ELIGIBLE, FINAL, RECEIVED
from dauys.reconstruction.figures import NATION, Figure
from dauys.reconstruction.reconstruct import Reconstruction
from dauys.reconstruction.territories import ABROAD, STATIONS
from dauys.reconstruction.tickets import Ints


@dataclass(frozen=True, slots=True)
class Checked:
    """A published figure, what the stations add up to in the same unit and digits, and whether the two agree."""

    figure: Figure
    recomputed: str
    matches: bool


def check(reconstruction: Reconstruction, published: Iterable[Figure]) -> list[Checked]:
    """Every published figure, believed or not, recomputed from station values alone."""
    sums = _Sums(reconstruction)
    found = []
    for figure in published:
        value = sums.of(figure.moment, figure.area, figure.field)
        base = sums.of(figure.moment, figure.area, figure.of) if figure.of else None
        found.append(Checked(figure, figure.printed_from(value, base), figure.agrees(value, base)))
    return found


class _Sums:
    """Sums of station columns over an area, a group, the stations abroad or the nation."""

    def __init__(self, reconstruction: Reconstruction) -> None:
        self._r = reconstruction
        self._final = reconstruction.final
        self._areas = np.array(reconstruction.stations.areas)
        self._abroad: npt.NDArray[np.bool_] = np.array(reconstruction.stations.abroad, dtype=np.bool_)

    def of(self, moment: str, area: str, field: str) -> int:
        where = self._where(area)
        return int(where.sum()) if field == STATIONS else int(self._column(moment, field)[where].sum())

    def _where(self, area: str) -> npt.NDArray[np.bool_]:
        if area == NATION:
            return np.ones(len(self._areas), dtype=np.bool_)
        if area == ABROAD:
            return self._abroad.copy()
        groups = self._r.settings.groups
        members = groups.get(area, (area,))
        inside: npt.NDArray[np.bool_] = np.isin(self._areas, members)
        if area in groups:
            inside[self._abroad] = False
        return inside

    def _column(self, moment: str, field: str) -> Ints:
        settings, turnout = self._r.settings, self._r.turnout
        column = self._final[field] if moment == FINAL else self._r.protocols[field]
        if field == ELIGIBLE:
            state = settings.register_at(moment)
            for time, row in zip(turnout.times, turnout.eligible, strict=True):
                column = row if settings.reports[time] == state else column
        if field == RECEIVED and moment in turnout.times:
            column = turnout.received[turnout.times.index(moment)]
        return column
