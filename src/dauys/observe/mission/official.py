"""What does the official record say by now: the poll, its stations, each station's protocol with its place?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dauys.registers.poll import Poll, Station


@dataclass(frozen=True, slots=True)
class Published:
    """One station's protocol of one contest as the record has it now.

    `index` is the entry that says so (the protocol, or its last correction); `at` when the protocol entered (ISO 8601), for
    the order of arrival; `counted` whether it is in the official sums (no F number, not annulled).
    """

    values: Mapping[str, int]
    index: int
    at: str
    counted: bool
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Official:
    """The record up to `size` entries under `root` (hex), as its signed checkpoint says. Key of `protocols`: (contest, station)."""

    poll: Poll
    stations: Mapping[str, Station]
    protocols: Mapping[tuple[str, str], Published]
    size: int
    root: str
    declared: bool
    """Whether a declaration of the result stands in the record."""
