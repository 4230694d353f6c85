"""Do a seed and a list give the same stations for ever, each with the chance that its design says?"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observed_data import RUSSIA, there

from dauys.errors import BadInput, DauysError
from dauys.observe.estimates import claims
from dauys.observe.estimates.design import in_order, joined
from dauys.observe.sample import size
from dauys.observe.sample.allocation import neyman, power, shared
from dauys.observe.sample.draw import Plan, allocate, by_stratum, commitment, draw, keeps, redraw
from dauys.observe.sample.frame import Columns, Frame, read_frame
from dauys.observe.sample.tickets import lowest, ticket

NAMES = [f"A-{number}" for number in range(1, 501)]


def frame(count: int = 500, strata: int = 5) -> Frame:
    numbers = np.arange(count, dtype=np.int64)
    return Frame(
        "f" * 64,
        tuple(f"A-{number + 1}" for number in range(count)),
        tuple(f"S{number % strata}" for number in range(count)),
        sizes=numbers * 7 % 400 + 50,
        parts=numbers % 90,
        wholes=numbers * 7 % 300 + 100,
    )


def test_pinned_tickets() -> None:
    """Made with `printf 'dice,A-1' | sha256sum` over all names, and sort: these may never change."""
    assert ticket("dice", "A-1").hex() == hashlib.sha256(b"dice,A-1").hexdigest()
    assert ticket("dice", "A-1").hex() == "08f9065ef45fa8a2d727480f9cef583ef0fb9ddfab05e5d5306eb5085137b6bd"
    assert [NAMES[place] for place in lowest("dice", NAMES, 5)] == ["A-405", "A-170", "A-428", "A-493", "A-456"]


@given(st.text(max_size=8), st.integers(0, 60), st.lists(st.text(max_size=6), unique=True, max_size=60))
@settings(max_examples=60)
def test_the_lowest_tickets_are_drawn(seed: str, n: int, names: list[str]) -> None:
    order = sorted(range(len(names)), key=lambda place: hashlib.sha256(f"{seed},{names[place]}".encode()).digest())
    assert lowest(seed, names, n) == order[:n]


@given(st.integers(2, 400), st.integers(0, 100), st.permutations(range(40)))
@settings(max_examples=30)
def test_a_larger_sample_holds_the_smaller_one_and_the_order_of_the_list_does_not_matter(
    n: int, more: int, order: list[int]
) -> None:
    one, two = lowest("s", NAMES, n), lowest("s", NAMES, n + more)
    assert two[:n] == one
    shuffled = [NAMES[place] for place in order]
    assert {shuffled[place] for place in lowest("s", shuffled, 7)} == {
        NAMES[place] for place in lowest("s", NAMES[:40], 7)
    }


def test_every_design_draws_what_it_says() -> None:
    listed = frame()
    simple = draw(listed, Plan(40), "dice")
    assert list(simple.stations) == [NAMES[place] for place in lowest("dice", NAMES, 40)]
    for allocation in ("proportional", "neyman", "power"):
        drawn = draw(listed, Plan(41, allocation, take_all=()), "dice")
        assert len(set(drawn.stations)) == 41 and sum(len(one.ids) for one in drawn.strata) == 41
        for one in drawn.strata:  # inside a stratum: its lowest tickets
            inside = [name for name, stratum in zip(listed.ids, listed.strata, strict=True) if stratum == one.name]
            assert list(one.ids) == [inside[place] for place in lowest("dice", inside, len(one.ids))]
            assert len(one.ids) >= 2


def test_a_stratum_taken_whole() -> None:
    drawn = draw(frame(), Plan(140, "proportional", take_all=("S3",)), "dice")
    assert [(one.name, len(one.ids), one.take_all) for one in drawn.strata if one.take_all] == [("S3", 100, True)]
    assert sum(len(one.ids) for one in drawn.strata) == 140
    with pytest.raises(DauysError, match="no station is in the stratum S9"):
        draw(frame(), Plan(140, "proportional", take_all=("S9",)), "dice")


def test_a_draw_by_size_has_the_chances_it_says() -> None:
    """Over 4,000 seeds each station comes up as often as its probability says; never twice; always n of them."""
    sizes = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 55], dtype=np.int64)  # the last is certain: 4 x 55 > 100
    listed = Frame("f" * 64, tuple("abcdefghij"), sizes=sizes)
    seen: Counter[str] = Counter()
    for number in range(4000):
        drawn = draw(listed, Plan(4, pps=True), f"seed {number}")
        assert len(set(drawn.stations)) == 4 and "j" in drawn.stations
        seen.update(drawn.stations)
        assert drawn.pi["j"] == 1
    for name, weight in zip("abcdefghi", range(1, 10), strict=True):
        chance = Fraction(3 * weight, 45)
        spread = math.sqrt(4000 * chance * (1 - chance))
        assert abs(seen[name] - 4000 * chance) < 4.5 * spread, name
    assert draw(listed, Plan(4, pps=True), "x").pi_squares == 1 + sum(Fraction(3 * w, 45) ** 2 for w in range(1, 10))
    every = draw(listed, Plan(10, pps=True), "x")
    assert sorted(every.stations) == list("abcdefghij") and set(every.pi.values()) == {Fraction(1)}


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1000)), min_size=1, max_size=12),
    st.integers(0, 400),
    st.integers(1, 3),
)
def test_an_allocation_is_whole_bounded_and_complete(strata: list[tuple[int, int]], extra: int, least: int) -> None:
    sizes, shares = [count for count, _ in strata], [share for _, share in strata]
    lowest_sum = sum(min(least, count) for count in sizes)
    n = min(lowest_sum + extra, sum(sizes))
    found = shared(n, sizes, shares, least)
    assert sum(found) == n
    assert all(min(least, count) <= part <= count for part, count in zip(found, sizes, strict=True))
    for (count, share), part in zip(strata, found, strict=True):  # nobody with a smaller share and room gets more
        for (other, less), others in zip(strata, found, strict=True):
            if less < share and part < count and others > min(least, other):
                assert others <= part + 1


def test_neyman_and_power_shares() -> None:
    assert shared(30, [100, 100], neyman([100, 100], [Fraction(1), Fraction(4)])) == [10, 20]
    assert shared(40, [100, 900], power([100, 900], Fraction(1, 2))) == [10, 30]
    assert shared(100, [100, 900], power([100, 900], Fraction(1))) == [10, 90]
    with pytest.raises(DauysError, match="too few"):
        shared(5, [10, 10, 10], [1, 1, 1])


def test_neyman_beats_the_other_allocations_on_its_own_vote() -> None:
    """The variance of the national figure, by the formula, under each allocation of the same n."""
    from dauys.observe.sample.spread import spreads

    listed = frame()
    places = by_stratum(listed)
    variances = spreads(listed, list(places.values()))
    for other in ("proportional", "power"):
        by = [
            sum(
                len(members) ** 2 * (1 - Fraction(n, len(members))) * variance / n
                for n, members, variance in zip(
                    allocate(listed, Plan(60, kind), places).values(), places.values(), variances, strict=True
                )
            )
            for kind in ("neyman", other)
        ]
        assert by[0] <= by[1] * Fraction(101, 100)  # whole stations: a rounding may cost a little


def test_a_list_that_changed_and_a_station_that_was_replaced_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("id,area\n" + "".join(f"{name},{number % 3}\n" for number, name in enumerate(NAMES)))
    listed = read_frame(path, Columns(strata=("area",)))
    assert listed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    drawn = draw(listed, Plan(20, "proportional"), "dice")
    body = {
        "frame_sha256": drawn.frame_sha256, "seed": "dice", "design": drawn.plan.to_json(), "stations": list(drawn.stations),
    }  # fmt: skip
    assert redraw(listed, body) == drawn
    other = next(name for name in NAMES if name not in drawn.stations)
    with pytest.raises(DauysError, match="never replaced"):
        redraw(listed, body | {"stations": [other, *drawn.stations[1:]]})
    with pytest.raises(DauysError, match="is missing"):
        redraw(listed, body | {"stations": list(drawn.stations[1:])})
    path.write_text(path.read_text().replace("A-500,", "A-501,"))
    with pytest.raises(BadInput, match="changed after the draw"):
        redraw(read_frame(path, Columns(strata=("area",))), body)


def test_a_commitment_fixes_list_design_and_seed_and_does_not_say_the_seed() -> None:
    listed, plan = frame(), Plan(20, "proportional")
    committed = commitment(listed.sha256, plan, "a long seed")
    assert "a long seed" not in str(committed)
    assert committed["seed_sha256"] == hashlib.sha256(b"a long seed").hexdigest()
    assert keeps(committed, draw(listed, plan, "a long seed"))
    assert not keeps(committed, draw(listed, plan, "another seed"))
    assert not keeps(committed, draw(listed, Plan(21, "proportional"), "a long seed"))


def test_a_list_with_faults_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    for text, message in (
        ("id\nA\nB\nA\n", "row 4: the station stands in row 2 already"),
        ("id,area\nA,1\nB,\n", "row 3, field area: the cell is empty"),
        ("name\nA\n", "no column is known as the stations' id"),
        ("id,area\nA\n", "row 2: the row does not have as many fields"),
        ("id,voters\nA,1.5\n", "row 2, field voters: this is not a count"),
    ):
        path.write_text(text)
        columns = Columns(strata=("area",) if "area" in text else (), size="voters" if "voters" in text else None)
        with pytest.raises(BadInput) as fault:
            read_frame(path, columns)
        assert message in str(fault.value), str(fault.value)


@pytest.mark.parametrize(("bad", "stations"), [(10, 2591), (50, 581), (100, 295), (200, 148), (500, 59)])
def test_detection_is_exact_and_as_aslam_popa_and_rivest(bad: int, stations: int) -> None:
    assert size.to_detect(10_012, bad) == size.to_detect_formula(10_012, bad) == stations
    assert size.unseen(10_012, bad, stations) <= Fraction(1, 20) < size.unseen(10_012, bad, stations - 1)


@given(st.integers(1, 9), st.data())
def test_the_chance_to_see_nothing_is_counted_out(population: int, data: st.DataObject) -> None:
    bad, n = data.draw(st.integers(0, population)), data.draw(st.integers(0, population))
    samples = list(combinations(range(population), n))
    unseen = sum(1 for drawn in samples if not set(drawn) & set(range(bad)))
    assert size.unseen(population, bad, n) == Fraction(unseen, len(samples))


def test_sizes_go_by_the_differences_between_stations() -> None:
    """Margins of S**2 = 219 points**2 on N = 10,012, and the size that a margin needs: one is the other's inverse."""
    spread = math.sqrt(219)
    for n, margin in ((300, 1.65), (500, 1.26), (1000, 0.87), (1500, 0.69), (2500, 0.50)):
        assert size.margin_of(n, 10_012, spread) == pytest.approx(margin, abs=0.006)
    listed = read_frame(there(RUSSIA), Columns(("region", "tik", "uik"), ("region",), None, "yes", "in_box"))
    found = size.needed(listed, 0.01)
    assert found.spread**2 * 1e4 == pytest.approx(219, abs=1.5)
    assert (
        size.margin_of(found.n, len(listed), found.spread)
        <= 0.01
        < size.margin_of(found.n - 1, len(listed), found.spread)
    )
    within = size.needed(listed, 0.01, strata=list(by_stratum(listed).values()), response=Fraction(4, 5))
    assert within.n < found.n and within.asked == math.ceil(Fraction(within.n) / Fraction(4, 5))


def test_claims_of_others_are_read_as_they_were_made() -> None:
    """NDI's handbook, Peru 2001: the formula gives 160,717.26 (163,185 printed); margins in points; Kazakhstan's exit poll of 2024."""
    assert claims.handbook_voters(14_570_774, 0.0032, 2.58) == pytest.approx(160_717.26, abs=0.01)
    for stations, margin, wide in ((1020, 3.07, 4.03), (816, 3.43, 4.5), (324, 5.44, 7.1)):
        assert 100 * claims.simple_margin(stations) == pytest.approx(margin, abs=0.006)
        assert 100 * claims.simple_margin(stations, confidence=0.99) == pytest.approx(wide, abs=0.06)
    share = 0.7112
    assert 100 * claims.simple_margin(283_519, share) == pytest.approx(0.169, abs=0.003)
    assert claims.implied_effect(0.015, 283_519, share) == pytest.approx(79, abs=2)


def test_strata_are_joined_by_a_rule_without_chance() -> None:
    assert in_order(["KZ-10", "KZ-9", "KZ-1"]) == ["KZ-1", "KZ-9", "KZ-10"]
    assert joined([3, 1, 2, 0, 0, 5, 1], 2) == [[0], [1, 2], [3, 4, 5, 6]]
    assert joined([0, 1], 2) == [[0, 1]]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.integers(1, 2))
def test_joined_strata_have_enough_and_keep_their_order(counts: list[int], least: int) -> None:
    groups = joined(counts, least)
    assert [place for group in groups for place in group] == list(range(len(counts)))
    if sum(counts) >= least:
        assert all(sum(counts[place] for place in group) >= least for group in groups)
