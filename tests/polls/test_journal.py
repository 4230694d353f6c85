"""The journal beside the keys knows what a database that was put back from a copy has forgotten."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from joined_world import POLL
from noted_world import Noted

from dauys.errors import DauysError
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back import restored

pytestmark = pytest.mark.database


def test_a_silent_machine_that_was_enrolled_since_the_copy_is_known(noted: Noted) -> None:
    package = noted.package("A-1")
    copy = noted.world.connection.begin_nested()
    noted.machine(package, "a")
    noted.package("B-1")
    copy.rollback()
    noted.again()
    assert "A-1/1 key" in noted.hold() and noted.logs() == [("A-1", 1, False)]
    assert noted.mark is not None and not noted.mark.blind
    with pytest.raises(DauysError, match="A-1/1"):
        restored.lift(noted.world.connection, POLL, "anna", noted.world.now)
    assert noted.hold() == ""  # what it lacked is entered: B-1's package, too
    packed = sa.text("SELECT station FROM pollbook_package WHERE poll = :poll ORDER BY 1")
    assert list(noted.world.connection.scalars(packed, {"poll": POLL})) == ["A-1", "B-1"]


def test_lost_machines_and_void_packages_stay_so(noted: Noted) -> None:
    first, void = noted.package("A-1"), noted.package("B-1")
    noted.machine(first, "a")
    copy = noted.world.connection.begin_nested()
    noted.lose("A-1")
    noted.lose("B-1")
    noted.machine(noted.package("A-1"), "a2")
    copy.rollback()
    noted.again()
    assert noted.hold() != ""
    assert noted.logs() == [("A-1", 1, True), ("A-1", 2, False)]
    ((one, package, _),) = packing_out.write(noted.world.folder, [void])
    late = enrol(package, one.code, noted.world.folder / "b", "http://centre")
    link = Link(connect(late, lambda: noted.world.now, noted.world.wires), lambda: noted.world.now)
    link.once()
    assert link.status.check == "P.019" and not late.book.told
    late.close()


def test_events_that_are_gone_are_seen_before_any_station_speaks(noted: Noted) -> None:
    a = noted.machine(noted.package("A-1"), "a")
    copy = noted.world.connection.begin_nested()
    a.do(acts.do_open, officer="chair", at=noted.world.now)
    a.link.once()
    assert noted.hold() == ""
    copy.rollback()
    noted.again()
    assert "events of the logs" in noted.hold()
    assert noted.mark is not None and not noted.mark.blind


def test_a_journal_that_was_begun_late_does_not_vouch(noted: Noted) -> None:
    """It is gone, or another machine has it: no mark; but who lifts one has to know which machines there are."""
    a = noted.machine(noted.package("A-1"), "a")
    connection = noted.world.connection
    assert noted.journal.vouches(connection, POLL)
    noted.path.unlink()
    noted.again()
    assert noted.hold() == "" and noted.mark is None and not noted.journal.vouches(connection, POLL)
    mark(cursor(connection), POLL, "anna says so", noted.world.now, again=True)
    a.link.once()
    with pytest.raises(DauysError, match="say how it is known"):
        restored.lift(connection, POLL, "anna", noted.world.now, blind=True)
    restored.lift(connection, POLL, "anna", noted.world.now, "each station was telephoned", packages="good", blind=True)
    assert noted.mark is None and noted.hold() == "" and noted.mark is None


def test_a_journal_of_before_is_seen(noted: Noted) -> None:
    noted.package("A-1")
    old = noted.path.read_bytes()
    noted.package("B-1")
    noted.path.write_bytes(old)
    noted.again()
    noted.hold()
    assert noted.mark is not None and noted.mark.blind


def test_the_power_may_go_at_any_moment_of_an_act(noted: Noted) -> None:
    """Half a line, an act that came to nothing, one that is in the database and not yet in the journal: no mark."""
    noted.machine(noted.package("A-1"), "a")
    lines = noted.path.read_bytes().splitlines(keepends=True)
    assert b'"key"' in lines[-1]
    noted.path.write_bytes(b"".join(lines[:-1]) + lines[-1][:7])
    noted.again()
    assert noted.hold() == "" and noted.mark is None
    noted.package("B-1")  # written after half a line
    noted.again()
    with pytest.raises(DauysError, match="no station"):
        noted.package("nowhere")
    noted.again()
    assert noted.hold() == "" and noted.mark is None


def test_two_machines_serve_one_database(noted: Noted) -> None:
    other = Noted(noted.world, noted.path.with_name("other"))
    noted.machine(noted.package("A-1"), "a")
    other.machine(other.package("B-1"), "b")
    other.lose("B-1")
    noted.lose("B-1")  # nothing more
    for one in (noted, other, noted):
        assert one.hold() == "" and one.mark is None
    copy = noted.world.connection.begin_nested()
    other.machine(other.package("A/2"), "c")
    copy.rollback()
    assert noted.hold() == "" and "A/2/1" in other.hold() and noted.mark is not None


def test_a_damaged_journal_is_not_passed_over(noted: Noted) -> None:
    noted.package("A-1")
    noted.path.write_bytes(noted.path.read_bytes().replace(b'"what"', b'"WHAT"', 1))
    noted.again()
    with pytest.raises(DauysError, match="damaged"):
        noted.hold()
