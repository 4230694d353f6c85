"""How is a part of a file taken: read, checked and packed, wherever a processor is free?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dauys.registers.parts import Part
from dauys.roll.catalogue import NOT_YET
from dauys.roll.iin import Mask, Numbers
from dauys.roll.packing import Packed, Packing
from dauys.roll.rows import Fault, Terms, check_rows


@dataclass(frozen=True, slots=True)
class Taken:
    """A part that was taken: its rows as `Rows` has them, and the good ones packed."""

    first_row: int
    faults: list[Fault]
    bad: Mask
    late: Mask
    iins: Numbers
    packed: Packed

    def without(self, again: Mask) -> Taken:
        """The same if some rows are bad for their IIN came before, which is said of them at the end of the file (R.009)."""
        if not again.any():
            return self
        rows = {self.first_row + place for place in np.flatnonzero(again).tolist()}
        good = ~(self.bad | self.late)
        return Taken(
            first_row=self.first_row,
            faults=[fault for fault in self.faults if fault.check != NOT_YET or fault.row not in rows],
            bad=self.bad | again,
            late=self.late & ~again,
            iins=self.iins,
            packed=self.packed.only(~again[good]),
        )


@dataclass(frozen=True, slots=True)
class Taking:
    """Takes parts; goes to a process of its own as it is."""

    terms: Terms
    packing: Packing

    def __call__(self, part: Part) -> Taken:
        texts = part.read()
        rows = check_rows(texts, self.terms)
        return Taken(texts.first_row, rows.faults, rows.bad, rows.late, rows.iins, self.packing(rows.good))
