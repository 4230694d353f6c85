"""What does a careless clerk or a hostile sender's table lead to? One numbered message with row and field, in bounded memory."""

from __future__ import annotations

import gc
import gzip
import json
import os
import random
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dauys.errors import BadInput
from dauys.law.tables import read_table as read_small_table
from dauys.registers.blocks import BLOCK, ahead
from dauys.registers.poll import Poll
from dauys.registers.poll_file import read_poll
from dauys.stations.readers import protocols_of, read_protocols

POLL = read_poll(Path(__file__).resolve().parents[1] / "end_to_end/small/poll.yaml").poll
ONE = Poll(**{name: getattr(POLL, name) for name in POLL.__dataclass_fields__} | {"contests": POLL.contests[:1]})
HEAD = "station,eligible,received,participated,yes,no,invalid,not_counted\n"
ROW = "A1-01,1447,1027,1025,741,273,5,6\n"
GOOD = {
    "station": "A1-01",
    "eligible": 1,
    "received": 1,
    "participated": 1,
    "yes": 1,
    "no": 0,
    "invalid": 0,
    "not_counted": 0,
}


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        for _ in read_protocols(path, ONE):
            pass
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def eligible(cell: str) -> bytes:
    return (HEAD + ROW.replace("1447", cell)).encode()


TABLES: dict[str, tuple[str, bytes | Callable[[], bytes], str, int | None]] = {
    # name of the file, its bytes (or what makes them, where that takes long), the number of the fault, the row
    "CP1251": ("a.csv", HEAD.replace("station", "участок").encode("cp1251"), "F.004", 1),
    "UTF-16": ("a.csv", (HEAD + ROW).encode("utf-16"), "F.004", None),
    "UTF-16 without a mark": ("a.csv", (HEAD + ROW).encode("utf-16-be"), "F.004", None),
    "thousands": ("a.csv", eligible('"1,447"'), "F.012", 2),
    "thousands by a space": ("a.csv", eligible("1\u00a0447"), "F.012", 2),
    "negative": ("a.csv", eligible("-1"), "F.014", 2),
    "huge": ("a.csv", eligible("9" * 12), "F.015", 2),
    "beyond 64 bits": ("a.csv", eligible("9" * 30), "F.015", 2),
    "beyond what is read": ("a.csv", eligible("9" * 5_000), "F.015", 2),
    "other digits": ("a.csv", eligible("١٤٤٧"), "F.016", 2),
    "an exponent": ("a.csv", eligible("1e3"), "F.016", 2),
    "a formula": ("a.csv", eligible("=1+1"), "F.016", 2),
    "twice": ("a.csv", (HEAD + ROW + ROW).encode(), "F.021", 3),
    "nothing": ("a.csv", b"", "F.002", None),
    "nothing, packed": ("a.csv.gz", gzip.compress(b""), "F.002", None),
    "a header": ("a.csv", HEAD.encode(), "F.003", None),
    "cut off": ("a.csv.gz", gzip.compress(os.urandom(9).hex().encode() * 9)[:-9], "F.006", None),
    "damaged": ("a.csv.gz", gzip.compress((HEAD + ROW).encode())[:-8] + bytes(8), "F.006", None),
    "zeros, packed": ("a.csv.gz", lambda: gzip.compress(bytes(64 << 20), 1), "F.004", None),
    "zeros after a header": ("a.csv.gz", lambda: gzip.compress(HEAD.encode() + bytes(64 << 20), 1), "F.004", None),
    "blank lines without end": ("a.csv.gz", lambda: gzip.compress(HEAD.encode() + b"\n" * (16 << 20), 1), "F.008", None),
    "a line without end": ("a.csv", b"x" * (10 << 20), "F.008", 1),
    "a cell without end": ("a.csv", HEAD.encode() + b"x" * (10 << 20) + b",1,1,1,1,1,1,1\n", "F.008", 2),
    "a long cell before a fault": ("a.csv", HEAD.encode() + b"x" * 200_000 + b",1,1,1,1,1,1,?\n", "F.008", 2),
    "a long label": ("a.csv", b"x" * 200_000 + b",y\n", "F.008", 1),
    "a hundred thousand columns": ("a.csv", ",".join(map(str, range(100_000))).encode() + b"\n", "F.009", 1),
    "NUL": ("a.csv", (HEAD + ROW.replace("A1", "A\0")).encode(), "F.005", None),
    "NUL in JSON": ("a.json", json.dumps([GOOD | {"station": "\0"}]).encode(), "F.005", 1),
    "half a character": ("a.jsonl", json.dumps(GOOD | {"station": "\ud800"}).encode(), "F.005", 1),
    "lists in lists": ("a.json", b"[" * 100_000, "F.017", None),
    "objects in objects": ("a.jsonl", b'{"a":' * 100_000, "F.017", 1),
    "a number without end": ("a.json", b'[{"yes": ' + b"9" * 10_000 + b"}]", "F.017", None),
    "no number": ("a.json", json.dumps([GOOD | {"yes": float("nan")}]).encode(), "F.013", 1),
    "a list for a number": ("a.json", json.dumps([GOOD | {"yes": [1]}]).encode(), "F.017", 1),
    "no objects": ("a.json", b"[null]", "F.017", None),
    "two languages for one": ("a.csv", (HEAD.strip() + ",Учаске\n").encode(), "F.007", 1),
    "a misspelt column": ("a.csv", (HEAD.replace("yes", "yess") + ROW).encode(), "F.009", 1),
    "a workbook": ("a.csv", b"PK\x03\x04", "F.001", None),
    "junk": ("a.parquet", b"PAR1junkPAR1", "F.006", None),
    "a table of another kind": ("a.parquet", HEAD.encode(), "F.006", None),
    "no kind": ("a.doc", b"", "F.001", None),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_taken(tmp_path: Path, name: str) -> None:
    file, data, number, row = TABLES[name]
    (tmp_path / file).write_bytes(data() if callable(data) else data)
    fault = refused(tmp_path / file)
    assert fault.check == number
    assert row is None or fault.row == row


NO_FILES: dict[str, Callable[[Path], Any]] = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("name", NO_FILES)
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "json", "jsonl"])
def test_a_table_that_is_no_file(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / f"a.{kind}"
    NO_FILES[name](path)
    assert refused(path).check == "F.001"


@pytest.mark.parametrize("name", ["a\0.csv", "a\0.parquet", "a\ud800.json", "x" * 300 + ".csv", "*.parquet"])
def test_a_name_that_no_file_has(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path / name).check == "F.001"


def test_a_small_json_that_unpacks_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dauys.registers.table.LARGEST_JSON", 8 << 20)
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"[" + b" \n" * (48 << 20), 1))
    tracemalloc.start()
    assert refused(path).check == "F.017"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


def test_a_json_of_one_line_is_read(tmp_path: Path) -> None:
    """The usual way to write JSON: it was once refused beyond a block for a quote that is never closed."""
    data = json.dumps([GOOD | {"station": f"{number:09}" * 1000} for number in range(500)]).encode()
    assert len(data) > BLOCK
    for name, packed in (("a.json", data), ("b.json.gz", gzip.compress(data, 1))):
        (tmp_path / name).write_bytes(packed)
        assert sum(len(batch) for batch in read_protocols(tmp_path / name, ONE)) == 500


def test_a_damaged_parquet_is_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame([GOOD]).write_parquet(path)
    good, dice = path.read_bytes(), random.Random(20220605)
    for _ in range(60):
        data = bytearray(good)
        for _ in range(dice.randint(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(bytes(data))
        try:
            for _ in read_protocols(path, ONE):
                pass
        except BadInput as fault:
            assert (fault.check or "").startswith("F.0")


def test_rows_of_thirty_thousand_keys_are_refused_at_once() -> None:
    assert sys.getrecursionlimit() <= 1000
    with pytest.raises(BadInput, match=r"F\.009"):
        protocols_of(ONE, [{f"k{number}": 1} for number in range(30_000)])


def test_rows_of_a_small_table_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("area,yes\nA,1\n\nB,x\n")
    rows = read_small_table(path, ("area", "yes"))
    with pytest.raises(BadInput) as caught:
        rows[1].integer("yes")
    assert caught.value.row == 4


def test_a_reading_that_is_given_up_stops_no_other() -> None:
    """Python's collector may end it in the very thread that its own thread waits for: that once hung for ever."""
    dropped, collected = threading.Event(), threading.Event()

    def pieces() -> Iterator[int]:
        yield 1
        dropped.wait(10)
        gc.collect()
        collected.set()
        yield 2

    reading = ahead(piece for piece in ahead(pieces()))
    assert next(reading) == 1
    circle: list[Any] = [reading]
    circle.append(circle)
    del reading, circle
    dropped.set()
    assert collected.wait(10)
