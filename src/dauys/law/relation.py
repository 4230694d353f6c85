"""Do the numbers of a protocol fit together? Linear relations between whole numbers, written as a form states them.

    participated = yes + no + invalid + not_counted
    received <= eligible
    100 * delivered < 101 * eligible + 100

Grammar: a relation is `SUM = SUM`, `SUM <= SUM` or `SUM < SUM`; a SUM is TERMs joined by ` + `; a TERM is a whole
number, a field, or `number * field`; a field is lower-case letters, digits and underscores, beginning with a letter.
One space stands around each sign. There is no minus: what would be subtracted stands on the other side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dauys.errors import BadInput

if TYPE_CHECKING:  # imported where columns are summed: most that read a form never do
    import numpy as np
    import numpy.typing as npt

    Column = npt.NDArray[np.int64]

LARGEST = 10**9
"""No protocol holds a number above this; with it no sum of a relation leaves 64 bits."""

_TERM = re.compile(r"(?:(?:([0-9]{1,9}) \* )?([a-z][a-z0-9_]*)|([0-9]{1,9}))")
_RELATION = re.compile(r"(.+) (=|<=|<) (.+)", re.DOTALL)
_GRAMMAR = "terms `field`, `2 * field` or `2` joined by ` + `, with one of =, <=, < between two sums"


@dataclass(frozen=True, slots=True)
class Linear:
    """A sum of fields with whole coefficients and a constant."""

    terms: tuple[tuple[int, str], ...]
    constant: int = 0

    @classmethod
    def parse(cls, text: str) -> Linear:
        """Read a SUM; raises `BadInput` (without a place: the caller knows it)."""
        terms: list[tuple[int, str]] = []
        constant = 0
        for part in text.split(" + "):
            match = _TERM.fullmatch(part)
            if not match:
                raise BadInput("cannot be read as a sum", found=text, expected=_GRAMMAR)
            if match[2]:
                terms.append((int(match[1] or 1), match[2]))
            else:
                constant += int(match[3])
        if sum(factor for factor, _ in terms) > LARGEST or constant > LARGEST:
            raise BadInput("the numbers of a sum are too large", found=text, expected=f"at most {LARGEST} together")
        return cls(tuple(terms), constant)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields named, each once, in their order."""
        return tuple(dict.fromkeys(name for _, name in self.terms))

    def of(self, values: Mapping[str, int]) -> int:
        """The exact sum; raises KeyError when a field is absent."""
        return self.constant + sum(factor * values[name] for factor, name in self.terms)

    def over(self, columns: Mapping[str, Column]) -> Column:
        """The sum row by row; the columns have been checked by `Relation.violations`."""
        import numpy as np

        rows = len(next(iter(columns.values()))) if columns else 0
        total = np.full(rows, self.constant, dtype=np.int64)
        for factor, name in self.terms:
            total += factor * columns[name]
        return total

    def __str__(self) -> str:
        parts = [name if factor == 1 else f"{factor} * {name}" for factor, name in self.terms]
        if self.constant or not parts:
            parts.append(str(self.constant))
        return " + ".join(parts)


@dataclass(frozen=True, slots=True)
class Relation:
    """`left sign right`, with `sign` one of `=`, `<=`, `<`."""

    left: Linear
    sign: str
    right: Linear

    @classmethod
    def parse(cls, text: str) -> Relation:
        """Read a relation; raises `BadInput` (without a place: the caller knows it)."""
        match = _RELATION.fullmatch(text)
        if not match:
            raise BadInput("cannot be read as a relation", found=text, expected=_GRAMMAR)
        relation = cls(Linear.parse(match[1]), match[2], Linear.parse(match[3]))
        if not relation.fields:
            raise BadInput("a relation without a field", found=text, expected=_GRAMMAR)
        return relation

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields named on either side, each once."""
        return tuple(dict.fromkeys(self.left.fields + self.right.fields))

    def sides(self, values: Mapping[str, int]) -> tuple[int, int]:
        """The two sums, exact; raises KeyError when a field is absent."""
        return self.left.of(values), self.right.of(values)

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether the relation is true of `values`, exactly, whatever their size."""
        left, right = self.sides(values)
        return left == right if self.sign == "=" else left <= right if self.sign == "<=" else left < right

    def violations(self, columns: Mapping[str, Column]) -> npt.NDArray[np.bool_]:
        """For each row whether the relation is broken.

        `columns` are int64 arrays of one length that hold at least `fields`. A number beyond `LARGEST` in size is
        refused (`BadInput`): coefficients and constants add up to at most `LARGEST` a side, so no sum can overflow.
        """
        import numpy as np

        used = {name: columns[name] for name in self.fields}
        for name, column in used.items():
            if column.dtype != np.int64:
                raise BadInput("wrong type of column", field=name, found=column.dtype, expected="int64")
            beyond = (column > LARGEST) | (column < -LARGEST)
            if beyond.any():
                found = int(column[int(beyond.argmax())])
                raise BadInput("too large a number", field=name, found=found, expected=f"at most {LARGEST}")
        left, right = self.left.over(used), self.right.over(used)
        broken = left != right if self.sign == "=" else left > right if self.sign == "<=" else left >= right
        return np.asarray(broken, dtype=np.bool_)

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"
