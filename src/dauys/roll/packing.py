"""How do rows of a file become versions of voters: hashed, sealed, and packed for the database?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from dauys.roll.binary import cell, day, fields, whole
from dauys.roll.vault import ID, Vault
from dauys.roll.voter import ADDRESS, NAMES_KK, skeleton

VERSION = ("voter", "set_id", "block1", "block2", "station", "area", "status", "since", "until", "source", "sealed")
"""The columns in the order in which they are packed."""

STANDING = ("station", "area", "status", "since", "until", "source")
_PERSON = ("surname", "given", "patronymic", *(f"{name}_kk" for name in NAMES_KK), *ADDRESS)
_BETWEEN = "\x1f"
"""Between texts that are joined: a character that cannot be printed, so that no row has it (R.014)."""


@dataclass(frozen=True, slots=True)
class Packing:
    """Packs good rows as versions of one change set; goes to a process of its own as it is."""

    vault: Vault
    set_id: int

    def __call__(self, rows: pl.DataFrame) -> bytes:
        """The rows, as `VERSION` in PostgreSQL's binary form."""
        texts = (rows["iin"], plain_texts(rows), *block_texts(rows), _joined(rows, STANDING))
        iins, plains, ones, twos, standings = (text.cast(pl.Binary).to_list() for text in texts)
        voters = list(map(self.vault.voter, iins))
        every = zip(
            voters,
            map(self.vault.block, ones),
            map(self.vault.block, twos),
            standings,
            map(self.vault.seal, voters, plains),
            strict=True,
        )
        begin, eight = fields(len(VERSION)) + ID.to_bytes(4, "big"), (8).to_bytes(4, "big")
        after = whole(self.set_id) + eight
        stands = {standing: _packed(standing.decode()) for standing in set(standings)}
        packed = []
        for voter, one, two, standing, sealed in every:
            long = len(sealed).to_bytes(4, "big")
            packed.append(b"".join((begin, voter, after, one, eight, two, stands[standing], long, sealed)))
        return b"".join(packed)


def plain_texts(rows: pl.DataFrame) -> pl.Series:
    """`Person.to_bytes` of every row, as text; a test holds both together."""
    if rows.select(pl.concat_str(_PERSON).str.contains(r'["\\]').any()).item():  # all else that JSON escapes is refused
        escaped = pl.col(_PERSON).str.replace_all("\\", "\\\\", literal=True)
        rows = rows.with_columns(escaped.str.replace_all('"', '\\"', literal=True))
    born = [pl.lit('{"iin":"'), pl.col("iin"), pl.lit('","born":"'), pl.col("born")]
    names = [pl.lit('","surname":"'), pl.col("surname"), pl.lit('","given":"'), pl.col("given"), pl.lit('"')]
    kk = _members("names_kk", {name: f"{name}_kk" for name in NAMES_KK})
    address = _members("address", {name: name for name in ADDRESS})
    return rows.select(
        plain=pl.concat_str(*born, *names, _member("patronymic", "patronymic"), kk, address, pl.lit("}"))
    ).to_series()


def _member(name: str, column: str) -> pl.Expr:
    text = pl.concat_str(pl.lit(f',"{name}":"'), pl.col(column), pl.lit('"'))
    return pl.when(pl.col(column) == "").then(pl.lit("")).otherwise(text)


def _members(name: str, columns: Mapping[str, str]) -> pl.Expr:
    inside = pl.concat_str([_member(member, column) for member, column in columns.items()])
    text = pl.concat_str(pl.lit(f',"{name}":{{'), inside.str.slice(1), pl.lit("}"))
    return pl.when(inside == "").then(pl.lit("")).otherwise(text)


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
