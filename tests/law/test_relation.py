"""Relations of protocol fields: grammar, exactness, and the columns agreeing with single protocols."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.law.relation import LARGEST, Linear, Relation

TEXTS = [
    "participated = yes + no + invalid + not_counted",
    "received <= eligible",
    "100 * delivered < 101 * eligible + 100",
    "eligible <= 3000",
    "7 < 2 * a + b + 3",
]
fields = st.sampled_from(["a", "b", "c"])
terms = st.lists(st.tuples(st.integers(1, 200), fields), min_size=1, max_size=4).map(tuple)
sums = st.builds(Linear, terms, st.integers(0, 1000))
relations = st.builds(Relation, sums, st.sampled_from(["=", "<=", "<"]), sums)


@pytest.mark.parametrize("text", TEXTS)
def test_the_text_of_a_relation_is_what_was_read(text: str) -> None:
    assert str(Relation.parse(text)) == text


def test_a_relation_says_what_it_needs_and_what_it_found() -> None:
    relation = Relation.parse("100 * delivered < 101 * eligible + 100")
    assert relation.fields == ("delivered", "eligible")
    assert relation.sides({"delivered": 1010, "eligible": 1000}) == (101000, 101100)
    assert relation.holds({"delivered": 1010, "eligible": 1000})
    assert not relation.holds({"delivered": 1011, "eligible": 1000})
    with pytest.raises(KeyError):
        relation.holds({"eligible": 1})


@given(eligible=st.integers(0, 3000), more=st.integers(-2, 2))
def test_the_ballot_limit_is_101_per_cent_rounded_up(eligible: int, more: int) -> None:
    limit = -(-eligible * 101 // 100)
    relation = Relation.parse("100 * delivered < 101 * eligible + 100")
    assert relation.holds({"delivered": limit + more, "eligible": eligible}) == (more <= 0)


@pytest.mark.parametrize(
    "text",
    ["a", "a == b", "a = ", "a=b", "a > b", "a = b - c", "a = b  + c", "a = 2*b", "a = -1", "A = b", "1 = 2",
     "a = b + ", "a = b = c", "a = 1.5 * b", "a = 999999999 * b + 999999999 * c", "a = ٣", "a\n= b"],
)  # fmt: skip
def test_what_is_not_a_relation_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        Relation.parse(text)


@given(relations)
def test_writing_and_reading_keep_the_relation(relation: Relation) -> None:
    assert Relation.parse(str(relation)) == relation


@given(relations, st.lists(st.tuples(*[st.integers(0, LARGEST)] * 3), max_size=8))
@settings(max_examples=80)
def test_columns_agree_with_single_protocols(relation: Relation, rows: list[tuple[int, int, int]]) -> None:
    columns = {name: np.array([row[n] for row in rows], dtype=np.int64) for n, name in enumerate("abc")}
    expected = [not relation.holds(dict(zip("abc", row, strict=True))) for row in rows]
    assert relation.violations(columns).tolist() == expected


def test_the_largest_numbers_do_not_overflow() -> None:
    relation = Relation.parse(f"{LARGEST - 1} * a < {LARGEST - 1} * a + {LARGEST - 1}")
    columns = {"a": np.array([LARGEST, 0], dtype=np.int64)}
    assert relation.violations(columns).tolist() == [False, False]


@pytest.mark.parametrize("value", [LARGEST + 1, 2**62, -(2**62)])
def test_numbers_that_could_overflow_are_refused(value: int) -> None:
    with pytest.raises(BadInput, match="field a: too large a number"):
        Relation.parse("a <= b").violations({"a": np.array([1, value]), "b": np.array([1, 1])})


def test_columns_of_floats_are_refused() -> None:
    with pytest.raises(BadInput, match="expected int64"):
        Relation.parse("a <= b").violations({"a": np.array([1.0]), "b": np.array([1])})
