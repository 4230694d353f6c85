"""Does a text that somebody types, a reason or a remark, hold an IIN? Such a text is kept for good, and many may read it."""

from __future__ import annotations

import re
import unicodedata

from dauys.errors import BadInput
from dauys.roll.iin import LENGTH, is_iin

CHECK = "P.077"

_GROUPS = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015\u2212]*")
"""What people write between the parts of a number: blanks and dashes."""


def no_iin(text: str, field: str = "reason") -> str:
    """The text as it is. Raises BadInput P.077, without the number, where twelve digits, also in groups, are an IIN."""
    if _holds_iin(unicodedata.normalize("NFKC", text)):
        raise BadInput("an IIN stands here: say it without the number, and without a name", field=field, check=CHECK)
    return text


def _holds_iin(text: str) -> bool:
    groups = list(_GROUPS.finditer(text))
    for start in range(len(groups)):
        digits, end = "", None
        for group in groups[start:]:
            if end is not None and not _BETWEEN.fullmatch(text, end, group.start()):
                break
            digits, end = digits + group[0], group.end()
            if len(digits) >= LENGTH:
                break
        if len(digits) == LENGTH and is_iin(digits):
            return True
    return False
