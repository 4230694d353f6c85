"""Do the audits give the numbers of others: Arlo, R2B2, SHANGRLA, rlacalc, and the vote of 2020? (facts, section 4; golden.json)"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from fractions import Fraction
from itertools import combinations
from math import ceil, log
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.observe.audit import alpha, bravo, compound, macro, minerva
from dauys.observe.audit import supersimple as ss
from dauys.observe.audit.assertions import HALF, Assertion, Votes, more_than, of_base, plurality, total
from dauys.observe.audit.minerva import Round

DATA = Path(__file__).resolve().parents[3] / "shared/data"
GOLDEN = DATA / "golden.json"
RUSSIA = DATA / "russia2020/ru2020_referendum_uik.csv.gz"
F = Fraction
ONE, ZERO = F(1), F(0)


@pytest.fixture(scope="module")
def golden() -> dict[str, dict[str, object]]:
    if not GOLDEN.exists():
        pytest.skip("shared/data is not beside the repository")
    found: dict[str, dict[str, object]] = json.loads(GOLDEN.read_text())["risk_limiting_audits"]
    return found


# MACRO: the contests A, B, C of Arlo's tests


def arlo() -> dict[str, tuple[Assertion, dict[str, tuple[Votes]]]]:
    def batches(places: range, winner: int, loser: int) -> dict[str, tuple[Votes]]:
        return {
            f"Batch {n}{end}": (Votes(winner // half, loser // half, 400 // half),)
            for n in places
            for end, half in (("", 1), (" AV", 2))
        }

    return {
        "A": (plurality("A"), batches(range(200), 200, 180)),
        "B": (plurality("B"), batches(range(100), 200, 160)),
        "C": (plurality("C"), batches(range(30), 200, 140) | batches(range(100, 130), 200, 140)),
    }


def test_macro_bounds_sizes_and_p_values(golden: dict[str, dict[str, object]]) -> None:
    exact = {"A": F(21), "B": F(11), "C": F(23, 3)}
    after_four = {"A": 26, "B": 12, "C": 7}
    known = {name: golden["macro"][name] for name in ("U", "p_30_clean", "first_round_sizes_alpha0.25")}
    for name, (assertion, batches) in arlo().items():
        found = macro.bounds([assertion], batches)
        assert found is not None and found.total == exact[name]
        assert float(found.total) == pytest.approx(known["U"][name])  # type: ignore[index]
        clean = macro.p_value(found.total, [ZERO] * 30)
        assert float(clean) == pytest.approx(known["p_30_clean"][name], rel=1e-14)  # type: ignore[index]
        size = macro.clean_draws(found.total, F(1, 4))
        assert size + 1 == known["first_round_sizes_alpha0.25"][name]  # type: ignore[index]
        so_far = macro.p_value(found.total, [ZERO] * 4)
        assert macro.clean_draws(found.total, F(1, 4), so_far) + 1 == after_four[name]


def test_macro_bound_and_taint_of_one_batch() -> None:
    assertion, batches = arlo()["A"]
    found = macro.bounds([assertion], batches)
    assert found is not None and found.most["Batch 0"] == F(420, 6000) and found.most["Batch 0 AV"] == F(210, 6000)
    assert macro.taint(found, "Batch 0", batches["Batch 0"], (Votes(190, 190, 400),)) == F(20, 420)
    assert macro.taint(found, "Batch 0", batches["Batch 0"], (Votes(210, 170, 400),)) < 0
    # a draw with taint 1/21 gives back what it took: (20/21) / (1 - 1/21) is 1
    assert macro.p_value(F(21), [ZERO] * 31 + [F(20, 420)] * 6) == F(20, 21) ** 31
    assert macro.p_value(F(21), [ONE]) == 1


def test_several_assertions_take_the_worst() -> None:
    votes = {"x": (Votes(60, 10, 100), of_base(60, 100)), "y": (Votes(50, 30, 100), of_base(50, 100))}
    found = macro.bounds([plurality("p"), more_than(HALF, "h")], votes)
    assert found is not None
    assert found.most == {"x": max(F(150, 70), F(120, 20)), "y": max(F(120, 70), F(100, 20))}
    assert macro.bounds([more_than(F(3, 5), "h")], {"x": (of_base(60, 100),)}) is None  # a tie confirms nothing


@pytest.mark.skipif(not RUSSIA.exists(), reason="shared/data/russia2020 is not beside the repository")
def test_the_vote_of_2020() -> None:
    with gzip.open(RUSSIA) as file:
        rows = pl.read_csv(file.read())
    half = more_than(HALF, "yes")

    def sizes(table: pl.DataFrame) -> tuple[F, list[int]] | None:
        pairs = zip(table["yes"].to_list(), table["in_box"].to_list(), strict=True)
        found = macro.bounds([half], {str(n): (of_base(yes, cast),) for n, (yes, cast) in enumerate(pairs)})
        if found is None:
            return None
        bound = found.total
        return bound, [macro.clean_draws(bound, risk) for risk in (F(1, 20), F(1, 100))]

    nation = sizes(rows)
    assert nation is not None and round(nation[0], 3) == F("2.776") and nation[1] == [7, 11]
    margin = half.margin(of_base(rows["yes"].sum(), rows["in_box"].sum()))
    assert round(margin, 3) == F("0.563")
    regions = {str(name[0]): sizes(part) for name, part in rows.group_by("region")}
    first = {name: found[1][0] for name, found in regions.items() if found is not None}
    assert len(first) == 86 and (min(first.values()), max(first.values())) == (5, 20)
    cheapest = compound.cheapest(first, compound.needed(87))
    assert cheapest is not None and len(cheapest) == 58
    assert (sum(cheapest.values()), sum(first.values())) == (406, 726)


def test_draws_are_in_proportion_and_the_same_for_ever() -> None:
    most = {"a": F(1, 2), "b": F(1, 4), "c": F(1, 4), "nothing": ZERO}
    names = macro.draw(most, "seed", 4000)
    assert "".join(names[:12]) == "acbbbcaaacac"
    first = int(hashlib.sha256(b"seed,\ndraw,*,1").hexdigest(), 16)
    assert names[0] == "aabc"[4 * first >> 256]
    assert names[:10] == macro.draw(dict(reversed(most.items())), "seed", 10)
    counts = {name: names.count(name) for name in most}
    assert counts["nothing"] == 0 and abs(counts["a"] - 2000) < 130 and abs(counts["b"] - 1000) < 110
    assert macro.draw(most, "seed", 10, "other") != names[:10]


# ballot polling and comparison


def test_bravo_sizes(golden: dict[str, dict[str, object]]) -> None:
    for risk, name in ((F(1, 10), "alpha0.1"), (F(1, 20), "alpha0.05")):
        for share, size in golden["bravo_asn"][name].items():  # type: ignore[attr-defined]
            assert bravo.expected_size(risk, F(share), 1 - F(share)) == size


@pytest.mark.parametrize(
    ("winner", "loser", "chance", "size"),
    [
        ("0.4", "0.32", 0.9, 1599),
        ("0.36", "0.32", 0.9, 6067),
        # Arlo prints 2476: 1683 / 0.68 is 2475 exactly, and a little more where 0.36 and 0.32 are binary fractions
        ("0.36", "0.32", 0.6, 2475),
        ("0.52", "0.47", 0.9, 5657),
        ("0.6", "0.4", 0.7, 184),
        ("0.6", "0.4", 0.9, 351),
    ],
)
def test_bravo_quantile_sizes(winner: str, loser: str, chance: float, size: int) -> None:
    assert bravo.round_size(F(1, 10), F(winner), F(loser), chance) == size


def test_bravo_stops_exactly_at_the_limit() -> None:
    assert not bravo.confirmed(F(3, 4), 7, 0, F(1, 20)) and bravo.confirmed(F(3, 4), 8, 0, F(1, 20))
    assert bravo.statistic(F(3, 4), 2, 0) == F(9, 4)
    assert bravo.confirmed(F(3, 4), 2, 0, F(4, 9)) and not bravo.confirmed(F(3, 4), 2, 0, F(4, 9) - F(1, 10**30))


GEORGIA = F(2453876, 2453876 + 2358432)


def test_minerva_sizes(golden: dict[str, dict[str, object]]) -> None:
    known = golden["minerva"]
    tenth = F(1, 10)
    assert minerva.next_size(F(3, 5), tenth) == known["next_sample_0.9_p0.6"] == 179
    assert minerva.next_size(F(51, 100), tenth) == known["next_sample_0.9_p0.51"] == 17272
    # the least size that R2B2 takes is one that stops with a chance of one in a million
    assert minerva.next_size(F(3, 5), tenth, 1e-6) == known["p0.6_a0.1_min_sample"]
    assert minerva.next_size(F(51, 100), F(1, 20), 1e-6) == known["p0.51_a0.05_min_sample"]
    scale = 1.0238785631
    sizes = [ceil(scale * minerva.next_size(GEORGIA, tenth, chance)) for chance in (0.7, 0.8, 0.9)]
    assert sizes == [10486, 13205, 18005]
    assert minerva.next_size(F(3, 5), tenth, 0.9, [Round(100, 54)]) == 305


def test_minerva_stopping() -> None:
    tenth = F(1, 10)
    three = minerva.evaluate(F(3, 5), tenth, [Round(100, 57), Round(200, 112), Round(400, 220)])
    assert three.least == (58, 113, 221) and not three.stopped
    assert minerva.evaluate(F(3, 5), tenth, [Round(13, 12), Round(14, 5), Round(15, 5)]).least == (13, None, 14)
    assert minerva.evaluate(F(3, 5), tenth, [Round(100, 58)]).stopped
    published = [
        (F(3, 5), [Round(96, 56)], 0.0933945799801079, True),
        (F(3, 5), [Round(80, 40)], 0.5596434615209632, False),
        (F(3, 5), [Round(80, 40), Round(180, 110)], 0.006382031505998192, True),
        (F(51, 100), [Round(10090, 5100)], 0.16896200607848647, False),
        (F(51, 100), [Round(10090, 5100), Round(20090, 10200)], 0.03907953348498701, True),
        (GEORGIA, [Round(9903, 4950)], 0.527638189598802, False),
        (GEORGIA, [Round(9903, 4950), Round(24000, 11900)], 2.663358309286826, False),
        (GEORGIA, [Round(17605, 8900)], 0.081750333563781, True),
        (GEORGIA, [Round(17605, 17605)], 0.0, True),
    ]
    for share, rounds, p, stopped in published:
        found = minerva.evaluate(share, tenth, rounds)
        assert found.p_values[-1] == pytest.approx(p, rel=1e-9, abs=1e-12) and found.stopped is stopped


@settings(max_examples=40, deadline=None)
@given(st.integers(51, 90), st.integers(2, 40), st.integers(1, 30))
def test_minerva_limits_are_those_of_whole_numbers(percent: int, first: int, more: int) -> None:
    share, risk = F(percent, 100), F(1, 10)
    walk = minerva._Walk(share, risk)
    for ballots in (first, first + more):
        limit = walk.next(ballots)
        exact = [k for k in range(ballots + 1) if walk._exactly(k)]
        assert limit == (min(exact) if exact else None)
        walk.go_on(limit)


def test_supersimple(golden: dict[str, dict[str, object]]) -> None:
    tenth = F(1, 10)
    for margin, size in golden["nmin_supersimple_alpha0.1_gamma1.03905"].items():
        assert ss.ballots_needed(tenth, F(margin)) == size
    assert ss.ballots_needed(tenth, F(1, 20), ss.Discrepancies(1)) == 123
    assert ss.ballots_needed(tenth, F(1, 200), ss.Discrepancies(1, 0, 1)) == 1067
    p = ss.p_value(200, F(354040 - 337589, 354040 + 337589 + 33234), ss.Discrepancies(1))
    assert float(p) == pytest.approx(0.21438135077031842, rel=1e-13) == golden["km_p_value"]["p"]
    assert ss.p_value(ss.ballots_needed(tenth, F(1, 50)), F(1, 50)) <= tenth


# SHANGRLA, ALPHA, ONEAudit


def test_kaplan_markov_and_kaplan_wald() -> None:
    g, sample = F(1, 10), [ONE] * 5 + [ZERO]
    assert alpha.kaplan_markov([ONE] * 5) == F(1, 32) == alpha.kaplan_wald([ONE] * 5)
    assert alpha.kaplan_markov(sample, padding=g) == (F(11, 6)) ** -5
    assert alpha.kaplan_wald(sample, padding=g) == F(19, 10) ** -5
    with pytest.raises(ValueError):
        alpha.kaplan_markov([ONE, F(-1)])


def test_alpha_fixtures() -> None:
    fixed = alpha.Guess(F(3, 4), None)
    for value, size in ((ONE, 8), (F(3, 4), 14)):
        p = [alpha.p_value([value] * n, ONE, fixed) for n in (size - 1, size)]
        assert p[0] > F(1, 20) >= p[1]
    means = alpha.null_means([ONE, F(2), HALF, ONE, F(4)], 5, F("1.53"))
    assert means == [F("1.53"), F("1.6625"), F("1.55"), F("2.075"), F("3.15")]
    assert alpha.null_means([ONE, F(2)], None, F("0.52")) == [F("0.52")] * 2
    first, second = [ONE, ZERO, ONE, ONE, ZERO, ZERO, ONE], [ONE, ZERO, ONE, ONE, ZERO, ZERO, ZERO]
    one, two = (list(alpha.martingale(draws, ONE, fixed, 7, F(3, 7))) for draws in (first, second))
    assert (
        one[-1] is None and two[-1] is not None and one[:-1] == two[:-1]
    )  # four of seven are more than 3/7 for certain
    assert alpha.p_value(first, ONE, fixed, 7, F(3, 7)) == 0
    assert next(alpha.martingale([HALF] * 5, ONE, alpha.Guess(F(3, 5)), 10**6)) == 1


def test_a_long_sample_is_what_floats_say_of_it_and_never_more() -> None:
    """M has thousands of digits and is rounded down: against the same product in floating point, and the exact one."""
    stream = random.Random(7)
    draws = [F(stream.randrange(1 << 40), 1 << 40) + F(1, 100) for _ in range(600)]
    upper, guess = F(3, 2), alpha.Guess(F(4, 5), 100, F(1, 10))
    found = list(alpha.martingale(draws, upper, guess))
    logs, seen, exact = 0.0, ZERO, ONE
    for number, (value, drawn) in enumerate(zip(found, draws, strict=True)):
        eta = alpha._eta(guess, seen, number, HALF, upper)
        factor = (drawn * eta / HALF + (upper - drawn) * (upper - eta) / (upper - HALF)) / upper
        logs, seen = logs + log(factor), seen + drawn
        assert value is not None
        if number < 60:
            exact *= factor
            assert value <= exact and (number > 20 or value == exact)
    assert found[-1] is not None and found[-1].denominator.bit_length() < 8192
    assert log(found[-1]) == pytest.approx(logs, rel=1e-9)


def test_shrink_and_truncate() -> None:
    c, d = F(1, 20), 10
    for draws in ([ZERO] * 5 + [ONE] * 5, [ONE] * 6 + [ZERO] * 4):
        for eta in (F("0.51"), F("0.6")):
            seen = ZERO
            for j, value in enumerate(draws, 1):
                found = alpha._eta(alpha.Guess(eta, d, c), seen, j - 1, HALF, ONE)
                expected = min(
                    max(0.5 + float(c) / (d + j - 1) ** 0.5, float((d * eta + seen) / (d + j - 1))), 1 - 1e-6
                )
                assert float(found) == pytest.approx(expected, abs=2e-6)
                seen += value


@pytest.mark.parametrize("eta", [F(3, 5), F(9, 10)])
@pytest.mark.parametrize(("size", "winners"), [(4, 2), (6, 3), (6, 2), (7, 3)])
def test_alpha_keeps_its_risk(size: int, winners: int, eta: F) -> None:
    """Over all orders of a population whose mean is not above 1/2: M's mean is at most 1, P <= 1/4 in at most a quarter."""
    guess, stops, after = alpha.Guess(eta, 5), 0, ZERO
    orders = [[F(int(n in chosen)) for n in range(size)] for chosen in combinations(range(size), winners)]
    for draws in orders:
        stops += alpha.p_value(draws, ONE, guess, size) <= F(1, 4)
        last = list(alpha.martingale(draws, ONE, guess, size))[-2]
        assert last is not None
        after += last
    assert stops * 4 <= len(orders) and after <= len(orders)


@given(st.integers(1, 99), st.integers(0, 50), st.integers(0, 50), st.integers(1, 50))
def test_an_assertion_holds_where_its_mean_is_above_one_half(percent: int, yes: int, both: int, rest: int) -> None:
    share, cast = F(percent, 100), yes + both + rest
    assertion = more_than(share, "yes")
    votes = of_base(yes, cast)
    assert (assertion.weight(votes) > 0) == (F(yes, cast) > share) == (assertion.mean(votes) > HALF)
    ballots = [assertion.assorter("winner")] * yes + [assertion.assorter("loser")] * (both + rest)
    assert sum(ballots, ZERO) / cast == assertion.mean(votes)
    assert assertion.upper == 1 / (2 * share) and plurality("p").assorter("neither") == HALF


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), min_size=1, max_size=5))
def test_oneaudit_means_are_above_one_half_where_the_result_is_right(batches: list[tuple[int, int]]) -> None:
    assertion = more_than(HALF, "yes")
    votes = [of_base(min(yes, cast), cast) for yes, cast in batches]
    margin, upper = assertion.margin(total(votes)), assertion.upper
    values = [
        alpha.overstatement(assertion.mean(batch), assertion.assorter(kind), margin, upper)
        for batch in votes
        for kind in ["winner"] * batch.winner + ["loser"] * batch.loser
    ]
    assert (sum(values, ZERO) / len(values) > HALF) == (margin > 0)


def test_the_double_rule() -> None:
    regions = [f"R{n:02}" for n in range(17)]
    twelve = dict.fromkeys(regions[:12], True)
    assert compound.needed(17) == 12 and compound.needed(20) == 14 and compound.needed(87) == 58
    assert compound.decide(regions, True, twelve).outcome == "passed"
    assert compound.decide(regions, True, dict.fromkeys(regions[:11], True)).outcome == "open"
    assert compound.decide(regions, None, twelve).outcome == "open"
    assert compound.decide(regions, True, dict.fromkeys(regions[:6], False)).outcome == "failed"
    assert compound.decide(regions, True, dict.fromkeys(regions[:5], False)).outcome == "open"
    assert compound.decide(regions, False, {}).outcome == "failed"
