"""Texts, rules and territories as one: days of change, changes with causes, the law had something never happened."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput, DauysError
from dauys.law.snapshot import LawNotLoaded
from dauys.law.system import load_system

DAY = timedelta(days=1)
JUNE, JANUARY, ELECTIONS, END = date(2022, 6, 8), date(2023, 1, 1), date(2023, 1, 19), date(2026, 7, 1)
REFERENDUM = "referendum-2022.published"


def test_the_senate_and_what_it_hangs_on() -> None:
    system = load_system("kz")
    before, after = system.rules(JUNE - DAY), system.rules(JUNE)
    assert (before.value("senate.size"), after.value("senate.size")) == (49, 55)
    changed = {change.key: change for change in system.changes(JUNE - DAY, JUNE).rules}
    cause = changed["senate.size"].causes[0]
    assert (cause.event, cause.day) == ("areas", JUNE) and "KZ10, KZ33, KZ62" in cause.source
    later = {change.key: change for change in system.changes(JANUARY, ELECTIONS).rules}
    assert [cause.event for cause in later["senate.size"].causes] == ["mazhilis-8.elections"]
    assert system.value_since("senate.size", date(2022, 9, 1)) == JUNE
    assert system.value_since("senate.size", date(2022, 1, 1)) == date(2019, 3, 23)


def test_every_changed_provision_has_an_effect_and_a_cause() -> None:
    system = load_system("kz")
    for day in (JUNE, JANUARY, ELECTIONS, date(2022, 9, 17)):
        texts = system.changes(day - DAY, day).texts
        assert texts
        for change in texts:
            assert change.effects and change.causes, (day, change.line.id)
            assert {cause.day for cause in change.causes} == {day}


@given(st.dates(date(2019, 3, 24), date(2026, 6, 30)))
@settings(max_examples=60, deadline=None)
def test_the_law_changes_only_on_its_days(day: date) -> None:
    system = load_system("kz")
    found = system.changes(day - DAY, day)
    assert bool(found.rules or found.texts) == (day in system.days())


@pytest.mark.parametrize("day", [JUNE, JANUARY, ELECTIONS, date(2025, 6, 1)])
def test_without_the_referendum_its_text_stays_as_it_was(day: date) -> None:
    system = load_system("kz").without(REFERENDUM)
    for language in ("kk", "ru", "en"):
        was = system.text("constitution", JUNE - DAY, language)
        assert system.text("constitution", day, language).provisions == was.provisions
    assert not [change for change in system.changes(JUNE - DAY, day).rules if REFERENDUM in str(change.causes)]


def test_where_nothing_is_loaded() -> None:
    system = load_system("kz")
    found = system.changes(END - DAY, END)
    assert {change.after for change in found.rules} == {None}
    assert len(found.rules) == len(system.rules(END - DAY).values)
    assert [str(error) for error in found.missing] and "cannot say: law not loaded" in str(found.missing[0])
    with pytest.raises(LawNotLoaded):
        system.text("constitution", END)
    with pytest.raises(BadInput, match="not in order"):
        system.changes(JUNE, JUNE - DAY)
    with pytest.raises(DauysError, match="there are: constitution"):
        system.text("civil-code", JUNE)
    with pytest.raises(DauysError, match="no law as data"):
        load_system("ch")
