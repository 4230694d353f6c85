"""Tables: what is written comes back exactly, and each fault is named by number, row and field."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tracemalloc
from collections.abc import Generator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.registers.blocks import blocks
from dauys.registers.table import Chunk, read_table

COLUMNS = {"station": "station", "eligible": "eligible", "yes": "yes"}
NUMBERS = {"eligible", "yes"}
GOOD = "station,eligible,yes\na,10,7\nb,20,9\n"


def read(path: Path, **options: Any) -> list[Chunk]:
    options = {"numbers": NUMBERS} | options
    return list(read_table(path, options.pop("columns", COLUMNS), **options))


def rows(chunks: list[Chunk]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for chunk in chunks:
        columns = [series.to_list() for series in chunk.texts.values()] + [n.tolist() for n in chunk.numbers.values()]
        found += zip(*columns, strict=True)
    return found


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path, **options: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(path, **options)
    return caught.value


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=12)
ROWS = st.lists(st.tuples(TEXT, st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    ROWS,
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(40, 400),
    st.integers(1, 30),
    st.booleans(),
)
def test_csv_comes_back_as_written(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[tuple[str, int, int]],
    separator: str,
    line_end: str,
    block: int,
    chunk_rows: int,
    packed: bool,
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end)
    writer.writerow(["station", "eligible", "yes"])
    writer.writerows(table)
    data = text.getvalue().encode()
    path = tmp_path_factory.mktemp("t") / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    chunks = read(path, chunk_rows=chunk_rows, block=block)
    assert rows(chunks) == table
    assert all(len(chunk) <= chunk_rows for chunk in chunks)
    starts = [chunk.first_row for chunk in chunks]
    assert starts == [2 + sum(map(len, chunks[:i])) for i in range(len(chunks))]


@settings(max_examples=60, deadline=None)
@given(ROWS, st.data())
def test_the_faulty_cell_is_named_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(table) - 1))
    bad = data.draw(st.sampled_from(["1 234", "12,5", "-3", "4e3", "x", "", str(10**9 + 1), "12.0"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["station", "eligible", "yes"])
    writer.writerows((s, bad if i == place else e, y) for i, (s, e, y) in enumerate(table))
    path = written(tmp_path_factory.mktemp("t"), text.getvalue())
    fault = refused(path, block=data.draw(st.integers(40, 400)))
    assert (fault.row, fault.field, fault.found) == (place + 2, "eligible", bad)
    assert fault.check is not None and fault.check in {"F.011", "F.012", "F.013", "F.014", "F.015", "F.016"}


@pytest.mark.parametrize(
    ("cell", "check"),
    [
        ("1 234", "F.012"), ("1\u00a0234", "F.012"), ("1'234", "F.012"), ('"1,234"', "F.012"), ("1.234.567", "F.012"),
        ("1.5", "F.013"), ('"12,5"', "F.013"), ("3.0", "F.013"), ("-1", "F.014"), ("1000000001", "F.015"),
        ("99999999999999999999999", "F.015"), ("ten", "F.016"), ("1e3", "F.016"), ("0x10", "F.016"), ("٣", "F.016"),
        ("", "F.011"), ('""', "F.011"),
    ],
)  # fmt: skip
def test_numbers(tmp_path: Path, cell: str, check: str) -> None:
    fault = refused(written(tmp_path, f"station,eligible,yes\na,10,7\nb,{cell},9\n"))
    assert (fault.check, fault.row, fault.field) == (check, 3, "eligible")
    assert str(tmp_path / "t.csv") in str(fault) and fault.expected


@pytest.mark.parametrize(
    ("content", "check", "row"),
    [
        (b"", "F.002", None),
        (b"\n\r\n", "F.002", None),
        (b"\xef\xbb\xbf", "F.002", None),
        (b"station,eligible,yes\n", "F.003", None),
        (GOOD.encode("utf-16"), "F.004", None),
        (GOOD.encode("utf-16-le"), "F.004", None),
        ("station,eligible,yes\na,1,1\nУчасток,10,7\n".encode("cp1251"), "F.004", 3),
        ("участок,eligible,yes\na,1,1\n".encode("cp1251"), "F.004", 1),
        (b"station,eligible,yes\na\0,1,1\n", "F.005", None),
        (b"station,yes,yes\na,1,1\n", "F.007", 1),
        (b"station, Yes ,yes\na,1,1\n", "F.007", 1),
        (b"station,,yes\na,1,1\n", "F.007", 1),
        (b"station,eligible,yes\na,1\n", "F.008", 2),
        (b"station,eligible,yes\na,1,1\nb,1,1,1\n", "F.008", 3),
        (b"station,eligible,yes\na,1,1\nb,1\nc,1,1,1\n", "F.008", 3),
        (b"station,eligible,yes\na,1,1\n\nb,1,1\n", "F.008", 3),
        (b'station,eligible,yes\na,1,1\n"b,1,1\nc,1,1\n', "F.008", 3),
        (b'station,eligible,yes\na,1,1\nb"c"d,1,1\n', None, None),
        (b'station,eligible,yes\na,1,1\n"b"c,1,1\n', "F.008", 3),
        (b"station,eligible,yes\ra,1,1\r", "F.008", 1),
        (b"station,eligible,yess\na,1,1\n", "F.009", 1),
        (b"station,eligible\na,1\n", "F.010", 1),
        (b"PK\x03\x04....", "F.001", None),
        (b",1,1\n", "F.007", 1),
        (b"station,eligible,yes\n,1,1\n", "F.011", 2),
    ],
)
def test_files(tmp_path: Path, content: bytes, check: str | None, row: int | None) -> None:
    path = written(tmp_path, content)
    if check is None:
        assert len(rows(read(path))) == 2
        return
    fault = refused(path)
    assert (fault.check, fault.row) == (check, row)


def test_which_encoding_it_looks_like(tmp_path: Path) -> None:
    text = "station,eligible,yes\nИзбирательный участок в школе номер пять,10,7\n"
    for name in ("CP1251", "KOI8-R", "CP866"):
        assert f"iconv -f {name}" in refused(written(tmp_path, text.encode(name))).message
    western = "station,eligible,yes\nÉcole São José, Québec,10,7\n".encode("latin-1")
    assert "iconv -f CP1252" in refused(written(tmp_path, western)).message


def test_a_column_is_recognised_by_a_label_in_any_language_and_likeness_is_suggested(tmp_path: Path) -> None:
    aliases = {"Избирательный участок": "station", "Сайлаушылар": "eligible", "За": "yes", "Yes": "yes"}
    path = written(tmp_path, "избирательный  участок;САЙЛАУШЫЛАР;За\na;10;7\n")
    assert rows(read(path, aliases=aliases)) == [("a", 10, 7)]
    assert refused(written(tmp_path, "station,За,Yes,eligible\na,1,1,1\n"), aliases=aliases).check == "F.007"
    assert "eligible" in refused(written(tmp_path, "station,eligble,yes\na,1,1\n")).message


def test_a_byte_order_mark_blank_lines_at_the_end_and_several_gzip_members_do_no_harm(tmp_path: Path) -> None:
    assert rows(read(written(tmp_path, b"\xef\xbb\xbf" + GOOD.encode() + b"\r\n\n\n"))) == [("a", 10, 7), ("b", 20, 9)]
    halves = gzip.compress(GOOD[:25].encode()) + gzip.compress(GOOD[25:].encode())
    assert rows(read(written(tmp_path, halves, "t.csv.gz"))) == [("a", 10, 7), ("b", 20, 9)]


@pytest.mark.parametrize("cut", [1, 8, 30, 200])
def test_a_truncated_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    whole = gzip.compress(
        "".join(["station,eligible,yes\n", *(f"s{i},{i * 7919 % 3000},{i}\n" for i in range(500))]).encode()
    )
    assert refused(written(tmp_path, whole[:-cut], "t.csv.gz")).check == "F.006"
    broken = whole[:100] + bytes([whole[100] ^ 255]) + whole[101:]
    assert refused(written(tmp_path, broken, "t.csv.gz")).check in {"F.006", "F.004", "F.008", "F.016"}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from('a,"\n\r'), min_size=1, max_size=120).map("".join), st.integers(8, 40), st.booleans())
def test_blocks_are_the_text_cut_where_rows_end(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int, packed: bool
) -> None:
    """Whatever stands in it and however it is cut: nothing is lost, and no quoted part is cut in two."""
    path = tmp_path_factory.mktemp("b") / "t"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    whole = text.rstrip("\r\n")
    ends = [n for n, c in enumerate(whole + "\n", 1) if c == "\n" and whole.count('"', 0, n) % 2 == 0]
    if not whole or whole.count('"') % 2:
        with pytest.raises(BadInput) as caught:
            list(blocks(path, size))
        assert caught.value.check == ("F.008" if whole else "F.002")
        return
    found = list(blocks(path, size))
    at = 0
    for block in found[:-1]:
        at += len(block)
        assert at in ends
    joined = b"".join(found).decode()
    assert joined.rstrip("\r\n") == whole and joined.endswith("\n")


def test_optional_columns_and_cells(tmp_path: Path) -> None:
    path = written(tmp_path, "station,eligible,yes\na,10,\nb,20,9\n")
    (chunk,) = read(
        path, columns=COLUMNS | {"note": "note", "no": "no"}, numbers=NUMBERS | {"no"}, optional={"yes", "note", "no"}
    )
    assert chunk.missing["yes"].tolist() == [True, False] and chunk.numbers["yes"].tolist() == [0, 9]
    assert chunk.numbers.keys() == {"eligible", "yes"} and chunk.texts.keys() == {"station"}
    assert refused(written(tmp_path, "station,eligible,yes\na,10\n"), optional={"yes"}).check == "F.008"


def test_columns_are_joined_and_others_ignored(tmp_path: Path) -> None:
    path = written(tmp_path, "region,uik,n,x\nA,1,5,z\nB,2,6,z\n")
    pl.read_csv(path).write_parquet(tmp_path / "t.parquet")
    for same in (path, tmp_path / "t.parquet"):
        (chunk,) = read(
            same, columns={"station": ["region", "uik"], "area": "region", "n": "n"}, numbers={"n"}, ignore={"x"}
        )
        assert chunk.texts["station"].to_list() == ["A:1", "B:2"] and chunk.texts["area"].to_list() == ["A", "B"]
    assert refused(path, columns={"station": ["region", "uik"], "n": "n"}, numbers={"n"}).check == "F.009"
    assert len(read(path, columns={"station": ["region", "uik"]}, numbers=(), ignore=None)) == 1


def test_some_columns_are_mapped_and_the_others_go_by_their_names(tmp_path: Path) -> None:
    path = written(tmp_path, "place,За,eligible,station,x\na,7,10,ward,z\n")
    wanted: dict[str, Any] = {"aliases": {"За": "yes", "Против": "no"}, "ignore": None, "mapped": {"station"}}
    (chunk,) = read(path, columns=COLUMNS | {"station": "place"}, **wanted)
    assert rows([chunk]) == [("a", 10, 7)]
    assert refused(path, columns=COLUMNS | {"station": "site"}, **wanted).check == "F.010"
    # A column that is mapped is nobody else's, whatever its name; an optional one that is mapped must be there.
    fault = refused(path, columns=COLUMNS | {"station": "eligible"}, **wanted)
    assert fault.check == "F.010" and "missing: eligible" in fault.message
    mapped = wanted | {"mapped": {"station", "note"}, "optional": {"note"}}
    assert refused(path, columns=COLUMNS | {"station": "place", "note": "remark"}, **mapped).check == "F.010"


def test_parquet_and_json_give_the_same_rows(tmp_path: Path) -> None:
    table = [{"station": f"s{i}", "eligible": i * 3, "yes": i} for i in range(50)]
    pl.DataFrame(table).write_parquet(tmp_path / "t.parquet", row_group_size=7)
    written(tmp_path, json.dumps(table), "t.json")
    written(tmp_path, "".join(json.dumps(row) + "\n" for row in table), "t.jsonl")
    expected = [tuple(row.values()) for row in table]
    for name in ("t.parquet", "t.json", "t.jsonl"):
        chunks = read(tmp_path / name, chunk_rows=20)
        assert rows(chunks) == expected and [chunk.first_row for chunk in chunks][:2] == [1, 21]


@pytest.mark.parametrize(
    ("row", "check"),
    [
        ({"station": "a", "eligible": -1, "yes": 1}, "F.014"), ({"station": "a", "eligible": 1.5, "yes": 1}, "F.013"),
        ({"station": "a", "eligible": True, "yes": 1}, "F.017"),
        ({"station": "a", "eligible": 10**30, "yes": 1}, "F.015"),
        ({"station": "a", "yes": 1}, "F.011"), ({"station": "a", "eligible": None, "yes": 1}, "F.011"),
        ({"station": "a", "eligible": 1, "yes": 1, "x": 1}, "F.009"),
        ({"station": ["a"], "eligible": 1, "yes": 1}, "F.017"),
        (["a"], "F.017"),
    ],
)  # fmt: skip
def test_json_faults(tmp_path: Path, row: object, check: str) -> None:
    good = {"station": "a", "eligible": 1, "yes": 1}
    assert refused(written(tmp_path, json.dumps([good, row]), "t.json")).check == check


def test_json_that_is_none(tmp_path: Path) -> None:
    for content in ('{"station": 1}', "[", "nonsense", "[1]", '[{"station":"a","station":"b","eligible":1,"yes":1}]'):
        assert refused(written(tmp_path, content, "t.json")).check == "F.017"
    assert refused(written(tmp_path, "[]", "t.json")).check == "F.003"
    assert refused(written(tmp_path, '{"station":"a","eligible":1,"yes":1}\n{\n', "t.jsonl")).row == 2


def test_parquet_faults(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"station": ["a"], "eligible": [1.5], "yes": [1]}).write_parquet(path)
    assert refused(path).check == "F.013"
    pl.DataFrame({"station": ["a", "b"], "eligible": [1, -2], "yes": [1, 1]}).write_parquet(path)
    assert (refused(path).check, refused(path).row) == ("F.014", 2)
    pl.DataFrame({"station": ["a", "b"], "eligible": [1, 2], "yes": [None, 1]}).write_parquet(path)
    assert (refused(path).check, refused(path).row) == ("F.011", 1)
    pl.DataFrame({"station": ["a", "b\0"], "eligible": [1, 2], "yes": [1, 1]}).write_parquet(path)
    assert (refused(path).check, refused(path).row) == ("F.005", 2)
    path.write_bytes(path.read_bytes()[:-40])
    assert refused(path).check == "F.006"
    assert refused(written(tmp_path, GOOD, "t.xlsx")).check == "F.001"
    assert refused(tmp_path / "absent.csv").check == "F.001"


NAMES = ["a", "b", None, "a"]
DAYS = [date(2001, 2, 3), date(1899, 12, 31), None, date(2000, 2, 29)]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(DAYS), *(pl.Series(DAYS).cast(pl.Datetime(unit)) for unit in ("ms", "us", "ns")), pl.Series(NAMES, dtype=pl.Categorical),
        pl.Series(NAMES, dtype=pl.Enum(["b", "a"])), pl.Series([7, None, 0, 1], dtype=pl.UInt8), pl.Series([None] * 4, dtype=pl.Null),
    ],
    ids=lambda column: str(column.dtype),
)  # fmt: skip
def test_a_column_of_a_parquet_is_the_text_that_a_csv_has(tmp_path: Path, column: pl.Series) -> None:
    frame = pl.DataFrame({"station": column, "eligible": [1, 2, 3, 4], "yes": [0] * 4})
    frame.write_parquet(tmp_path / "t.parquet", row_group_size=3)
    texts = frame["station"].cast(pl.Date) if column.dtype == pl.Datetime else frame["station"]
    frame.with_columns(texts.alias("station")).write_csv(tmp_path / "t.csv")
    found = [rows(read(tmp_path / name, optional={"station"})) for name in ("t.parquet", "t.csv")]
    assert found[0] == found[1] and len(found[0]) == 4
    if column.null_count():  # and an empty cell is one
        same = [refused(tmp_path / name) for name in ("t.parquet", "t.csv")]
        assert {fault.check for fault in same} == {"F.011"} and same[0].row == same[1].row - 1  # the header


def test_a_time_in_a_parquet_is_no_day_but_at_midnight(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    moments = pl.Series(["2001-02-03 00:00:00.000000", "2001-02-03 00:00:00.000001"]).str.to_datetime(time_unit="us")
    frame = pl.DataFrame({"station": moments, "eligible": [1, 2], "yes": [0, 0]})
    frame.write_parquet(path)
    assert [name for name, *_ in rows(read(path))] == ["2001-02-03", "2001-02-03 00:00:00.000001"]
    for other in (
        pl.col("station").dt.replace_time_zone("Asia/Almaty"), pl.col("station").dt.time(), pl.lit(1.5), pl.lit(True),
        pl.lit(b"a"),
    ):  # fmt: skip
        frame.with_columns(other.alias("station")).write_parquet(path)
        assert refused(path).check in ("F.013", "F.016") and refused(path).field == "station"
    frame.with_columns(pl.col("station").dt.date().alias("yes")).write_parquet(path)
    assert (refused(path).check, refused(path).field) == ("F.016", "yes")  # a count is no day


def test_numbers_are_int64(tmp_path: Path) -> None:
    (chunk,) = read(written(tmp_path, GOOD))
    assert chunk.numbers["yes"].dtype == np.int64


def test_only_a_few_blocks_of_a_file_are_held(tmp_path: Path) -> None:
    """3 MB in blocks of 64 KiB: what Python holds at its highest is a few blocks, packed or not."""
    text = "station,eligible,yes\n" + "".join(f"{'s' * 40}{n},{n},{n % 7}\n" for n in range(60_000))
    for path in (written(tmp_path, text), written(tmp_path, gzip.compress(text.encode()), "t.csv.gz")):
        count = 0
        tracemalloc.start()
        try:
            for chunk in read_table(path, COLUMNS, NUMBERS, block=1 << 16, chunk_rows=500):
                count += len(chunk)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert count == 60_000
        assert peak < 12 << 16 < len(text) // 3


def test_a_reader_that_stops_early_has_not_read_the_file(tmp_path: Path) -> None:
    """A fault far behind does not matter to whoever took the first rows only."""
    text = "station,eligible,yes\n" + "a,1,1\n" * 50_000 + "b,none,1\n"
    chunks = read_table(written(tmp_path, text), COLUMNS, NUMBERS, block=1 << 14, chunk_rows=100)
    assert len(next(chunks)) == 100
    assert isinstance(chunks, Generator)
    chunks.close()
    with pytest.raises(BadInput) as caught:
        read(written(tmp_path, text), block=1 << 14)
    assert (caught.value.check, caught.value.row) == ("F.016", 50_002)
