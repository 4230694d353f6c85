"""Which provisional envelopes count?"""

from __future__ import annotations

from uuid import UUID

import pytest
from pollbook_sample import POLL, who

from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules import envelopes
from dauys.pollbook.rules.custody import Centre, Custody, Known, State
from dauys.pollbook.rules.holders import CERTIFICATE

A, B = LogId(POLL, "A", 1), LogId(POLL, "B", 1)


NONE, FIRST = envelopes.Rule("none", "art. 8"), envelopes.Rule("first", "art. 8")


def centre(*, closed: bool = True, stopped: str = "", **custody: Custody) -> Centre:
    logs = {A: Known(b"", closed=closed, stopped=stopped), B: Known(b"", closed=True)}
    return Centre(POLL, {who(int(name[1:])): one for name, one in custody.items()}, logs)


def envelope(number: int | None, n: int = 1, log: LogId = B) -> envelopes.Provisional:
    return envelopes.Provisional(UUID(int=n * 10 + (log == A)), log, n, None if number is None else who(number))


@pytest.mark.parametrize(
    ("now", "final", "counts", "check"),
    [
        (centre(v1=Custody(A.holder, 0)), False, True, "P.065"),
        (centre(v1=Custody(A.holder, 1, State.USED, 4)), False, False, "P.061"),
        (centre(v1=Custody(A.holder, 0), closed=False), False, None, "P.063"),
        (centre(v1=Custody(A.holder, 0), closed=False), True, False, "P.064"),
        (centre(v1=Custody(A.holder, 0), stopped="two histories"), True, False, "P.064"),
        (centre(v1=Custody(B.holder, 1), closed=False), True, True, "P.065"),
        (centre(v1=Custody(A.holder, 0, State.RELEASED)), False, True, "P.065"),
        (centre(v1=Custody(CERTIFICATE, 1)), False, True, "P.065"),
        (centre(), False, None, "P.060"),
        (centre(), True, False, "P.060"),
    ],
)
def test_the_rule_of_envelopes(now: Centre, final: bool, counts: bool | None, check: str) -> None:
    (found,) = envelopes.resolve(now, [envelope(1)], NONE, final=final)
    assert (found.counts, found.check) == (counts, check)


def test_two_envelopes_of_one_right_and_one_of_nobody() -> None:
    now = centre(v1=Custody(A.holder, 0))
    several = [envelope(1, 5), envelope(1, 2), envelope(1, 9, A), envelope(None, 7)]
    assert [one.counts for one in envelopes.resolve(now, several, NONE)] == [False, False, False, None]
    assert [one.counts for one in envelopes.resolve(now, several, FIRST)] == [False, False, True, None]
