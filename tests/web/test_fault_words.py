"""Is a fault at the desk said in the page's language, down to what was expected?"""

from __future__ import annotations

import pytest

from dauys.errors import BadInput
from dauys.web.fault_words import SHAPES, shape_of
from dauys.web.render import environment

SAID = {
    "the same as entry 12": ("same", "12", ""),
    "as in entry 1,204": None,
    "as in entry 12": ("as", "12", ""),
    "entry 7 with {'eligible': 1000, 'received': 30}": ("entry", "7", "eligible: 1000, received: 30"),
    "300 of 1000, as in entry 9": ("report", "9", "300 of 1000"),
    "at most 16,777,216 bytes": ("bytes", "16777216", ""),
    "17 fields": ("fields", "17", ""),
    "a whole number from 0 to 1000000000": ("count", "1000000000", ""),
    "a station of kz/2022-referendum": ("station", "", "kz/2022-referendum"),
    "Ed25519 over the canonical JSON of the entry, with by 'KZ75-0106' and its at": ("signed", "", "KZ75-0106"),
    "a text": None,
}


def test_every_shape_is_read() -> None:
    for text, parts in SAID.items():
        assert shape_of(text) == ({} if parts is None else dict(zip(("name", "n", "rest"), parts, strict=True)))
    assert {parts[0] for parts in SAID.values() if parts} == set(SHAPES)


@pytest.mark.parametrize("lang", ["kk", "ru"])
def test_a_fault_is_said_without_a_word_of_english(lang: str) -> None:
    template = environment(lang).get_template("fault.html")
    for number, expected in (
        ("F.025", "the same as entry 12"), ("F.028", "as in entry 12"), ("F.030", "entry 7 with {'eligible': 1000}"),
        ("F.034", "300 of 1000, as in entry 9"), ("F.032", "other values"), ("F.031", "a text"), ("F.003", "at least one row"),
        ("F.021", "each station once for each contest"), ("F.015", "a whole number from 0 to 1000000000"),
        ("F.024", "a correction of a protocol that is in"), ("F.020", "a station of x/y"),
    ):  # fmt: skip
        html = template.render(fault=BadInput("words of the program", field="station", expected=expected, check=number))
        assert number in html and 'lang="en"' not in html and "words of the program" not in html, (number, expected)
        assert expected not in html, expected


def test_what_one_number_says_in_several_ways_stays_at_hand() -> None:
    html = environment("ru").get_template("fault.html").render(fault=BadInput("save it as CSV", check="F.001"))
    assert "<details" in html and "save it as CSV" in html.lower().replace("csv", "CSV")
