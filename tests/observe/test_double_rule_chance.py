"""How likely are two thirds of the territories? Held against enumeration, exact fractions and simulation."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import DauysError
from dauys.observe.estimates.domains import Domain
from dauys.observe.estimates.double_rule import at_least, chance_of_yes, double_rule, needed_of
from dauys.observe.estimates.estimate import Estimate


def of(share: float, se: float, df: int = 30) -> Estimate:
    return Estimate(share, se, (0.0, 1.0), df, None, None, df + 1, "combined ratio of a domain")


def test_the_integer_rule() -> None:
    assert [needed_of(territories) for territories in (17, 20, 3, 1, 87)] == [12, 14, 2, 1, 58]
    for territories in range(1, 60):
        k = needed_of(territories)
        assert 3 * k >= 2 * territories > 3 * (k - 1)


@given(st.lists(st.fractions(0, 1, max_denominator=50), max_size=7), st.integers(0, 8))
@settings(max_examples=60)
def test_exact_for_fractions_as_counted_out(chances: list[Fraction], needed: int) -> None:
    counted = Fraction(0)
    for said in product((False, True), repeat=len(chances)):
        if sum(said) >= needed:
            counted += math.prod(
                (chance if yes else 1 - chance for chance, yes in zip(chances, said, strict=True)), start=Fraction(1)
            )
    assert at_least(needed, chances, Fraction(1)) == counted


def test_equal_chances_are_binomial() -> None:
    """P(at least 12 of 17) at 1/2: sum of C(17, k) for k from 12, over 2**17."""
    exact = Fraction(sum(math.comb(17, k) for k in range(12, 18)), 2**17)
    assert at_least(12, [Fraction(1, 2)] * 17, Fraction(1)) == exact
    assert at_least(12, [0.5] * 17, 1.0) == pytest.approx(float(exact), rel=1e-12)


def test_from_regional_estimates_as_simulated() -> None:
    """Seventeen regional estimates; the true shares drawn again from their t distributions 200,000 times."""
    random = np.random.default_rng(5)
    shares, errors = random.uniform(0.42, 0.62, 17), random.uniform(0.02, 0.06, 17)
    regions = [Domain(f"R{n}", of(share, se), 1) for n, (share, se) in enumerate(zip(shares, errors, strict=True))]
    found = double_rule(of(0.53, 0.01), regions, [region.name for region in regions])
    truths = shares + errors * random.standard_t(30, size=(200_000, 17))
    simulated = ((truths > 0.5).sum(axis=1) >= 12).mean()
    assert (found.needed, found.of) == (12, 17)
    assert found.territories[0] == found.territories[1]
    assert abs(found.territories[0] - simulated) < 4.5 * math.sqrt(simulated * (1 - simulated) / 200_000)
    low, high = found.both
    assert found.national is not None and low <= high <= min(found.national, found.territories[0])
    assert low == pytest.approx(max(0.0, found.national + found.territories[0] - 1))


def test_a_territory_that_nobody_saw_widens_the_answer() -> None:
    sure = [Domain(f"R{n}", of(0.7, 0.01), 1) for n in range(11)]
    names = [f"R{n}" for n in range(17)]
    found = double_rule(of(0.6, 0.01), sure, names)
    assert found.territories[0] == pytest.approx(0.0, abs=1e-9) and found.territories[1] == pytest.approx(1.0)
    assert [name for name, chance in found.yes.items() if chance is None] == names[11:]
    with pytest.raises(DauysError, match="R0 is not one of"):
        double_rule(of(0.6, 0.01), sure, names[1:])


def test_one_station_says_nothing_and_a_tie_is_no_yes() -> None:
    assert chance_of_yes(of(0.9, 0.0, df=0)) is None
    assert chance_of_yes(of(float("nan"), 0.1)) is None
    assert (chance_of_yes(of(0.51, 0.0)), chance_of_yes(of(0.49, 0.0)), chance_of_yes(of(0.5, 0.0))) == (1.0, 0.0, None)
    assert chance_of_yes(of(0.5, 0.02)) == pytest.approx(0.5)
