"""The official texts of three days that stand beside the repository, for tests only."""

from __future__ import annotations

import functools
from datetime import date
from pathlib import Path

from dauys.law.importer import Document, read_markdown
from dauys.law.works import Work

FOLDER = Path(__file__).parents[3] / "shared/data/law-official"
URI = "/akn/kz/act/constitution/1995-08-30/constitution"
REASON = "../shared/data/law-official is not here"
DOCUMENTS = {
    path.name.removeprefix("constitution-").removesuffix(".ru.md"): (
        date.fromisoformat(path.name.removeprefix("constitution-").removesuffix(".ru.md")),
        path,
    )
    for path in sorted(FOLDER.glob("constitution-*.ru.md"))
}


@functools.cache
def document(name: str) -> Document:
    return read_markdown(DOCUMENTS[name][1])


@functools.cache
def official(name: str) -> Work:
    """The text in force of that print."""
    return document(name).work(
        uri=URI, title="Конституция", rank="constitution", status="official", language="ru", day=DOCUMENTS[name][0]
    )
