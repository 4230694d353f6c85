"""Sets: previewed, decided by a second person, taken back; held against a roll kept as a dictionary."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from roll_people import AT, DAY, VAULT, apply_checked, apply_rows, bring_rows, empty, rolled_back, row

from dauys.errors import BadInput, DauysError
from dauys.roll.changes import approve, get_set, later_set, list_sets, propose_back, reject, roll_back
from dauys.roll.preview import preview
from dauys.roll.versions import count_in_force, history, in_force

pytestmark = pytest.mark.database
HOUR = timedelta(hours=1)


def voter(serial: int) -> UUID:
    return UUID(bytes=VAULT.voter(row(serial)["iin"]))


def test_a_second_person_decides(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    number = bring_rows(connection, tmp_path, [row(1)]).set_id
    assert number is not None and in_force(connection, voter(1)) is None
    for who in ("anna", " Anna "):
        with pytest.raises(DauysError, match="a second person"):
            approve(connection, number, who, AT)
    with pytest.raises(DauysError, match="a name"):
        approve(connection, number, " ", AT)
    approve(connection, number, "boris", AT)
    assert (found := in_force(connection, voter(1))) is not None and found.station == "A-1"
    with pytest.raises(DauysError, match="applied already, by boris"):
        approve(connection, number, "vera", AT)
    assert [one.state for one in list_sets(connection)] == ["applied"] and list_sets(connection, "held") == []


def test_the_database_itself_refuses_one_person_twice(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    number = bring_rows(connection, tmp_path, [row(1)]).set_id
    with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
        connection.execute(
            sa.text("UPDATE roll_set SET state = 'applied', decided_by = 'anna', decided = now() WHERE id = :id"),
            {"id": number},
        )
    with pytest.raises(sa.exc.DatabaseError, match="never changed"), connection.begin_nested():
        connection.execute(sa.text("UPDATE voter SET station = 'B-1'"))


@pytest.mark.parametrize("other", [False, True])
def test_a_rejected_set_leaves_its_line_and_no_voters(connection: sa.Connection, tmp_path: Path, other: bool) -> None:
    empty(connection)
    if other:
        apply_rows(connection, tmp_path, [row(7)])
    number = bring_rows(connection, tmp_path, [row(1)]).set_id
    assert number is not None
    with pytest.raises(DauysError, match="with a reason"):
        reject(connection, number, "boris", AT, " ")
    for act in (approve, reject):
        with pytest.raises(BadInput, match=r"P\.077"):
            act(connection, number, "boris", AT, f"of {row(1)['iin']}")
    assert get_set(connection, number).state == "held"
    reject(connection, number, "boris", AT, "wrong file")
    assert history(connection, voter(1)) == [] and get_set(connection, number).reason == "wrong file"
    assert (in_force(connection, voter(7)) is not None) is other


def test_roll_back_restores_what_was_before_and_says_which_set_bars_it(
    connection: sa.Connection, tmp_path: Path
) -> None:
    empty(connection)
    first = apply_rows(connection, tmp_path, [row(1), row(2)])
    second = apply_rows(connection, tmp_path, [row(1, station="B-1")], at=AT + HOUR)
    third = apply_rows(connection, tmp_path, [row(3)], at=AT + 2 * HOUR)
    with pytest.raises(DauysError, match=f"later set {second}"):
        rolled_back(connection, first, "boris", AT + 3 * HOUR, "wrong")
    with pytest.raises(DauysError, match="nobody has proposed"):
        roll_back(connection, second, "vera", AT + 3 * HOUR, "wrong")
    propose_back(connection, second, "account/Vera ", AT + 3 * HOUR, "wrong")
    with pytest.raises(DauysError, match="a second person does it"):
        roll_back(connection, second, "vera", AT + 3 * HOUR, "wrong")
    rolled_back(connection, second, "vera", AT + 3 * HOUR, "wrong")
    assert (now := in_force(connection, voter(1))) is not None and (now.station, now.set_id) == ("A-1", first)
    stations = [in_force(connection, voter(1), AT + n * HOUR) for n in range(4)]
    assert [None if one is None else one.station for one in stations] == ["A-1", "B-1", "B-1", "A-1"]
    assert in_force(connection, voter(1), AT - HOUR) is None
    assert [(known.version.set_id, known.state) for known in history(connection, voter(1))] == [
        (first, "applied"), (second, "rolled back"),
    ]  # fmt: skip
    homes = [(now := in_force(connection, voter(n))) and now.station for n in (1, 2, 3)]
    assert homes == ["A-1"] * 3 and count_in_force(connection, DAY)["A-1"] == 3
    assert later_set(connection, first) is None and third
    with pytest.raises(DauysError, match="rolled back: only an applied set"):
        rolled_back(connection, second, "vera", AT + 3 * HOUR, "again")


def test_an_older_set_is_not_applied_over_a_later_one(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    old = bring_rows(connection, tmp_path, [row(1), row(2)]).set_id
    assert old is not None
    new = apply_rows(connection, tmp_path, [row(2, station="B-1")])
    assert preview(connection, old).barred_by == new
    with pytest.raises(DauysError, match=f"older than set {new}"):
        approve(connection, old, "boris", AT)


def test_a_preview_counts_each_voter_once_by_station_and_area(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    apply_rows(connection, tmp_path, [row(n) for n in range(1, 7)])
    held = bring_rows(
        connection,
        tmp_path,
        [
            row(1),
            row(2, street="Мира"),
            row(3, station="B-1", street="Мира"),
            row(4, status="prison", since="2022-01-01", source="court 7"),
            row(8, station="B-1"),
            row(5, station="A-2"),
        ],
    )
    assert held.set_id is not None
    found = preview(connection, held.set_id)
    total = {name: value for name, value in found.total.to_json().items() if value}
    assert total == {
        "added": 1, "status": 1, "moved": 2, "left": 2, "changed": 1, "unchanged": 1, "before": 6, "after": 6,
    }  # fmt: skip
    assert {code: (line.before, line.after, line.moved, line.left) for code, line in found.stations.items()} == {
        "A-1": (6, 3, 0, 2), "A-2": (0, 1, 1, 0), "B-1": (0, 2, 1, 0),
    }  # fmt: skip
    assert {code: (line.before, line.after) for code, line in found.areas.items()} == {"A": (6, 4), "B": (0, 2)}
    assert found.absent == 1  # voter 6
    approve(connection, held.set_id, "boris", AT)
    assert count_in_force(connection, DAY) == {"A-1": 3, "A-2": 1, "B-1": 2}
    assert count_in_force(connection, DAY, ["B-1"]) == {"B-1": 2}


sets = st.lists(
    st.one_of(
        st.tuples(
            st.just("apply"), st.dictionaries(st.integers(1, 4), st.sampled_from(["A-1", "A-2", "B-1"]), min_size=1)
        ),
        st.tuples(st.just("back"), st.integers(0, 5)),
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sets)
def test_what_is_in_force_follows_from_the_sets_in_order(
    connection: sa.Connection, steps: list[tuple[str, dict[int, str] | int]]
) -> None:
    with connection.begin_nested() as inner:
        empty(connection)
        applied: dict[int, dict[int, str]] = {}
        moments = []
        for hour, (_, given_) in enumerate(steps):
            at = AT + hour * HOUR
            if isinstance(given_, dict):
                made = apply_checked(connection, [row(n, station=where) for n, where in given_.items()], at)
                applied[made] = given_
            elif given_ < len(applied):
                number = sorted(applied)[given_]
                later = [
                    one for one in sorted(applied) if one > number and applied[one].keys() & applied[number].keys()
                ]
                if later:
                    with pytest.raises(DauysError, match=f"set {later[0]}"):
                        rolled_back(connection, number, "boris", at, "wrong")
                else:
                    rolled_back(connection, number, "boris", at, "wrong")
                    del applied[number]
            expected: dict[int, str] = {}
            for number in sorted(applied):
                expected |= applied[number]
            moments.append((at, expected))
        for at, expected in moments:
            found = {n: in_force(connection, voter(n), at) for n in range(1, 5)}
            assert {n: one.station for n, one in found.items() if one} == expected
        inner.rollback()


def test_a_status_ends_with_its_last_day(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    apply_rows(connection, tmp_path, [row(1, status="prison", since="2021-01-01", until="2022-06-04", source="court")])
    assert count_in_force(connection, DAY) == {"A-1": 1}
    assert count_in_force(connection, date(2022, 6, 4)) == {}
