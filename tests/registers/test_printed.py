"""Which texts are surely printed, by their bytes? Against what Unicode says of each character."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from dauys.registers.printed import AT_ONCE, is_printed

CHARACTERS = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
LETTERS = "Әлия Ёлкина-Ñandú, 12/б"


def is_other(text: str) -> bool:
    return any(unicodedata.category(char).startswith("C") for char in text)


def test_no_character_that_is_not_printed_passes() -> None:
    passing = {char for char in CHARACTERS if is_printed(char.encode())}
    assert not [char for char in passing if is_other(char) and char != "\n"]
    assert passing == {
        chr(point) for span in ((10, 11), (32, 127), (0xC0, 0x180), (0x400, 0x500)) for point in range(*span)
    }


@given(
    st.lists(st.text(st.one_of(st.sampled_from(LETTERS + "\t\r\x7f\x00"), st.characters(codec="utf-8")), max_size=6)),
    st.sampled_from(["\n", "\r\n"]),
)
def test_lines_that_pass_have_nothing_odd_but_their_ends(lines: list[str], end: str) -> None:
    text = "".join(line + end for line in lines)
    if is_printed(text.encode()):
        assert not is_other(text.replace("\r\n", "").replace("\n", ""))


def test_one_odd_character_is_seen_wherever_it_stands() -> None:
    good = (LETTERS + "\r\n").encode() * 8_000
    assert len(good) > 2 * AT_ONCE and is_printed(good) and is_printed(b"")
    for place in (0, AT_ONCE - 1, AT_ONCE, len(good)):
        for odd in ("\t", "\r", "\x1f", "\x7f", "\u00ad", "\u200b", "№"):
            assert not is_printed(good[:place] + odd.encode() + good[place:])
