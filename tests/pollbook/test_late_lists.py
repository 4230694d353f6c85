"""Two lists of one station that the centre forgot: do the model and the centre move a right that was added alike?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from centre_mirror import in_database, right
from pollbook_sample import MORNING, POLL, key, who

from dauys.pollbook.centre import take as centre
from dauys.pollbook.log.events import Event, Head, LogId, sign_batch
from dauys.pollbook.put_back import restored
from dauys.pollbook.rules import custody, decided, forgotten
from dauys.pollbook.rules.custody import Centre, Custody, State
from dauys.record import log as record
from dauys.store.engine import Connection

pytestmark = pytest.mark.database

FIRST, SECOND, THIRD = (LogId(POLL, "1", generation) for generation in (1, 2, 3))
USE = ("check-in", {"channel": "polling-day", "entitlement": str(who(1)), "officer": "m1", "salt": "0" * 20})
UNDO = ("undo", {"of": 1, "reason": "twice", "officer": "m1"})
RELEASE = ("release", {"entitlement": str(who(1)), "epoch": 0, "request": "r", "to": "station/2/1"})
CERTIFICATE = ("certificate", {"entitlement": str(who(1)), "epoch": 0, "officer": "m1", "number": "C"})
CLOSE = ("close", {"officer": "c1"})


class Both:
    """The model, and the database beside it, after the centre was put back: two machines' lists are known since.

    `first`: the first machine is known by its key, not by its number alone."""

    def __init__(self, connection: Connection, added: bool, first: bool = True) -> None:
        self.connection = connection
        record.open_log(connection, POLL, "dauys/test")
        right(connection, who(1), "1", addition=int(added))
        self.model = Centre(POLL, {who(1): Custody(FIRST.holder, 0)}, unmade=frozenset({"1"}))
        if added:
            self.model = decided.enter(Centre(POLL), who(1), "1")
        for log in (FIRST, SECOND) if first else (SECOND,):
            self.adopted(log)

    def adopted(self, log: LogId) -> None:
        public = key(log.generation).public_key().public_bytes_raw()
        self.model = forgotten.enrolled(self.model, log, public)
        restored.adopt(self.connection, log, public)

    def says(self, log: LogId, *bodies: tuple[str, dict[str, Any]]) -> list[str]:
        head, events = self.model.head(log), []
        first = head.n + 1
        for kind, body in bodies:
            events.append(Event(head.n + 1, MORNING.isoformat(), kind, body, head.hash))
            head = Head(events[-1].n, events[-1].head.hash)
        batch = sign_batch(log, first, events, head.hash, key(log.generation))
        taken = custody.take(self.model, batch)
        self.model = taken.centre
        said = centre.take(self.connection, batch, MORNING).alarms
        assert [one.check for one in said] == [one.check for one in taken.alarms]
        return [one.check for one in said]

    @property
    def stands(self) -> Custody:
        assert in_database(self.connection) == self.model.custody
        return self.model.custody[who(1)]


@pytest.mark.parametrize(
    ("bodies", "stands"),
    [
        ([USE], Custody(SECOND.holder, 0, State.USED, 1)),
        ([USE, UNDO], Custody(SECOND.holder, 0)),
        ([RELEASE], Custody(SECOND.holder, 0, State.RELEASED)),
        ([CERTIFICATE], Custody("certificate", 1)),
    ],
    ids=["used", "undone", "let go", "with a certificate"],
)
def test_the_second_log_has_whom_it_uses_or_lets_go(
    connection: Connection, bodies: Sequence[tuple[str, dict[str, Any]]], stands: Custody
) -> None:
    both = Both(connection, added=True)
    assert both.stands == Custody(FIRST.holder, 0)
    assert both.says(SECOND, *bodies) == []
    assert both.stands == stands
    assert both.says(FIRST, USE)[0] == "P.101"  # it is not the first one's any more
    assert both.stands == stands


@pytest.mark.parametrize("added", [True, False])
def test_what_the_first_log_left_over_is_the_second_one_s(connection: Connection, added: bool) -> None:
    """Only of who was added nobody knows on which list he is."""
    both = Both(connection, added)
    both.says(FIRST, CLOSE)
    assert both.stands == Custody((SECOND if added else FIRST).holder, 0)
    both.says(SECOND, CLOSE)
    assert both.stands == Custody((SECOND if added else FIRST).holder, 0)
    assert custody.free(both.model, both.stands)
    both.adopted(THIRD)
    assert both.stands == Custody((THIRD if added else FIRST).holder, 0)


def test_of_who_was_not_added_the_first_list_has_the_right(connection: Connection) -> None:
    both = Both(connection, added=False)
    assert both.says(SECOND, USE) == ["P.101"]
    assert both.says(SECOND, RELEASE) == ["P.103"]
    assert both.stands == Custody(FIRST.holder, 0)


def test_what_the_first_log_used_stays(connection: Connection) -> None:
    both = Both(connection, added=True)
    both.says(FIRST, USE, CLOSE)
    assert both.stands == Custody(FIRST.holder, 0, State.USED, 1)
    assert both.says(SECOND, USE) == ["P.101", "P.102"]


@pytest.mark.parametrize("known", [True, False])
def test_a_machine_that_never_was_leaves_its_list_to_the_next_one(connection: Connection, known: bool) -> None:
    """One that is known by its key was there: nobody ends its log by a word."""
    both = Both(connection, added=True, first=known)
    assert both.stands == Custody(FIRST.holder, 0)
    restored.never_was(connection, FIRST)
    assert in_database(connection)[who(1)] == Custody((FIRST if known else SECOND).holder, 0)


@pytest.mark.parametrize(
    ("closing", "holders"), [((FIRST, SECOND), (SECOND, THIRD)), ((SECOND, FIRST), (FIRST, THIRD))]
)
def test_of_three_lists_the_next_one_that_is_not_closed_may_have_him(
    connection: Connection, closing: Sequence[LogId], holders: Sequence[LogId]
) -> None:
    both = Both(connection, added=True)
    both.adopted(THIRD)
    for log, holder in zip(closing, holders, strict=True):
        assert both.says(log, CLOSE) == []
        assert both.stands == Custody(holder.holder, 0)


def test_what_the_second_log_had_is_not_the_first_one_s_again(connection: Connection) -> None:
    both = Both(connection, added=True)
    assert both.says(SECOND, USE, UNDO, CLOSE) == []
    assert both.stands == Custody(SECOND.holder, 0) and custody.free(both.model, both.stands)


def test_what_was_given_to_the_first_log_stands_on_no_other_list(connection: Connection) -> None:
    both = Both(connection, added=True)
    both.model = custody.put(both.model, who(1), Custody(FIRST.holder, 1))
    connection.execute(sa.text("UPDATE entitlement SET epoch = 1 WHERE id = :who"), {"who": who(1)})
    assert both.says(SECOND, USE) == ["P.101"] and both.says(FIRST, CLOSE) == []
    assert both.stands == Custody(FIRST.holder, 1)


def test_a_list_that_is_made_now_has_nobody_of_an_earlier_one(connection: Connection) -> None:
    """The third machine begins with the books whole: what it uses of theirs is not its own."""
    both = Both(connection, added=True)
    public = key(THIRD.generation).public_key().public_bytes_raw()
    both.model = custody.enrol(custody.declare_lost(both.model, SECOND), THIRD, public)
    centre.declare_lost(connection, SECOND)
    centre.enrol(connection, THIRD, public, MORNING)
    assert both.says(THIRD, USE) == ["P.101"]
    assert both.stands == Custody(FIRST.holder, 0)
