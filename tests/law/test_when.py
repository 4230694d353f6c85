"""Facts are the only place where days enter; a When is the later of its event and its day."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.law.facts import Fact, Facts
from dauys.law.files import Node
from dauys.law.when import When, when_of

PUBLISHED = Fact("referendum-2022.published", date(2022, 6, 8), "the gazette")
DAYS = st.dates(date(2020, 1, 1), date(2026, 1, 1))
SETS = st.dictionaries(st.sampled_from("abcdefg"), DAYS).map(
    lambda days: [Fact(event, day, "somebody") for event, day in days.items()]
)


def test_the_later_of_event_and_day() -> None:
    facts = Facts([PUBLISHED])
    assert When(PUBLISHED.event).resolve(facts) == date(2022, 6, 8)
    assert When(PUBLISHED.event, date(2023, 1, 1)).resolve(facts) == date(2023, 1, 1)
    assert When(PUBLISHED.event, date(2022, 1, 1)).resolve(facts) == date(2022, 6, 8)
    assert When(day=date(2022, 11, 5)).resolve(Facts()) == date(2022, 11, 5)


def test_without_its_event_it_never_begins_whatever_the_day() -> None:
    assert When(PUBLISHED.event, date(1995, 1, 1)).resolve(Facts([PUBLISHED]).without(PUBLISHED.event)) is None


def test_several_events_wait_for_the_last() -> None:
    both = When(PUBLISHED.event, also=("mazhilis-8.elections",))
    facts = Facts([PUBLISHED, Fact("mazhilis-8.elections", date(2023, 1, 19), "the decree")])
    assert both.resolve(facts) == date(2023, 1, 19)
    assert both.deciding(facts) == facts.get("mazhilis-8.elections")
    assert When(PUBLISHED.event, date(2024, 1, 1), both.also).resolve(facts) == date(2024, 1, 1)
    for event in both.events:
        assert both.resolve(facts.without(event)) is None
        assert both.missing(facts.without(event)) == (event,)
        assert both.deciding(facts.without(event)) is None


def test_three_ways_to_write_it() -> None:
    both = When("mazhilis-8.elected", date(2023, 1, 1))
    assert when_of(Node.of({"event": "mazhilis-8.elected", "day": "2023-01-01"})) == both
    assert when_of(Node.of("mazhilis-8.elected")) == When("mazhilis-8.elected")
    assert when_of(Node.of("2023-01-01")) == When(day=date(2023, 1, 1))
    assert when_of(Node.of(both.to_json())) == both
    two = When("a", date(2023, 1, 1), ("b",))
    assert when_of(Node.of({"event": ["a", "b"], "day": "2023-01-01"})) == two
    assert when_of(Node.of(two.to_json())) == two
    assert str(two) == "a and b, not before 2023-01-01"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "says nothing"),
        ({"event": "Mazhilis 8"}, "cannot be read"),
        ({"event": []}, "not a list of events"),
        ({"event": ["a", "a"]}, "not a list of events"),
        ({"event": ["a", "Mazhilis 8"]}, "cannot be read"),
        ({"event": "a", "date": "2023-01-01"}, "unknown key"),
        ("2023-02-30", "not a day"),
        ("8 June 2022", "not a day"),
        ({"day": "2023-1-1"}, "not a day"),
        ([], "wrong type"),
    ],
)
def test_whatever_else_is_refused(wrong: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        when_of(Node.of(wrong))


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_facts(tmp_path: Path) -> None:
    text = """
facts:
  - event: referendum-2022.published
    at: 2022-06-08
    source: the gazette
  - {event: referendum-2022.published, at: 2022-06-08, source: the ministry, note: the same twice is fine}
  - {event: c1995.in-force, at: 1995-09-05, source: the gazette}
"""
    facts = Facts.read(write(tmp_path / "facts.yaml", text))
    assert [fact.event for fact in facts] == ["c1995.in-force", "referendum-2022.published"]
    assert facts.day("referendum-2022.published") == date(2022, 6, 8)
    assert facts.get("referendum-2022.published") == PUBLISHED


def test_two_different_days_name_both_lines(tmp_path: Path) -> None:
    text = """facts:
  - {event: a, at: 2022-06-08, source: x}
  - {event: b, at: 2022-06-08, source: x}
  - {event: a, at: 2022-06-09, source: w}
"""
    with pytest.raises(BadInput) as caught:
        Facts.read(write(tmp_path / "facts.yaml", text))
    assert "line 2" in str(caught.value)
    assert "line 4" in str(caught.value)
    assert "2022-06-08" in str(caught.value)
    assert "2022-06-09" in str(caught.value)


def test_with_another_day_is_refused_and_with_the_same_is_not() -> None:
    facts = Facts([PUBLISHED])
    assert facts.with_(PUBLISHED) == facts
    with pytest.raises(BadInput, match="two different days"):
        facts.with_(Fact(PUBLISHED.event, date(2022, 6, 9), "somebody else"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("facts:\n  - {event: a, at: 2022-06-08}\n", "line 2.*missing: source"),
        ("facts:\n  - {event: a, at: 2022-06-31, source: x}\n", "line 2.*not a day"),
        ("facts:\n  - {event: a, at: 2022-06-30, source: x, by: me}\n", "line 2.*unknown key"),
        ("facts:\n  - {event: A b, at: 2022-06-30, source: x}\n", "line 2.*cannot be read"),
        ("fact: []\n", "line 1.*unknown key"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Facts.read(write(tmp_path / "facts.yaml", text))


@given(SETS, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_recording_does_not_matter(facts: list[Fact], chance: object) -> None:
    shuffled = list(facts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one_by_one = Facts()
    for fact in shuffled:
        one_by_one = one_by_one.with_(fact)
    assert one_by_one == Facts(facts)
    assert list(one_by_one) == list(Facts(facts))


@given(SETS, st.sampled_from("abcdefg"), DAYS)
@settings(max_examples=60)
def test_one_more_fact_taken_back_leaves_the_rest(facts: list[Fact], event: str, day: date) -> None:
    before = Facts(facts).without(event)
    after = before.with_(Fact(event, day, "x"))
    assert after.without(event) == before
    assert after.day(event) == day
    assert When(event, day + timedelta(days=3)).resolve(after) == day + timedelta(days=3)
