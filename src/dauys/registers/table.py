"""How a table of counts is read: strictly, at any size, from CSV, CSV.GZ, Parquet, JSON and JSON Lines.

The faults are numbered F.001 to F.017 (docs/checks.md). How a CSV is read: registers.csv_table.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from dauys.errors import BadInput
from dauys.registers.blocks import BLOCK, blocks, decode
from dauys.registers.cells import row_fault
from dauys.registers.columns import Layout, Source, Wanted
from dauys.registers.csv_table import at_row, csv_blocks, no_rows, parse
from dauys.registers.frames import faulty, has_nul, text_of, typed
from dauys.registers.parquet import chosen
from dauys.regular_file import open_regular

CHUNK_ROWS = 20_000
KINDS: Mapping[str, frozenset[str]] = {
    ".parquet": frozenset({".parquet"}),
    ".jsonl": frozenset({".jsonl", ".ndjson"}),
    ".json": frozenset({".json"}),
    ".csv": frozenset({".csv", ".tsv", ".txt"}),
}
LARGEST_JSON = 256 << 20
"""A JSON list is read whole; beyond this many bytes JSON Lines is asked for."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows. `first_row` is the row in the file (CSV: the header is row 1; JSON, Parquet: the first is 1).

    `texts` are polars String series without nulls (empty where an optional cell is empty); `numbers` are int64 arrays,
    0 where an optional cell is empty; `missing` marks those cells, for the columns that have any. What the file has no
    column for is in none of them.
    """

    file: Path | None
    first_row: int
    texts: Mapping[str, pl.Series]
    numbers: Mapping[str, npt.NDArray[np.int64]]
    missing: Mapping[str, npt.NDArray[np.bool_]]

    def __len__(self) -> int:
        column: Any = next(iter(self.numbers.values()), None)
        return len(next(iter(self.texts.values())) if column is None else column)


def read_table(
    path: Path,
    columns: Mapping[str, Source],
    numbers: Collection[str] = (),
    optional: Collection[str] = (),
    *,
    aliases: Mapping[str, str] | None = None,
    ignore: Collection[str] | None = (),
    mapped: Collection[str] = (),
    chunk_rows: int = CHUNK_ROWS,
    block: int = BLOCK,
) -> Iterator[Chunk]:
    """Streams a table as chunks of at most `chunk_rows` rows; memory is bounded by one block, not by the file.

    `columns` maps our names to the file's column, or to several that are joined with ":". The names in `numbers` are
    counts. A name in `optional` may be absent from the file, and its cells may be empty. `aliases` maps other labels
    (any language, case and blanks do not matter) to our names. `ignore` lists columns of the file that are not read;
    None ignores every column that is not asked for. `mapped`: see `Wanted`. Raises BadInput F.001 to F.017.
    """
    wanted = Wanted(columns, frozenset(numbers), frozenset(optional), aliases or {}, ignore, frozenset(mapped))
    match kind_of(path):
        case ".parquet":
            yield from _parquet(path, wanted, chunk_rows)
        case ".jsonl":
            yield from _json_lines(path, wanted, chunk_rows, block)
        case ".json":
            yield from _json(path, wanted, chunk_rows)
        case _:
            yield from _csv(path, wanted, chunk_rows, block)


def kind_of(path: Path) -> str:
    """Which of the kinds of tables a file is by its name: .parquet, .jsonl, .json or .csv. Raises BadInput F.001."""
    suffixes = {suffix.lower() for suffix in path.suffixes}
    for kind, names in KINDS.items():
        if suffixes & names:
            return kind
    raise BadInput(
        "the kind of file is not known by its name",
        file=path,
        check="F.001",
        found=path.name,
        expected=".csv, .csv.gz, .tsv, .parquet, .json or .jsonl",
    )


def rows_chunk(
    rows: Sequence[Mapping[str, Any]], wanted: Wanted, file: Path | None = None, first_row: int = 1
) -> Chunk:
    """A list of JSON objects as a chunk, with the same rules as a file: whole numbers as numbers or digits."""
    header = list(dict.fromkeys(label for row in rows for label in row))
    layout = wanted.layout(header, file)
    strings = [[_cell(row, label, number, file) for label in header] for number, row in enumerate(rows, first_row)]
    for number, cells in enumerate(strings, first_row):
        fault = row_fault(cells, layout, file, number)
        if fault is not None:
            raise fault
    frame = pl.DataFrame(
        {f"c{place}": [cells[place] for cells in strings] for place in range(len(header))},
        schema={f"c{place}": pl.String for place in range(len(header))},
    )
    return _chunk(typed(frame, layout), layout, file, first_row)


def _cell(row: Mapping[str, Any], label: str, number: int, file: Path | None) -> str:
    value = row.get(label)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        raise BadInput(
            "ballots and voters are whole: write the number without a decimal part",
            file=file,
            row=number,
            field=label,
            found=value,
            expected="a whole number",
            check="F.013",
        )
    raise BadInput(
        "the value is neither a text nor a number", file=file, row=number, field=label, found=value, check="F.017"
    )


def _csv(path: Path, wanted: Wanted, chunk_rows: int, size: int) -> Iterator[Chunk]:
    row = 1
    try:
        for block in csv_blocks(path, wanted, size, quotes=True):
            row = max(row, 2)
            frame = parse(block, row)
            for start in range(0, len(frame), chunk_rows):
                yield _chunk(frame.slice(start, chunk_rows), block.layout, path, row + start)
            row += len(frame)
    except BadInput as fault:
        raise at_row(fault, row) from None
    if row == 2:
        raise no_rows(path)


def _chunk(frame: pl.DataFrame, layout: Layout, file: Path | None, first_row: int) -> Chunk:
    texts: dict[str, pl.Series] = {}
    numbers: dict[str, npt.NDArray[np.int64]] = {}
    missing: dict[str, npt.NDArray[np.bool_]] = {}
    for name, places in layout.places.items():
        if name in layout.numbers:
            series = frame[f"c{places[0]}"]
            if series.null_count():
                missing[name] = series.is_null().to_numpy()
                series = series.fill_null(0)
            numbers[name] = series.to_numpy()
        else:
            texts[name] = text_of(frame, places)
    return Chunk(file, first_row, texts, numbers, missing)


def _parquet(path: Path, wanted: Wanted, chunk_rows: int) -> Iterator[Chunk]:
    try:
        open_regular(path).close()
    except OSError as error:
        raise BadInput(f"the file cannot be read: {error.strerror}", file=path, check="F.001") from error
    try:
        scan = pl.scan_parquet(path, glob=False)
        schema = scan.collect_schema()
        layout = wanted.layout(schema.names(), path)
        first = 1
        texts = scan.select(chosen(schema, layout, path))
        for frame in texts.collect_batches(chunk_size=chunk_rows, maintain_order=True, lazy=True):
            if len(frame) and (faulty(frame, layout) or has_nul(frame)):
                raise _parquet_fault(frame, layout, path, first)
            if len(frame):
                yield _chunk(frame, layout, path, first)
            first += len(frame)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(
            "the Parquet file cannot be read: it is cut off or damaged", file=path, check="F.006", found=str(error)
        ) from error
    if first == 1:
        raise BadInput("the file has no rows", file=path, check="F.003", expected="at least one row")


def _parquet_fault(frame: pl.DataFrame, layout: Layout, path: Path, first: int) -> BadInput:
    columns = [f"c{place}" for place in range(len(layout.header))]
    for number, row in enumerate(frame.iter_rows(named=True), first):
        cells = ["" if row.get(c) is None else str(row[c]) for c in columns]
        fault = row_fault(cells, layout, path, number)
        if fault is not None:
            return fault
    raise AssertionError("a faulty frame has a faulty row")


def _json(path: Path, wanted: Wanted, chunk_rows: int) -> Iterator[Chunk]:
    data = bytearray()  # unpacked, a small file may be without end
    for block in blocks(path, 2 * BLOCK, quotes=False, longest=LARGEST_JSON):
        data += block
        if len(data) > LARGEST_JSON:
            message = "a JSON list is read whole and this one is too large: use JSON Lines"
            raise BadInput(message, file=path, check="F.017", expected=f"at most {LARGEST_JSON:,} bytes")
    text = decode(bytes(data), path, 1)
    try:
        rows = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise BadInput("this is not JSON", file=path, line=line, check="F.017", found=str(error)) from error
    yield from _objects(rows, wanted, path, 1, chunk_rows)


def _json_lines(path: Path, wanted: Wanted, chunk_rows: int, size: int) -> Iterator[Chunk]:
    first = 1
    for block in blocks(path, size, quotes=False):
        rows = []
        for number, line in enumerate(decode(block, path, first).split("\n")[:-1], first):
            try:
                rows.append(json.loads(line, object_pairs_hook=unique))
            except (ValueError, RecursionError) as error:
                raise BadInput("this is not JSON", file=path, row=number, check="F.017", found=line) from error
        yield from _objects(rows, wanted, path, first, chunk_rows)
        first += len(rows)


def _objects(rows: object, wanted: Wanted, path: Path | None, first: int, chunk_rows: int) -> Iterator[Chunk]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInput("a list of objects is expected", file=path, check="F.017", expected='[{"station": ...}, ...]')
    if not rows:
        raise BadInput("the list has no rows", file=path, check="F.003", expected="at least one row")
    for start in range(0, len(rows), chunk_rows):
        yield rows_chunk(rows[start : start + chunk_rows], wanted, path, first + start)


def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are all different; ValueError otherwise."""
    pairs = list(pairs)
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
