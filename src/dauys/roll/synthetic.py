"""What would a nation's roll look like, if nobody on it existed? For tests, trials and load; every row says "synthetic".

The same seed, stations and day give the same people, whatever the version of any library: the random bits are those of Philox
4x64-10 (Salmon et al. 2011) straight from the counter, keyed with SHA-256 of the seed and the use, and every choice from them is
made here in whole numbers. Names and places come from synthetic.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.io.plugins import register_io_source

from dauys.errors import BadInput, DauysError
from dauys.law.files import Node, read_yaml
from dauys.registers.areas import Area
from dauys.registers.poll import Station
from dauys.roll.iin import WEIGHTS, Numbers
from dauys.roll.rows import COLUMNS
from dauys.roll.voter import ADULT, ELIGIBLE

CITIES = frozenset({"city", "capital"})
SOURCE = "synthetic"
BLOCK = 100_000
YOUNGEST_BAND, BAND = 15, 5
SERIALS = 10_000
MOST_BORN = 9_800
"""On one day, of one sex: so many serial numbers have a check digit after any beginning."""

Raw = npt.NDArray[np.uint64]


def nation(
    stations: Sequence[Station], areas: Sequence[Area], day: date, seed: str, voters: int | None = None
) -> Iterator[pl.DataFrame]:
    """The voters of these stations on the day, in blocks of rows (`rows.COLUMNS`), station after station.

    Each station has as many as its `eligible` says; with `voters`, that many in all, shared out in the same proportion
    (largest remainders). Everyone is 18 to 100 on the day and may vote; no IIN comes twice.
    """
    counts = _shares([station.eligible for station in stations], voters)
    born, women = _births(int(counts.sum()), day, seed)
    iins = _iins(born, women)
    homes = np.repeat(np.arange(len(stations)), counts)
    for number, first in enumerate(range(0, len(homes), BLOCK)):
        part = slice(first, first + BLOCK)
        yield _people(
            stations, areas, homes[part], born[part], women[part], iins[part], _bits(seed, f"people/{number}")
        )


def write_nation(path: Path, blocks: Iterator[pl.DataFrame]) -> int:
    """Writes blocks to a .csv or .parquet file, one at a time, and returns how many rows they were. Raises BadInput."""
    rows = 0

    def counted() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for block in blocks:
            rows += len(block)
            yield block

    if path.suffix == ".parquet":
        schema = dict.fromkeys(COLUMNS, pl.String)
        register_io_source(lambda *_: counted(), schema=schema).sink_parquet(path)
    elif path.suffix == ".csv":
        with path.open("wb") as file:
            for number, block in enumerate(counted()):
                bare = block.with_columns(pl.all().replace("", None))  # an empty text would be written as two quotes
                bare.write_csv(file, include_header=not number)
    else:
        raise BadInput("the kind of file is not known by its name", file=path, expected=".csv or .parquet")
    return rows


def _bits(seed: str, use: str) -> Callable[[int], Raw]:
    """Random 64-bit numbers for one use, as many as asked for each time."""
    key = np.frombuffer(sha256(f"dauys synthetic roll,{seed},{use}".encode()).digest()[:16], "<u8")
    source = np.random.Philox(key=key)
    return lambda count: source.random_raw(count)


def _pick(raw: Raw, weights: Sequence[int]) -> Numbers:
    """For each random number the place of a choice, as often as the weights say."""
    ends = np.cumsum(np.array(weights, np.int64))
    return np.searchsorted(ends, (raw % np.uint64(ends[-1])).astype(np.int64), side="right")


def _among(raw: Raw, count: int) -> Numbers:
    """For each random number one of `count` places, all alike."""
    return (raw % np.uint64(count)).astype(np.int64)


def _shares(eligible: Sequence[int], voters: int | None) -> Numbers:
    """Whole shares of `voters` in proportion to `eligible`; its own numbers without."""
    weights = np.array(eligible, np.int64)
    total = int(weights.sum())
    if voters is None or voters == total:
        return weights
    if total == 0 or voters < 0:
        raise DauysError(f"{voters:,} voters cannot be shared out among stations with {total:,}")
    shares, rest = weights * voters // total, weights * voters % total
    largest = np.argsort(-rest, kind="stable")[: voters - int(shares.sum())]
    shares[largest] += 1
    return shares


def _births(count: int, day: date, seed: str) -> tuple[Numbers, Numbers]:
    """Birth dates as days since 1970, and who is a woman (1), by the shape of synthetic.yaml."""
    words, bits = _words(), _bits(seed, "births")
    band = _pick(bits(count), words.ages)
    low = np.where(band == 0, ADULT, YOUNGEST_BAND + BAND * band)
    years = np.where(band == 0, YOUNGEST_BAND + BAND - ADULT, np.where(band == len(words.ages) - 1, 6, BAND))
    age = low + (bits(count) % years.astype(np.uint64)).astype(np.int64)
    birthdays = np.array(
        [day.replace(year=day.year - a, day=min(day.day, 28)).toordinal() for a in range(int(age.max(initial=0)) + 1)],
        np.int64,
    )
    born = birthdays[age] - _among(bits(count), 365) - date(1970, 1, 1).toordinal()
    women = _among(bits(count), 100) < np.array(words.women, np.int64)[band]
    return born, women.astype(np.int64)


def _iins(born: Numbers, women: Numbers) -> Numbers:
    """An IIN for each, none twice: the serial numbers of a day's boys and girls are given out one after the other."""
    births, group = np.unique(born * 2 + women, return_inverse=True)
    beginning = _beginnings(births // 2, births % 2)
    # Whether a serial number has a check digit depends on what the digits before it sum to, modulo 11, under both weights.
    figures = beginning[:, None] // 10 ** np.arange(6, -1, -1) % 10
    sums = [figures @ weights[:7] % 11 for weights in WEIGHTS]
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=len(births))
    if len(sizes) and sizes.max() > MOST_BORN:
        raise DauysError("more people would be born on one day than there are numbers for: ask for fewer voters")
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - (np.cumsum(sizes) - sizes)[group[order]]
    serial = _serials()[(sums[0] * 11 + sums[1])[group], rank]
    first, second = (
        (sum_[group] + of_serial[serial]) % 11 for sum_, of_serial in zip(sums, _serial_sums(), strict=True)
    )
    check = np.where(first == 10, second, first)
    iins: Numbers = (beginning[group] * SERIALS + serial) * 10 + check
    return iins


def _beginnings(born: Numbers, women: Numbers) -> Numbers:
    """The first seven digits: YYMMDD, and the century and sex."""
    dates = born.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    year, month = months.astype(np.int64) // 12 + 1970, months.astype(np.int64) % 12 + 1
    day = (dates - months).astype(np.int64) + 1
    beginnings: Numbers = (year % 100 * 10_000 + month * 100 + day) * 10 + (year // 100 - 18) * 2 + 1 + women
    return beginnings


@cache
def _serial_sums() -> tuple[Numbers, Numbers]:
    """What the four digits of each serial number add to both sums of the check digit."""
    figures = np.arange(SERIALS)[:, None] // 10 ** np.arange(3, -1, -1) % 10
    return figures @ WEIGHTS[0][7:], figures @ WEIGHTS[1][7:]


@cache
def _serials() -> Numbers:
    """For each pair of sums of the beginning (121) the serial numbers that have a check digit, in order."""
    first, second = _serial_sums()
    table = np.full((121, SERIALS), -1, np.int64)
    for kind in range(121):
        good = np.flatnonzero(((kind // 11 + first) % 11 != 10) | ((kind % 11 + second) % 11 != 10))
        table[kind, : len(good)] = good
    return table


def _people(
    stations: Sequence[Station], areas: Sequence[Area], homes: Numbers, born: Numbers, women: Numbers, iins: Numbers,
    bits: Callable[[int], Raw],
) -> pl.DataFrame:  # fmt: skip
    """A block of rows. `homes` are places in `stations`."""
    words, count = _words(), len(homes)
    percent = np.array([words.kazakh_percent.get(s.area, words.kazakh_percent["default"]) for s in stations], np.int64)
    kind = (_among(bits(count), 100) < percent[homes]) * 2 + women
    columns: dict[str, pl.Series] = {
        "iin": pl.Series(iins).cast(pl.String).str.zfill(12),
        "born": pl.Series(born.astype(np.int32)).cast(pl.Date).dt.to_string("%Y-%m-%d"),
    }
    for name, (sizes, plain, kk) in _names().items():
        place = (np.cumsum(sizes) - sizes)[kind] + (bits(count) % sizes[kind].astype(np.uint64)).astype(np.int64)
        columns |= {name: plain.gather(place), f"{name}_kk": kk.gather(place)}
    columns["locality"] = pl.Series(_localities(stations, areas)).gather(homes)
    columns["street"] = pl.Series(words.streets).gather((homes * 7 + _among(bits(count), 8)) % len(words.streets))
    columns["house"] = pl.Series(_among(bits(count), 120) + 1).cast(pl.String)
    columns["flat"] = pl.Series(_among(bits(count), 80) + 1).cast(pl.String)
    columns["station"] = pl.Series([station.id for station in stations]).gather(homes)
    fixed = {"status": ELIGIBLE, "since": "", "until": "", "source": SOURCE}
    columns |= {name: pl.repeat(text, count, eager=True) for name, text in fixed.items()}
    return pl.DataFrame({name: columns[name] for name in COLUMNS})


def _localities(stations: Sequence[Station], areas: Sequence[Area]) -> list[str]:
    """Where each station is: its area, and in an area of villages one of them."""
    of = {area.code: area for area in areas}
    places = _words().places
    found = []
    for station in stations:
        area = of[station.area]
        place = places[int.from_bytes(sha256(station.id.encode()).digest()[:4], "big") % len(places)]
        found.append(area.names["ru"] if area.kind in CITIES else f"{area.names['ru']}, {place}")
    return found


@cache
def _names() -> dict[str, tuple[Numbers, pl.Series, pl.Series]]:
    """For surname, given name and patronymic: how many a Russian man, woman, a Kazakh man, woman can have; these, one list
    after the other; and the same in Kazakh script, empty where there is none."""
    words = _words()
    kk, ru = 0, 1
    lists = {
        "surname": (
            [(name, "") for name in words.surnames],
            [(_hers(name), "") for name in words.surnames],
            [(pair[ru], pair[kk]) for pair in words.kazakh_surnames],
            [(_hers(pair[ru]), _hers(pair[kk])) for pair in words.kazakh_surnames],
        ),
        "given": (
            [(name[0], "") for name in words.men],
            [(name, "") for name in words.women_names],
            [(pair[ru], pair[kk]) for pair in words.kazakh_men],
            [(pair[ru], pair[kk]) for pair in words.kazakh_women],
        ),
        "patronymic": (
            [(name[1], "") for name in words.men],
            [(name[2], "") for name in words.men],
            [(_fathers(pair[ru], "ич"), pair[kk] + "ұлы") for pair in words.kazakh_men],
            [(_fathers(pair[ru], "на"), pair[kk] + "қызы") for pair in words.kazakh_men],
        ),
    }
    return {
        name: (
            np.array(list(map(len, four)), np.int64),
            pl.Series([plain for each in four for plain, _ in each]),
            pl.Series([kazakh for each in four for _, kazakh in each]),
        )
        for name, four in lists.items()
    }


def _hers(surname: str) -> str:
    """A woman's form of a surname."""
    return surname + "а" if surname.endswith(("ов", "ев", "ёв", "ин")) else surname


def _fathers(name: str, end: str) -> str:
    """A Kazakh father's name as a Russian patronymic: with -ич a son's, with -на a daughter's."""
    stem = name[:-1] + "ев" if name.endswith("й") else name + "ов"
    return stem + end


@dataclass(frozen=True, slots=True)
class Words:
    """The lists of synthetic.yaml. Kazakh names: (Kazakh, Russian). Russian men: (name, his son's, his daughter's name)."""

    ages: Sequence[int]
    women: Sequence[int]
    kazakh_percent: Mapping[str, int]
    kazakh_surnames: Sequence[Sequence[str]]
    kazakh_men: Sequence[Sequence[str]]
    kazakh_women: Sequence[Sequence[str]]
    surnames: Sequence[str]
    men: Sequence[Sequence[str]]
    women_names: Sequence[str]
    streets: Sequence[str]
    places: Sequence[str]


@cache
def _words() -> Words:
    node = read_yaml(Path(__file__).parent / "synthetic.yaml")
    parts = node.mapping(("age_weights", "women_percent", "kazakh_percent", "kazakh", "russian", "streets", "places"))
    kazakh = parts["kazakh"].mapping(("surnames", "men", "women"))
    russian = parts["russian"].mapping(("surnames", "men", "women"))

    def texts(of: Node) -> list[str]:
        return [item.text() for item in of.items()]

    def several(of: Node) -> list[list[str]]:
        return [texts(item) for item in of.items()]

    return Words(
        ages=[item.integer() for item in parts["age_weights"].items()],
        women=[item.integer() for item in parts["women_percent"].items()],
        kazakh_percent={key.text(): value.integer() for key, value in parts["kazakh_percent"].entries()},
        kazakh_surnames=several(kazakh["surnames"]),
        kazakh_men=several(kazakh["men"]),
        kazakh_women=several(kazakh["women"]),
        surnames=texts(russian["surnames"]),
        men=several(russian["men"]),
        women_names=texts(russian["women"]),
        streets=texts(parts["streets"]),
        places=texts(parts["places"]),
    )
