"""What every test of the Kazakh rules needs: the book, the facts, any day's snapshot, and the tables to compare with."""

from __future__ import annotations

import csv
import datetime
from functools import cache
from pathlib import Path

import pytest

from dauys.law.facts import Facts, load_facts
from dauys.law.packs import load_pack
from dauys.law.rulebook import load_book
from dauys.law.rules import Book
from dauys.law.snapshot import Snapshot, changes, rules_on

SHARED = Path(__file__).parents[2].parent / "shared"
DAY = datetime.timedelta(days=1)
REFERENDUM = "referendum-2022.published"
JUNE = datetime.date(2022, 6, 8)
JANUARY = datetime.date(2023, 1, 1)
ELECTIONS = datetime.date(2023, 1, 19)  # the day they were called: see the note of the fact
NOVEMBER = datetime.date(2022, 11, 5)
SEPTEMBER = datetime.date(2022, 9, 17)
ADDRESS = datetime.date(2022, 3, 16)
UNKNOWN = "cannot say"


@cache
def facts() -> Facts:
    return load_facts("kz")


@cache
def book() -> Book:
    return load_book("kz", facts())


@cache
def areas(day: datetime.date) -> dict[str, int]:
    with load_pack("kz").areas.open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["since"] <= str(day) and str(day) <= (r["until"] or "9999")]
    return {"territories": len(rows), "regions": sum(row["kind"] == "region" for row in rows)}


@cache
def on(day: datetime.date, without: str = "") -> Snapshot:
    known = facts().without(without) if without else facts()
    return rules_on(book(), day, known, areas(day))


def says(key: str, day: datetime.date, without: str = "") -> object:
    return on(day, without).values.get(key, UNKNOWN)


def changed(day: datetime.date) -> dict[str, set[str]]:
    """The keys that change on a day, by the events on which the new value (or the one that ends) rests."""
    found: dict[str, set[str]] = {}
    for change in changes(on(day - DAY), on(day)):
        live = on(day).explain(change.key).live
        assert live is not None, change.key
        found.setdefault(" + ".join(live.since.events) or str(live.since.day), set()).add(change.key)
    return found


def rows(name: str) -> list[dict[str, str]]:
    path = SHARED / "data/kazakhstan" / name
    if not path.exists():
        pytest.skip("the tables of facts lie outside this repository and are not here")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def seed(start: str) -> list[str]:
    found = sorted((SHARED / "seeds").glob(f"{start}_*.txt"))
    if not found:
        pytest.skip("the seeds lie outside this repository and are not here")
    return found[0].read_text(encoding="utf-8").splitlines()


def keys(text: str) -> set[str]:
    return set(text.split())
