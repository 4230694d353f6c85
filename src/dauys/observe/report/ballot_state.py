"""How far is an audit of single ballots: what was drawn in each round, at which stations is it entered, what do the ballots say?

As with the stations as batches (`audit_state`) everything comes from the mission's log and from frozen tables in its folder. The
events are named `<contest>/polling/...` and `<contest>/comparison/...`: `commitment`, `round/<n>`, `seen/<n>/<station>` and
`result/<n>`. The frozen table is the ballot manifest: `cast` is how many ballots a station keeps, `yes` how many were reported
for the option.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from dauys.law.files import Node
from dauys.observe.audit.assertions import Votes
from dauys.observe.audit.ballot_plan import drawn_ballots, reported
from dauys.observe.audit.ballots import Ballot
from dauys.observe.audit.comparing import Compared, compared
from dauys.observe.audit.draws import ballots as draw_ballots
from dauys.observe.audit.plan import NATION, Contest, Plan, Station
from dauys.observe.audit.polling import Polled, polled
from dauys.observe.audit.records import Records, frozen_records
from dauys.observe.known.model import Event
from dauys.observe.office.visit import Keeping
from dauys.observe.report.audit_state import FOLDER, Frozen, frozen
from dauys.observe.report.audit_told import Sort
from dauys.observe.report.traces import audits_of

POLLING, COMPARISON = Sort("polling", "ballot polling"), Sort("comparison", "ballot comparison")
SORTS = (POLLING, COMPARISON)
MISSING = "missing"
"""A ballot that was drawn and not found: it is taken as one against what is to be confirmed (Banuelos and Stark 2012)."""
LARGEST_ROUND = 1 << 18
"""Nobody draws more ballots than that one by one."""

Place = tuple[str, int]
"""A station, and a place in its pile, from 1."""


@dataclass(frozen=True, slots=True)
class BallotState:
    """The events of one audit: of each name the newest. `seen` by round and station."""

    sort: Sort
    contest: str
    option: str
    commitment: Event | None
    rounds: tuple[Event, ...]
    seen: Mapping[tuple[int, str], Event]
    results: tuple[Event, ...]

    @property
    def last(self) -> Mapping[str, Any]:
        """The body of the last round's event."""
        return self.rounds[-1].body

    @property
    def plan(self) -> Plan:
        return plan_in(self.rounds[-1])

    @property
    def again(self) -> bool:
        """Whether a ballot may be drawn more than once: ALPHA draws without replacement, all others with."""
        return bool(self.last["method"] in ("bravo", "minerva", "super-simple"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ballots of the rounds that are entered say of one assertion. `votes` were reported, `won` of `drawn` were seen
    for its winner. `outstanding`: stations of a round whose ballots are not entered; then `more` is None. `said` is the
    method's own answer."""

    contest: Contest
    votes: Votes
    drawn: int
    won: int
    outstanding: tuple[str, ...]
    p_value: float
    confirmed: bool
    more: int | None
    said: Polled | Compared

    @property
    def hopeless(self) -> bool:
        """No round that is less work than counting all of it would do."""
        if self.confirmed or self.outstanding:
            return False
        return self.more is None or self.contest.draws + self.more >= self.votes.ballots


def state_of_ballots(keep: Keeping, sort: Sort, contest: str, option: str) -> BallotState:
    """The audit so far; `option` is the field that the rule asks for."""
    found = audits_of(keep, sort.named(contest))

    def numbered(what: str) -> tuple[Event, ...]:
        events = {name.removeprefix(what): one for name, one in found.items() if name.startswith(what)}
        return tuple(events[number] for number in sorted(events, key=int))

    seen = {}
    for name, event in found.items():
        if name.startswith("seen/"):
            number, _, station = name.removeprefix("seen/").partition("/")
            seen[int(number), station] = event
    return BallotState(sort, contest, option, found.get("commitment"), numbered("round/"), seen, numbered("result/"))


def manifest_of(keep: Keeping, state: BallotState) -> Frozen:
    """The frozen manifest. Raises BadInput O.176."""
    return frozen(keep, state.last["results_sha256"])


def records_of(keep: Keeping, state: BallotState) -> Records | None:
    """The frozen records of single ballots; None for an audit without. Raises BadInput O.176."""
    digest = state.last.get("records_sha256")
    return None if not digest else _records(keep.folder / FOLDER / f"{digest}.ballots")


@lru_cache(maxsize=2)
def _records(path: Path) -> Records:
    return frozen_records(path, "O.176")


def plan_in(event: Event) -> Plan:
    """The plan of a round's event."""
    return _plan(json.dumps(event.body["plan"], sort_keys=True))


@lru_cache(maxsize=16)
def _plan(text: str) -> Plan:
    return Plan.of(Node.of(json.loads(text)))


def drawn_of(state: BallotState, manifest: Frozen) -> dict[str, list[tuple[Place, ...]]]:
    """Territory (`*` for all) to its draws, round by round."""
    plans = [plan_in(event) for event in state.rounds]
    found = {}
    for place, contest in enumerate(plans[-1].contests):
        whole = _drawn(plans[-1], contest, manifest, state.again)
        ends = [0, *(plan.contests[place].draws for plan in plans)]
        found[contest.region] = [whole[a:b] for a, b in pairwise(ends)]
    return found


@lru_cache(maxsize=64)
def _drawn(plan: Plan, contest: Contest, manifest: Frozen, again: bool) -> tuple[Place, ...]:
    return tuple(drawn_ballots(plan, contest, manifest.stations, again=again))


def asked(state: BallotState, manifest: Frozen, number: int) -> dict[str, dict[str, list[int]]]:
    """Station to the places to look at in a round, by territory: as often as they were drawn where they are polled.

    Where ballots are compared each is looked at once: under the first territory that drew it, in the first round that did.
    """
    drawn = drawn_of(state, manifest)
    found: dict[str, dict[str, list[int]]] = {}
    known: set[Place] = set()
    for round_number in range(1, number + 1):
        for region, rounds in drawn.items():
            for one in rounds[round_number - 1]:
                if state.sort is COMPARISON and one in known:
                    continue
                known.add(one)
                if round_number == number:
                    found.setdefault(one[0], {}).setdefault(region, []).append(one[1])
    return {
        station: {region: sorted(places) for region, places in parts.items()}
        for station, parts in sorted(found.items())
    }


def answers(keep: Keeping, state: BallotState) -> list[Answer]:
    """What the ballots say of every assertion, each at the full risk limit (intersection-union)."""
    manifest, plan = manifest_of(keep, state), state.plan
    drawn = drawn_of(state, manifest)
    ask = _polled if state.sort is POLLING else _compared
    wanted = {number: asked(state, manifest, number) for number in range(1, len(state.rounds) + 1)}
    found = []
    for contest in plan.contests:
        complete: list[tuple[Place, ...]] = []
        left: tuple[str, ...] = ()
        for number, part in enumerate(drawn[contest.region], 1):
            left = tuple(sorted({station for station, _ in part if _lacks(state, wanted, number, station)}))
            if left:
                break
            complete.append(part)
        found.append(ask(keep, state, manifest, contest, complete, left))
    return found


def _lacks(state: BallotState, wanted: Mapping[int, Mapping[str, Any]], number: int, station: str) -> bool:
    """Whether a station's ballots of that round, or of an earlier one where they were looked at, are not entered."""
    numbers = range(1, number + 1) if state.sort is COMPARISON else (number,)
    return any(station in wanted[one] and (one, station) not in state.seen for one in numbers)


def verdict(found: Sequence[Answer]) -> str:
    """`confirmed`, `go-on`, or `count-all` where no round that is less work confirms it."""
    if all(one.confirmed for one in found):
        return "confirmed"
    return "count-all" if any(one.hopeless for one in found) else "go-on"


def _polled(
    keep: Keeping, state: BallotState, manifest: Frozen, contest: Contest, complete: Sequence[Sequence[Place]],
    left: tuple[str, ...],
) -> Answer:  # fmt: skip
    votes = reported(manifest.stations, contest)
    won = drawn = 0
    rounds: list[tuple[int, int]] = []
    for number, part in enumerate(complete, 1):
        if not part:  # confirmed before
            continue
        for station in {station for station, _ in part}:
            tally = state.seen[number, station].body["tallies"][contest.region]
            yes = tally[state.option]
            won += yes if contest.above else sum(tally.values()) - yes - tally[MISSING]
        drawn += len(part)
        rounds.append((won, drawn - won))
    said = poll(state.last["method"], votes, tuple(rounds), state.plan.risk, float(state.last["chance"]))
    more = None if left else said.next
    return Answer(contest, votes, drawn, won, left, said.p_value, said.confirmed, more, said)


def poll(method: str, votes: Votes, rounds: tuple[tuple[int, int], ...], risk: Fraction, chance: float) -> Polled:
    """The method's answer. Where every ballot was reported for the winner one is taken as the loser's: a test has two shares."""
    winner = min(votes.winner, votes.ballots - 1)
    return _asked(method, winner, votes.ballots - winner, rounds, risk, chance, min(votes.ballots, LARGEST_ROUND))


@lru_cache(maxsize=256)
def _asked(
    method: str, winner: int, loser: int, rounds: tuple[tuple[int, int], ...], risk: Fraction, chance: float,
    largest: int,
) -> Polled:  # fmt: skip
    return polled(method, winner, loser, 0, rounds, risk, chance, largest)


def _compared(
    keep: Keeping, state: BallotState, manifest: Frozen, contest: Contest, complete: Sequence[Sequence[Place]],
    left: tuple[str, ...],
) -> Answer:  # fmt: skip
    votes, records = reported(manifest.stations, contest), records_of(keep, state)
    read = _read(state)
    ballots = []
    for part in complete:
        for one in part:
            vote = read[one]
            seen = vote != MISSING and (vote == state.option) is contest.above
            ballots.append(Ballot(seen, reported_of(state.option, manifest, records, contest, one)))
    plan = state.plan
    share = plan.share if contest.above else 1 - plan.share
    ahead = as_reported(manifest, records, contest, plan.seed)
    method = state.last["method"]
    said = compared(
        "alpha" if method == "oneaudit" else method, ballots, votes.winner, votes.ballots, share, plan.risk, ahead
    )
    won = sum(one.audited for one in ballots)
    more = None if left else said.next
    return Answer(contest, votes, len(ballots), won, left, float(said.p_value), said.confirmed, more, said)


def _read(state: BallotState) -> dict[Place, str]:
    """What every ballot that was looked at is."""
    return {
        (station, int(place)): vote
        for (_, station), event in sorted(state.seen.items())
        for place, vote in event.body["ballots"].items()
    }


def reported_of(
    option: str, manifest: Frozen, records: Records | None, contest: Contest, one: Place
) -> Fraction:  # fmt: skip
    """1 for a ballot reported for the contest's winner, else 0; without records the share of its station's pile.

    A ballot beyond the last record of its station was reported as one not for the option, as the manifest counts it.
    """
    if records is not None:
        record = records.of(*one)
        return Fraction(int((record is not None and record[1] == option) is contest.above))
    station = _by_id(manifest)[one[0]]
    return Fraction(station.votes(contest.above).winner, station.cast)


@lru_cache(maxsize=4)
def _by_id(manifest: Frozen) -> dict[str, Station]:
    return {one.id: one for one in manifest.stations}


def as_reported(manifest: Frozen, records: Records | None, contest: Contest, seed: str) -> Iterator[Ballot]:
    """Ballots as the size of a round takes them to come: each as its record says, or as its station's totals say on the average.

    Those of the stations are drawn under another label: the size of a round must not know what the audit draws next.
    """
    if records is not None:
        while True:
            yield Ballot(True, Fraction(1))
    piles = {one.id: one.cast for one in manifest.stations if contest.region in (NATION, one.region)}
    by_id, due, size = _by_id(manifest), Fraction(0), 0
    while True:
        for station, _ in draw_ballots(piles, seed, size + 256, f"ahead,{contest.region}")[size:]:
            part = Fraction(by_id[station].votes(contest.above).winner, piles[station])
            due += part
            yield Ballot(due >= 1, part)
            due -= int(due >= 1)
        size += 256
