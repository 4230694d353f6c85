"""What a user is told when something is wrong: one message that says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class DauysError(Exception):
    """Any failure with a message meant for a person. The command line prints it and exits with 2."""


class Numbered(DauysError):
    """A refusal with its number (`check`, in the catalogue of its room) and the article, where one is known.

    It reads `[P.026] MESSAGE (ARTICLE)`. What is shown beside the number is `message` or `words`: the number is in neither.
    """

    def __init__(self, message: str, check: str, cite: str = "") -> None:
        self.message = message
        self.check = check
        self.cite = cite
        super().__init__(message, check, cite)

    @property
    def words(self) -> str:
        """The message with the article, without the number."""
        return f"{self.message} ({self.cite})" if self.cite else self.message

    def __str__(self) -> str:
        return f"[{self.check}] {self.words}" if self.check else self.words


class BadInput(DauysError):
    """Input that cannot be taken, with the place, what was found and what was expected.

    The message reads `FILE, row 3, field yes: found "12,5", expected a whole number.` with the parts that are known.
    `check` is the number of the check that refused it, where there is one (docs/checks.md).
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        line: int | None = None,
        field: str | None = None,
        found: object = None,
        expected: str | None = None,
        check: str | None = None,
    ) -> None:
        self.message = message
        self.file = str(file) if file is not None else None
        self.row = row
        self.line = line
        self.field = field
        self.found = found
        self.expected = expected
        self.check = check
        super().__init__(str(self))

    def but(self, **changed: Any) -> BadInput:
        """The same, with some of its parts changed."""
        names = ("message", "file", "row", "line", "field", "found", "expected", "check")
        return BadInput(**{name: getattr(self, name) for name in names} | changed)

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.field is not None:
            place.append(f"field {self.field}")
        text = f"[{self.check}] " if self.check else ""
        text += f"{', '.join(place)}: " if place else ""
        text += self.message
        if self.found is not None:
            text += f"; found {_short(self.found)}"
        if self.expected is not None:
            text += f"; expected {self.expected}"
        return text

    def as_json(self) -> dict[str, object]:
        """`{"check","message","file","row","line","field","found","expected"}`, absent parts left out."""
        parts = {
            "check": self.check,
            "message": self.message,
            "file": self.file,
            "row": self.row,
            "line": self.line,
            "field": self.field,
            "found": None if self.found is None else _short(self.found),
            "expected": self.expected,
        }
        return {name: value for name, value in parts.items() if value is not None}


def _short(found: object) -> str:
    text = repr(found) if isinstance(found, str) else str(found)
    return text if len(text) <= 80 else text[:77] + "..."
