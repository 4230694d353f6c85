"""Do the bounds on unseen stations hold? Against every case of small polls counted out, and scipy's hypergeometric."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import DauysError
from dauys.observe.compare.bound import below, unseen, upper_simple, upper_stratified
from dauys.observe.sample import draw as sample

ALPHA = Fraction(1, 20)


def counted_out(population: int, bad: int, n: int, seen: int) -> Fraction:
    """The share of all samples with at most `seen` of the first `bad` stations."""
    samples = list(combinations(range(population), n))
    return Fraction(sum(sum(one < bad for one in sample) <= seen for sample in samples), len(samples))


@pytest.mark.parametrize(("population", "bad", "n"), [(7, 3, 2), (8, 5, 4), (6, 6, 3), (6, 0, 3), (9, 8, 7)])
def test_the_probability_is_that_of_all_samples(population: int, bad: int, n: int) -> None:
    for seen in range(n + 1):
        assert below(population, bad, n, seen) == counted_out(population, bad, n, seen)


def test_against_scipy() -> None:
    from scipy.stats import hypergeom

    for population, bad, n, seen in [(10_012, 58, 500, 0), (10_012, 152, 500, 3), (225, 40, 60, 5), (225, 200, 60, 50)]:
        assert float(below(population, bad, n, seen)) == pytest.approx(
            hypergeom.cdf(seen, population, bad, n), rel=1e-9
        )


@given(st.integers(2, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_the_simple_bound_is_the_last_that_could_be(population: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, population))
    differing = data.draw(st.integers(0, n))
    most = upper_simple(population, n, differing)
    assert differing <= most <= population - (n - differing)
    assert most == differing or below(population, most, n, differing) > ALPHA
    if most < population - (n - differing):
        assert below(population, most + 1, n, differing) <= ALPHA


def test_numbers_by_hand() -> None:
    # 10 stations, 5 compared, none differs: C(7,5)/C(10,5) = 21/252 > 1/20, C(6,5)/C(10,5) = 6/252 < 1/20
    assert upper_simple(10, 5, 0) == 3
    assert upper_simple(10, 10, 2) == 2
    assert upper_simple(10_012, 500, 0) == 58  # observation.md 1.6: 581 drawn see one of 50, 500 one of 59


def tail(strata: list[tuple[int, int]], bad: tuple[int, ...], seen: int) -> Fraction:
    """The probability that all strata together show at most `seen`, by convolution."""
    chances = {0: Fraction(1)}
    for (size, n), here in zip(strata, bad, strict=True):
        more: dict[int, Fraction] = {}
        for k in range(min(here, n) + 1):
            if n - k <= size - here:
                chance = Fraction(comb(here, k) * comb(size - here, n - k), comb(size, n))
                for total, before in chances.items():
                    more[total + k] = more.get(total + k, Fraction(0)) + before * chance
        chances = more
    return sum((chance for total, chance in chances.items() if total <= seen), Fraction(0))


@pytest.mark.parametrize("strata", [[(8, 3), (5, 3)], [(6, 3), (6, 3), (4, 4)], [(18, 9), (12, 8)]])
@pytest.mark.parametrize("differing", [0, 1, 2])
def test_the_stratified_bound_covers_every_way_they_can_lie(strata: list[tuple[int, int]], differing: int) -> None:
    """Whoever says "at most D" is wrong in no more than 5 % of samples, wherever more than D stations lie."""
    most = upper_stratified(strata, differing)
    population = sum(size for size, _ in strata)
    assert differing < most < population
    for bad in product(*(range(size + 1) for size, _ in strata)):
        if sum(bad) > most:
            assert tail(strata, bad, differing) <= ALPHA, bad


def test_where_the_inequality_does_not_reach_nothing_is_ruled_out() -> None:
    """Hoeffding's holds one below the mean and further: 3 stations have a mean of 3/2, and 1 is not below 1/2."""
    assert upper_stratified([(30, 15), (20, 12)], 1, Fraction(3, 10)) == 3


def test_strata_without_a_comparison_may_all_differ() -> None:
    assert upper_stratified([(10, 5), (7, 0)], 0) == 3 + 7
    assert upper_stratified([(4, 0)], 0) == 4
    assert upper_stratified([(4, 4), (3, 3)], 2) == 2


def test_missing_copies_count_against_the_official_count() -> None:
    found = unseen([(100, 40, 30)], 1)
    assert (found.compared, found.population, found.method) == (30, 100, "exact hypergeometric")
    assert found.at_most == upper_simple(100, 30, 1)
    assert found.if_missing_differ == upper_simple(100, 40, 11) > found.at_most
    assert found.beyond == found.at_most - 1


def test_a_binomial_bound_would_be_wrong_for_a_draw_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every order of four stations and every start of the draw itself: why nothing is said of a draw by size."""
    sizes, times = [39, 39, 11, 11], Counter[tuple[int, ...]]()
    for order in permutations(range(4)):
        for begin in range(sum(sizes)):
            monkeypatch.setattr(sample, "lowest", lambda seed, ids, n, order=order: list(order))
            monkeypatch.setattr(sample, "start", lambda seed, label, below, begin=begin: begin)
            chosen, pi = sample._by_size("", "", list("ABCD"), sizes, 2)
            times[tuple(sorted(chosen))] += 1
    draws = 24 * sum(sizes)
    for place in range(4):
        assert (
            Fraction(sum(n for both, n in times.items() if place in both), draws)
            == pi[place]
            == sizes[place] / Fraction(50)
        )
    both_small = Fraction(times[2, 3], draws)
    assert both_small == Fraction(11, 150) > pi[2] * pi[3]
    # the two large ones differ and none is seen: with replacement that says "less than 78 % of the voters differ" at 95 %
    assert Fraction(22, 100) ** 2 < ALPHA < both_small
    assert upper_stratified([(2, 0), (2, 2)], 0) == 2, "by strata of size the bound holds: both may differ"


def test_what_cannot_be_is_refused() -> None:
    for population, n, differing in [(10, 11, 0), (10, 5, 6), (10, 5, -1)]:
        with pytest.raises(DauysError, match="cannot be"):
            upper_simple(population, n, differing)
