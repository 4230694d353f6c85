"""What must be true of the ballots for the announced outcome to be right, and how far is it true?

An assertion is a sum over ballots: a ballot for the winner adds `gain`, one for the loser takes `loss` away, any other
adds nothing; the assertion holds where the sum is above zero. In SHANGRLA's words (Stark 2020) the assorter of a ballot is
(weight + loss) / (2 loss): 1 and 0 for a plurality, 1/(2f) and 0 for a share f; it holds where the mean is above 1/2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Votes:
    """Counts of one batch, or of all: ballots for the winner, for the loser, and all ballots (the base)."""

    winner: int
    loser: int
    ballots: int

    def __post_init__(self) -> None:
        if min(self.winner, self.loser) < 0 or self.winner + self.loser > self.ballots:
            raise ValueError(f"impossible counts: {self}")

    def __add__(self, other: Votes) -> Votes:
        return Votes(self.winner + other.winner, self.loser + other.loser, self.ballots + other.ballots)


def total(votes: Iterable[Votes]) -> Votes:
    """The sum of all batches."""
    return sum(votes, Votes(0, 0, 0))


@dataclass(frozen=True, slots=True)
class Assertion:
    """`gain` * winner > `loss` * loser, over all ballots. Whole numbers, both above zero."""

    name: str
    gain: int = 1
    loss: int = 1

    def weight(self, votes: Votes) -> int:
        """The sum over the ballots; above zero where the assertion holds of them."""
        return self.gain * votes.winner - self.loss * votes.loser

    def margin(self, votes: Votes) -> Fraction:
        """The assorter margin of reported votes: 2 * mean - 1 (diluted by every ballot of the base)."""
        return Fraction(self.weight(votes), self.loss * votes.ballots)

    @property
    def upper(self) -> Fraction:
        """The largest value of the assorter."""
        return Fraction(self.gain + self.loss, 2 * self.loss)

    def assorter(self, ballot: str) -> Fraction:
        """The assorter of one ballot: `winner`, `loser`, or anything else."""
        return {"winner": self.upper, "loser": Fraction(0)}.get(ballot, HALF)

    def mean(self, votes: Votes) -> Fraction:
        """The mean of the assorter over a batch (ONEAudit, arXiv 2303.03335): what stands for each of its ballots."""
        return HALF + self.margin(votes) / 2


def plurality(name: str) -> Assertion:
    """More ballots for the winner than for the loser."""
    return Assertion(name)


def more_than(share: Fraction, name: str) -> Assertion:
    """More than `share` of the base: everything else is the loser, both-marked and invalid ballots too.

    The other side, "less than `share`", is the same of the rest: `more_than(1 - share)`, with everything else as its winner.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1: {share}")
    return Assertion(name, share.denominator - share.numerator, share.numerator)


def of_base(winner: int, base: int) -> Votes:
    """The counts for `more_than`: whatever of the base is not the winner's is the loser's."""
    return Votes(winner, base - winner, base)
