"""What does the sample say by now, with everything that a figure must carry? From the drawn stations and what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from dauys.errors import BadInput, DauysError
from dauys.observe.estimates.design import Design, Floats, design_of
from dauys.observe.estimates.domains import Domain, domains
from dauys.observe.estimates.estimate import Estimate, Pps, ratio, total, with_variance
from dauys.observe.estimates.partial import SHIFT, Bools, Gate, Partial, Sampled, partial
from dauys.observe.estimates.replicates import ratio_of, replicate_variance, replicated
from dauys.observe.night.sheet import Sheet
from dauys.observe.sample.draw import seed_sha256


@dataclass(frozen=True, slots=True)
class Ask:
    """How to estimate: interval, confidence, rules for strata without enough stations, the band's shift, the gate."""

    interval: str = "t"
    confidence: float = 0.95
    lonely: str = "collapse"
    empty: str = "collapse"
    shift: float = SHIFT
    gate: Gate = Gate()  # noqa: RUF009
    pps: Pps | None = None
    total: bool = False
    replicates: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The sample as designed, in the order of `ids` (or of the table's rows), and where it comes from."""

    sampled: Sampled
    has_strata: bool
    design: str
    population: str
    ids: tuple[str, ...] = ()
    clusters: Sequence[str] | None = None
    frame_sha256: str | None = None
    seed_sha256: str | None = None
    pps: Pps | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One figure with its facts (R2): what it is of, how it was drawn and made, what came and what did not."""

    found: Estimate
    design: Design
    facts: Mapping[str, Any]
    partial: Partial | None = None
    by: Sequence[Domain] = ()
    remarks: Sequence[str] = field(default=())

    def to_json(self) -> dict[str, Any]:
        body = self.found.to_json() | {"facts": dict(self.facts), "remarks": list(self.remarks)}
        body["partial"] = None if self.partial is None else self.partial.to_json()
        if self.by:
            body["by"] = [{"name": one.name, **one.found.to_json()} for one in self.by]
        return body


def drawn_of_sheet(sheet: Sheet) -> Drawn:
    """The design that the table's own columns state: every drawn station is a row, come or not."""
    rows = len(sheet)
    strata = sheet.texts.get("strata")
    named = strata if strata is not None else [""] * rows
    population, weights, pi = (sheet.numbers.get(name) for name in ("fpc", "weight", "pi"))
    clusters = sheet.texts.get("cluster")
    whole = design_of(
        rows, strata=strata, population=population, weights=weights, pi=pi, clusters=clusters, lonely="certainty"
    )
    words = ["with probabilities given" if pi is not None else "stratified" if strata is not None else "simple"]
    words += ["clusters of rows"] if clusters is not None else []
    sizes = whole.population
    unit = "stations" if clusters is None else "sampling units"
    stated = f"about {whole.weights.sum():,.0f} rows by the weights" if sizes is None else f"{sizes.sum():,.0f} {unit}"
    if sizes is None and weights is None and pi is None:
        stated = "not stated: no correction for a finite population"
    sampled = Sampled(named, whole.weights, population, pi)
    return Drawn(sampled, strata is not None, ", ".join(words), stated, tuple(sheet.texts.get("id", ())), clusters)


def drawn_of_draw(body: Mapping[str, Any]) -> Drawn:
    """The design of an answer of `dauys sample --json`. Raises DauysError where it is none."""
    try:
        frame, seed, stations = str(body["frame_sha256"]), str(body["seed"]), [str(name) for name in body["stations"]]
        stratum = {str(name): one for one in body["strata"] for name in one["ids"]}
        names = [str(stratum[name]["name"]) for name in stations]
        sizes = np.array([float(stratum[name]["stations"]) for name in stations])
        counts = np.array([float(len(stratum[name]["ids"])) for name in stations])
        chances = body.get("pi")
        pi = None if not chances else np.array([float(_share(str(chances[name]))) for name in stations])
        constant = body.get("pi_constant")
        design, whole = str(body["design"]["name"]), int(body["population"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise DauysError("this is not a sample: take the file that `dauys sample --json` wrote") from error
    weights = sizes / counts if pi is None else 1 / pi
    several = len(body["strata"]) > 1
    pps = None
    if pi is not None:  # one stratum: what the scheme's own variance needs is known from the frame
        pps = Pps("hartley-rao", None, float(_share(str(constant)))) if constant and not several else Pps("brewer")
    return Drawn(
        Sampled(names, weights, sizes if pi is None else None, pi), several, design,
        f"{whole:,} stations of the frame", tuple(stations), None, frame, seed_sha256(seed), pps,
    )  # fmt: skip


def matched(drawn: Drawn, sheet: Sheet) -> tuple[Bools, Floats, Floats | None, list[int]]:
    """(received, y, x, rows): the table's values in the order of the draw; row -1 for a station without a row.

    Refuses a station that was not drawn: nothing replaces a station.
    """
    place = {name: number for number, name in enumerate(drawn.ids)}
    rows = [-1] * len(place)
    for row, name in enumerate(sheet.texts["id"]):
        if name not in place:
            raise BadInput(
                "this station was not drawn: a station of a sample is never replaced by another",
                file=sheet.file, row=row + 2, found=name, expected="a station of the sample",
            )  # fmt: skip
        rows[place[name]] = row
    at = np.array(rows)
    seen = at >= 0
    received = seen & sheet.received[at]
    y = np.where(received, sheet.numbers["y"][at], 0.0)
    x = sheet.numbers.get("x")
    return received, y, None if x is None else np.where(received, x[at], 0.0), rows


def say(
    drawn: Drawn, received: Bools, y: Floats, x: Floats | None, ask: Ask, at: datetime | None,
    denominator: str, by: Sequence[str] | None = None, before: Sequence[float] = (),
) -> Said:  # fmt: skip
    """The figure by now. With every station come it is the plain estimate; otherwise a partial one, gate and band beside it."""
    sampled, pps = drawn.sampled, ask.pps or drawn.pps
    state: Partial | None = None
    strata = sampled.strata if drawn.has_strata else None
    if received.all():
        design = design_of(
            len(sampled), strata=strata, population=sampled.population, weights=sampled.weights, clusters=drawn.clusters,
            pi=sampled.pi, lonely=ask.lonely,
        )  # fmt: skip
        if ask.total:
            found = total(design, y, pps, ask.interval, ask.confidence)
        else:
            found = ratio(design, y, x, pps, ask.interval, ask.confidence)
            if ask.replicates is not None:
                made = replicated(design, ask.replicates, drawn.seed_sha256 or "dauys")
                spread = replicate_variance(design, made, ratio_of(y, np.ones(len(y)) if x is None else x))
                found = with_variance(found, spread, f"{ask.replicates} of {len(made.scales):,} replicates")
    else:
        if ask.total or ask.replicates or x is None or drawn.clusters is not None:
            raise DauysError(
                "with stations missing only a ratio of stations is estimated: give --x, and no --total, --cluster or replicates"
            )
        state = partial(
            sampled, received, y, x, gate=ask.gate, before=before, shift=ask.shift, empty=ask.empty, lonely=ask.lonely,
            pps=pps, kind=ask.interval, confidence=ask.confidence,
        )  # fmt: skip
        found, design = state.found, state.design
    base = np.ones(int(received.sum())) if x is None else x[received]
    regions: Sequence[Domain] = ()
    if by is not None:
        seen = [name for name, came in zip(by, received.tolist(), strict=True) if came]
        regions = domains(design, y[received], base, seen, pps, ask.interval, ask.confidence)
    facts = {
        "population": drawn.population,
        "denominator": denominator,
        "design": drawn.design,
        "designed": len(sampled),
        "received": int(received.sum()),
        "strata": len(set(sampled.strata)),
        "empty_strata": [] if state is None else list(state.empty),
        "collapsed": [list(group) for group in design.collapsed],
        "without_variance": list(design.certain),
        "at": None if at is None else at.isoformat(),
        "frame_sha256": drawn.frame_sha256,
        "seed_sha256": drawn.seed_sha256,
    }
    return Said(found, design, facts, state, regions, _remarks(found, design, y[received], x is not None, base))


def snapshots(
    drawn: Drawn, came: Sequence[datetime | None], y: Floats, x: Floats, ask: Ask, every: timedelta, until: datetime,
    denominator: str,
) -> list[Said]:  # fmt: skip
    """The night again: what could be said every so often, from the first full interval of the clock after the first arrival."""
    known = [moment for moment in came if moment is not None and moment <= until]
    if not known:
        return []
    at = _floor(min(known), every) + every
    made: list[Said] = []
    while True:
        at = min(at, until)
        received = np.array([moment is not None and moment <= at for moment in came])
        if received.any():
            before = [one.found.estimate for one in made]
            made.append(say(drawn, received, y, x, ask, at, denominator, before=before))
        if at >= until or at >= max(known):
            return made
        at += every


def _floor(moment: datetime, every: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // every * every


def _share(text: str) -> float:
    top, _, bottom = text.partition("/")
    return int(top) / int(bottom or 1)


def _remarks(found: Estimate, design: Design, y: Floats, has_x: bool, x: Floats) -> list[str]:
    said = []
    if has_x and (over := int((y > x).sum())):
        said.append(f"{over:,} rows: y is more than x: this is no share; if y is a part of x, those rows are wrong")
    if has_x and not over and found.interval == "t" and not 0 <= found.ci[0] <= found.ci[1] <= 1:
        said.append("the interval leaves 0 to 1: take --interval logit or beta")
    if design.certain:
        said.append(f"{len(design.certain)} strata with one station add no variance: the standard error is too small")
    if design.population is None and design.pi is None:
        said.append("no correction for a finite population: the standard error is a little too large")
    return said
