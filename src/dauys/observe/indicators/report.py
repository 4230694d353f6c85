"""All indicators of one election as one answer, each with its assumptions; beside them those of a clean election."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dauys.observe.indicators import density, digits, integers, klimek, redraws, shpilkin
from dauys.observe.indicators.arithmetic import arithmetic
from dauys.observe.indicators.counts import Counts, Ints
from dauys.observe.indicators.discovery import benjamini_hochberg
from dauys.observe.indicators.fingerprint import Fingerprint, fingerprint
from dauys.observe.indicators.neighbours import history, neighbours
from dauys.observe.indicators.words import NOTE, words

LEAST_REGION = 30
"""Stations that a region needs for a test of its own."""


@dataclass(frozen=True, slots=True)
class Options:
    """`draws` of the article's integer test repeated (0: none), `seed` of it, `q` the false discovery rate, `resamples` of the
    density, the clean ranges of Shpilkin's band (None: chosen), the language of the words, and whether the model of moved
    votes is fitted (klimek: a second)."""

    draws: int = redraws.DRAWS
    seed: int = redraws.SEED
    q: float = 0.05
    resamples: int = density.RESAMPLES
    ranges: tuple[tuple[int, int], ...] | None = None
    language: str = "en"
    model: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The answer for --json, and the fingerprint for the pictures (None without registered voters)."""

    body: dict[str, Any]
    fingerprint: Fingerprint | None


def report(counts: Counts, options: Options) -> Report:
    """Every indicator that the columns at hand allow. An indicator that cannot be made says what it needs."""
    print_ = fingerprint(counts) if counts.has("registered") else None
    found: dict[str, dict[str, Any]] = {
        "arithmetic": asdict(arithmetic(counts)),
        "fingerprint": _fingerprint(print_) if print_ else _needs("registered"),
    }
    if print_ and options.model:
        moved = klimek.fit(counts)
        found["fingerprint"]["model"] = None if moved is None else asdict(moved) | {"fits": moved.fits}
    tested = integers.usable(counts)
    chances = integers.chances(tested)
    found["integers"] = {"stations": len(tested)} | {
        kind: asdict(chances.excess(kind)) for kind in integers.KINDS if kind in chances.hits
    }
    if counts.has("registered", "issued"):
        repeated = redraws.redraw(tested, options.draws, options.seed) if options.draws else {}
        found["integers"]["redraws"] = {
            "draws": options.draws, "seed": options.seed, "generator": "MT19937",
        } | {kind: asdict(one) for kind, one in repeated.items()}  # fmt: skip
    found["shpilkin"] = _shpilkin(counts, options) if counts.has("registered") else _needs("registered")
    named = [name for name in ("registered", "cast", "yes", "no") if counts.has(name)]
    found["digits"] = {
        name: {
            "second": asdict(digits.second_digits(counts[name])),
            "last": asdict(digits.last_digits(counts[name])),
        }
        for name in named
    }
    found["density"] = {"share": asdict(density.resampled(counts["yes"], counts["cast"], options.resamples))}
    if counts.has("registered"):
        inside = counts.where(counts["cast"] <= counts["registered"])
        found["density"]["turnout"] = asdict(density.resampled(inside["cast"], inside["registered"], options.resamples))
    found["neighbours"] = asdict(neighbours(counts)) if counts.has("region") else _needs("region")
    past = counts.has("past_cast", "past_yes")
    found["history"] = asdict(history(counts)) if past else _needs("past_cast", "past_yes")
    found["regions"] = _regions(tested, chances, options.q) if counts.has("region") else _needs("region")
    said = words()
    body = {
        "note": NOTE[options.language],
        "stations": len(counts),
        "indicators": {
            name: {
                "title": said[name].title[options.language],
                "says": said[name].says[options.language],
                "assumes": said[name].assumes[options.language],
            }
            | value
            for name, value in found.items()
        },
        "control": control(),
    }
    return Report(body, print_)


@cache
def control_print() -> Ints:
    """The fingerprint of real stations of an election taken as clean (`control()["stations"]`), as `Fingerprint.cells`."""
    found: Ints = np.zeros((101, 101), dtype=np.int64)
    with (Path(__file__).parent / "control_print.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[int(row["turnout"]), int(row["share"])] = int(row["votes"])
    return found


@cache
def control() -> Mapping[str, Any]:
    """The indicators of three elections taken as clean, as this program made them (tests/observe make them again)."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "control.yaml").read_text(encoding="utf-8"))
    return found


def _needs(*columns: str) -> dict[str, Any]:
    return {"needs": list(columns)}


def _fingerprint(found: Fingerprint) -> dict[str, Any]:
    """The cells as `[turnout, share, votes]`, the empty ones left out."""
    cells = [
        [turnout, share, int(found.cells[turnout, share])]
        for turnout, share in zip(*(axis.tolist() for axis in found.cells.nonzero()), strict=True)
    ]
    return {
        "stations": found.stations, "correlation": found.correlation, "full": found.full, "high_share": found.high_share,
        "log_rate": asdict(found.rate), "cells": cells,
    }  # fmt: skip


def _shpilkin(counts: Counts, options: Options) -> dict[str, Any]:
    """The band first: the least and the most over all clean ranges; then each."""
    every = shpilkin.band(counts, options.ranges)
    anomalous = [one.anomalous for one in every]
    return {
        "anomalous": {"least": min(anomalous), "most": max(anomalous)} if every else None,
        "ranges": [asdict(one) for one in every],
    }


def _regions(tested: Counts, chances: integers.Chances, q: float) -> dict[str, Any]:
    kind = "either" if "either" in chances.hits else "share"
    tests = {
        name: chances.excess(kind, chosen) for name, chosen in tested.regions().items() if chosen.sum() >= LEAST_REGION
    }
    p_values = {name: one.p_value for name, one in tests.items()}
    return {
        "method": "Benjamini-Hochberg",
        "q": q,
        "of": kind,
        "tested": len(tests),
        "above": benjamini_hochberg(p_values, q),
        "tests": [{"region": name} | asdict(one) for name, one in tests.items()],
    }
