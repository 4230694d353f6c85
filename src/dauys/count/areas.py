"""What does a decision know of one area: what is counted there, and what is still to come?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

AreaStatus = Literal["counted", "missing", "annulled", "repeat-pending"]

MANKIND = 10**10
"""More voters than any area has: it bounds what is not known, in whole numbers."""


@dataclass(frozen=True, slots=True)
class Outstanding:
    """Voters whose ballots are not in the totals: at missing or quarantined stations, or before a repeat vote.

    `eligible` are the listed voters; up to `listed` of them may have voted, each as they liked. Up to `added` more
    people may have been put on the list on the day, and may have voted.
    """

    eligible: int = 0
    listed: int = 0
    added: int = 0

    @classmethod
    def of(cls, eligible: int, ballots: int | None = None) -> Outstanding:
        """One station or area: its listed voters and the most ballots it can have had (by default one a voter).

        Ballots above the list are taken for voters added on the day: participants are on the list (F.102, F.103).
        """
        most = eligible if ballots is None else ballots
        return cls(eligible, min(eligible, most), max(0, most - eligible))

    @classmethod
    def unknown(cls) -> Outstanding:
        """Nobody knows how many voters: bounded by mankind alone."""
        return cls(0, 0, MANKIND)

    @classmethod
    def total(cls, parts: Iterable[Outstanding]) -> Outstanding:
        """All of them together; sum stations with this, not their caps, and the bounds stay exact."""
        eligible = listed = added = 0
        for part in parts:
            eligible, listed, added = eligible + part.eligible, listed + part.listed, added + part.added
        return cls(eligible, listed, added)

    def __bool__(self) -> bool:
        return self != Outstanding()


@dataclass(frozen=True, slots=True)
class AreaCount:
    """One area existing on the day: totals of what is counted there, and what may be added to them.

    `values` holds the rule's fields (empty where nothing is counted). `status`:
    `counted` (wholly, or in part when something is outstanding) · `missing` (nothing is known but `outstanding`) ·
    `annulled` (its numbers leave every sum, its list too, since its protocols are void; as a territory that exists it
    stays in the number of areas, and is not won) · `repeat-pending` (annulled, and its voters vote again).
    """

    values: Mapping[str, int]
    weight: Fraction = Fraction(1)
    status: AreaStatus = "counted"
    outstanding: Outstanding = Outstanding()

    @classmethod
    def missing(cls, eligible: int | None = None, weight: Fraction = Fraction(1)) -> AreaCount:
        """An area from which nothing came; without `eligible` nothing bounds it."""
        return cls({}, weight, "missing", _voters(eligible))

    @classmethod
    def annulled(cls, weight: Fraction = Fraction(1)) -> AreaCount:
        """An area whose vote is annulled, with no repeat vote."""
        return cls({}, weight, "annulled")

    @classmethod
    def repeat_pending(cls, eligible: int | None = None, weight: Fraction = Fraction(1)) -> AreaCount:
        """An area whose vote is annulled and will be repeated; without `eligible` nothing bounds it."""
        return cls({}, weight, "repeat-pending", _voters(eligible))

    @classmethod
    def of(
        cls, values: Mapping[str, int], weight: Fraction, outstanding: Outstanding, repeat: bool | None = None
    ) -> AreaCount:
        """An area by its stations. `repeat`: its vote is annulled, and whether it is repeated: then all its stations are
        `outstanding`, each with its own most ballots."""
        if repeat is None:
            return cls(values, weight, "counted", outstanding)
        return cls({}, weight, "repeat-pending", outstanding) if repeat else cls.annulled(weight)

    @property
    def counts(self) -> bool:
        """Whether `values` are part of the sums."""
        return self.status == "counted"

    @property
    def open(self) -> Outstanding:
        """What may still be added: nothing where the vote is annulled for good."""
        return Outstanding() if self.status == "annulled" else self.outstanding


def _voters(eligible: int | None) -> Outstanding:
    return Outstanding.unknown() if eligible is None else Outstanding.of(eligible)
