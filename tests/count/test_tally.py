"""Sums are exact, the same from columns and from single protocols, and name the stations they cover."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.count.tally import IDS_AT_A_TIME, LARGEST, covers, tally, tally_columns
from dauys.errors import BadInput

AREAS = ("KZ11", "KZ15", "KZ71")
FIELDS = ("yes", "no")
rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, LARGEST), st.integers(0, LARGEST)), max_size=30)


@given(rows)
@settings(max_examples=80)
def test_columns_and_protocols_give_the_same_tally(rows: list[tuple[int, int, int]]) -> None:
    stations = [f"s{n}" for n in range(len(rows))]
    single = tally(
        ((s, AREAS[a], {"yes": y, "no": n}) for s, (a, y, n) in zip(stations, rows, strict=True)), FIELDS, AREAS
    )
    columns = {name: np.array([row[1 + n] for row in rows], dtype=np.int64) for n, name in enumerate(FIELDS)}
    joined = tally_columns(stations, np.array([row[0] for row in rows], dtype=np.int64), AREAS, columns)
    assert joined == single
    assert joined.stations == len(rows)
    assert joined.national["yes"] == sum(row[1] for row in rows)
    assert all(type(value) is int for total in joined.areas.values() for value in total.values())


def test_the_set_of_stations_is_named_whatever_their_order() -> None:
    assert covers(["b", "a", "ә"]) == hashlib.sha256("a\nb\nә".encode()).hexdigest()
    assert covers([]) == hashlib.sha256(b"").hexdigest()
    assert covers(["a", "b"]) != covers(["ab"])


def test_a_long_list_is_named_as_if_its_text_were_joined_in_one_go() -> None:
    for size in (IDS_AT_A_TIME - 1, IDS_AT_A_TIME, IDS_AT_A_TIME + 1, 2 * IDS_AT_A_TIME + 7):
        ids = [f"учаске «{n}»" for n in range(size)]
        assert covers(reversed(ids)) == hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
    with pytest.raises(BadInput, match="a line feed"):
        covers([*ids, "я\n"])


@pytest.mark.parametrize(("ids", "message"), [(["a", "b", "a"], "counted twice; found 'a'"), (["a\nb"], "a line feed")])
def test_a_station_twice_or_on_two_lines_is_refused(ids: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        covers(ids)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match="station s1 is in an area"):
        tally([("s1", "XX", {"yes": 1, "no": 1})], FIELDS, AREAS)
    with pytest.raises(BadInput, match="station s1 lacks a field"):
        tally([("s1", "KZ11", {"yes": 1})], FIELDS, AREAS)
    area_of = np.array([0], dtype=np.int64)
    for column, message in (
        (np.array([-1]), "out of range"),
        (np.array([1, 2]), "wrong column"),
        (np.array([1.0]), "int64"),
    ):
        with pytest.raises(BadInput, match=message):
            tally_columns(["s1"], area_of, AREAS, {"yes": column})
    with pytest.raises(BadInput, match="area_of"):
        tally_columns(["s1"], np.array([3]), AREAS, {"yes": np.array([1])})
