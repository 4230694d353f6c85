"""What the journal counts by: a poll is marked once for what its database lacks, and no clock says which of two is the later one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from joined_world import POLL, world_of
from test_lost_and_works import Told
from test_put_back import RIGHTS, synced

from dauys.pollbook.centre.mark import newest
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.sync import Link, connect
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.put_back.journal import Facts, Line
from dauys.store.engine import Connection

pytestmark = pytest.mark.database


@pytest.fixture
def told(connection: Connection, tmp_path: Path) -> Iterator[Told]:
    with world_of(connection, tmp_path, {"A-1": 6, "A/2": 3, "B-1": 4}) as world:
        world.at(9)
        made = Told(world, tmp_path / "keys" / "pollbook.journal")
        made.hold()
        yield made


def name(told: Told) -> str:
    return newest(cursor(told.world.connection), POLL)


def sent_since(told: Told, *machines: str) -> None:
    """Each of them sends what the copy does not have."""
    for where in machines:
        told.world.stations[where].check_in(RIGHTS[{"a": 0, "b": 9, "c": 6}[where]], told.world.now)
        synced(told.world.stations[where])


def test_events_of_a_machine_that_is_gone_mark_once(told: Told) -> None:
    """They never come back; the others are quiet."""
    a, b, c = (told.opened(station, where) for station, where in (("A-1", "a"), ("B-1", "b"), ("A/2", "c")))
    copy = told.world.connection.begin_nested()
    sent_since(told, "b")
    assert told.hold() == ""
    copy.rollback()
    told.again()
    assert "events of the logs" in told.hold()
    mark = name(told)
    told.lose("B-1")
    synced(a, c)
    for _ in range(3):  # each minute, and before it is lifted
        assert told.hold() == "" and name(told) == mark
    assert told.unheard() == []
    told.lift()
    told.again()
    assert told.hold() == "" and told.mark is None
    sent_since(told, "a")  # it counts on from there
    told.hold()
    assert told.lines_of("heard")[-1] == {
        "poll": POLL, "what": "heard", "series": 1,
        "events": sum(machine.keep.book.head.n for machine in (a, b, c)) - 1,
    }  # fmt: skip


def test_the_same_copy_put_back_twice_is_seen_twice(told: Told) -> None:
    a = told.opened("A-1", "a")
    names = []
    copy = told.world.connection.begin_nested()
    sent_since(told, "a")
    told.hold()
    for _ in range(3):
        copy.rollback()
        copy = told.world.connection.begin_nested()
        told.again()
        assert "events of the logs" in told.hold()
        names.append(name(told))
        assert told.hold() == "" and name(told) == names[-1]
    assert len(set(names)) == 3
    synced(a)
    told.lift()
    second = told.world.connection.begin_nested()  # a copy that has the mark
    a.check_in(RIGHTS[1], told.world.now)
    synced(a)
    assert told.hold() == ""
    second.rollback()
    assert "events of the logs" in told.hold() and name(told) not in names


def test_the_power_goes_before_the_mark_is_committed(told: Told) -> None:
    told.opened("A-1", "a")
    copy = told.world.connection.begin_nested()
    sent_since(told, "a")
    told.hold()
    copy.rollback()
    told.again()
    torn = told.world.connection.begin_nested()
    assert "events of the logs" in told.hold()
    torn.rollback()
    assert told.mark is None
    told.again()
    assert "events of the logs" in told.hold() and told.mark is not None
    assert told.hold() == ""


def test_each_of_two_journals_marks_once(told: Told) -> None:
    """Each counts for itself; neither begins again what the other one has marked, minute after minute."""
    other = Told(told.world, told.path.with_name("other"))
    told.opened("A-1", "a")
    copy = told.world.connection.begin_nested()
    sent_since(told, "a")
    assert [one.hold() for one in (told, other)] == ["", ""]
    copy.rollback()
    for one in (told, other):
        one.again()
        assert "events of the logs" in one.hold()
    mark = name(told)
    for one in (told, other) * 2:
        assert one.hold() == "" and name(told) == mark


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=6))
def test_the_latest_count_is_the_last_series_at_its_highest(lines: list[tuple[int, int]]) -> None:
    facts = Facts()
    for series, events in lines:
        facts.learn({"what": "heard", "events": events, **({"series": series} if series else {})})
    assert (facts.series, facts.events) == max(lines)


def test_the_clock_of_the_centre_is_set_back(told: Told) -> None:
    told.world.at(9, 10)
    told.package("A-1")
    told.world.at(9, 8)
    second = told.package("A-1")  # the officers of the first one were wrong
    assert told.mark is None and told.hold() == ""
    told.again()
    assert told.hold() == "" and told.mark is None
    ((one, package, _),) = packing_out.write(told.world.folder, [second])
    keep = enrol(package, one.code, told.world.folder / "a", "http://centre")
    link = Link(connect(keep, lambda: told.world.now, told.world.wires), lambda: told.world.now)
    link.once()
    assert link.status.fault == "" and keep.book.told and not keep.book.stopped
    keep.close()


def test_a_package_that_was_made_again_since_the_copy_by_an_earlier_clock(told: Told) -> None:
    told.world.at(9, 10)
    told.package("A-1")
    copy = told.world.connection.begin_nested()
    told.world.at(9, 8)
    second = told.package("A-1")
    told.lose("A-1")
    third = told.package("A-1")
    copy.rollback()
    told.again()
    assert "A-1/1 package" in told.hold() and told.hold() == "" and second.code != third.code
    assert made(told) == ([4], told.lines_of("package")[-1]["proof"])


def test_two_packages_of_one_number_are_none_of_each_other(told: Told) -> None:
    """A second journal makes one before the first one has shown that the database was put back."""
    other = Told(told.world, told.path.with_name("other"))
    assert [one.hold() for one in (told, other)] == ["", ""]
    copy = told.world.connection.begin_nested()
    told.package("A-1")
    copy.rollback()
    other.package("A-1")
    told.again()
    assert "A-1/1 package" in told.hold() and told.mark is not None
    assert [one.hold() for one in (told, other, told, other)] == [""] * 4
    assert made(told) == ([2], other.lines_of("package")[-1]["proof"])


def made(told: Told) -> tuple[list[int], str]:
    """How often packages were made, or void; and what proves the one that there is."""
    connection = told.world.connection
    changes = connection.scalars(sa.text("SELECT changes FROM pollbook_packing WHERE poll = :poll"), {"poll": POLL})
    proof = connection.scalar(sa.text("SELECT proof FROM pollbook_package WHERE poll = :poll"), {"poll": POLL})
    return list(changes), bytes(proof).hex()


def test_a_journal_of_before_packages_were_counted(told: Told) -> None:
    """Its lines are in order; what the database counts goes on from there."""
    facts, lines = Facts(), ("aa", "bb", "", "cc", "", "cc")
    for at, proof in enumerate(lines):
        facts.learn(_package(proof, f"2022-06-05T0{9 - at}:00:00+00:00"))
        assert facts.packages["A-1", 1]["changes"] == (1, 1, 2, 3, 2, 3)[at]  # as migration 0029 counts what there is
    facts.learn(_package("dd", "2022-06-05T01:00:00+00:00") | {"changes": 4})
    assert facts.packages["A-1", 1]["proof"] == "dd"


def _package(proof: str, at: str) -> Line:
    return {"what": "package", "station": "A-1", "generation": 1, "proof": proof, "voters": 1, "made": at}
