"""A file comes in: every bad row is listed by its number and without a name, the good ones are held."""

from __future__ import annotations

import csv
import errno
import json
import traceback
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from roll_people import AT, DAY, STATIONS, VAULT, bring_rows, empty, iin_of, row, write_csv

from dauys.errors import BadInput
from dauys.registers.parts import read_parts
from dauys.roll.catalogue import BROKEN, row_checks
from dauys.roll.importing import bring
from dauys.roll.rows import COLUMNS, REQUIRED, Seen
from dauys.roll.voter import Person

pytestmark = pytest.mark.database

GOOD = row(1)
PLANTED = {
    "R.001": [("iin", row(2, iin="79102830272")), ("iin", row(2, iin="")), ("iin", row(2, iin="7910283O2728"))],
    "R.002": [("iin", row(2, iin=iin_of(date(1979, 10, 28), 2)[:11] + "x"))],
    "R.003": [],
    "R.004": [],
    "R.005": [("born", row(3, born=date(1979, 10, 28)) | {"born": text}) for text in ("", "28.10.1979", "1979-02-30")],
    "R.006": [("born", row(4) | {"born": "1979-10-27"})],
    "R.007": [("born", row(5, born=date(2022, 5, 16)))],
    "R.008": [("born", row(6, born=date(2004, 6, 6)))],
    "R.010": [("station", row(7, station="A-9")), ("station", row(8, station=""))],
    "R.011": [("surname", row(9, surname=" ")), ("given", row(10, given=""))],
    "R.012": [("status", row(11, status="gone"))],
    "R.013": [
        ("since", row(12, since="soon")),
        ("until", row(13, since="2022-01-02", until="2022-01-01")),
        ("until", row(14, status="died", since="2022-01-02", until="2022-02-01", source="registry")),
    ],
    "R.014": [("surname", row(15, surname="Ах\u200bметов")), ("street", row(16, street="А" * 201))],
    "R.015": [
        ("since", row(17, status="prison", source="court")),
        ("source", row(18, status="prison", since="2022-01-01")),
    ],
    "R.016": [("born", row(19, born=date(1899, 1, 1)))],
}


def wrong_digit(iin: str) -> str:
    return iin[:11] + str((int(iin[11]) + 1) % 10)


def with_check(first: str) -> str:
    from dauys.roll.iin import check_digit

    return first + str(check_digit([int(c) for c in first]))


PLANTED["R.002"] = [("iin", row(2, iin=wrong_digit(iin_of(date(1979, 10, 28), 2))))]
PLANTED["R.003"] = [("iin", row(2, iin=with_check("79133030002")))]
PLANTED["R.004"] = [("iin", row(2, iin=with_check("79102800002")))]


def bad_lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "bad.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("number", sorted(set(PLANTED)))
def test_each_check_names_row_and_field_and_shows_nothing_personal(
    connection: sa.Connection, tmp_path: Path, number: str
) -> None:
    empty(connection)
    for field, bad in PLANTED[number]:
        found = bring_rows(connection, tmp_path, [GOOD, bad, row(50)])
        assert (found.rows, found.taken, found.bad, found.not_yet) == (
            3,
            2,
            int(number != "R.008"),
            int(number == "R.008"),
        )
        lines = bad_lines(tmp_path)
        assert ("3", field, number) in [(line["row"], line["field"], line["check"]) for line in lines]
        assert {line["row"] for line in lines} == {"3"} and found.checks[number] == 1
        text = (tmp_path / "bad.csv").read_text(encoding="utf-8")
        for secret in (bad["iin"], bad["surname"].strip(), bad["born"], "Нұрлан", "Абая"):
            assert not secret or secret in {"soon"} or secret not in text, secret


def test_all_numbers_are_planted() -> None:
    assert set(PLANTED) | {"R.009", BROKEN} == set(row_checks())


def test_both_rows_of_a_double_iin_are_named_and_none_is_taken(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    twice = [row(1), row(2), row(1, station="B-1"), row(3), row(1, station="A-9")]
    found = bring_rows(connection, tmp_path, twice)
    assert (found.taken, found.bad, found.checks["R.009"]) == (2, 3, 3)
    lines = {line["row"]: line["what"] for line in bad_lines(tmp_path) if line["check"] == "R.009"}
    assert lines == {
        "2": "The same IIN twice: also in row 4, 6",
        "4": "The same IIN twice: also in row 2, 6",
        "6": "The same IIN twice: also in row 2, 4",
    }
    assert connection.scalar(sa.text("SELECT count(*) FROM voter")) == 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=6))
def test_seen_is_a_set(chunks: list[list[int]]) -> None:
    import numpy as np

    numbers = [int(iin_of(date(1979 + n % 3, 1 + n % 12, 1), n // 3, bool(n % 2))) for n in range(41)]
    seen, before, twice = Seen(), set(), set()
    for chunk in chunks:
        column = np.array([numbers[n] for n in chunk], np.int64)
        expected = []
        for number in column.tolist():
            expected.append(number in before)
            twice |= {number} & before
            before.add(number)
        assert seen.again(column, np.ones(len(column), np.bool_)).tolist() == expected
    assert seen.twice().tolist() == sorted(twice)


def test_good_rows_are_held_sealed_and_open_again(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    good = row(1, patronymic="Серікұлы", surname_kk="Ахметов", house='5 "а"', source="akimat")
    found = bring_rows(connection, tmp_path, [good, row(2, born=date(2003, 2, 1))])
    assert found.bad_file is None and not (tmp_path / "bad.csv").exists() and found.set_id is not None
    stored = connection.execute(sa.text("SELECT * FROM voter WHERE source = 'akimat'")).one()
    assert (stored.station, stored.area, stored.status, stored.set_id) == ("A-1", "A", "eligible", found.set_id)
    assert stored.voter.bytes == VAULT.voter(good["iin"])
    person = Person.from_bytes(VAULT.open(stored.voter.bytes, bytes(stored.sealed)))
    assert (person.iin, person.surname, person.address["house"]) == (good["iin"], good["surname"], '5 "а"')
    assert (person.names_kk, person.patronymic) == ({"surname": "Ахметов"}, "Серікұлы")
    everything = str(connection.execute(sa.text("SELECT v::text FROM voter v")).all())
    for secret in (good["iin"], good["surname"], "1979-10-28", "\\x" + good["surname"].encode().hex()):
        assert secret not in everything
    state = connection.execute(
        sa.text("SELECT state, summary FROM roll_set WHERE id = :id"), {"id": found.set_id}
    ).one()
    assert state.state == "held" and state.summary["taken"] == 2


def test_a_file_without_a_good_row_leaves_no_set(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    found = bring_rows(connection, tmp_path, [row(1, station="nowhere")])
    assert found.set_id is None and connection.scalar(sa.text("SELECT count(*) FROM roll_set")) == 0


def test_the_needed_columns_are_enough_in_any_order(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    columns = sorted(REQUIRED)
    rows = [{name: row(n)[name] for name in columns} for n in (1, 2)]
    path = write_csv(tmp_path / "rows.csv", rows, columns)
    found = bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=tmp_path / "bad.csv")
    stored = connection.execute(sa.text("SELECT status, since, source FROM voter")).all()
    assert found.taken == 2 and set(stored) == {("eligible", None, "rows.csv")}


def test_a_missing_column_refuses_the_file(connection: sa.Connection, tmp_path: Path) -> None:
    columns = [name for name in COLUMNS if name != "born"]
    path = write_csv(tmp_path / "rows.csv", [{k: v for k, v in row(1).items() if k in columns}], columns)
    with pytest.raises(BadInput) as refused:
        bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=tmp_path / "bad.csv")
    assert refused.value.check == "F.010" and not (tmp_path / "bad.csv").exists()


def test_a_file_that_ends_in_nonsense_leaves_nothing(connection: sa.Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [row(1, station="A-9"), row(2)])
    with path.open("ab") as file:
        file.write(b"a,\0\n")
    earlier = tmp_path / "earlier.csv"
    earlier.write_text("row,field,check,what,found\n7,iin,R.001,Not twelve digits,\n")
    for told in (tmp_path / "bad.csv", earlier):
        with pytest.raises(BadInput), connection.begin_nested():
            bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=told)
    assert {file.name for file in tmp_path.iterdir()} == {"rows.csv", "earlier.csv"} and "7,iin" in earlier.read_text()


def test_a_station_is_shown_where_it_looks_like_one(connection: sa.Connection, tmp_path: Path) -> None:
    """Where columns are shifted, a name or a birth date stands for it."""
    odd = ["1974-02-08", "Zhumabayeva", "911214-400002", "A1", "9112-1440-0002", "Z-7"]
    empty(connection)
    bring_rows(connection, tmp_path, [row(n, station=station) for n, station in enumerate(odd)])
    assert [line["found"] for line in bad_lines(tmp_path)] == [f"({len(each)} characters)" for each in odd[:-1]] + [
        "Z-7"
    ]


def test_a_full_disk_is_one_message(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BadInput, match="cannot be written: No space left on device"), connection.begin_nested():
        bring_rows(connection, tmp_path, [row(1), row(2, station="A-9")])
    assert {file.name for file in tmp_path.iterdir()} == {"rows.csv"}


def test_a_list_of_bad_rows_is_written_over_an_earlier_one_alone(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    path, listed = write_csv(tmp_path / "rows.csv", [row(1), row(2, station="A-9")]), tmp_path / "bad.csv"

    def brought(bad_file: Path) -> str:
        bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=bad_file)
        return bad_file.read_text(encoding="utf-8")

    foreign = tmp_path / "letter.csv"
    foreign.write_text("row,field\n")
    (tmp_path / "folder").mkdir()
    for place in (foreign, path, tmp_path / "folder", tmp_path / "absent/bad.csv"):
        with pytest.raises(BadInput) as refused:
            brought(place)
        assert (refused.value.field, refused.value.file) == ("--bad", str(place))
    assert foreign.read_text() == "row,field\n" and connection.scalar(sa.text("SELECT count(*) FROM roll_set")) == 0
    listed.touch()
    assert brought(listed) == brought(listed) and listed.read_text(encoding="utf-8").count("R.010") == 1


def test_parquet_and_other_processes_store_the_same(connection: sa.Connection, tmp_path: Path) -> None:
    rows = [row(n) for n in range(1, 40)]
    pl.DataFrame([{name: each.get(name, "") for name in COLUMNS} for each in rows]).write_parquet(
        tmp_path / "rows.parquet"
    )
    stored = []
    for path, processes in ((write_csv(tmp_path / "rows.csv", rows), 0), (tmp_path / "rows.parquet", 1)):
        empty(connection)
        bring(
            connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=tmp_path / "bad.csv", source="a file",
            processes=processes,
        )  # fmt: skip
        columns = "voter, station, area, status, source, block1, block2, sealed"
        stored.append(connection.execute(sa.text(f"SELECT {columns} FROM voter ORDER BY voter")).all())
    assert stored[0] == stored[1] and len(stored[0]) == 39


def test_the_parts_of_a_file_make_no_difference(
    connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above all where an IIN comes again: in the same part or a later one, good, bad, or too early."""
    bad, early = PLANTED["R.005"][0][1], PLANTED["R.008"][0][1]
    rows = [row(n) for n in range(20, 60)]
    rows[7:7] = [bad, early, row(20), row(21, station="A-9"), bad | {"born": "x"}, early, row(2, born=date(2003, 2, 1))]
    rows += [early | {"given": ""}, row(59), row(58), row(22, born=date(2003, 2, 1)), row(22)]
    path, told = write_csv(tmp_path / "rows.csv", rows), tmp_path / "bad.csv"
    stored = []
    for size in (1, 200, 1_000, 1 << 20):
        monkeypatch.setattr("dauys.roll.importing.read_parts", partial(read_parts, size=size))
        empty(connection)
        found = bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=told)
        voters = connection.execute(sa.text("SELECT voter, station, sealed FROM voter ORDER BY voter")).all()
        stored.append((found.to_json() | {"set": None}, told.read_text(encoding="utf-8"), voters))
    assert all(each == stored[-1] for each in stored)
    assert (found.rows, found.taken, found.bad, found.not_yet) == (len(rows), 37, 14, 1), found


@pytest.mark.parametrize("source", ["a\u00adletter", "a\x1fb", "two\nlines"])
def test_what_all_rows_are_given_is_looked_at_as_their_own(
    connection: sa.Connection, tmp_path: Path, source: str
) -> None:
    path, told = write_csv(tmp_path / "rows.csv", [row(1), row(2, source="akimat")]), tmp_path / "bad.csv"
    found = bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=told, source=source)
    assert (found.taken, found.checks) == (1, {"R.014": 1})
    assert [(line["row"], line["field"]) for line in bad_lines(tmp_path)] == [("2", "source")]


def test_indexes_come_back_as_they_were(
    connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(connection)
    look = sa.text("SELECT indexdef FROM pg_indexes WHERE tablename = 'voter' ORDER BY 1")
    before = connection.scalars(look).all()
    monkeypatch.setattr("dauys.roll.importing.MANY_BYTES", 1)
    path = write_csv(tmp_path / "rows.csv", [row(1), row(2), row(1)])
    found = bring(
        connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=tmp_path / "bad.csv", processes=0
    )
    assert not any(
        "brin" in index for index in before
    )  # a COPY beside a VACUUM may hide rows from one (migration 0043)
    assert connection.scalars(look).all() == before and len(before) == 3 and found.taken == 1
    assert json.dumps(found.to_json())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["good", *sorted(PLANTED)]), min_size=1, max_size=25))
def test_taken_bad_and_not_yet_are_all_rows(connection: sa.Connection, tmp_path: Path, kinds: list[str]) -> None:
    with connection.begin_nested() as inner:
        rows = [row(100 + n) if kind == "good" else PLANTED[kind][0][1] for n, kind in enumerate(kinds)]
        found = bring_rows(connection, tmp_path, rows)
        assert found.rows == len(rows) == found.taken + found.bad + found.not_yet
        assert found.taken >= kinds.count("good") and found.not_yet <= kinds.count("R.008")
        inner.rollback()


def test_lines_that_are_no_rows_are_bad_rows_and_the_others_are_taken(
    connection: sa.Connection, tmp_path: Path
) -> None:
    """Too few fields, too many (in one block they make up for each other), a quote never closed, CP1251, a blank line."""
    path = write_csv(tmp_path / "rows.csv", [row(n) for n in range(1, 9)])
    lines = path.read_bytes().splitlines(keepends=True)
    quoted = lines[6].replace("Абая".encode(), '"Абая, ""А"""'.encode())
    lines[2:7] = [
        lines[2].replace(b",", b"", 1), lines[3].replace(b",", b",,", 1), b'"' + lines[4], "Ж".encode("cp1251") + lines[5],
        quoted,
    ]  # fmt: skip
    path.write_bytes(b"".join([*lines, b"\n", lines[1]]))
    found = bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=tmp_path / "bad.csv")
    assert (found.rows, found.taken, found.bad) == (10, 3, 7)  # the last line is the first row again
    assert found.checks == {"R.009": 2, BROKEN: 5}
    listed = (tmp_path / "bad.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in listed[1:]] == ["3", "4", "5", "6", "10", "2", "11"]
    assert "16 fields" in listed[1] and "18 fields" in listed[2] and "a quote" in listed[3] and "not UTF-8" in listed[4]
    assert not any(row(n)["surname"] in line or row(n)["iin"] in line for line in listed for n in range(1, 9))
    sealed = connection.execute(
        sa.text("SELECT voter, sealed FROM voter WHERE voter = :voter"), {"voter": VAULT.voter(row(6)["iin"]).hex()}
    ).one()
    person = Person.from_bytes(VAULT.open(sealed.voter.bytes, bytes(sealed.sealed)))
    assert person.address["street"] == 'Абая, "А"'  # quotes that are right are no fault beside a line that is


def test_nothing_of_a_cell_is_in_a_fault_that_another_process_found(connection: sa.Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [row(n) for n in range(1, 5)])
    path.write_bytes(path.read_bytes().decode().replace("ұ", "у").encode("cp1251"))
    with pytest.raises(BadInput) as fault, connection.begin_nested():
        bring(
            connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=tmp_path / "bad.csv", processes=1,
            looked=True,
        )  # fmt: skip
    told = "".join(traceback.format_exception(fault.value))
    assert fault.value.check == "F.004" and row(1)["iin"] not in told and "Traceback" in told
    assert fault.value.__cause__ is fault.value.__context__ is None


def test_an_iin_that_stands_everywhere_is_told_shortly(connection: sa.Connection, tmp_path: Path) -> None:
    bring_rows(connection, tmp_path, [row(1)] * 13)
    lines = [line["what"] for line in bad_lines(tmp_path)]
    assert len(lines) == 13 and lines[0].endswith("also in row 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more")
    assert lines[-1].endswith("also in row 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more")


def test_a_file_in_another_encoding_is_refused_whole(connection: sa.Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [row(n) for n in range(1, 5)])
    path.write_bytes(path.read_bytes().decode().replace("ұ", "у").encode("cp1251"))
    with pytest.raises(BadInput) as fault, connection.begin_nested():
        bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=tmp_path / "bad.csv")
    assert fault.value.check == "F.004"
