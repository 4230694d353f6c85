"""Writes fresh tables into a page: `python -m dauys.reconstruction POLL_FOLDER PAGE.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from dauys.errors import DauysError
from dauys.law.files import read_text
from dauys.reconstruction.figures import read_figures
from dauys.reconstruction.reconstruct import reconstruct
from dauys.reconstruction.tables import fill, tables
from dauys.registers.poll_file import read_poll


def rendered(folder: Path, page: Path) -> str:
    """The page's text with the tables of the poll in `folder`; areas are called as on its day."""
    names = {area.code: area.names["en"] for area in read_poll(folder / "poll.yaml").poll.areas}
    return fill(read_text(page), tables(reconstruct(folder), read_figures(folder / "published.csv"), names))


def main(arguments: list[str]) -> int:
    """0 when written, 2 with one message when it cannot be."""
    if len(arguments) != 2:
        print("usage: python -m dauys.reconstruction POLL_FOLDER PAGE.md", file=sys.stderr)
        return 2
    folder, page = Path(arguments[0]), Path(arguments[1])
    try:
        page.write_text(rendered(folder.resolve(), page), encoding="utf-8")
    except DauysError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
