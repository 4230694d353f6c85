"""An envelope that counts is a use: only where nobody else can use the right, and nobody can afterwards."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pollbook_sample import POLL, who

from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules import decided
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError, Known, State, ask, may_grant
from dauys.pollbook.rules.envelopes import Provisional, Rule, open_one, resolve
from dauys.pollbook.rules.holders import CERTIFICATE, UNLISTED, WITHDRAWN

LOGS = [LogId(POLL, name, 1) for name in ("A", "B", "C")]
RULE = Rule("none", "art. 8")

centres = st.builds(
    lambda closed, stopped, holders, states, uses: Centre(
        POLL,
        {who(n): Custody(holder, n, state) for n, (holder, state) in enumerate(zip(holders, states, strict=True))},
        {log: Known(b"", closed=at, stopped="two" * no) for log, at, no in zip(LOGS, closed, stopped, strict=True)},
        uses={who(n): ((LOGS[0], 1),) for n in uses},
    ),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.sampled_from([False, False, False, True]), min_size=3, max_size=3),
    st.lists(
        st.sampled_from([*(log.holder for log in LOGS), "station/D", CERTIFICATE, WITHDRAWN, f"{UNLISTED}A"]),
        min_size=4, max_size=4,
    ),
    st.lists(st.sampled_from([State.UNUSED, State.UNUSED, State.RELEASED, State.USED]), min_size=4, max_size=4),
    st.sets(st.integers(0, 3), max_size=1),
)  # fmt: skip


@settings(max_examples=60)
@given(centre=centres, final=st.booleans(), order=st.permutations([0, 1, 2, 3, 3]))
def test_what_counts_can_be_used_by_it_and_by_nobody_else_then(centre: Centre, final: bool, order: list[int]) -> None:
    left = [Provisional(UUID(int=n), LOGS[n % 3], n + 1, who(number)) for n, number in enumerate(order)]
    counted = []
    for one, found in zip(left, resolve(centre, left, RULE, final=final), strict=True):
        assert one.entitlement is not None
        if not found.counts:
            continue
        assert may_grant(centre, one.entitlement) and one.entitlement != who(3)
        centre = open_one(centre, one)
        counted.append(one.entitlement)
        assert centre.custody[one.entitlement].state is State.USED and not may_grant(centre, one.entitlement)
        for act in (ask, decided.withdraw):
            with pytest.raises(CustodyError, match=r"P\.021"):
                act(centre, "later", one.entitlement, *([LOGS[1]] if act is ask else []))  # type: ignore[operator]
    assert len(set(counted)) == len(counted)
    again = resolve(centre, left, RULE, final=True)
    assert all(found.check == "P.061" for found in again if found.entitlement in counted)


def test_a_right_that_somebody_may_use_is_not_taken_for_an_envelope() -> None:
    here = Centre(POLL, {who(1): Custody(LOGS[0].holder, 0)}, {LOGS[0]: Known(b"")})
    one = Provisional(UUID(int=1), LOGS[1], 4, who(1))
    with pytest.raises(CustodyError, match=r"P\.052"):
        open_one(here, one)
    closed = Centre(POLL, here.custody, {LOGS[0]: Known(b"", closed=True)})
    assert open_one(closed, one).custody[who(1)] == Custody("envelope/B/1", 1, State.USED, 4)
    gone = Centre(POLL, {who(1): Custody(WITHDRAWN, 1)}, closed.logs)
    (found,) = resolve(gone, [one], RULE)
    assert (found.counts, found.check) == (False, "P.056")
