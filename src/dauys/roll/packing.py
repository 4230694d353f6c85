"""How do rows of a file become versions of voters: hashed, sealed, and packed for the database?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from itertools import repeat

import numpy as np
import polars as pl

from dauys.roll.binary import cell, day, fields, length, whole
from dauys.roll.iin import Mask, Numbers
from dauys.roll.vault import BLOCK, ID, Vault
from dauys.roll.voter import ADDRESS, NAMES_KK, skeleton

VERSION = ("voter", "set_id", "block1", "block2", "station", "area", "status", "since", "until", "source", "sealed")
"""The columns in the order in which they are packed."""

STANDING = ("station", "area", "status", "since", "until", "source")
_KK = tuple(f"{name}_kk" for name in NAMES_KK)
_PERSON = ("surname", "given", "patronymic", *_KK, *ADDRESS)
AT_ONCE = 8_000
"""Rows whose bytes stay near the processor while they are hashed, sealed and joined."""

_BETWEEN = "\x1f"
"""Between texts that are joined: a character that cannot be printed, so that no row has it (R.014)."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows as `VERSION` in PostgreSQL's binary form, one after the other, and where each ends."""

    data: bytes
    ends: Numbers

    def only(self, kept: Mask) -> Packed:
        """The rows that are kept."""
        ends = self.ends.tolist()
        starts = [0, *ends]
        rows = [self.data[starts[row] : ends[row]] for row in np.flatnonzero(kept).tolist()]
        return _one_after_the_other(rows)


def _one_after_the_other(rows: list[bytes]) -> Packed:
    return Packed(b"".join(rows), np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows))))


@dataclass(frozen=True, slots=True)
class Packing:
    """Packs good rows as versions of one change set; goes to a process of its own as it is."""

    vault: Vault
    set_id: int

    def __call__(self, rows: pl.DataFrame) -> Packed:
        """Rows as `check_rows` lets them through."""
        columns = (rows["iin"], plain_texts(rows), *block_texts(rows), _joined(rows, STANDING))
        texts = [column.cast(pl.Binary) for column in columns]
        packed: list[bytes] = []
        for start in range(0, len(rows), AT_ONCE):
            packed += self._rows(*(text.slice(start, AT_ONCE).to_list() for text in texts))
        return _one_after_the_other(packed)

    def _rows(
        self, iins: list[bytes], plains: list[bytes], ones: list[bytes], twos: list[bytes], standings: list[bytes]
    ) -> Iterable[bytes]:
        vault, voters = self.vault, self.vault.voters(iins)
        sealed = vault.seals(voters, plains)
        begin, eight = fields(len(VERSION)) + ID.to_bytes(4, "big"), BLOCK.to_bytes(4, "big")
        stands = {standing: _packed(standing.decode()) for standing in set(standings)}
        cells = zip(
            repeat(begin, len(iins)),
            voters,
            repeat(whole(self.set_id) + eight, len(iins)),
            vault.blocks(ones),
            repeat(eight, len(iins)),
            vault.blocks(twos),
            map(stands.__getitem__, standings),
            map(length, map(len, sealed)),
            sealed,
            strict=True,
        )
        return map(b"".join, cells)


def plain_texts(rows: pl.DataFrame) -> pl.Series:
    """`Person.to_bytes` of every row, as text; a test holds both together."""
    if rows.select(pl.concat_str(_PERSON).str.contains(r'["\\]').any()).item():  # all else that JSON escapes is refused
        escaped = pl.col(_PERSON).str.replace_all("\\", "\\\\", literal=True)
        rows = rows.with_columns(escaped.str.replace_all('"', '\\"', literal=True))
    born = [pl.lit('{"iin":"'), pl.col("iin"), pl.lit('","born":"'), pl.col("born")]
    names = [pl.lit('","surname":"'), pl.col("surname"), pl.lit('","given":"'), pl.col("given"), pl.lit('"')]
    empty = rows.select(pl.col(_PERSON) == "")
    some = {column.name for column in empty if column.any()}
    patronymic = _member("patronymic", "patronymic", some)
    kk = _members("names_kk", dict(zip(NAMES_KK, _KK, strict=True)), some, _together(empty, _KK))
    address = _members("address", {name: name for name in ADDRESS}, some, _together(empty, ADDRESS))
    return rows.select(plain=pl.concat_str(*born, *names, patronymic, kk, address, pl.lit("}"))).to_series()


def _member(name: str, column: str, some: Set[str]) -> pl.Expr:
    """A member, or nothing where the cell is empty: that is asked only of the columns in which `some` are."""
    text = pl.concat_str(pl.lit(f',"{name}":"'), pl.col(column), pl.lit('"'))
    return pl.when(pl.col(column) == "").then(pl.lit("")).otherwise(text) if column in some else text


def _members(name: str, columns: Mapping[str, str], some: Set[str], together: bool) -> pl.Expr:
    """A member that has members; `together`: wherever one of them is empty, all are, which is written in half of the time."""
    inside = pl.concat_str([_member(member, column, set() if together else some) for member, column in columns.items()])
    none = pl.col(next(iter(columns.values()))) == "" if together else inside == ""
    text = pl.concat_str(pl.lit(f',"{name}":{{'), inside.str.slice(1), pl.lit("}"))
    return pl.when(none).then(pl.lit("")).otherwise(text) if set(columns.values()) <= some else text


def _together(empty: pl.DataFrame, columns: Sequence[str]) -> bool:
    return all((empty[column] == empty[columns[0]]).all() for column in columns[1:])


def block_texts(rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """`voter.blocks` of every row, as texts; a test holds both together."""
    bare = rows.select(
        born="born",
        **{name: _skeletons(rows[name]) for name in ("surname", "given", "patronymic")},
    )
    both = bare.select(
        one=pl.concat_str(pl.lit("1"), "born", "given", separator="|"),
        two=pl.concat_str(pl.lit("2"), pl.col("born").str.head(4), "surname", "given", "patronymic", separator="|"),
    )
    return both["one"], both["two"]


def _skeletons(names: pl.Series) -> pl.Series:
    different = names.unique()
    return names.replace_strict(different, [skeleton(name) for name in different.to_list()], return_dtype=pl.String)


def _joined(rows: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    return rows.select(joined=pl.concat_str(columns, separator=_BETWEEN)).to_series()


def _packed(standing: str) -> bytes:
    station, area, status, since, until, source = standing.split(_BETWEEN)
    texts = b"".join(cell(text.encode()) for text in (station, area, status))
    days = b"".join(day(date.fromisoformat(text) if text else None) for text in (since, until))
    return texts + days + cell(source.encode())
