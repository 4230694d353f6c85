"""Ballot polling, round by round: may the audit stop, and how large is the next round? (Minerva.)

Zagorski and others, "Minerva: an efficient risk-limiting ballot polling audit" (2021): after each round the chance of so many
ballots for the winner or more, among the audits that are still going on, if the outcome is right against if it is a tie. The sums
are made in floating point, where every term is positive and the error stays far below `CLOSE`; whatever comes closer to
the limit than that is decided again in whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
CLOSE = 1e-7
DIRECT, FAR = 50_000_000, 1e-6
"""Beyond so many products convolution goes by FFT, whose rounding is small beside 1 but not beside a far tail: there no limit
is looked for where the tail is below `FAR`, which can only make the audit go on."""
LARGEST_ROUND = 1 << 23


@dataclass(frozen=True, slots=True)
class Round:
    """Ballots for either of the two so far, and how many of them for the winner. Both grow from round to round."""

    ballots: int
    winner: int


@dataclass(frozen=True, slots=True)
class State:
    """Where the audit stands: the P-value of each round, the least winners that would have stopped it (None: no number), and
    whether a round did."""

    p_values: tuple[float, ...]
    least: tuple[int | None, ...]
    stopped: bool


def evaluate(share: Fraction, risk: Fraction, rounds: Sequence[Round]) -> State:
    """`share`: the winner's reported share of the two. Rounds after the one that stopped are not looked at."""
    walk = _Walk(share, risk)
    p_values, least = [], []
    for taken in rounds:
        limit = walk.next(taken.ballots)
        p_values.append(walk.p_value(taken.winner))
        least.append(limit)
        if limit is not None and taken.winner >= limit:
            return State(tuple(p_values), tuple(least), True)
        walk.go_on(limit)
    return State(tuple(p_values), tuple(least), False)


def next_size(
    share: Fraction, risk: Fraction, chance: float = 0.9, rounds: Sequence[Round] = (), largest: int = LARGEST_ROUND
) -> int | None:
    """Ballots for either of the two, in all, after which the next round stops with `chance` if the report is right.

    Found by halving between sizes; the chance grows with the size but for small teeth, so a size just below may do as well.
    None where no size is found before `largest`.
    """
    from scipy.stats import binom  # here: commands start fast

    walk = _Walk(share, risk)
    for taken in rounds:
        walk.go_on(walk.next(taken.ballots))
    have = rounds[-1] if rounds else Round(0, 0)

    def enough(size: int) -> bool:
        again = walk.copy()
        limit = again.next(size)
        if limit is None:
            return False
        return bool(binom.sf(limit - have.winner - 1, size - have.ballots, float(share)) >= chance)

    low, high = have.ballots + 1, 10_000
    while high <= have.ballots:
        high *= 2
    while not enough(high):
        if high >= largest:
            return None
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


class _Walk:
    """The chances of each number of winner's ballots among audits that go on, if right and if tied."""

    def __init__(self, share: Fraction, risk: Fraction) -> None:
        self.share, self.risk = share, risk
        self.drawn, self.floor = 0, 1e-280
        self.right: Floats = np.ones(1)
        self.tied: Floats = np.ones(1)
        self.past: list[tuple[int, int | None]] = []

    def copy(self) -> _Walk:
        again = _Walk(self.share, self.risk)
        again.drawn, again.floor, again.right, again.tied = self.drawn, self.floor, self.right, self.tied
        again.past = list(self.past)
        return again

    def next(self, ballots: int) -> int | None:
        """Draws up to `ballots` in all; the least number of winners that stops, or None."""
        from scipy.stats import binom

        more = ballots - self.drawn
        if more <= 0:
            raise ValueError("a round has more ballots in all than the one before")
        counts = np.arange(more + 1)
        if len(self.right) > 1 and len(self.right) * more > DIRECT:
            self.floor = FAR
        self.right = _convolved(self.right, binom.pmf(counts, more, float(self.share)))
        self.tied = _convolved(self.tied, binom.pmf(counts, more, 0.5))
        self.drawn = ballots
        self.past.append((ballots, None))
        return self._least()

    def go_on(self, limit: int | None) -> None:
        """No stop: what would have stopped is gone."""
        self.past[-1] = (self.drawn, limit)
        if limit is not None:
            self.right[limit:] = 0
            self.tied[limit:] = 0

    def p_value(self, winner: int) -> float:
        right, tied = self.right[winner:].sum(), self.tied[winner:].sum()
        return float(tied / right) if right else (1.0 if winner < len(self.right) // 2 else 0.0)

    def _least(self) -> int | None:
        """By the ratio of the tails, which falls as the number grows."""
        right, tied = np.cumsum(self.right[::-1])[::-1], np.cumsum(self.tied[::-1])[::-1]
        risk = float(self.risk)
        sure = tied <= right * risk * (1 - CLOSE)
        sure &= right > self.floor
        near = ~sure & (tied <= right * risk * (1 + CLOSE)) & (right > self.floor)
        found = int(np.argmax(sure)) if sure.any() else None
        for place in np.flatnonzero(near)[::-1]:
            if (found is None or place < found) and self._exactly(int(place)):
                found = int(place)
        if found is None and right[-1] <= self.floor < FAR and self._exactly(self.drawn):
            return self.drawn
        return found

    def _exactly(self, least: int) -> bool:
        """tied tail <= risk * right tail, which is above zero, in whole numbers."""
        p, q = self.share.numerator, self.share.denominator
        right: int = _tail(self.past, least, p, q - p) * 2**self.drawn * self.risk.numerator
        tied: int = _tail(self.past, least, 1, 1) * q**self.drawn * self.risk.denominator
        return right > 0 and tied <= right


def _tail(past: Sequence[tuple[int, int | None]], least: int, won: int, lost: int) -> int:
    """The exact weight of all ways to `least` winners or more that no round before has stopped."""
    ways, drawn = {0: 1}, 0
    for number, (ballots, limit) in enumerate(past):
        more, last = ballots - drawn, number == len(past) - 1
        steps = [comb(more, k) * won**k * lost ** (more - k) for k in range(more + 1)]
        after: dict[int, int] = {}
        for have, weight in ways.items():
            for k, step in enumerate(steps):
                if (have + k >= least) if last else (limit is None or have + k < limit):
                    after[have + k] = after.get(have + k, 0) + weight * step
        ways, drawn = after, ballots
    return sum(ways.values())


def _convolved(before: Floats, more: Floats) -> Floats:
    """Directly where it is cheap: no term loses to rounding; else by FFT, whose errors are cut away."""
    if len(before) == 1:
        found: Floats = more * before[0]
        return found
    if len(before) * (len(more) - 1) <= DIRECT:
        return np.convolve(before, more)
    from scipy.signal import fftconvolve

    found = fftconvolve(before, more)
    return np.where(found > 1e-14, found, 0.0)
