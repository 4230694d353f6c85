"""How a table of counts is read: strictly, at any size, from CSV, CSV.GZ, Parquet, JSON and JSON Lines.

CSV goes through Polars in blocks. A block that does not parse is read again as text (registers.cells) to name the row,
the field, what was found and what was expected. The faults are numbered F.001 to F.017 (docs/checks.md).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from dauys.errors import BadInput
from dauys.registers.blocks import BLOCK, bare, blocks, decode
from dauys.registers.broken import Broken, is_ragged, mend
from dauys.registers.cells import LARGEST, explain, row_fault
from dauys.registers.columns import Layout, Source, Wanted
from dauys.registers.parquet import chosen
from dauys.regular_file import open_regular

CHUNK_ROWS = 20_000
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
    broken: Broken | None = None,
) -> Iterator[Chunk]:
    """Streams a table as chunks of at most `chunk_rows` rows; memory is bounded by one block, not by the file.

    `columns` maps our names to the file's column, or to several that are joined with ":". The names in `numbers` are
    counts. A name in `optional` may be absent from the file, and its cells may be empty. `aliases` maps other labels
    (any language, case and blanks do not matter) to our names. `ignore` lists columns of the file that are not read;
    None ignores every column that is not asked for. `mapped`: see `Wanted`. With `broken` a line of a CSV that is no row is
    told there and comes as a row without anything in it (registers.broken; every name must be optional then); otherwise it
    is a fault of the file. Raises BadInput F.001 to F.017.
    """
    wanted = Wanted(columns, frozenset(numbers), frozenset(optional), aliases or {}, ignore, frozenset(mapped))
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if ".parquet" in suffixes:
        yield from _parquet(path, wanted, chunk_rows)
    elif suffixes & {".jsonl", ".ndjson"}:
        yield from _json_lines(path, wanted, chunk_rows, block)
    elif ".json" in suffixes:
        yield from _json(path, wanted, chunk_rows)
    elif suffixes & {".csv", ".tsv", ".txt"}:
        yield from _csv(path, wanted, chunk_rows, block, broken)
    else:
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
    return _chunk(_typed(frame, layout), layout, file, first_row)


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


def _csv(path: Path, wanted: Wanted, chunk_rows: int, size: int, broken: Broken | None) -> Iterator[Chunk]:
    layout: Layout | None = None
    separator, row = ",", 1
    try:
        for block in blocks(path, size, quotes=broken is None):
            text = block
            if layout is None:
                end = _header_end(block)
                separator, header = _header(block[:end], path)
                layout = wanted.layout(header, path, 1)
                text, row = block[end:], 2
            frame = _block(text, row, separator, layout, path, broken)
            for start in range(0, len(frame), chunk_rows):
                yield _chunk(frame.slice(start, chunk_rows), layout, path, row + start)
            row += len(frame)
    except BadInput as fault:
        if fault.check != "F.008" or fault.row is not None:
            raise
        raise BadInput(
            fault.message, file=path, row=row, found=fault.found, expected=fault.expected, check=fault.check
        ) from None
    if row == 2:
        raise BadInput("the file has a header and no rows", file=path, check="F.003", expected="at least one row")


def _block(
    text: bytes, row: int, separator: str, layout: Layout, path: Path, broken: Broken | None
) -> pl.DataFrame:  # fmt: skip
    """A block as a frame; what is no row is mended where somebody wants to hear of it."""
    width = len(layout.header)
    if broken is None:
        return _parse(text, row, separator, layout, path)
    if text and not is_ragged(text, separator, width):
        try:
            return _parse(text, row, separator, layout, path, even=True)
        except BadInput as fault:
            if fault.check not in ("F.004", "F.008"):
                raise
    mended = mend(text, row, separator, width, path, broken) if text else text
    return _parse(mended, row, separator, layout, path, even=True)


def _header_end(block: bytes) -> int:
    end = block.index(b"\n") + 1
    while block.count(b'"', 0, end) % 2:
        end = block.index(b"\n", end) + 1
    return end


def _header(first: bytes, path: Path) -> tuple[str, list[str]]:
    """The separator and the labels."""
    line = decode(first, path, 1).rstrip("\r\n")
    if "\r" in line and '"' not in line:
        raise BadInput("lines end with CR alone", file=path, row=1, check="F.008", expected="LF or CR LF")
    separator = max(",;\t", key=line.count)
    try:
        labels = next(csv.reader([line], delimiter=separator))
    except csv.Error as error:  # a label of more than 131,072 characters
        raise BadInput(f"the header cannot be read: {error}", file=path, row=1, check="F.008") from error
    if not all(label.strip() for label in labels):
        raise BadInput("a column has no name", file=path, row=1, check="F.007", found=line, expected="a name for each")
    return separator, labels


def _parse(
    block: bytes, row: int, separator: str, layout: Layout, path: Path, even: bool = False
) -> pl.DataFrame:  # fmt: skip
    """A block as one typed frame, columns c0, c1, ...; or BadInput for its first fault.

    `even`: it was seen already that every line has its fields.
    """
    counted = {f"c{place}" for name in layout.numbers & layout.places.keys() for place in layout.places[name]}
    last = len(layout.header) - 1
    schema = {f"c{place}": pl.Int64 if f"c{place}" in counted else pl.String for place in range(last + 1)}
    if not block:
        return pl.DataFrame(schema=schema)
    # Polars fills a short row up and passes over a blank line. Both leave the last column empty: a fault if it is
    # required, and otherwise the separators are counted.
    if not even and not any(last in layout.places[name] for name in layout.places.keys() - layout.optional):
        plain = bare(block)
        rows = plain.count(b"\n")
        if plain.count(separator.encode()) != rows * last or b"\n\n" in plain or b"\n\r\n" in plain:
            raise explain(block, row, separator, layout, path)
    try:
        # Every column is parsed, wanted or not: only so are rows that are too long refused.
        frame = pl.read_csv(block, has_header=False, separator=separator, schema=schema, empty_string_is_null=False)
    except pl.exceptions.PolarsError as error:
        raise explain(block, row, separator, layout, path) from error
    if _faulty(frame, layout):
        raise explain(block, row, separator, layout, path)
    return frame


def _faulty(frame: pl.DataFrame, layout: Layout) -> bool:
    """Whether a typed frame has an empty, negative or huge cell where none may be."""
    for name, places in layout.places.items():
        for column in (frame[f"c{place}"] for place in places):
            if name in layout.numbers:
                low, high = column.min(), column.max()
                if isinstance(low, int) and isinstance(high, int) and (low < 0 or high > LARGEST):
                    return True
                if name not in layout.optional and column.null_count():
                    return True
            elif name not in layout.optional and (column.null_count() or column.eq("").any()):
                return True
    return False


def _has_nul(frame: pl.DataFrame) -> bool:
    """Whether a text of a typed frame has a NUL; a CSV that has one is refused before it is parsed (F.005)."""
    texts = (column for column in frame.iter_columns() if column.dtype == pl.String)
    return any(column.str.contains("\0", literal=True).any() for column in texts)


def _typed(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Columns of digits (or nothing) as numbers."""
    counted = [f"c{place}" for name in layout.numbers & layout.places.keys() for place in layout.places[name]]
    return frame.with_columns(pl.col(c).str.strip_chars().replace("", None).cast(pl.Int64) for c in counted)


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
            parts = [_filled(frame[f"c{place}"]) for place in places]
            several = len(parts) > 1
            texts[name] = pl.select(pl.concat_str(parts, separator=":")).to_series() if several else parts[0]
    return Chunk(file, first_row, texts, numbers, missing)


def _filled(texts: pl.Series) -> pl.Series:
    return texts.fill_null("") if texts.null_count() else texts  # filling copies, even where there is nothing to fill


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
            if len(frame) and (_faulty(frame, layout) or _has_nul(frame)):
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
