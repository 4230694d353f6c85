"""Which assertions does an audit of single ballots test, how many ballots does it draw first, and which?

The plan is that of the stations as batches (plan.py): the same assertions, the same choice of territories for a double rule,
each at the full risk limit. Here `draws` are ballots, and a station's `cast` is its pile in the ballot manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from dauys.errors import BadInput
from dauys.observe.audit.assertions import Votes, more_than, total
from dauys.observe.audit.draws import ballots
from dauys.observe.audit.plan import NATION, Contest, Plan, Station, choose

First = Callable[[Contest, Votes], int | None]
"""The size of a contest's first round, from its reported votes: winner's, all others'; None: no size was found."""


def make_ballot_plan(
    stations: Sequence[Station], frame_sha256: str, seed: str, risk: Fraction, share: Fraction, regional: Fraction | None,
    first: First, check: str = "",
) -> Plan:  # fmt: skip
    """The contests with their first rounds. Raises DauysError where a tie decides, BadInput where a round is all ballots."""
    names = [] if regional is None else sorted({station.region for station in stations})
    sides = {name: _side(stations, name, share) for name in (NATION, *names)}
    contests = []
    for one in choose(sides, regional):
        votes = reported(stations, one)
        size = first(one, votes)
        if size is None or size >= votes.ballots:
            raise BadInput(
                "so small a margin takes about as many draws as there are ballots: count all of them", field="region",
                found=one.region, expected="a wider margin", check=check,
            )  # fmt: skip
        contests.append(replace(one, draws=max(1, size)))
    return Plan(frame_sha256, seed, risk, share, regional, tuple(contests))


def reported(stations: Sequence[Station], contest: Contest) -> Votes:
    """What was reported of a contest's ballots: those for its winner, all others, all."""
    return total(one.votes(contest.above) for one in stations if contest.region in (NATION, one.region))


def drawn_ballots(
    plan: Plan, contest: Contest, stations: Sequence[Station], *, again: bool = True
) -> list[tuple[str, int]]:
    """The contest's ballots so far, as station and place in its pile; `again`: drawn with replacement."""
    piles = {one.id: one.cast for one in stations if contest.region in (NATION, one.region)}
    return ballots(piles, plan.seed, contest.draws, f"ballot,{contest.region}", again=again)


def _side(stations: Sequence[Station], region: str, share: Fraction) -> Contest | None:
    """The contest on its reported side; None for a tie. Its cost is 1 / margin: a wider margin takes fewer ballots."""
    for above in (True, False):
        votes = reported(stations, Contest(region, above, 1))
        margin = more_than(share if above else 1 - share, region).margin(votes) if votes.ballots else Fraction(0)
        if margin > 0:
            return Contest(region, above, ceil(10**6 / margin))
    return None
