"""Published figures: the eighteen misprints are caught by their numbers, and the right figures raise nothing."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dauys.law.decision_rule import Threshold
from dauys.stations import published as p
from dauys.stations.catalogue import catalogue, misprints
from dauys.stations.published import Finding, printed

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "kazakhstan"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the tables of published figures (shared/data) are not here")

LISTS = {"Amanat": 3431510, "Auyl": 693938, "Respublica": 547154, "Aq Jol": 535139, "People's": 432920, "NSDP": 331058,
         "Baytaq": 146431, "against all": 248291, "base": 6366441}  # fmt: skip
SEATS = {"amanat": 40, "auyl": 8, "respublica": 6, "aq_jol": 6, "peoples": 5, "nsdp": 4, "amanat_districts": 22,
         "independents": 7, "all_seats": 98}  # fmt: skip
BY_LIST = "amanat + auyl + respublica + aq_jol + peoples + nsdp = 69"
ALL = "amanat + auyl + respublica + aq_jol + peoples + nsdp + amanat_districts + independents = all_seats"
TWO_THIRDS = Threshold(Fraction(2, 3), strict=False)
SENATE = {"regions": 17, "elected": 34, "appointed": 15, "senators": 49}
SENATE_SUM, SENATE_ELECTED = "senators = elected + appointed", "elected = 2 * regions"
WEST = {"Aktobe": "55.90", "Atyrau": "62.45", "West Kazakhstan": "65.49", "Kyzylorda": "73.99", "Mangystau": "54.30"}


def pct(*pairs: tuple[str, str]) -> list[tuple[str, Fraction]]:
    return [(at, printed(text)) for at, text in pairs]


def both(*findings: list[Finding]) -> list[Finding]:
    return [finding for several in findings for finding in several]


def classes(invalid: int) -> dict[str, int]:
    return {"yes": 6163863, "no": 1490475, "invalid": invalid, "not counted": 125859, "participated": 7986293}


def kostanay(at_22: str) -> list[Finding]:
    return both(
        p.differ("Kostanay, 22:00", {"el.kz": at_22, "inform.kz": "72.28", "forbes.kz": "72.28"}),
        p.after_closing("Kostanay", pct(("18:00", "71.07"), ("20:00", "72.28"), ("22:00", at_22)), "20:00"),
    )


def national(count: int) -> list[Finding]:
    series = [("18:00", 7624641), ("20:00", count), ("22:00", 8030739)]
    return both(p.percentage("national, 20:00", "67.65", count, 11732699), p.falls("national", series))


def western(at_20: str) -> list[Finding]:
    return p.repeats(
        "Atyrau", pct(("14:00", "50.68"), ("18:00", "62.45"), ("20:00", at_20), ("22:00", "67.68")), "21:00"
    )


def aktobe(at_18: str) -> list[Finding]:
    west = {name: (printed(value), printed(value)) for name, value in WEST.items()}
    return both(
        p.differ("Aktobe, 18:00", {"English text": at_18, "Russian text": "55.90"}, believed="Russian text"),
        p.moves_alone("western regions, 18:00", west | {"Aktobe": (printed(at_18), printed("55.90"))}),
    )


def amanat(votes: int) -> list[Finding]:
    return both(p.sum_of("base", LISTS | {"Amanat": votes}), p.percentage("Amanat", "53.90", votes, 6366441))


def seats(**printed_seats: int) -> list[Finding]:
    return both(
        p.formula("seats by list", BY_LIST, SEATS | printed_seats), p.formula("all seats", ALL, SEATS | printed_seats)
    )


def senate(**printed_numbers: int) -> list[Finding]:
    values = SENATE | printed_numbers
    return both(p.formula("Senate", SENATE_SUM, values), p.formula("Senate, elected", SENATE_ELECTED, values))


def budget(revenue: int) -> list[Finding]:
    return p.sum_of("revenue", {"tax": 158430, "other": 671, "sales": 11515, "transfers": 288138, "revenue": revenue})


def swapped(invalid: str) -> list[Finding]:
    return p.differ("invalid, 2026", {"commission": "146558", "orda.kz": invalid}, believed="commission")


CASES: dict[str, tuple[Callable[[], list[Finding]], Callable[[], list[Finding]]]] = {
    "E01": (lambda: kostanay("77.28"), lambda: kostanay("72.28")),
    "E02": (lambda: national(7396655), lambda: national(7936655)),
    "E03": (lambda: western("62.45"), lambda: western("65.10")),
    "E04": (
        lambda: both(p.sum_of("participated", classes(20696)), p.percentage("invalid", "2.58", 20696, 7986293)),
        lambda: both(p.sum_of("participated", classes(206096)), p.percentage("invalid", "2.58", 206096, 7986293)),
    ),
    "E05": (lambda: aktobe("55.09"), lambda: aktobe("55.90")),
    "E06": (
        lambda: p.differ("Atyrau, 12:00", {"first text": "37.33", "second text": "37.77"}),
        lambda: p.differ("Atyrau, 12:00", {"first text": "37.77", "second text": "37.77"}),
    ),
    "E07": (lambda: swapped("127868"), lambda: swapped("146558")),
    "E08": (lambda: amanat(3341510), lambda: amanat(3431510)),
    "E09": (lambda: seats(nsdp=5, independents=6), seats),
    "E10": (
        lambda: p.falls("Turkistan", pct(("12:10", "38.29"), ("16:10", "49.14"), ("18:10", "41.07"))),
        lambda: p.falls("Turkistan", pct(("12:10", "38.29"), ("16:10", "49.14"))),
    ),
    "E11": (
        lambda: p.falls("Ulytau", pct(("16:10", "58.26"), ("18:10", "63.63"), ("22:10", "58.99"))),
        lambda: p.falls("Ulytau", pct(("16:10", "58.26"), ("22:10", "58.99"))),
    ),
    "E12": (lambda: p.percentage("Auyl", "0.65", 2197, 330497), lambda: p.percentage("Auyl", "0.65", 2147, 330497)),
    "E13": (
        lambda: p.percentage("Aq Jol", "19.96", 56045, 330497),
        lambda: p.percentage("Aq Jol", "16.96", 56045, 330497),
    ),
    "E14": (lambda: p.percentage("PPK", "5.12", 18174, 330497), lambda: p.percentage("PPK", "5.50", 18174, 330497)),
    "E15": (lambda: budget(507854), lambda: budget(458754)),
    "E16": (lambda: p.needed("areas", 11, TWO_THIRDS, 17), lambda: p.needed("areas", 12, TWO_THIRDS, 17)),
    "E17": (
        lambda: p.differ("Kostanay, 14:00", {"one": "61.94", "two": "61.54", "three": "61.54", "four": "61.54"}),
        lambda: p.differ("Kostanay, 14:00", {"two": "61.54", "three": "61.54", "four": "61.54"}),
    ),
    "E18": (lambda: senate(elected=49), senate),
}


@pytest.mark.parametrize("misprint", misprints(), ids=lambda m: m.id)
def test_each_misprint_is_caught_by_its_numbers_and_the_right_figure_by_none(misprint: object) -> None:
    wrong, right = CASES[misprint.id]  # type: ignore[attr-defined]
    assert {finding.number for finding in wrong()} == set(misprint.checks)  # type: ignore[attr-defined]
    assert right() == []


def test_every_misprint_names_checks_of_the_catalogue() -> None:
    assert {number for misprint in misprints() for number in misprint.checks} <= catalogue().keys()
    assert CASES.keys() == {misprint.id for misprint in misprints()}


@needs_data
def test_the_list_of_misprints_is_the_published_one() -> None:
    with (DATA / "published_errors.csv").open() as file:
        assert [row["id"] for row in csv.DictReader(file)] == [misprint.id for misprint in misprints()]


def series_of(name: str, value: str = "ballots_received_pct") -> dict[str, list[tuple[str, Fraction]]]:
    found: dict[str, list[tuple[str, Fraction]]] = defaultdict(list)
    with (DATA / name).open() as file:
        for row in csv.DictReader(file):
            found[row["region"]].append((row["time_capital"], printed(row[value])))
    return found


def flagged(findings: Iterable[Finding]) -> set[str]:
    return {finding.what for finding in findings}


@needs_data
def test_on_the_whole_tables_only_the_known_rows_are_flagged() -> None:
    mazhilis = series_of("mazhilis2023_turnout_snapshots.csv").items()
    assert flagged(f for name, series in mazhilis for f in p.falls(name, series)) == {
        "Turkistan, 18:10",
        "Ulytau, 22:10",
    }
    day = series_of("referendum2022_turnout_snapshots.csv")
    assert not [f for name, series in day.items() for f in p.falls(name, series)]
    west = set(WEST)
    later = flagged(
        f for name, series in day.items() if name not in west for f in p.after_closing(name, series, "20:00")
    )
    assert later == {"Almaty city, 22:00"}  # 32.25 at 20:00, 33.30 at 22:00: printed so by all, and unexplained
    stale = {f.what for name in west for f in p.repeats(name, day[name], "21:00")}
    assert stale == {f"{name}, 20:00" for name in west}


@needs_data
def test_all_complete_results_add_up_and_recompute() -> None:
    with (DATA / "referendum2022_national.csv").open() as file:
        for row in csv.DictReader(file):
            if row["participated"]:
                parts = {name: int(row[name]) for name in ("yes", "no", "invalid", "valid_not_counted", "participated")}
                assert p.sum_of("participated", parts) == []
                for name in ("yes", "no", "invalid", "valid_not_counted"):
                    assert p.percentage(name, row[f"{name}_pct_published"], parts[name], parts["participated"]) == []
    with (DATA / "mazhilis2023_pr.csv").open() as file:
        for row in csv.DictReader(file):
            assert p.percentage(row["list"], row["pct_of_valid"], int(row["votes"]), 6366441) == []


@given(st.integers(0, 10**8), st.integers(1, 10**8), st.integers(0, 4))
def test_a_percentage_made_from_the_count_recomputes_and_its_neighbour_does_not(
    count: int, base: int, digits: int
) -> None:
    text = p.decimal(Fraction(100 * count, base), digits)
    assert p.percentage("x", text, count, base) == []
    neighbour = p.decimal(printed(text) + Fraction(2, 10**digits), digits)
    assert [finding.number for finding in p.percentage("x", neighbour, count, base)] == ["W.202"]


def test_nothing_of_nothing_is_no_percentage() -> None:
    assert p.percentage("x", "0.00", 0, 0)[0].number == "W.202"
