"""Where is a person told which rows of a file are bad? In a list beside it, whole or not at all, with nothing personal in it."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dauys.errors import BadInput
from dauys.registers.spreadsheet import plain
from dauys.regular_file import open_regular
from dauys.roll.catalogue import row_checks
from dauys.roll.rows import Fault

HEADER = ("row", "field", "check", "what", "found")


class BadList:
    """The list while a file streams by: a file only where there are bad rows, and at its place only when it is whole.

    The draft beside it has a name of its own: of two imports that list in one place at once the later list stays, as it is.
    """

    def __init__(self, place: Path) -> None:
        self.place = place.resolve()
        self.checks: Counter[str] = Counter()
        self._draft = self.place.with_name(f"{self.place.name}.{os.urandom(4).hex()}.making")
        self._file: IO[str] | None = None

    def add(self, faults: Iterable[Fault]) -> None:
        """Lists faults. Raises BadInput where the disk is full."""
        with _told(self.place):
            for fault in faults:
                if self._file is None:
                    self._file = self._draft.open("x", encoding="utf-8", newline="")
                    csv.writer(self._file).writerow(HEADER)
                what = row_checks()[fault.check].title["en"] + (f": {fault.more}" if fault.more else "")
                cells = (fault.field, fault.check, what, fault.shown)
                csv.writer(self._file).writerow((fault.row, *map(plain, cells)))
                self.checks[fault.check] += 1

    def end(self) -> None:
        """The list is whole, and takes its place. Raises BadInput where the disk is full."""
        if self._file is not None:
            with _told(self.place):
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                self._draft.replace(self.place)

    def drop(self) -> None:
        """What is half-written goes; a list that was there before stays."""
        if self._file is not None:
            with suppress(OSError):  # the disk is full: what could not be written goes, too
                self._file.close()
            self._draft.unlink(missing_ok=True)


def look_at_place(place: Path) -> None:
    """A list of bad rows that was made before is replaced, and no other file. Raises BadInput."""
    try:
        with open_regular(place) as file:
            first = file.readline(200)
    except FileNotFoundError:
        first = b""
    except OSError as error:
        raise _not_written(place, error) from error
    if first and first.strip() != ",".join(HEADER).encode():
        raise BadInput(
            "another file has the name that the list of bad rows would have", file=place, field="--bad",
            expected="a name for the list that no other file has",
        )  # fmt: skip
    if not os.access(place.resolve().parent, os.W_OK):
        raise BadInput(
            "the list of bad rows cannot be written there", file=place, field="--bad", expected="a place for it"
        )


@contextmanager
def _told(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _not_written(place, error) from error


def _not_written(place: Path, error: OSError) -> BadInput:
    return BadInput(f"the list of bad rows cannot be written: {error.strerror}", file=place, field="--bad")
