"""Do the indicators give the reference numbers of 2020, and nothing where there is nothing? (facts, section 3; golden.json)"""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import control_elections
import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.observe.indicators import digits, integers, picture, redraws, shpilkin
from dauys.observe.indicators.arithmetic import arithmetic
from dauys.observe.indicators.counts import Counts, mapping, read_counts
from dauys.observe.indicators.discovery import benjamini_hochberg
from dauys.observe.indicators.fingerprint import Fingerprint, fingerprint
from dauys.observe.indicators.neighbours import double_mad, history, neighbours
from dauys.observe.indicators.words import words

DATA = Path(__file__).resolve().parents[3] / "shared/data"
RUSSIA = DATA / "russia2020/ru2020_referendum_uik.csv.gz"
COLUMNS = "registered=voters,issued=issued,cast=in_box,yes=yes,no=no,invalid=invalid,region=region,station=tik+uik"


def counts_of(**columns: list[int]) -> Counts:
    return Counts({name: np.array(values, dtype=np.int64) for name, values in columns.items()}, {})


@pytest.fixture(scope="module")
def russia() -> Counts:
    if not RUSSIA.exists():
        pytest.skip("shared/data/russia2020 is not beside the repository")
    return read_counts(RUSSIA, mapping(COLUMNS))


@pytest.fixture(scope="module")
def golden() -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads((DATA / "golden.json").read_text())["integer_anomaly_ru2020"]
    return found


@pytest.fixture(scope="module")
def tested(russia: Counts) -> Counts:
    return integers.usable(russia)


@pytest.fixture(scope="module")
def chances(tested: Counts) -> integers.Chances:
    return integers.chances(tested)


@pytest.fixture(scope="module")
def seen(russia: Counts) -> Fingerprint:
    return fingerprint(russia)


# 2020


def test_2020_passes_every_identity(russia: Counts) -> None:
    found = arithmetic(russia)
    assert [rule.rule for rule in found.rules] == [
        "cast = yes + no + invalid", "issued >= cast", "issued <= registered", "cast <= registered",
    ]  # fmt: skip
    assert {(rule.checked, rule.broken) for rule in found.rules} == {(96765, 0)} and found.full_turnout == 2208


def test_2020_fingerprint(seen: Fingerprint, russia: Counts) -> None:
    assert (seen.stations, seen.full, seen.rate.n) == (96754, 2208, 92546)
    assert int(seen.cells.sum()) == 57071119 == int(russia["yes"].sum())
    assert round(seen.correlation or 0, 3) == 0.599 and round(100 * seen.high_share, 2) == 69.41
    rate = seen.rate
    assert [round(one, 4) for one in (rate.mean, rate.sd, rate.skewness, rate.excess_kurtosis)] == [
        -0.4095, 1.0682, -0.4539, 0.1617,
    ]  # fmt: skip


def test_2020_shpilkin(russia: Counts) -> None:
    first, second = shpilkin.band(russia, [(35, 45), (38, 46)])
    shown = [
        (round(one.ratio, 3), round(one.clean_yes / 1e6, 1), round(one.anomalous / 1e6, 1)) for one in (first, second)
    ]
    assert shown == [(1.794, 28.6, 28.5), (1.817, 29.0, 28.1)]
    assert (round(100 * first.clean_share, 1), round(100 * first.clean_turnout, 1)) == (64.2, 41.3)
    band = [one.anomalous for one in shpilkin.band(russia)]
    assert len(band) > 50 and min(band) < 20e6 < 28.1e6 < max(
        band
    )  # it hangs on the range: that is what the band shows


def test_2020_digits(russia: Counts) -> None:
    kept = russia.where(russia["registered"] > 0)
    known = {"yes": (4.1445, 24.6, 46.5), "no": (4.2149, 19.8, 12.0), "registered": (4.1750, 20.8, 76.9)}
    for name, numbers in known.items():
        second, last = digits.second_digits(kept[name]), digits.last_digits(kept[name])
        assert (round(second.mean, 4), round(second.chi2, 1), round(last.chi2, 1)) == numbers
    assert round(digits.last_digits(kept["yes"]).mean, 4) == 4.4738
    law = [0.1197, 0.1139, 0.1088, 0.1043, 0.1003, 0.0967, 0.0934, 0.0904, 0.0876, 0.0850]
    assert digits.SECOND.round(4).tolist() == law and round(float(digits.SECOND @ np.arange(10)), 3) == 4.187


def test_2020_whole_percentages(chances: integers.Chances, tested: Counts, golden: dict[str, list[float]]) -> None:
    assert len(tested) == golden["stations"] == 90579
    for place, kind in enumerate(integers.KINDS):
        found = chances.excess(kind)
        assert found.observed == golden["observed"][place]
        # a thousand draws know the mean to within sd / sqrt(1000), the standard deviation to within 2.3 %
        assert abs(found.expected - golden["mc_mean"][place]) < 3 * golden["mc_sd"][place] / 1000**0.5
        assert found.sd == pytest.approx(golden["mc_sd"][place], rel=0.07)
        assert found.limit == pytest.approx(golden["q99_9_minus_mean"][place], rel=0.2)
        assert found.above and found.p_value < 1e-50


def test_2020_regions_stand_out_and_those_of_a_clean_election_do_not(chances: integers.Chances, tested: Counts) -> None:
    p_values = {name: chances.excess("either", chosen).p_value for name, chosen in tested.regions().items()}
    above = benjamini_hochberg(p_values, 0.05)
    assert len(p_values) == 87 and 20 <= len(above) <= 40
    control = yaml.safe_load(control_elections.FILE.read_text())["shares"]
    assert control["regions"]["above"] == [] and control["regions"]["tested"] == 64
    assert control["integers"]["share"]["excess"] < control["integers"]["share"]["limit"]


def test_the_draws_are_those_of_the_plain_loop(tested: Counts) -> None:
    """The first 400 stations, station by station with NumPy's own calls; all of them give 3675.201 (python -m bench integers)."""
    some = tested.where(np.arange(len(tested)) < 400)
    stream = np.random.RandomState(42)
    total = {kind: np.zeros(1000) for kind in integers.KINDS}
    for voters, issued, cast, yes in zip(
        *(some[name] for name in ("registered", "issued", "cast", "yes")), strict=True
    ):
        drawn = [100 * stream.binomial(n, part / n, 1000) / n for part, n in ((yes, cast), (issued, voters))]
        share, turnout = (np.abs(percent - np.round(percent)) <= 0.05 for percent in drawn)
        for kind, hit in (("share", share), ("turnout", turnout), ("either", share | turnout)):
            total[kind] += hit
    for kind, found in redraws.redraw(some).items():
        assert found.mean == total[kind].mean() and found.sd == total[kind].std()
        assert found.limit == np.percentile(total[kind], 99.9) - total[kind].mean()


# the parts


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 2000), st.data())
def test_chance_is_the_sum_of_binomial_terms(base: int, data: st.DataObject) -> None:
    from scipy.stats import binom

    part = data.draw(st.integers(0, base))
    every = np.arange(base + 1)
    whole = integers.whole(every, np.full(base + 1, base))
    assert whole.tolist() == [any(abs(2000 * k - 20 * base * p) <= base for p in range(101)) for k in range(base + 1)]
    expected = binom.pmf(every[whole], base, part / base).sum()
    assert integers.chance(np.array([part]), np.array([base]))[0] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=9))
def test_poisson_binomial_is_the_product_of_its_parts(chances: list[float]) -> None:
    weights = np.ones(1)
    for p in chances:
        weights = np.convolve(weights, [1 - p, p])
    first, found = integers.poisson_binomial(np.array(chances))
    full = np.zeros(len(chances) + 1)
    full[first : first + len(found)] = found
    assert np.allclose(full, weights, atol=1e-12)


def test_arithmetic_finds_planted_mistakes() -> None:
    counts = counts_of(
        registered=[500, 500, 500, 500], issued=[400, 300, 501, 400], cast=[400, 301, 400, 400],
        yes=[300, 301, 200, 300], no=[90, 0, 150, 90], both=[5, 0, 0, 5], invalid=[5, 0, 40, 5],
    )  # fmt: skip
    found = arithmetic(Counts(counts.numbers, {"station": ["a", "b", "a", "d"]}))
    broken = {rule.rule: rule.rows for rule in found.rules}
    assert broken["cast = yes + no + both + invalid"] == (3,)
    assert broken["issued >= cast"] == (2,) and broken["issued <= registered"] == (3,)
    assert (found.twice, found.alike, found.all_yes, found.full_turnout) == (1, 2, 1, 0)


def test_benjamini_hochberg_as_in_the_article() -> None:
    """The fifteen P-values of Benjamini and Hochberg (1995), section 3.2: four are rejected at 0.05."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    named = {f"{place:02}": value for place, value in enumerate(p)}
    assert benjamini_hochberg(named, 0.05) == ["00", "01", "02", "03"]
    assert benjamini_hochberg({}, 0.05) == []


def test_double_mad_takes_each_side_by_itself() -> None:
    """Median 5; the median distance is 1/2 to the left of it and 2 to the right."""
    found = double_mad(np.array([1.0, 4, 4, 4, 5, 5, 5, 5, 7, 7, 8, 10, 16, 30]))
    assert found[[0, 3, 4, 8, 13]].tolist() == pytest.approx([-8 / 1.4826, -2 / 1.4826, 0, 1 / 1.4826, 12.5 / 1.4826])
    assert double_mad(np.array([2.0, 2, 2, 3])).tolist() == [0, 0, 0, np.inf]


def test_neighbours_and_history_find_the_planted_station() -> None:
    stream = np.random.default_rng(1)
    past = stream.integers(300, 700, 60)
    yes = past + stream.integers(-10, 10, 60)
    yes[7] = 990
    numbers = {"cast": np.full(60, 1000), "yes": yes, "past_cast": np.full(60, 1000), "past_yes": past}
    counts = Counts(numbers, {"region": ["r"] * 60})
    found = history(counts)
    assert found.outliers[0].row == 8 and found.far == 1 and found.slope == pytest.approx(1, abs=0.1)
    assert neighbours(counts).stations == 60


def test_history_predicts_virginia() -> None:
    path = DATA / "us-va-elex/va2017_governor_precincts.csv"
    if not path.exists():
        pytest.skip("shared/data/us-va-elex is not beside the repository")
    names = {
        "cast": "results_turnout",
        "yes": "results_dem",
        "past_cast": "baseline_turnout",
        "past_yes": "baseline_dem",
    }
    table = pl.read_csv(path, columns=list(names.values()))
    found = history(Counts({ours: table[theirs].to_numpy().astype(np.int64) for ours, theirs in names.items()}, {}))
    assert found.stations > 2000 and (found.r_squared or 0) > 0.9 and found.far < 0.05 * found.stations


def test_the_control_is_what_its_elections_give() -> None:
    if not (DATA / "nz2014").exists() or not (DATA / "germany2021").exists():
        pytest.skip("shared/data/nz2014 and germany2021 are not beside the repository")
    nz, germany = control_elections.nz2014(), control_elections.germany2021()
    assert (int(nz["yes"].sum()), int(nz["cast"].sum())) == (1131501, 2416479)
    assert (int(germany["registered"].sum()), int(germany["yes"].sum())) == (61181072, 11955434)
    kept = yaml.safe_load(control_elections.FILE.read_text())
    assert control_elections.rounded(control_elections.measured()) == kept


def test_words_are_there_in_three_languages_and_judge_nobody() -> None:
    for one in words().values():
        for texts in (one.title, one.says, one.assumes):
            assert set(texts) == {"kk", "ru", "en"} and all(len(text) > 3 for text in texts.values())
    page = control_elections.FILE.with_name("words.yaml").read_text()
    assert not re.search(r"fraud|фальсиф|бұрмалау жасал", page, re.IGNORECASE)


def test_pictures(seen: Fingerprint) -> None:
    drawn = picture.svg(seen.cells, {"title": "A & B", "turnout": "Келу", "share": "Үлес", "caption": "c"})
    root = ElementTree.fromstring(drawn)
    squares = sum(path.get("d", "").count("M") for path in root.iter("{http://www.w3.org/2000/svg}path"))
    assert squares == int((seen.cells > 0).sum()) and "Үлес, %" in drawn and len(drawn) < 100_000
    rows = picture.text(seen.cells).splitlines()
    assert (
        len(rows) == 22 and {len(row) for row in rows[:21]} == {47} and "@" in rows[0] and rows[-3].startswith("   0 |")
    )
