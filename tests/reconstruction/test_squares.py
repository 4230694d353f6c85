"""Is the exact least-squares point right, and is a clash really one?"""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.reconstruction.squares import Clash, Condition, nearest

numbers = st.integers(-6, 6).map(Fraction)


@st.composite
def conditions(draw, n, through=None):
    """Random conditions on n unknowns; with `through`, all of them hold at that point."""
    found = []
    for k in range(draw(st.integers(1, 6))):
        row = tuple(draw(st.lists(numbers, min_size=n, max_size=n)))
        equal = draw(st.booleans()) and k < n
        bound = draw(numbers)
        if through is not None:
            value = sum(c * x for c, x in zip(row, through, strict=True))
            bound = value if equal else value - abs(bound)
        found.append(Condition(row, bound, equal, (f"figure-{k}",)))
    return found


def holds(condition, x):
    value = sum(c * v for c, v in zip(condition.coefficients, x, strict=True))
    return value == condition.bound if condition.equal else value >= condition.bound


def distance(x, start, scale):
    return sum(((a - b) / s) ** 2 for a, b, s in zip(x, start, scale, strict=True))


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_where_a_point_exists_the_nearest_is_found(data):
    n = data.draw(st.integers(1, 4))
    point = data.draw(st.lists(numbers, min_size=n, max_size=n))
    start = data.draw(st.lists(numbers, min_size=n, max_size=n))
    scale = [Fraction(data.draw(st.integers(1, 5))) for _ in range(n)]
    wanted = data.draw(conditions(n, point))
    x = nearest(start, scale, wanted)
    assert all(holds(c, x) for c in wanted)
    assert distance(x, start, scale) <= distance(point, start, scale)
    for part in (Fraction(1, 3), Fraction(1, 50)):
        between = [a + part * (b - a) for a, b in zip(x, point, strict=True)]
        assert distance(x, start, scale) <= distance(between, start, scale), "the set is convex: no nearer point inside"


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_the_figures_of_a_clash_exclude_each_other_by_themselves(data):
    n = data.draw(st.integers(1, 3))
    wanted = data.draw(conditions(n))
    start, scale = [Fraction(0)] * n, [Fraction(1)] * n
    try:
        x = nearest(start, scale, wanted)
    except Clash as clash:
        named = [c for c in wanted if c.figures[0] in clash.figures]
        with pytest.raises(Clash):
            nearest(start, scale, named)
    else:
        assert all(holds(c, x) for c in wanted)


def test_by_hand():
    one, zero = Fraction(1), Fraction(0)
    total = Condition((one, one), Fraction(10), True, ("sum",))
    assert nearest([Fraction(4), Fraction(4)], [one, Fraction(2)], [total]) == [Fraction(22, 5), Fraction(28, 5)]
    floor = Condition((one, zero), Fraction(5), False, ("floor",))
    assert nearest([Fraction(4), Fraction(4)], [one, Fraction(2)], [total, floor]) == [5, 5]
    ceiling = Condition((-one, -one), Fraction(-9), False, ("ceiling",))
    with pytest.raises(Clash) as clash:
        nearest([zero, zero], [one, one], [total, floor, ceiling])
    assert set(clash.value.figures) == {"sum", "ceiling"}
