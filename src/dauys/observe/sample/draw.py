"""Which stations are drawn, by which design, and does a second draw give the same ones?

Simple and stratified samples take the lowest tickets (tickets.py). A draw in proportion to size is systematic over the stations
in the order of their tickets (randomised systematic: Goodman and Kish 1950; Hartley and Rao 1962): each station's probability is
exactly n times its size over all sizes, in whole numbers, and no station is drawn twice. It is not consistent: another n draws
others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from typing import Any

from dauys.errors import DauysError
from dauys.observe.sample.allocation import LEAST, neyman, power, proportional, shared
from dauys.observe.sample.frame import Frame, same_frame
from dauys.observe.sample.spread import spreads
from dauys.observe.sample.tickets import lowest, start

ALLOCATIONS = ("simple", "proportional", "neyman", "power")


@dataclass(frozen=True, slots=True)
class Plan:
    """A design: n stations, how they are divided among strata, and whether large stations are likelier.

    `take_all` are strata of which every station is in the sample; they count towards n. `least` is the least number of
    stations in any other stratum. `exponent` is that of the power allocation.
    """

    n: int
    allocation: str = "simple"
    pps: bool = False
    take_all: tuple[str, ...] = ()
    least: int = LEAST
    exponent: Fraction = Fraction(1, 2)

    @property
    def name(self) -> str:
        """The design in words."""
        words = ["simple random" if self.allocation == "simple" else f"stratified, {self.allocation} allocation"]
        words += ["systematic with probability proportional to size"] if self.pps else []
        words += [f"all of {', '.join(self.take_all)}"] if self.take_all else []
        return "; ".join(words)

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "n": self.n, "allocation": self.allocation, "pps": self.pps}
        if self.allocation != "simple":
            body |= {"take_all": list(self.take_all), "least": self.least}
        if self.allocation == "power":
            body["exponent"] = str(self.exponent)
        return body

    @staticmethod
    def from_json(body: Mapping[str, Any]) -> Plan:
        """The plan that `to_json` wrote. Raises DauysError for anything else."""
        match body:
            case {"n": int(n), "allocation": str(allocation), "pps": bool(pps), **rest} if allocation in ALLOCATIONS:
                take_all, least = rest.get("take_all", []), rest.get("least", LEAST)
                exponent = Fraction(str(rest.get("exponent", "1/2")))
                return Plan(n, allocation, pps, tuple(map(str, take_all)), int(least), exponent)
        raise DauysError("this is not the design of a sample: take the file that `dauys sample --json` wrote")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one stratum gave: its name, all its stations, those drawn (lowest ticket first)."""

    name: str
    population: int
    ids: tuple[str, ...]
    take_all: bool = False


@dataclass(frozen=True, slots=True)
class Draw:
    """A sample. `stations` are in the order of their tickets; `pi` has each station's probability in a draw by size."""

    frame_sha256: str
    seed: str
    plan: Plan
    stations: tuple[str, ...]
    strata: tuple[Drawn, ...]
    population: int
    pi: Mapping[str, Fraction] = field(default_factory=dict)
    pi_squares: Fraction = Fraction(0)

    @property
    def stratum_of(self) -> dict[str, str]:
        """The stratum of each drawn station."""
        return {name: stratum.name for stratum in self.strata for name in stratum.ids}

    @property
    def pi_constant(self) -> Fraction | None:
        """The sum of pi**2 over the whole frame, over n: what the variance of Hartley and Rao needs. None: not drawn by size."""
        return None if not self.pi else self.pi_squares / len(self.stations)


def seed_sha256(seed: str) -> str:
    """What is published before the draw: SHA-256 of the seed. The seed follows when the observers are in place."""
    return hashlib.sha256(seed.encode()).hexdigest()


def commitment(frame_sha256: str, plan: Plan, seed: str) -> dict[str, Any]:
    """What goes into the record before the draw: it fixes the list, the design and the seed, and does not say the seed."""
    return {"frame_sha256": frame_sha256, "seed_sha256": seed_sha256(seed), "design": plan.to_json()}


def keeps(committed: Mapping[str, Any], draw: Draw) -> bool:
    """Whether a sample is the one that was committed to: the same list, design and seed."""
    own = commitment(draw.frame_sha256, draw.plan, draw.seed)
    design = {name: value for name, value in dict(committed.get("design", {})).items() if name != "columns"}
    return own == {**{name: committed.get(name) for name in own}, "design": design}


def draw(frame: Frame, plan: Plan, seed: str) -> Draw:
    """The sample. Raises DauysError where the design and the list do not fit.

    The same file, plan and seed give the same stations for ever.
    """
    _check(frame, plan, seed)
    places = by_stratum(frame) if plan.allocation != "simple" else {"": list(range(len(frame)))}
    counts = allocate(frame, plan, places)
    strata: list[Drawn] = []
    probabilities: dict[str, Fraction] = {}
    squares = Fraction(0)
    for name, members in places.items():
        ids = [frame.ids[place] for place in members]
        n, all_of = counts[name], name in plan.take_all
        if plan.pps:
            assert frame.sizes is not None
            sizes = [int(frame.sizes[place]) for place in members]
            chosen, pi = _by_size(seed, name, ids, sizes, n)
            probabilities |= {ids[place]: pi[place] for place in chosen}
            squares += sum(p * p for p in pi)
        else:
            chosen = lowest(seed, ids, n)
        strata.append(Drawn(name, len(members), tuple(ids[place] for place in chosen), all_of))
    drawn = [name for stratum in strata for name in stratum.ids]
    ordered = tuple(drawn[place] for place in lowest(seed, drawn, len(drawn)))
    return Draw(frame.sha256, seed, plan, ordered, tuple(strata), len(frame), probabilities, squares)


def redraw(frame: Frame, drawn: Mapping[str, Any]) -> Draw:
    """The sample of an answer of `dauys sample --json` drawn again. Refuses a frame that changed, or a station that was replaced.

    Raises BadInput with the first difference.
    """
    match drawn:
        case {"frame_sha256": str(sha256), "seed": str(seed), "design": dict(design), "stations": list(stations)}:
            pass
        case _:
            raise DauysError("this is not a sample: take the file that `dauys sample --json` wrote")
    same_frame(frame.sha256, sha256, "the frame")
    again = draw(frame, Plan.from_json(design), seed)
    if foreign := sorted(set(map(str, stations)) - set(again.stations)):
        raise DauysError(f"{foreign[0]} was not drawn by this seed: a station of a sample is never replaced by another")
    if absent := sorted(set(again.stations) - set(map(str, stations))):
        raise DauysError(f"{absent[0]} was drawn by this seed and is missing: it stays in the sample, arrived or not")
    return again


def allocate(frame: Frame, plan: Plan, places: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Stations for each stratum. Raises DauysError where n cannot be divided so."""
    counts = {name: len(members) for name, members in places.items() if name in plan.take_all}
    names = [name for name in places if name not in counts]
    sizes = [len(places[name]) for name in names]
    left = plan.n - sum(counts.values())
    if plan.allocation in ("simple", "proportional"):
        shares = proportional(sizes)
    else:
        known = frame.parts is not None and frame.wholes is not None
        members = [places[name] for name in names]
        variances = spreads(frame, members, own_ratio=plan.allocation == "power") if known else None
        if plan.allocation == "neyman":
            if variances is None:
                raise DauysError("a Neyman allocation needs a past vote: name its columns with --y and --x")
            shares = neyman(sizes, variances)
        else:
            shares = power(sizes, plan.exponent, variances)
    least = 1 if plan.allocation == "simple" else plan.least
    if left < 0:
        raise DauysError(f"the strata that are taken whole have {plan.n - left} stations, and n is {plan.n}")
    return counts | dict(zip(names, shared(left, sizes, shares, least), strict=True))


def _check(frame: Frame, plan: Plan, seed: str) -> None:
    if not seed:
        raise DauysError("the seed is empty: take a long text that nobody could foresee, such as thrown dice")
    if not 0 < plan.n <= len(frame):
        raise DauysError(f"the list has {len(frame):,} stations: n is from 1 to that, not {plan.n}")
    if plan.allocation not in ALLOCATIONS:
        raise DauysError(f"no such allocation: {plan.allocation}; there are {', '.join(ALLOCATIONS)}")
    if plan.allocation != "simple" and not frame.strata:
        raise DauysError(f"an allocation ({plan.allocation}) needs strata: name their column with --strata")
    if unknown := set(plan.take_all) - set(frame.strata):
        raise DauysError(f"no station is in the stratum {min(unknown)}, which is to be taken whole")
    if plan.pps and frame.sizes is None:
        raise DauysError("a draw in proportion to size needs the sizes: name their column with --size")


def by_stratum(frame: Frame) -> dict[str, list[int]]:
    """The places of each stratum's stations; strata by name."""
    found: dict[str, list[int]] = {name: [] for name in sorted(set(frame.strata))}
    for place, name in enumerate(frame.strata):
        found[name].append(place)
    return found


def _by_size(
    seed: str, label: str, ids: Sequence[str], sizes: Sequence[int], n: int
) -> tuple[list[int], list[Fraction]]:
    """Places drawn, and the probability of every station: who would be above 1 is certain, the others divide what is left."""
    if n == len(ids):
        return list(range(n)), [Fraction(1)] * n
    if min(sizes) < 1:
        raise DauysError(
            f"{ids[sizes.index(min(sizes))]} has no size: it could never be drawn. "
            "Put such stations in a stratum that is taken whole"
        )
    certain: set[int] = set()
    while True:
        left, total = n - len(certain), sum(sizes) - sum(sizes[place] for place in certain)
        more = {place for place, size in enumerate(sizes) if place not in certain and left * size >= total}
        if not more or not left:
            break
        certain |= more
    pi = [Fraction(1) if place in certain else Fraction(left * size, total) for place, size in enumerate(sizes)]
    chosen = sorted(certain)
    if left:
        order = [place for place in lowest(seed, ids, len(ids)) if place not in certain]
        point = start(seed, label, total)
        for place, reached in zip(order, accumulate(left * sizes[place] for place in order), strict=True):
            if point < reached:  # a step is no larger than the interval: at most one point falls into it
                chosen.append(place)
                point += total
    return chosen, pi
