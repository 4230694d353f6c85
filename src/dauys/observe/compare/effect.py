"""What would the totals and the decision be if every copy were right, and how many stations must be wrong to turn the decision?

Decisions are made by `count` alone, in whole numbers and fractions. What a station can hold at most is what the law lets a
missing one hold (its list and the ballot limit): no protocol of a station, however wrong, moves the sums further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.bounds import bounds_of
from dauys.count.decision import Decision
from dauys.count.reach import best, worst
from dauys.law.decision_rule import DecisionRule, Test
from dauys.observe.known.official import Official
from dauys.registers.poll import Contest, Station

Values = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums over the stations that count, in the nation and by area, and what follows from them."""

    totals: Values
    areas: Mapping[str, AreaCount]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Turn:
    """How many stations that nobody compared must be wrong, each by all it can be, to turn one test; None: all do not."""

    test: str
    met: bool
    stations: int | None


@dataclass(frozen=True, slots=True)
class Range:
    """A national share as published with every copy in it, and where it can be if so many unseen stations are wrong at most."""

    test: str
    now: Fraction | None
    least: Fraction | None
    greatest: Fraction | None


@dataclass(frozen=True, slots=True)
class Effect:
    """`published` as the record has it, `copies` with every differing copy instead; what unseen stations could still do.

    `turns` are the tests that decide; `least` the fewest unseen stations that could change the outcome (None: no number of
    them). `unseen` is how many may differ (bound.Unseen.beyond; None: no bound is known).
    """

    published: Counted
    copies: Counted
    replaced: tuple[str, ...]
    turns: tuple[Turn, ...]
    ranges: tuple[Range, ...]
    unseen: int | None

    @property
    def least(self) -> int | None:
        if self.copies.decision.outcome == "tie":  # any station tips it
            return 1
        return min((turn.stations for turn in self.turns if turn.stations is not None), default=None)

    @property
    def changed(self) -> bool:
        """Whether the copies give another outcome."""
        return self.published.decision.outcome != self.copies.decision.outcome

    @property
    def can_change(self) -> bool | None:
        """Whether as many unseen stations as may differ could turn the outcome; None where no bound is known."""
        if self.copies.decision.outcome == "undetermined":
            return True
        if self.unseen is None:
            return None
        return self.least is not None and self.unseen >= self.least

    def moved(self) -> dict[str, int]:
        """By how much the copies change each national sum; fields that stay are left out."""
        before, after = self.published.totals, self.copies.totals
        return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def effect(
    official: Official, contest: Contest, copies: Mapping[str, Values], compared: Sequence[str], unseen: int | None
) -> Effect:
    """What follows if every one of `copies` (those that differ, by station) is right.

    `compared` are all stations held against a copy: those cannot be among the unseen. `unseen` is how many others may differ.
    """
    published = count(official, contest, {})
    right = count(official, contest, copies)
    others = _others(official, contest, set(compared) | set(copies))
    turns = tuple(_turn(test, met, right, others) for test, met in _deciding(contest.rule, right.decision))
    asked = [test for test in contest.rule.tests if test.kind == "share"]
    ranges = () if unseen is None else tuple(_range(test, right.totals, others, unseen) for test in asked)
    return Effect(published, right, tuple(sorted(copies)), turns, ranges, unseen)


def count(official: Official, contest: Contest, instead: Mapping[str, Values]) -> Counted:
    """Sums and decision of the record, with `instead` in place of what stations published (a field it lacks stays)."""
    rule, poll = contest.rule, official.poll
    fields = tuple(dict.fromkeys((*rule.fields, *contest.form.required)))
    sums = {area.code: dict.fromkeys(fields, 0) for area in poll.areas}
    waiting: dict[str, list[Outstanding]] = {area.code: [] for area in poll.areas}
    void = {area.code: official.annulled.get((contest.id, area.code)) for area in poll.areas}
    for name, station in official.stations.items():
        held = official.protocols.get((contest.id, name))
        if void[station.area]:
            waiting[station.area].append(_outstanding(official, station))
        elif (repeat := official.annulled.get((contest.id, name))) is not None:
            if repeat:
                waiting[station.area].append(_outstanding(official, station))
        elif held is None or not held.counted:
            waiting[station.area].append(_outstanding(official, station))
        else:
            total, values = sums[station.area], held.values
            for field, value in ({**values, **instead[name]} if name in instead else values).items():
                if field in total:
                    total[field] += value
    areas = {}
    for area in poll.areas:
        values = {name: sums[area.code][name] for name in rule.fields}
        areas[area.code] = AreaCount.of(values, area.weight, Outstanding.total(waiting[area.code]), void[area.code])
    totals = {name: sum(sums[code][name] for code, area in areas.items() if area.counts) for name in fields}
    return Counted(totals, areas, bounds_of(rule, areas, poll.day).decision)


def _outstanding(official: Official, station: Station) -> Outstanding:
    return Outstanding.of(station.eligible, official.poll.ballot_limit.cap(station.eligible))


def _deciding(rule: DecisionRule, decision: Decision) -> list[tuple[Test, bool]]:
    """The tests up to the first that is not met, with whether they are met: another outcome must turn one of these.

    Empty where the outcome is open, or the law is not loaded.
    """
    found = []
    for test, result in zip(rule.tests, decision.tests, strict=False):
        if result.met is None:
            return []
        found.append((test, result.met))
        if not result.met:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Others:
    """The stations that nobody compared, with what they published and what each can hold at most."""

    rule: DecisionRule
    areas: tuple[str, ...]
    values: tuple[Values, ...]
    most: tuple[Outstanding, ...]

    def end(self, test: Test, *, down: bool) -> tuple[Values, Values, Values]:
        """What the test's worst (best) case makes of a listed voter, of an added one and of the list."""
        scenario = worst(self.rule, test.share) if down else best(self.rule, test.share)
        register = set(self.rule.fields_with("register"))
        return scenario.listed, scenario.added, {name: int(name in register) for name in self.rule.fields}

    def moves(self, test: Test, *, down: bool) -> list[int]:
        """By how much each station, wrong by all it can be, lowers (raises) the margin q value - p of; never below 0."""
        margin = test.share.margin
        listed, added, register = (margin(part) for part in self.end(test, down=down))
        sign = 1 if down else -1
        return [
            max(0, sign * (margin(values) - most.listed * listed - most.added * added - most.eligible * register))
            for values, most in zip(self.values, self.most, strict=True)
        ]


def _others(official: Official, contest: Contest, known: Set[str]) -> _Others:
    found = [
        (station, held.values)
        for name, station in official.stations.items()
        if name not in known and (held := official.protocols.get((contest.id, name))) is not None and held.counted
    ]
    return _Others(
        contest.rule,
        tuple(station.area for station, _ in found),
        tuple(values for _, values in found),
        tuple(_outstanding(official, station) for station, _ in found),
    )


def _turn(test: Test, met: bool, now: Counted, others: _Others) -> Turn:
    moves = others.moves(test, down=met)
    strict = test.share.threshold.strict
    if test.of_areas is None:
        return Turn(test.name, met, _needed(test.share.margin(now.totals), strict, met, moves))
    won, weight = Fraction(0), sum((area.weight for area in now.areas.values()), Fraction(0))
    by_area: dict[str, list[int]] = {code: [] for code in now.areas}
    for code, move in zip(others.areas, moves, strict=True):
        by_area[code].append(move)
    flips: list[int] = []
    for code, area in now.areas.items():
        holds = area.counts and test.share.met(area.values)
        won += area.weight if holds else 0
        if holds == met and area.counts:
            needed = _needed(test.share.margin(area.values), strict, met, by_area[code])
            flips += [] if needed is None else [needed]
    # each area that turns takes at most the heaviest weight: exact where all weigh the same, else too few rather than too many
    heaviest = max(area.weight for area in now.areas.values())
    for turned, total in enumerate(accumulate(sorted(flips)), 1):
        least = won - turned * heaviest if met else won + turned * heaviest
        if test.of_areas.met(least, weight) != met:
            return Turn(test.name, met, total)
    return Turn(test.name, met, None)


def _needed(margin: int, strict: bool, met: bool, moves: Sequence[int]) -> int | None:
    """The fewest stations whose moves take a margin across the boundary; None where all of them do not.

    To fail, a margin of at most 0 is enough where more is asked than the share, else one below 0; to hold, the other way round.
    """
    gap = margin + (not strict) if met else strict - margin
    for number, total in enumerate(accumulate(sorted(moves, reverse=True)), 1):
        if total >= gap:
            return number
    return None


def _range(test: Test, totals: Values, others: _Others, unseen: int) -> Range:
    """The share with the `unseen` stations of the largest moves wrong by all they can be, downward and upward."""
    ends: list[Fraction | None] = []
    for down in (True, False):
        listed, added, register = others.end(test, down=down)
        moves = others.moves(test, down=down)
        end = dict(totals)
        for place in sorted(range(len(moves)), key=lambda one: -moves[one])[:unseen]:
            values, most = others.values[place], others.most[place]
            for name in test.share.fields:
                most_of = most.listed * listed[name] + most.added * added[name] + most.eligible * register[name]
                end[name] += most_of - values[name]
        ends.append(_share(test, end))
    return Range(test.name, _share(test, totals), ends[0], ends[1])


def _share(test: Test, values: Values) -> Fraction | None:
    whole = test.share.of.of(values)
    return Fraction(test.share.value.of(values), whole) if whole else None
