"""A nation's roll: brought in from CSV, beside a bare COPY of the same rows; looked up by IIN and by name; frozen for a poll.

Ours is `bring`: every check of every row, ids hashed, persons sealed, indexes built, commit. The rows that it stored are then
read back and copied, in PostgreSQL's binary form and one transaction, into a table without keys. The synthetic nation has the
stations and the numbers of kz/2022-referendum.
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from bench.own_store import own_store
from bench.timing import Line, peak_mib
from dauys.pollbook.station.search import Index, fold
from dauys.pollbook.wire.package import Voter
from dauys.polls.keys import throwaway_keys
from dauys.polls.opening import open_poll
from dauys.polls.sources import Source, open_source
from dauys.registers.poll_file import find_poll, read_poll
from dauys.roll.changes import approve
from dauys.roll.freeze import freeze
from dauys.roll.importing import bring
from dauys.roll.packing import VERSION
from dauys.roll.rights import RIGHT
from dauys.roll.synthetic import nation, write_nation
from dauys.roll.vault import Vault, new_vault
from dauys.roll.versions import in_force
from dauys.roll.voter import open_person
from dauys.store.engine import driver

POLL, SEED = "kz/2022-referendum", "bench"
QUICK = 200_000
LOOKUPS, ROUNDS, LISTED = 3_000, 5, 3_000
AT = datetime(2022, 5, 15, tzinfo=UTC)


def measure(quick: bool) -> list[Line]:
    """Import, look-up and freeze of 11,722,536 voters, once; with `quick`, of 200,000."""
    described = read_poll(find_poll(POLL))
    source = open_source(described, throwaway_keys(described.poll))
    with own_store() as (engine, folder):
        path = folder / "nation.csv"
        voters = write_nation(
            path, nation(source.stations, source.poll.areas, source.poll.day, SEED, QUICK if quick else None)
        )
        return _measure(engine, source, path, voters)


def _measure(engine: sa.Engine, source: Source, path: Path, voters: int) -> list[Line]:
    vault, poll = new_vault(), source.poll
    areas = {station.id: station.area for station in source.stations}

    def import_it() -> None:
        with engine.begin() as connection:
            found = bring(
                connection, vault, path, areas, day=poll.day, by="bench", at=AT, bad_file=path.with_suffix(".bad")
            )
        assert (found.taken, found.bad, found.not_yet) == (voters, 0, 0)

    ours = _seconds(import_it)
    theirs = _bare(engine, "voter", VERSION, path.with_suffix(".rows"))
    job = f"roll: {voters:,} voters from CSV ({voters / ours:,.0f} a second)"
    lines = [Line(job, [ours], "bare COPY", [theirs], most_ratio=6, peak=peak_mib())]
    with engine.begin() as connection:
        approve(connection, 1, "second", AT)

    iins = _some_iins(path, voters)
    rounds = [_look_up(engine, vault, iins) for _ in range(ROUNDS)]
    job = f"roll: look-up by IIN among {voters:,}, p99"
    lines.append(Line(job, [p99 for p99, _ in rounds], "SELECT 1, p99", [p99 for _, p99 in rounds], most_seconds=0.005))

    searched = _search(path)
    job = f"roll: name search in a station's list of {LISTED:,}, p99"
    lines.append(Line(job, [p99 for p99, _ in searched], "each name looked at, p99", [p99 for _, p99 in searched],
                      most_seconds=0.05))  # fmt: skip

    keys = throwaway_keys(poll)
    with engine.begin() as connection:
        open_poll(connection, poll, source.stations, keys, AT)

    def freeze_it() -> None:
        with engine.begin() as connection:
            assert freeze(connection, vault, poll, keys.commission, AT).voters == voters

    ours = _seconds(freeze_it)
    theirs = _bare(engine, "entitlement", RIGHT, path.with_suffix(".rows"))
    lines.append(Line(f"roll: {voters:,} rights frozen and committed to", [ours], "bare COPY", [theirs]))
    return lines


def _look_up(engine: sa.Engine, vault: Vault, iins: list[str]) -> tuple[float, float]:
    """The 99th percentile of looking each up and opening the person; and of the least that a database can be asked."""
    found, nothing = [], []
    with engine.connect() as connection:
        for iin in iins:
            start = time.perf_counter()
            version = in_force(connection, UUID(bytes=vault.voter(iin)))
            assert version is not None
            assert open_person(vault, version).iin == iin
            found.append(time.perf_counter() - start)
            start = time.perf_counter()
            connection.execute(sa.text("SELECT 1")).all()
            nothing.append(time.perf_counter() - start)
    return _p99(found), _p99(nothing)


def _search(path: Path) -> list[tuple[float, float]]:
    """In each round the 99th percentile of finding names as officers type them: beginnings, whole names, mistyped ones."""
    with path.open(encoding="utf-8", newline="") as file:
        people = list(islice(csv.DictReader(file), LISTED))
    index = Index(
        Voter(UUID(int=n), n, one["iin"], one["born"], one["surname"], one["given"], one["patronymic"])
        for n, one in enumerate(people)
    )
    dice, folded = random.Random(2), [fold(f"{one['surname']} {one['given']}") for one in people]
    rounds = []
    for _ in range(ROUNDS):
        found, looked = [], []
        for one in dice.sample(people, min(200, len(people))):
            surname = one["surname"]
            for text in (surname[:3], f"{surname} {one['given']}", surname[1] + surname[0] + surname[2:]):
                start = time.perf_counter()
                index.find(text)
                found.append(time.perf_counter() - start)
                start = time.perf_counter()
                typed = fold(text)
                [n for n, name in enumerate(folded) if typed in name]
                looked.append(time.perf_counter() - start)
        rounds.append((_p99(found), _p99(looked)))
    return rounds


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _bare(engine: sa.Engine, table: str, columns: tuple[str, ...], path: Path) -> float:
    """Seconds for a durable COPY of the table's rows into one without keys; the rows wait in a file of the same form."""
    named = ", ".join(columns)
    with engine.begin() as connection, path.open("wb") as file:
        with (
            driver(connection).cursor() as cursor,
            cursor.copy(f"COPY {table} ({named}) TO STDOUT (FORMAT BINARY)") as copy,
        ):
            for data in copy:
                file.write(data)
        connection.execute(sa.text(f"CREATE TABLE bare AS SELECT {named} FROM {table} WHERE false"))

    def copy_it() -> None:
        with (
            engine.begin() as connection,
            path.open("rb") as file,
            driver(connection).cursor() as cursor,
            cursor.copy(f"COPY bare ({named}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            while data := file.read(1 << 20):
                copy.write(data)

    seconds = _seconds(copy_it)
    path.unlink()
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE bare"))
    return seconds


def _some_iins(path: Path, voters: int) -> list[str]:
    """IINs from all over the file."""
    chosen = set(random.Random(0).sample(range(voters), min(LOOKUPS, voters)))
    with path.open(encoding="utf-8", newline="") as file:
        found = [row[0] for number, row in enumerate(csv.reader(file), -1) if number in chosen]
    random.Random(1).shuffle(found)
    return found


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100]
