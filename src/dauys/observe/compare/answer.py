"""What does the whole comparison of one contest say: stations, national shares, effect, in numbers and in plain words?

Its JSON is the answer of `dauys compare --json` and the twin of the mission's page (docs/comparison.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from dauys.errors import BadInput
from dauys.observe.compare.bound import BY_SIZE, CONFIDENCE, Unseen, unseen
from dauys.observe.compare.effect import Counted, Effect, effect
from dauys.observe.compare.national import Measure, National, measures_of, national
from dauys.observe.compare.standing import COMPARED, Book, Comparison, Copy, Standing, book_of, compare
from dauys.observe.known.official import Official
from dauys.observe.night.snapshots import Drawn, drawn_of_draw


@dataclass(frozen=True, slots=True)
class Answer:
    """One contest, compared. `no_bound` says why `unseen` is None; `effect` is None where no rule decides (a table)."""

    comparison: Comparison
    national: tuple[National, ...]
    unseen: Unseen | None
    no_bound: str
    effect: Effect | None
    official: Mapping[str, Any]
    frame_sha256: str | None = None
    areas: Mapping[str, str] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether no copy differs without a correction, and no national share lies outside what the sample allows."""
        return not self.comparison.counts["differ"] and all(one.agrees is not False for one in self.national)

    def to_json(self) -> dict[str, Any]:
        counts = self.comparison.counts
        return {
            "contest": self.comparison.contest,
            "agrees": self.agrees,
            "official": dict(self.official),
            "frame_sha256": self.frame_sha256,
            "stations": {"drawn": len(self.comparison.stations), "compared": self.comparison.compared, **counts},
            "differences": [
                station_json(one) for one in self.comparison.stations if one.standing != "agree" and one.copy
            ],
            "without_copy": [one.station for one in self.comparison.stations if one.copy is None],
            "national": [one.to_json() for one in self.national],
            "unseen": None if self.unseen is None else _unseen(self.unseen),
            "no_bound": self.no_bound,
            "effect": None if self.effect is None else _effect(self.effect),
            "words": words(self),
        }


def answer_of(
    copies: Mapping[tuple[str, str], Copy], official: Official, draw: Mapping[str, Any] | None, at: datetime | None,
    contest: str | None = None, option: str | None = None, confidence: float = 0.95, sampled: Sequence[str] = (),
) -> Answer:  # fmt: skip
    """The comparison with a record. `draw` is the sample as `dauys sample --json` says it; None: `sampled` are the stations.

    Without a draw nothing is said of the nation: nobody knows how the stations were chosen.
    """
    found = official.poll.contest(contest)
    measures = measures_of(found, option)
    drawn = None if draw is None else drawn_of_draw(draw)
    stations = list(sampled) if drawn is None else list(drawn.ids)
    made = compare(copies, book_of(official, found.id), stations)
    counted = [one.values for (name, _), one in official.protocols.items() if name == found.id and one.counted]
    shares, bound, why = _nation(made, measures, drawn, draw, counted, at, confidence)
    right = {one.station: one.copy.values for one in made.differing if one.copy and one.standing != "quarantined"}
    compared = [one.station for one in made.stations if one.standing in COMPARED]
    result = effect(official, found, right, compared, None if bound is None else bound.beyond)
    source = {
        "poll": official.poll.id, "size": official.size, "root": official.root, "log": official.log_key,
        "as_of": official.as_of, "declared": official.declared, "counted": len(counted), "stations": len(official.stations),
    }  # fmt: skip
    areas = {name: station.area for name, station in official.stations.items()}
    return Answer(made, shares, bound, why, result, source, None if draw is None else draw["frame_sha256"], areas)


def answer_of_table(
    copies: Mapping[tuple[str, str], Copy], book: Book, measures: Sequence[Measure], draw: Mapping[str, Any] | None,
    at: datetime | None, source: Mapping[str, Any], confidence: float = 0.95,
) -> Answer:  # fmt: skip
    """The comparison with a table of protocols: no rule, so no decision."""
    drawn = None if draw is None else drawn_of_draw(draw)
    stations = [name for _, name in copies] if drawn is None else list(drawn.ids)
    made = compare(copies, book, stations)
    counted = [one.values for one in book.published.values() if one.counted]
    shares, bound, why = _nation(made, measures, drawn, draw, counted, at, confidence)
    return Answer(made, shares, bound, why, None, source, None if draw is None else draw["frame_sha256"], book.areas)


def station_json(one: Standing) -> dict[str, Any]:
    """One station: what was copied, what is published, where they differ."""
    published = one.published
    return {
        "station": one.station,
        "area": one.area,
        "standing": one.standing,
        "fields": {d.field: {"copy": d.copy, "published": d.published} for d in one.differences},
        "copy": dict(one.copy.values) if one.copy else None,
        "published": None if published is None else dict(published.values),
        "of": None if published is None or published.index < 0 else published.index,
        "unread": list(one.unread),
        "corrected": None if one.corrected is None else {"of": one.corrected.index, "reason": one.corrected.reason},
        "photos": list(one.copy.photos) if one.copy else [],
        "report": one.copy.report if one.copy else None,
    }


def _nation(
    made: Comparison, measures: Sequence[Measure], drawn: Drawn | None, draw: Mapping[str, Any] | None,
    counted: Sequence[Mapping[str, int]], at: datetime | None, confidence: float,
) -> tuple[tuple[National, ...], Unseen | None, str]:  # fmt: skip
    if drawn is None or draw is None:
        return (), None, "no draw was given: how the stations were chosen is not known"
    copies = {name: copy.values for name, copy in made.usable.items()}
    void = [one.station for one in made.stations if one.standing == "annulled"]
    found = [national(one, drawn, copies, counted, at, confidence, void) for one in measures]
    shares = tuple(one for one in found if one is not None)
    if drawn.sampled.pi is not None:
        return shares, None, BY_SIZE
    compared = {one.station for one in made.stations if one.standing in COMPARED}
    strata = [
        (int(one["stations"]), len(one["ids"]), sum(str(name) in compared for name in one["ids"]))
        for one in draw["strata"]
    ]
    return shares, unseen(strata, len(made.differing), _exact(confidence)), ""


def _exact(confidence: float) -> Fraction:
    return CONFIDENCE if confidence == float(CONFIDENCE) else Fraction(str(confidence))


def _unseen(found: Unseen) -> dict[str, Any]:
    return {
        "population": found.population, "compared": found.compared, "differing": found.differing,
        "at_most": found.at_most, "if_missing_differ": found.if_missing_differ, "confidence": float(found.confidence),
        "method": found.method, "assumes": "stations without a comparison are like the others of their stratum",
    }  # fmt: skip


def _effect(found: Effect) -> dict[str, Any]:
    def side(one: Counted) -> dict[str, Any]:
        return {"totals": dict(one.totals), "decision": one.decision.to_json()}

    return {
        "published": side(found.published),
        "copies": side(found.copies) | {"stations": list(found.replaced), "moved": found.moved(), "changed": found.changed},
        "unseen": found.unseen,
        "least_to_change": found.least,
        "can_change": found.can_change,
        "tests": [{"name": turn.test, "met": turn.met, "stations": turn.stations} for turn in found.turns],
        "shares": [
            {"name": one.test, "now": _text(one.now), "least": _text(one.least), "greatest": _text(one.greatest)}
            for one in found.ranges
        ],
    }  # fmt: skip


def _text(share: Fraction | None) -> str | None:
    return None if share is None else str(share)


def words(answer: Answer) -> list[str]:
    """The answer in sentences, in English."""
    made, said = answer.comparison, []
    counts = made.counts
    said.append(
        f"{made.compared:,} of {len(made.stations):,} stations compared: {counts['agree']:,} agree, "
        f"{counts['differ']:,} differ, {counts['corrected']:,} agree with what was published before a correction"
    )
    rest = [f"{counts[name]:,} {text}" for name, text in _REST.items() if counts[name]]
    said += [", ".join(rest)] if rest else []
    said += [_national_words(one) for one in answer.national]
    said += [f"implausible margin: {one.implausible}" for one in answer.national if one.implausible]
    if (bound := answer.unseen) is not None:
        said.append(
            f"at {100 * float(bound.confidence):g} % at most {bound.at_most:,} of all {bound.population:,} stations differ "
            f"({bound.method}); {bound.if_missing_differ:,} if every station without a comparison differs"
        )
    else:
        said.append(f"nothing is said of stations that were not compared: {answer.no_bound}")
    return said + (_effect_words(answer.effect) if answer.effect is not None else [])


_REST = {
    "disputed": "disputed between observers", "not-published": "not published", "quarantined": "in quarantine",
    "annulled": "annulled", "unverified": "not verified by the office", "no-copy": "without a copy",
}  # fmt: skip


def _national_words(one: National) -> str:
    found = one.said.found
    state = {True: "within", False: "OUTSIDE", None: "cannot be held against"}[one.agrees]
    return (
        f"{one.measure.name}: official {100 * float(one.official):.3f} %, estimated {100 * found.estimate:.3f} % ± "
        f"{100 * one.allowed:.3f}: the official share is {state} what the sample allows"
    )


def _effect_words(found: Effect) -> list[str]:
    now, then = found.published.decision.outcome, found.copies.decision.outcome
    moved = ", ".join(f"{name} {change:+,}" for name, change in found.moved().items()) or "no sum"
    said = [
        f"if every copy is right ({len(found.replaced):,} station{'s' * (len(found.replaced) != 1)}): {moved}; the outcome "
        + (f"changes from {now} to {then}" if found.changed else f"stays {now}")
    ]
    if found.least is None:
        return [*said, "no number of stations that nobody compared could change the outcome"]
    text = (
        f"at least {found.least:,} stations that nobody compared would have to be wrong by all they can be to change it"
    )
    if found.unseen is not None:
        verdict = "that cannot be ruled out" if found.can_change else "they cannot"
        text += f"; at most {found.unseen:,} may differ: {verdict}"
    return [*said, text]


def expect_frame(draw: Mapping[str, Any], found: str, file: str) -> None:
    """Refuses a draw from another list than the official one (O.154)."""
    if (drawn_from := str(draw.get("frame_sha256"))) != found:
        raise BadInput(
            "the sample was drawn from another list than the official record has: it changed after the draw, or the draw is of "
            "another poll. If it was drawn from a list of your own, give that file with --frame",
            file=file, found=f"SHA-256 {found}", expected=f"SHA-256 {drawn_from}", check="O.154",
        )  # fmt: skip
