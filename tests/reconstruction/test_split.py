"""Does the bounded largest remainder keep sums, bounds and proportion?"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.reconstruction.split import CannotSplit, split
from dauys.reconstruction.tickets import bells, ranks, shares, tickets


def ints(values):
    return np.array(values, dtype=np.int64)


@st.composite
def problems(draw):
    n = draw(st.integers(1, 12))
    small = st.lists(st.integers(0, 400), min_size=n, max_size=n)
    weights = draw(st.lists(st.integers(1, 1 << 20), min_size=n, max_size=n))
    lower, width = draw(small), draw(small)
    upper = [low + w for low, w in zip(lower, width, strict=True)]
    total = draw(st.integers(sum(lower), sum(upper)))
    return total, weights, lower, upper


def exact_quotas(total, weights, lower, upper):
    """clip(f * weight, lower, upper) with the exact factor f: the oracle, in fractions, by walking the corners."""

    def reach(f):
        return [min(max(f * w, Fraction(lo)), Fraction(hi)) for w, lo, hi in zip(weights, lower, upper, strict=True)]

    corners = sorted({Fraction(b, w) for b, w in zip((*lower, *upper), (*weights, *weights), strict=True)})
    below = max((f for f in corners if sum(reach(f)) <= total), default=Fraction(0))
    moving = sum(w for w, lo, hi in zip(weights, lower, upper, strict=True) if lo <= below * w < hi)
    return reach(below + Fraction(total - sum(reach(below)), moving) if moving else below)


@given(problems())
@settings(max_examples=80, deadline=None)
def test_sum_bounds_and_quota(problem):
    total, weights, lower, upper = problem
    parts = split(total, ints(weights), ints(lower), ints(upper), ints(range(len(weights)))).tolist()
    assert sum(parts) == total
    quotas = exact_quotas(*problem)
    assert sum(quotas) == total
    for part, low, high, quota in zip(parts, lower, upper, quotas, strict=True):
        assert low <= part <= high
        assert abs(part - quota) < 1 + Fraction(1, 1 << 12), "rounded down or up, never further"


@given(st.lists(st.integers(1, 60), min_size=1, max_size=10), st.integers(0, 500))
@settings(max_examples=80, deadline=None)
def test_without_bounds_it_is_the_method_of_largest_remainders(weights, total):
    free = ints([total] * len(weights))
    parts = split(total, ints(weights), free * 0, free, ints(range(len(weights)))).tolist()
    quotas = [Fraction(total * w, sum(weights)) for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(quotas[i] % 1), weights[i], i))
    expected = [int(q) for q in quotas]
    for i in order[: total - sum(expected)]:
        expected[i] += 1
    assert parts == expected


def test_equal_weights_go_by_ticket():
    one = ints([1, 1, 1])
    assert split(1, one, one * 0, one, ints([5, 2, 9])).tolist() == [0, 1, 0]
    assert split(2, one, one * 0, one, ints([5, 2, 9])).tolist() == [1, 1, 0]


@pytest.mark.parametrize(("total", "lower", "upper"), [(5, [3, 3], [9, 9]), (20, [0, 0], [9, 9]), (1, [2, 0], [1, 9])])
def test_no_room_is_said(total, lower, upper):
    with pytest.raises(CannotSplit, match=f"cannot divide {total}"):
        split(total, ints([1, 1]), ints(lower), ints(upper), ints([0, 1]))


def test_too_fine_weights_are_refused_rather_than_overflow():
    with pytest.raises(ValueError, match="64-bit"):
        split(1 << 40, ints([1 << 60, 1]), ints([0, 0]), ints([1 << 40, 1 << 40]), ints([0, 1]))


def test_tickets_are_pinned():
    drawn = tickets("seed", "label", 3)
    assert bytes(drawn[0]).hex() == "a81ed58a40bd2397ba75b1b8642ad2ebf64a80d3c54b5eee74549cc084681c18"
    assert ranks(drawn).tolist() == [4191248578556202508, 7270804360509641272, 3125541514289926420]
    assert bells(drawn).tolist() == [73882, 12908, -810]


def test_shares_centre_on_the_share_asked_for_and_vary_more_for_few():
    drawn = tickets("seed", "shares", 4000)
    large = shares(3, 4, ints([2000] * 4000), 200, drawn, ints([0] * 4000)) / 65536
    small = shares(3, 4, ints([40] * 4000), 200, drawn, ints([0] * 4000)) / 65536
    assert abs(large.mean() - 0.75) < 0.01
    assert 0.03 < large.std() < small.std() < 0.12
    assert small.min() > 0
    assert small.max() < 1
