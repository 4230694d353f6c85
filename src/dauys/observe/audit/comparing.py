"""Ballots compared with what was reported of them: may the audit stop, how many more are wanted? (Super-simple, ALPHA.)"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from dauys.errors import BadInput
from dauys.observe.audit.alpha import martingale
from dauys.observe.audit.assertions import HALF, more_than, of_base
from dauys.observe.audit.ballots import Ballot, assess, assorters
from dauys.observe.audit.supersimple import Discrepancies, ballots_needed, p_value

METHODS = ("super-simple", "alpha")
AHEAD = 4096
"""About twice as many ballots are looked ahead for a size, and no more."""


@dataclass(frozen=True, slots=True)
class Compared:
    """`over`: ballots reported for the winner and found otherwise; `under`: the reverse. Each moves the margin by two votes.

    `next` is how many more would do if the rest is as reported; None: it stops, or no size was found.
    """

    drawn: int
    over: int
    under: int
    margin: Fraction
    p_value: Fraction
    confirmed: bool
    next: int | None


def compared(
    method: str, ballots: Sequence[Ballot], winner: int, of: int, share: Fraction, risk: Fraction, ahead: Iterable[Ballot]
) -> Compared:  # fmt: skip
    """`ballots` in the order drawn: super-simple draws with, ALPHA without replacement. `winner` of `of` were reported.

    `ahead`: ballots that are as reported, for the size of the next round. Raises BadInput where nothing is to be confirmed, and
    for super-simple where the share is not one half: its votes are counted one against one.
    """
    assertion = more_than(share, "")
    margin = assertion.margin(of_base(winner, of))
    if margin <= 0:
        raise BadInput("the reported count is not above the share: there is nothing to confirm", found=winner)
    over = sum(one.reported == 1 and not one.audited for one in ballots)
    under = sum(one.reported == 0 and one.audited for one in ballots)
    if method == "super-simple":
        if share != HALF:
            raise BadInput("super-simple compares with one half", field="method", found=str(share), expected="alpha")
        found = Discrepancies(over2=over, under2=under)
        p = p_value(len(ballots), margin, found) if ballots else Fraction(1)
        more: int | None = max(1, ballots_needed(risk, margin, found) - len(ballots))
    else:
        p = assess(ballots, winner, of, share, method).p_value
        more = None if p <= risk else _further(ballots, winner, of, share, risk, ahead)
    return Compared(len(ballots), over, under, margin, p, p <= risk, None if p <= risk else more)


def _further(
    ballots: Sequence[Ballot], winner: int, of: int, share: Fraction, risk: Fraction, ahead: Iterable[Ballot]
) -> int | None:
    """How many of the ballots ahead bring ALPHA to its end."""
    coming, seen = iter(ahead), list(ballots)
    size = 64
    while size <= AHEAD and len(seen) < of:
        seen += islice(coming, min(size, of - len(seen)))
        draws, top, guess = assorters(seen, winner, of, share)
        for number, value in enumerate(martingale(draws, top, guess, of), 1):
            if number > len(ballots) and (value is None or value * risk >= 1):
                return number - len(ballots)
        size *= 2
    return None
