"""What does a file of protocols or turnout reports say? Strict tables in, batches of one contest out.

Columns are `station`, the fields of the form, and as needed `contest`, `at`, `by`, `sig`, and `<field>_words`. A poll's
description, or whoever sends a file, maps some of them to the file's own columns; what is not mapped goes by its name,
or by the form's label for it in any language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from dauys.errors import BadInput
from dauys.registers.columns import Source, Wanted, label_key
from dauys.registers.poll import Contest, Poll
from dauys.registers.table import CHUNK_ROWS, Chunk, read_table, rows_chunk
from dauys.stations.batch import Batch
from dauys.stations.turnout import Reports, split_by_hour

Places = npt.NDArray[np.intp]

ABOUT = ("contest", "at", "by", "sig")
_LABELS = {
    "station": ("station", "polling station", "участок", "избирательный участок", "учаске", "сайлау учаскесі"),
    "contest": ("contest", "question", "вопрос", "сұрақ"),
    "time": ("time", "hour", "время", "час", "уақыт", "сағат"),
}


def read_protocols(
    path: Path,
    poll: Poll,
    columns: Mapping[str, Source] | None = None,
    chunk_rows: int = CHUNK_ROWS,
    once: bool = True,
) -> Iterator[Batch]:
    """Streams a file's protocols as batches of at most `chunk_rows`, each of one contest.

    Raises BadInput F.001 to F.017, F.021 to F.023, F.035, F.036, naming the row. Without `once` the caller sees to it that
    a station stands once in each contest (F.021).
    """
    wanted = protocol_columns(poll, columns)
    chunks = read_table(
        path,
        wanted.columns,
        wanted.numbers,
        wanted.optional,
        aliases=wanted.aliases,
        ignore=wanted.ignore,
        mapped=wanted.mapped,
        chunk_rows=chunk_rows,
    )
    yield from batches(poll, chunks, once)


def protocols_of(poll: Poll, rows: Sequence[Mapping[str, Any]]) -> list[Batch]:
    """Protocols of a JSON request. Each row is flat, or has its numbers in `values` and their words in `words`."""
    chunk = rows_chunk([_flat(row, number) for number, row in enumerate(rows, 1)], protocol_columns(poll))
    return list(batches(poll, [chunk]))


def protocol_columns(poll: Poll, columns: Mapping[str, Source] | None = None) -> Wanted:
    """The columns that a table of this poll's protocols may have.

    A mapping may name some of them: they are read from the columns that it gives, the others from columns of their own name
    or label. With a mapping, columns that are neither are left out; without one they are refused (F.009).
    """
    fields = dict.fromkeys(name for contest in poll.contests for name in contest.form.names)
    required = set.intersection(*(set(contest.form.required) for contest in poll.contests))
    words = [f"{name}_words" for name in fields]
    known: dict[str, Source] = {name: name for name in ("station", *fields, *ABOUT, *words)}
    aliases = _labels(poll) | {label: name for name in ("station", "contest") for label in _LABELS[name]}
    optional = {*fields, *ABOUT, *words} - required
    if len(poll.contests) > 1:
        optional.discard("contest")
    return _mapped(Wanted(known, frozenset(fields), frozenset(optional), aliases), columns)


def _labels(poll: Poll) -> dict[str, str]:
    """The field that each label of the poll's forms means; a label that two forms give to two fields means none."""
    meant: dict[str, set[str]] = {}
    for contest in poll.contests:
        for field in contest.form.fields:
            for label in field.labels.values():
                meant.setdefault(label_key(label), set()).add(field.name)
    return {label: next(iter(names)) for label, names in meant.items() if len(names) == 1}


def _mapped(wanted: Wanted, columns: Mapping[str, Source] | None) -> Wanted:
    """The same columns, some of them mapped; then all others of the file are left out. Raises BadInput F.035, F.036."""
    if not columns:
        return wanted
    for name, source in columns.items():
        if name not in wanted.columns:
            raise BadInput(
                "the mapping of columns names a field that no form has", field=name, check="F.035", found=name,
                expected=", ".join(wanted.columns),
            )  # fmt: skip
        if name in wanted.numbers and not isinstance(source, str) and len(source) > 1:
            raise BadInput(
                "a number is read from one column: only texts are joined", field=name, check="F.036",
                found="+".join(source), expected="one column",
            )  # fmt: skip
    return replace(wanted, columns={**wanted.columns, **columns}, ignore=None, mapped=frozenset(columns))


def batches(poll: Poll, chunks: Iterable[Chunk], once: bool = True) -> Iterator[Batch]:
    """Chunks of a table as batches of one contest; with `once` a station stands once in each contest (F.021)."""
    seen = {contest.id: Seen() for contest in poll.contests}
    for chunk in chunks:
        for contest, places in _split(poll, chunk):
            batch = _batch(contest, chunk, places)
            if once:
                seen[contest.id].add(batch)
            yield batch


def read_turnout(path: Path, poll: Poll, columns: Mapping[str, Source] | None = None) -> list[Reports]:
    """A file of turnout reports (`station`, `time`, `eligible`, `received`) by hour. Raises BadInput F.001 to F.033."""
    wanted = _turnout_columns(poll, columns)
    chunks = read_table(
        path, wanted.columns, wanted.numbers, aliases=wanted.aliases, ignore=wanted.ignore, mapped=wanted.mapped
    )
    return [report for chunk in chunks for report in _hours(chunk)]


def turnout_of(poll: Poll, rows: Sequence[Mapping[str, Any]]) -> list[Reports]:
    """Turnout reports of a JSON request, by hour."""
    return _hours(rows_chunk(rows, _turnout_columns(poll, None)))


def _turnout_columns(poll: Poll, columns: Mapping[str, Source] | None) -> Wanted:
    known: dict[str, Source] = {name: name for name in ("station", "time", "eligible", "received")}
    aliases = {label: name for label, name in _labels(poll).items() if name in ("eligible", "received")}
    aliases |= {label: name for name in ("station", "time") for label in _LABELS[name]}
    return _mapped(Wanted(known, frozenset({"eligible", "received"}), frozenset(), aliases), columns)


def _hours(chunk: Chunk) -> list[Reports]:
    return split_by_hour(
        chunk.texts["time"].to_list(), chunk.texts["station"].to_list(), chunk.numbers["eligible"],
        chunk.numbers["received"], chunk.file, range(chunk.first_row, chunk.first_row + len(chunk)),
    )  # fmt: skip


def _split(poll: Poll, chunk: Chunk) -> Iterator[tuple[Contest, Places | None]]:
    """The contests that occur, in the poll's order, and where; None is everywhere. Raises BadInput F.022, F.023."""
    named = chunk.texts.get("contest")
    if named is None:  # with several contests the column is required
        yield poll.contests[0], None
        return
    several = len(poll.contests) > 1
    known = [contest.id for contest in poll.contests] + ([] if several else [""])
    strange = ~named.is_in(known)
    if strange.any():
        place = int(strange.arg_max() or 0)
        raise BadInput(
            "the poll has no such contest" if named[place] else "the poll has several contests: name one",
            file=chunk.file, row=chunk.first_row + place, field="contest", found=named[place],
            expected=", ".join(contest.id for contest in poll.contests), check="F.022" if named[place] else "F.023",
        )  # fmt: skip
    for contest in poll.contests:
        places = (named == contest.id).arg_true().to_numpy().astype(np.intp) if several else None
        if places is None or len(places):
            yield contest, places


def _batch(contest: Contest, chunk: Chunk, places: Places | None) -> Batch:
    first = chunk.first_row
    rows = range(first, first + len(chunk)) if places is None else (places + first).tolist()
    chosen = slice(None) if places is None else places
    if absent := [
        name for name in contest.form.required if name not in chunk.numbers
    ]:  # of several contests, one needs it
        raise BadInput(
            f"columns are missing: {', '.join(absent)}", file=chunk.file, row=rows[0], check="F.010", field=contest.id,
            expected=f"the columns {', '.join(contest.form.required)}",
        )  # fmt: skip
    values, missing = {}, {}
    for name, column in chunk.numbers.items():
        empty = chunk.missing.get(name)
        empty = None if empty is None else empty[chosen]
        if empty is not None and empty.all():
            continue
        if name not in contest.form.names:
            given = 0 if empty is None else int((~empty).argmax())
            raise BadInput(
                "the form of the contest has no such field", file=chunk.file, row=rows[given],
                field=name, check="F.035", expected=", ".join(contest.form.names),
            )  # fmt: skip
        values[name] = column[chosen]
        if empty is not None and empty.any():
            missing[name] = empty
    texts = {}
    for name, series in chunk.texts.items():
        if name == "station" or (series != "").any():
            texts[name] = series if places is None else series.gather(places)
    lists = {name: series.to_list() for name, series in texts.items() if name != "station"}
    return Batch(
        contest=contest.id,
        stations=texts["station"],
        values=values,
        missing=missing,
        at=lists.get("at"),
        by=lists.get("by"),
        sig=lists.get("sig"),
        words={name.removesuffix("_words"): found for name, found in lists.items() if name.endswith("_words")},
        file=chunk.file,
        rows=rows,
    )


def twice(batch: Batch, place: int, row: int) -> BadInput:
    """The fault F.021 of a station that has stood in an earlier row."""
    return batch.refuse(
        place, f"the station stands in row {row} already", "F.021", field="station", found=batch.stations[place],
        expected="each station once for each contest",
    )  # fmt: skip


class Seen:
    """The stations that a file has had for one contest, by their hashes: eight bytes each, sorted.

    Different hashes are different stations; where two are equal the names decide.
    """

    __slots__ = ("_batches", "_hashes")

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.uint64)
        self._batches: list[tuple[pl.Series, Sequence[int]]] = []

    def add(self, batch: Batch) -> None:
        """Raises BadInput F.021 for a station that the file has had."""
        stations = pl.Series("station", batch.stations, dtype=pl.String)
        both = np.concatenate((self._hashes, stations.hash().sort().to_numpy()))
        both.sort(kind="stable")  # two sorted runs are merged in one pass
        if (both[1:] == both[:-1]).any():
            self._name(batch, stations)
        self._batches.append((stations, batch.rows or range(1, len(batch) + 1)))
        self._hashes = both

    def _name(self, batch: Batch, stations: pl.Series) -> None:
        """Raises BadInput for the first row of the batch whose station stood before, unless only hashes are equal."""
        again = ~pl.concat([*(names for names, _ in self._batches), stations]).is_first_distinct()
        if not again.any():
            return
        place = int(again.arg_max() or 0) - sum(len(names) for names, _ in self._batches)
        station = stations[place]
        for names, rows in (*self._batches, (stations, batch.rows or range(1, len(batch) + 1))):
            if (found := names.index_of(station)) is not None:
                raise twice(batch, place, rows[found])


def _flat(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise BadInput("a list of objects is expected", row=number, check="F.017", expected='[{"station": ...}, ...]')
    flat = dict(row)
    for key, suffix in (("values", ""), ("words", "_words")):
        inner = flat.pop(key, {})
        if not isinstance(inner, Mapping):
            raise BadInput("an object is expected", row=number, field=key, check="F.017", expected='{"yes": 1, ...}')
        for name, value in inner.items():
            if f"{name}{suffix}" in flat:
                raise BadInput("the field is given twice", row=number, field=name, check="F.007")
            flat[f"{name}{suffix}"] = value
    return flat
