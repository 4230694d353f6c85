"""What may stand in a cell of a CSV that somebody will open in a spreadsheet? A text that begins like a formula is made plain.

Spreadsheets compute a cell that begins with =, +, -, @, a tab or a carriage return, whatever is written there (OWASP, "CSV
Injection"). Such a text gets an apostrophe before it, and so does one that begins with an apostrophe: the text can be read back.
Numbers are no texts and stay as they are.
"""

from __future__ import annotations

BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "'")


def plain(text: str) -> str:
    """The text as it may stand in a cell."""
    return f"'{text}" if text.startswith(BEGINNINGS) else text


def meant(cell: str) -> str:
    """The text that a cell stands for."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(BEGINNINGS) else cell
