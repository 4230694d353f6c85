"""What do single ballots say, in the order they were drawn? Polled, compared with their records, or with totals of batches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path

from dauys.errors import BadInput
from dauys.observe.audit.alpha import Guess, kaplan_markov, kaplan_wald, overstatement
from dauys.observe.audit.alpha import p_value as alpha_p_value
from dauys.observe.audit.assertions import HALF, more_than, of_base
from dauys.registers.table import read_table

METHODS = ("alpha", "kaplan-markov", "kaplan-wald")
PADDING = Fraction(1, 10)
"""What Kaplan-Markov and Kaplan-Wald add so that one ballot for the loser does not end the audit."""
GRID = 1 << 40
"""So fine are the overstatements of ballots that are compared with their batch."""
_MEAN = re.compile(r"([0-9]{1,18})/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Ballot:
    """One ballot drawn: for yes or not, as it was found and as reported (None: no record; a fraction: its batch's share)."""

    audited: bool
    reported: Fraction | None


@dataclass(frozen=True, slots=True)
class Assessed:
    """How many were drawn, whether they were compared with records, the mean of the assorter, and the P-value."""

    drawn: int
    compared: bool
    mean: Fraction
    p_value: Fraction


def read_ballots(path: Path) -> list[Ballot]:
    """From the columns `audited` and, for a comparison, `reported`. Raises BadInput with the row."""
    found: list[Ballot] = []
    columns = {"audited": "audited", "reported": "reported"}
    for chunk in read_table(path, columns, optional=("reported",), ignore=None):
        said = chunk.texts["reported"].to_list() if "reported" in chunk.texts else [None] * len(chunk)
        for row, (seen, text) in enumerate(zip(chunk.texts["audited"].to_list(), said, strict=True), chunk.first_row):
            found.append(Ballot(seen == "yes", _share(text, path, row)))
    if len({ballot.reported is None for ballot in found}) > 1:
        raise BadInput(
            "some ballots have no record", file=path, field="reported", expected="a record for all, or for none"
        )
    return found


def assess(ballots: Sequence[Ballot], winner: int, all_ballots: int, share: Fraction, method: str) -> Assessed:
    """The P-value of "yes is not more than `share` of all ballots". ALPHA draws without, the others with replacement."""
    draws, top, guess = assorters(ballots, winner, all_ballots, share)
    if method == "alpha":
        p = alpha_p_value(draws, top, guess, all_ballots)
    else:
        p = (kaplan_markov if method == "kaplan-markov" else kaplan_wald)(draws, HALF, PADDING)
    compared = any(ballot.reported is not None for ballot in ballots)
    return Assessed(len(draws), compared, sum(draws, Fraction(0)) / max(1, len(draws)), p)


def assorters(
    ballots: Sequence[Ballot], winner: int, all_ballots: int, share: Fraction
) -> tuple[list[Fraction], Fraction, Guess]:
    """The assorter of each ballot (its overstatement where it has a record), the most that it can be, and ALPHA's guess.

    The overstatement of a ballot against its batch is rounded down to a grid: if the mean of those is above one half so is that
    of the unrounded ones, and a thousand batches have no common denominator that could be reckoned with. Raises BadInput where
    nothing is to be confirmed.
    """
    assertion = more_than(share, "yes")
    if winner > all_ballots or assertion.margin(of_base(winner, all_ballots)) <= 0:
        raise BadInput("the reported count is not above the share: there is nothing to confirm", found=winner)
    if len(ballots) > all_ballots:
        raise BadInput("more ballots were drawn than there are", found=len(ballots), expected=f"at most {all_ballots}")
    reported = of_base(winner, all_ballots)
    margin, upper = assertion.margin(reported), assertion.upper
    draws, compared = [], False
    for ballot in ballots:
        seen = upper if ballot.audited else Fraction(0)
        if ballot.reported is None:
            draws.append(seen)
        else:
            compared = True
            found = overstatement(ballot.reported * upper, seen, margin, upper)
            draws.append(found if ballot.reported in (0, 1) else Fraction(floor(found * GRID), GRID))
    top = 2 / (2 - margin / upper) if compared else upper
    eta = 1 / (2 - margin / upper) if compared else assertion.mean(reported)
    return draws, top, Guess(eta, 100, (eta - HALF) / 2)


def _share(text: str | None, path: Path, row: int) -> Fraction | None:
    if not text:
        return None
    if found := _MEAN.fullmatch(text):
        yes, cast = int(found[1]), int(found[2])
        if yes > cast or not cast:
            raise BadInput(
                "not the totals of a batch", file=path, row=row, field="reported", found=text, expected="YES/ALL"
            )
        return Fraction(yes, cast)
    return Fraction(int(text == "yes"))
