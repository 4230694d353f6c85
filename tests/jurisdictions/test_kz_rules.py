"""The referendums of Kazakhstan, decided on the figures that were published."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from dauys.count.areas import AreaCount
from dauys.count.decision import decide
from dauys.law.packs import load_pack, load_rule
from dauys.registers.areas import areas_on, read_areas

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "kazakhstan"
CONSTITUTION, ORDINARY = load_rule("kz/referendum-constitution"), load_rule("kz/referendum")
AREAS = read_areas(load_pack("kz").areas)
# (day, eligible, participated, yes, no, invalid, not_counted): final figures of the Central Referendum Commission
FINAL = [
    (date(2022, 6, 5), 11_734_642, 7_985_769, 6_163_516, 1_490_470, 205_924, 125_859),
    (date(2024, 10, 6), 12_284_487, 7_820_204, 5_561_937, 2_045_271, 130_267, 82_729),
    (date(2026, 3, 15), 12_482_613, 9_127_192, 7_954_667, 898_099, 146_558, 127_868),
]


def rows(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.is_file():
        pytest.skip("needs shared/data/kazakhstan beside the repository")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("figures", FINAL, ids=lambda figures: str(figures[0]))
def test_the_national_figures_meet_both_national_tests(figures: tuple[date, int, int, int, int, int, int]) -> None:
    day, eligible, participated, yes, no, invalid, not_counted = figures
    assert participated == yes + no + invalid + not_counted
    national = {"eligible": eligible, "participated": participated, "yes": yes}
    decision = decide(ORDINARY, {}, day, national)
    assert decision.outcome == "adopted"
    held, won = decision.tests
    assert (held.value, held.needed) == (participated, eligible // 2 + 1)
    assert (won.value, won.needed) == (yes, participated // 2 + 1)


@pytest.mark.parametrize("stage", ["preliminary", "final"])
def test_2022_is_adopted_with_17_of_17_on_the_published_shares(stage: str) -> None:
    """Yes counts of territories were never published, shares were: for six territories to two digits, "more than 75 %"
    for the others. A territory's test depends on its share alone, so 10,000 voters stand for each."""
    [national] = [row for row in rows("referendum2022_national.csv") if row["stage"] == stage]
    totals = {"eligible": int(national["registered"])} | {n: int(national[n]) for n in ("participated", "yes")}
    areas = {}
    for row in rows("referendum2022_by_region.csv"):
        if row["code"]:
            hundredths = round(100 * float(row["yes_pct_prelim"] or row["yes_pct_greater_than"]))
            areas[row["code"]] = AreaCount({"eligible": 20_000, "participated": 10_000, "yes": hundredths})
    assert set(areas) == {area.code for area in areas_on(AREAS, date(2022, 6, 5))}
    decision = decide(CONSTITUTION, areas, date(2022, 6, 5), totals)
    assert decision.outcome == "adopted"
    territories = decision.tests[2]
    assert (territories.value, territories.needed) == (17, 12)
    assert not any(test.tie for test in decision.tests)


def test_without_the_territories_the_national_figures_leave_2022_open() -> None:
    areas = {area.code: AreaCount.missing() for area in areas_on(AREAS, date(2022, 6, 5))}
    day, eligible, participated, yes, *_ = FINAL[0]
    decision = decide(CONSTITUTION, areas, day, {"eligible": eligible, "participated": participated, "yes": yes})
    assert [test.met for test in decision.tests] == [True, True, None]
    assert decision.outcome == "undetermined"


def test_the_denominator_of_territories_grows_on_8_june_2022() -> None:
    for day, count, needed in ((date(2022, 6, 7), 17, 12), (date(2022, 6, 8), 20, 14), (date(2026, 3, 15), 20, 14)):
        areas = areas_on(AREAS, day)
        won = {area.code: AreaCount({"eligible": 2, "participated": 2, "yes": 2}, area.weight) for area in areas}
        test = decide(CONSTITUTION, won, day).tests[2]
        assert (len(areas), test.value, test.needed) == (count, count, needed)
