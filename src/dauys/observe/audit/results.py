"""What was announced, station by station, and what the recounts found? Two tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dauys.errors import BadInput
from dauys.observe.audit.plan import Station
from dauys.registers.table import read_table

NEEDED = ("station", "cast", "yes")


def read_results(path: Path, columns: Mapping[str, Sequence[str]]) -> list[Station]:
    """The announced results; `region` may be absent. Raises BadInput: a station twice, more for yes than ballots."""
    if missing := [name for name in NEEDED if name not in columns]:
        raise BadInput("--columns does not name all that is needed", expected=" and ".join(missing))
    columns = {name: source for name, source in columns.items() if name in (*NEEDED, "region")}
    found = [Station(*row) for row in _rows(path, columns)]
    if not found:
        raise BadInput("the file has no station", file=path, expected="one row for each station")
    return found


def read_recounts(path: Path) -> dict[str, tuple[int, int]]:
    """Station to ballots found and those for yes, from the columns `station`, `cast`, `yes`; others are not read."""
    return {name: (cast, yes) for name, _, cast, yes in _rows(path, {name: (name,) for name in NEEDED})}


def _rows(path: Path, columns: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, int, int]]:
    first: dict[str, int] = {}
    for chunk in read_table(path, dict(columns), numbers=("cast", "yes"), ignore=None, mapped=list(columns)):
        regions = chunk.texts["region"].to_list() if "region" in chunk.texts else [""] * len(chunk)
        numbers = (chunk.numbers["cast"].tolist(), chunk.numbers["yes"].tolist())
        rows = zip(chunk.texts["station"].to_list(), regions, *numbers, strict=True)
        for row, (name, region, cast, yes) in enumerate(rows, chunk.first_row):
            if first.setdefault(name, row) != row:
                raise BadInput(
                    f"the station stands in row {first[name]} already", file=path, row=row, found=name, expected="once"
                )
            if yes > cast:
                raise BadInput(
                    "more ballots for yes than ballots", file=path, row=row, field="yes", found=f"{yes} of {cast}"
                )
            yield name, region, cast, yes
