"""What came in: protocols of one contest as columns, so that a hundred thousand are checked as fast as one is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from dauys.errors import BadInput
from dauys.law.form import Form
from dauys.registers.cells import LARGEST
from dauys.stations.stated import LONGEST_WORDS

Column = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """Protocols of one contest, one a row.

    `stations` is a list, or a polars Series where a file was read: see `names`.
    `values` maps fields of the form to int64 columns. `missing` marks the rows that leave an optional field empty. `at`
    (ISO 8601), `by` and `sig` are given per protocol, or empty texts, or not at all. `words` are numbers as written
    out on paper, by field. `file` and `rows` say where each came from; without `rows` they count from 1.
    """

    contest: str
    stations: Sequence[str] | pl.Series
    values: Mapping[str, Column]
    missing: Mapping[str, Mask] = field(default_factory=dict)
    at: Sequence[str] | None = None
    by: Sequence[str] | None = None
    sig: Sequence[str] | None = None
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    file: Path | None = None
    rows: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.stations)

    def names(self) -> list[str]:
        """The stations as a list: for code that goes through them one by one."""
        return self.stations.to_list() if isinstance(self.stations, pl.Series) else list(self.stations)

    def row(self, place: int) -> int:
        """The row in the file, or the place from 1."""
        return self.rows[place] if self.rows is not None else place + 1

    def row_numbers(self) -> Column:
        """`row` of every place, as a column."""
        rows = self.rows if self.rows is not None else range(1, len(self) + 1)
        return np.arange(rows.start, rows.stop) if isinstance(rows, range) else np.asarray(rows, np.int64)

    def take(self, places: Sequence[int]) -> Batch:
        """The rows at these places, in this order."""
        chosen = np.asarray(places, dtype=np.intp)

        def pick(texts: Sequence[str] | None) -> list[str] | None:
            return None if texts is None else [texts[place] for place in places]

        return Batch(
            self.contest,
            [self.stations[place] for place in places],
            {name: column[chosen] for name, column in self.values.items()},
            {name: mask[chosen] for name, mask in self.missing.items()},
            pick(self.at),
            pick(self.by),
            pick(self.sig),
            {name: [texts[place] for place in places] for name, texts in self.words.items()},
            self.file,
            [self.row(place) for place in places],
        )

    def protocols(self) -> list[dict[str, int]]:
        """The values of each row by field; an empty optional field is left out."""
        names = tuple(self.values)
        found = [
            dict(zip(names, row, strict=True)) for row in zip(*(c.tolist() for c in self.values.values()), strict=True)
        ]
        for name, mask in self.missing.items():
            for place in np.flatnonzero(mask):
                del found[place][name]
        return found

    def refuse(self, place: int, message: str, check: str, **parts: str | None) -> BadInput:
        """The fault of one row."""
        return BadInput(
            message, file=self.file, row=self.row(place), check=check, field=parts.get("field"),
            found=parts.get("found"), expected=parts.get("expected"),
        )  # fmt: skip

    def check_against(self, form: Form) -> None:
        """Raises BadInput F.011, F.014, F.015, F.018 or F.035 if these are no protocols of the form at all."""
        for name in self.values:
            if name not in form.names:
                raise self.refuse(0, "the form has no such field", "F.035", field=name, expected=", ".join(form.names))
        for name in form.required:
            empty = self.missing.get(name)
            if name not in self.values or (empty is not None and empty.any()):
                place = 0 if empty is None else int(empty.argmax())
                raise self.refuse(place, "the cell is empty", "F.011", field=name, expected="a whole number")
        self.check_numbers()
        for name, texts in self.words.items():
            for place in (place for place, text in enumerate(texts) if len(text) > LONGEST_WORDS):
                raise self.refuse(
                    place, "the text is too long for the record", "F.018", field=f"{name}_words",
                    found=f"{texts[place][:40]}...", expected=f"a text of at most {LONGEST_WORDS} characters",
                )  # fmt: skip

    def check_numbers(self) -> None:
        """Raises BadInput F.014, F.015 for a negative or huge number."""
        for name, column in self.values.items():
            for bad, check, message in (
                (column < 0, "F.014", "a count is never negative"),
                (column > LARGEST, "F.015", "the number is too large to be a count"),
            ):
                if bad.any():
                    place = int(bad.argmax())
                    raise self.refuse(place, message, check, field=name, found=str(column[place]))

    def check_unique(self) -> None:
        """Raises BadInput F.021 if a station stands twice."""
        names = self.names()
        if len(set(names)) == len(names):
            return
        seen: set[str] = set()
        for place, station in enumerate(names):
            if station in seen:
                raise self.refuse(
                    place, "the station stands twice", "F.021", field="station", found=station,
                    expected="each station once",
                )  # fmt: skip
            seen.add(station)


def one(contest: str, station: str, values: Mapping[str, int], **rest: str) -> Batch:
    """A batch of one protocol; `rest` may give at, by, sig, and words as `<field>_words`."""
    words = {name.removesuffix("_words"): [text] for name, text in rest.items() if name.endswith("_words") and text}
    return Batch(
        contest,
        [station],
        {name: np.array([value], np.int64) for name, value in values.items()},
        at=[rest["at"]] if rest.get("at") else None,
        by=[rest["by"]] if rest.get("by") else None,
        sig=[rest["sig"]] if rest.get("sig") else None,
        words=words,
    )
