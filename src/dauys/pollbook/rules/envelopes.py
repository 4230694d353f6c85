"""Which provisional envelopes count, when every log is in? One stated rule, applied once, to all of them together.

A voter whose right could not be reached left his ballot in an envelope. It counts if and only if his right was used
nowhere, the log of whoever held it is complete (so that no use can still come to light), and it is the only envelope of
this right, or the first where the law says so. It waits while any log is still open. `final` is for the day on which the
commission waits no longer: what then still depends on a missing log does not count. Nothing is decided before: what used
a right may yet be taken back, and another envelope of it may come. The envelope of a withdrawn right does not count.

An envelope that counts is a use, and by the same rules as any: the commission takes the right as it withdraws one, when
nobody can use it any more (`decided.settle`), and uses it up in the envelope's name (`open_one`). Whoever uses it later
raises an alarm. `pollbook.settling.envelopes` does it in the database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules import decided
from dauys.pollbook.rules.custody import Centre, Custody, State, may_grant, put
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.rules.places import called


@dataclass(frozen=True, slots=True)
class Rule:
    """Of two envelopes of one right: `none` counts, or the `first` (by station and number in its log). With the article."""

    two: str
    cite: str


@dataclass(frozen=True, slots=True)
class Provisional:
    """An envelope: where it lies, its event there, and whose it is (None while nobody could find him on any list)."""

    id: UUID
    log: LogId
    n: int
    entitlement: UUID | None

    @property
    def holder(self) -> str:
        """Who holds a right that this envelope used."""
        return f"envelope/{self.log.station}/{self.log.generation}"

    @property
    def request(self) -> str:
        """Under which name the commission asks for its right."""
        return f"envelope/{self.log.station}/{self.log.generation}/{self.n}"


@dataclass(frozen=True, slots=True)
class Resolution:
    """`counts` None: it waits. `check` is the number of the reason (checks.yaml); `reason` says it."""

    id: UUID
    entitlement: UUID | None
    counts: bool | None
    check: str
    reason: str


def resolve(centre: Centre, envelopes: Iterable[Provisional], rule: Rule, *, final: bool = False) -> list[Resolution]:
    """The resolution of each envelope, in the order given: how it stands now.

    `centre` needs custody of the envelopes' rights, all logs, and the uses. While a log is incomplete, and it is not `final`,
    this is how they stand so far: whoever stores resolutions waits, and marks the right of one that counts (`open_one`).
    """
    several = list(envelopes)
    of: dict[UUID, list[Provisional]] = defaultdict(list)
    for one in several:
        if one.entitlement is not None:
            of[one.entitlement].append(one)
    waiting = sorted(log.holder for log in centre.incomplete())
    holders = {log.holder: (log,) for log in centre.logs}
    return [_resolve(centre, one, of, rule, waiting, holders, final) for one in several]


def open_one(centre: Centre, one: Provisional) -> Centre:
    """The right of an envelope that counts is used by it.

    Raises CustodyError P.021, P.052 where somebody used it, or still can: then it did not count.
    """
    assert one.entitlement is not None
    asked = decided.withdraw(centre, one.request, one.entitlement)
    taken = decided.settle(asked, one.request)
    epoch = taken.custody[one.entitlement].epoch
    return put(taken, one.entitlement, Custody(one.holder, epoch, State.USED, one.n))


def _resolve(
    centre: Centre,
    one: Provisional,
    of: dict[UUID, list[Provisional]],
    rule: Rule,
    waiting: list[str],
    holders: Mapping[str, tuple[LogId, ...]],
    final: bool,
) -> Resolution:
    def answer(counts: bool | None, check: str, reason: str) -> Resolution:
        return Resolution(one.id, one.entitlement, counts, check, reason)

    custody = None if one.entitlement is None else centre.custody.get(one.entitlement)
    if one.entitlement is None or custody is None:
        return answer(False if final else None, "P.060", "nobody on the roll was found for it")
    if centre.uses.get(one.entitlement) or custody.state is State.USED:
        return answer(False, "P.061", f"the right was used at {called(custody.holder)}")
    if custody.holder == WITHDRAWN:
        return answer(False, "P.056", "the right was withdrawn")
    same = sorted(of[one.entitlement], key=lambda other: (other.log.station, other.log.generation, other.n))
    if len(same) > 1 and not (rule.two == "first" and same[0] == one):
        return answer(False, "P.062", f"one of {len(same)} envelopes of one right ({rule.cite})")
    if waiting and not final:
        return answer(None, "P.063", f"not every log is complete: {', '.join(waiting[:5])}")
    held_by = {log: centre.logs[log] for log in holders.get(custody.holder, ())}
    if not may_grant(replace(centre, logs=held_by), one.entitlement):
        return answer(False, "P.064", f"the log of {custody.holder} is not complete: the right may have been used")
    return answer(True, "P.065", f"the right was used nowhere ({rule.cite})")
