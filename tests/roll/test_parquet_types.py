"""A file of voters as polars, pandas or a database writes it: days are days, texts out of a list are texts."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from roll_people import AT, DAY, STATIONS, VAULT, empty, row, write_csv

from dauys.errors import BadInput
from dauys.roll.importing import Brought, bring

pytestmark = pytest.mark.database

DAYS = ("born", "since", "until")
ROWS = [
    *(row(n) for n in range(1, 20)),
    row(20, born=date(2003, 2, 1)), row(21, status="prison", since="2022-01-02", until="2030-01-02", source="court"),
    row(22) | {"born": "1979-10-27"}, row(23) | {"born": ""}, row(24, station="A-9"), row(25, station=""),
    row(26, born=date(2004, 6, 6)), row(27, status="prison", source="court"), row(5), row(28, status="gone"),
    row(29, since="2022-01-02", until="2022-01-01"), row(30, born=date(1899, 1, 1)),
]  # fmt: skip


def brought(connection: sa.Connection, folder: Path, path: Path) -> tuple[Brought, list[object], list[list[str]]]:
    """What came of a file: the counts, what is stored, and the list of bad rows."""
    empty(connection)
    bad = folder / f"{path.name}.bad.csv"
    found = bring(
        connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=bad, source="a file", processes=0
    )
    columns = "voter, station, area, status, since, until, source, block1, block2, sealed"
    stored = connection.execute(sa.text(f"SELECT {columns} FROM voter ORDER BY voter")).all()
    with bad.open(encoding="utf-8", newline="") as file:
        return found, list(stored), list(csv.reader(file))


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("ns")], ids=str)
def test_days_and_texts_out_of_a_list_are_read_as_from_a_csv(
    connection: sa.Connection, tmp_path: Path, kind: pl.DataType
) -> None:
    texts = pl.read_csv(write_csv(tmp_path / "rows.csv", ROWS), infer_schema=False)
    stations = pl.Enum(["A-9", *STATIONS])
    texts.with_columns(
        pl.col(DAYS).str.to_date().cast(kind),
        pl.col("status", "given", "locality").cast(pl.Categorical),
        pl.col("station").cast(stations),
        pl.col("flat").cast(pl.Null),
        pl.lit(7).alias("house"),
    ).write_parquet(tmp_path / "typed.parquet")
    texts.with_columns(pl.lit("7").alias("house")).write_csv(tmp_path / "rows.csv")
    plain, expected, listed = brought(connection, tmp_path, tmp_path / "rows.csv")
    found, stored, also = brought(connection, tmp_path, tmp_path / "typed.parquet")
    same = ("rows", "taken", "bad", "not_yet", "checks")
    assert [getattr(found, name) for name in same] == [getattr(plain, name) for name in same]
    assert stored == expected and (found.taken, found.bad, found.not_yet) == (20, 10, 1)
    rows, others = ([[int(n), *fault, shown] for n, *fault, _, shown in listing[1:]] for listing in (listed, also))
    assert [[n + 1, *fault] for n, *fault in others] == rows  # a header is a row


def test_a_midnight_in_a_time_zone_is_no_day(connection: sa.Connection, tmp_path: Path) -> None:
    texts = pl.read_csv(write_csv(tmp_path / "rows.csv", ROWS), infer_schema=False)
    path = tmp_path / "typed.parquet"
    texts.with_columns(pl.col("born").str.to_datetime(time_zone="UTC")).write_parquet(path)
    with pytest.raises(BadInput, match="field born") as refused:
        brought(connection, tmp_path, path)
    assert refused.value.check == "F.016" and refused.value.found is None


def test_an_iin_that_was_kept_as_a_number_has_lost_its_zeros(connection: sa.Connection, tmp_path: Path) -> None:
    people = [row(1), row(2, born=date(2003, 2, 1)), row(3, born=date(2000, 10, 1))]
    frame = pl.read_csv(write_csv(tmp_path / "rows.csv", people), infer_schema=False)
    frame.with_columns(pl.col("iin").cast(pl.Int64)).write_parquet(tmp_path / "typed.parquet")
    found, _, listed = brought(connection, tmp_path, tmp_path / "typed.parquet")
    assert (found.taken, found.checks["R.001"]) == (1, 2)
    assert all("zeros" in what and "as text" in what for *_, what, _ in listed[1:])
