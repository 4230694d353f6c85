"""Which words belong to a name that the program chooses, in each language? Read from words.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dauys.law.files import LANGUAGES, read_yaml


@cache
def labels() -> Mapping[str, Mapping[str, str]]:
    """All of them: name to language to text."""
    found = {}
    for item in read_yaml(Path(__file__).parent / "words.yaml").items():
        parts = item.mapping(("name", *LANGUAGES))
        found[parts["name"].text()] = {lang: parts[lang].text() for lang in LANGUAGES}
    return found


def label(name: str, lang: str) -> str:
    return labels()[name][lang]


def axes(lang: str) -> dict[str, str]:
    """The words in the picture of a fingerprint (indicators.picture)."""
    return {
        "turnout": label("axis_turnout", lang),
        "share": label("axis_share", lang),
        "caption": label("squares", lang),
    }
