"""Does somebody who corrects or annuls say why, in no more than the record holds?"""

from __future__ import annotations

from dauys.errors import BadInput
from dauys.roll.free_text import no_iin

LONGEST_REASON = 4_000
"""Characters of a reason or an article: beside the values before and after it fits into one entry (record.entry)."""
LONGEST_WORDS = 300
"""Characters of one number in words: a thousand million takes less than a hundred in any language."""


def stated(text: str, name: str, message: str) -> None:
    """Raises BadInput F.031 with the message where the text is empty, F.018 where it is too long, P.077 with an IIN in it."""
    if not text.strip():
        raise BadInput(message, field=name, check="F.031", expected="a text")
    if len(text) > LONGEST_REASON:
        expected = f"a text of at most {LONGEST_REASON} characters"
        raise BadInput("the text is too long for the record", field=name, check="F.018", expected=expected)
    no_iin(text, name)
