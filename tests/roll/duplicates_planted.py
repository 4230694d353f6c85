"""A made-up nation in which some people stand twice, each in a way that clerks and lives bring about."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path

from roll_people import DAY, STATIONS, iin_of, write_csv

from dauys.registers.areas import Area
from dauys.registers.poll import Station
from dauys.roll.rows import COLUMNS
from dauys.roll.synthetic import nation

Row = dict[str, str]


def people(count: int, seed: str) -> list[Row]:
    """So many made-up voters of the three stations, of ten thousand each by weight."""
    names = dict.fromkeys(("kk", "ru", "en"), "Акмола")
    areas = [Area(code=code, kind="area", names=names) for code in ("A", "B")]
    stations = [Station(name, area, 1) for name, area in STATIONS.items()]
    return [row for block in nation(stations, areas, DAY, seed, count) for row in block.to_dicts()]


def _dice(row: Mapping[str, str], use: str, sides: int) -> int:
    return int.from_bytes(sha256(f"{row['iin']},{use}".encode()).digest()[:4], "big") % sides


def mistyped(row: Row, name: str) -> Row | None:
    """Two neighbouring letters after the first one swapped, or one left out; of names with five letters or more."""
    text = row[name]
    if len(text) < 5:
        return None
    place = 1 + _dice(row, name, len(text) - 3)
    left_out = text[:place] + text[place + 1 :]
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    wrong = left_out if text[place] == text[place + 1] or _dice(row, "how", 2) else swapped
    return row | {name: wrong, f"{name}_kk": ""}


def married(row: Row) -> Row:
    other = ("Абенова", "Громова", "Сейтқали", "Лебедева", "Жұмабаева")[_dice(row, "married", 5)]
    return row | {"surname": other, "surname_kk": ""}


def born_on(row: Row, year: int, month: int, day: int) -> Row:
    return row | {"born": date(year, month, day).isoformat()}


def swapped_date(row: Row) -> Row | None:
    born = date.fromisoformat(row["born"])
    return born_on(row, born.year, born.day, born.month) if born.day <= 12 and born.day != born.month else None


def wrong_digit(row: Row) -> Row | None:
    born = date.fromisoformat(row["born"])
    day = born.day + 1 if born.day % 10 != 9 else born.day - 1
    return born_on(row, born.year, born.month, day) if day <= 28 else None


def kazakh_script(row: Row) -> Row | None:
    """Written down in Kazakh alone; the other entry has the Russian spelling."""
    if not row["surname_kk"]:
        return None
    return row | {name: row[f"{name}_kk"] for name in ("surname", "given", "patronymic")}


KINDS: dict[str, Callable[[Row], Row | None]] = {
    "exact": dict,
    "surname": lambda row: mistyped(row, "surname"),
    "given": lambda row: mistyped(row, "given"),
    "patronymic": lambda row: mistyped(row, "patronymic"),
    "married": lambda row: married(row) if row["iin"][6] in "246" else None,
    "swapped date": swapped_date,
    "wrong digit": wrong_digit,
    "Kazakh script": kazakh_script,
}


def planted(rows: list[Row], each: int) -> Iterator[tuple[str, Row, Row]]:
    """`each` second entries of every kind, at the same address or (every other one) elsewhere, under another IIN."""
    free = iter(rows[:: max(1, len(rows) // (each * 30))])
    taken = {row["iin"] for row in rows}
    for kind, change in KINDS.items():
        made = 0
        for row in free:
            second = change(row)
            if second is None:
                continue
            if made % 2:
                second |= {"locality": "Шалкар", "street": "Новая", "house": str(made), "flat": "", "station": "B-1"}
            born = date.fromisoformat(second["born"])
            serial = 4999 - len(taken) % 900
            while (iin := iin_of(born, serial, row["iin"][6] in "246")) in taken:
                serial -= 1
            taken.add(iin)
            yield kind, row, second | {"iin": iin}
            made += 1
            if made == each:
                break
        assert made == each, kind


def write_planted(path: Path, count: int, each: int, seed: str = "duplicates") -> dict[frozenset[str], str]:
    """Writes the nation with its planted second entries; their IINs, two by two, with the kind."""
    rows = people(count, seed)
    twice = list(planted(rows, each))
    write_csv(path, [*rows, *(second for _, _, second in twice)], COLUMNS)
    with path.open(encoding="utf-8") as file:
        assert sum(1 for _ in csv.reader(file)) == 1 + count + len(twice)
    return {frozenset((row["iin"], second["iin"])): kind for kind, row, second in twice}
