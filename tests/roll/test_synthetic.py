"""A made-up nation: the same from the same seed for ever, valid, shared out exactly, and marked as made up."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput, DauysError
from dauys.registers.areas import Area
from dauys.registers.poll import Station
from dauys.roll.iin import read_iins
from dauys.roll.rows import COLUMNS
from dauys.roll.synthetic import _shares as shares
from dauys.roll.synthetic import nation, write_nation

DAY = date(2022, 6, 5)
AREAS = [
    Area("KZ75", "city", {"kk": "Алматы", "ru": "город Алматы", "en": "Almaty"}),
    Area("KZ59", "region", {"kk": "СҚО", "ru": "Северо-Казахстанская область", "en": "North"}),
]
STATIONS = [Station("a1", "KZ75", 1500), Station("a2", "KZ75", 0), Station("b1", "KZ59", 2500)]
PINNED = "f63af9a3ceff69182267ef0a150d0c10ad4c515cfd34d5aeb60cee2b14f4753a"


def people(seed: str = "x", voters: int | None = None) -> pl.DataFrame:
    return pl.concat(nation(STATIONS, AREAS, DAY, seed, voters))


def fingerprint(found: pl.DataFrame) -> str:
    return sha256("\n".join("|".join(row) for row in found.iter_rows()).encode()).hexdigest()


def test_the_same_seed_is_the_same_nation_for_ever() -> None:
    assert fingerprint(people()) == PINNED != fingerprint(people("y"))


def test_everyone_is_valid_grown_up_and_synthetic() -> None:
    found = people()
    assert tuple(found.columns) == COLUMNS and found["source"].unique().to_list() == ["synthetic"]
    iins = read_iins(found["iin"])
    assert iins.good.all() and found["iin"].n_unique() == len(found)
    assert (np.array([int(text.replace("-", "")) for text in found["born"]]) == iins.born).all()
    ages = (int(f"{DAY:%Y%m%d}") - iins.born) // 10_000
    assert ages.min() >= 18 and ages.max() <= 100
    assert dict(found["station"].value_counts().iter_rows()) == {"a1": 1500, "b1": 2500}
    women = found["iin"].str.slice(6, 1).cast(pl.Int64) % 2 == 0
    assert (found["surname"].str.ends_with("а").filter(~women).sum()) == 0
    kazakh = found["given_kk"] != ""
    shares_ = [
        float((kazakh & (found["station"] == station)).sum()) / count for station, count in (("a1", 1500), ("b1", 2500))
    ]
    assert 0.55 < shares_[0] < 0.75 and 0.28 < shares_[1] < 0.48


def test_births_shared_by_many_still_have_their_own_iins() -> None:
    found = pl.concat(nation([Station("a", "KZ75", 60_000)], AREAS, DAY, "crowd"))
    assert found["iin"].n_unique() == 60_000 and read_iins(found["iin"]).good.all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30).filter(any), st.integers(0, 10**7))
def test_shares_are_whole_and_within_one_of_the_proportion(eligible: list[int], voters: int) -> None:
    found = shares(eligible, voters)
    assert found.sum() == voters
    for share, weight in zip(found.tolist(), eligible, strict=True):
        assert 0 <= share * sum(eligible) - voters * weight + sum(eligible) <= 2 * sum(eligible)


def test_nobody_lives_where_nobody_is_listed() -> None:
    with pytest.raises(DauysError, match="cannot be shared out"):
        shares([0, 0], 5)


def test_both_kinds_of_files_hold_the_same(tmp_path: Path) -> None:
    for name in ("n.csv", "n.parquet"):
        assert write_nation(tmp_path / name, nation(STATIONS, AREAS, DAY, "x", 500)) == 500
    csv = pl.read_csv(tmp_path / "n.csv", infer_schema=False, empty_string_is_null=False)
    assert csv.equals(pl.read_parquet(tmp_path / "n.parquet")) and csv.equals(people(voters=500))
    with pytest.raises(BadInput):
        write_nation(tmp_path / "n.xlsx", iter([]))
