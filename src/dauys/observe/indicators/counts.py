"""Which counts of each station are looked at, and where do they stand in the file?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dauys.errors import BadInput
from dauys.registers.table import read_table

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEEDED = ("cast", "yes")
NUMBERS = (
    "registered", "issued", "cast", "yes", "no", "both", "invalid", "received", "cancelled", "past_cast", "past_yes",
)  # fmt: skip
TEXTS = ("station", "region")


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts by station, one array each, in the order of the file. What the file has no column for is absent.

    `registered` voters on the list (V), `issued` ballots handed out (G), `cast` ballots in the box (B), `yes` ballots for the
    winner or the option (L); `no`, `both`, `invalid` the other ballots; `received`, `cancelled` ballots of the station;
    `past_cast`, `past_yes` the same of an earlier vote.
    """

    numbers: Mapping[str, Ints]
    texts: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.numbers["cast"])

    def __getitem__(self, name: str) -> Ints:
        return self.numbers[name]

    def has(self, *names: str) -> bool:
        return all(name in self.numbers or name in self.texts for name in names)

    def where(self, chosen: Bools) -> Counts:
        """The same of some stations."""
        places = np.flatnonzero(chosen).tolist()
        return Counts(
            {name: values[chosen] for name, values in self.numbers.items()},
            {name: [values[place] for place in places] for name, values in self.texts.items()},
        )

    def regions(self) -> dict[str, Bools]:
        """Region to its stations; empty where there are no regions."""
        if "region" not in self.texts:
            return {}
        names, places = np.unique(np.array(self.texts["region"], dtype=object).astype(str), return_inverse=True)
        return {str(name): places == number for number, name in enumerate(names)}


def mapping(text: str) -> dict[str, tuple[str, ...]]:
    """`registered=voters,station=tik+uik` as our names and the file's columns. Raises BadInput."""
    found: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        ours, equals, theirs = part.partition("=")
        ours = ours.strip()
        if not equals or not theirs.strip() or ours in found or ours not in (*NUMBERS, *TEXTS):
            raise BadInput(
                "this part of --columns cannot be read",
                found=part,
                expected=f"OURS=COLUMN, each once; ours is one of {', '.join((*TEXTS, *NUMBERS))}",
            )
        found[ours] = tuple(name.strip() for name in theirs.split("+"))
    if missing := [name for name in NEEDED if name not in found]:
        raise BadInput("--columns does not name all that is needed", found=text, expected=" and ".join(missing))
    return found


def read_counts(path: Path, columns: Mapping[str, Sequence[str]]) -> Counts:
    """The counts in a table (CSV, CSV.GZ, Parquet, JSON Lines). Raises BadInput with row and field."""
    numbers = [name for name in columns if name in NUMBERS]
    chunks = list(read_table(path, dict(columns), numbers=numbers, ignore=None, mapped=list(columns)))
    if not chunks or not sum(map(len, chunks)):
        raise BadInput("the file has no station", file=path, expected="one row for each station")
    return Counts(
        {name: np.concatenate([chunk.numbers[name] for chunk in chunks]) for name in numbers},
        {name: [text for chunk in chunks for text in chunk.texts[name].to_list()] for name in columns if name in TEXTS},
    )
