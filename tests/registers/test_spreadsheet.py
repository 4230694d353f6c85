"""No text of a table is computed by a spreadsheet, every text comes back, and numbers stay numbers."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from dauys.registers.spreadsheet import meant, plain

FORMULAS = ("=cmd()", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "'=x", "''", "'")


@given(st.text() | st.sampled_from(FORMULAS) | st.sampled_from("=+-@'\t\r").flatmap(lambda c: st.text().map(c.__add__)))
def test_every_text_comes_back_and_none_begins_like_a_formula(text: str) -> None:
    cell = plain(text)
    assert meant(cell) == text and not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_text_that_is_no_formula_stays_as_it_is() -> None:
    for text in ("KZ75-0106", "", "Школа № 5", "a=b", "1 = 1", "o'clock"):
        assert plain(text) == meant(text) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")), min_size=1, max_size=4))
def test_it_goes_through_a_file(texts: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out).writerow([*map(plain, texts), -5])
    (row,) = csv.reader(io.StringIO(out.getvalue()))
    assert [*map(meant, row[:-1])] == texts and row[-1] == "-5"
