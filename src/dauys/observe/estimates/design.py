"""How were the rows of a sample drawn? The design that every variance needs: weights, strata, populations, sampling units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dauys.errors import DauysError
from dauys.observe.tables.cells import Cells

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LONELY = ("collapse", "certainty", "refuse")


@dataclass(frozen=True, slots=True)
class Design:
    """A sample's rows as arrays. Build it with `design_of`.

    Per row: `weights` (stations that it stands for) and `unit` (which sampling unit it is of; a station is its own). Per unit:
    `stratum`. Per stratum: `names`, `units` (how many were sampled), `population` (how many there are; None: no correction for
    a finite population). `pi` per row: probabilities of a draw by size. `collapsed` names the groups of strata that were
    joined for the variance, `certain` the strata whose one unit adds no variance.
    """

    weights: Floats
    unit: Ints
    stratum: Ints
    names: tuple[str, ...]
    units: Ints
    population: Floats | None = None
    pi: Floats | None = None
    collapsed: tuple[tuple[str, ...], ...] = ()
    certain: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def df(self) -> int:
        """Degrees of freedom: sampling units less strata."""
        return len(self.stratum) - len(self.units)

    @property
    def row_stratum(self) -> Ints:
        """The stratum of each row."""
        return self.stratum[self.unit]


def design_of(
    rows: int,
    *,
    strata: Sequence[str] | None = None,
    population: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    clusters: Sequence[str] | None = None,
    pi: npt.ArrayLike | None = None,
    lonely: str = "collapse",
) -> Design:
    """The design of a sample, from columns of one value a row.

    `population` is the number of units in the row's stratum, sampled or not; the weights follow from it where none are given,
    or from `pi`. `clusters` are sampling units of several rows, named within their stratum. `lonely` says what becomes of a
    stratum with one unit: it is joined with its neighbour (see `joined`), taken as certain (no variance: an understatement,
    and named), or refused. Raises DauysError where the columns contradict each other.
    """
    if rows == 0:
        raise DauysError("the sample has no rows")
    if lonely not in LONELY:
        raise DauysError(f"no such rule for a stratum with one station: {lonely}; there are {', '.join(LONELY)}")
    names, of_row = (("",), np.zeros(rows, dtype=np.int64)) if strata is None else coded(strata)
    if clusters is None:
        unit, stratum = np.arange(rows, dtype=np.int64), of_row
    else:
        labels = [f"{place}\n{name}" for place, name in zip(of_row.tolist(), clusters, strict=True)]
        found, unit = np.unique(np.array(labels, dtype=object).astype(str), return_inverse=True)
        unit = unit.astype(np.int64)
        stratum = np.zeros(len(found), dtype=np.int64)
        stratum[unit] = of_row
    units = np.bincount(stratum, minlength=len(names)).astype(np.int64)
    sizes = None if population is None else _sizes(np.asarray(population, dtype=np.float64), of_row, names, units)
    chances = None if pi is None else _chances(np.asarray(pi, dtype=np.float64))
    if weights is not None:
        weight = np.asarray(weights, dtype=np.float64)
        if not (np.isfinite(weight).all() and (weight > 0).all()):
            raise DauysError("a weight is not a number above 0")
    elif chances is not None:
        weight = 1 / chances
    elif sizes is not None:
        weight = (sizes / units)[of_row]
    elif len(names) > 1:
        raise DauysError(
            "strata without their populations (--fpc) or weights say nothing of the whole: give one of them"
        )
    else:
        weight = np.ones(rows)
    made = Design(weight, unit, stratum, names, units, sizes, chances)
    return _settled(made, lonely)


def joined(counts: Sequence[int], least: int) -> list[list[int]]:
    """Strata in their order, joined into groups that have at least `least` sampling units each.

    The rule: a stratum with enough stays alone; one without joins the next one, and the last ones the group before. It depends
    on the counts and the order (names, numbers in them as numbers) alone: no chance, and nothing to choose.
    """
    groups: list[list[int]] = []
    waiting: list[int] = []
    for place in range(len(counts)):
        waiting.append(place)
        if sum(counts[member] for member in waiting) >= least:
            groups.append(waiting)
            waiting = []
    if waiting:
        if groups:
            groups[-1] += waiting
        else:
            groups.append(waiting)
    return groups


def in_order(names: Sequence[str]) -> list[str]:
    """Names in the order of strata: numbers in them count as numbers, so that `KZ-9` is before `KZ-10`."""
    return sorted(names, key=_natural)


def coded(texts: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The different texts `in_order`, and which of them each row has."""
    if isinstance(texts, Cells):
        different, of_row = texts.distinct()
    else:
        different = list(set(texts))
        place = {name: number for number, name in enumerate(different)}
        of_row = np.fromiter(map(place.__getitem__, texts), dtype=np.int64, count=len(texts))
    names = in_order(different)
    place = {name: number for number, name in enumerate(names)}
    return tuple(names), np.array([place[name] for name in different], dtype=np.int64)[of_row]


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for character in f"{name}\0":
        if character in "0123456789":
            digits += character
            continue
        if digits:
            parts.append((0, int(digits), digits))
            digits = ""
        parts.append((1, 0, character))
    return tuple(parts)


def _sizes(population: Floats, of_row: Ints, names: tuple[str, ...], units: Ints) -> Floats:
    sizes = np.zeros(len(names))
    sizes[of_row] = population
    if (sizes[of_row] != population).any():
        place = int(of_row[int(np.flatnonzero(sizes[of_row] != population)[0])])
        raise DauysError(f"stratum {names[place] or 'of all stations'}: its rows name different populations")
    for place in np.flatnonzero(~(sizes >= units)).tolist():
        raise DauysError(
            f"stratum {names[place] or 'of all stations'}: {units[place]} were sampled of {sizes[place]:g}: "
            "the population (--fpc) is the number of stations there are"
        )
    return sizes


def _chances(pi: Floats) -> Floats:
    if not ((pi > 0) & (pi <= 1)).all():
        raise DauysError("a probability (--pi) is above 0 and at most 1")
    return pi


def _settled(design: Design, lonely: str) -> Design:
    """The design with no stratum of one unit, unless all of its stratum was sampled, or it is said to be certain."""
    units = design.units.tolist()
    whole = [design.population is not None and design.population[place] == n for place, n in enumerate(units)]
    alone = [place for place, n in enumerate(units) if n == 1 and not whole[place]]
    if design.pi is not None:  # what is drawn with certainty needs no neighbour
        sure = set(design.row_stratum[design.pi == 1].tolist())
        alone = [place for place in alone if place not in sure]
    if not alone:
        return design
    names = [design.names[place] for place in alone]
    if lonely == "refuse":
        raise DauysError(
            f"stratum {names[0] or 'of all stations'} has one station: nothing says how its stations differ"
        )
    if lonely == "certainty":
        return replace(design, certain=tuple(names))
    # A stratum taken whole has no part in joining: its correction is 0.
    groups = joined([2 if whole[place] else n for place, n in enumerate(units)], 2)
    if len(design.stratum) < 2:
        raise DauysError("a sample of one station has no variance")
    code = np.empty(len(units), dtype=np.int64)
    for number, group in enumerate(groups):
        code[group] = number
    population = design.population
    return replace(
        design,
        stratum=code[design.stratum],
        names=tuple("+".join(design.names[place] for place in group) for group in groups),
        units=np.bincount(code, weights=design.units).astype(np.int64),
        population=None if population is None else np.bincount(code, weights=population).astype(np.float64),
        collapsed=tuple(tuple(design.names[place] for place in group) for group in groups if len(group) > 1),
    )
