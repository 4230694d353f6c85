"""Are the figures of stations that a command shows a reconstruction? Then its answer says so first."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from dauys.cli.main import answer
from dauys.errors import BadInput
from dauys.registers.table import read_table

RECONSTRUCTION = "RECONSTRUCTION: station figures are not real results"
"""As the site's notice says it (docs/reconstruction.md)."""


def is_reconstruction(table: Path) -> bool:
    """Whether a table of stations says so in its column `nature`, as the tables that Dauys publishes do."""
    with suppress(BadInput):  # whoever reads its figures has refused what cannot be read; others have no such column
        for chunk in read_table(table, {"nature": "nature"}, optional=["nature"], ignore=None):
            return "nature" in chunk.texts and "reconstruction" in chunk.texts["nature"]
    return False


def answer_with_nature(reconstruction: bool, value: dict[str, Any], as_json: bool, text: str) -> None:
    """`answer`, with the member `reconstruction` and, where it is one, the word on the first line."""
    first = f"{RECONSTRUCTION}\n" if reconstruction else ""
    answer({"reconstruction": reconstruction, **value}, as_json, first + text)
