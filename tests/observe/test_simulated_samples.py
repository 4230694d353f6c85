"""Does the 95 % interval hold the truth in 95 % of samples? 2,000 samples of real stations; the table of observation.md 1.3."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache

import numpy as np
import pytest
from observed_data import RUSSIA, there

from dauys.errors import DauysError
from dauys.observe.sample.allocation import shared
from dauys.observe.sample.frame import Columns, Frame, read_frame
from dauys.observe.sample.simulate import Simulated, simulate, without_replacement

TABLE = {  # stations: standard error in points, simple and stratified by 87 regions (400 replicates each)
    300: (0.847, 0.708),
    600: (0.603, 0.503),
    1000: (0.468, 0.389),
    1500: (0.379, 0.314),
}


@cache
def russia() -> tuple[Frame, list[list[int]]]:
    """The vote of 2020 and its stations by region, without the 11 that have no voters or an empty box."""
    listed = read_frame(there(RUSSIA), Columns(("region", "tik", "uik"), ("region",), "voters", "yes", "in_box"))
    assert listed.sizes is not None and listed.wholes is not None
    places: dict[str, list[int]] = {}
    for place in np.flatnonzero((listed.sizes > 0) & (listed.wholes > 0)).tolist():
        places.setdefault(listed.strata[place], []).append(place)
    return listed, [places[name] for name in sorted(places)]


@cache
def simulated(n: int, stratified: bool, samples: int = 2000) -> Simulated:
    listed, strata = russia()
    if not stratified:
        return simulate(listed, [[place for members in strata for place in members]], [n], "table", samples)
    sizes = [len(members) for members in strata]
    return simulate(listed, strata, shared(n, sizes, sizes), "table", samples)


@pytest.mark.parametrize("n", [300, 600, 1000])
@pytest.mark.parametrize("stratified", [False, True])
def test_coverage_is_ninety_five_per_cent(n: int, stratified: bool) -> None:
    found = simulated(n, stratified)
    assert abs(found.coverage - 0.95) <= 0.0125, found  # 2,000 samples: two standard deviations of chance are 1 point
    assert abs(found.bias) < 4 * found.se / math.sqrt(2000) + 2e-4
    expected = TABLE[n][stratified] / 100
    assert found.se == pytest.approx(expected, rel=0.09)  # of 400 replicates: a standard deviation is 3.5 %
    assert found.mean_width == pytest.approx(2 * 1.96 * found.mean_se, rel=0.01)


def test_a_thousand_stratified_stations_keep_the_promise_to_the_point() -> None:
    found = simulated(1000, True)
    assert 0.94 <= found.coverage <= 0.96
    assert 0.013 < found.mean_width < 0.017


def test_samples_are_simple_samples() -> None:
    """Every subset of 3 of 6 comes up as often as any other: chi-square on 20 of them."""
    drawn = without_replacement("s", 20_000, 6, 3)
    assert all(len(set(row)) == 3 for row in drawn[:500].tolist())
    counts = Counter(tuple(sorted(row)) for row in drawn.tolist())
    assert len(counts) == 20
    chi2 = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert chi2 < 46  # 19 degrees of freedom: 0.05 %
    assert (without_replacement("s", 5, 6, 3) == without_replacement("s", 5, 6, 3)).all()


def test_a_simulation_needs_a_vote_and_two_stations() -> None:
    with pytest.raises(DauysError, match="past vote"):
        simulate(Frame("", ("a", "b")), [[0, 1]], [2], "s")
    listed, strata = russia()
    with pytest.raises(DauysError, match="two stations"):
        simulate(listed, strata[:1], [1], "s")
