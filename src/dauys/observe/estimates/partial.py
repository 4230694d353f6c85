"""What can be said while stations are still missing? Three answers side by side, and whether to publish any of them.

Stations that are late are not like those that came: the interval under "missing at random within the stratum" is labelled so
and never stands alone. Beside it a band (the missing have their stratum's share plus or minus a declared shift) and the worst
case (the missing are all for, or all against). No station is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from dauys.errors import DauysError
from dauys.observe.estimates.design import Design, Floats, Ints, coded, design_of, joined
from dauys.observe.estimates.estimate import Estimate, Pps, ratio

Bools = npt.NDArray[np.bool_]

SHIFT = 0.05
"""The band's shift where none is declared: 5 points. In Mexico in 2018 missing stations differed by up to 2.3."""


@dataclass(frozen=True, slots=True)
class Gate:
    """When an estimate may be published; declared before the night.

    At least `response` of the drawn stations came; no more than `thin` of the drawn stations are in strata of which less than
    `in_stratum` came; and over the last `snapshots` (this one included) the estimate moved no more than half the width of
    the interval now.
    """

    response: Fraction = Fraction(67, 100)
    in_stratum: Fraction = Fraction(1, 3)
    thin: Fraction = Fraction(1, 10)
    snapshots: int = 3


@dataclass(frozen=True, slots=True)
class Sampled:
    """The sample as it was drawn, one value a station: stratum, weight (1/probability), stations in the stratum."""

    strata: Sequence[str]
    weights: Floats
    population: Floats | None = None
    pi: Floats | None = None

    def __len__(self) -> int:
        return len(self.weights)


@dataclass(frozen=True, slots=True)
class Partial:
    """What is known now. `found` holds if what is missing is missing at random within its stratum.

    `band` is the sensitivity band with the sampling error on both sides, `worst` the bounds whatever the missing stations say (no
    sampling error in them). `empty`: strata with nothing; `reasons`: why not to publish (none: publish).
    """

    found: Estimate
    design: Design
    designed: int
    received: int
    empty: tuple[str, ...]
    joined: tuple[tuple[str, ...], ...]
    shift: float
    band: tuple[float, float]
    worst: tuple[float, float]
    reasons: tuple[str, ...]

    @property
    def publish(self) -> bool:
        return not self.reasons

    def to_json(self) -> dict[str, Any]:
        return {
            "assumes": "missing at random within the stratum",
            "designed": self.designed,
            "received": self.received,
            "empty_strata": list(self.empty),
            "joined": [list(group) for group in self.joined],
            "shift": self.shift,
            "band": list(self.band),
            "worst": list(self.worst),
            "publish": self.publish,
            "reasons": list(self.reasons),
        }


def partial(
    sampled: Sampled,
    received: Bools,
    y: Floats,
    x: Floats,
    *,
    gate: Gate = Gate(),
    before: Sequence[float] = (),
    shift: float = SHIFT,
    empty: str = "collapse",
    lonely: str = "collapse",
    pps: Pps | None = None,
    kind: str = "t",
    confidence: float = 0.95,
) -> Partial:
    """The state of a night. `received` marks the stations that came; y and x are 0 (or anything) where they did not.

    `before` are the estimates of earlier snapshots, oldest first. `empty` says what becomes of a stratum with nothing: it is
    joined with its neighbour (`collapse`: design.joined), or left out of the whole (`drop`: the estimate then is of the other
    strata). Raises DauysError where nothing came.
    """
    if not received.any():
        raise DauysError("no station has come yet: there is nothing to estimate from")
    if empty not in ("collapse", "drop"):
        raise DauysError(f"no such rule for a stratum with nothing: {empty}; there are collapse, drop")
    names, of_row = coded(sampled.strata)
    came = np.bincount(of_row[received], minlength=len(names))
    drawn = np.bincount(of_row, minlength=len(names))
    nothing = tuple(names[place] for place in np.flatnonzero(came == 0).tolist())
    groups = joined(came.tolist(), 1)
    group_of = np.empty(len(names), dtype=np.int64)
    for number, members in enumerate(groups):
        group_of[members] = number
    used = group_of[of_row]
    found, design = _at_random(
        sampled,
        received,
        y,
        x,
        used if empty == "collapse" else of_row,
        names,
        groups,
        empty,
        lonely,
        pps,
        kind,
        confidence,
    )
    low, high = _bounds(sampled.weights, received, y, x, used, len(groups), shift)
    half = (found.ci[1] - found.ci[0]) / 2
    worst = _bounds(sampled.weights, received, y, x, used, len(groups), 1.0)
    reasons = _reasons(gate, came, drawn, found.estimate, half, before)
    return Partial(
        found, design, len(sampled), int(received.sum()), nothing,
        tuple(tuple(names[place] for place in members) for members in groups if len(members) > 1),
        shift, (max(0.0, low - half), min(1.0, high + half)), worst, reasons,
    )  # fmt: skip


def _at_random(
    sampled: Sampled, received: Bools, y: Floats, x: Floats, used: Ints, names: Sequence[str], groups: list[list[int]],
    empty: str, lonely: str, pps: Pps | None, kind: str, confidence: float,
) -> tuple[Estimate, Design]:  # fmt: skip
    """The estimate from what came: within its group of strata each station stands for the missing ones as well."""
    size = int(used.max()) + 1
    weights = sampled.weights
    whole = np.bincount(used, weights=weights, minlength=size)
    present = np.bincount(used[received], weights=weights[received], minlength=size)
    grown = weights[received] * (whole / np.where(present > 0, present, 1.0))[used[received]]
    labels = names if empty == "drop" else ["+".join(names[place] for place in members) for members in groups]
    population = None
    if sampled.population is not None:
        _, of_row = coded(sampled.strata)
        each = np.zeros(len(names))
        each[of_row] = sampled.population
        of_group = each if empty == "drop" else np.array([each[members].sum() for members in groups])
        population = of_group[used[received]]
    design = design_of(
        int(received.sum()),
        strata=[labels[place] for place in used[received].tolist()],
        population=population,
        weights=grown,
        lonely=lonely,
    )
    if sampled.pi is not None:  # what came is a smaller sample: each station's chance is smaller by what is missing
        design = replace(design, pi=np.minimum(1 / grown, 1.0), population=None)
    return ratio(design, y[received], x[received], pps, kind, confidence), design


def _bounds(
    weights: Floats, received: Bools, y: Floats, x: Floats, used: Ints, size: int, shift: float
) -> tuple[float, float]:
    """The ratio if every missing station has its group's mean x and its group's share less, or plus, the shift."""

    def sums(values: Floats, mask: Bools) -> Floats:
        return np.bincount(used[mask], weights=values[mask], minlength=size).astype(np.float64)

    present_y, present_x = sums(weights * y, received), sums(weights * x, received)
    mean_x = present_x / sums(weights, received)
    absent_x = sums(weights, ~received) * mean_x
    share = np.divide(present_y, present_x, out=np.zeros(size), where=present_x > 0)
    whole = float((present_x + absent_x).sum())
    low, high = (float((present_y + np.clip(share + by, 0.0, 1.0) * absent_x).sum()) / whole for by in (-shift, shift))
    return low, high


def _reasons(
    gate: Gate, came: Ints, drawn: Ints, estimate: float, half: float, before: Sequence[float]
) -> tuple[str, ...]:
    found = []
    received, designed = int(came.sum()), int(drawn.sum())
    if received < gate.response * designed:
        least = -(-gate.response.numerator * designed // gate.response.denominator)
        found.append(f"{received:,} of {designed:,} stations came; at least {least:,} are needed")
    weak = came * gate.in_stratum.denominator < drawn * gate.in_stratum.numerator
    behind = int(drawn[weak].sum())
    if behind > gate.thin * designed:
        found.append(
            f"{int(weak.sum())} strata with {behind:,} stations have less than {gate.in_stratum} of theirs; "
            f"at most {gate.thin} of all stations may be in such strata"
        )
    recent = [*before, estimate][-gate.snapshots :]
    if len(recent) < gate.snapshots:
        found.append(f"{len(recent)} of the {gate.snapshots} snapshots that show whether it is stable")
    elif not max(recent) - min(recent) <= half:
        found.append(f"it moved by {max(recent) - min(recent):.4f} over {gate.snapshots} snapshots; at most {half:.4f}")
    return tuple(found)
