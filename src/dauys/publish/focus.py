"""Which share of each territory do maps, bars and rows show? That by which the law decides, where it is a part of something."""

from __future__ import annotations

from collections.abc import Mapping

from dauys.law.decision_rule import Share
from dauys.law.relation import Linear
from dauys.publish.figures import percent
from dauys.registers.poll import Contest

STEPS = (30, 40, 50, 60, 70, 80)
"""Edges of the map's colour classes in percent: class 0 is below the first, class 6 from the last on."""


def base(contest: Contest) -> str:
    """The field that percentages are taken of: ballots found."""
    return next((field.name for field in contest.form.fields if field.role == "base"), "")


def focus(contest: Contest) -> Share | None:
    """The share whose fields maps and rows show, of the base: of the first test that asks about an answer, areas first."""
    options = set(contest.options)
    asked = [test for test in contest.rule.tests if options & set(test.share.value.fields)]
    asked.sort(key=lambda test: test.kind != "areas")
    return asked[0].share if asked else None


def line(contest: Contest) -> str | None:
    """Where the line of bars stands, as a part of the base; None where the test asks for no part of the base."""
    share = focus(contest)
    plain = share and share.of == Linear(((1, base(contest)),)) and {factor for factor, _ in share.value.terms} == {1}
    return percent(share.threshold.share) if share and plain and not share.value.constant else None


def sides(share: Share, totals: Mapping[str, int]) -> tuple[int, int]:
    """Both sums of a share over totals that may still lack fields."""
    known = {name: totals.get(name, 0) for name in share.fields}
    return share.value.of(known), share.of.of(known)


def asked(contest: Contest) -> dict[str, object]:
    """What the map shows: the fields of the answer (`focus`), of which ones it is a part (`focus_of`), and the law's threshold
    (`focus_line`)."""
    share = focus(contest)
    if share is None:
        return {"focus": [], "focus_of": [], "focus_line": None}
    own = _is_part(share)
    of = list(share.of.fields) if own else [base(contest)]
    return {
        "focus": list(share.value.fields),
        "focus_of": of,
        "focus_line": percent(share.threshold.share) if own else None,
    }


def part_and_whole(contest: Contest, totals: Mapping[str, int]) -> tuple[int, int]:
    """Both sums of what the map shows of a territory."""
    share = focus(contest)
    if share is None:
        return 0, 0
    if _is_part(share):
        return sides(share, totals)
    return sum(totals.get(name, 0) for name in share.value.fields), totals.get(base(contest), 0)


def _is_part(share: Share) -> bool:
    """Whether the law asks for a part of a sum. A comparison of two sums has no part that can be drawn."""
    plain = all(factor == 1 for side in (share.value, share.of) for factor, _ in side.terms)
    return plain and share.threshold.share < 1 and not share.value.constant
