"""Do the examples of docs/missions.md run? They need no database."""

from __future__ import annotations

from pathlib import Path

from doc_pages import DOCS
from test_doc_commands import Ran


def test_the_examples_of_the_missions_page_run(tmp_path: Path) -> None:
    ran = Ran(tmp_path)
    ran.page(DOCS / "missions.md")
    assert ran.examples == 3
