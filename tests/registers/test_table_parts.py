"""Is a table that is read in parts the same as one that is read in one go, whatever the parts, and who reads them?"""

from __future__ import annotations

import csv
import pickle
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.registers.parts import Texts, read_parts
from dauys.registers.table import read_table

COLUMNS = {name: name for name in ("name", "place", "more")}
CELLS = st.text(st.sampled_from('aЖ№,;" \t'), max_size=6)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=40)
LIGHT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([tuple(COLUMNS), *rows])
    return path


def read(path: Path, size: int = 64) -> list[Texts]:
    """The parts, each read after it went to another process and came back."""
    return [pickle.loads(ForkingPickler.dumps(part)).read() for part in read_parts(path, COLUMNS, COLUMNS, size=size)]


@LIGHT
@given(ROWS, st.integers(20, 200))
def test_parts_are_the_table(tmp_path: Path, rows: list[tuple[str, ...]], size: int) -> None:
    path = written(tmp_path / "t.csv", rows)
    parts = read(path, size)
    firsts = [part.first_row for part in parts]
    assert firsts == [2 + sum(len(part.frame) for part in parts[:place]) for place in range(len(parts))]
    together = pl.concat([part.frame for part in parts])
    chunks = list(read_table(path, COLUMNS, optional=COLUMNS))
    assert together.rows() == [row for chunk in chunks for row in pl.DataFrame(dict(chunk.texts)).rows()] == rows
    assert not any(part.broken for part in parts)


@LIGHT
@given(ROWS, st.data())
def test_a_line_that_is_no_row_spoils_no_other(
    tmp_path: Path, rows: list[tuple[str, ...]], data: st.DataObject
) -> None:
    path = written(tmp_path / "t.csv", rows)
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    place = data.draw(st.integers(1, len(lines) - 1))
    lines[place] = data.draw(st.sampled_from(["a,b", "a,b,c,d", '"a,b,c', 'a,"b"c,d', "\x80"]))
    path.write_bytes(
        "\n".join([*lines, "x,y,z", ""]).encode("latin-1" if "\x80" in lines[place] else "utf-8", "replace")
    )
    parts = read(path)
    broken = {row: what for part in parts for row, what in part.broken.items()}
    together = pl.concat([part.frame for part in parts]).rows()
    assert place + 1 in broken and together[place - 1] == ("", "", "")
    assert together[-1] == ("x", "y", "z") and len(together) == len(rows) + 1


def test_other_kinds_are_read_by_whoever_opens_them(tmp_path: Path) -> None:
    rows = [("Әлия", "Семей", ""), ("Ёлкин", "Орал", "x")]
    pl.DataFrame(rows, schema=list(COLUMNS), orient="row").write_parquet(tmp_path / "t.parquet")
    parts = list(read_parts(tmp_path / "t.parquet", COLUMNS, COLUMNS, rows=1))
    assert [(part.first_row, part.read().frame.rows()) for part in parts] == [(1, rows[:1]), (2, rows[1:])]
    assert not any(part.read().printed for part in parts)


@pytest.mark.parametrize(
    ("text", "check"), [("name,place,more\n", "F.003"), ("", "F.002"), ("name,name\na,b\n", "F.007")]
)
def test_a_file_that_is_no_table_is_refused_before_any_part(tmp_path: Path, text: str, check: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read(tmp_path / "t.csv")
    assert refused.value.check == check


@pytest.mark.parametrize("rows", [1, 3, 7, 8, 100])
def test_a_part_has_at_most_so_many_rows(tmp_path: Path, rows: int) -> None:
    """However short they are: millions of blank lines have millions of faults."""
    path = tmp_path / "t.csv"
    path.write_text("name,place,more\n" + "".join(f"{n},,\n" for n in range(8)))
    parts = [part.read() for part in read_parts(path, COLUMNS, COLUMNS, rows=rows)]
    assert all(len(part.frame) <= rows for part in parts) and len(parts) == -(-8 // rows)
    assert [name for part in parts for name in part.frame["name"]] == [str(n) for n in range(8)]
    assert [part.first_row for part in parts][:1] == [2]


def test_a_quote_in_the_header_that_is_never_closed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('name,place,"more\na,b,c\n')
    with pytest.raises(BadInput) as refused:
        read(tmp_path / "t.csv")
    assert (refused.value.check, refused.value.row) == ("F.008", 1)


def test_a_row_without_end_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [("a", "b", "c")] * 3)
    path.write_text(path.read_text(encoding="utf-8") + "x" * (3 << 20) + "\n", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read(path, size=1 << 18)
    assert (refused.value.check, refused.value.row) == ("F.008", 5)
