"""Which column of a table is which field: by name, by a label in any language, or not at all."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dauys.errors import BadInput

Source = str | Sequence[str]
"""One column of the file, or several whose texts are joined with ":"."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table must hold: for each of our names the places of its source columns, and which of them are numbers.

    A number may be empty only where its name is in `optional`.
    """

    header: tuple[str, ...]
    places: Mapping[str, tuple[int, ...]]
    numbers: frozenset[str]
    optional: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks of a table: see `read_table`.

    The names in `mapped` are read from the columns given for them, which must be there, and from no others. The rest goes
    by its own name or an alias, in columns that no mapped name is read from.
    """

    columns: Mapping[str, Source]
    numbers: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    aliases: Mapping[str, str] | None = None
    ignore: Collection[str] | None = ()
    mapped: frozenset[str] = frozenset()

    def layout(self, header: Sequence[str], file: Path | None, row: int | None = None) -> Layout:
        """Where each wanted column stands. Raises BadInput F.007, F.009, F.010."""
        keys = [label_key(label) for label in header]
        first = {key: place for place, key in reversed(list(enumerate(keys)))}
        for place, key in enumerate(keys):
            if first[key] < place:
                raise BadInput(
                    "two columns have the same name",
                    file=file,
                    row=row,
                    check="F.007",
                    found=header[place],
                    expected="each column once",
                )
        by_alias = {label_key(label): name for label, name in (self.aliases or {}).items() if name not in self.mapped}
        taken = {label_key(s) for name in self.mapped for s in _sources(self.columns[name])}
        free = ["" if key in taken else key for key in keys]
        places: dict[str, tuple[int, ...]] = {}
        absent: list[str] = []
        for name, source in self.columns.items():
            own = keys if name in self.mapped else free
            sources = _sources(source)
            found = [own.index(label_key(s)) for s in sources if label_key(s) in own]
            found = found if len(found) == len(sources) else []
            others = [place for place, key in enumerate(free) if by_alias.get(key) == name and place not in found]
            if len(others) > (not found):
                both = ", ".join(header[place] for place in (*found, *others))
                message = f"two columns mean {name}"
                raise BadInput(message, file=file, row=row, check="F.007", found=both, expected="one of them")
            found = found or others
            if found:
                places[name] = tuple(found)
            elif name not in self.optional or name in self.mapped:  # who maps a column says that it is there
                absent += [s for s in sources if label_key(s) not in own]
        self._no_strangers(header, keys, places, file, row)
        if absent:
            raise BadInput(
                f"columns are missing: {', '.join(absent)}",
                file=file,
                row=row,
                check="F.010",
                found=", ".join(header),
                expected=f"the columns {', '.join(self._labels())}",
            )
        return Layout(tuple(header), places, self.numbers, self.optional)

    def _labels(self) -> list[str]:
        return [s for source in self.columns.values() for s in _sources(source)]

    def _no_strangers(
        self,
        header: Sequence[str],
        keys: list[str],
        places: Mapping[str, tuple[int, ...]],
        file: Path | None,
        row: int | None,
    ) -> None:
        if self.ignore is None:
            return
        used = {place for several in places.values() for place in several}
        ignored = {label_key(label) for label in self.ignore}
        for place, key in enumerate(keys):
            if place in used or key in ignored:
                continue
            likely = difflib.get_close_matches(key, [label_key(label) for label in self._labels()], 1)
            hint = f" (is it {likely[0]}?)" if likely else ""
            raise BadInput(
                f"a column is not known{hint}",
                file=file,
                row=row,
                check="F.009",
                found=header[place],
                expected=f"the columns {', '.join(self._labels())}; take others out, or map the ones to read",
            )


def _sources(source: Source) -> Sequence[str]:
    return [source] if isinstance(source, str) else source


def label_key(label: str) -> str:
    """Labels are compared without regard to case and blanks."""
    return " ".join(label.split()).casefold()
