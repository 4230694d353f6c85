"""Are all characters of a text ones that are printed? Seen by its bytes, which takes a third of the time of a look at each."""

from __future__ import annotations

import numpy as np

AT_ONCE = 1 << 17
"""Bytes that stay near the processor while they are looked at."""


def is_printed(lines: bytes) -> bool:
    """Whether lines in UTF-8 have, beside their ends (LF or CR LF), surely nothing that Unicode counts as "other" (C).

    True: all of it is ASCII that is printed, U+00C0 to U+017F (Latin letters) or U+0400 to U+04FF (Cyrillic ones). False says
    nothing: other texts have to be looked at.
    """
    text = np.frombuffer(lines, np.uint8)
    controls = ends = returns = 0
    for start in range(0, len(text), AT_ONCE):
        some = text[start : start + AT_ONCE]
        controls += int(np.count_nonzero(some < ord(" ")))
        ends += int(np.count_nonzero(some == ord("\n")))
        returns += int(np.count_nonzero(some == ord("\r")))
        # C3 to C5 begin the Latin letters, D0 to D3 the Cyrillic ones; 80 to BF only go on
        if np.count_nonzero(some > 0xD3) or np.count_nonzero((some - np.uint8(0xC6)) < 0xD0 - 0xC6):
            return False
        if np.count_nonzero((some - np.uint8(0xC0)) < 0xC3 - 0xC0) or np.count_nonzero(some == 0x7F):
            return False
    return controls == ends + returns and (not returns or lines.count(b"\r\n") == returns)
