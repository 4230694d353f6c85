"""What do the believed figures say about one quantity, and do they contradict each other already?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from dauys.reconstruction.figures import NATION, Contradiction, Figure
from dauys.reconstruction.settings import Settings

ELIGIBLE, RECEIVED, PARTICIPATED = "eligible", "received", "participated"
PRELIMINARY, FINAL = "preliminary", "final"


@dataclass(frozen=True, slots=True)
class Limits:
    """The whole numbers a quantity may take, and the figures that say so."""

    low: int
    high: int
    figures: tuple[str, ...]


class Book:
    """The believed figures by moment, area and field."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self._figures: dict[tuple[str, str, str], list[Figure]] = {}
        for figure in figures:
            if figure.used:
                self._figures.setdefault((figure.moment, figure.area, figure.field), []).append(figure)

    def about(self, moment: str, area: str, field: str) -> list[Figure]:
        """The believed figures of one quantity; often none or one."""
        return self._figures.get((moment, area, field), [])

    def limits(self, moment: str, area: str, field: str, base: int | None, low: int, high: int) -> Limits:
        """What the figures leave of low..high. Raises `Contradiction` when they leave nothing."""
        names: list[str] = []
        for figure in self.about(moment, area, field):
            if base is None and figure.of:
                continue
            least, most = figure.limits(base)
            names.append(figure.id)
            low, high = max(low, least), high if most is None else min(high, most)
            if low > high:
                raise Contradiction(names, f"no number satisfies what is printed on {field}, {area}, {moment}")
        return Limits(low, high, tuple(names))

    def count(self, moment: str, area: str, field: str) -> int | None:
        """The number printed as a count, or None. Raises `Contradiction` when two counts differ."""
        counts = [f for f in self.about(moment, area, field) if f.unit == "count"]
        if len({f.value for f in counts}) > 1:
            raise Contradiction((f.id for f in counts), f"different counts are printed for {field}, {area}, {moment}")
        return int(counts[0].value) if counts else None

    def needed(self, moment: str, area: str, field: str) -> int:
        """The count, without which nothing can be solved."""
        found = self.count(moment, area, field)
        if found is None:
            names = [f.id for f in self.about(moment, area, field)]
            raise Contradiction(names, f"a believed count of {field}, {area}, {moment} is needed and there is none")
        return found

    def share(self, moment: str, area: str, field: str) -> tuple[Fraction, tuple[str, ...]] | None:
        """The middle of the printed percentages and their figures, or None where none is believed."""
        printed = [f for f in self.about(moment, area, field) if f.unit == "percent"]
        if not printed:
            return None
        low, high = max(f.share()[0] for f in printed), min(f.share()[1] for f in printed)
        names = tuple(f.id for f in printed)
        if low >= high:
            raise Contradiction(names, f"no number satisfies what is printed on {field}, {area}, {moment}")
        return (low + high) / 2, names


def check_nation(book: Book, settings: Settings) -> None:
    """The national figures against each other: percentages recompute, turnout never falls, classes add up."""
    registers = {name: book.needed(name, NATION, ELIGIBLE) for name in settings.registers}
    before, names = 0, tuple[str, ...]()
    for time, state in settings.reports.items():
        here = book.limits(time, NATION, RECEIVED, registers[state], 0, registers[state])
        if here.high < before:
            raise Contradiction((*names, *here.figures), f"turnout falls before {time}")
        if here.low > before:
            before, names = here.low, here.figures
    last = list(settings.reports)[-1]
    for stage in (PRELIMINARY, FINAL):
        participated = book.needed(stage, NATION, PARTICIPATED)
        if participated > before:
            names = (*(f.id for f in book.about(stage, NATION, PARTICIPATED)), *names)
            raise Contradiction(names, f"more took part than received a ballot by {last}")
        book.limits(stage, NATION, PARTICIPATED, registers[settings.registers[-1]], 0, participated)
        total = 0
        for name in settings.classes:
            total += book.needed(stage, NATION, name)
            book.limits(stage, NATION, name, participated, 0, participated)
        if total != participated:
            fields = (PARTICIPATED, *settings.classes)
            names = tuple(f.id for name in fields for f in book.about(stage, NATION, name) if f.unit == "count")
            raise Contradiction(names, f"the classes add up to {total}, not to the {participated} who took part")
