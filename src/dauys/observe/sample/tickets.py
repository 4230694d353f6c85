"""Which stations does a seed draw, on any machine, for ever?

The ticket of a station is SHA-256 of the UTF-8 text `seed,id`; the lowest tickets are drawn. Whoever has the seed and the
list draws the same stations: no library's generator, no float. A larger sample holds the smaller one (consistent sampling:
Rivest, "Consistent Sampling with Replacement", arXiv 1808.10016, of which this is the case without replacement).
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Sequence
from math import isqrt
from typing import Any


def _fastest() -> Callable[[bytes], Any]:
    """SHA-256. The interpreter's own begins a short text twice as fast as OpenSSL, which looks the algorithm up each time."""
    for module in ("_sha2", "_sha256"):  # Python 3.12 and later; 3.11
        try:
            found: Callable[[bytes], Any] = importlib.import_module(module).sha256
        except (ImportError, AttributeError):
            continue
        return found
    return hashlib.sha256


_sha256 = _fastest()


def ticket(seed: str, name: str) -> bytes:
    """SHA-256 of `seed,name` in UTF-8: 32 bytes, compared as a big-endian number."""
    return hashlib.sha256(f"{seed},{name}".encode()).digest()


def lowest(seed: str, names: Sequence[str], n: int) -> list[int]:
    """The places in `names` of the n lowest tickets, lowest first. The names are distinct."""
    begins, sha256 = f"{seed},".encode(), _sha256
    if n >= len(names):
        bound = b"\xff" * 33
    else:  # a bound that all but surely has n tickets below it: few are kept, and few are sorted
        share = n + 8 * isqrt(n) + 16
        bound = min((share << 256) // len(names), (1 << 256) - 1).to_bytes(32, "big")
    found = [
        (drawn, place) for place, name in enumerate(names) if (drawn := sha256(begins + name.encode()).digest()) < bound
    ]
    if len(found) < min(n, len(names)):  # about once in 10**14 draws; also where many names are few
        found = [(sha256(begins + name.encode()).digest(), place) for place, name in enumerate(names)]
    return [place for _, place in sorted(found)[:n]]


def start(seed: str, label: str, below: int) -> int:
    """A whole number from 0 to below - 1: where a systematic draw begins. No id holds a line feed, so no ticket is the same.

    It is the ticket's remainder: uneven by less than below / 2**256.
    """
    return int.from_bytes(ticket(seed, f"\nstart,{label}"), "big") % below
