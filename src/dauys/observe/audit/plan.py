"""Which stations are recounted to confirm an outcome, and what do the recounts say so far?

One contest for the nation, and for a double rule one for each territory that it takes. A plan is a small JSON file: with the
seed and the frozen table of results everybody gets the same draws (`macro.draw`), so it holds how many, not what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from dauys.errors import BadInput, DauysError
from dauys.law.files import Node
from dauys.observe.audit import compound, macro
from dauys.observe.audit.assertions import Votes, more_than, of_base
from dauys.observe.sample.draw import seed_sha256
from dauys.observe.sample.frame import same_frame

NATION = "*"


@dataclass(frozen=True, slots=True)
class Station:
    """One row of the results: ballots found (the base) and those for yes."""

    id: str
    region: str
    cast: int
    yes: int

    def votes(self, above: bool) -> Votes:
        """For "more than the share" yes wins; for "less than" everything else does."""
        return of_base(self.yes if above else self.cast - self.yes, self.cast)


@dataclass(frozen=True, slots=True)
class Contest:
    """One assertion: yes is above (or below) the share of all ballots of a region (`*`: of all). `draws`: how many so far."""

    region: str
    above: bool
    draws: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an audit is about. `regional` is the share of regions that the rule wants; None: the nation alone decides."""

    frame_sha256: str
    seed: str
    risk: Fraction
    share: Fraction
    regional: Fraction | None
    contests: tuple[Contest, ...]

    def same_results(self, sha256: str, file: Path | str) -> None:
        """Refuses results that are not the frozen ones. Raises BadInput."""
        same_frame(sha256, self.frame_sha256, file)

    def to_json(self) -> dict[str, Any]:
        return {
            "frame_sha256": self.frame_sha256,
            "seed": self.seed,
            "seed_sha256": seed_sha256(self.seed),
            "risk": str(self.risk),
            "share": str(self.share),
            **({} if self.regional is None else {"regional": str(self.regional)}),
            "contests": [
                {"region": one.region, "claim": "above" if one.above else "below", "draws": one.draws}
                for one in self.contests
            ],
        }

    @classmethod
    def of(cls, node: Node) -> Plan:
        """Read strictly. Raises BadInput with the field."""
        parts = node.mapping(
            ("frame_sha256", "seed", "seed_sha256", "risk", "share", "contests"), ("regional", "stations")
        )
        contests = []
        for item in parts["contests"].items():
            one = item.mapping(("region", "claim", "draws"), ("bound", "margin", "stations"))
            contests.append(
                Contest(
                    one["region"].text(),
                    one["claim"].choice("above", "below") == "above",
                    one["draws"].integer(1, 10**6),
                )
            )
        seed = parts["seed"].text()
        if parts["seed_sha256"].text() != seed_sha256(seed):
            parts["seed"].fail("the seed is not the one that was committed to", expected="a text with that SHA-256")
        regional = parts["regional"].fraction() if "regional" in parts else None
        return cls(
            parts["frame_sha256"].text(),
            seed,
            parts["risk"].fraction(),
            parts["share"].fraction(),
            regional,
            tuple(contests),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A contest after its recounts: the P-value (None while stations are outstanding), whether it is confirmed at the risk
    limit, further draws if all of them are clean, and the drawn stations that nobody recounted yet."""

    contest: Contest
    bound: Fraction
    p_value: Fraction | None
    confirmed: bool
    more: int
    outstanding: tuple[str, ...]


def make_plan(
    stations: Sequence[Station], frame_sha256: str, seed: str, risk: Fraction, share: Fraction,
    regional: Fraction | None = None,
) -> Plan:  # fmt: skip
    """The contests that confirm the reported outcome, with their first samples. Raises DauysError where a tie decides."""
    if not 0 < risk < 1 or not 0 < share < 1:
        raise BadInput("the risk limit and the share lie between 0 and 1", found=f"{risk}, {share}")
    names = [] if regional is None else sorted({station.region for station in stations})
    sides = {name: _first(stations, name, share, risk) for name in (NATION, *names)}
    return Plan(frame_sha256, seed, risk, share, regional, choose(sides, regional))


def choose(sides: Mapping[str, Contest | None], regional: Fraction | None) -> tuple[Contest, ...]:
    """The contests that confirm the reported outcome, at the least cost: their draws say which territories are cheap.

    `sides`: each territory's contest, and the nation's, on its reported side; None for a tie. Raises DauysError where a tie
    decides.
    """
    nation = sides[NATION]
    if regional is None:
        if nation is None:
            raise DauysError("the reported count is a tie: no audit confirms it")
        return (nation,)
    parts = {name: one for name, one in sides.items() if name != NATION}
    sizes = {
        side: {n: c.draws for n, c in parts.items() if c is not None and c.above is side} for side in (True, False)
    }
    needed = compound.needed(len(parts), regional)
    passing = compound.cheapest(sizes[True], needed)
    if nation is not None and nation.above and passing is not None:
        return (nation, *(_of(sides, name) for name in sorted(passing)))
    if nation is not None and not nation.above:
        return (nation,)
    failing = compound.cheapest(sizes[False], len(parts) - needed + 1)
    if failing is None:
        raise DauysError("a tie decides the reported outcome: no audit confirms it")
    return tuple(_of(sides, name) for name in sorted(failing))


def drawn(plan: Plan, contest: Contest, stations: Sequence[Station]) -> tuple[macro.Bounds, list[str]]:
    """The bounds of a contest and its draws, in their order; a station may be drawn more than once."""
    found = _bounds(stations, contest.region, contest.above, plan.share)
    if found is None:
        raise DauysError(f"{contest.region}: the reported counts are not what the plan says")
    return found, macro.draw(found.most, plan.seed, contest.draws, contest.region)


def evaluate(
    plan: Plan, stations: Sequence[Station], frame_sha256: str, recounts: Mapping[str, tuple[int, int]], file: str
) -> list[Found]:
    """What the recounts (station to ballots found and yes) say of every contest. The decision is exact: P <= risk.

    Raises BadInput for another table of results, an unknown station, or impossible counts.
    """
    plan.same_results(frame_sha256, file)
    by_id = {station.id: station for station in stations}
    for name, (cast, yes) in recounts.items():
        if name not in by_id:
            raise BadInput("this station is not in the results", found=name, expected="a station of the plan")
        if yes > cast:
            raise BadInput("more ballots for yes than ballots", field="yes", found=f"{name}: {yes} of {cast}")
    answers = []
    for contest in plan.contests:
        bounds, names = drawn(plan, contest, stations)
        missing = tuple(sorted(set(names) - recounts.keys()))
        if missing:
            answers.append(Found(contest, bounds.total, None, False, 0, missing))
            continue
        taints = [_taint(bounds, by_id[name], contest.above, recounts[name]) for name in names]
        p = macro.p_value(bounds.total, taints)
        confirmed = p <= plan.risk
        hopeless = any(one >= 1 for one in taints)
        more = 0 if confirmed or hopeless else macro.clean_draws(bounds.total, plan.risk, p)
        answers.append(Found(contest, bounds.total, p, confirmed, more, ()))
    return answers


def outcome(found: Sequence[Found]) -> str:
    """`confirmed` (the reported outcome holds at the risk limit), `go-on`, or `count-all` where no sample can confirm it.

    By intersection-union every contest of the plan must be confirmed, each at the full risk limit (`compound`).
    """
    if all(one.confirmed for one in found):
        return "confirmed"
    stuck = any(one.p_value == 1 and one.more == 0 and not one.outstanding for one in found)
    return "count-all" if stuck else "go-on"


def next_round(plan: Plan, found: Sequence[Found]) -> Plan:
    """The same plan with as many further draws as would do if all are clean."""
    return replace(
        plan,
        contests=tuple(replace(one.contest, draws=one.contest.draws + one.more) for one in found),
    )


def _first(stations: Sequence[Station], region: str, share: Fraction, risk: Fraction) -> Contest | None:
    """The contest on its reported side, with the first sample; None for a tie."""
    for above in (True, False):
        found = _bounds(stations, region, above, share)
        if found is not None:
            return Contest(region, above, macro.clean_draws(found.total, risk))
    return None


def _bounds(stations: Sequence[Station], region: str, above: bool, share: Fraction) -> macro.Bounds | None:
    part = [station for station in stations if region in (NATION, station.region)]
    votes = {station.id: (station.votes(above),) for station in part}
    return macro.bounds((more_than(share if above else 1 - share, region),), votes) if votes else None


def _taint(bounds: macro.Bounds, station: Station, above: bool, recount: tuple[int, int]) -> Fraction:
    seen = Station(station.id, station.region, *recount)
    return macro.taint(bounds, station.id, (station.votes(above),), (seen.votes(above),))


def _of(sides: Mapping[str, Contest | None], name: str) -> Contest:
    found = sides[name]
    assert found is not None
    return found
