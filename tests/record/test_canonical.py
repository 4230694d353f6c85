"""Are the canonical bytes those of RFC 8785? Oracle: the `rfc8785` package."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import DauysError
from dauys.record.canonical import LARGEST_INTEGER, canonical, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
KEYS = TEXT | st.sampled_from(["\U0001f600", "\ufb33", "\uffff", "\U00010000", "\u20ac", "a\U0001f600", "a\uffff"])
VALUES = st.recursive(
    TEXT | st.booleans() | st.none() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_the_bytes_are_those_of_another_implementation(value):
    assert canonical(value) == rfc8785.dumps(value)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_reading_gives_the_value_back(value):
    assert parse(canonical(value)) == value
    assert canonical(parse(canonical(value))) == canonical(value)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.integers(0, 10**6), st.integers(0, 255))
def test_bytes_that_are_read_are_the_only_ones_for_their_value(value, place, byte):
    data = bytearray(canonical(value))
    data[place % len(data)] = byte
    try:
        changed = parse(bytes(data))
    except DauysError:
        return
    assert rfc8785.dumps(changed) == bytes(data)


def test_the_sorting_example_of_rfc_8785_section_3_2_3():
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(dict.fromkeys(keys, 0)))) == ordered
    assert list(json.loads(canonical([{"in": dict.fromkeys(keys, 0)}]))[0]["in"]) == ordered


def test_tuples_are_lists_and_escapes_are_the_short_ones():
    assert canonical({"b": (1, True, None), "a": '\b\t\n\f\r"\\\x00\x1f\x7f/é'}) == (
        '{"a":"\\b\\t\\n\\f\\r\\"\\\\\\u0000\\u001f\x7f/é","b":[1,true,null]}'.encode()
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.5, "0.5 is not a whole number"),
        ({"a": [1.0]}, "1.0 is not a whole number"),
        (float("nan"), "nan is not a whole number"),
        (2**53, "beyond 2\\*\\*53 - 1"),
        ({"a": -(2**53)}, "beyond 2\\*\\*53 - 1"),
        ({1: "a"}, "the key 1 is not text"),
        ("\ud800", "half of a surrogate pair"),
        ({"\udfff": 1}, "half of a surrogate pair"),
        ({"\udfff": 1, "\U0001f600": 2}, "half of a surrogate pair"),
        (b"bytes", "a bytes has no place"),
        ([{1, 2}], "a set has no place"),
    ],
)
def test_what_has_no_canonical_form_is_refused(value, message):
    with pytest.raises(DauysError, match=message):
        canonical(value)


def test_a_value_that_contains_itself_is_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(DauysError, match="contains itself"):
        canonical(loop)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a":1,"a":2}', "the key 'a' stands twice"),
        (b'{"b":1,"a":2}', "not the canonical form .*byte 2"),
        (b'{"a": 1}', "not the canonical form"),
        (b'{"a":1}\n', "not the canonical form"),
        (b"1.5", "1.5 is not a whole number"),
        (b"1.0", "1.0 is not a whole number"),
        (b"1e3", "not a whole number"),
        (b"-0", "not the canonical form"),
        (b"NaN", "not a whole number"),
        (b"9007199254740992", "beyond"),
        (b"9" * 5000, "too large"),
        (b'"\\u0041"', "not the canonical form"),
        (b'"\\ud800"', "half of a surrogate pair"),
        (b'\xef\xbb\xbf"a"', "not JSON"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b"", "not JSON"),
        (b'{"a":1', "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_other_bytes_are_refused(data, message):
    with pytest.raises(DauysError, match=message):
        parse(data)
