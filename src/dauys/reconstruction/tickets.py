"""Which numbers does a seed draw, on any machine, for ever?

Ticket number i under a label is SHA-256 of the text `seed,label,i`. Every draw is a whole number read from it, big
endian: bits 0-191 are twelve words of 16 bits, bits 192-255 one word of 64 bits. No library generator, no float.
"""

from __future__ import annotations

from hashlib import sha256
from math import isqrt

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_BELL_CENTRE = 12 * 65535 // 2
_ODDS = 1 << 20
SHARE = 1 << 16
"""Shares are whole numbers out of 65,536."""
SPREAD = 1 << 10
"""Spreads (standard deviations of the logarithm of the odds) are whole numbers out of 1,024."""


def tickets(seed: str, label: str, n: int) -> npt.NDArray[np.uint8]:
    """The first n tickets under a label: an array of n rows of 32 bytes."""
    drawn = b"".join(sha256(f"{seed},{label},{i}".encode()).digest() for i in range(n))
    return np.frombuffer(drawn, dtype=np.uint8).reshape(n, 32)


def ranks(drawn: npt.NDArray[np.uint8]) -> Ints:
    """A number from 0 to 2**63 - 1 for each ticket: decides ties and orders."""
    words = np.ascontiguousarray(drawn[:, 24:]).view(">u8")[:, 0]
    return (words.astype(np.uint64) >> np.uint64(1)).astype(np.int64)


def uniforms(drawn: npt.NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """Two even draws from 0 to 65,535 for each ticket."""
    words = np.ascontiguousarray(drawn[:, :4]).view(">u2").astype(np.int64)
    return words[:, 0], words[:, 1]


def bells(drawn: npt.NDArray[np.uint8]) -> Ints:
    """A draw around 0 for each ticket, nearly normal: twelve even words added, standard deviation 65,536."""
    words = np.ascontiguousarray(drawn[:, :24]).view(">u2").astype(np.int64)
    centred: Ints = words.sum(axis=1) - _BELL_CENTRE
    return centred


def shares(part: int, whole: int, sizes: Ints, spread: int, drawn: npt.NDArray[np.uint8], shift: Ints) -> Ints:
    """A share for each unit of `sizes` voters, around part / whole, strictly between 0 and 1, out of `SHARE`.

    The odds of the share are multiplied by (1 + z) / (1 - z); z is a bell draw plus `shift` / 2. The width is `spread`
    (out of `SPREAD`) for large units and grows for small ones as that of a binomial count does: few people vary more.
    Multiplying odds, and not adding to shares, keeps values from piling up at 0 and 100 per cent.
    """
    inside = min(max(part * SHARE // max(whole, 1), 1), SHARE - 1)
    outside = SHARE - inside
    binomial = SPREAD * SPREAD * SHARE * SHARE // (inside * outside)
    widths = np.array([isqrt(spread * spread + binomial // max(size, 1)) for size in sizes.tolist()], dtype=np.int64)
    limit = _ODDS * 15 // 16
    z = np.clip(((bells(drawn) * widths) >> 7) + shift * (_ODDS // SPREAD // 2), -limit, limit)
    yes, no = inside * (_ODDS + z), outside * (_ODDS - z)
    found: Ints = np.maximum(yes * SHARE // (yes + no), 1)
    return found
