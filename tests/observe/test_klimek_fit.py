"""Does the model of moved votes find what was put in, and nothing where nothing was?"""

from __future__ import annotations

import control_elections
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.observe.indicators.counts import Counts
from dauys.observe.indicators.klimek import _triangle, components, fit

START = (0.55, 0.07), (0.5, 0.08)


def votes(incremental: float, extreme: float, stations: int = 4000, seed: int = 3) -> Counts:
    """Stations drawn as the article draws them: normal turnout and share, votes moved in a part of them."""
    chance = np.random.default_rng(seed)
    voters = chance.integers(300, 2500, stations)
    turnout, share = (np.clip(chance.normal(*one, stations), 0.01, 0.99) for one in START)
    kind = chance.random(stations)
    part = np.abs(chance.normal(0, 0.2, stations))
    nearly = 1 - np.abs(chance.normal(0, 0.075, stations))
    moved = np.clip(np.where(kind < incremental, part, np.where(kind < incremental + extreme, nearly, 0)), 0, 1)
    after = turnout + moved * (1 - turnout)
    won = turnout * share + moved * (1 - turnout) + np.where(moved > 0, moved**1.5, 0) * turnout * (1 - share)
    cast = np.rint(voters * after).astype(np.int64)
    return Counts(
        {"registered": voters, "cast": cast, "yes": np.minimum(np.rint(voters * won).astype(np.int64), cast)}, {}
    )


def test_what_was_put_in_is_found() -> None:
    found = fit(votes(0.4, 0.04))
    assert found is not None and found.fits and found.misfit < 0.08
    assert found.incremental == pytest.approx(0.4, abs=0.09) and found.extreme == pytest.approx(0.04, abs=0.01)
    assert found.turnout == pytest.approx(START[0], abs=0.01) and found.share == pytest.approx(START[1], abs=0.015)


def test_a_vote_that_nobody_doubts_has_nothing_moved() -> None:
    found = fit(control_elections.mexico2018())
    assert found is not None and found.fits and found.incremental < 0.02 and found.extreme < 0.005


def test_each_part_is_a_whole_and_few_stations_say_nothing() -> None:
    for one in components((0.6, 0.1), (0.5, 0.1), 0.2, 1.5):
        assert one.sum() == pytest.approx(1) and (one >= 0).all()
    assert fit(votes(0, 0, 150)) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=8, max_size=8))
def test_the_parts_are_the_best_of_the_triangle(numbers: list[float]) -> None:
    """Against a fine grid over the triangle."""
    ways, rest = np.array(numbers[:6]).reshape(3, 2), np.array([*numbers[6:], 0.5])
    square, right = ways.T @ ways, ways.T @ rest
    best = _triangle(square, right)

    def value(f: np.ndarray) -> float:
        return float(f @ square @ f / 2 - right @ f)

    assert best.min() >= -1e-12 and best.sum() <= 1 + 1e-12
    grid = [np.array([a, b]) / 20 for a in range(21) for b in range(21 - a)]
    assert value(best) <= min(map(value, grid)) + 1e-9
