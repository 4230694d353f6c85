"""Ballot polling: may the audit stop after these ballots, and how many more are wanted? (BRAVO, Minerva.)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from dauys.errors import BadInput
from dauys.observe.audit import bravo, minerva

METHODS = ("bravo", "minerva")
CHANCE = 0.9


@dataclass(frozen=True, slots=True)
class Polled:
    """The answer of a method: the P-value, whether the audit stops, further ballots of all kinds (None: it stops, or no size
    can be computed). BRAVO: the expected size if the report is right. Minerva: the winners that stop each round."""

    method: str
    risk: Fraction
    share: Fraction
    chance: float
    p_value: float
    confirmed: bool
    next: int | None
    expected: int | None = None
    least: tuple[int | None, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The answer of `dauys audit polling --json` (docs/audits.md)."""
        own: dict[str, Any] = {"expected": self.expected} if self.method == "bravo" else {"least": list(self.least)}
        return {
            "method": self.method, "risk": str(self.risk), "share": str(self.share), "chance": self.chance,
            "p_value": self.p_value, **own, "next": self.next, "confirmed": self.confirmed,
        }  # fmt: skip


def polled(
    method: str, winner: int, loser: int, other: int, rounds: Sequence[tuple[int, int]], risk: Fraction,
    chance: float = CHANCE, largest: int = minerva.LARGEST_ROUND,
) -> Polled:  # fmt: skip
    """`winner`, `loser`, `other`: reported ballots. `rounds`: ballots for winner and loser in all after each round.

    `chance` is that of the next round to be the last if the report is right; a round of Minerva beyond `largest` is not looked
    for. Raises BadInput where there is nothing to confirm, or rounds do not grow.
    """
    if winner <= loser:
        raise BadInput("the reported winner has not more than the loser: there is nothing to confirm", found=winner)
    if any(a[0] > b[0] or a[1] > b[1] or a == b for a, b in pairwise(rounds)):
        told = " ".join(f"{won}:{lost}" for won, lost in rounds)
        raise BadInput("rounds are counts in all so far: each has more than the one before", found=told)
    ask = _bravo if method == "bravo" else _minerva
    return ask((winner, loser, winner + loser + other), rounds, risk, chance, largest)


def _bravo(
    reported: tuple[int, int, int], rounds: Sequence[tuple[int, int]], risk: Fraction, chance: float, largest: int
) -> Polled:
    winner, loser, ballots = reported
    share = Fraction(winner, winner + loser)
    last = rounds[-1] if rounds else (0, 0)
    stops = any(bravo.confirmed(share, won, lost, risk) for won, lost in rounds)
    value = bravo.statistic(share, *last)
    parts = Fraction(winner, ballots), Fraction(loser, ballots)
    return Polled(
        "bravo", risk, share, chance, float(min(1 / value, Fraction(1))) if value else 1.0, stops,
        None if stops or not loser else bravo.round_size(risk, *parts, chance, last),
        bravo.expected_size(risk, *parts) if loser else None,
    )  # fmt: skip


def _minerva(
    reported: tuple[int, int, int], rounds: Sequence[tuple[int, int]], risk: Fraction, chance: float, largest: int
) -> Polled:
    winner, loser, ballots = reported
    share = Fraction(winner, winner + loser)
    if share == 1:
        raise BadInput("Minerva compares two shares", field="loser", found=loser, expected="at least 1")
    taken = [minerva.Round(won + lost, won) for won, lost in rounds]
    state = minerva.evaluate(share, risk, taken)
    more = None
    if not state.stopped:
        size = minerva.next_size(share, risk, chance, taken, largest)
        more = None if size is None else -(-(size - (taken[-1].ballots if taken else 0)) * ballots // (winner + loser))
    p = min(state.p_values[-1], 1.0) if taken else 1.0
    return Polled("minerva", risk, share, chance, p, state.stopped, more, least=state.least)
