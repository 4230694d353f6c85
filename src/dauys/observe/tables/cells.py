"""What stands in the cells of a small plain table? Where no cell is quoted, numpy cuts all of them out of the bytes at once.

A CSV reader starts threads and makes a text of every cell; for ten thousand rows that takes longer than all that follows.
Without quotes each separator and each line end counts, so one pass finds where all cells begin and end, a column is gathered
as one array of bytes, and counts come from its digits: no text is made that nobody asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

SMALL = 1 << 20
"""Bytes of a table up to which this is faster than a CSV reader on two cores."""

WIDER = 4
"""All cells of a column take as many bytes as its longest: together at most so many times those of the table."""

DIGITS = 15
"""So many digits are a whole number below 2**53: exact as a float."""

_LF, _CR, _ZERO = b"\n\r0"
_BLANK = np.zeros(256, dtype=bool)
_BLANK[[*range(33), 0xC2, 0xE1, 0xE2, 0xE3]] = True  # the first bytes of white space in UTF-8; 0 is an empty cell


@dataclass(frozen=True, slots=True, eq=False)
class Cells(Sequence[str]):
    """The texts of one column as an array of UTF-8 bytes without NUL; a text is made when it is asked for."""

    raw: npt.NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Cells: ...
    def __getitem__(self, row: int | slice) -> str | Cells:
        return Cells(self.raw[row].copy()) if isinstance(row, slice) else self.raw[row].decode()

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self.raw.tolist())

    def to_list(self) -> list[str]:
        return list(self)

    def distinct(self) -> tuple[list[str], npt.NDArray[np.int64]]:
        """The different texts, and which of them each row has."""
        different = np.unique(self.raw)
        return list(Cells(different)), np.searchsorted(different, self.raw).astype(np.int64)

    def filled(self) -> bool:
        """Whether every text begins with a sign that is no white space; False where that is still to be seen."""
        return not _BLANK[self._signs()[:, 0]].any()

    def counts(self) -> npt.NDArray[np.float64] | None:
        """The texts as numbers, NaN for an empty one; None if one has a sign that is no digit, or more than `DIGITS`."""
        columns = self._signs().T  # the first sign of all texts, the second of all, and so on
        if len(columns) > DIGITS:
            return None
        found = np.zeros(len(self))
        for signs in columns:
            digit = signs - _ZERO  # what stands before "0" wraps around
            is_digit = digit <= 9
            if not (is_digit | (signs == 0)).all():
                return None
            found = np.where(is_digit, 10 * found + digit, found)
        found[columns[0] == 0] = np.nan
        return found

    def _signs(self) -> npt.NDArray[np.uint8]:
        """One line of bytes a row; 0 after the end of its text."""
        return self.raw.view(np.uint8).reshape(len(self.raw), -1)


def cut(text: bytes, separator: str, width: int, places: Collection[int]) -> dict[int, Cells] | None:
    """The columns at `places` of a table without its header; None where a CSV reader must judge.

    Each row must have `width` cells, at least 2, none quoted, and end with LF or CR LF.
    """
    if len(text) > SMALL or width < 2 or b'"' in text:
        return None
    signs = np.frombuffer(text, np.uint8)
    is_line_end = signs == _LF
    marks = np.concatenate(([-1], np.flatnonzero(is_line_end | (signs == ord(separator)))))  # a cell is between two
    rows = (len(marks) - 1) // width
    if np.count_nonzero(is_line_end) != rows or not is_line_end[marks[width::width]].all():
        return None
    returned = signs[marks[width::width] - 1] == _CR
    if np.count_nonzero(signs == _CR) != np.count_nonzero(returned):
        return None
    most = WIDER * len(text) // rows
    padded = text + bytes(most)
    found: dict[int, Cells] = {}
    for place in places:
        start = marks[place:-1:width] + 1
        length = marks[place + 1 :: width] - start - (returned if place == width - 1 else 0)
        longest = max(1, int(length.max()))
        if longest > most:
            return None
        found[place] = Cells(_gathered(padded, start, length, longest))
    return found


def joined(several: Sequence[Cells]) -> Cells:
    """One column of several, row by row, with ":" between their texts."""
    found, *others = (one.raw for one in several)
    for other in others:
        found = np.strings.add(np.strings.add(found, b":"), other)
    return Cells(found)


def _gathered(
    text: bytes, start: npt.NDArray[np.intp], length: npt.NDArray[np.intp], longest: int
) -> npt.NDArray[np.bytes_]:
    """The pieces of the text that start and are as long as said; behind each start stand `longest` bytes at least."""
    pieces = np.ndarray(len(text) - longest + 1, f"S{longest}", text, strides=(1,))  # one that begins at each byte
    found = pieces[start]
    signs = found.view(np.uint8).reshape(-1, longest)
    for place in range(int(length.min()), longest):
        signs[:, place] *= length > place
    return found
