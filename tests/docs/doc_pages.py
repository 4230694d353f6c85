"""What do the documents hold? Their blocks, tables, headings and links, for the tests beside this file.

A comment before a block marks it: `<!-- runs -->` or `<!-- runs CODE -->` (examples that run, with their exit code and output),
`<!-- runs python -->`, `<!-- runs sh -->`, `<!-- file NAME -->` (written before what follows runs), `<!-- help COMMAND -->`,
`<!-- json NAME -->` (before a table of keys).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the words of the comment before it, its text."""

    page: str
    language: str
    mark: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Command:
    """One command of a console block, and the output shown below it (empty: none is shown)."""

    page: str
    line: str
    output: str
    runs: bool
    code: int


def read(name: str) -> str:
    """The text of a document in docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    found = []
    for match in _BLOCK.finditer(path.read_text(encoding="utf-8")):
        indent = len(match["indent"])
        text = "".join(line[indent:] for line in match["text"].splitlines(keepends=True))
        found.append(Block(path.name, match["language"], tuple((match["mark"] or "").split()), text))
    return found


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block."""
    runs, code = block.mark[:1] == ("runs",), int(block.mark[1]) if len(block.mark) > 1 else 0
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        line, _, output = re.sub(r"\\\n\s*", "", part).partition("\n")
        yield Command(block.page, line, output.strip(), runs, code)


def all_commands() -> list[Command]:
    """Every command that is shown anywhere."""
    return [
        command
        for path in PAGES
        for block in blocks(path)
        if block.language == "console"
        for command in commands(block)
    ]


def table_after(text: str, mark: str) -> list[str]:
    """Everything in backticks in the first column of the table that follows the comment `mark`."""
    found = re.search(rf"^<!-- {re.escape(mark)} -->\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, f"no table after <!-- {mark} -->"
    return [name for row in found[1].splitlines()[2:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def first_cells(text: str) -> list[str]:
    """The first cell of every row of every table."""
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub and mkdocs make them."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", plain, re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower())).strip("-") for heading in headings}
