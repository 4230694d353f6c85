"""Is a small plain table, cut by numpy, read as a CSV reader reads it, and refused in the same words?"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.observe.estimates.design import coded, design_of
from dauys.observe.night.sheet import Sheet, read_sheet
from dauys.observe.tables import cells
from dauys.observe.tables.cells import Cells, cut
from dauys.observe.tables.grid import whole_numbers

COLUMNS = {"id": ["id"], "y": ["yes"], "x": ["box"], "strata": ["region", "kind"], "fpc": ["all"]}
HEADER = ("id", "region", "kind", "yes", "box", "all")

word = st.sampled_from(["R1", "R10", "юг", "Ақмола облысы", "", " ", "\N{NO-BREAK SPACE}", " R1", "«a»", "\x1f", "-"])
number = st.sampled_from(
    ["0", "7", "007", "12", "999999999999999", "9007199254740993", "1.5", "", " ", "-3", "+4", "1e3"]
)
number |= st.sampled_from(["nan", "inf", "x", "1_0", "٣", "/", ":", " 5", "\N{IDEOGRAPHIC SPACE}"])
likely = st.integers(0, 10**16).map(str)
row = st.tuples(st.just("R"), st.just("a"), likely, likely, likely) | st.tuples(word, word, number, number, number)
tables = st.lists(row, min_size=1, max_size=6).map(lambda rows: [(f"S{n}", *rest) for n, rest in enumerate(rows)])


def read(path: Path, rows: list[tuple[str, ...]], quoted: bool, end: str) -> Sheet | tuple[object, ...]:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_NONE, lineterminator=end).writerows(
            [HEADER, *rows]
        )
    try:
        return read_sheet(path, COLUMNS)
    except BadInput as fault:
        return str(fault), fault.row, fault.check


@given(rows=tables, end=st.sampled_from(["\n", "\r\n"]))
@example(rows=[("S0", "R", "a", "", "", "9"), ("S1", "R", "a", "5", "6", "9")], end="\r\n")
@example(rows=[("S0", "R", "a", "79418240975455594", "99999999999999999", "9")], end="\n")  # more than a float holds
@settings(max_examples=60, deadline=None)
def test_plain_and_quoted_tables_say_the_same(
    rows: list[tuple[str, ...]], end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    plain = read(path, rows, False, end)
    quoted = read(path, rows, True, end)  # every cell quoted: Polars reads it
    if not isinstance(plain, Sheet) or not isinstance(quoted, Sheet):
        assert plain == quoted
        return
    assert isinstance(plain.texts["id"], Cells) and isinstance(quoted.texts["id"], list)
    assert {name: list(texts) for name, texts in plain.texts.items()} == quoted.texts
    for name in plain.numbers:
        np.testing.assert_array_equal(plain.numbers[name], quoted.numbers[name])
    of_cells, of_list = coded(plain.texts["strata"]), coded(quoted.texts["strata"])
    assert of_cells[0] == of_list[0] and of_cells[1].tolist() == of_list[1].tolist()


@pytest.mark.parametrize(
    ("rows", "row", "check", "said"),
    [
        ("A,R,k,1,2,9\nB,R,k,1,,9\n", 3, None, "y without x"),
        ("A,R,k,1,2,9\nB,R,k,1,-2,9\n", 3, None, "the denominator is negative"),
        ("A,R,k,1,2,9\nB,R,k,1,2,9\nA,R,k,1,2,9\n", 4, None, "the station stands in row 2 already"),
        ("A,R,k,1,2,9\nB,R,k,1,2,9a\n", 3, None, "this is not a number"),
        ("A,R,k,1,2,9\nB,R,k,1,2,\n", 3, "F.011", "the cell is empty"),
        ("A,R,k,1,2,9\n\N{NO-BREAK SPACE},R,k,1,2,9\n", 3, "F.011", "the cell is empty"),
        ("A,R,k,1,2,9\nB,R,k,1,2\n", 3, "F.008", "as many fields"),
        ("A,R,k,1,2,9,9\nB,R,k,1,2\n", 2, "F.008", "as many fields"),
        ("A,R,k,1,2,9\n\nB,R,k,1,2,9\n", 3, "F.008", "as many fields"),
        ("A,R,k,1,2,9\nB,R,k,1,2,9\0\n", None, "F.005", "NUL"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_bad_rows_are_refused(
    tmp_path: Path, rows: str, row: int | None, check: str | None, said: str, end: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(",".join(HEADER) + end + rows.replace("\n", end), encoding="utf-8", newline="")
    with pytest.raises(BadInput, match=said) as fault:
        read_sheet(path, COLUMNS)
    assert (fault.value.row, fault.value.check) == (row, check)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ('a,"b"\n', 2),
        ("a,b\n\nc,d\n", 2),
        ("a,b,c\nd\n", 2),
        ("a,b\nc,d,e\n", 2),
        ("a\rb,c\n", 2),
        ("a,b\r\r\n", 2),
        ("a\n", 1),
        ("a,b\n" * 99 + f"a,{'b' * 99}\n", 2),
    ],
    ids=["quote", "blank line", "even in sum", "uneven", "return in a row", "two", "one column", "one long cell"],
)
def test_what_is_not_plain_is_left_to_a_csv_reader(text: str, width: int) -> None:
    assert cut(text.encode(), ",", width, range(width)) is None


def test_large_tables_are_left_to_a_csv_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cut(b"a,b\n", ",", 2, [0, 1]) is not None
    monkeypatch.setattr(cells, "SMALL", 3)
    assert cut(b"a,b\n", ",", 2, [0, 1]) is None


def test_cells_are_texts() -> None:
    found = cut("юг;;3\r\nwest;12;45\r\n".encode(), ";", 3, [0, 1, 2])
    assert found is not None
    assert list(found[0]) == found[0].to_list() == ["юг", "west"] and found[0][0] == "юг" and found[0][-1] == "west"
    assert list(found[0][1:]) == ["west"] and len(found[0]) == 2 and "west" in found[0]
    assert found[2].to_list() == ["3", "45"] and found[0].filled() and not found[1].filled()
    np.testing.assert_array_equal(found[1].counts(), [np.nan, 12])
    assert found[0].counts() is None


def test_a_design_of_cells_is_that_of_their_texts() -> None:
    found = cut(b"S10,a\nS9,a\nS10,a\nS9,a\n", ",", 2, [0])
    assert found is not None
    ours, theirs = (design_of(4, strata=strata, weights=[1] * 4) for strata in (found[0], list(found[0])))
    assert ours.names == theirs.names == ("S9", "S10") and ours.stratum.tolist() == theirs.stratum.tolist() == [
        1,
        0,
        1,
        0,
    ]


@pytest.mark.parametrize("bad", ["1000000001", "", "1.5", "-1", "x"])
def test_counts_of_a_list_are_whole_numbers(bad: str) -> None:
    good, other = (cut(f"a,7\na,{text}\n".encode(), ",", 2, [1]) for text in ("1000000000", bad))
    assert good is not None and other is not None
    assert whole_numbers(Path("list.csv"), ["n"], good[1]).to_list() == [7, 10**9]
    with pytest.raises(BadInput, match="not a count") as fault:
        whole_numbers(Path("list.csv"), ["n"], other[1])
    assert (fault.value.row, fault.value.check) == (3, "F.016")
