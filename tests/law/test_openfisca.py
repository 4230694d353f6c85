"""A second reader, by others: openfisca-core reads our rule files and gives the same value on every date."""

from __future__ import annotations

import warnings
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from dauys.law.facts import Fact, Facts, load_facts
from dauys.law.packs import JURISDICTIONS
from dauys.law.rulebook import read_book
from dauys.law.rules import Book, Rule
from dauys.law.snapshot import plain, rules_on

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    parameters = pytest.importorskip("openfisca_core.parameters", reason="openfisca-core (dev) is not installed")

KZ = JURISDICTIONS / "kz"

SMALL = {
    "party.yaml": """
description: Parties
min_members:
  description: Members a party must have
  metadata: {unit: count, labels: {kk: a, ru: b, en: c}}
  values:
    2020-05-25: {value: 20000, metadata: {since: 2020-05-25, cite: law on parties 10, status: enacted}}
    2022-11-05: {value: 5000, metadata: {since: law-157.in-force, cite: law on parties 10, status: enacted}}
quorum:
  metadata: {unit: share, labels: {kk: a, ru: b, en: c}}
  values:
    2020-05-25: {value: 1/2, metadata: {since: 2020-05-25, cite: x, status: enacted}}
    2022-11-05: {value: 1, metadata: {since: law-157.in-force, cite: x, status: paraphrase}}
    2023-01-01: {value: null, metadata: {since: 2023-01-01, cite: x, status: unknown}}
""",
    "senate/presidential_quota.yaml": """
metadata:
  unit: count
  labels: {kk: a, ru: b, en: c}
  pending: [{value: 3, since: never.happened, cite: x, status: draft}]
values:
  2007-05-22: {value: 15, metadata: {since: 2007-05-22, cite: Const. 50(2), status: enacted}}
  2023-03-19: {value: 10, metadata: {since: {event: mazhilis-8.elected, day: 2023-01-01}, cite: Const. 50(2), status: enacted}}
""",
    "president/member.yaml": """
metadata: {unit: boolean, labels: {kk: a, ru: b, en: c}}
values:
  1995-09-05: {value: true, metadata: {since: 1995-09-05, cite: x, status: enacted}}
  2022-06-08: {value: false, metadata: {since: 2022-06-08, cite: Const. 43(3), status: enacted}}
""",
    "court/receipt.yaml": """
metadata: {unit: time, labels: {kk: a, ru: b, en: c}}
values:
  1995-09-05: {value: "15:00", metadata: {since: 1995-09-05, cite: x, status: paraphrase}}
""",
}
FACTS = Facts([Fact("law-157.in-force", date(2022, 11, 5), "x"), Fact("mazhilis-8.elected", date(2023, 3, 19), "x")])


def theirs(tree: Any, key: str) -> Any:
    """Their parameter of our key."""
    for name in key.split("."):
        tree = tree.children[name]
    return tree


def compared(rule: Rule) -> bool:
    """Formulas are ours alone; so is the order of ranks."""
    return all(value.formula is None and value.rank == "law" for value in rule.values)


def disagreements(folder: Path, book: Book, facts: Facts) -> tuple[int, list[str]]:
    """How many values were compared, and where the two readers differ."""
    tree = parameters.ParameterNode("", directory_path=str(folder))
    days = {day for change in book.change_days(facts) for day in (change, change - timedelta(days=1))}
    ends = book.ends.resolve(facts) if book.ends else None
    count, found = 0, []
    for day in sorted(day for day in days if ends is None or day < ends):
        values = rules_on(book, day, facts).values
        for key, rule in book.rules.items():
            if compared(rule):
                ours, other = plain(values.get(key)), theirs(tree, key)(day.isoformat())
                other = str(Fraction(other)) if rule.unit == "share" and other is not None else other
                count += 1
                if (type(ours), ours) != (type(other), other):
                    found.append(f"{key} on {day}: {ours!r} here, {other!r} there")
    return count, found


def test_a_small_folder(tmp_path: Path) -> None:
    for name, text in SMALL.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    count, found = disagreements(tmp_path, read_book(tmp_path, FACTS), FACTS)
    assert found == []
    assert count == 5 * 2 * 7


def test_they_see_a_difference_where_there_is_one(tmp_path: Path) -> None:
    for name, text in SMALL.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    book = read_book(tmp_path, FACTS)
    (tmp_path / "president/member.yaml").write_text(
        SMALL["president/member.yaml"].replace("2022-06-08:", "2022-06-09:"), encoding="utf-8"
    )
    _, found = disagreements(tmp_path, book, FACTS)
    assert found == ["president.member on 2022-06-08: False here, True there"]


@pytest.mark.skipif(not (KZ / "parameters").is_dir(), reason="the pack kz has no rule files yet")
def test_the_pack_of_kazakhstan() -> None:
    facts = load_facts("kz")
    count, found = disagreements(KZ / "parameters", read_book(KZ / "parameters", facts), facts)
    assert found == []
    assert count > 0
