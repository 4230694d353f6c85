"""Why did a frozen list change by a claim? One text in the record, and what a page reads out of it for its own language.

ground(2, "Elections law 24 to 26-1")     ->  "claim 2, Elections law 24 to 26-1"
by_claim("claim 2, Elections law 24 to 26-1")  ->  (2, "Elections law 24 to 26-1")
"""

from __future__ import annotations

import re

_CLAIM = re.compile(r"claim ([1-9][0-9]{0,17})(?:, (.+))?")


def ground(claim: int, cite: str) -> str:
    """The reason that the record keeps; `cite` may be empty."""
    return f"claim {claim}, {cite}" if cite else f"claim {claim}"


def by_claim(reason: str) -> tuple[int, str] | None:
    """The number of the claim and the citation that stand in a reason of the record; None for any other reason."""
    found = _CLAIM.fullmatch(reason)
    return None if found is None else (int(found[1]), found[2] or "")
