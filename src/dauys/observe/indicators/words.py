"""What does each indicator say and what does it assume? In three languages, read from words.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dauys.law.files import read_yaml

NOTE = {
    "kk": "Бұл индикаторлар, үкім емес: ерекшелікті көрсетеді, себебін айтпайды.",
    "ru": "Это индикаторы, а не приговор: они показывают аномалию и не называют причину.",
    "en": "These are indicators, never verdicts: they show an anomaly and do not name its cause.",
}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one indicator, by language."""

    title: Mapping[str, str]
    says: Mapping[str, str]
    assumes: Mapping[str, str]


@cache
def words() -> Mapping[str, Words]:
    """All of them, by the indicator's name."""
    found: dict[str, Words] = {}
    for item in read_yaml(Path(__file__).parent / "words.yaml").items():
        parts = item.mapping(("name", "title", "says", "assumes"))
        found[parts["name"].text()] = Words(*(parts[name].labels() for name in ("title", "says", "assumes")))
    return found


def markdown() -> str:
    """The table of docs/indicators.md."""
    lines = ["| indicator | English | Қазақша | Русский |", "|---|---|---|---|"]
    for name, one in words().items():
        cells = [f"**{one.title[to]}.** {one.says[to]} *{one.assumes[to]}*" for to in ("en", "kk", "ru")]
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
