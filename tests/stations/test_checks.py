"""Checks: the catalogue and its page, each check raised by one change to a good protocol, words in three languages."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words
from sample_stations import GOOD, batch

from dauys.law.packs import form_names, load_form
from dauys.stations.catalogue import catalogue, checks_of, markdown
from dauys.stations.checks import Known, far_from_neighbours, protocol_checks
from dauys.stations.words import agree, normalised, spellings

ROOT = Path(__file__).parents[2]
FORM = load_form("kz/referendum-protocol")
FULL = GOOD | {"delivered": 1005, "cancelled": 305, "mobile_requests": 20, "mobile_ballots": 18}


def known(
    rows: int = 1, listed: int = 1000, reported: int = -1, reported_eligible: int = -1, signs: bool = False
) -> Known:
    return Known(*(np.full(rows, n, np.int64) for n in (listed, reported, reported_eligible)), np.full(rows, signs))


def raised(changes: dict[str, int], **context: int | bool) -> set[str]:
    return set(protocol_checks(FORM, batch({"s": FULL | changes}), known(**context))[0])  # type: ignore[arg-type]


def test_a_good_protocol_raises_nothing() -> None:
    assert raised({}) == set()


@pytest.mark.parametrize(
    ("number", "changes", "context"),
    [
        ("F.101", {"yes": 501}, {}),
        ("F.102", {"received": 680, "cancelled": 325}, {}),
        ("F.103", {"received": 1001, "cancelled": 4, "participated": 1000, "yes": 810}, {}),
        ("F.104", {"cancelled": 306}, {}),
        ("W.110", {"delivered": 1011, "cancelled": 311}, {}),
        ("F.107", {"mobile_ballots": 21}, {}),
        ("W.111", {"eligible": 3001}, {"listed": 3001}),
        ("F.109", {"mobile_ballots": 691, "mobile_requests": 691}, {}),
        ("F.110", {}, {"reported": 701}),
        ("W.101", {"eligible": 690, "received": 690, "delivered": 690, "cancelled": 0}, {"listed": 690}),
        ("W.103", {"eligible": 1001}, {}),
        ("W.103", {}, {"reported_eligible": 1002, "reported": 3}),
        ("W.106", dict.fromkeys(("participated", "yes", "no", "invalid", "not_counted", "mobile_ballots"), 0), {}),
        ("W.107", {"received": 727, "cancelled": 278}, {}),
        ("W.109", {}, {"signs": True}),
    ],
)
def test_each_check_is_raised_by_its_own_change(number: str, changes: dict[str, int], context: dict[str, int]) -> None:
    assert number in raised(changes, **context)
    assert number in checks_of(FORM)


def test_the_boundaries_are_exact() -> None:
    assert raised({"delivered": 1010, "cancelled": 310}) == set()  # 1.01 x 1000, no ballot more
    assert raised({"received": 726, "cancelled": 279}) == set()  # 36 of 726 not found: 4.96 %
    assert raised({"eligible": 3000}, listed=3000) == set()
    assert raised({}, reported=700) == set()


def test_an_identity_is_not_asked_of_a_protocol_that_leaves_its_field_empty() -> None:
    from dauys.stations.batch import Batch

    full = batch({"a": FULL, "b": FULL | {"cancelled": 0}})
    part = Batch(full.contest, full.stations, full.values, {"cancelled": np.array([False, True])})
    assert protocol_checks(FORM, part, known(2)) == [(), ()]
    assert "cancelled" in part.protocols()[0] and "cancelled" not in part.protocols()[1]


def test_the_page_of_checks_is_in_step() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert page == markdown(load_form(name) for name in form_names())


def test_every_number_in_the_code_is_in_the_catalogue_and_the_reverse() -> None:
    known_numbers = set(catalogue()) | {i.number for name in form_names() for i in load_form(name).identities}
    used: set[str] = set()
    for folder in ("stations", "registers"):
        for path in (ROOT / "src" / "dauys" / folder).rglob("*.py"):
            used |= set(re.findall(r"\"([FW]\.\d{3})\"", path.read_text(encoding="utf-8")))
    assert used <= known_numbers
    assert catalogue().keys() <= used


def test_no_form_takes_a_number_of_the_catalogue() -> None:
    for name in form_names():
        assert not catalogue().keys() & {identity.number for identity in load_form(name).identities}


@settings(max_examples=60)
@given(st.integers(0, 10**7), st.sampled_from(["kz", "ru", "en"]))
def test_words_say_their_number_and_no_other(number: int, language: str) -> None:
    words = num2words(number, lang=language)
    assert agree(number, words) and agree(number, f" {words.upper().replace('-', ' ')}. ")
    for other in (number + 1, number + 1000, number + 100, number * 10, abs(number - 1000)):
        assert other == number or not agree(other, words)


def test_all_spellings_up_to_three_thousand_are_different() -> None:
    seen: dict[tuple[str, ...], int] = {}
    for number in [*range(3001), *range(20_000, 22_100)]:
        for spelling in spellings(number):
            assert seen.setdefault(spelling, number) == number
    assert len(seen) == 3 * (3001 + 2100)


def test_words_as_people_write_them() -> None:
    for words in (
        "Тысяча двести",
        "одна тысяча двести",
        "мың екі жүз",
        "бір мың екі жүз",
        "One thousand and two hundred",
    ):
        assert agree(1200, words)
    assert agree(101, "сто одна") and agree(21000, "двадцать одна тысяча") and not agree(20000, "двадцать одна тысяча")
    assert not agree(1200, "тысяча двадцать") and not agree(0, "") and normalised("12") == ()


def test_words_that_differ_from_digits_are_F105() -> None:
    from dataclasses import replace

    given_batch = batch({"a": GOOD, "b": GOOD, "c": GOOD})
    words = {"yes": ["пятьсот", "пятьсот один", ""], "no": ["жүз елу", "жүз елу", "one hundred and fifty"]}
    assert protocol_checks(FORM, replace(given_batch, words=words), known(3)) == [(), ("F.105",), ()]


def test_a_share_far_from_its_neighbours() -> None:
    base = np.full(40, 1000, np.int64)
    part = np.array([700 + n % 7 for n in range(39)] + [850], np.int64)
    areas = ["A"] * 40
    assert np.flatnonzero(far_from_neighbours(areas, part, base)).tolist() == [39]
    assert not far_from_neighbours(areas, np.where(part == 850, 790, part), base).any()  # within ten points
    assert not far_from_neighbours(["A"] * 30 + ["B"] * 10, part, base).any()  # ten neighbours are too few
    assert not far_from_neighbours(areas, part, np.where(part == 850, 49, 1000)).any()  # too few ballots
