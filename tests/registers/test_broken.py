"""Which blocks of lines are seen to have a line that is no row?"""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dauys.registers.broken import is_ragged

WIDTH = 3
CELLS = st.text(st.sampled_from('aЖ,;" '), max_size=4)
ROWS = st.lists(st.lists(CELLS, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=6)
NO_ROWS = ["", "\r", ",", "a,b", "a,b,c,d", 'a,"b,c', '"a\nb",c,d', 'a,b,c"']


def lines(rows: list[list[str]], end: str) -> list[str]:
    """Each row as the standard library writes it, quoted only where it must be."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\0").writerows(rows)
    return [line + end for line in text.getvalue().split("\0")[:-1]]


@given(ROWS, st.sampled_from(["\n", "\r\n"]))
def test_rows_are_not_ragged(rows: list[list[str]], end: str) -> None:
    assert not is_ragged("".join(lines(rows, end)).encode(), ",", WIDTH)


@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.sampled_from(NO_ROWS), st.data())
def test_a_line_that_is_no_row_is_seen_wherever_it_stands(
    rows: list[list[str]], end: str, bad: str, data: st.DataObject
) -> None:
    block = lines(rows, end)
    block.insert(data.draw(st.integers(0, len(block))), bad + end)
    assert is_ragged("".join(block).encode(), ",", WIDTH)


@pytest.mark.parametrize("bad", [("a,b", "a,b,c,d"), ("", "a,b,c,d,e")])
def test_what_it_says_of_lines_that_make_up_for_each_other(bad: tuple[str, str]) -> None:
    """Their separators are as many as they should be: only the blank line is seen, and the reader of rows hears of the long one."""
    block = "".join(line + "\n" for line in ("1,2,3", *bad)).encode()
    assert is_ragged(block, ",", WIDTH) == ("" in bad)
