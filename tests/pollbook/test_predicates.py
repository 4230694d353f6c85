"""Do the texts of the centre's queries say what the rules say, where the search of custody does not come by?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from centre_mirror import in_database, right
from pollbook_sample import MORNING, POLL, key, who

from dauys.pollbook.centre import decided, moves, unasked
from dauys.pollbook.centre import take as centre
from dauys.pollbook.centre.predicates import FREE
from dauys.pollbook.log.events import LogId
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError, Known, State
from dauys.pollbook.rules.grants import LASTS, Fate
from dauys.pollbook.rules.holders import CERTIFICATE
from dauys.record import log as record
from dauys.store.engine import Connection

pytestmark = pytest.mark.database

HERE, THERE = LogId(POLL, "1", 1), LogId(POLL, "2", 1)
OVER = MORNING + LASTS + timedelta(seconds=1)


@pytest.fixture
def two(connection: Connection) -> Iterator[Connection]:
    """Two stations, and a right of the first one."""
    record.open_log(connection, POLL, "dauys/test")
    for number, log in ((1, HERE), (2, THERE)):
        centre.enrol(connection, log, key(number).public_key().public_bytes_raw(), MORNING)
    right(connection, who(1), "1")
    yield connection


def stands(connection: Connection, holder: str, state: int, epoch: int = 0) -> None:
    query = sa.text("UPDATE entitlement SET holder = :holder, state = :state, epoch = :epoch WHERE id = :who")
    connection.execute(query, {"holder": holder, "state": state, "epoch": epoch, "who": who(1)})


def is_free(connection: Connection) -> bool:
    query = (
        "SELECT FROM entitlement e LEFT JOIN pollbook_log l USING (poll, holder) WHERE e.poll = %s AND e.id = %s AND "
    )
    return centre.cursor(connection).execute(query + FREE, (POLL, who(1))).rowcount > 0


@pytest.mark.parametrize("log", [HERE, HERE.paper])
def test_paper_that_was_typed_in_is_never_complete(two: Connection, log: LogId) -> None:
    """Its log has no end of its own, and who closed it all the same frees nothing by that."""
    if log.paper_of is not None:
        centre.declare_lost(two, HERE)
        centre.enrol(two, log, key(3).public_key().public_bytes_raw(), MORNING)
    two.execute(sa.text("UPDATE pollbook_log SET closed = true WHERE holder = :holder"), {"holder": log.holder})
    stands(two, log.holder, 0)
    model = Centre(POLL, {who(1): Custody(log.holder, 0)}, {log: Known(b"", closed=True)})
    assert is_free(two) == custody.free(model, model.custody[who(1)]) == (log == HERE)


def test_what_was_given_back_before_any_machine_is_nobodys(connection: Connection) -> None:
    """Nothing is granted to a machine that has not begun, and may never begin. Withdrawn again, the right is gone at once."""
    record.open_log(connection, POLL, "dauys/test")
    right(connection, who(1), "1")
    decided.withdraw(connection, POLL, "first", who(1), MORNING)
    decided.settle(connection, POLL, "first")
    with pytest.raises(CustodyError, match=r"P\.051"):
        decided.give_back(connection, "back", who(1), HERE, MORNING)
    decided.let_go(connection, POLL, who(1))
    decided.let_go(connection, POLL, who(1))
    assert in_database(connection)[who(1)] == Custody("returned/1", 1, State.RELEASED)
    decided.withdraw(connection, POLL, "again", who(1), MORNING)
    decided.settle(connection, POLL, "again")
    assert in_database(connection)[who(1)] == Custody("withdrawn", 2) and not moves.granted_to(connection, HERE)


def test_a_request_asks_for_ten_minutes(two: Connection) -> None:
    moves.ask(two, "r", who(1), THERE, MORNING)
    assert [one.id for one in moves.asked_of(two, HERE, MORNING + LASTS)] == ["r"]
    assert unasked.fates(two, THERE, MORNING + LASTS) == ()
    assert moves.asked_of(two, HERE, OVER) == () and unasked.fates(two, THERE, OVER) == (Fate(who(1), "over"),)
    stands(two, HERE.holder, 2)
    assert moves.may_receive(two, THERE, MORNING + LASTS) and not moves.may_receive(two, THERE, OVER)
    assert moves.grant_what_can_be(two, THERE, OVER) == ()
    moves.ask(two, "r", who(1), THERE, OVER)  # he is still there
    assert moves.may_receive(two, THERE, OVER) and len(moves.grant_what_can_be(two, THERE, OVER)) == 1


def test_the_commission_and_who_shows_a_certificate_ask_until_it_is_done(two: Connection) -> None:
    decided.withdraw(two, POLL, "w", who(1), MORNING)
    assert [one.id for one in moves.asked_of(two, HERE, OVER)] == ["w"]
    decided.call_off(two, POLL, "w")
    stands(two, CERTIFICATE, 0, epoch=1)
    moves.ask(two, "r", who(1), THERE, MORNING)
    assert unasked.fates(two, THERE, OVER) == ()
    assert [given.request for given in moves.grant_what_can_be(two, THERE, OVER)] == ["r"]
