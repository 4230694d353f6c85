"""Who is on the roll twice, perhaps? The search that puts likely duplicates on the worklist (`roll.pairs`).

Only entries that share a keyed number (`voter.blocks`) are compared, opened in memory and nowhere else; SQL finds the numbers
that several share, and a nation streams by. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import combinations, groupby, islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from dauys.roll.binary import cell, fields
from dauys.roll.bulk import copy_rows
from dauys.roll.likeness import LEAST, Features, compare, features
from dauys.roll.parallel import mapped
from dauys.roll.vault import Vault
from dauys.roll.versions import HOLDS, applied_sets
from dauys.roll.voter import FOR_GOOD, Person
from dauys.store.engine import Connection

ROWS, LARGE, NEAR = 5_000, 200, 40
"""Entries opened together; from which size on only neighbours in a block are compared; and how many of them."""

SEARCH = 0x726F6C6D
"""Advisory lock: one search at a time; decisions need not wait for it."""

Entry = tuple[int, bytes, str, bytes]
"""Block, voter, station, sealed."""
Pairing = tuple[bytes, bytes, int, tuple[str, ...], bytes]
"""One voter and another (the smaller id first), points, evidence, print."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search did: entries that share a number with another (each as often as it does), pairs on the worklist that
    are new or open again, pairs that were there already, and open pairs that are gone because an entry changed."""

    looked_at: int
    proposed: int
    known: int
    gone: int

    def to_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Comparing:
    """Opens blocks of entries and compares those of each; goes to a process of its own as it is."""

    vault: Vault
    least: int

    def __call__(self, entries: list[Entry]) -> list[Pairing]:
        found: dict[tuple[bytes, bytes], Pairing] = {}
        for _, block in groupby(entries, key=lambda entry: entry[0]):
            once = {entry[1]: entry for entry in block}  # who has two versions in force has one entry
            opened = [(entry, features(self._person(entry))) for entry in sorted(once.values(), key=lambda e: e[1])]
            for (one, its), (other, others) in _worth_comparing(opened):
                likeness = compare(its, others, self.least)
                if likeness is not None:
                    first, second = sorted((one, other), key=lambda entry: entry[1])
                    found[first[1], second[1]] = (
                        first[1], second[1], likeness.score, likeness.evidence, print_of(first, second),
                    )  # fmt: skip
        return list(found.values())

    def _person(self, entry: Entry) -> Person:
        return Person.from_bytes(self.vault.open(entry[1], entry[3]))


Opened = tuple[Entry, Features]


def _worth_comparing(block: list[Opened]) -> Iterator[tuple[Opened, Opened]]:
    """All pairs; in a large block those who stand near each other by father's name and surname, or by surname."""
    if len(block) <= LARGE:
        yield from combinations(block, 2)
        return
    for order in (lambda one: (one[1].father, one[1].surname), lambda one: (one[1].surname, one[1].father)):
        ordered = sorted(block, key=order)
        for place, one in enumerate(ordered):
            for other in ordered[place + 1 : place + 1 + NEAR]:
                yield one, other


def print_of(one: Entry, other: Entry) -> bytes:
    """What changes when either entry does: the persons and their stations."""
    return sha256(b"\0".join((one[3], one[2].encode(), other[3], other[2].encode()))).digest()


def find(
    connection: Connection, vault: Vault, at: datetime, *, least: int = LEAST, thorough: bool = False, processes: int = 0
) -> Found:  # fmt: skip
    """Searches the roll in force and puts likely pairs on the worklist; in the caller's transaction.

    `thorough` opens everybody once more, to find a mistyped given name beside the same birthday, surname and father.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SEARCH})
    run = connection.scalar(sa.text("SELECT coalesce(max(run), 0) + 1 FROM roll_pair"))
    assert isinstance(run, int)
    looked_at = 0

    def counted(rows: Iterable[Entry]) -> Iterator[Entry]:
        nonlocal looked_at
        for row in rows:
            looked_at += 1
            yield row

    sources = ["block1", "block2"]
    if thorough:
        _third_blocks(connection, vault, processes)
        sources.append(THIRD)
    for source in sources:
        chunks = _whole_blocks(counted(_shared(connection, source)))
        for pairings in mapped(Comparing(vault, least), chunks, processes):
            for some in _some(pairings, 1_000):
                _keep(connection, some, at, run)
    gone = connection.execute(_GONE, {"run": run} | _standing(connection)).rowcount
    seen = connection.execute(
        sa.text(
            "SELECT count(*) FILTER (WHERE proposed = :run) AS new, count(*) FILTER (WHERE proposed < :run) AS known "
            "FROM roll_pair WHERE run = :run"
        ),
        {"run": run},
    ).one()
    return Found(looked_at, seen.new, seen.known, gone)


THIRD = "roll_third"
"""The table of the third number, while a thorough search lasts."""

_STANDING = f"v.status <> ALL(:for_good) AND {HOLDS}"


def _standing(connection: Connection) -> dict[str, Any]:
    return {"for_good": list(FOR_GOOD)} | applied_sets(connection)


def _shared(connection: Connection, source: str) -> Iterator[Entry]:
    """The entries in force that share a number with another, number by number; streamed."""
    if source == THIRD:
        table, column, joined = THIRD, "block", f"{THIRD} t ON t.block = s.block JOIN voter v ON v.voter = t.voter"
    else:
        table, column, joined = "voter", source, f"voter v ON v.{source} = s.block"
    connection.exec_driver_sql("DROP TABLE IF EXISTS roll_shared")
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE roll_shared ON COMMIT DROP AS SELECT {column} AS block FROM {table} "  # noqa: S608
        f"GROUP BY {column} HAVING count(*) > 1"
    )
    connection.exec_driver_sql("ANALYZE roll_shared")
    query = (
        f"SELECT s.block, v.voter, v.station, v.sealed FROM roll_shared s JOIN {joined} "  # noqa: S608
        f"WHERE {_STANDING} ORDER BY s.block, v.voter"
    )
    rows = connection.execute(sa.text(query), _standing(connection), execution_options={"yield_per": ROWS})
    for row in rows:
        yield row.block, row.voter.bytes, row.station, bytes(row.sealed)


def _third_blocks(connection: Connection, vault: Vault, processes: int) -> None:
    """A table, until the transaction ends, of a third number of everybody: birthday, surname and father."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {THIRD}")
    connection.exec_driver_sql(f"CREATE TEMP TABLE {THIRD} (block bigint, voter uuid) ON COMMIT DROP")
    # by pages of ids: COPY needs the connection while the next rows are read
    page = sa.text(
        f"SELECT v.voter, v.sealed FROM voter v WHERE {_STANDING} AND v.voter > :last ORDER BY v.voter LIMIT :rows"  # noqa: S608
    )
    last = UUID(int=0)
    while True:
        rows = connection.execute(page, _standing(connection) | {"last": last, "rows": 10 * ROWS}).all()
        if not rows:
            break
        last = rows[-1].voter
        entries = [(row.voter.bytes, bytes(row.sealed)) for row in rows]
        packed = mapped(_Third(vault), list(_some(entries, ROWS)), processes)
        copy_rows(connection, THIRD, ("block", "voter"), packed, fresh=False)
    connection.exec_driver_sql(f"CREATE INDEX ON {THIRD} (block)")
    connection.exec_driver_sql(f"ANALYZE {THIRD}")


@dataclass(frozen=True, slots=True)
class _Third:
    vault: Vault

    def __call__(self, entries: list[tuple[bytes, bytes]]) -> bytes:
        packed = []
        for voter, sealed in entries:
            its = features(Person.from_bytes(self.vault.open(voter, sealed)))
            text = f"3|{its.born}|{its.surname[0]}|{its.father[0] if its.father else ''}"
            packed.append(fields(2) + cell(self.vault.block(text.encode())) + cell(voter))
        return b"".join(packed)


def _whole_blocks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Blocks together until they are some thousand entries; those with a single entry are left out."""
    chunk: list[Entry] = []
    for _, block in groupby(entries, key=lambda entry: entry[0]):
        several = list(block)
        if len(several) > 1:
            chunk += several
        if len(chunk) >= ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _some(items: Iterable[Any], count: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while part := list(islice(rest, count)):
        yield part


_AGAIN = (
    "(p.state = 'gone' OR p.state = 'different' AND p.print <> excluded.print OR p.state = 'same' AND EXISTS ("
    "SELECT FROM roll_set s WHERE s.id = p.set_id AND s.state IN ('rejected', 'rolled back')))"
)
"""Whether a pair that was on the worklist before is proposed again."""

_KEEP = sa.text(
    "INSERT INTO roll_pair AS p (one, other, score, evidence, print, found, run, proposed) "  # noqa: S608
    "SELECT one, other, score, string_to_array(evidence, ' '), print, :at, :run, :run FROM unnest("
    "CAST(:ones AS uuid[]), CAST(:others AS uuid[]), CAST(:scores AS smallint[]), CAST(:evidences AS text[]), "
    "CAST(:prints AS bytea[])) AS given (one, other, score, evidence, print) "
    "ON CONFLICT (one, other) DO UPDATE SET score = excluded.score, evidence = excluded.evidence, "
    "print = excluded.print, run = excluded.run, "
    f"found = CASE WHEN {_AGAIN} THEN excluded.found ELSE p.found END, "
    f"proposed = CASE WHEN {_AGAIN} THEN excluded.run ELSE p.proposed END, "
    f"state = CASE WHEN {_AGAIN} THEN 'open' ELSE p.state END, "
    f"set_id = CASE WHEN {_AGAIN} THEN NULL ELSE p.set_id END, goes = CASE WHEN {_AGAIN} THEN NULL ELSE p.goes END"
)


def _keep(connection: Connection, pairings: list[Pairing], at: datetime, run: int) -> None:
    """Puts pairs on the worklist, or again, or marks them as seen."""
    ones, others, scores, evidences, prints = zip(*pairings, strict=True)
    connection.execute(
        _KEEP,
        {
            "ones": [str(UUID(bytes=one)) for one in ones],
            "others": [str(UUID(bytes=other)) for other in others],
            "scores": list(scores),
            "evidences": [" ".join(codes) for codes in evidences],
            "prints": list(prints),
            "at": at,
            "run": run,
        },
    )


_GONE = sa.text(
    "UPDATE roll_pair p SET state = 'gone', set_id = NULL, goes = NULL FROM roll_pair_now n "  # noqa: S608
    "WHERE n.id = p.id AND n.now = 'open' AND p.run < :run AND NOT EXISTS (SELECT FROM "
    f"(SELECT v.sealed, v.station FROM voter v WHERE v.voter = n.one AND {_STANDING}) a, "
    f"(SELECT v.sealed, v.station FROM voter v WHERE v.voter = n.other AND {_STANDING}) b "
    "WHERE sha256(a.sealed || '\\x00' || convert_to(a.station, 'UTF8') || '\\x00' || b.sealed || '\\x00' "
    "|| convert_to(b.station, 'UTF8')) = n.print)"
)
