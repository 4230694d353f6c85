"""Do the estimates agree with R's `survey` 4.1.1, to 1e-9? Every row of the reference files but the likelihood interval."""

from __future__ import annotations

import numpy as np
import pytest
from observed_data import GOLDEN, Rows, column, reference, rows

from dauys.observe.estimates.design import Design, design_of
from dauys.observe.estimates.domains import domains
from dauys.observe.estimates.estimate import Estimate, Pps, post_stratified, ratio, total
from dauys.observe.estimates.replicates import balanced, bootstrap, jackknife, ratio_of, replicate_variance

CLOSE = 1e-9
PPS = {"wr": "wr", "brewer": "brewer", "ht": "ht", "yg": "yg", "hr": "hartley-rao", "overton": "overton"}
HARTLEY_RAO = 0.10321027266234986
"""sum(pi**2)/n over the 4,600 counties (survey-golden/SOURCE.md)."""


def agrees(found: list[float], name: str, file: str = "survey_golden.tsv", at: list[int] | None = None) -> None:
    expected = reference(file)[name]
    wanted = expected if at is None else [expected[place] for place in at]
    assert found == pytest.approx(wanted[: len(found)], rel=CLOSE), name


def stations() -> Rows:
    return rows(GOLDEN / "ru2020_strat_sample.csv")


def stratified(corrected: bool = True) -> Design:
    found = stations()
    sizes = column(found, "Nh")
    weights = sizes / column(found, "nh")
    strata = [row["region"] for row in found]
    return design_of(len(found), strata=strata, population=sizes if corrected else None, weights=weights)


def schools() -> tuple[Rows, Design]:
    found = rows(GOLDEN / "apistrat.csv")
    strata = [row["stype"] for row in found]
    return found, design_of(len(found), strata=strata, weights=column(found, "pw"), population=column(found, "fpc"))


def districts() -> tuple[Rows, Design]:
    found = rows(GOLDEN / "apiclus1.csv")
    clusters = [row["dnum"] for row in found]
    return found, design_of(len(found), clusters=clusters, weights=column(found, "pw"), population=column(found, "fpc"))


def wide(found: Rows) -> np.ndarray:
    return np.array([float(row["sch.wide"] == "Yes") for row in found])


def test_two_strata_with_and_without_correction() -> None:
    found = rows(GOLDEN / "fpc.csv")
    x, strata = column(found, "x"), [row["stratid"] for row in found]
    plain = design_of(8, strata=strata, weights=column(found, "weight"))
    corrected = design_of(8, strata=strata, population=column(found, "Nh"))
    mean = ratio(plain, x)
    agrees([mean.estimate, mean.se], "fpc.nofpc.mean")
    mean = ratio(corrected, x)
    agrees([mean.estimate, mean.se], "fpc.fpc.mean")
    whole = total(corrected, x)
    agrees([whole.estimate, whole.se, *whole.ci, whole.df], "fpc.fpc.total", at=[0, 1, 4, 5, 6])


def test_a_stratified_sample() -> None:
    found, design = schools()
    mean = ratio(design, column(found, "api00"))
    assert mean.deff is not None
    agrees([mean.estimate, mean.se, mean.deff, *mean.ci, mean.df], "apistrat.mean.api00", at=[0, 1, 2, 5, 6, 7])
    share = ratio(design, column(found, "api.stu"), column(found, "enroll"))
    agrees([share.estimate, share.se, *share.ci], "apistrat.ratio.stu_enroll", at=[0, 1, 4, 5])
    whole = total(design, column(found, "enroll"))
    agrees([whole.estimate, whole.se], "apistrat.total.enroll")


def test_a_sample_of_clusters() -> None:
    found, design = districts()
    mean = ratio(design, column(found, "api00"))
    assert mean.deff is not None
    agrees([mean.estimate, mean.se, mean.deff, *mean.ci, mean.df], "apiclus1.mean.api00")
    share = ratio(design, column(found, "api.stu"), column(found, "enroll"))
    agrees([share.estimate, share.se, *share.ci], "apiclus1.ratio.stu_enroll")


NAMES = {"logit": "logit", "beta": "beta", "t": "mean", "asin": "asin"}


@pytest.mark.parametrize(
    ("data", "kind"), [("apistrat", kind) for kind in ("logit", "beta", "t")] + [("apiclus1", kind) for kind in NAMES]
)
def test_intervals_of_a_share(data: str, kind: str) -> None:
    found, design = schools() if data == "apistrat" else districts()
    share = ratio(design, wide(found), kind=kind)
    agrees([share.estimate, *share.ci], f"{data}.ciprop.{NAMES[kind]}")


def test_post_stratification() -> None:
    found, design = districts()
    known = {row["stype"]: float(row["Freq"]) for row in rows(GOLDEN / "apipop_stype.csv")}
    groups = [row["stype"] for row in found]
    ones = np.ones(len(found))
    mean = post_stratified(design, groups, known, column(found, "api00"), ones)
    agrees([mean.estimate, mean.se], "apiclus1.poststrat.mean.api00")
    whole = post_stratified(design, groups, known, column(found, "enroll"))
    agrees([whole.estimate, whole.se], "apiclus1.poststrat.total.enroll")


@pytest.mark.parametrize("name", PPS)
def test_draws_by_size(name: str) -> None:
    found = rows(GOLDEN / "election_pps.csv")
    joint = np.array([[float(cell) for cell in row.values()] for row in rows(GOLDEN / "election_jointprob.csv")])
    design = design_of(len(found), pi=column(found, "p"))
    pps = Pps(PPS[name], joint if name in ("ht", "yg") else None, HARTLEY_RAO)
    for candidate in ("Bush", "Kerry"):
        whole = total(design, column(found, candidate), pps)
        agrees([whole.estimate, whole.se], f"election_pps.total.{name}.{candidate}")
    share = ratio(design, column(found, "Bush"), column(found, "votes"), pps)
    agrees([share.estimate, share.se], f"election_pps.ratio.{name}.Bush_share")


@pytest.mark.parametrize("name", ["yes_in_box", "no_in_box", "issued_voters", "invalid_in_box"])
def test_real_stations(name: str) -> None:
    part, _, whole = name.partition("_")
    found = ratio(stratified(), column(stations(), part), column(stations(), whole))
    agrees([found.estimate, found.se, *found.ci, found.df], f"strat.ratio.{name}", "ru2020_golden.tsv", [0, 1, 4, 5, 6])


def test_real_stations_totals_and_no_correction() -> None:
    for name in ("yes", "in_box", "voters"):
        whole = total(stratified(), column(stations(), name))
        agrees([whole.estimate, whole.se], f"strat.total.{name}", "ru2020_golden.tsv")
    plain = ratio(stratified(corrected=False), column(stations(), "yes"), column(stations(), "in_box"))
    agrees([plain.estimate, plain.se], "strat_nofpc.ratio.yes_in_box", "ru2020_golden.tsv")


def test_every_region_as_a_domain() -> None:
    regions = [row["region"] for row in stations()]
    found = {
        one.name: one.found
        for one in domains(stratified(), column(stations(), "yes"), column(stations(), "in_box"), regions)
    }
    expected = reference("ru2020_golden_by_region.tsv")
    assert len(expected) == 44
    for name, (share, se) in expected.items():
        assert (found[name].estimate, found[name].se) == pytest.approx((share, se), rel=CLOSE), name
    assert found["Алтайский край"].df == 17  # degf(subset(design, region == ...)) in R


def test_the_domains_of_a_draw_by_size_and_of_clusters_are_those_of_zeros_outside() -> None:
    """The definition itself: y and x are 0 outside the domain and the whole design stays."""
    found, design = districts()
    y, x, kinds = column(found, "api.stu"), column(found, "enroll"), [row["stype"] for row in found]
    for one in domains(design, y, x, kinds):
        inside = np.array([kind == one.name for kind in kinds], dtype=float)
        plain = ratio(design, y * inside, x * inside)
        assert (one.found.estimate, one.found.se) == pytest.approx((plain.estimate, plain.se), rel=1e-12)


def _ratio_se(design: Design, found: Rows, made: object, around_mean: bool = False) -> float:
    statistic = ratio_of(column(found, "api.stu"), column(found, "enroll"))
    return float(replicate_variance(design, made, statistic, around_mean) ** 0.5)  # type: ignore[arg-type]


def test_jackknives_are_those_of_r() -> None:
    """as.svrepdesign(type="JKn" and "JK1") and svyratio(~api.stu, ~enroll) in R 4.2.2 with survey 4.1-1."""
    found, design = schools()
    assert _ratio_se(design, found, jackknife(design)) == pytest.approx(0.00777250905056012, rel=CLOSE)  # mse=TRUE
    assert _ratio_se(design, found, jackknife(design), True) == pytest.approx(0.00777250903998768, rel=CLOSE)
    found, design = districts()
    assert _ratio_se(design, found, jackknife(design)) == pytest.approx(0.00951936348156456, rel=CLOSE)


def two_a_region() -> tuple[Rows, Design]:
    seen: dict[str, int] = {}
    found = []
    for row in stations():
        seen[row["region"]] = seen.get(row["region"], 0) + 1
        if seen[row["region"]] <= 2:
            found.append(row)
    return found, design_of(len(found), strata=[row["region"] for row in found], weights=column(found, "Nh") / 2)


def test_balanced_halves_give_totals_exactly_and_ratios_nearly() -> None:
    """For a total BRR is the Taylor variance, whatever the Hadamard matrix; R: 5343241.26235506. The ratio's depends on the matrix."""
    found, design = two_a_region()
    made = balanced(design)
    yes, box = column(found, "yes"), column(found, "in_box")
    se = replicate_variance(design, made, lambda weights: weights @ yes) ** 0.5
    assert se == pytest.approx(5343241.26235506, rel=CLOSE)
    near = replicate_variance(design, made, ratio_of(yes, box)) ** 0.5
    assert near == pytest.approx(0.0122696826100339, rel=0.02)  # R, with its own matrix of order 88


def test_the_bootstrap_is_near_the_linearised_error_and_repeats_itself() -> None:
    design, found = stratified(), stations()
    statistic = ratio_of(column(found, "yes"), column(found, "in_box"))
    se = [replicate_variance(design, bootstrap(design, seed, 1000), statistic) ** 0.5 for seed in ("a", "a", "b")]
    assert se[0] == se[1] != se[2]
    assert se == pytest.approx([0.0035461826726] * 3, rel=0.1)


def test_design_effects_are_those_of_r() -> None:
    """deff(svyratio(..., deff=TRUE)) in R, of a stratified draw and of a draw by size."""
    share = ratio(stratified(), column(stations(), "yes"), column(stations(), "in_box"))
    assert share.deff == pytest.approx(0.63977822216075, rel=CLOSE)
    found = rows(GOLDEN / "election_pps.csv")
    sized = ratio(design_of(40, pi=column(found, "p")), column(found, "Bush"), column(found, "votes"))
    assert sized.deff == pytest.approx(0.0151085208645968, rel=CLOSE)


def test_the_effect_of_drawing_stations_and_not_ballots_is_shown() -> None:
    share: Estimate = ratio(stratified(), column(stations(), "yes"), column(stations(), "in_box"))
    p, ballots = share.estimate, column(stations(), "in_box").sum()
    by_hand = share.se**2 / (p * (1 - p) / ballots)
    assert share.deff_ballots == pytest.approx(by_hand, rel=0.02) and share.deff_ballots > 50
