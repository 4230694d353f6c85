"""Is a fault at the desk said in the page's language, down to what was expected?"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import dauys
from dauys.errors import BadInput
from dauys.registers.blocks import _FOREIGN
from dauys.web.fault_words import MESSAGES, SHAPES, message_shape, shape_of
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
    "the columns station, yes; take others out, or map the ones to read": ("columns", "", "station, yes"),
    "the columns station, yes": ("columns", "", "station, yes"),
    ".csv, .csv.gz, .parquet or .jsonl": ("kinds", "", ".csv, .csv.gz, .parquet, .jsonl"),
    "a text of at most 300 characters": ("text", "300", ""),
    "2022-06-05T21:00:00+06:00": ("as it is", "", "2022-06-05T21:00:00+06:00"),
    "10:00, 12:00": ("as it is", "", "10:00, 12:00"),
    "a text": None,
}


def test_every_shape_is_read() -> None:
    for text, parts in SAID.items():
        assert shape_of(text) == ({} if parts is None else dict(zip(("name", "n", "rest"), parts, strict=True)))
    assert {parts[0] for parts in SAID.values() if parts} == set(SHAPES)


SOURCE = Path(dauys.__file__).parent
SEVERAL = {
    "F.001",
    "F.004",
    "F.006",
    "F.007",
    "F.008",
    "F.009",
    "F.010",
    "F.016",
    "F.017",
    "F.026",
    "F.027",
    "F.040",
    "F.041",
    "F.042",
    "F.043",
}
"""Numbers of which one message says more than another."""
UNSEEN = {
    "a column is not known1,000", "the file is 1,000",
    "the body is not JSON", "the request is too large: send a file to .../protocols/file",
    "the commission signs it: this is not its signature over this entry",
    "the field is not known", "the field is missing", "the value is of another kind", "only a clerk may do this",
    "the poll publishes no key to check the signature with",
}  # fmt: skip
"""Answers over HTTP alone, which are JSON; and two that are in MORE as they come out."""
MORE = {
    "F.001": [f"the file is {what}" for what in _FOREIGN.values()],
    "F.007": ["two columns mean yes"],
    "F.016": ["this is not a number"],
    "F.008": ["the row cannot be read: field larger than field limit (131072)"],
    "F.009": ["a column is not known (is it yes?)", "a column is not known"],
    "F.020": ["x/y has no such station here"],
    "F.040": ["at is for protocols that are signed: leave it out or sign"],
    "F.043": ["a password has at least 12 characters"],
    "F.026": [
        "the signature of entry 'protocol/q1/KZ75-0106' is not base64 of 64 bytes",
        "the signature is not that of the station over this entry",
        "the station has no key on the list to check the signature with",
    ],
}
"""Put together elsewhere."""


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


@cache
def raised() -> dict[str, list[str]]:
    """Every message that the rooms of intake raise with a number that says several things, as it is written in the code."""
    found: dict[str, list[str]] = {}
    for room in ("stations", "registers"):
        for file in sorted((SOURCE / room).glob("*.py")):
            for call in ast.walk(ast.parse(file.read_text("utf-8"))):
                name = getattr(call.func, "attr", getattr(call.func, "id", "")) if isinstance(call, ast.Call) else ""
                if not isinstance(call, ast.Call) or name not in ("BadInput", "Refusal", "refuse"):
                    continue
                named = [k.value for k in call.keywords if k.arg == "check"]
                checks = [one.value for one in (*named, *call.args) if isinstance(one, ast.Constant)]
                for check in SEVERAL.intersection(filter(lambda one: isinstance(one, str), checks)):
                    found.setdefault(str(check), []).extend(texts(call.args[name == "refuse"]))
    return found


def texts(node: ast.expr) -> list[str]:
    """The texts that an argument may be, with NAME for what is put in; none for a name that is set elsewhere."""
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else "1,000" for part in node.values)]
    return [node.value] if isinstance(node, ast.Constant) else []


@pytest.mark.parametrize("lang", ["kk", "ru"])
def test_every_message_of_a_number_that_says_several_things_is_said(lang: str) -> None:
    template = environment(lang).get_template("fault.html")
    messages = {check: [*raised().get(check, ()), *MORE.get(check, ())] for check in SEVERAL}
    assert all(messages.values())
    for check, found in messages.items():
        for message in set(found) - UNSEEN:
            html = template.render(fault=BadInput(message, check=check))
            assert "<details" not in html and 'lang="en"' not in html, (check, message)
            assert message not in html and '<p class="small">' in html, (check, message)


def test_every_shape_of_a_message_is_one_that_is_raised() -> None:
    found = [text for several in raised().values() for text in several] + [
        text for more in MORE.values() for text in more
    ]
    assert {message_shape(text)["name"] for text in found if message_shape(text)} == set(MESSAGES)


@pytest.mark.parametrize(("check", "expected"), [
    ("F.001", ".csv, .csv.gz, .tsv, .parquet, .json or .jsonl"), ("F.009", "the columns station, yes; take others out, or map the ones to read"),
    ("F.022", "charter, river"), ("F.035", "yes, no"), ("F.033", "10:00, 12:00"), ("F.027", "2022-06-05T21:00:00+06:00"),
    ("F.036", "for example yes=for or station=region+number"), ("F.008", "17 fields"),
])  # fmt: skip
def test_what_was_expected_needs_no_fold(check: str, expected: str) -> None:
    html = environment("ru").get_template("fault.html").render(
        fault=BadInput("this is not JSON", found="3 fields", expected=expected, check=check)
    )  # fmt: skip
    assert "<details" not in html
    assert not re.search("take|found|fields|example|or ", re.sub("<[^>]*>", "", html).replace("for ", ""))


def test_a_message_that_no_page_knows_stays_at_hand() -> None:
    html = environment("ru").get_template("fault.html").render(fault=BadInput("save it as CSV", check="F.001"))
    assert "<details" in html and "save it as CSV" in html.lower().replace("csv", "CSV")
